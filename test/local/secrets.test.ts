import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { readManifests } from '../../src/local/manifests.ts';
import { explainMissingKeys, readLocalConfigMap, readLocalSecret } from '../../src/local/secrets.ts';
import { aFolder } from './folder.ts';

const MANIFESTS = `apiVersion: v1
kind: Secret
metadata: { name: app }
data: { token: c2VzYW1lCg==, user: YWRh }
stringData: { user: grace }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: people }
data: { a.csv: "id\\n1\\n" }
binaryData: { b.csv: "/wA=" }
`;

const APP = { namespace: 'default', name: 'app' };

async function aSet() {
  return readManifests(await aFolder({ 'a.yaml': MANIFESTS }));
}

describe('readLocalSecret', () => {
  it('decodes data, takes stringData over it, and changes no value', async () => {
    expect(await readLocalSecret(await aSet(), APP, null)).toEqual({ token: 'sesame\n', user: 'grace' });
  });

  it('takes files of --secrets first, without the line end at their end', async () => {
    const dir = await aFolder({ 'app/token': 'from-file\n', 'app/password': ' spaces stay \r\n', 'app/.hidden': 'x' });
    expect(await readLocalSecret(await aSet(), APP, dir)).toEqual({ token: 'from-file', password: ' spaces stay ' });
  });

  it('reads a folder as Kubernetes mounts a Secret: links into a hidden folder', async () => {
    const dir = await aFolder({});
    await mkdir(join(dir, 'app/..2026'), { recursive: true });
    await writeFile(join(dir, 'app/..2026/token'), 'mounted');
    await symlink('..2026', join(dir, 'app/..data'));
    await symlink('..data/token', join(dir, 'app/token'));
    expect(await readLocalSecret(await aSet(), APP, dir)).toEqual({ token: 'mounted' });
  });

  it('falls back to the manifests for a Secret that --secrets has not', async () => {
    const dir = await aFolder({ 'other/token': 'x' });
    expect((await readLocalSecret(await aSet(), APP, dir))['user']).toBe('grace');
  });

  it('says what to do when it is missing', async () => {
    const set = await aSet();
    const missing = { namespace: 'identity', name: 'app' };
    await expect(readLocalSecret(set, missing, null)).rejects.toThrow(
      new SyncError(
        'ReferenceNotFound',
        'Secret identity/app is missing: put it among the manifests, or one file per key into DIR/app (--secrets DIR)',
      ),
    );
    const dir = await aFolder({});
    await expect(readLocalSecret(set, missing, dir)).rejects.toMatchObject({
      code: 'ReferenceNotFound',
      message: expect.stringContaining(join(dir, 'app')),
    });
  });
});

describe('readLocalConfigMap', () => {
  it('gives bytes of data and binaryData', async () => {
    const set = await aSet();
    const people = { namespace: 'default', name: 'people' };
    expect(Buffer.from(readLocalConfigMap(set, people, 'a.csv')).toString()).toBe('id\n1\n');
    expect([...readLocalConfigMap(set, people, 'b.csv')]).toEqual([0xff, 0]);
    expect(() => readLocalConfigMap(set, people, 'toString')).toThrow(
      'ConfigMap default/people has no key "toString"; it has a.csv, b.csv',
    );
    expect(() => readLocalConfigMap(set, { ...people, name: 'none' }, 'a.csv')).toThrow(
      'ConfigMap default/none is missing among the manifests',
    );
  });
});

describe('explainMissingKeys', () => {
  const reference = { kind: 'Secret', ...APP };
  const alternatives = [['token'], ['username', 'password']];

  it.each([
    [{ token: 'x' }, null],
    [{ username: 'x', password: 'y' }, null],
    [{ username: 'x' }, 'Secret default/app needs token, or username and password; it has username'],
    [{}, 'Secret default/app needs token, or username and password; it has no keys'],
  ])('%j', (values, says) => {
    expect(explainMissingKeys(reference, values, alternatives)).toBe(says);
  });
});
