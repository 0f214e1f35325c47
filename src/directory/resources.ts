/** The operations on users and groups (RFC 7644 sections 3.3 to 3.6), apart from HTTP. */

import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../model.ts';
import { CORE_URNS, ENDPOINTS } from './catalog.ts';
import { type FilterNode, isMatch } from './filter.ts';
import type { JsonObject, MutableObject } from './json.ts';
import { applyPatch, type MemberChange, parsePatchRequest } from './patch.ts';
import type { Projection } from './projection.ts';
import { Refusal } from './refusal.ts';
import type { DirectoryStore, StoredResource } from './store.ts';
import { assertImmutableKept, toStoredForm, toValidResource, type ValidationContext } from './validate.ts';

export interface ResourceContext extends ValidationContext {
  readonly store: DirectoryStore;
  /** URL of the service, without a slash at its end: locations begin with it. */
  readonly baseUrl: string;
  /** An id that no resource has, in lower case. */
  makeId(): string;
}

/** A conditional request's header, null when absent. */
export type Condition = string | null;

/** The resource of this id. Refuses with 404. */
export function readResource(id: string, context: ResourceContext): StoredResource {
  const found = context.store.find(context.type, id);
  if (found === undefined) throw new Refusal(404, `there is no ${context.type} ${JSON.stringify(id)}`);
  return found;
}

/** Refuses with 400 or 409. */
export function createResource(input: Json, now: Date, context: ResourceContext): StoredResource {
  const { body, memberIds } = toValidResource(input, context);
  const { store, type } = context;
  if (memberIds.length === 0) return store.insert(type, context.makeId(), body, now.toISOString());
  return store.transaction(() => {
    const made = store.insert(type, context.makeId(), body, now.toISOString());
    store.addMembers(made, memberIds);
    return made;
  });
}

export interface Change {
  readonly id: string;
  readonly input: Json;
  readonly ifMatch: Condition;
  readonly now: Date;
}

/** PUT: what the body does not name is cleared. No difference, no new version. */
export function replaceResource(change: Change, context: ResourceContext): StoredResource {
  const { store } = context;
  return store.transaction(() => {
    const current = readResource(change.id, context);
    assertVersion(current, change.ifMatch);
    const { body, memberIds } = toValidResource(change.input, context);
    const members = context.type === 'Group' ? store.replaceMembers(current, memberIds) : [];
    return writeChange(current, body, members.length, { change, context });
  });
}

/** PATCH: all operations or none. No difference, no new version. */
export function patchResource(change: Change, context: ResourceContext): StoredResource {
  const { store } = context;
  const operations = parsePatchRequest(change.input, context.lenient);
  return store.transaction(() => {
    const current = readResource(change.id, context);
    assertVersion(current, change.ifMatch);
    const patched = applyPatch(JSON.parse(current.body), operations, context);
    const { body } = toStoredForm(patched.body, context);
    // Who is removed and added again by one request is a member as before.
    const changed = new Set<number>();
    for (const each of patched.memberChanges)
      for (const seq of applyMemberChange(current, each, store)) if (!changed.delete(seq)) changed.add(seq);
    return writeChange(current, body, changed.size, { change, context });
  });
}

function writeChange(
  current: StoredResource,
  body: MutableObject,
  changedMembers: number,
  { change, context }: { readonly change: Change; readonly context: ResourceContext },
): StoredResource {
  const before = JSON.parse(current.body);
  if (changedMembers === 0 && isDeepStrictEqual(before, body)) return current;
  assertImmutableKept(before, body, context);
  return context.store.update(current, body, change.now.toISOString());
}

function applyMemberChange(group: StoredResource, change: MemberChange, store: DirectoryStore): readonly number[] {
  switch (change.op) {
    case 'add':
      return store.addMembers(group, change.ids);
    case 'replace':
      return store.replaceMembers(group, change.ids);
    case 'clear':
      return store.clearMembers(group);
    case 'remove':
      return store.removeMembers(group, findMembers(group, change.filter, store));
  }
}

/** Ids named by the filter itself are not searched for among the members, who may be many. */
function findMembers(group: StoredResource, filter: FilterNode, store: DirectoryStore): string[] {
  const named = toNamedIds(filter);
  if (named !== null) return named;
  const members = store.membersOf(group);
  return members.filter(({ id, type }) => isMatch(filter, { value: id, type })).map(({ id }) => id);
}

function toNamedIds(filter: FilterNode): string[] | null {
  if (filter.op === 'eq') {
    return filter.place.text === 'value' && typeof filter.value === 'string' ? [filter.value] : null;
  }
  if (filter.op !== 'or') return null;
  const parts = filter.nodes.map(toNamedIds);
  return parts.includes(null) ? null : parts.flatMap((each) => each ?? []);
}

/** DELETE. Refuses with 404 what is not there any more. */
export function deleteResource(change: Omit<Change, 'input'>, context: ResourceContext): void {
  const current = readResource(change.id, context);
  assertVersion(current, change.ifMatch);
  context.store.delete(current, change.now.toISOString());
}

/** The entity tag (RFC 7644 section 3.14). */
export function toEntityTag(resource: StoredResource): string {
  return `W/"${resource.version}"`;
}

/** Whether a list of tags, or `*`, names this version: the weak comparison of RFC 9110 section 8.8.3.2. */
export function isTagListed(resource: StoredResource, tags: string): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return tags.split(',').some((each) => each.trim() === '*' || opaque(each) === opaque(toEntityTag(resource)));
}

function assertVersion(resource: StoredResource, ifMatch: Condition): void {
  if (ifMatch === null || isTagListed(resource, ifMatch)) return;
  throw new Refusal(412, `the ${resource.type} has changed: its version is ${toEntityTag(resource)}`);
}

export function toLocation(resource: StoredResource, baseUrl: string): string {
  return `${baseUrl}${ENDPOINTS[resource.type]}/${resource.id}`;
}

/** The resource as it is answered. Members and groups are read only when the projection can hold them. */
export function toRepresentation(
  resource: StoredResource,
  projection: Projection,
  context: ResourceContext,
): JsonObject {
  return projection.apply(toWhole(resource, (name) => projection.holds(name), context));
}

/** The resource with the links that `holds` names. */
export function toWhole(
  resource: StoredResource,
  holds: (name: string) => boolean,
  context: ResourceContext,
): JsonObject {
  const { type } = resource;
  const body: JsonObject = JSON.parse(resource.body);
  const linksName = type === 'User' ? 'groups' : 'members';
  const links = holds(linksName) ? readLinks(resource, context) : [];
  const extensions = Object.keys(body).filter((key) => /^urn:/i.test(key));
  return {
    schemas: [CORE_URNS[type], ...extensions],
    id: resource.id,
    ...body,
    ...(links.length > 0 ? { [linksName]: links } : {}),
    meta: {
      resourceType: type,
      created: resource.created,
      lastModified: resource.modified,
      location: toLocation(resource, context.baseUrl),
      version: toEntityTag(resource),
    },
  };
}

function readLinks(resource: StoredResource, { store, baseUrl }: ResourceContext): JsonObject[] {
  if (resource.type === 'Group') {
    return store
      .membersOf(resource)
      .map(({ id, type }) => ({ value: id, $ref: `${baseUrl}${ENDPOINTS[type]}/${id}`, type }));
  }
  return store
    .groupsOf(resource)
    .map(({ id, display }) => ({ value: id, $ref: `${baseUrl}${ENDPOINTS.Group}/${id}`, display, type: 'direct' }));
}
