/** Where a value can be written: target paths of entries and of CustomAttributes, checked against the schemas. */
import { SyncError } from '../errors.ts';
import type { ResourceKind } from '../model.ts';
import { parseScimPath, type ResolvedPath, resolveScimPath } from '../scim/path.ts';
import type { AttributeDefinition, SchemaSet } from '../scim/schema.ts';

export interface TargetPlace {
  /** Canonical path. */
  readonly path: string;
  readonly definition: AttributeDefinition;
  readonly multiValued: boolean;
  /** What the value is the id of; null: of nothing. */
  readonly reference: ResourceKind | null;
}

/** Attributes of every resource that the target alone decides about (RFC 7643 section 3.1). */
const OF_THE_TARGET: ReadonlySet<string> = new Set(['id', 'meta', 'schemas']);

/**
 * Throws SyncError `Invalid` that says why nothing can be written there, and what to write instead.
 * @param wholeLists a list of complex values (`roles`, `addresses`) may be given as a whole
 */
export function resolveTargetPath(
  target: string,
  schemas: SchemaSet,
  { wholeLists, resource = 'User' }: { readonly wholeLists: boolean; readonly resource?: ResourceKind },
): TargetPlace {
  const resolved = resolveScimPath(parseScimPath(target), schemas, resource === 'User' ? 'User' : 'Group');
  if (resource === 'Team' && resolved.path.urn === null && resolved.path.attribute === 'members')
    throw new SyncError('Invalid', `${JSON.stringify(target)} are those of the group, and have no entry`);
  checkWritable(target, resolved, wholeLists);
  const { definition, multiValued, parent, text } = resolved;
  return { path: text, definition, multiValued, reference: isUserReference(definition, parent) ? 'User' : null };
}

function checkWritable(target: string, resolved: ResolvedPath, wholeLists: boolean): void {
  const { definition, path, multiValued, parent } = resolved;
  const name = JSON.stringify(target);
  if (path.urn === null && OF_THE_TARGET.has(path.attribute)) {
    throw new SyncError('Invalid', `${name} belongs to the target and cannot be written`);
  }
  if (definition.mutability === 'readOnly')
    throw new SyncError('Invalid', `${name} is read-only and cannot be written`);
  if (definition.returned === 'never') {
    throw new SyncError('Invalid', `${name} is never shown by the target, so nobody could tell whether it is right`);
  }
  // Of a CustomAttribute nobody knows the parts.
  const isWhole = wholeLists && (multiValued || definition.subAttributes.length === 0);
  if (definition.type === 'Complex' && !isWhole)
    throw new SyncError('Invalid', `${name} is complex; ${toSuggestion(target, resolved)}`);
  if (multiValued && parent !== null) {
    const attribute = target.slice(0, target.lastIndexOf('.'));
    throw new SyncError(
      'Invalid',
      `${name} does not say which entry of the list; write ${attribute}[type eq "work"].${definition.name}`,
    );
  }
}

function toSuggestion(target: string, { definition, path }: ResolvedPath): string {
  const example = definition.subAttributes[0]?.name ?? 'value';
  const filter = definition.multiValued && path.filter === null ? '[type eq "work"]' : '';
  return `name one value of it, such as ${target}${filter}.${example}`;
}

/** `manager.value` and the like: beside it stands a `$ref` to a User (RFC 7643 section 2.3.7). */
function isUserReference(definition: AttributeDefinition, parent: AttributeDefinition | null): boolean {
  const beside = parent?.subAttributes ?? [];
  return (
    definition.name === 'value' && beside.some((sub) => sub.name === '$ref' && sub.referenceTypes.includes('User'))
  );
}
