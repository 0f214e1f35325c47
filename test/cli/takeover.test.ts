import { describe, expect, it } from 'vitest';
import {
  createReadyCompany,
  MAPPING,
  makePeople,
  readTeams,
  readUsers,
  startApplication,
  toSyncText,
} from './company.ts';

/** The same people by the ids of another directory. */
const toOtherSource = (text: string): string =>
  text.replace('path: people.csv }', 'path: others.csv }, idAttribute: employee');

const OTHERS = makePeople(5)
  .map(({ userName }, index) => `hr-${index + 1},${userName},Sales,Agent,`)
  .join('\n');

describe('adoptFrom', () => {
  it('is shown by plan and told by apply and history; another source without it stops', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.apply();
    const ids = [...(await readUsers(directory)).values()].map(({ id }) => id);
    await company.write('manifests/others.csv', `employee,userName,department,title,teams\n${OTHERS}\n`);
    const sync = (spec: string) => toOtherSource(toSyncText({ url: directory.url, spec }));
    await company.write('manifests/sync.yaml', sync(''));
    const stopped = await company.apply();
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toBe(
      'acme: EndpointChanged: the source is another one than the 6 people and 1 teams were linked with: nothing was read or written. Put it back, or move on purpose: a new spec.id, with spec.adoptFrom to take them over\n',
    );

    await company.write('manifests/sync.yaml', sync('  id: acme-hr\n  adoptFrom: acmee\n'));
    const misspelt = await company.apply();
    expect([misspelt.code, misspelt.stderr]).toEqual([
      1,
      'acme: Invalid: spec.adoptFrom: "acmee" is an id that the state store does not know in this namespace: nothing was read or written. Check its spelling, and that this is the state store of that resource; take the field out to begin with what the target holds\n',
    ]);

    await company.write('manifests/sync.yaml', sync('  id: acme-hr\n  adoptFrom: acme\n'));
    await company.write('manifests/mapping.yaml', MAPPING.replace('source: id', 'source: employee'));
    const { writes } = directory.counts();
    const plan = await company.run(['plan', '-f', 'manifests']);
    expect(plan.code).toBe(0);
    expect(plan.stdout).toMatch(
      /^acme would take over the accounts of 6 people and 1 team of the id acme, which had another source: /,
    );
    expect(plan.stdout).toContain('Link again 5\n  + p1@corp.example');
    expect(plan.stdout).toContain('externalId: "id-1" → "hr-1"');
    const json = JSON.parse((await company.run(['plan', '-f', 'manifests', '-o', 'json'])).stdout);
    expect(json).toMatchObject({ recover: 5, update: 5, held: { count: 1, kinds: { recovered: 1 } } });
    expect(json.takenOver).toMatch(/^would take over the accounts/);
    expect(directory.counts().writes).toBe(writes);

    const applied = await company.apply();
    expect(applied.code).toBe(3);
    expect(applied.stdout).toMatch(/^acme: took over the accounts of 6 people and 1 team of the id acme, /);
    const users = await readUsers(directory);
    expect([...users.values()].map(({ id }) => id)).toEqual(ids);
    expect([...users.values()].map(({ externalId }) => externalId)).toEqual([
      ...['hr-1', 'hr-2', 'hr-3', 'hr-4', 'hr-5'],
      'id-6',
    ]);
    expect((await readTeams(directory))['Sales People']).toHaveLength(6);
    const history = await company.run(['history', 'acme', 'last']);
    expect(history.stdout).toContain('\ntook over the accounts of 6 people and 1 team of the id acme, ');
    const status = await company.status();
    expect(status.held).toMatchObject({ count: 1, kinds: { recovered: 1 } });
    const again = await company.apply();
    expect(again.stdout).not.toContain('took over');
    for (const name of ['acme', 'acme-hr', undefined]) {
      const { stdout } = await company.run(['history', ...(name === undefined ? [] : [name])]);
      // Those of both ids under one heading: synced, changed, planned twice, taken over and once more; what was invalid stays.
      expect(stdout.match(/Synced|EndpointChanged|Planned/g)?.sort()).toEqual([
        ...['EndpointChanged', 'Planned', 'Planned', 'Synced', 'Synced', 'Synced'],
      ]);
    }
  });
});
