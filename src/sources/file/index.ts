import type { Source, SourceProvider } from '../source.ts';
import { openSpot } from './client.ts';
import { type FileSourceConfig, toOffers, toPhotoColumn, validateConfig } from './config.ts';
import { inspect } from './inspect.ts';
import { readPhoto } from './photo.ts';
import { readGroupPages, readUserPages } from './read.ts';

/** People and groups from CSV, JSON, JSON Lines or LDIF: files, keys of ConfigMaps, or files over HTTP. */
export const fileSource: SourceProvider<FileSourceConfig> = {
  name: 'file',
  validate: validateConfig,
  offers: toOffers,
  connect: async (config, given): Promise<Source> => {
    const context = { ...given, allowHTTP: config.allowHTTP ?? false };
    const { files } = given;
    const spot = openSpot(config.users, context);
    const { groups } = config;
    const column = toPhotoColumn(config);
    const groupSpot = groups === undefined ? null : openSpot(groups, context);
    return {
      // A file does not say whose it is, and may move: nothing of it can be compared with an earlier one.
      identity: async () => ({ tenantId: null, tenantName: null, domains: [] }),
      inspect: (use, signal) => inspect({ config, context: given }, { use }, signal),
      readUsers: (projection, signal) => readUserPages(spot, config, { projection, signal }),
      ...(groups === undefined || groupSpot === null
        ? {}
        : {
            readGroups: (projection, signal) =>
              readGroupPages(groupSpot, { config, location: groups }, { projection, signal }),
          }),
      ...(column === null
        ? {}
        : { readPhoto: (user, asked, signal) => readPhoto(user, { column, files }, asked, signal) }),
      close: async () => undefined,
    };
  },
};
