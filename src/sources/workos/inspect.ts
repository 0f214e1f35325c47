/** What `dirsync check source` shows of a directory of WorkOS: key, clock, state, what it counts, and each list by itself. */
import { isObject } from '../attribute-names.ts';
import { type Inspection, type Look, READABLE, tryLook, tryLooks, watchClock } from '../inspection.ts';
import type { SourceContext, SourceFinding } from '../source.ts';
import { createWorkosClient, type WorkosClient, type WorkosDirectory, type WorkosList } from './client.ts';
import type { WorkosConfig } from './config.ts';

export async function* inspect(
  { config, context }: { readonly config: WorkosConfig; readonly context: SourceContext },
  { use }: Pick<Inspection, 'use'>,
  signal: AbortSignal,
): AsyncGenerator<SourceFinding> {
  const clock = watchClock(context);
  const client = createWorkosClient(config, { ...context, http: clock.http });
  // One key opens everything: without the directory there is nothing else to look at.
  const directory = await client.readDirectory(signal);
  yield { verdict: 'ok', about: 'credentials', message: 'the API key is taken' };
  const ofClock = clock.finding();
  if (ofClock !== null) yield ofClock;
  yield { verdict: 'ok', about: 'directory', message: 'it is linked, so that its lists can be trusted' };
  yield* tryLooks(listLooks(client, directory, use), signal);
  yield toWarning(await tryLook(lookAtEvents(client, directory), signal));
}

function toCount(count: number | null): string {
  return count === null ? READABLE : `${count} in the directory`;
}

function* listLooks(client: WorkosClient, { users, groups }: WorkosDirectory, use: Inspection['use']): Generator<Look> {
  const list = (path: WorkosList['path'], query: WorkosList['query'], what: string): WorkosList => ({
    path,
    query,
    what,
  });
  const ofDirectory = { directory: client.directoryId };
  yield {
    about: 'people',
    run: async (signal) => {
      await client.readPage(list('/directory_users', ofDirectory, 'the list of people'), signal);
      return toCount(users);
    },
  };
  if (!use.groups) return;
  let first: string | null = null;
  yield {
    about: 'groups',
    run: async (signal) => {
      const { items } = await client.readPage(list('/directory_groups', ofDirectory, 'the list of groups'), signal);
      const [group = null] = items;
      first = isObject(group) && typeof group['id'] === 'string' ? group['id'] : null;
      return toCount(groups);
    },
  };
  yield {
    about: 'members of groups',
    run: async (signal) => {
      if (first === null) return 'there is no group to look at';
      await client.readPage(list('/directory_users', { group: first }, 'the members of a group'), signal);
      return READABLE;
    },
  };
}

function lookAtEvents(client: WorkosClient, { organizationId }: WorkosDirectory): Look {
  return {
    about: 'changes',
    run: async (signal) => {
      const last = await client.readLastEvent(organizationId, signal);
      return last === null ? 'there was none in the 30 days that they are kept' : READABLE;
    },
  };
}

/** Without events everything is read all the same, each time. */
function toWarning(finding: SourceFinding): SourceFinding {
  if (finding.verdict === 'ok') return finding;
  return { ...finding, verdict: 'warning', message: `${finding.message}; each run reads everybody` };
}
