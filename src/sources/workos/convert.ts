/** Directory users and groups of WorkOS → source users and groups. */

import type { Json, SourceGroup, SourceUser } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type Converted, fail } from '../converted.ts';
import type { FailedRecord } from '../source.ts';

/**
 * Attributes that every user has, null where nothing is known. What else the API gives is deprecated (`emails`, `username`,
 * `job_title`, `raw_attributes`, `groups`): it is null or empty for newer accounts, and would hide the custom attribute.
 */
export const USER_ATTRIBUTES = [
  'id',
  'idp_id',
  'directory_id',
  'organization_id',
  'email',
  'first_name',
  'last_name',
  'name',
  'state',
  'role',
  'roles',
  'created_at',
  'updated_at',
] as const;
/** Its keys are those that somebody mapped in the dashboard. */
export const CUSTOM_ATTRIBUTES = 'custom_attributes';

export const GROUP_ATTRIBUTES = [
  'id',
  'idp_id',
  'directory_id',
  'organization_id',
  'name',
  'created_at',
  'updated_at',
] as const;

/** `suspended` of older directories; whoever is in another state is not known to be active or inactive. */
const ACTIVE: Readonly<Record<string, boolean>> = { active: true, inactive: false, suspended: false };

/** The record's id is `idp_id`: WorkOS's own is another one when the directory is linked anew. */
export function toUser(value: Json, directoryId: string): Converted<SourceUser> {
  const known = toKnown(value, directoryId, 'user');
  if ('failed' in known) return known;
  const { id, fields } = known;
  const state = String(fields['state']);
  const active = Object.hasOwn(ACTIVE, state) ? ACTIVE[state] : undefined;
  if (active === undefined) return fail(id, 'its state is none of active, inactive and suspended');
  const custom = fields[CUSTOM_ATTRIBUTES] ?? null;
  const attributes = { ...pick(fields, USER_ATTRIBUTES), ...(isObject(custom) ? { [CUSTOM_ATTRIBUTES]: custom } : {}) };
  return { item: { id, active, attributes } };
}

export interface WorkosGroup {
  readonly group: SourceGroup;
  /** WorkOS's own id, by which members are asked for. */
  readonly ownId: string;
}

export function toGroup(value: Json, directoryId: string): Converted<WorkosGroup> {
  const known = toKnown(value, directoryId, 'group');
  if ('failed' in known) return known;
  const { id, ownId, fields } = known;
  const { name } = fields;
  if (typeof name !== 'string' || name.trim() === '') return fail(id, 'it has no name');
  return { item: { ownId, group: { id, displayName: name, attributes: pick(fields, GROUP_ATTRIBUTES) } } };
}

interface Known {
  readonly id: string;
  readonly ownId: string;
  readonly fields: Readonly<Record<string, Json>>;
}

function toKnown(value: Json, directoryId: string, kind: 'user' | 'group'): Known | { readonly failed: FailedRecord } {
  if (!isObject(value)) return fail(null, `a ${kind} of the list is no object`);
  const { id: ownId, idp_id: id, directory_id: directory } = value;
  if (typeof ownId !== 'string' || ownId === '') return fail(null, `a ${kind} of the list has no id`);
  if (typeof id !== 'string' || id === '') return fail(null, `${ownId} has no idp_id`);
  // Who asks for one directory and gets people of another must not take them for its own.
  if (directory !== directoryId) return fail(null, `${ownId} is of another directory`);
  return { id, ownId, fields: value };
}

function pick(fields: Readonly<Record<string, Json>>, names: readonly string[]): Record<string, Json> {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? null]));
}
