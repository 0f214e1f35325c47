/** The attributes of a source as a tree for people to read. */
import { type AttributeNode, listUnfilled } from '../mapping/attribute-tree.ts';
import type { CliIo } from './io.ts';
import type { SourceSample } from './schema-sample.ts';
import { createStyle } from './style.ts';
import { formatTable } from './table.ts';
import { formatCount } from './wording.ts';

export function formatSchema(io: Pick<CliIo, 'isTTY' | 'env'>, sample: SourceSample): string {
  const { directorySync, provider, attributes, people, findings } = sample;
  const style = createStyle(io);
  const name = directorySync.replace(/^default\//, '');
  const filled = listFilled(attributes);
  const rows = filled.flatMap((node) => toRows(node, people, ''));
  const table = rows.length === 0 ? [] : [formatTable([['ATTRIBUTE', 'TYPE', 'HAVE IT', 'LOOKS LIKE'], ...rows])];
  const unfilled = listUnfilled(attributes).map(toShown);
  return [
    `${style.bold(`${name}: ${provider}`)}, ${describePeople(sample)}\n`,
    ...findings.map(({ verdict, about, message }) => `  ${verdict.padEnd(7)} ${about}: ${message}\n`),
    '\n',
    ...table,
    ...(unfilled.length === 0 ? [] : [`${rows.length === 0 ? '' : '\n'}nobody has: ${unfilled.join(', ')}\n`]),
    ...(sample.isCut ? ['\nthere are more attributes than are shown\n'] : []),
  ].join('');
}

function describePeople({ people, isWhole, failed }: SourceSample): string {
  const count = formatCount(people, 'person', 'people');
  const looked = isWhole ? `all of its ${count}` : `its first ${count}, and more may follow (--people all)`;
  return failed === 0 ? looked : `${looked}; ${formatCount(failed, 'record')} cannot be read`;
}

function listFilled(nodes: readonly AttributeNode[]): readonly AttributeNode[] {
  return nodes.filter(({ people }) => people > 0);
}

function toRows(node: AttributeNode, people: number, indent: string): readonly (readonly string[])[] {
  const { path, types, sample } = node;
  const row = [`${indent}${toShown(path)}`, types.join(' or '), toShare(node.people, people), toShown(sample ?? '')];
  return [row, ...listFilled(node.attributes).flatMap((inner) => toRows(inner, people, `${indent}  `))];
}

/** Neither is said where it is not so: 100 % is everybody, 0 % nobody. */
function toShare(count: number, people: number): string {
  if (count >= people) return 'all';
  const percent = (count / people) * 100;
  return percent < 1 ? '<1%' : `${Math.floor(percent)}%`;
}

/** Names of attributes are the source's: none of them may steer the terminal. */
function toShown(text: string): string {
  return text.replace(/\p{C}/gu, '\u{fffd}');
}
