/** Resources of a SCIM service (RFC 7643) → source users and groups. Names of attributes have no case there. */

import type { GroupMember, Json, SourceGroup, SourceUser } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type Converted, fail } from '../converted.ts';
import type { FailedRecord } from '../source.ts';

type Fields = Readonly<Record<string, Json>>;

/** The value of an attribute, however its name is written (RFC 7643 section 2.1). */
export function readField(fields: Fields, name: string): Json | undefined {
  if (Object.hasOwn(fields, name)) return fields[name];
  const lower = name.toLowerCase();
  const key = Object.keys(fields).find((each) => each.toLowerCase() === lower);
  return key === undefined ? undefined : fields[key];
}

/** Without `active` somebody is active; some services write it as a text. */
export function toUser(value: Json): Converted<SourceUser> {
  const known = toKnown(value);
  if ('failed' in known) return known;
  const { id, fields } = known;
  const active = readField(fields, 'active');
  const isInactive = active === false || (typeof active === 'string' && active.toLowerCase() === 'false');
  const { password: _never, ...attributes } = fields;
  return { item: { id, active: !isInactive, attributes } };
}

export interface ScimGroup {
  readonly group: SourceGroup;
  /** Null: the list does not show any. */
  readonly members: readonly GroupMember[] | null;
}

export function toGroup(value: Json): Converted<ScimGroup> {
  const known = toKnown(value);
  if ('failed' in known) return known;
  const { id, fields } = known;
  const name = readField(fields, 'displayName');
  if (typeof name !== 'string' || name.trim() === '') return fail(id, 'it has no displayName');
  const list = readField(fields, 'members') ?? null;
  const members = list === null ? null : toMembers(list);
  if (members === 'broken') return fail(id, 'a member of it has no value');
  const attributes = Object.fromEntries(Object.entries(fields).filter(([key]) => key.toLowerCase() !== 'members'));
  return { item: { group: { id, displayName: name, attributes }, members } };
}

const KINDS: Readonly<Record<string, 'User' | 'Group'>> = { user: 'User', group: 'Group' };

function toMembers(list: Json): readonly GroupMember[] | 'broken' {
  const items: readonly Json[] = Array.isArray(list) ? (list as readonly Json[]) : [list];
  const members: GroupMember[] = [];
  for (const item of items) {
    const ref = isObject(item) ? readField(item, 'value') : undefined;
    if (!isObject(item) || typeof ref !== 'string' || ref === '') return 'broken';
    const type = String(readField(item, 'type') ?? '').toLowerCase();
    members.push({ kind: KINDS[type] ?? 'Any', ref });
  }
  return members;
}

function toKnown(value: Json): { readonly id: string; readonly fields: Fields } | { readonly failed: FailedRecord } {
  if (!isObject(value)) return fail(null, 'a resource of the list is no object');
  const id = readField(value, 'id');
  return typeof id === 'string' && id !== '' ? { id, fields: value } : fail(null, 'a resource of the list has no id');
}
