/** The same operations in the words of a dialect. Pure. */
import type { Json } from '../../model.ts';
import type { ScimDocument } from '../../scim/path.ts';
import { toObject } from './convert.ts';
import type { PatchForm, PatchOperation } from './patch.ts';
import type { Profile } from './profiles.ts';

export function toForm({ patch, newEntries }: Profile): PatchForm {
  if (patch === 'noPathFilter') return 'whole';
  return newEntries === 'throughFilter' ? 'entry' : 'list';
}

/** One without a path is about all that its value names. */
type WireOperation = Pick<PatchOperation, 'op' | 'value'> & Partial<Pick<PatchOperation, 'path'>>;

/** Operations as they stand in the request. */
export function toWire(operations: readonly PatchOperation[], profile: Profile): Json[] {
  const shaped: readonly WireOperation[] = profile.operations === 'merged' ? merge(operations) : operations;
  return shaped.map((each): Json => {
    const op = profile.opCase === 'lower' ? each.op : `${each.op.charAt(0).toUpperCase()}${each.op.slice(1)}`;
    const { path } = each;
    const value = toWireValue(each, profile);
    return { op, ...(path === undefined ? {} : { path }), ...(value === undefined ? {} : { value }) };
  });
}

function toWireValue({ op, path, value }: WireOperation, profile: Profile): Json | undefined {
  if (path === 'emails') return markPrimary(value, profile);
  if (path === 'roles' && op === 'add' && profile.addedRoles === 'json') return toRoleTexts(value);
  if (typeof value === 'boolean' && profile.booleans === 'text') return value ? 'True' : 'False';
  const isReference = profile.references === 'list' && Object.keys(toObject(value) ?? {}).join() === 'value';
  return isReference && value !== undefined ? [value] : value;
}

/** As Entra's client writes what AppRoleAssignmentsComplex gives. */
function toRoleTexts(value: Json | undefined): Json | undefined {
  if (!Array.isArray(value)) return value;
  return value.map((role: Json) => {
    const { id = null, value: name = null, display = name } = toObject(role) ?? {};
    return { value: JSON.stringify({ id, value: name, displayName: display }) };
  });
}

/** A path without filter that is set becomes a key of one value; the rest stays as it is, in its order. */
function merge(operations: readonly PatchOperation[]): readonly WireOperation[] {
  const isPlain = ({ op, path, value }: PatchOperation): boolean =>
    op !== 'remove' && !path.includes('[') && path !== 'members' && !(op === 'add' && Array.isArray(value));
  const plain = operations.filter(isPlain);
  const rest = operations.filter((each) => !isPlain(each));
  if (plain.length === 0) return rest;
  return [{ op: 'replace', value: Object.fromEntries(plain.map(({ path, value }) => [path, value ?? null])) }, ...rest];
}

/** Where a list has one entry, the one mail address is the primary one. */
export function markPrimaryMail(document: ScimDocument, profile: Profile): ScimDocument {
  const emails = markPrimary(document['emails'], profile);
  return emails === undefined ? document : { ...document, emails };
}

function markPrimary(value: Json | undefined, { multiValued }: Profile): Json | undefined {
  if (multiValued === 'many' || !Array.isArray(value) || value.length !== 1) return value;
  const entry = toObject(value[0]);
  return entry === null ? value : [{ ...entry, primary: true }];
}
