/** Reading users and teams. */

import { SyncError } from '../../errors.ts';
import type { Attributes, Json, ResourceKind } from '../../model.ts';
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
import { isSameId, noteId, toKnownId, toSentId } from './ids.ts';
import { fromSentMark, toSentMark } from './marks.ts';
import type { Observations } from './observations.ts';
import { type ListRequest, listResources } from './paging.ts';
import { toBehaviour, toFilterName } from './profile-rules.ts';
import type { Profile } from './profiles.ts';

/** A service that was asked what it can do, and is watched. */
export interface Connection {
  readonly client: ScimClient;
  readonly profile: Profile;
  readonly discovered: Discovered;
  readonly seen: Observations;
  /** What is read of every team beside its members. */
  readonly teamPaths: readonly string[];
}

export const TEAM_PATHS: readonly string[] = ['displayName', 'externalId', 'description'];
const FOUND_AT_MOST = 100;
const ENDPOINTS: Readonly<Record<ScimResource, string>> = { User: '/Users', Group: '/Groups' };
/** Lists of members can be larger than everything else together. */
const NO_MEMBERS = { excludedAttributes: 'members' };

export function toTypePath(resource: ScimResource): string {
  return ENDPOINTS[resource];
}

export function toObjectPath({ seen }: Connection, resource: ScimResource, id: string): string {
  return `${ENDPOINTS[resource]}/${encodeURIComponent(toSentId(id, seen))}`;
}

export function toTargetObject(
  connection: Connection,
  kind: ScimResource,
  object: { resource: JsonObject; headers: Readonly<Record<string, string>> },
  paths: Iterable<string>,
): TargetObject {
  const { seen } = connection;
  const id = String(readField(object.resource, 'id') ?? '');
  noteId(id, seen);
  const attributes = readAttributes(connection, kind, object.resource, paths);
  for (const path of Object.keys(attributes)) seen.noteSeen(toKind(kind), path);
  return { id: toKnownId(id), version: readVersion(object.resource, object.headers), attributes };
}

export function toKind(resource: ScimResource): ResourceKind {
  return resource === 'Group' ? 'Team' : 'User';
}

function readAttributes(
  { discovered, profile }: Connection,
  kind: ScimResource,
  resource: JsonObject,
  paths: Iterable<string>,
): Attributes {
  const attributes = toAttributes(resource, paths, discovered.places[kind]);
  const mark = attributes['externalId'];
  if (kind === 'User' || typeof mark !== 'string') return attributes;
  return { ...attributes, externalId: fromSentMark(mark, profile.forbiddenCharacters) };
}

export interface FoundResource {
  readonly resource: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}

/** Null when there is none with this id. Throws when another object comes (T2). */
export async function readResource(
  connection: Connection,
  kind: ScimResource,
  id: string,
  signal: AbortSignal,
): Promise<FoundResource | null> {
  const { client } = connection;
  const answer = await client.send({ method: 'GET', path: toObjectPath(connection, kind, id) }, signal);
  if (answer.status === 404 && !answer.isHTML) return null;
  if (!isSuccess(answer)) throw toScimError(answer, client.origin);
  const resource = requireBody(answer, client.origin);
  const answered = String(readField(resource, 'id') ?? '');
  if (!isSameId(answered, id)) {
    throw new SyncError('TargetUnavailable', `${client.origin} answers with another object than the one asked for`);
  }
  noteId(answered, connection.seen);
  // In the case in which it is known here.
  return { resource: { ...resource, id }, headers: answer.headers };
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
  if (connection.profile.groups === 'none') return null;
  const found = await readResource(connection, 'Group', id, signal);
  if (found === null) return null;
  return { ...toTeam(connection, found), members: await readTeamMembers(connection, { id, ...found }, signal) };
}

/** Null where the application does not show them: what was written is the truth then. */
async function readTeamMembers(
  connection: Connection,
  { id, resource }: { id: string; resource: JsonObject },
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  if (connection.profile.readMembers === 'byFilter') return listMembers(connection, id, signal);
  return toShownMembers(connection, readMembers(resource) ?? []);
}

/** Until a group has shown somebody, one without members may be empty or hide them: what was written is the truth then too. */
function toShownMembers({ seen }: Connection, members: readonly string[]): readonly string[] | null {
  if (members.length > 0) seen.showsMembers = true;
  return seen.showsMembers === true ? members.map(toKnownId) : null;
}

/** Of an application that shows no members but finds users by their groups. */
async function listMembers(connection: Connection, id: string, signal: AbortSignal): Promise<readonly string[]> {
  const filter = `groups.value eq ${JSON.stringify(toSentId(id, connection.seen))}`;
  const members: string[] = [];
  for await (const page of listResources(connection.client, toListRequest(connection, 'User', { filter }), signal)) {
    members.push(...page.resources.map((each) => toKnownId(String(readField(each, 'id')))));
  }
  return members;
}

function toTeam(connection: Connection, found: FoundResource): TargetTeam {
  return { ...toTargetObject(connection, 'Group', found, connection.teamPaths), members: null };
}

function toListRequest({ discovered, seen }: Connection, kind: ScimResource, query: ListRequest['query']): ListRequest {
  const onCursor = (): void => {
    seen.pagesByCursor = true;
  };
  return {
    path: toTypePath(kind),
    query,
    pageSize: discovered.pageSize,
    cursorOnly: discovered.cursorOnly || seen.pagesByCursor,
    onCursor,
  };
}

export async function* listUsers(
  connection: Connection,
  { paths, without }: { readonly paths: readonly string[]; readonly without: readonly string[] },
  signal: AbortSignal,
): AsyncGenerator<TargetPage<TargetObject>> {
  const { client, profile } = connection;
  const query: ListRequest['query'] =
    without.length > 0 && profile.projection ? { excludedAttributes: without.join(',') } : {};
  for await (const page of listResources(client, toListRequest(connection, 'User', query), signal)) {
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
  const { client, profile, seen } = connection;
  if (profile.groups === 'none') return yield { objects: [], last: true, total: 0 };
  let listsMembers = false;
  const isHeavy = profile.readMembers === 'full';
  for await (const page of listResources(client, { ...toListRequest(connection, 'Group', {}), isHeavy }, signal)) {
    listsMembers ||= page.resources.some((each) => (readMembers(each)?.length ?? 0) > 0);
    const objects: TargetTeam[] = [];
    for (const resource of page.resources) {
      const team = toTeam(connection, { resource, headers: {} });
      const isTold = listsMembers || seen.showsMembers === false || readMembers(resource) !== null;
      const whole =
        profile.readMembers === 'full' && isTold
          ? { ...team, members: toShownMembers(connection, readMembers(resource) ?? []) }
          : await readTeam(connection, team.id, signal);
      // Null when it was deleted since the list was made.
      if (whole !== null) objects.push({ ...team, members: whole.members });
    }
    yield { objects, last: page.last, total: page.total };
  }
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
  const { client, discovered, profile } = connection;
  if (kind === 'Group' && profile.groups === 'none') return [];
  const place = discovered.places[kind](query.path);
  // Names of teams that become something else are not found by what they were.
  const isRewritten = kind === 'Group' && toBehaviour(profile, 'Team', query.path).shows === 'otherwise';
  const isFiltered = discovered.filter && !isRewritten;
  const filter: Record<string, string> = isFiltered ? { filter: toFilter(connection, kind, place, query) } : {};
  const excluded = kind === 'Group' && profile.projection ? NO_MEMBERS : {};
  const list = { ...toListRequest(connection, kind, { ...filter, ...excluded }), isSearch: isFiltered };
  const sent = toSentValue(connection, kind, query);
  const found: JsonObject[] = [];
  try {
    for await (const page of listResources(client, list, signal)) {
      const has = (each: JsonObject): boolean =>
        isRewritten ? isSameForm(readPlace(each, place), sent) : hasValue(each, place, sent);
      found.push(...page.resources.filter(has));
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
function toFilter(
  connection: Connection,
  kind: ScimResource,
  { path }: Place,
  query: { path: string; value: Json },
): string {
  const { profile } = connection;
  const name = toFilterName(profile, kind, path);
  const filter = `${name} eq ${JSON.stringify(toSentValue(connection, kind, query))}`;
  const isTaken = name !== null && ![...profile.filterForbids].some((each) => filter.includes(each));
  if (isTaken) return filter;
  throw new SyncError('RecordInvalid', `the target does not take a search by ${query.path} with this value`);
}

function toSentValue(
  { profile }: Connection,
  kind: ScimResource,
  { path, value }: { path: string; value: Json },
): Json {
  const isMark = kind === 'Group' && path === 'externalId' && typeof value === 'string';
  return isMark ? toSentMark(value, profile.forbiddenCharacters) : value;
}

/** Equal but for case and what is neither letter nor digit, as slugs of names are. */
function isSameForm(left: Json | undefined, right: Json): boolean {
  const toForm = (value: Json | undefined): string =>
    String(value ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '');
  return toForm(left) === toForm(right);
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
