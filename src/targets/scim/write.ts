/** Writing users and teams. */

import { SyncError } from '../../errors.ts';
import type { AttributeChange, Attributes, Json } from '../../model.ts';
import { URN_PATCH_OP } from '../../scim/schema.ts';
import type { TargetObject, TargetTeam } from '../target.ts';
import { isSuccess, type JsonObject, readScimType, type ScimAnswer, toScimError } from './client.ts';
import { readVersion, type ScimResource, toDocument, toObject } from './convert.ts';
import { toSentMark } from './marks.ts';
import type { Deletion } from './observations.ts';
import { applyChanges, computePatch, hasChanges, needsCurrent, type PatchOperation } from './patch.ts';
import { assertRequired, assertValues, toBehaviour } from './profile-rules.ts';
import {
  type Connection,
  type FoundResource,
  readResource,
  toKind,
  toObjectPath,
  toTargetObject,
  toTypePath,
} from './read.ts';
import { markPrimaryMail, toForm, toWire } from './shape.ts';
import { noteFates } from './watch.ts';

/** How often a whole object is read and written again when somebody else changed it in between. */
const PUT_ATTEMPTS = 2;

/** Sends one POST and never a second one: who cannot know whether the first was carried out has to look (T3). */
export async function createResource(
  connection: Connection,
  kind: ScimResource,
  attributes: Attributes,
  signal: AbortSignal,
): Promise<TargetObject> {
  const { client, discovered, profile } = connection;
  const values = toSentValues(connection, kind, attributes);
  if (kind === 'User') assertRequired(profile, values);
  assertValues(profile, values);
  const body = markPrimaryMail(toDocument(kind, values, discovered.places[kind]), profile);
  const answer = await client.request({ method: 'POST', path: toTypePath(kind), body }, signal);
  const resource = {
    ...readLocation(answer),
    ...(answer.body ?? {}),
  };
  const object = toTargetObject(connection, kind, { resource, headers: answer.headers }, Object.keys(attributes));
  if (object.id !== '') {
    await noteFates(connection, { kind, id: object.id, sent: values, answer }, signal);
    return object;
  }
  throw new SyncError('TargetUnavailable', `${client.origin} does not say the id of what it created`, {
    scope: 'record',
    outcomeUnknown: true,
  });
}

/** The mark of a team in the letters that the application takes; roles as SCIM has them. */
function toSentValues({ profile }: Connection, kind: ScimResource, values: Attributes): Attributes {
  const { externalId, roles } = values;
  if (kind === 'User') return roles === undefined ? values : { ...values, roles: withoutRoleIds(roles) };
  if (typeof externalId !== 'string') return values;
  return { ...values, externalId: toSentMark(externalId, profile.forbiddenCharacters) };
}

/** An app role has an id, for which SCIM has no place: only the form of Entra's client before the flag tells it. */
function withoutRoleIds(roles: Json): Json {
  if (!Array.isArray(roles)) return roles;
  return roles.map((role: Json) => {
    const { id: _id, ...rest } = toObject(role) ?? {};
    return toObject(role) === null ? role : rest;
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
  target: Written,
  changes: readonly AttributeChange[],
  signal: AbortSignal,
): Promise<void> {
  if (!hasChanges(changes)) return;
  const sent = changes.map((change) => toSentChange(connection, target, change));
  assertChanges(connection, target, sent);
  const answer = await sendChanges(connection, target, sent, signal);
  if (answer === null) return;
  const written = changes.filter(isWatched);
  const values = Object.fromEntries(written.map(({ path, after }) => [path, after ?? null]));
  await noteFates(connection, { ...target, sent: values, answer }, signal);
}

/** Not a list that is added to, which has entries of others, nor a photo, of which nothing may be remembered. */
function isWatched({ after, adds, photo }: AttributeChange): boolean {
  return after !== undefined && after !== null && adds !== true && photo !== true;
}

/** What the application is known to refuse is not sent (T10). */
function assertChanges({ profile }: Connection, { kind }: Written, changes: readonly AttributeChange[]): void {
  const fixed = changes.find(({ path }) => toBehaviour(profile, toKind(kind), path).writes !== 'always');
  // Switching off is what `active` of every application is for.
  if (fixed !== undefined && fixed.path !== 'active')
    throw new SyncError('RecordInvalid', `${fixed.path} cannot be changed in the target once the account is made`);
  assertValues(profile, Object.fromEntries(changes.map(({ path, after }) => [path, after ?? null])));
}

function toSentChange(connection: Connection, { kind }: Written, change: AttributeChange): AttributeChange {
  const { profile } = connection;
  if (kind === 'User' && change.path === 'roles' && change.after !== undefined && profile.addedRoles === 'objects')
    return { ...change, after: withoutRoleIds(change.after) };
  if (kind === 'User' || change.path !== 'externalId' || typeof change.after !== 'string') return change;
  const { externalId } = toSentValues(connection, kind, { externalId: change.after });
  return { ...change, after: externalId ?? change.after };
}

/** The answer of success; null when there was nothing to send after all. */
async function sendChanges(
  connection: Connection,
  target: Written,
  changes: readonly AttributeChange[],
  signal: AbortSignal,
): Promise<ScimAnswer | null> {
  const placeOf = connection.discovered.places[target.kind];
  const replace = () =>
    replaceResource(connection, target, (current) => applyChanges(current, changes, placeOf), signal);
  if (!canPatch(connection)) return await replace();
  const form = toForm(connection.profile);
  const current = needsCurrent(changes, placeOf, form) ? await requireResource(connection, target, signal) : null;
  const operations = computePatch(changes, placeOf, { current: current?.resource ?? null, form });
  const answer = await patch(connection, target, { operations, current }, signal);
  if (answer === null || isSuccess(answer)) return answer;
  if (notePatchRefused(connection, answer)) return await replace();
  if (current !== null || !missesPlace(answer, operations)) throw toScimError(answer, connection.client.origin);
  // What was there when it was last seen has gone since: look, and send what is still to be done.
  const seen = await requireResource(connection, target, signal);
  const again = { operations: computePatch(changes, placeOf, { current: seen.resource, form }), current: seen };
  return await patchAgain(connection, target, { ...again, refused: answer, before: operations }, signal);
}

export interface Written {
  readonly kind: ScimResource;
  readonly id: string;
}

export function canPatch({ discovered, seen }: Connection): boolean {
  return discovered.patch && !seen.patchRefused;
}

/** A service that announces PATCH and does not have it; from then on objects are written whole, where that is taken. */
export function notePatchRefused({ seen, profile }: Connection, { status }: ScimAnswer): boolean {
  if ((status !== 405 && status !== 501) || !profile.put) return false;
  seen.patchRefused = true;
  return true;
}

/** The other operations, now that the object was looked at; the first refusal stands where they are the same. */
export async function patchAgain(
  connection: Connection,
  target: Written,
  what: PatchRequest & { refused: ScimAnswer; before: readonly PatchOperation[] },
  signal: AbortSignal,
): Promise<ScimAnswer | null> {
  const { origin } = connection.client;
  if (JSON.stringify(what.operations) === JSON.stringify(what.before)) throw toScimError(what.refused, origin);
  const answer = await patch(connection, target, what, signal);
  if (answer !== null && !isSuccess(answer)) throw toScimError(answer, origin);
  return answer;
}

/** Was the request refused because a path of it means nothing that is there? Not every service says `noTarget`. */
export function missesPlace(answer: ScimAnswer, operations: readonly PatchOperation[]): boolean {
  return operations.some((each) => each.op === 'remove' || each.path.includes('[')) && saysMissing(answer);
}

/** A refusal that may speak of a path; some services give no type. */
export function saysMissing(answer: ScimAnswer): boolean {
  const type = readScimType(answer).toLowerCase();
  return answer.status === 400 && ['notarget', 'invalidpath', 'invalidfilter', ''].includes(type);
}

export async function requireResource(
  connection: Connection,
  { kind, id }: Written,
  signal: AbortSignal,
): Promise<FoundResource> {
  const found = await readResource(connection, kind, id, signal);
  if (found !== null) return found;
  throw new SyncError('NotFound', 'the target does not have it any more (404)');
}

export interface PatchRequest {
  readonly operations: readonly PatchOperation[];
  /** The object as it was read for this, so that nobody else's change since is overwritten. */
  readonly current: FoundResource | null;
  readonly repeatable?: boolean;
}

/** The answer, whatever it is; null when there was nothing to send. */
export async function patch(
  connection: Connection,
  { kind, id }: Written,
  what: PatchRequest,
  signal: AbortSignal,
): Promise<ScimAnswer | null> {
  const { operations, current } = what;
  if (operations.length === 0) return null;
  const body = { schemas: [URN_PATCH_OP], Operations: toWire(operations, connection.profile) };
  // An entry added to a list twice may stand there twice, and what was removed cannot be removed again.
  const repeatable = what.repeatable ?? operations.every((each) => each.op === 'replace');
  const ifMatch = current === null ? null : toVersion(connection, current);
  const path = toObjectPath(connection, kind, id);
  return await connection.client.send({ method: 'PATCH', path, body, repeatable, ifMatch }, signal);
}

function toVersion({ discovered }: Connection, found: FoundResource): string | null {
  return discovered.etag ? readVersion(found.resource, found.headers) : null;
}

/**
 * Reads the object, changes it and writes it back whole, for services without PATCH: what is not managed is sent as it
 * was, because PUT clears what it does not name (RFC 7644 section 3.5.1).
 */
export async function replaceResource(
  connection: Connection,
  target: Written,
  change: (current: JsonObject) => JsonObject,
  signal: AbortSignal,
): Promise<ScimAnswer> {
  const { client } = connection;
  const path = toObjectPath(connection, target.kind, target.id);
  for (let attempt = 1; ; attempt += 1) {
    const current = await requireResource(connection, target, signal);
    const body = withoutReadOnly(change(current.resource));
    const ifMatch = toVersion(connection, current);
    const answer = await client.send({ method: 'PUT', path, body, ifMatch }, signal);
    if (isSuccess(answer)) return answer;
    if (answer.status !== 412 || attempt >= PUT_ATTEMPTS) throw toScimError(answer, client.origin);
  }
}

/** Services ignore what is read-only (RFC 7644 section 3.5.1), or should. */
function withoutReadOnly(resource: JsonObject): JsonObject {
  const readOnly = new Set(['meta', 'groups']);
  return Object.fromEntries(Object.entries(resource).filter(([key]) => !readOnly.has(key.toLowerCase())));
}

/**
 * What is gone already is deleted (T5). A refusal that speaks of DELETE is remembered at once; one that may be about this
 * object alone when it was said of several, and nobody was ever deleted.
 */
export async function deleteResource(
  connection: Connection,
  { kind, id }: Written,
  signal: AbortSignal,
): Promise<void> {
  const { client, seen } = connection;
  const path = toObjectPath(connection, kind, id);
  const answer = await client.send({ method: 'DELETE', path, mayBeForbidden: true }, signal);
  const note = (end: Deletion['end']): void => {
    if (kind === 'User') seen.noteDeletion({ end, id });
  };
  if (isSuccess(answer)) return note('done');
  if (answer.status === 404 && !answer.isHTML) return;
  if (answer.status === 405 || answer.status === 501) note('unsupported');
  if (answer.status === 403) {
    // Whether the credentials are good for anything a read tells, which throws where they are not (T7).
    await readResource(connection, kind, id, signal);
    note('forbidden');
  }
  throw toScimError(answer, client.origin);
}
