import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Directory } from '../../src/directory/server.ts';
import type { Json } from '../../src/model.ts';
import { fromScimSchemaResource } from '../../src/scim/schema.ts';
import { type Company, createCompany, startApplication, TOKEN } from '../cli/company.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:Group';

async function readSchema(name: string) {
  const schema = fromScimSchemaResource(
    JSON.parse(await readFile(join(EXAMPLES, 'application', name), 'utf8')) as Json,
  );
  if (schema === null) throw new Error(`${name} is no schema`);
  return schema;
}

/** The example with an application that has all that it wants, or only what RFC 7643 has. */
async function start(isPlain = false): Promise<{ company: Company; directory: Directory }> {
  const names = ['acme-group.schema.json', 'group-description.schema.json'];
  const directory = await startApplication({ schemas: isPlain ? [] : await Promise.all(names.map(readSchema)) });
  const files: Record<string, string> = {};
  for (const name of await readdir(join(EXAMPLES, 'groups'), { recursive: true })) {
    const text = await readFile(join(EXAMPLES, 'groups', name), 'utf8').catch(() => null);
    if (text === null) continue;
    files[`manifests/${name}`] = text
      .replace('http://127.0.0.1:8087/scim/v2', directory.url)
      .replaceAll('groups-token', TOKEN);
  }
  return { company: await createCompany(files), directory };
}

async function readGroups({ url }: Directory): Promise<ReadonlyMap<string, Record<string, Json>>> {
  const answer = await fetch(`${url}/Groups`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const { Resources: groups } = (await answer.json()) as { Resources: Record<string, Json>[] };
  return new Map(groups.map((group) => [String(group['externalId']), group]));
}

const membersOf = (group: Record<string, Json> | undefined): number =>
  (group?.['members'] as Json[] | undefined)?.length ?? 0;

async function regroup(
  { folder }: Company,
  change: (group: Record<string, Json>) => Record<string, Json>,
): Promise<void> {
  const path = join(folder, 'manifests', 'groups.json');
  const groups = JSON.parse(await readFile(path, 'utf8')) as Record<string, Json>[];
  await writeFile(path, JSON.stringify(groups.map(change)));
}

describe('examples/groups', () => {
  it('validates without a word, runs, and has nothing more to do', async () => {
    const { company, directory } = await start();
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    expect(await company.run(['test', 'manifests/tests/teams.yaml'])).toMatchObject({ code: 0 });
    const applied = await company.apply();
    expect([applied.code, applied.stderr]).toEqual([0, '']);

    const groups = await readGroups(directory);
    expect(groups.size).toBe(4);
    expect(groups.get('3f1c-eng')).toMatchObject({
      displayName: 'Engineering',
      description: 'Who builds it',
      schemas: expect.arrayContaining([ACME]),
      [ACME]: { costCentre: 4100, visibility: 'internal' },
    });
    // Zoe, and those of the group in it.
    expect(membersOf(groups.get('3f1c-eng'))).toBe(3);
    expect(groups.get('b2d9-fin')).toMatchObject({ displayName: 'Finance', description: 'Made by Dirsync' });
    // The mapping gives it the name of the other one.
    expect(groups.get('c8e4-fin')).toMatchObject({
      displayName: 'Finance (c8e4-fin)',
      [ACME]: { visibility: 'public' },
    });

    const { writes } = directory.counts();
    expect((await company.apply('--resync')).code).toBe(0);
    expect(directory.counts().writes).toBe(writes);
  });

  it('shows what a rename and an edit come to, and changes the team in one request', async () => {
    const { company, directory } = await start();
    await company.apply();
    await regroup(company, (group) =>
      group['id'] === '3f1c-eng'
        ? { ...group, displayName: 'SG-Platform', description: '', costCentre: 4200, members: group['members'] ?? [] }
        : group,
    );
    const planned = await company.run(['plan', '-f', 'manifests']);
    expect(planned.stdout).toContain(
      [
        '  ~ Platform  ',
        '      displayName: "Engineering" → "Platform"',
        '      description: "Who builds it" → nothing',
        `      ${ACME}:costCentre: 4100 → 4200`,
      ].join('\n'),
    );
    const { writes } = directory.counts();
    expect((await company.apply()).code).toBe(0);
    expect(directory.counts().writes).toBe(writes + 1);
    const group = (await readGroups(directory)).get('3f1c-eng');
    expect(group).toMatchObject({ displayName: 'Platform', [ACME]: { costCentre: 4200 } });
    expect(group).not.toHaveProperty('description');
    expect(membersOf(group)).toBe(3);
  });

  it('puts back what was changed by hand, and says so', async () => {
    const { company, directory } = await start();
    await company.apply();
    const id = String((await readGroups(directory)).get('77a0-sre')?.['id']);
    await fetch(`${directory.url}/Groups/${id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [
          { op: 'replace', path: 'description', value: 'mine' },
          { op: 'remove', path: `${ACME}:costCentre` },
        ],
      }),
    });
    const drift = await company.run(['drift', '-f', 'manifests']);
    expect(drift.stdout).toContain('Team Site Reliability');
    expect((await company.apply('--resync')).code).toBe(0);
    expect((await readGroups(directory)).get('77a0-sre')).toMatchObject({
      description: 'Who keeps it running',
      [ACME]: { costCentre: 4110 },
    });
  });

  it('says what an application does not list of its groups', async () => {
    const { company, directory } = await start(true);
    const applied = await company.apply();
    expect(applied.code).toBe(0);
    expect(applied.stderr).toContain('acme: warning: the target does not list "description"; it may drop it\n');
    expect(applied.stderr).toContain(`acme: warning: the target does not list the schema ${ACME}`);
    expect((await readGroups(directory)).get('3f1c-eng')).not.toHaveProperty('description');
  });
});
