/**
 * Finds the imports of a TypeScript file without a compiler: TypeScript 7 has no programming interface. Comments and
 * the contents of strings are blanked first, so that neither a code example nor a message is taken for code.
 */

export interface ImportStatement {
  readonly specifier: string;
  /** From 1. */
  readonly line: number;
  /** `import type` and `export type … from`: gone when the program runs. */
  readonly typeOnly: boolean;
}

/** After these a slash starts a regular expression; after a name, a number or a closing bracket it divides. */
const BEFORE_REGEX = /(?:^|[([{}<>,;:=!&|?+\-*%~^]|\b(?:return|typeof|case|of|in|do|else|void|throw|await|yield))\s*$/;

const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

const blank = (text: string) => text.replaceAll(/[^\n]/g, ' ');

/** Keeps the quotes, so that a pattern sees where a string stands. */
const blankInside = (text: string) => text.charAt(0) + blank(text.slice(1, -1)) + text.charAt(0);

/** The text with comments, regular expressions and the contents of strings as blanks; length and lines stay the same. */
export function blankOutText(text: string): string {
  let code = '';
  /** For each template literal that is open: the braces open in its current `${…}`. */
  const templates: number[] = [];

  const readTemplateText = () => {
    code += blank(matchAt(TEMPLATE_TEXT, text, code.length) ?? '');
    const closed = text.startsWith('`', code.length);
    code += closed ? '`' : blank(text.slice(code.length, code.length + 2));
    if (!closed) templates.push(0);
  };

  const readBrace = (char: string) => {
    const depth = templates.pop();
    if (char === '}' && depth === 0) {
      code += ' ';
      readTemplateText();
      return;
    }
    if (depth !== undefined) templates.push(depth + (char === '{' ? 1 : -1));
    code += char;
  };

  const readSlash = () => {
    const comment = matchAt(COMMENT, text, code.length);
    const regex = BEFORE_REGEX.test(code.slice(-40)) ? matchAt(REGEX, text, code.length) : null;
    code += (comment ?? regex) ? blank(comment ?? regex ?? '') : '/';
  };

  while (code.length < text.length) {
    const char = text.charAt(code.length);
    if (char === '/') readSlash();
    else if (char === "'" || char === '"') code += blankInside(matchAt(STRING, text, code.length) ?? char);
    else if (char === '{' || char === '}') readBrace(char);
    else {
      code += char;
      if (char === '`') readTemplateText();
    }
  }
  return code;
}

/** The line, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

const FROM = /(?<![.\w$])(?:import|export)\s+(?<type>type\s+(?!from\b|,))?[\w$*\s{},]*?\bfrom\s*['"]/g;
const BARE = /(?<![.\w$])import\s*['"]/g;
const CALLED = /(?<![.\w$])import\s*\(\s*['"]/g;

/**
 * Every import and re-export, `import()` included.
 * @param code the same text after `blankOutText`
 */
export function parseImports(text: string, code: string): ImportStatement[] {
  const found: ImportStatement[] = [];
  for (const pattern of [FROM, BARE, CALLED]) {
    for (const match of code.matchAll(pattern)) {
      const start = match.index + match[0].length;
      const end = code.indexOf(code.charAt(start - 1), start);
      const specifier = text.slice(start, end);
      found.push({ specifier, line: lineAt(code, start), typeOnly: match.groups?.['type'] !== undefined });
    }
  }
  return found.sort((a, b) => a.line - b.line);
}
