/** A folder for state files that lies in memory where there is such a place: nothing of it is worth a disk. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function makeFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'dirsync-sim-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
