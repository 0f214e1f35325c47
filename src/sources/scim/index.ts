import { readTokenExpiry } from '../../http/token-claims.ts';
import type { Source, SourceProvider } from '../source.ts';
import { readChangePages } from './changes.ts';
import { createScimSourceClient } from './client.ts';
import { type ScimSourceConfig, toDirectoryId, validateConfig } from './config.ts';
import { toScopeFilter } from './filter.ts';
import { inspect } from './inspect.ts';
import { readGroupPages, readMatchingPages, readOneUser, readUserPages } from './read.ts';

/** Any service with a SCIM 2.0 interface, read as a directory. */
export const scimSource: SourceProvider<ScimSourceConfig> = {
  name: 'scim',
  validate: validateConfig,
  expiresAt: readTokenExpiry,
  connect: async (config, context): Promise<Source> => {
    const client = createScimSourceClient(config, context);
    return {
      // A service does not say whose it is; ids of another address are those of other people.
      identity: async () => ({ tenantId: toDirectoryId(config), tenantName: null, domains: [] }),
      inspect: (use, signal) => inspect({ config, context }, { use }, signal),
      readUsers: (_projection, signal) => readUserPages(client, signal),
      readGroups: (_projection, signal) => readGroupPages(client, signal),
      readChanges: (since, { groups }, signal) =>
        readChangePages(client, { since, withGroups: since.groups !== null && groups !== null }, signal),
      readMatching: (wanted) => {
        const filter = toScopeFilter(wanted);
        return filter === null ? null : (signal) => readMatchingPages(client, filter, signal);
      },
      readOne: (id, _projection, signal) => readOneUser(client, id, signal),
      close: async () => undefined,
    };
  },
};
