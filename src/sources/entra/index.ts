import type { Source, SourceProvider } from '../source.ts';
import { readChangePages } from './changes.ts';
import { createGraphClient } from './client.ts';
import { type EntraConfig, validateConfig } from './config.ts';
import { readCertificateExpiry } from './credentials.ts';
import { inspect } from './inspect.ts';
import { readPhoto } from './photo.ts';
import { type Reading, readGroupPages, readOneUser, readTenant, readUserPages } from './read.ts';
import { readSchema } from './schema.ts';

/** A tenant of Microsoft Entra ID, by Microsoft Graph v1.0. */
export const entraSource: SourceProvider<EntraConfig> = {
  name: 'entra',
  validate: validateConfig,
  expiresAt: readCertificateExpiry,
  offers: ({ applicationId }) => ({
    appRoles: applicationId !== undefined,
    defaultDomain: true,
    photos: { url: null, bytes: true, needs: null },
  }),
  connect: async (config, context): Promise<Source> => {
    const client = createGraphClient(config, context);
    const { nestedGroups } = context;
    const reading: Reading = { client, config, ...(nestedGroups === undefined ? {} : { nestedGroups }) };
    return {
      identity: (signal) => readTenant(client, config, signal),
      inspect: (use, signal) => inspect(reading, { use, now: context.now }, signal),
      schema: (signal) => readSchema(reading, signal),
      readUsers: (projection, signal) => readUserPages(reading, projection, signal),
      readGroups: (projection, signal) => readGroupPages(client, projection, signal),
      readChanges: (since, projection, signal) => readChangePages(client, { since, projection }, signal),
      readOne: (id, projection, signal) => readOneUser(reading, id, projection, signal),
      readPhoto: (user, asked, signal) => readPhoto(client, user.id, asked, signal),
      close: async () => undefined,
    };
  },
};
