/** Writing users and teams. */

import { SyncError } from '../../errors.ts';
import type { AttributeChange, Attributes } from '../../model.ts';
import { URN_PATCH_OP } from '../../scim/schema.ts';
import type { TargetObject, TargetTeam } from '../target.ts';
import { isSuccess, type JsonObject, readScimType, requireBody, type ScimAnswer, toScimError } from './client.ts';
import { readField, readMembers, readVersion, type ScimResource, toDocument } from './convert.ts';
import { applyChanges, computePatch, hasChanges, needsCurrent, type PatchOperation } from './patch.ts';
import { type Connection, type FoundResource, readResource, toPath, toTargetObject } from './read.ts';

/** How often a whole object is read and written again when somebody else changed it in between. */
const PUT_ATTEMPTS = 2;

/** Sends one POST and never a second one: who cannot know whether the first was carried out has to look (T3). */
export async function createResource(
  connection: Connection,
  kind: ScimResource,
  attributes: Attributes,
  signal: AbortSignal,
): Promise<TargetObject> {
  const { client, discovered } = connection;
  const body = toDocument(kind, attributes, discovered.places[kind]);
  const answer = await client.request({ method: 'POST', path: toPath(kind), body }, signal);
  const resource = {
    ...readLocation(answer),
    ...(answer.body ?? (answer.isHTML ? requireBody(answer, client.origin) : {})),
  };
  const object = toTargetObject(connection, kind, { resource, headers: answer.headers }, Object.keys(attributes));
  if (object.id !== '') return object;
  throw new SyncError('TargetUnavailable', `${client.origin} does not say the id of what it created`, {
    scope: 'record',
    outcomeUnknown: true,
  });
}

/** A service that answers without a body still says where the object is (RFC 7644 section 3.3). */
function readLocation({ headers }: ScimAnswer): JsonObject {
  const id = headers['location']?.split(/[?#]/)[0]?.split('/').at(-1);
  return id === undefined || id === '' ? {} : { id: decodeURIComponent(id) };
}

export async function createTeam(
  connection: Connection,
  attributes: Attributes,
  signal: AbortSignal,
): Promise<TargetTeam> {
  return { ...(await createResource(connection, 'Group', attributes, signal)), members: [] };
}

/** Sends the changes and nothing else; without one it sends nothing (T4). */
export async function updateResource(
  connection: Connection,
  target: { kind: ScimResource; id: string },
  changes: readonly AttributeChange[],
  signal: AbortSignal,
): Promise<void> {
  const placeOf = connection.discovered.places[target.kind];
  if (!hasChanges(changes)) return;
  if (!connection.discovered.patch) {
    const change = (current: JsonObject) => applyChanges(current, changes, placeOf);
    return await replaceResource(connection, target, change, signal);
  }
  const current = needsCurrent(changes, placeOf) ? await requireResource(connection, target, signal) : null;
  const operations = computePatch(changes, placeOf, current?.resource ?? null);
  const answer = await patch(connection, target, { operations, current }, signal);
  if (answer === null || isSuccess(answer)) return;
  if (current !== null || !missesPlace(answer, operations)) throw toScimError(answer, connection.client.origin);
  // What was there when it was last seen has gone since: look, and send what is still to be done.
  const seen = await requireResource(connection, target, signal);
  const again = { operations: computePatch(changes, placeOf, seen.resource), current: seen };
  await patchAgain(connection, target, { ...again, refused: answer, before: operations }, signal);
}

/** The other operations, now that the object was looked at; the first refusal stands where they are the same. */
async function patchAgain(
  connection: Connection,
  target: { kind: ScimResource; id: string },
  what: PatchRequest & { refused: ScimAnswer; before: readonly PatchOperation[] },
  signal: AbortSignal,
): Promise<void> {
  const { origin } = connection.client;
  if (JSON.stringify(what.operations) === JSON.stringify(what.before)) throw toScimError(what.refused, origin);
  const answer = await patch(connection, target, what, signal);
  if (answer !== null && !isSuccess(answer)) throw toScimError(answer, origin);
}

/** Was the request refused because a path of it means nothing that is there? Not every service says `noTarget`. */
function missesPlace(answer: ScimAnswer, operations: readonly PatchOperation[]): boolean {
  const type = readScimType(answer).toLowerCase();
  const mayMiss = operations.some((each) => each.op === 'remove' || each.path.includes('['));
  return mayMiss && answer.status === 400 && ['notarget', 'invalidpath', 'invalidfilter', ''].includes(type);
}

async function requireResource(
  connection: Connection,
  { kind, id }: { kind: ScimResource; id: string },
  signal: AbortSignal,
): Promise<FoundResource> {
  const found = await readResource(connection, kind, id, signal);
  if (found !== null) return found;
  throw new SyncError('NotFound', 'the target does not have it any more (404)');
}

interface PatchRequest {
  readonly operations: readonly PatchOperation[];
  /** The object as it was read for this, so that nobody else's change since is overwritten. */
  readonly current: FoundResource | null;
  readonly repeatable?: boolean;
}

/** The answer, whatever it is; null when there was nothing to send. */
async function patch(
  connection: Connection,
  { kind, id }: { kind: ScimResource; id: string },
  what: PatchRequest,
  signal: AbortSignal,
): Promise<ScimAnswer | null> {
  const { operations, current } = what;
  if (operations.length === 0) return null;
  const body = { schemas: [URN_PATCH_OP], Operations: operations.map((each) => ({ ...each })) };
  // An entry added to a list twice may stand there twice, and what was removed cannot be removed again.
  const repeatable = what.repeatable ?? operations.every((each) => each.op === 'replace');
  const ifMatch = current === null ? null : toVersion(connection, current);
  return await connection.client.send({ method: 'PATCH', path: toPath(kind, id), body, repeatable, ifMatch }, signal);
}

function toVersion({ discovered }: Connection, found: FoundResource): string | null {
  return discovered.etag ? readVersion(found.resource, found.headers) : null;
}

/**
 * Reads the object, changes it and writes it back whole, for services without PATCH: what is not managed is sent as it
 * was, because PUT clears what it does not name (RFC 7644 section 3.5.1).
 */
async function replaceResource(
  connection: Connection,
  target: { kind: ScimResource; id: string },
  change: (current: JsonObject) => JsonObject,
  signal: AbortSignal,
): Promise<void> {
  const { client } = connection;
  for (let attempt = 1; ; attempt += 1) {
    const current = await requireResource(connection, target, signal);
    const body = withoutReadOnly(change(current.resource));
    const ifMatch = toVersion(connection, current);
    const answer = await client.send({ method: 'PUT', path: toPath(target.kind, target.id), body, ifMatch }, signal);
    if (isSuccess(answer)) return;
    if (answer.status !== 412 || attempt >= PUT_ATTEMPTS) throw toScimError(answer, client.origin);
  }
}

/** Services ignore what is read-only (RFC 7644 section 3.5.1), or should. */
function withoutReadOnly(resource: JsonObject): JsonObject {
  const readOnly = new Set(['meta', 'groups']);
  return Object.fromEntries(Object.entries(resource).filter(([key]) => !readOnly.has(key.toLowerCase())));
}

/** What is gone already is deleted (T5). */
export async function deleteResource(
  { client }: Connection,
  { kind, id }: { kind: ScimResource; id: string },
  signal: AbortSignal,
): Promise<void> {
  const answer = await client.send({ method: 'DELETE', path: toPath(kind, id) }, signal);
  if (isSuccess(answer) || (answer.status === 404 && !answer.isHTML)) return;
  throw toScimError(answer, client.origin);
}

interface MemberChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/**
 * One PATCH: the new members in one operation, each removal in one of its own that names the member (T6), for `remove`
 * with a value in place of a filter empties the group on services that take the RFC by the letter.
 */
export async function changeMembers(
  connection: Connection,
  id: string,
  change: MemberChange,
  signal: AbortSignal,
): Promise<void> {
  const target = { kind: 'Group', id } as const;
  if (change.add.length === 0 && change.remove.length === 0) return;
  if (!connection.discovered.patch) {
    return await replaceResource(connection, target, (current) => withMembers(current, change), signal);
  }
  const first = toMemberPatch(change);
  const answer = await patch(connection, target, first, signal);
  if (answer === null || isSuccess(answer)) return;
  if (!missesPlace(answer, first.operations)) throw toScimError(answer, connection.client.origin);
  // Strict services refuse to remove who is no member (any more): leave those out.
  const members = new Set(readMembers((await requireResource(connection, target, signal)).resource) ?? []);
  const left = {
    add: change.add.filter((each) => !members.has(each)),
    remove: change.remove.filter((each) => members.has(each)),
  };
  const again = toMemberPatch(left);
  await patchAgain(connection, target, { ...again, refused: answer, before: first.operations }, signal);
}

/** Repeatable: who is a member stays one, and who is none is left out the second time. */
function toMemberPatch({ add, remove }: MemberChange): PatchRequest {
  const operations: PatchOperation[] = remove.map((value) => ({
    op: 'remove',
    path: `members[value eq ${JSON.stringify(value)}]`,
  }));
  if (add.length > 0) operations.push({ op: 'add', path: 'members', value: add.map((value) => ({ value })) });
  return { operations, current: null, repeatable: true };
}

function withMembers(current: JsonObject, { add, remove }: MemberChange): JsonObject {
  const gone = new Set(remove);
  const members = readField(current, 'members');
  const kept = (readMembers(current) ?? []).filter((each) => !gone.has(each));
  const value = [...new Set([...kept, ...add])].map((each) => ({ value: each }));
  // A service that does not show its members would lose those that nobody can name here.
  if (members === undefined && remove.length > 0) {
    throw new SyncError('TargetRejected', 'the target does not show the members of its groups, so none can be removed');
  }
  const others = Object.entries(current).filter(([key]) => key.toLowerCase() !== 'members');
  return { ...Object.fromEntries(others), members: value };
}
