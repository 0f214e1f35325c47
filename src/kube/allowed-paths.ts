/** Which files of the controller's file system a resource may name. */
import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import type { ResourceRef } from '../api/host.ts';
import { formatReference } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';

/**
 * The real path behind `path`, symlinks followed. A file that does not exist (yet) is judged by the folder it would be in. Whoever
 * may write a resource must not be able to read any other file with it, so this is decided anew at each use.
 * @throws SyncError `Invalid` when it lies under none of the allowed folders; whether the file exists is not told
 */
export function resolveAllowedPath(allowPaths: readonly string[], owner: ResourceRef, path: string): string {
  const about = formatReference(owner);
  if (allowPaths.length === 0) {
    throw new SyncError(
      'Invalid',
      `${about}: path "${path}" may not be read in a cluster: put the file into a ConfigMap and name it as source.file.users.configMapRef (examples/cluster does), or start the controller with --allow-path`,
    );
  }
  if (!isAbsolute(path)) {
    throw new SyncError(
      'Invalid',
      `${about}: path "${path}" is relative; in a cluster write it from the root: /data/people.csv`,
    );
  }
  const real = resolveReal(normalize(path));
  const allowed = allowPaths.some((folder) => isBelow(real, resolveReal(normalize(folder))));
  if (allowed) return real;
  throw new SyncError(
    'Invalid',
    `${about}: path "${path}" lies outside of what --allow-path allows (${allowPaths.join(', ')}); move the file or add its folder`,
  );
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** With every symlink followed as far as the path exists. */
function resolveReal(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(resolveReal(parent), basename(path));
  }
}
