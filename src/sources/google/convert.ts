/** Users, groups and members of the Directory API → those of a source. */

import type { GroupMember, Json, SourceGroup, SourceUser } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type Converted, fail } from '../converted.ts';
import type { FailedRecord } from '../source.ts';
import { CUSTOM_SCHEMAS } from './fields.ts';

/**
 * What was never set the API leaves out: it is null. Who has no value of any custom schema has none of these attributes,
 * for nobody knows which there are.
 */
export function toUser(value: Json, fields: readonly string[]): Converted<SourceUser> {
  const known = toKnown(value, 'user');
  if ('failed' in known) return known;
  const { id, properties } = known;
  const { suspended, archived = false } = properties;
  if (typeof suspended !== 'boolean' || typeof archived !== 'boolean')
    return fail(id, 'it does not say whether it is suspended and archived');
  const attributes = pick(properties, fields);
  if (!isObject(attributes[CUSTOM_SCHEMAS])) delete attributes[CUSTOM_SCHEMAS];
  return { item: { id, active: !suspended && !archived, attributes } };
}

export function toGroup(value: Json, fields: readonly string[]): Converted<SourceGroup> {
  const known = toKnown(value, 'group');
  if ('failed' in known) return known;
  const { id, properties } = known;
  const { name } = properties;
  if (typeof name !== 'string' || name.trim() === '') return fail(id, 'it has no name');
  return { item: { id, displayName: name, attributes: pick(properties, fields) } };
}

/** Null: somebody outside of the account, who is nobody here. */
export function toMember(value: Json): Converted<GroupMember | null> {
  const type = isObject(value) ? value['type'] : undefined;
  // The member that stands for the whole account.
  if (type === 'CUSTOMER') return { item: { kind: 'Everyone' } };
  if (type === 'EXTERNAL') return { item: null };
  const known = toKnown(value, 'member');
  if ('failed' in known) return known;
  switch (type) {
    case 'USER':
      return { item: { kind: 'User', ref: known.id } };
    case 'GROUP':
      return { item: { kind: 'Group', ref: known.id } };
    default:
      return fail(known.id, 'a member of it is of none of the types USER, GROUP, CUSTOMER and EXTERNAL');
  }
}

interface Known {
  readonly id: string;
  readonly properties: Readonly<Record<string, Json>>;
}

function toKnown(value: Json, kind: 'user' | 'group' | 'member'): Known | { readonly failed: FailedRecord } {
  if (!isObject(value)) return fail(null, `a ${kind} of the list is no object`);
  const { id } = value;
  if (typeof id !== 'string' || id === '') return fail(null, `a ${kind} of the list has no id`);
  return { id, properties: value };
}

function pick(properties: Readonly<Record<string, Json>>, names: readonly string[]): Record<string, Json> {
  return Object.fromEntries(names.map((name) => [name, properties[name] ?? null]));
}
