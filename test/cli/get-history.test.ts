import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkKstatus } from '../../src/api/kstatus.ts';
import { createCompany, createReadyCompany, makePeople, startApplication, toSyncText } from './company.ts';

describe('dirsync get', () => {
  it('prints the columns of kubectl get', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, {
      people: makePeople(6, () => ({ teams: 'Chess;Choir' })),
    });
    await company.apply();
    const { host } = new URL(directory.url);
    const table = (text: string): string[][] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/\s{2,}/));

    const [heading, row] = table((await company.run(['get', 'dsync'])).stdout);
    expect(heading).toEqual([
      'NAME',
      'READY',
      'STATUS',
      'SOURCE',
      'TARGET',
      'USERS',
      'TEAMS',
      'HELD',
      'LAST SYNC',
      'AGE',
    ]);
    expect(row).toEqual(['acme', 'True', 'Synced', 'file', host, '6', '3', '0', expect.stringMatching(/^\d+s$/)]);
    const [wide] = table((await company.run(['get', 'directorysyncs', '-o', 'wide'])).stdout);
    expect(wide?.slice(-4)).toEqual(['MODE', 'NEXT SYNC', 'FAILED', 'PLAN']);

    const all = (await company.run(['get'])).stdout;
    expect(all).toContain('directorysync.dirsync.dev/acme');
    expect(all).toContain('attributemapping.dirsync.dev/users');
    const rules = table((await company.run(['get', 'trule'])).stdout);
    expect(rules).toContainEqual(['teams-column', 'True', 'Synced', 'acme', '2', '12']);
    // What the spec leaves out is shown as the API server fills it in.
    expect(table((await company.run(['get', 'amap'])).stdout)[1]).toEqual(['users', 'True', 'Valid', 'User']);
  });

  it('prints the teams that are managed, and those that are empty', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, {
      people: makePeople(4, (index) => ({ teams: index === 1 ? 'Chess;Choir' : 'Chess' })),
    });
    await company.apply();
    await company.writePeople(makePeople(4, () => ({ teams: 'Chess' })));
    await company.apply();
    const { stdout } = await company.run(['get', 'teams']);
    expect(stdout.split('\n').map((line) => line.split(/\s{2,}/))).toEqual([
      ['NAME', 'MEMBERS', 'MADE BY'],
      ['Chess', '4', expect.stringMatching(/^rule /)],
      ['Choir', '0', 'rule teams-column'],
      ['Sales People', '4', 'rule sales'],
      [''],
    ]);
    const empty = JSON.parse((await company.run(['get', 'teams', '--empty', '-o', 'json'])).stdout);
    expect(empty).toEqual({
      teams: [
        {
          directorySync: 'default/acme',
          name: 'Choir',
          members: 0,
          rules: ['teams-column'],
          group: null,
          targetId: expect.any(String),
          externalId: 'dirsync:default/acme:choir',
        },
      ],
    });
    expect(parse((await company.run(['get', 'teams', ' CHESS', '-o', 'yaml'])).stdout).teams).toMatchObject([
      { name: 'Chess', members: 4 },
    ]);
    expect((await company.run(['get', 'teams', 'Chess', '--empty'])).stderr).toBe('no team is empty\n');
    expect(await company.run(['get', 'teams', 'Chss'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the state file knows no team "Chss"'),
    });
    expect(await company.run(['get', 'dsync', '--empty'])).toMatchObject({ code: 64 });
    expect(await company.run(['get', 'teams', '-f', 'manifests'])).toMatchObject({ code: 64 });
  });

  it('prints a mapping of teams with every entry of its preset', async () => {
    const company = await createCompany({
      'manifests/teams.yaml': `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: teams }
spec: { resource: Team, preset: EntraToSCIM, attributes: [{ target: description, source: description }] }
`,
    });
    const { stdout } = await company.run(['get', 'mapping', 'teams', '-f', 'manifests', '-o', 'yaml']);
    expect(parse(stdout).spec.attributes).toEqual([
      { target: 'displayName', source: 'source:displayName' },
      { target: 'externalId', source: 'source:id' },
      { target: 'description', source: 'description' },
    ]);
  });

  it('prints a mapping with every entry of its preset', async () => {
    const company = await createCompany({
      'manifests/acme.yaml': toSyncText({ url: 'https://app.example.com/scim/v2' }),
      'manifests/zoom.yaml': toSyncText({ url: 'https://app.example.com/scim/v2', name: 'zoom' }).replace(
        'scim: {',
        'scim: { profile: Zoom,',
      ),
      'manifests/users.yaml': `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: users }
spec:
  preset: EntraToSCIM
  attributes:
    - { target: TITLE, constant: Employee }
    - { target: preferredLanguage, omit: true }
`,
    });
    const { stdout, stderr, code } = await company.run(['get', 'mapping', 'users', '-f', 'manifests', '-o', 'yaml']);
    const { spec, status } = parse(stdout);
    expect(code).toBe(0);
    expect(stderr).toBe('users: the applications of zoom take other attributes of the preset\n');
    expect(status).toMatchObject({ preset: 'EntraToSCIM', usedBy: ['acme', 'zoom'] });
    expect(status.attributesUsed).toContain('userPrincipalName');
    expect(spec.preset).toBe('EntraToSCIM');
    expect(spec.attributes).toHaveLength(24);
    expect(spec.attributes[0]).toEqual({
      target: 'userName',
      source: 'source:userPrincipalName',
      matching: { precedence: 1 },
    });
    expect(spec.attributes.slice(-2)).toEqual([
      { target: 'TITLE', constant: 'Employee' },
      { target: 'preferredLanguage', omit: true },
    ]);
  });

  it('keeps to the rules of kstatus for every kind', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.apply();
    const { items } = JSON.parse((await company.run(['get', '-o', 'json'])).stdout);
    expect(items.map((item: { kind: string }) => item.kind)).toEqual([
      'DirectorySync',
      'AttributeMapping',
      'TeamRule',
      'TeamRule',
    ]);
    expect(items.flatMap(checkKstatus)).toEqual([]);
  });

  it('takes the folder as it is now, where one is given', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const before = await company.run(['get', 'amap', 'users', '-f', 'manifests', '-o', 'yaml']);
    expect(before.stdout).toContain('kind: AttributeMapping\n');
    expect(before.stdout).toContain('usedBy:\n    - acme\n');
    // To look makes nothing.
    await expect(company.read('.dirsync/state.db')).rejects.toThrow('ENOENT');
  });

  it('says what is wrong in the folder', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/sync.yaml', toSyncText({ url: directory.url, spec: '  limts: {}\n' }));
    expect(await company.run(['get', 'dsync', '-f', 'manifests'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^NAME .*\nacme +False +Invalid *\n$/),
      stderr: expect.stringMatching(
        /^manifests\/sync\.yaml:\d+:3 unknown field "spec\.limts"; did you mean "limits"\?\n$/,
      ),
    });
  });

  it('says what a run of the folder would stop at, and keeps what the last one found', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.apply();
    const mapping = await company.read('manifests/mapping.yaml');
    const ready = async () => {
      const { stdout } = await company.run(['get', 'dsync', 'acme', '-f', 'manifests', '-o', 'json']);
      const acme = JSON.parse(stdout);
      expect(checkKstatus(acme)).toEqual([]);
      const conditions: { type: string; status: string; reason: string; message: string }[] = acme.status.conditions;
      return { ...conditions.find(({ type }) => type === 'Ready'), users: acme.status.users.active };
    };
    expect(await ready()).toMatchObject({ status: 'True', reason: 'Synced' });
    await company.write(
      'manifests/mapping.yaml',
      mapping.replace('source: userName', 'expression: "Upper([userName]"'),
    );
    expect(await ready()).toMatchObject({ status: 'False', reason: 'Invalid', users: 6 });
    await company.write('manifests/mapping.yaml', mapping.replace('name: users', 'name: others'));
    expect(await ready()).toMatchObject({ status: 'False', reason: 'ReferenceNotFound' });
  });

  it('says what is not there', async () => {
    const company = await createReadyCompany('http://127.0.0.1:1/scim/v2');
    expect(await company.run(['get', 'pods'])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('there is no kind "pods"'),
    });
    expect(await company.run(['get', 'dsync', 'nobody', '-f', 'manifests'])).toMatchObject({
      code: 1,
      stderr: 'dirsync: there is no DirectorySync "nobody"\n',
    });
  });

  it.each([
    ['get', ['get', 'dsync']],
    ['get with a folder', ['get', 'dsync', '-f', 'manifests']],
    ['history', ['history']],
  ])('%s makes no state file of a name that was mistyped', async (_what, argv) => {
    const company = await createReadyCompany('http://127.0.0.1:1/scim/v2');
    expect(await company.run([...argv, '--state', 'keep/stat.db'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'dirsync: there is no state file keep/stat.db; name another one with --state, or make it with dirsync apply\n',
    });
    await expect(company.read('keep/stat.db')).rejects.toThrow('ENOENT');
  });
});

describe('dirsync history', () => {
  it('lists runs, and shows what became of every operation of one', async () => {
    const directory = await startApplication();
    const people = [...makePeople(2), { id: 'id-3', userName: '' }];
    const company = await createReadyCompany(directory.url, { people });
    expect((await company.apply()).code).toBe(4);
    const { stdout } = await company.run(['history', 'acme']);
    const [heading, row] = stdout.split('\n');
    expect(heading).toMatch(/^RUN +STARTED +TOOK +KIND +REASON +DONE +HELD +FAILED +REQUESTS/);
    expect(row).toMatch(/ Verify +SyncedWithErrors +\+5 +0 +1 +\d+/);
    const id = row?.split(' ')[0] ?? '';

    const run = (await company.run(['history', 'acme', id])).stdout;
    expect(run).toContain('error: User id-3: ');
    expect(run).toMatch(/ 1 {2}done {14}create User p1@corp\.example \(id-1\), is new in scope\n/);
    expect(run).toMatch(/ done {14}addMembers Team p2@corp\.example to Sales People /);
    expect((await company.run(['history', 'acme', 'last'])).stdout).toBe(run);
    expect((await company.run(['history', 'default/acme', id.slice(0, 18)])).stdout).toBe(run);
  });

  it('shows the temporary value of a swap where it went, before the two names', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.apply();
    const swapped = [2, 1];
    const people = makePeople(6, (index) => ({
      title: 'Lead',
      userName: `p${swapped[index - 1] ?? index}@corp.example`,
    }));
    await company.writePeople(people);
    await company.apply();
    const { stdout } = await company.run(['history', 'acme', 'last']);
    const lines = stdout.split('\n').filter((line) => line.includes('userName'));
    expect(lines).toEqual([
      expect.stringMatching(/done +update User .*, makes way for who swaps with it: userName "p1@\S+ → "dirsync-\w+@/),
      expect.stringMatching(/done +rename User .*: userName "p2@\S+ → "p1@/),
      expect.stringMatching(/done +rename User .*: userName "p1@\S+ → "p2@/),
    ]);
    expect(stdout.match(/^ +\d+ {2}done/gm)).toHaveLength(9);
  });

  it('knows a resource by its name after apply, and by its id', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { spec: '  id: first\n' });
    await company.apply();
    const byId = await company.run(['history', 'first']);
    expect(byId.stdout).toContain('Synced');
    expect((await company.run(['history', 'acme'])).stdout).toBe(byId.stdout);
    const unknown = await company.run(['history', 'nobody']);
    expect(unknown).toMatchObject({
      code: 1,
      stderr: 'dirsync: the state file knows no DirectorySync "nobody"; it has first\n',
    });
    expect(await company.run(['history', 'acme', 'x'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no run "x"'),
    });
  });
});

describe('several DirectorySyncs in one folder', () => {
  it('runs all of them, ends with the worst code, and prints a list as JSON', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const broken = toSyncText({ url: directory.url, name: 'broken' }).replace('people.csv', 'nobody.csv');
    await company.write('manifests/broken.yaml', broken);
    const plan = await company.run(['plan', '-f', 'manifests', '-o', 'json', '--detailed-exitcode']);
    expect(plan.code).toBe(1);
    const { items } = JSON.parse(plan.stdout);
    expect(items).toMatchObject([
      { directorySync: 'default/acme', reason: 'Planned', create: 6 },
      { directorySync: 'default/broken', reason: 'ReadFailed' },
    ]);
    const applied = await company.apply('-o', 'json');
    expect(applied.code).toBe(1);
    expect(JSON.parse(applied.stdout).items).toMatchObject([
      { users: { active: 6 } },
      { lastRun: { reason: 'ReadFailed' } },
    ]);
    expect(await company.run(['apply', 'acme', '-f', 'manifests', '--yes'])).toMatchObject({ code: 0 });
  });
});
