/** Users and groups of Microsoft Graph → source users and groups. */

import type { GroupMember, Json, SourceGroup, SourceUser } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type Converted, fail } from '../converted.ts';
import type { FailedRecord } from '../source.ts';
import { ROLES, type UserSelection } from './properties.ts';

/** Roles of one person by id; null: they were not asked for. */
export type RolesOf = ((userId: string) => Json) | null;

/** What was never set Graph leaves out: it is null. */
export function toUser(value: Json, selection: UserSelection, rolesOf: RolesOf): Converted<SourceUser> {
  const known = toKnown(value, 'user');
  if ('failed' in known) return known;
  const { id, fields } = known;
  const active = fields['accountEnabled'];
  if (typeof active !== 'boolean') return fail(id, 'it does not say whether it is enabled (accountEnabled)');
  const attributes: Record<string, Json> = pick(fields, selection.select);
  if (selection.manager) attributes['manager'] = toManager(fields['manager'] ?? null);
  if (rolesOf !== null) attributes[ROLES] = rolesOf(id);
  return { item: { id, active, attributes } };
}

function toManager(value: Json): Json {
  if (!isObject(value) || typeof value['id'] !== 'string') return null;
  return { id: value['id'], mail: value['mail'] ?? null };
}

export interface GraphGroup {
  readonly group: SourceGroup;
  /** Members are shown only to whoever may read hidden ones. */
  readonly hidden: boolean;
}

export function toGroup(value: Json, select: readonly string[]): Converted<GraphGroup> {
  const known = toKnown(value, 'group');
  if ('failed' in known) return known;
  const { id, fields } = known;
  const name = fields['displayName'];
  if (typeof name !== 'string' || name.trim() === '') return fail(id, 'it has no displayName');
  const hidden = fields['visibility'] === 'HiddenMembership';
  return { item: { group: { id, displayName: name, attributes: pick(fields, select) }, hidden } };
}

const KINDS: Readonly<Record<string, GroupMember['kind']>> = {
  '#microsoft.graph.user': 'User',
  '#microsoft.graph.group': 'Group',
};

/** Null: a device, a contact or an application, which are nobody here. */
export function toMember(value: Json): Converted<GroupMember | null> {
  const known = toKnown(value, 'member');
  if ('failed' in known) return known;
  const { id, fields } = known;
  const type = fields['@odata.type'];
  if (typeof type !== 'string') return { item: { kind: 'Any', ref: id } };
  const kind = KINDS[type];
  return { item: kind === 'User' || kind === 'Group' ? { kind, ref: id } : null };
}

interface Known {
  readonly id: string;
  readonly fields: Readonly<Record<string, Json>>;
}

function toKnown(value: Json, kind: 'user' | 'group' | 'member'): Known | { readonly failed: FailedRecord } {
  if (!isObject(value)) return fail(null, `a ${kind} of the list is no object`);
  const { id } = value;
  if (typeof id !== 'string' || id === '') return fail(null, `a ${kind} of the list has no id`);
  return { id, fields: value };
}

function pick(fields: Readonly<Record<string, Json>>, names: readonly string[]): Record<string, Json> {
  const picked: Record<string, Json> = {};
  for (const name of names) picked[name] = fields[name] ?? null;
  return picked;
}
