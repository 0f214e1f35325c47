/** What `dirsync check source` shows of an account: the clocks, the key, and each scope and privilege by itself. */
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type Inspection, type Look, lookAtToken, READABLE, tryLooks } from '../inspection.ts';
import type { SourceFinding, SourceUse } from '../source.ts';
import type { GoogleClient, GoogleList } from './client.ts';
import { toGroupList, toMemberList, toUserList } from './read.ts';

export async function* inspect(
  client: GoogleClient,
  { use, now }: Inspection,
  signal: AbortSignal,
): AsyncGenerator<SourceFinding> {
  const { tokens, request } = client.credentials;
  const look = {
    name: 'the key of the service account',
    tokens: tokens('users'),
    request: (each: AbortSignal) => request('users', each),
  };
  yield* lookAtToken(look, { now }, signal);
  yield* tryLooks(listLooks(client, use), signal);
}

/** The Directory API gives no totals. */
function listLooks(client: GoogleClient, { groups }: SourceUse): readonly Look[] {
  const readFirst = async (list: GoogleList, signal: AbortSignal): Promise<Json> => {
    const { items } = await client.readPage({ ...list, query: { ...list.query, maxResults: '1' } }, signal);
    return items[0] ?? null;
  };
  const people: Look = {
    about: 'people',
    run: async (signal) => {
      await readFirst(toUserList(client, ['id']), signal);
      return READABLE;
    },
  };
  const deleted: Look = {
    about: 'deleted people',
    run: async (signal) => {
      const list = toUserList(client, ['id']);
      const query = { ...list.query, showDeleted: 'true' };
      const { items, next } = await client.readPage({ ...list, query }, signal);
      if (items.length === 0) return 'nobody who could be restored';
      return `${next === null ? items.length : `more than ${items.length}`} who can be restored, for about twenty days after their deletion`;
    },
  };
  if (!groups) return [people, deleted];
  let first: Json = null;
  const ofGroups: Look = {
    about: 'groups',
    run: async (signal) => {
      first = await readFirst(toGroupList(client, ['id']), signal);
      return READABLE;
    },
  };
  const members: Look = {
    about: 'members of groups',
    run: async (signal) => {
      // The scope can be told without a group.
      await client.credentials.tokens('members').get(signal);
      const id = isObject(first) ? first['id'] : null;
      if (typeof id !== 'string') return 'there is no group to look at';
      await readFirst(toMemberList(id), signal);
      return READABLE;
    },
  };
  return [people, deleted, ofGroups, members];
}
