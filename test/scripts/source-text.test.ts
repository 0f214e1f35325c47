// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the cases are source text
import { describe, expect, it } from 'vitest';
import { blankOutText, parseImports } from '../../scripts/source-text.ts';

const blanked = (text: string) => blankOutText(text).replaceAll(/ +/g, ' ').trim();

describe('blankOutText', () => {
  it.each([
    { text: "a('b') // c", code: "a(' ')", because: 'a comment ends with its line' },
    { text: "a /* 'b */ + c", code: 'a + c', because: 'a quote in a comment opens no string' },
    { text: "'a // b' + c", code: "' ' + c", because: 'slashes in a string open no comment' },
    { text: String.raw`'it\'s' + c`, code: "' ' + c", because: 'an escaped quote ends no string' },
    { text: String.raw`x.replace(/['"]\//g, y)`, code: 'x.replace( , y)', because: 'a regular expression is no code' },
    { text: 'return /a[/]b/.test(x)', code: 'return .test(x)', because: 'a slash in a class ends no expression' },
    { text: "a / b / 'c'", code: "a / b / ' '", because: 'a slash after a value divides' },
    { text: "(a) / 'b' / c", code: "(a) / ' ' / c", because: 'so does one after a bracket' },
    { text: '`a ${b} c`', code: '` b `', because: 'what a template evaluates is code' },
    { text: "`a ${b({ c: `d ${e}` })} 'f` + g", code: '` b({ c: ` e ` }) ` + g', because: 'templates and braces nest' },
    { text: 'a = `\\${b}`', code: 'a = ` `', because: 'an escaped dollar evaluates nothing' },
  ])('$because', ({ text, code }) => {
    expect(blanked(text)).toBe(code);
    expect(blankOutText(text)).toHaveLength(text.length);
  });

  it('keeps lines where they are', () => {
    expect(blankOutText('/*\n*/ `\n` // a\nb')).toBe('  \n   `\n`     \nb');
  });
});

describe('parseImports', () => {
  const parse = (text: string) => parseImports(text, blankOutText(text));

  it.each([
    { text: "import { a, b as c } from './x.ts';", typeOnly: false },
    { text: "import {\n  a,\n} from './x.ts';", typeOnly: false },
    { text: "import a from './x.ts';", typeOnly: false },
    { text: "import * as a from './x.ts';", typeOnly: false },
    { text: "import './x.ts';", typeOnly: false },
    { text: 'import "./x.ts";', typeOnly: false },
    { text: "export { a } from './x.ts';", typeOnly: false },
    { text: "export * from './x.ts';", typeOnly: false },
    { text: "const a = await import('./x.ts');", typeOnly: false },
    { text: "import type { a } from './x.ts';", typeOnly: true },
    { text: "export type { a } from './x.ts';", typeOnly: true },
    { text: "import { type a } from './x.ts';", typeOnly: false },
    { text: "import type from './x.ts';", typeOnly: false },
  ])('reads $text', ({ text, typeOnly }) => {
    expect(parse(`// the first line\n${text}`)).toEqual([
      { specifier: './x.ts', line: expect.any(Number) as number, typeOnly },
    ]);
  });

  it('says in which line the name stands', () => {
    const text = "import a from 'a';\nimport {\n  b,\n} from 'b';\n";
    expect(parse(text).map(({ specifier, line }) => [specifier, line])).toEqual([
      ['a', 1],
      ['b', 4],
    ]);
  });

  it.each([
    "// import { a } from './x.ts'",
    "const a = `import b from './x.ts'`;",
    "export type A = string;\nconst from = 'x';",
    "table.import('./x.ts');",
    'const url = import.meta.url;',
  ])('sees no import in %s', (text) => {
    expect(parse(text)).toEqual([]);
  });
});
