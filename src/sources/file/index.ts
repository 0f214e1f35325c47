import type { Source, SourceProvider } from '../source.ts';
import { type FileSpot, openSpot } from './client.ts';
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
      ...toUnchanged(spot, groupSpot),
      ...(column === null
        ? {}
        : { readPhoto: (user, asked, signal) => readPhoto(user, { column, files }, asked, signal) }),
      close: async () => undefined,
    };
  },
};

/** Of both files, or of none: what one of them does not say has to be read. */
function toUnchanged(users: FileSpot, groups: FileSpot | null): Pick<Source, 'isUnchanged'> {
  const { isUnchanged } = users;
  if (isUnchanged === undefined || (groups !== null && groups.isUnchanged === undefined)) return {};
  return {
    isUnchanged: async (since, signal) =>
      (await isUnchanged(since.users, signal)) &&
      (since.groups === null || (await groups?.isUnchanged?.(since.groups, signal)) === true),
  };
}
