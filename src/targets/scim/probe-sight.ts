/** Looks at what tells profiles apart, beside what a person is shown: paging, searches, projection. Every request is a GET. */
import type { Json } from '../../model.ts';
import { isSuccess, type JsonObject, type ScimAnswer } from './client.ts';
import { readField, toCount, toObject } from './convert.ts';
import { NOTHING_SEEN, type Sight } from './fit.ts';
import { PROFILES } from './profiles.ts';

export type Get = (path: string, query?: Record<string, string>) => Promise<ScimAnswer>;

export interface Looked {
  /** What the service says of itself; null: nothing. */
  readonly config: JsonObject | null;
  /** Names of the resource types that it has; empty: not told. */
  readonly types: readonly string[];
  readonly users: ScimAnswer;
  readonly groups: ScimAnswer;
  /** A group as it is read by itself; null: there is none to look at. */
  readonly group: JsonObject | null;
  /** A value that nobody has. */
  readonly nobody: string;
}

export async function lookAround(get: Get, looked: Looked): Promise<Sight> {
  const announced = readAnnouncedSight(looked.config);
  const hasGroups = readHasGroups(looked);
  const takesIndex = toSuccess(await get('/Users', { startIndex: '1', count: '1' }));
  return {
    ...announced,
    index: takesIndex === false ? false : (announced.index ?? takesIndex),
    refusesIndex: takesIndex === false,
    cursor: announced.cursor ?? (await lookForCursor(get, looked.users)),
    groups: hasGroups,
    members: hasGroups === true ? await lookForMembers(get, looked.group) : null,
    projection:
      hasGroups === true ? toSuccess(await get('/Groups', { excludedAttributes: 'members', count: '1' })) : null,
    searches: {
      User: await lookForSearches(get, '/Users', looked.nobody),
      Group: hasGroups === true ? await lookForSearches(get, '/Groups', looked.nobody) : {},
    },
  };
}

/** What ServiceProviderConfig says, and nothing else. */
export function readAnnouncedSight(config: JsonObject | null): Sight {
  const pagination = toObject(readField(config ?? {}, 'pagination')) ?? {};
  const [index, cursor] = ['index', 'cursor'].map((name) => toBoolean(readField(pagination, name)));
  const [patch, filter] = ['patch', 'filter'].map((feature) =>
    toBoolean(readField(toObject(readField(config ?? {}, feature)) ?? {}, 'supported')),
  );
  return {
    ...NOTHING_SEEN,
    patch: patch ?? null,
    filter: filter ?? null,
    index: index ?? null,
    cursor: cursor ?? null,
    announcesCursor: cursor === true && index === false,
  };
}

function toBoolean(value: Json | undefined): boolean | null {
  return value === undefined || value === null ? null : String(value).toLowerCase() === 'true';
}

/** Null for an answer that is about something else, such as too many requests. */
function toSuccess(answer: ScimAnswer): boolean | null {
  if (isSuccess(answer)) return true;
  return answer.status === 400 || answer.status === 501 ? false : null;
}

async function lookForCursor(get: Get, users: ScimAnswer): Promise<boolean | null> {
  if (hasCursor(users)) return true;
  const answer = await get('/Users', { cursor: '', count: '1' });
  if (hasCursor(answer)) return true;
  if (!isSuccess(answer)) return toSuccess(answer);
  // Of a list with one page no cursor is to be expected.
  const total = toCount(readField(answer.body ?? {}, 'totalResults'));
  return total !== null && total > readList(answer).length ? false : null;
}

function hasCursor({ body }: ScimAnswer): boolean {
  const cursor = readField(body ?? {}, 'nextCursor');
  return typeof cursor === 'string' && cursor !== '';
}

function readList({ body }: ScimAnswer): readonly Json[] {
  const resources = readField(body ?? {}, 'Resources');
  return Array.isArray(resources) ? resources : [];
}

function readHasGroups({ groups, types }: Looked): boolean | null {
  if (types.length > 0 && !types.some((name) => name.toLowerCase() === 'group')) return false;
  if (isSuccess(groups)) return true;
  return groups.status === 404 || groups.status === 501 ? false : null;
}

/** A group that shows nobody may be empty: only one that has somebody tells. */
async function lookForMembers(get: Get, group: JsonObject | null): Promise<boolean | null> {
  if (group === null) return null;
  const members = readField(group, 'members');
  if (Array.isArray(members) && members.length > 0) return true;
  const filter = `groups.value eq ${JSON.stringify(readField(group, 'id'))}`;
  const all = await get('/Users', { count: '1' });
  const some = await get('/Users', { filter, count: '1' });
  if (!isSuccess(some) || readList(some).length === 0) return null;
  // A service that ignores the filter shows somebody for every group.
  const [listed, found] = [all, some].map((answer) => readField(answer.body ?? {}, 'totalResults'));
  return found !== undefined && listed === found ? null : false;
}

/** An attribute that no service has: who takes a search by it takes one by anything, and nothing is learned of others. */
const NO_ATTRIBUTE = 'dirsyncCheck';

async function lookForSearches(
  get: Get,
  path: '/Users' | '/Groups',
  nobody: string,
): Promise<Readonly<Record<string, boolean>>> {
  const kind = path === '/Users' ? 'User' : 'Group';
  const names = new Set(Object.values(PROFILES).flatMap(({ filters }) => Object.values(filters[kind] ?? {})));
  if (kind === 'User') names.add('groups.value');
  const isTaken = async (name: string): Promise<boolean | null> => {
    const answer = await get(path, { filter: `${name} eq ${JSON.stringify(nobody)}`, count: '1' });
    return toSuccess(answer) === true ? readList(answer).length === 0 : toSuccess(answer);
  };
  const tells = (await isTaken(NO_ATTRIBUTE)) === false;
  const searches: Record<string, boolean> = {};
  for (const name of names) {
    const taken = await isTaken(name);
    if (taken === false || (taken === true && tells)) searches[name] = taken;
  }
  return searches;
}
