import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createCompany, readUsers, startApplication, TOKEN } from '../cli/company.ts';

const FOLDER = fileURLToPath(new URL('../../examples/photos/', import.meta.url));

it('examples/photos validates without a word, writes the photos, and has nothing more to do', async () => {
  const directory = await startApplication();
  const company = await createCompany();
  const manifests = join(company.folder, 'manifests');
  await cp(FOLDER, manifests, { recursive: true });
  for (const name of ['directory-sync.yaml', 'secret.yaml']) {
    const text = await readFile(join(manifests, name), 'utf8');
    const replaced = text.replace('http://127.0.0.1:8087/scim/v2', directory.url).replaceAll('photos-token', TOKEN);
    await writeFile(join(manifests, name), replaced);
  }
  const validated = await company.run(['validate', '-f', 'manifests']);
  expect([validated.code, validated.stderr]).toEqual([0, '']);
  const planned = await company.run(['plan', '-f', 'manifests']);
  expect(planned.stdout).toContain('Plan: 3 to create, 2 photos to write.');
  const applied = await company.apply();
  expect([applied.code, applied.stderr]).toEqual([0, '']);
  expect(applied.stdout).toContain('acme: 3 created, 2 photos written (');

  const users = await readUsers(directory);
  const photo = async (name: string) => {
    const bytes = await readFile(join(FOLDER, 'photos', `${name}.png`));
    return [{ type: 'photo', value: `data:image/png;base64,${bytes.toString('base64')}` }];
  };
  expect(users.get('ada.okafor@corp.example')?.['photos']).toEqual(await photo('ada'));
  expect(users.get('mei.fenwick@corp.example')?.['photos']).toEqual(await photo('mei'));
  expect(users.get('hugo.lindqvist@corp.example')).not.toHaveProperty('photos');

  const { writes } = directory.counts();
  expect((await company.apply('--resync')).code).toBe(0);
  expect(directory.counts().writes).toBe(writes);

  await company.write(
    'manifests/directory-sync.yaml',
    (await company.read('manifests/directory-sync.yaml')).replace(/ *photoAttribute: photo\n/, ''),
  );
  const refused = await company.run(['validate', '-f', 'manifests']);
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toContain(
    'mapping.yaml:17:7 spec.attributes[2].photo: the provider file has no photos; name their column in source.file.photoAttribute',
  );
});
