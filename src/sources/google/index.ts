import type { Source, SourceProvider } from '../source.ts';
import { createGoogleClient } from './client.ts';
import { type GoogleConfig, validateConfig } from './config.ts';
import { PHOTO_ETAG, USER_FIELDS } from './fields.ts';
import { inspect } from './inspect.ts';
import { readPhoto } from './photo.ts';
import { toScopeQuery } from './query.ts';
import { type Reading, readAccount, readGroupPages, readOneUser, readUserPages, readWantedPages } from './read.ts';

/** An account of Google Workspace, by the Directory API of the Admin SDK (directory_v1). */
export const googleSource: SourceProvider<GoogleConfig> = {
  name: 'google',
  validate: validateConfig,
  // Addresses of photos are private or end soon: whoever is not signed in cannot fetch them.
  offers: () => ({ appRoles: false, defaultDomain: false, photos: { url: null, bytes: true, needs: PHOTO_ETAG } }),
  // The quota of a project for one user is 2,400 queries a minute.
  requestsPerSecond: 40,
  connect: async (config, context): Promise<Source> => {
    const client = createGoogleClient(config, context);
    const reading: Reading = { client, config };
    return {
      identity: (signal) => readAccount(reading, signal),
      inspect: (use, signal) => inspect(client, { use, now: context.now }, signal),
      schema: async () => ({ projection: USER_FIELDS, findings: [] }),
      readUsers: (projection, signal) => readUserPages(reading, { projection, query: null }, signal),
      readGroups: (projection, signal, wanted) =>
        wanted === undefined
          ? readGroupPages(reading, projection, signal)
          : readWantedPages(reading, { projection, wanted }, signal),
      readMatching: (wanted, projection) => {
        const query = toScopeQuery(wanted);
        return query === null ? null : (signal) => readUserPages(reading, { projection, query }, signal);
      },
      readOne: (id, projection, signal) => readOneUser(reading, id, projection, signal),
      readPhoto: (user, asked, signal) => readPhoto(client, user, asked, signal),
      close: async () => undefined,
    };
  },
};
