import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { resolveAllowedPath } from '../../src/kube/allowed-paths.ts';
import { ACME } from './setup.ts';

function aFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dirsync-paths-')));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'data', '..2026'), { recursive: true });
  mkdirSync(join(folder, 'database'));
  writeFileSync(join(folder, 'data', '..2026', 'people.csv'), 'id');
  writeFileSync(join(folder, 'database', 'people.csv'), 'id');
  symlinkSync('..2026', join(folder, 'data', '..data'));
  symlinkSync('..data/people.csv', join(folder, 'data', 'people.csv'));
  symlinkSync('../database/people.csv', join(folder, 'data', 'escape.csv'));
  symlinkSync('../database', join(folder, 'data', 'escape'));
  symlinkSync('data', join(folder, 'mounted'));
  return folder;
}

describe('resolveAllowedPath', () => {
  it.each([
    { path: 'data/people.csv', real: 'data/..2026/people.csv', because: 'a mounted ConfigMap is made of symlinks' },
    { path: 'mounted/people.csv', real: 'data/..2026/people.csv', because: 'another name of the same folder' },
    { path: 'data/new.csv', real: 'data/new.csv', because: 'a file may come later' },
    { path: 'data/a/b/new.csv', real: 'data/a/b/new.csv', because: 'so may its folder' },
    { path: 'data/../data/new.csv', real: 'data/new.csv', because: 'dots that stay inside' },
  ])('gives the real path of $path: $because', ({ path, real }) => {
    const folder = aFolder();
    for (const allowed of ['data', 'data/', 'mounted']) {
      expect(resolveAllowedPath([join(folder, allowed)], ACME, `${folder}/${path}`)).toBe(join(folder, real));
    }
  });

  it.each([
    { path: 'database/people.csv', because: 'a folder whose name begins alike' },
    { path: 'data/../database/people.csv', because: 'dots that lead out' },
    { path: 'data/escape.csv', because: 'a symlink to a file outside' },
    { path: 'data/escape/people.csv', because: 'a symlink to a folder outside' },
    { path: 'data/escape/none.csv', because: 'a missing file behind such a symlink' },
    { path: 'none/none.csv', because: 'a missing file outside sounds no different' },
    { path: 'data', because: 'the folder itself is no file' },
  ])('refuses $path: $because', ({ path }) => {
    const folder = aFolder();
    expect(() => resolveAllowedPath([join(folder, 'data')], ACME, `${folder}/${path}`)).toThrow(
      expect.objectContaining({
        code: 'Invalid',
        message: `DirectorySync identity/acme: path "${folder}/${path}" lies outside of what --allow-path allows (${folder}/data); move the file or add its folder`,
      }),
    );
  });

  it('says what to do when nothing is allowed or the path is relative', () => {
    expect(() => resolveAllowedPath([], ACME, '/data/people.csv')).toThrow(
      'DirectorySync identity/acme: path "/data/people.csv" may not be read in a cluster: put the file into a ConfigMap and name it as source.file.users.configMapRef (examples/cluster does), or start the controller with --allow-path',
    );
    expect(() => resolveAllowedPath(['/data'], ACME, 'people.csv')).toThrow(
      'DirectorySync identity/acme: path "people.csv" is relative; in a cluster write it from the root: /data/people.csv',
    );
  });
});
