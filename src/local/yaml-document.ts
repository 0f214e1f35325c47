/** YAML (and JSON) text as documents that know where each of their fields stands. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Document as YamlDocument,
} from 'yaml';
import type { Position } from './problem.ts';

export interface PlacedDocument {
  /** Plain data; null for an empty document. */
  readonly data: unknown;
  /** Where its first line is. */
  readonly at: Position;
  /**
   * Where a field stands: its value for plain values, its key for maps and lists. What does not exist is looked for as
   * far down as there is something.
   * @param pointer JSON pointer (RFC 6901)
   * @param onKey its key in any case
   */
  locate(pointer: string, onKey?: boolean): Position;
}

type ParsedText =
  | { readonly documents: readonly PlacedDocument[] }
  | { readonly error: { readonly at: Position; readonly message: string } };

/** All documents of a text, or the first thing that makes it no YAML. One error is enough: what follows is guesswork. */
export function parseDocuments(text: string, file: string): ParsedText {
  const lines = new LineCounter();
  const toPosition = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents: PlacedDocument[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const [error] = document.errors;
    if (error !== undefined) return { error: { at: toPosition(error.pos[0]), message: toSentence(error.message) } };
    const start = toPosition(document.contents?.range?.[0] ?? document.range[0]);
    try {
      const data: unknown = document.toJS({ maxAliasCount: 100 });
      documents.push({ data, at: start, locate: (pointer, onKey) => toPosition(findOffset(document, pointer, onKey)) });
    } catch {
      return { error: { at: start, message: 'its aliases (*name) lead nowhere or make it too large' } };
    }
  }
  return { documents };
}

function toSentence(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/\s+at line \d+.*$/, '').replace(/:$/, '');
}

function findOffset(document: YamlDocument.Parsed, pointer: string, onKey = false): number {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  let node: Node | null = resolve(document, document.contents);
  let key: number | undefined;
  for (const part of parts) {
    const step = findChild(node, part);
    if (step === null) return key ?? node?.range?.[0] ?? 0;
    key = step.key ?? step.value?.range?.[0] ?? key;
    node = resolve(document, step.value);
  }
  const value = isScalar(node) && !onKey ? node.range?.[0] : undefined;
  return value ?? key ?? node?.range?.[0] ?? 0;
}

function resolve(document: YamlDocument.Parsed, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

function findChild(node: Node | null, part: string): { key: number | undefined; value: Node | null } | null {
  if (isSeq<Node>(node)) {
    const value = node.items[Number(part)];
    return value === undefined ? null : { key: undefined, value };
  }
  if (!isMap<Node, Node | null>(node)) return null;
  const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part);
  return pair === undefined ? null : { key: pair.key.range?.[0], value: pair.value };
}
