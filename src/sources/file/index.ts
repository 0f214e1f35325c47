import type { Source, SourceProvider } from '../source.ts';
import { openSpot } from './client.ts';
import { type FileSourceConfig, validateConfig } from './config.ts';
import { readUserPages } from './read.ts';

/** People from a CSV, JSON or JSON Lines file, or from a key of a ConfigMap. */
export const fileSource: SourceProvider<FileSourceConfig> = {
  name: 'file',
  validate: validateConfig,
  connect: async (config, { files }): Promise<Source> => {
    const spot = openSpot(config.users, files);
    return {
      // A file does not say whose it is, and may move: nothing of it can be compared with an earlier one.
      identity: async () => ({ tenantId: null, tenantName: null, domains: [] }),
      readUsers: (_projection, signal) => readUserPages(spot, config, signal),
      close: async () => undefined,
    };
  },
};
