/** What commands share that look at source or target without a run: they need no state, and leave none. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { createPlatformTokens } from '../http/platform-token.ts';
import { createLocalHost, type LocalHost } from '../local/host.ts';
import { createConnections } from '../reconcile/connections.ts';
import type { LookInput } from '../reconcile/look.ts';
import { sourceProviders } from '../sources/registry.ts';
import { targetProviders } from '../targets/registry.ts';
import { type CliIo, toPath } from './io.ts';
import { type FolderOptions, readVersion } from './session.ts';

/** The resources and Secrets of a folder; to be closed. */
export function openFolder(io: CliIo, { filename, secrets }: Pick<FolderOptions, 'filename' | 'secrets'>): LocalHost {
  return createLocalHost({
    folder: toPath(io, filename),
    secretsFolder: secrets === undefined ? null : toPath(io, secrets),
    readPlatformToken: createPlatformTokens(io.env),
    loadStatus: async () => null,
    saveStatus: async () => undefined,
  });
}

export function toLookInput(io: CliIo, host: LocalHost, resource: DirectorySyncResource): LookInput {
  return {
    host,
    resource,
    resources: host.resources(),
    providers: { sources: sourceProviders, targets: targetProviders },
    createHttp: createConnections({ userAgent: `dirsync/${readVersion()}` }),
    now: io.now,
  };
}
