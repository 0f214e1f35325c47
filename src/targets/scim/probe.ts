/** What an application shows of itself to whoever only reads: `dirsync check target`. Every request is a GET. */

import type { ScimProfileName } from '../../api/providers.ts';
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { parseScimPath, printScimPath } from '../../scim/path.ts';
import type { ProbeFinding, ProbeWish } from '../target.ts';
import { isSuccess, type JsonObject, readScimType, type ScimAnswer, type ScimClient, toScimError } from './client.ts';
import { readField, readVersion, toCount, toObject } from './convert.ts';
import { type Closest, compareWithProfile, type Difference, findClosest, type Sight } from './fit.ts';
import { findKnownProfile } from './known-hosts.ts';
import { lookAround } from './probe-sight.ts';
import { PROFILES } from './profiles.ts';

export interface Probed {
  readonly client: ScimClient;
  readonly url: string;
  /** The one that is set. */
  readonly profile: ScimProfileName;
}

interface Probing extends Probed {
  readonly wish: ProbeWish;
  readonly signal: AbortSignal;
}

/** One after the other, so that it can be watched; ends early only where nothing else can be learned. */
export async function* probe(probed: Probed, wish: ProbeWish, signal: AbortSignal): AsyncGenerator<ProbeFinding> {
  const probing = { ...probed, wish, signal };
  const config = yield* probeConfig(probing);
  yield* probeSchemas(probing);
  const types = yield* probeResourceTypes(probing);
  const users = yield* probeList(probing, '/Users');
  if (users.first !== null) yield* probeUser(probing, users.first);
  yield await probeMissing(probing);
  for (const path of wish.matching) yield await probeFilter(probing, path);
  const groups = yield* probeList(probing, '/Groups');
  const group = groups.first === null ? null : yield* probeGroup(probing, groups.first);
  const looked = { config, types, users: users.answer, groups: groups.answer, group, nobody: wish.nobody };
  yield* judgeProfile(probing, await lookAround((path, query) => get(probing, path, query), looked));
}

/** By the address, and by what was seen: quirks that show in writes alone cannot be told beforehand. */
function* judgeProfile({ url, profile, wish }: Probing, sight: Sight): Generator<ProbeFinding> {
  const differences = compareWithProfile(sight, PROFILES[profile], wish);
  for (const { verdict, message } of differences) yield found(verdict, 'profile', message);
  const known = findKnownProfile(url);
  if (known !== null && known !== profile) {
    const message = `${profile}, but the one for this address is ${known}: set target.scim.profile: ${known}`;
    yield found('warning', 'profile', message);
    return;
  }
  const why = known === null ? 'the address is not one that tells which fits' : 'it is the one for this address';
  yield describeFit(profile, why, { differences, closest: findClosest(sight) });
}

function describeFit(
  profile: ScimProfileName,
  why: string,
  { differences, closest }: { differences: readonly Difference[]; closest: Closest },
): ProbeFinding {
  if (differences.every(({ verdict }) => verdict === 'ok'))
    return found('ok', 'profile', `${profile}; ${why}, and nothing that was seen speaks against it`);
  if (closest.names.includes(profile))
    return found('warning', 'profile', `${profile}; ${why}, and no other is closer to what was seen`);
  const names = closest.names.join(' or ');
  const how = closest.fits ? 'nothing that was seen speaks against' : 'closer to what was seen is';
  return found('warning', 'profile', `${profile}; ${why}, but ${how} ${names}`);
}

function found(verdict: ProbeFinding['verdict'], about: string, message: string): ProbeFinding {
  return { verdict, about, message };
}

/** What keeps everything from working throws: no answer, refused credentials, throttling. */
async function get({ client, signal }: Probing, path: string, query: Record<string, string> = {}): Promise<ScimAnswer> {
  const answer = await client.send({ method: 'GET', path, query }, signal);
  if (answer.status === 429 || (answer.status >= 500 && answer.status !== 501))
    throw toScimError(answer, client.origin);
  return answer;
}

function describeStatus(answer: ScimAnswer): string {
  const type = readScimType(answer);
  return type === '' ? String(answer.status) : `${answer.status} ${type.slice(0, 40)}`;
}

function isSupported(config: JsonObject, feature: string): boolean {
  return String(readField(toObject(readField(config, feature)) ?? {}, 'supported')).toLowerCase() === 'true';
}

/** Gives what the service says of itself; null: nothing. */
async function* probeConfig(probing: Probing): AsyncGenerator<ProbeFinding, JsonObject | null> {
  const about = 'ServiceProviderConfig';
  const answer = await get(probing, '/ServiceProviderConfig');
  if (answer.isHTML) {
    throw new SyncError('TargetUnavailable', `${probing.client.origin} answers with an HTML page; check the URL`);
  }
  const { body } = answer;
  // Whatever else it says: the credentials were not refused.
  yield found('ok', 'credentials', 'are taken');
  if (!isSuccess(answer) || body === null) {
    const message = `is missing (${describeStatus(answer)}): PATCH and ETags are taken for unsupported, filters for supported`;
    yield found('warning', about, message);
    return null;
  }
  const features = ['patch', 'filter', 'bulk', 'sort', 'etag'].map(
    (name) => `${name} ${toYes(isSupported(body, name))}`,
  );
  const pagination = toObject(readField(body, 'pagination')) ?? {};
  const cursor = readField(pagination, 'cursor') === true ? ', cursor paging' : '';
  yield found('ok', about, `${features.join(', ')}${cursor}`);
  if (!isSupported(body, 'patch'))
    yield found('warning', 'PATCH', 'is not supported: objects are read and written back whole with PUT');
  if (!isSupported(body, 'filter'))
    yield found('warning', 'filters', 'are not supported: each search reads the whole list');
  return body;
}

function toYes(is: boolean): string {
  return is ? 'yes' : 'no';
}

function readResources({ body }: ScimAnswer): readonly Json[] | null {
  const resources = readField(body ?? {}, 'Resources');
  return Array.isArray(resources) ? resources : null;
}

function readNames(answer: ScimAnswer, field: string): readonly string[] {
  return (readResources(answer) ?? []).flatMap((each) => {
    const name = readField(toObject(each) ?? {}, field);
    return typeof name === 'string' ? [name.slice(0, 200)] : [];
  });
}

async function* probeSchemas(probing: Probing): AsyncGenerator<ProbeFinding> {
  const answer = await get(probing, '/Schemas');
  const names = isSuccess(answer) ? readNames(answer, 'id') : [];
  if (names.length > 0) yield found('ok', 'Schemas', names.join(', '));
  else {
    const message = `are missing (${describeStatus(answer)}): attributes are taken as RFC 7643 has them`;
    yield found('warning', 'Schemas', message);
  }
}

async function* probeResourceTypes(probing: Probing): AsyncGenerator<ProbeFinding, readonly string[]> {
  const answer = await get(probing, '/ResourceTypes');
  const names = isSuccess(answer) ? readNames(answer, 'name') : [];
  yield names.length > 0
    ? found('ok', 'ResourceTypes', names.join(', '))
    : found('ok', 'ResourceTypes', `are missing (${describeStatus(answer)}); nothing depends on them`);
  return names;
}

interface Listed {
  readonly answer: ScimAnswer;
  readonly first: JsonObject | null;
}

/** One page with one object, if there is any. */
async function* probeList(probing: Probing, path: '/Users' | '/Groups'): AsyncGenerator<ProbeFinding, Listed> {
  const answer = await get(probing, path, { count: '1' });
  const resources = readResources(answer);
  const total = toCount(readField(answer.body ?? {}, 'totalResults'));
  if (!isSuccess(answer) || (resources === null && total === null)) {
    const message = `cannot be listed (${describeStatus(answer)})`;
    yield found(path === '/Users' || probing.wish.teams ? 'error' : 'ok', path, message);
    return { answer, first: null };
  }
  const list = resources ?? [];
  const cursor = typeof readField(answer.body ?? {}, 'nextCursor') === 'string';
  const count = total === null ? 'a list' : `${total} in all`;
  yield found('ok', path, `${count}, paged by ${cursor ? 'cursor' : 'index'}`);
  if (list.length > 1) yield found('warning', path, 'count is ignored: pages are as large as the application likes');
  if (total === null && !cursor)
    yield found('warning', path, 'totalResults is missing: a list is taken for whole when a page brings nothing new');
  return { answer, first: toObject(list[0]) };
}

/** Whether one object reads as its list shows it, and how ids and names compare. No value of a person is shown. */
async function* probeUser(probing: Probing, user: JsonObject): AsyncGenerator<ProbeFinding> {
  const id = readField(user, 'id');
  if (typeof id !== 'string' || id === '') {
    yield found('error', 'ids', 'are missing in the list: no account can be addressed');
    return;
  }
  const answer = await get(probing, `/Users/${encodeURIComponent(id)}`);
  const read = answer.body;
  if (!isSuccess(answer) || read === null || readField(read, 'id') !== id) {
    yield found('error', 'ids', `do not lead back to the account (${describeStatus(answer)})`);
    return;
  }
  const version = readVersion(read, answer.headers);
  const etag = version === null ? 'without versions' : 'with versions (ETag)';
  yield found('ok', 'ids', `lead to the account, ${etag}`);
  yield* probeCase(probing, user);
}

/** `Ada` ↔ `aDA`: another spelling of the same name. */
function swapCase(text: string): string {
  return [...text]
    .map((letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()))
    .join('');
}

async function* probeCase(probing: Probing, user: JsonObject): AsyncGenerator<ProbeFinding> {
  const userName = readField(user, 'userName');
  if (typeof userName !== 'string' || swapCase(userName) === userName) return;
  const answer = await get(probing, '/Users', { filter: `userName eq ${JSON.stringify(swapCase(userName))}` });
  if (!isSuccess(answer)) return;
  const isFound = (readResources(answer) ?? []).some(
    (each) => readField(toObject(each) ?? {}, 'id') === readField(user, 'id'),
  );
  yield isFound
    ? found('ok', 'case', 'userName is found whatever its case')
    : found(
        'warning',
        'case',
        'userName is found in its own case only; an account in another case is not matched by a search',
      );
}

/** How it is said that something is not there: an account that is gone must not look like one that cannot be had. */
async function probeMissing(probing: Probing): Promise<ProbeFinding> {
  const about = 'errors';
  const answer = await get(probing, `/Users/${encodeURIComponent(probing.wish.nobody)}`);
  if (answer.status !== 404) {
    const message = `an id that nobody has is answered with ${describeStatus(answer)}, not 404: whoever is gone is not recognised as gone`;
    return found('warning', about, message);
  }
  if (answer.isHTML)
    return found('warning', about, 'are HTML pages: whoever is gone looks like a wrong address, which ends a run');
  const isScim = readField(answer.body ?? {}, 'status') !== undefined;
  return found('ok', about, isScim ? 'are SCIM errors' : 'have a status and nothing else that is understood');
}

/** A search for what nobody has: an answer with somebody in it is one that ignored the question. */
async function probeFilter(probing: Probing, path: string): Promise<ProbeFinding> {
  const about = `search by ${path}`;
  const name = printScimPath({ ...parseScimPath(path), filter: null });
  const filter = `${name} eq ${JSON.stringify(probing.wish.nobody)}`;
  const answer = await get(probing, '/Users', { filter, count: '1' });
  if (!isSuccess(answer)) {
    const message = `is refused (${describeStatus(answer)}): the whole list is read instead`;
    return found('warning', about, message);
  }
  const resources = readResources(answer);
  return (resources ?? []).length > 0
    ? found('warning', about, 'is ignored: everybody answers, so that each search reads the whole list')
    : found('ok', about, 'works');
}

/** Gives the group as it is read by itself. */
async function* probeGroup(probing: Probing, group: JsonObject): AsyncGenerator<ProbeFinding, JsonObject | null> {
  const id = readField(group, 'id');
  if (typeof id !== 'string' || id === '') return null;
  const answer = await get(probing, `/Groups/${encodeURIComponent(id)}`);
  const shown = isSuccess(answer) && Array.isArray(readField(answer.body ?? {}, 'members'));
  yield shown
    ? found('ok', 'members', 'of groups can be read')
    : found(
        probing.wish.teams ? 'warning' : 'ok',
        'members',
        'of a group are not shown; it is empty, or members cannot be read, so that changes by others go unnoticed',
      );
  return isSuccess(answer) ? answer.body : null;
}
