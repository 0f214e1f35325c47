/** What an application shows of itself to whoever only reads: `dirsync check target`. Every request is a GET. */

import type { ScimProfileName } from '../../api/providers.ts';
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { parseScimPath, printScimPath } from '../../scim/path.ts';
import type { ProbeFinding, ProbeWish } from '../target.ts';
import { isSuccess, type JsonObject, readScimType, type ScimAnswer, type ScimClient, toScimError } from './client.ts';
import { readField, readVersion, toCount, toObject } from './convert.ts';
import { findKnownProfile } from './known-hosts.ts';

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
  yield* probeConfig(probing);
  yield* probeSchemas(probing);
  yield* probeResourceTypes(probing);
  const user = yield* probeUsers(probing);
  if (user !== null) yield* probeUser(probing, user);
  for (const path of wish.matching) yield await probeFilter(probing, path);
  yield* probeGroups(probing);
  yield judgeProfile(probing);
}

/** By the address: what an application shows of itself seldom tells it from others, and its quirks show in writes alone. */
function judgeProfile({ url, profile }: Probing): ProbeFinding {
  const known = findKnownProfile(url);
  if (known === null || known === profile) {
    const why = known === null ? 'the address is not one that tells which fits' : 'it is the one for this address';
    return found('ok', 'profile', `${profile}; ${why}`);
  }
  return found(
    'warning',
    'profile',
    `${profile}, but the one for this address is ${known}: set target.scim.profile: ${known}`,
  );
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

async function* probeConfig(probing: Probing): AsyncGenerator<ProbeFinding> {
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
    return;
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

async function* probeResourceTypes(probing: Probing): AsyncGenerator<ProbeFinding> {
  const answer = await get(probing, '/ResourceTypes');
  const names = isSuccess(answer) ? readNames(answer, 'name') : [];
  yield names.length > 0
    ? found('ok', 'ResourceTypes', names.join(', '))
    : found('ok', 'ResourceTypes', `are missing (${describeStatus(answer)}); nothing depends on them`);
}

/** One page with one user; gives the user that it has. */
async function* probeUsers(probing: Probing): AsyncGenerator<ProbeFinding, JsonObject | null> {
  return yield* probeList(probing, '/Users');
}

async function* probeList(
  probing: Probing,
  path: '/Users' | '/Groups',
): AsyncGenerator<ProbeFinding, JsonObject | null> {
  const answer = await get(probing, path, { count: '1' });
  const resources = readResources(answer);
  const total = toCount(readField(answer.body ?? {}, 'totalResults'));
  if (!isSuccess(answer) || (resources === null && total === null)) {
    const message = `cannot be listed (${describeStatus(answer)})`;
    yield found(path === '/Users' || probing.wish.teams ? 'error' : 'ok', path, message);
    return null;
  }
  const list = resources ?? [];
  const cursor = typeof readField(answer.body ?? {}, 'nextCursor') === 'string';
  const count = total === null ? 'a list' : `${total} in all`;
  yield found('ok', path, `${count}, paged by ${cursor ? 'cursor' : 'index'}`);
  if (list.length > 1) yield found('warning', path, 'count is ignored: pages are as large as the application likes');
  if (total === null && !cursor)
    yield found('warning', path, 'totalResults is missing: a list is taken for whole when a page brings nothing new');
  return toObject(list[0]);
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

async function* probeGroups(probing: Probing): AsyncGenerator<ProbeFinding> {
  const group = yield* probeList(probing, '/Groups');
  if (group === null) return;
  const id = readField(group, 'id');
  if (typeof id !== 'string' || id === '') return;
  const answer = await get(probing, `/Groups/${encodeURIComponent(id)}`);
  const shown = isSuccess(answer) && Array.isArray(readField(answer.body ?? {}, 'members'));
  yield shown
    ? found('ok', 'members', 'of groups can be read')
    : found(
        probing.wish.teams ? 'warning' : 'ok',
        'members',
        'of a group are not shown; it is empty, or members cannot be read, so that changes by others go unnoticed',
      );
}
