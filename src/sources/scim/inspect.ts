/** What `dirsync check source` shows of a SCIM service: credentials, clock, what it counts and what it says of itself. */
import { SyncError } from '../../errors.ts';
import { type Inspection, type Look, READABLE, tryLooks, watchClock } from '../inspection.ts';
import type { SourceContext, SourceFinding } from '../source.ts';
import { createScimSourceClient, type FirstOfList, GROUPS, type ScimSourceClient, USERS } from './client.ts';
import type { ScimSourceConfig } from './config.ts';
import { toGroup } from './convert.ts';

export async function* inspect(
  { config, context }: { readonly config: ScimSourceConfig; readonly context: SourceContext },
  { use }: Pick<Inspection, 'use'>,
  signal: AbortSignal,
): AsyncGenerator<SourceFinding> {
  const clock = watchClock(context);
  const client = createScimSourceClient(config, { ...context, http: clock.http });
  // What a service says of itself it may tell anybody; the list of people it does not.
  const users = await client.readFirst(USERS, signal);
  yield { verdict: 'ok', about: 'credentials', message: 'they are taken' };
  const ofClock = clock.finding();
  if (ofClock !== null) yield ofClock;
  yield { verdict: 'ok', about: 'people', message: toCount(users) };
  if (use.groups) yield* tryLooks(listGroupLooks(client), signal);
  yield describeSchemas(await client.publishedNames(signal));
}

function toCount({ total }: FirstOfList): string {
  return total === null ? `${READABLE}; how many there are it does not say` : `${total} in all`;
}

function* listGroupLooks(client: ScimSourceClient): Generator<Look> {
  let found: FirstOfList | null = null;
  yield {
    about: 'groups',
    run: async (signal) => {
      found = await client.readFirst(GROUPS, signal);
      return toCount(found);
    },
  };
  yield {
    about: 'members of groups',
    run: async (signal) => {
      if (found === null || found.first === null) return 'there is no group to look at';
      const converted = toGroup(found.first);
      if ('failed' in converted) throw new SyncError('ReadFailed', `the first group: ${converted.failed.message}`);
      const { group, members } = converted.item;
      if (members !== null) return 'the list shows them';
      await client.find(GROUPS.path, group.id, signal);
      return 'the list does not show any: each group without is asked for by itself';
    },
  };
}

/** Rule I13: what the schemas name and nobody has is null, and not unknown. */
function describeSchemas(names: readonly string[]): SourceFinding {
  const about = 'schemas';
  if (names.length > 0) return { verdict: 'ok', about, message: `they name ${names.length} attributes of people` };
  const message =
    'the service does not list any (/Schemas): an attribute that nobody has is unknown, and what depends on it stays as it is';
  return { verdict: 'warning', about, message };
}
