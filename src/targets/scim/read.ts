/** Reading users and teams. */

import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import type { TargetObject, TargetPage, TargetTeam } from '../target.ts';
import { isSuccess, type JsonObject, requireBody, type ScimClient, toScimError } from './client.ts';
import {
  isSameValue,
  type Place,
  readField,
  readMembers,
  readPlace,
  readVersion,
  type ScimResource,
  toAttributes,
} from './convert.ts';
import type { Discovered } from './discovery.ts';
import { type ListRequest, listResources } from './paging.ts';

/** A service that was asked what it can do. */
export interface Connection {
  readonly client: ScimClient;
  readonly discovered: Discovered;
}

const TEAM_PATHS = ['displayName', 'externalId'] as const;
const FOUND_AT_MOST = 100;
const ENDPOINTS: Readonly<Record<ScimResource, string>> = { User: '/Users', Group: '/Groups' };
/** Lists of members can be larger than everything else together. */
const NO_MEMBERS = { excludedAttributes: 'members' };

export function toPath(resource: ScimResource, id?: string): string {
  return id === undefined ? ENDPOINTS[resource] : `${ENDPOINTS[resource]}/${encodeURIComponent(id)}`;
}

export function toTargetObject(
  { discovered }: Connection,
  kind: ScimResource,
  object: { resource: JsonObject; headers: Readonly<Record<string, string>> },
  paths: Iterable<string>,
): TargetObject {
  return {
    id: String(readField(object.resource, 'id') ?? ''),
    version: readVersion(object.resource, object.headers),
    attributes: toAttributes(object.resource, paths, discovered.places[kind]),
  };
}

export interface FoundResource {
  readonly resource: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}

/** Null when there is none with this id. Throws when another object comes (T2). */
export async function readResource(
  { client }: Connection,
  kind: ScimResource,
  id: string,
  signal: AbortSignal,
): Promise<FoundResource | null> {
  const answer = await client.send({ method: 'GET', path: toPath(kind, id) }, signal);
  if (answer.status === 404 && !answer.isHTML) return null;
  if (!isSuccess(answer)) throw toScimError(answer, client.origin);
  const resource = requireBody(answer, client.origin);
  if (readField(resource, 'id') !== id) {
    throw new SyncError('TargetUnavailable', `${client.origin} answers with another object than the one asked for`);
  }
  return { resource, headers: answer.headers };
}

export async function readUser(
  connection: Connection,
  id: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<TargetObject | null> {
  const found = await readResource(connection, 'User', id, signal);
  return found === null ? null : toTargetObject(connection, 'User', found, paths);
}

export async function readTeam(connection: Connection, id: string, signal: AbortSignal): Promise<TargetTeam | null> {
  const found = await readResource(connection, 'Group', id, signal);
  return found === null ? null : { ...toTeam(connection, found), members: readMembers(found.resource) ?? [] };
}

function toTeam(connection: Connection, found: FoundResource): TargetTeam {
  return { ...toTargetObject(connection, 'Group', found, TEAM_PATHS), members: null };
}

function toListRequest({ discovered }: Connection, kind: ScimResource, query: ListRequest['query']): ListRequest {
  return { path: toPath(kind), query, pageSize: discovered.pageSize, cursorOnly: discovered.cursorOnly };
}

export async function* listUsers(
  connection: Connection,
  paths: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<TargetPage<TargetObject>> {
  for await (const page of listResources(connection.client, toListRequest(connection, 'User', {}), signal)) {
    const objects = page.resources.map((each) =>
      toTargetObject(connection, 'User', { resource: each, headers: {} }, paths),
    );
    yield { objects, last: page.last, total: page.total };
  }
}

/**
 * With members. A group without the key `members` may be empty, or the service leaves members out of lists: until one
 * group of the list shows some, such a group is read by itself.
 */
export async function* listTeams(connection: Connection, signal: AbortSignal): AsyncGenerator<TargetPage<TargetTeam>> {
  let listsMembers = false;
  for await (const page of listResources(connection.client, toListRequest(connection, 'Group', {}), signal)) {
    listsMembers ||= page.resources.some((each) => (readMembers(each)?.length ?? 0) > 0);
    const objects: TargetTeam[] = [];
    for (const resource of page.resources) {
      const team = toTeam(connection, { resource, headers: {} });
      const members = readMembers(resource) ?? (listsMembers ? [] : await readTeamMembers(connection, team.id, signal));
      if (members !== null) objects.push({ ...team, members });
    }
    yield { objects, last: page.last, total: page.total };
  }
}

/** Null when the team was deleted since the list was made. */
async function readTeamMembers(
  connection: Connection,
  id: string,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  return (await readTeam(connection, id, signal))?.members ?? null;
}

/**
 * Users whose value equals the one asked for. The answer is not believed: services ignore filters, or compare otherwise
 * (T2). A service without filters is read whole.
 */
export async function findUsers(
  connection: Connection,
  query: { path: string; value: Json },
  paths: readonly string[],
  signal: AbortSignal,
): Promise<readonly TargetObject[]> {
  const found = await findResources(connection, 'User', query, signal);
  return found.map((resource) => toTargetObject(connection, 'User', { resource, headers: {} }, paths));
}

export async function findTeams(
  connection: Connection,
  query: { path: string; value: string },
  signal: AbortSignal,
): Promise<readonly TargetTeam[]> {
  const found = await findResources(connection, 'Group', query, signal);
  return found.map((resource) => toTeam(connection, { resource, headers: {} }));
}

async function findResources(
  connection: Connection,
  kind: ScimResource,
  query: { path: string; value: Json },
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const { client, discovered } = connection;
  const place = discovered.places[kind](query.path);
  const filter: Record<string, string> = discovered.filter ? { filter: toFilter(place, query.value) } : {};
  const list = toListRequest(connection, kind, { ...filter, ...(kind === 'Group' ? NO_MEMBERS : {}) });
  const found: JsonObject[] = [];
  try {
    for await (const page of listResources(client, list, signal)) {
      found.push(...page.resources.filter((each) => hasValue(each, place, query.value)));
      if (found.length >= FOUND_AT_MOST) break;
    }
  } catch (thrown) {
    throw toSearchError(thrown, query.path);
  }
  return found.slice(0, FOUND_AT_MOST);
}

function toSearchError(thrown: unknown, path: string): SyncError {
  const error = SyncError.from(thrown);
  if (error.code !== 'TargetRejected') return error;
  const message = `the target does not take a search by ${path} with this value: ${error.message}`;
  return new SyncError('RecordInvalid', message, { cause: error });
}

/**
 * One `attribute eq value`, the part of the filter language that every service has. The entry that a path with a filter
 * means is told apart afterwards: `emails[type eq "work"].value` is looked for as `emails.value`.
 */
function toFilter({ path }: Place, value: Json): string {
  const urn = path.urn === null ? '' : `${path.urn}:`;
  const sub = path.sub === null ? '' : `.${path.sub}`;
  return `${urn}${path.attribute}${sub} eq ${JSON.stringify(value)}`;
}

/** Compares as the attribute does; what no schema has compares without case, as is the default (RFC 7643 section 2.2). */
function hasValue(resource: JsonObject, place: Place, value: Json): boolean {
  const actual = readPlace(resource, place);
  const caseExact = place.definition?.caseExact ?? false;
  if (Array.isArray(actual) && !Array.isArray(value)) {
    return actual.some((each: Json) => isSameValue(each, value, caseExact));
  }
  return isSameValue(actual, value, caseExact);
}
