/** Attributes and values as a reviewer reads them. */
import type { AttributeChange, Json } from '../model.ts';
import type { StoredOperation } from '../state/store.ts';

const EXTENSION = /^urn:(?:[^:]+:)*([^:]+):2\.0:User:(.+)$/i;

/** `urn:…:enterprise:2.0:User:department` → `enterprise:department`; core paths stay. */
export function shortenPath(path: string): string {
  const match = EXTENSION.exec(path);
  if (match === null) return path;
  return match[1]?.toLowerCase() === 'core' ? (match[2] ?? path) : `${match[1]}:${match[2]}`;
}

/** Longest value that is shown whole unless everything is asked for. */
const MAX_VALUE = 60;

export function formatValue(value: Json | undefined, whole: boolean): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return whole || text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`;
}

/** A value as it may be shown. */
export function toShownValue(
  { redacted }: Pick<AttributeChange, 'redacted'>,
  value: Json | undefined,
): Json | undefined {
  return redacted === true && value !== undefined ? '[Redact]' : value;
}

/** The name of the person or team that one value of a reference means; null: nobody is known by it. */
export type FindName = (change: AttributeChange, value: Json) => Promise<string | null>;

export interface ChangeStyle {
  readonly whole: boolean;
  readonly findName: FindName;
}

/** `title: "Engineer" → "Senior Engineer"`. */
export async function formatChange(change: AttributeChange, { whole, findName }: ChangeStyle): Promise<string> {
  const show = async (value: Json | undefined): Promise<string> => {
    if (change.redacted === true) return formatValue(toShownValue(change, value), whole);
    if (!Array.isArray(value))
      return (value === undefined ? null : await findName(change, value)) ?? formatValue(value, whole);
    const names = await Promise.all(value.map(async (each: Json) => await findName(change, each)));
    if (names.every((name) => name === null)) return formatValue(value, whole);
    return names.map((name, index) => name ?? formatValue(value[index], whole)).join(', ');
  };
  const after = await show(change.after);
  const path = shortenPath(change.path);
  return change.before === undefined ? `${path}: ${after}` : `${path}: ${await show(change.before)} → ${after}`;
}

const TELLING = ['displayName', 'title', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'];

/** What tells one joiner from another in a line. */
export function describePerson({ changes, name }: Pick<StoredOperation, 'changes' | 'name'>): string {
  const values = new Map(changes.map((change) => [change.path, toShownValue(change, change.after)]));
  return TELLING.map((path) => values.get(path))
    .filter((value) => typeof value === 'string' && value !== '' && value !== name)
    .join(', ');
}
