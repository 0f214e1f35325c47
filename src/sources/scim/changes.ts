/**
 * What has changed in a SCIM service: people by `meta.lastModified` (RFC 7643 section 3.1), groups by reading them all. Who
 * is gone such a list does not show, so the engine is told how many there are (rule S20).
 */
import { SyncError } from '../../errors.ts';
import { createNameCollector } from '../attribute-names.ts';
import { convertAll } from '../converted.ts';
import type { ChangePage, Cursors, SourceChange } from '../source.ts';
import { type ScimSourceClient, USERS } from './client.ts';
import { toUser } from './convert.ts';
import { parseCursors, toCursors, toFilter } from './cursor.ts';
import { createGroupNames, type ReadGroup, readEachGroup, toMemberPages } from './read.ts';

interface Asked {
  readonly since: Cursors;
  readonly withGroups: boolean;
}

/** How many there are is asked first: whoever joins meanwhile makes the numbers differ, and costs a full read. */
export async function* readChangePages(
  client: ScimSourceClient,
  { since, withGroups }: Asked,
  signal: AbortSignal,
): AsyncGenerator<ChangePage> {
  const from = parseCursors(since);
  const { total: users, at } = await client.readFirst(USERS, signal);
  if (users === null || at === null)
    throw new SyncError('CursorExpired', 'the service does not say how many people there are, or its time');
  const names = createNameCollector();
  for await (const { items } of client.list({ ...USERS, filter: toFilter(from) }, signal)) {
    const { found, failed } = convertAll(items, toUser);
    for (const { attributes } of found) names.addRecord(attributes);
    yield { ...NOTHING, changes: found.map((user) => ({ type: 'user', user }) as const), failed };
  }
  const groupNames = createGroupNames();
  let groups = 0;
  for await (const each of withGroups ? readEachGroup(client, signal) : []) {
    groups += 1;
    if (each.group !== undefined) groupNames.addRecord(each.group.attributes);
    yield* toGroupChanges(each);
  }
  yield {
    ...NOTHING,
    end: {
      attributes: names.list(),
      groupAttributes: groupNames.list(),
      cursors: toCursors(at, withGroups),
      totals: { users, groups: withGroups ? groups : null },
    },
  };
}

const NOTHING: ChangePage = { changes: [], failed: [], failedGroups: [] };

/** Of a group whose members could not be read they stay as they were. */
function* toGroupChanges(each: ReadGroup): Generator<ChangePage> {
  if ('failed' in each) {
    const changes: readonly SourceChange[] = each.group === undefined ? [] : [{ type: 'group', group: each.group }];
    yield { ...NOTHING, changes, failedGroups: [each.failed] };
    return;
  }
  const { group, members } = each;
  const [first = [], ...rest] = toMemberPages(members);
  const join = (added: typeof first, replaces: boolean): SourceChange => ({
    ...{ type: 'members', group: group.id, replaces, added, removed: [] },
  });
  yield { ...NOTHING, changes: [{ type: 'group', group }, join(first, true)] };
  for (const added of rest) yield { ...NOTHING, changes: [join(added, false)] };
}
