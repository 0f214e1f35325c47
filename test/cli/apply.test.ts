import { describe, expect, it } from 'vitest';
import { createReadyCompany, makePeople, readTeams, readUsers, startApplication } from './company.ts';

describe('plan and apply', () => {
  it('plans, applies, and then has nothing to change', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);

    const planned = await company.run(['plan', '-f', 'manifests', '--detailed-exitcode']);
    expect(planned.stderr).toBe('');
    expect(planned.code).toBe(2);
    expect(planned.stdout).toContain('Create 6\n  + p1@corp.example');
    expect(planned.stdout).toContain('  + Sales People  new, 6 join');
    expect(planned.stdout).toContain('Plan: 6 to create, 1 team to create, 6 memberships to add.');
    expect(directory.counts().writes).toBe(0);

    const applied = await company.apply();
    expect(applied.stderr).toBe('');
    expect(applied.code).toBe(0);
    expect(applied.stdout).toMatch(
      /^acme: 6 created, 1 team created, 6 memberships added \(\d+ requests, [\d.]+ s\)\n$/,
    );
    expect([...(await readUsers(directory)).keys()].sort()).toEqual(makePeople(6).map(({ userName }) => userName));
    expect(Object.keys(await readTeams(directory))).toEqual(['Sales People']);

    const again = await company.run(['plan', '-f', 'manifests', '--detailed-exitcode']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('Nothing to change: 6 people and 1 team at 127.0.0.1:');
    const { conditions } = await company.status();
    expect(conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'True', reason: 'Synced' });
  });

  it('sends no write when it is applied a second time, a full verification included', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.apply();
    const { writes } = directory.counts();
    const second = await company.apply();
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('acme: nothing changes: 6 people and 1 team at 127.0.0.1:');
    expect((await company.apply('--resync')).code).toBe(0);
    expect(directory.counts().writes).toBe(writes);
  });

  it('plans with 4 when records failed, changes or not', async () => {
    const directory = await startApplication();
    const people = [...makePeople(2), { id: 'id-3', userName: '' }];
    const company = await createReadyCompany(directory.url, { people });
    for (const more of [[], ['--detailed-exitcode'], ['-o', 'json']]) {
      const { code, stdout } = await company.run(['plan', '-f', 'manifests', ...more]);
      expect(code).toBe(4);
      if (!more.includes('json')) expect(stdout).toContain('Left out because of errors 1\n  ! User id-3: ');
    }
    await company.apply();
    expect((await company.run(['plan', '-f', 'manifests', '--detailed-exitcode'])).code).toBe(4);
  });

  it('shows what changes from what to what, who leaves and why, and team by team', async () => {
    const directory = await startApplication();
    const people = makePeople(20, (index) => (index < 3 ? { teams: 'Chess' } : {}));
    const company = await createReadyCompany(directory.url, { people });
    await company.apply();

    const edited = people
      .filter(({ id }) => id !== 'id-20')
      .map((person) => {
        if (person.id === 'id-1') return { ...person, title: 'Manager', department: 'Support', teams: '' };
        if (person.id === 'id-2') return { ...person, userName: 'renamed@corp.example' };
        if (person.id === 'id-3') return { ...person, title: '', teams: 'Chess' };
        return person.id === 'id-4' ? { ...person, active: false } : person;
      });
    await company.writePeople([...edited, { id: 'id-21', userName: 'joiner@corp.example', title: 'Trainee' }]);
    const { stdout, code } = await company.run(['plan', '-f', 'manifests']);
    expect(code).toBe(0);
    const text = stdout.replace(/hash.*/g, '');
    expect(text).toContain('Create 1\n  + joiner@corp.example  Trainee, Sales\n');
    expect(text).toContain(
      '  ~ p1@corp.example\n      title: "Agent" → "Manager"\n      enterprise:department: "Sales" → "Support"\n',
    );
    expect(text).toContain('      userName: "p2@corp.example" → "renamed@corp.example"\n');
    expect(text).toContain('      title: "Agent" → nothing\n');
    expect(text).toContain('  - p4@corp.example   is disabled at the source\n');
    expect(text).toContain('  - p20@corp.example  is gone from the source\n');
    expect(text).toContain(
      '  ~ Chess  1 joins, 1 leaves\n      + p3@corp.example\n      - p1@corp.example  no longer by rule teams-column\n',
    );
    expect(text).toContain('Plan: 1 to create, 2 to update, 1 to rename, 2 to deactivate');

    expect((await company.apply()).code).toBe(0);
    expect(await readTeams(directory)).toMatchObject({ Chess: ['p3@corp.example', 'renamed@corp.example'] });
    const users = await readUsers(directory);
    expect(users.get('p20@corp.example')).toMatchObject({ active: false });
    expect(users.get('p4@corp.example')).toMatchObject({ active: false });
    expect(users.get('p3@corp.example')).not.toHaveProperty('title');
    expect((await company.run(['plan', '-f', 'manifests', '--detailed-exitcode'])).code).toBe(0);
  });

  it('shortens long lists and shows all of them on request', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(30) });
    const short = await company.run(['plan', '-f', 'manifests']);
    expect(short.stdout).toContain('… and 10 more; --all shows them');
    expect(short.stdout).not.toContain('externalId: "id-1"');
    const whole = await company.run(['plan', '-f', 'manifests', '--all']);
    expect(whole.stdout).not.toContain('more; --all');
    expect(whole.stdout).toContain('  + p30@corp.example');
    expect(whole.stdout).toContain('externalId: "id-1"');
  });

  it('prints the plan as JSON, with every operation, and the status after apply', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const plan = JSON.parse((await company.run(['plan', '-f', 'manifests', '-o', 'json'])).stdout);
    expect(plan).toMatchObject({
      directorySync: 'default/acme',
      reason: 'Planned',
      summary: '+13',
      create: 6,
      createTeams: 1,
      addMembers: 6,
      held: { count: 0, hash: '', kinds: {} },
      errors: [],
    });
    expect(plan.operations).toHaveLength(13);
    expect(plan.operations[0]).toMatchObject({
      kind: 'create',
      resource: 'User',
      id: 'id-1',
      targetId: 'new:id-1',
      name: 'p1@corp.example',
      cause: 'mapping',
      reason: 'is new in scope',
      held: null,
    });
    expect(plan.operations[0].changes).toContainEqual({ path: 'userName', after: 'p1@corp.example' });
    expect(plan.operations.at(-1)).toMatchObject({
      kind: 'addMembers',
      name: 'Sales People',
      targetId: 'new:rule:sales people',
      member: { sourceId: 'id-6', targetId: 'new:id-6' },
    });

    const status = JSON.parse((await company.apply('-o', 'json')).stdout);
    expect(status).toEqual(await company.status());
    expect(status).toMatchObject({ users: { active: 6 }, teams: { managed: 1, members: 6 }, held: { count: 0 } });
  });
});

describe('what guards hold', () => {
  async function createHeld() {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, {
      people: makePeople(20),
      spec: '  guards: { suspiciousDrop: 100 }\n',
    });
    await company.apply();
    await company.writePeople(makePeople(12));
    return { directory, company };
  }

  const hashOf = (text: string): string => /hash ([0-9a-f]{16})/.exec(text)?.[1] ?? 'none';

  it('ends with 3 while something is held, and with 0 after its approval', async () => {
    const { directory, company } = await createHeld();
    const { writes } = directory.counts();
    const held = await company.apply();
    expect(held.code).toBe(3);
    const hash = hashOf(held.stdout);
    expect(held.stdout).toContain(`approve: dirsync approve ${hash} -f manifests\n`);
    expect(directory.counts().writes).toBe(writes);
    expect((await company.status()).held).toMatchObject({ count: 8, hash, kinds: { deactivate: 8 } });
    const message = (await company.status()).conditions?.find(({ type }) => type === 'Held')?.message;
    expect(message).toContain('dirsync plan -f manifests;');

    const planned = await company.run(['plan', '-f', 'manifests']);
    expect(planned.stdout).toContain(
      `8 units (deactivate): more people than guards.deactivate lets go without approval`,
    );
    expect(planned.stdout).toContain('  ! deactivate p13@corp.example: is gone from the source\n');
    expect(hashOf(planned.stdout)).toBe(hash);
    expect(planned.stdout).toContain('Plan: 8 units held back.');

    const approved = await company.run(['approve', hash, '-f', 'manifests']);
    expect(approved.stderr).toBe('');
    expect(approved.code).toBe(0);
    expect(approved.stdout).toContain('acme: 8 deactivated, 8 memberships removed (');
    expect((await company.status()).held?.count).toBe(0);
    expect((await company.apply()).code).toBe(0);
    const { stdout } = await company.run(['history', 'acme']);
    expect(stdout).toContain(`${hash} by reviewer`);
  });

  it('takes the approval in apply as well', async () => {
    const { company } = await createHeld();
    const hash = hashOf((await company.run(['plan', '-f', 'manifests'])).stdout);
    expect((await company.apply('--approve', hash)).code).toBe(0);
  });

  it.each([
    { because: 'nothing is held by that name', command: ['approve', '0123456789abcdef', '-f', 'manifests'] },
    { because: 'the same in apply', command: ['apply', '-f', 'manifests', '--yes', '--approve', '0123456789abcdef'] },
  ])('refuses a wrong hash before the first write: $because', async ({ command }) => {
    const { directory, company } = await createHeld();
    await company.writePeople([...makePeople(12), { id: 'id-99', userName: 'joiner@corp.example' }]);
    await company.apply();
    await company.writePeople([...makePeople(12), { id: 'id-98', userName: 'another@corp.example' }]);
    const { writes } = directory.counts();
    const before = await company.status();
    const { code, stderr } = await company.run(command);
    expect(code).toBe(1);
    expect(stderr).toContain('the approval names no held set: what is held now has the hash');
    expect(directory.counts().writes).toBe(writes);
    expect(await company.status()).toEqual(before);
  });
});

describe('a read that cannot be trusted removes nobody', () => {
  async function createApplied(spec = '') {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(20), spec });
    await company.apply();
    return { directory, company, writes: directory.counts().writes };
  }

  it('I1: a file that breaks off is a failed read', async () => {
    const { directory, company, writes } = await createApplied();
    const text = await company.read('manifests/people.csv');
    await company.write('manifests/people.csv', text.slice(0, -30));
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^acme: ReadFailed: cannot read people.csv: /);
    expect(directory.counts().writes).toBe(writes);
    expect((await company.status()).conditions).toContainEqual(
      expect.objectContaining({ type: 'SourceRead', status: 'False', reason: 'ReadFailed' }),
    );
  });

  it('I1: a read without anybody is suspect, and everything it would remove waits', async () => {
    const { directory, company, writes } = await createApplied();
    await company.writePeople([]);
    const { code, stdout } = await company.apply();
    expect(code).toBe(3);
    expect(stdout).toContain('why:     the read has nobody, the last good one had 20');
    expect(directory.counts().writes).toBe(writes);
    expect((await company.status()).conditions).toContainEqual(
      expect.objectContaining({ type: 'Suspect', status: 'True', reason: 'SuspiciousDrop' }),
    );
  });

  it('I13: a column that is gone is unknown: nothing is cleared, nobody loses a team', async () => {
    const { directory, company, writes } = await createApplied();
    await company.writePeople(makePeople(20), { columns: ['id', 'userName', 'teams', 'active'] });
    const { code, stderr } = await company.apply();
    expect(code).toBe(0);
    expect(stderr.split('\n').filter((line) => line.includes('did not deliver'))).toEqual([
      'acme: warning: the read did not deliver "title": the entry for title changed no account, and new ones lack it',
      'acme: warning: the read did not deliver "department": the entry for urn:ietf:params:scim:schemas:extension:' +
        'enterprise:2.0:User:department changed no account, and new ones lack it; rule sales changed no team',
    ]);
    expect(directory.counts().writes).toBe(writes);
  });

  it('I13: nobody gets an account without a required value, and who has one keeps it', async () => {
    const { directory, company, writes } = await createApplied();
    const mapping = await company.read('manifests/mapping.yaml');
    await company.write('manifests/mapping.yaml', mapping.replace('source: title,', 'source: titel, required: true,'));
    await company.writePeople(makePeople(22));
    const { code, stderr } = await company.apply();
    expect(code).toBe(4);
    expect(stderr).toContain(
      'acme: warning: the read did not deliver "titel" (did you mean "title"?): ' +
        'the entry for title changed no account, and nobody new gets one\n',
    );
    expect(stderr).toContain('title is required and unknown: the account cannot be created (RecordInvalid)');
    expect(directory.counts().writes).toBe(writes);
  });
});

describe('modes', () => {
  it('reads and writes nothing while suspended, and says so', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { spec: '  suspend: true\n' });
    const applied = await company.apply();
    expect(applied).toMatchObject({ code: 0, stdout: 'acme is suspended: nothing was read or written\n' });
    expect((await company.status()).conditions).toContainEqual(expect.objectContaining({ reason: 'Suspended' }));
    const planned = await company.run(['plan', '-f', 'manifests']);
    expect(planned).toMatchObject({ code: 0, stdout: 'acme is suspended: nothing was read or written\n' });
    expect(directory.counts().byMethod).toEqual({});
  });

  it('publishes the plan and writes nothing with mode: Plan', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { spec: '  mode: Plan\n' });
    const { code, stdout } = await company.apply();
    expect(code).toBe(0);
    expect(stdout).toContain('Plan: 6 to create');
    expect(stdout).toContain('acme has mode: Plan, so nothing was written');
    expect(directory.counts().writes).toBe(0);
    expect((await company.status()).conditions).toContainEqual(expect.objectContaining({ reason: 'Planned' }));
  });
});

describe('apply on a terminal', () => {
  it('shows the plan and asks; anything but yes writes nothing', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const refused = await company.run(['apply', '-f', 'manifests'], { answers: ['y'], env: { NO_COLOR: '1' } });
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('Plan: 6 to create');
    expect(refused.stderr).toContain('Only "yes" does: ');
    expect(refused.stderr).toContain('acme: nothing was written');
    expect(directory.counts().writes).toBe(0);

    const accepted = await company.run(['apply', '-f', 'manifests'], { answers: ['yes'] });
    expect(accepted.code).toBe(0);
    expect(accepted.stdout).toContain('acme: 6 created');
    expect(accepted.stdout).toContain('\u001b[32m+\u001b[39m');
    expect(accepted.stderr).toContain('acme: applying 6 of 13');
    const again = await company.run(['apply', '-f', 'manifests'], { answers: [] });
    expect(again.code).toBe(0);
    expect(again.stderr).not.toContain('Only "yes"');
  });

  it('needs --yes where nobody can be asked', async () => {
    const company = await createReadyCompany('http://127.0.0.1:1/scim/v2');
    const { code, stderr } = await company.run(['apply', '-f', 'manifests']);
    expect(code).toBe(64);
    expect(stderr).toBe('dirsync: apply needs --yes where nobody can be asked\n');
  });
});
