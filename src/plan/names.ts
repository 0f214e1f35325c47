/**
 * Values that one account at most may have: who has them, which operations write them and which give them up. Pure.
 *
 * A value is followed where the target takes it from one account only (`unique`), and where accounts are matched by it:
 * an account made with a value by which somebody else's is found would be taken for that one.
 */
import { createHash } from 'node:crypto';
import type { AttributeChange, Attributes, Json, Operation } from '../model.ts';
import type { NameRow, PersonState } from '../state/staging.ts';
import type { PathShape } from './diff.ts';

type Shapes = ReadonlyMap<string, PathShape>;
type NameOperation = Pick<Operation, 'seq' | 'kind' | 'resource' | 'changes'>;

/**
 * @param person with the account as it is believed to be, where the target shows it in a form of its own
 * @param operations this person's, as they stand in the plan
 * @param hasFailed whether the target refused an operation before
 */
export function toNames<T extends NameOperation>(
  person: PersonState,
  operations: readonly T[],
  { shapes, hasFailed }: { readonly shapes: Shapes; readonly hasFailed: (operation: T) => boolean },
): readonly NameRow[] {
  const has = toValueRows(toHeldValues(person), { role: 'has', sourceId: person.sourceId, seq: 0 }, shapes);
  const more = operations
    .filter(({ resource }) => resource === 'User')
    .flatMap((operation) => toOperationRows(person.sourceId, operation, { has, shapes, failed: hasFailed(operation) }));
  return [...has, ...more];
}

/** What the account was seen to have, else what was written; nothing where there is none. */
function toHeldValues({ link, observed, gone }: PersonState): Attributes {
  if (link === null || gone) return {};
  return observed?.attributes ?? link.applied;
}

type RowBase = Pick<NameRow, 'role' | 'sourceId' | 'seq'>;

function toValueRows(values: Attributes, base: RowBase, shapes: Shapes): readonly NameRow[] {
  return Object.entries(values).flatMap(([path, value]) => {
    const key = isFollowed(path, shapes) ? toKey(path, value, shapes) : null;
    return key === null ? [] : [{ ...base, path, key }];
  });
}

function toOperationRows(
  sourceId: string,
  { seq, kind, changes }: NameOperation,
  { has, shapes, failed }: { has: readonly NameRow[]; shapes: Shapes; failed: boolean },
): readonly NameRow[] {
  if (kind === 'delete') return failed ? [] : has.map((row) => ({ ...row, role: 'frees', seq }));
  return changes.flatMap((change) => {
    const { path } = change;
    const [before, after] = [toKey(path, change.before, shapes), toKey(path, change.after, shapes)];
    if (!isFollowed(path, shapes) || before === after) return [];
    const row = { sourceId, path };
    const wants = after !== null && (kind === 'create' || shapes.get(path)?.unique === true);
    return [
      ...(wants ? [{ ...row, role: 'wants' as const, key: after, seq }] : []),
      ...(wants && failed ? [{ ...row, role: 'doubts' as const, key: after, seq }] : []),
      ...(before === null ? [] : [{ ...row, role: 'frees' as const, key: before, seq }]),
      // An account that is taken over belongs to nobody yet, and has its value all the same.
      ...(before === null || kind !== 'adopt' ? [] : [{ ...row, role: 'has' as const, key: before, seq: 0 }]),
    ];
  });
}

function isFollowed(path: string, shapes: Shapes): boolean {
  const shape = shapes.get(path);
  return shape !== undefined && (shape.unique || shape.matching || path === 'externalId');
}

/** Null for what is no single value: it is not looked up by it either. */
function toKey(path: string, value: Json | undefined, shapes: Shapes): string | null {
  if (value === undefined || value === null || value === '' || typeof value === 'object') return null;
  return shapes.get(path)?.caseExact === false ? String(value).normalize('NFC').toLowerCase() : String(value);
}

const PREFIX = 'dirsync-';

/**
 * The value that an account has in the middle of a swap: of the form of the one that it gives up (a mail address stays
 * one, where there is room for it), the same in every run, and nobody else's.
 * @param maxLength characters that the target takes at most; absent where that is not known
 */
export function toTemporary(
  sourceId: string,
  { path, before }: Pick<AttributeChange, 'path' | 'before'>,
  maxLength = Number.POSITIVE_INFINITY,
): string {
  const text = String(before ?? '');
  const domain = text.includes('@') ? text.slice(text.lastIndexOf('@')) : '';
  const name = toTemporaryName(sourceId, path);
  return name.length + domain.length <= maxLength ? `${name}${domain}` : name;
}

const TEMPORARY = new RegExp(`^${PREFIX}[0-9a-f]{12}(@|$)`);

/** The account was left in the middle of a swap: what gives it its own value again finishes what was begun. */
export function isTemporary(value: Json | undefined): boolean {
  return typeof value === 'string' && TEMPORARY.test(value);
}

function toTemporaryName(sourceId: string, path: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([sourceId, path]))
    .digest('hex');
  return `${PREFIX}${digest.slice(0, 12)}`;
}
