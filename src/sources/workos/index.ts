import type { Source, SourceProvider } from '../source.ts';
import { readChangePages } from './changes.ts';
import { createWorkosClient } from './client.ts';
import { validateConfig, type WorkosConfig } from './config.ts';
import { inspect } from './inspect.ts';
import { readGroupPages, readOneUser, readUserPages } from './read.ts';

/** A directory of WorkOS Directory Sync, by an API key. */
export const workosSource: SourceProvider<WorkosConfig> = {
  name: 'workos',
  validate: validateConfig,
  // The published limit of /directory_users for an environment, which is all that is asked often.
  requestsPerSecond: 4,
  connect: async (config, context): Promise<Source> => {
    const client = createWorkosClient(config, context);
    return {
      identity: async (signal) => {
        const { id, name, domain } = await client.readDirectory(signal);
        return { tenantId: id, tenantName: name, domains: domain === null ? [] : [domain] };
      },
      inspect: (use, signal) => inspect({ config, context }, { use }, signal),
      readUsers: (_projection, signal) => readUserPages(client, context.now, signal),
      readGroups: (_projection, signal) => readGroupPages(client, context.now, signal),
      readChanges: (since, projection, signal) =>
        readChangePages({ client, now: context.now }, { since, withGroups: projection.groups !== null }, signal),
      readOne: (id, _projection, signal) => readOneUser(client, id, signal),
      close: async () => undefined,
    };
  },
};
