/** From a column inside an expression to a place in the file, where the YAML scalar keeps the text as it stands. */
import type { Position } from '../local/problem.ts';

/** Where an expression's text says that something is wrong. */
export interface TextPlace {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

const PREFIX = /^(?:line (\d+), )?column (\d+): /;

/** `column 17: …` or `line 2, column 3: …` at the beginning of a message about an expression. */
export function parseTextPlace(message: string): TextPlace | null {
  const match = PREFIX.exec(message);
  return match === null ? null : { line: Number(match[1] ?? 1), column: Number(match[2]) };
}

/**
 * Null where the scalar is folded over lines, so that no place of the file is that place of the text: the beginning of
 * the scalar has to do.
 * @param lines of the file
 * @param at where the scalar begins: at its quote, its first character, or its `|`
 */
export function locateInScalar(lines: readonly string[], at: Position, place: TextPlace): Position | null {
  const raw = lines[at.line - 1]?.slice(at.column - 1) ?? '';
  if (/^[|]/.test(raw)) return locateInBlock(lines, at, place);
  if (place.line > 1 || raw.startsWith('>')) return null;
  const [quote] = raw;
  const offset =
    quote === '"' || quote === "'" ? findInQuotes(raw, quote, place.column) : findInPlain(raw, place.column);
  return offset === null ? null : { ...at, column: at.column + offset };
}

/** In a literal block every line stands as it is, behind the indentation of the first one. */
function locateInBlock(lines: readonly string[], at: Position, { line, column }: TextPlace): Position | null {
  const first = lines.slice(at.line).find((each) => each.trim() !== '');
  const text = lines[at.line + line - 1];
  if (first === undefined || text === undefined) return null;
  const indentation = first.length - first.trimStart().length;
  return { ...at, line: at.line + line, column: indentation + column };
}

function findInPlain(raw: string, column: number): number | null {
  const text = raw.replace(/\s+#.*$/, '').trimEnd();
  return column <= text.length + 1 ? column - 1 : null;
}

/** One character of the text, as it is written between quotes. */
const WRITTEN = { "'": /''|[^']/y, '"': /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|[^"\\]/y } as const;

function findInQuotes(raw: string, quote: keyof typeof WRITTEN, column: number): number | null {
  const written = new RegExp(WRITTEN[quote]);
  const offsets: number[] = [];
  let at = 1;
  for (written.lastIndex = at; written.test(raw); at = written.lastIndex) offsets.push(at);
  if (raw[at] === quote) offsets.push(at);
  return offsets[column - 1] ?? null;
}
