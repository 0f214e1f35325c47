import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where programs that tests run are kept between runs: outside the tree, so that a fresh clone finds them again. */
function cacheRoot(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dirsync-test');
}

/** The folder that `cached` keeps under `name`, when it has been built before. */
export function findCached(name: string): string | undefined {
  const folder = join(cacheRoot(), name);
  return existsSync(folder) ? folder : undefined;
}

/**
 * The folder kept under `name`, built by `build` the first time. `build` fills a folder beside it that is renamed when it is
 * whole, so a build that was killed leaves nothing that looks finished; two builders at once both succeed and one result stays.
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const found = findCached(name);
  if (found) return found;
  const root = cacheRoot();
  await mkdir(root, { recursive: true });
  const unfinished = await mkdtemp(join(root, `${name}.unfinished-`));
  try {
    await build(unfinished);
    await rename(unfinished, join(root, name)).catch((error: unknown) => {
      if (!findCached(name)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return join(root, name);
}
