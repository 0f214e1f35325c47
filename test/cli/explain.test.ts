import { describe, expect, it } from 'vitest';
import { toAttributeDefinition } from '../../src/scim/schema.ts';
import {
  type Company,
  createCompany,
  createReadyCompany,
  MAPPING,
  makePeople,
  SECRET,
  startApplication,
  TOKEN,
  toSyncText,
} from './company.ts';

const SCOPE = `  scope: { filters: [ [ { attribute: department, operator: In, values: [ Sales, Support ] }, { attribute: title, operator: IsNotNull } ] ] }
`;

/** With a clock that stands still, so that a slow machine tells of no progress. */
function runExplain(company: Company, user: string, ...more: string[]) {
  const at = new Date();
  return company.run(['explain', user, ...more, '-f', 'manifests'], { now: () => at });
}

async function explain(company: Company, user: string, code: number) {
  const result = await runExplain(company, user, '-o', 'json');
  expect([result.stderr, result.code]).toEqual(['', code]);
  return JSON.parse(result.stdout);
}

/** Everything that the text says behind the heading. */
async function tell(company: Company, user: string, heading: string): Promise<readonly string[]> {
  const { stdout } = await runExplain(company, user);
  const block = stdout.split('\n\n').find((each) => each.startsWith(`${heading}\n`));
  return block?.trimEnd().split('\n').slice(1) ?? [];
}

describe('explain', () => {
  it('tells every step of a joiner, and writes nothing', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(3), spec: SCOPE });
    const { code, stdout, stderr } = await runExplain(company, 'P2@Corp.Example');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`p2@corp.example (id-2), acme

Source
  a record (row 3), active

Scope
  in scope
  ✓ all of
    ✓ department In ["Sales", "Support"]  (department is "Sales")
    ✓ title IsNotNull  (title is "Agent")

Mappings
  userName = "p2@corp.example"  (users: source userName, matching 1)
  externalId = "id-2"  (users: source id, matching 2)
  title = "Agent"  (users: source title)
  enterprise:department = "Sales"  (users: source department)

Account
  none is linked, and none of the target matches

Teams
  ✓ Sales People  (rule sales)
    ✓ department In ["Sales"]  (department is "Sales")
  ✗ no team  (rule teams-column; teams has no value)

Plan
  create: is new in scope
    active: true
    externalId: "id-2"
    title: "Agent"
    enterprise:department: "Sales"
    userName: "p2@corp.example"
  add to Sales People: rule sales

Result
  the next run creates the account, adds them to Sales People
`);
    expect(directory.counts().writes).toBe(0);
  });

  it('shows the operations that plan shows', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(4), spec: SCOPE });
    await company.apply();
    const change = (index: number) => (index === 2 ? { department: 'HR' } : index === 3 ? { title: 'Boss' } : {});
    await company.writePeople(makePeople(3, change));
    const plan = JSON.parse((await company.run(['plan', '-f', 'manifests', '-o', 'json'])).stdout);
    for (const [id, state] of [
      ['id-1', 'InSync'],
      ['id-2', 'Pending'],
      ['id-3', 'Pending'],
      ['id-4', 'Pending'],
    ]) {
      const own = plan.operations.filter((each: { id: string; member: { sourceId: string } | null }) =>
        each.member === null ? each.id === id : each.member.sourceId === id,
      );
      const explained = await explain(company, id as string, 0);
      expect([explained.result.state, explained.operations]).toEqual([state, own]);
    }
  });

  it('names the clause that keeps somebody out, with the value that it read', async () => {
    const directory = await startApplication();
    const people = makePeople(2, (index) => (index === 2 ? { department: 'HR', title: '' } : {}));
    const company = await createReadyCompany(directory.url, { people, spec: SCOPE });
    const { result, scope, operations } = await explain(company, 'id-2', 0);
    expect(scope.presence).toBe('outOfScope');
    expect(operations).toEqual([]);
    expect(result).toEqual({
      state: 'OutOfScope',
      summary: 'not in scope, and nothing is left to do',
      reasons: [
        'department In ["Sales", "Support"] does not hold: department is "HR"',
        'title IsNotNull does not hold: title has no value',
        'no account is linked',
      ],
    });
  });

  it.each([
    ['cel', 'user.department == "Sales"', 'user.department == "Sales" does not hold: department is "HR"'],
    [
      'expression',
      'IIF(IsPresent([department]), "False", "True")',
      'IIF(IsPresent([department]), "False", "True") does not hold: department is "HR"',
    ],
  ])('tells of a scope by %s what it read', async (field, text, reason) => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, {
      people: makePeople(1, () => ({ department: 'HR' })),
      spec: `  scope: { ${field}: '${text}' }\n`,
    });
    expect((await explain(company, 'id-1', 0)).result.reasons[0]).toBe(reason);
  });

  it('names the held set with the command that approves it', async () => {
    const directory = await startApplication();
    const spec = '  guards: { deactivate: { max: 0 } }\n';
    const company = await createReadyCompany(directory.url, { people: makePeople(3), spec });
    await company.apply();
    await company.writePeople(makePeople(2));
    const plan = JSON.parse((await company.run(['plan', '-f', 'manifests', '-o', 'json'])).stdout);
    const { result, held } = await explain(company, 'p3@corp.example', 3);
    expect(held).toEqual({
      hash: plan.held.hash,
      by: ['deactivate'],
      approve: `dirsync approve ${plan.held.hash} -f manifests`,
    });
    expect(result.summary).toBe('held back until approved: deactivates the account, takes them out of Sales People');
    expect(result.reasons).toEqual([
      'the read of the source has no such record',
      'held by deactivate: more people than guards.deactivate lets go without approval',
      `approve: dirsync approve ${plan.held.hash} -f manifests`,
    ]);
  });

  it('names a conflict with its ids', async () => {
    const directory = await startApplication();
    const people = makePeople(3, (index) => (index === 3 ? { userName: 'p2@corp.example' } : {}));
    const company = await createReadyCompany(directory.url, { people });
    const several = await runExplain(company, 'p2@corp.example');
    expect([several.code, several.stdout, several.stderr]).toEqual([
      1,
      '',
      'acme: "p2@corp.example" names 2 people (source ids id-2, id-3); give one of the ids\n',
    ]);
    expect((await explain(company, 'id-3', 4)).result).toEqual({
      state: 'Failed',
      summary: 'not synced',
      reasons: ['User id-3: userName has the same value for id-3 and id-2: neither is guessed (Conflict)'],
    });
  });

  it('names accounts that match and are not taken over', async () => {
    const directory = await startApplication();
    const post = (body: object) =>
      fetch(`${directory.url}/Users`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
        body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], ...body }),
      });
    await post({ userName: 'p1@corp.example' });
    await post({ userName: 'other@corp.example', externalId: 'id-1' });
    const company = await createReadyCompany(directory.url, { people: makePeople(1) });
    const { account, result } = await explain(company, 'id-1', 4);
    expect(account.linked).toBeNull();
    expect(account.candidates.map(({ path, linkedTo }: { path: string; linkedTo: null }) => [path, linkedTo])).toEqual([
      ['userName', null],
      ['externalId', null],
    ]);
    expect(result.reasons[0]).toMatch(/^User id-1: 2 accounts of the target match .*: none is guessed \(Conflict\)$/);
  });

  it('names a record error, and the entry that it comes from', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(2) });
    await company.write(
      'manifests/mapping.yaml',
      `${MAPPING}    - { target: 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:since', source: title, required: true }\n`,
    );
    await company.write(
      'manifests/custom.yaml',
      `apiVersion: dirsync.dev/v1alpha1
kind: CustomAttribute
metadata: { name: since }
spec: { type: DateTime, path: 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:since' }
`,
    );
    const { result, mapping } = await explain(company, 'id-1', 4);
    expect(result.state).toBe('Failed');
    expect(result.reasons[0]).toContain('"Agent" is not a date');
    expect(mapping.find(({ end }: { end: { kind: string } }) => end.kind === 'failed').end.message).toContain(
      '"Agent" is not a date',
    );
  });

  it('tells what waits after a refusal, and tries nothing', async () => {
    const urn = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';
    const schema = {
      id: urn,
      name: 'Acme',
      description: '',
      attributes: [toAttributeDefinition('seat', 'Integer', '')],
    };
    const directory = await startApplication({ schemas: [schema] });
    const company = await createReadyCompany(directory.url, { people: makePeople(1) });
    await company.write('manifests/mapping.yaml', `${MAPPING}    - { target: '${urn}:seat', source: title }\n`);
    await company.write(
      'manifests/custom.yaml',
      `apiVersion: dirsync.dev/v1alpha1
kind: CustomAttribute
metadata: { name: seat }
spec: { path: '${urn}:seat' }
`,
    );
    expect((await company.apply()).code).toBe(4);
    const { writes } = directory.counts();
    const { result, operations } = await explain(company, 'id-1', 4);
    expect([result.state, operations]).toEqual(['Failed', []]);
    expect(result.reasons[0]).toMatch(
      /^User id-1: the target refused .*failed once; tried again after .*, or by hand\)/,
    );
    expect(directory.counts().writes).toBe(writes);
  });

  it('tells that two records have one id, and that an account is about to be taken over', async () => {
    const directory = await startApplication();
    const people = [...makePeople(2), { id: 'id-2', userName: 'again@corp.example' }];
    const company = await createReadyCompany(directory.url, { people });
    const twice = await explain(company, 'id-2', 4);
    expect([twice.source.duplicate, twice.mapping]).toEqual([true, []]);
    expect(twice.result.reasons).toEqual([
      'User id-2: two records have the id id-2 (row 3): neither is used (RecordInvalid)',
      'User id-2: two records have the id id-2 (row 4): neither is used (RecordInvalid)',
    ]);
    await fetch(`${directory.url}/Users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: 'P1@corp.example',
      }),
    });
    const { account, result } = await explain(company, 'id-1', 0);
    const [{ targetId }] = account.candidates;
    expect(result.summary).toBe(`the next run takes over the account ${targetId}, adds them to Sales People`);
  });

  it('says of an unknown attribute that the value and the membership stay', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(2) });
    await company.apply();
    await company.writePeople(makePeople(2), { columns: ['id', 'userName', 'title', 'teams', 'active'] });
    const { result, teams } = await explain(company, 'id-1', 0);
    expect(result).toEqual({
      state: 'InSync',
      summary: 'nothing to do: the account is as wanted',
      reasons: ['enterprise:department stays as it is: department is unknown (the read did not deliver it)'],
    });
    expect(teams.at(-1)).toMatchObject({
      rule: 'sales',
      verdict: 'frozen',
      message: 'the read did not deliver "department"',
    });
  });

  it('says of a scope by an unknown attribute that nothing changes', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(2), spec: SCOPE });
    await company.apply();
    await company.writePeople(makePeople(2), { columns: ['id', 'userName', 'title', 'teams', 'active'] });
    const { result } = await explain(company, 'id-1', 0);
    expect([result.state, result.reasons[0]]).toEqual([
      'Undecided',
      'department In ["Sales", "Support"] cannot be told: department is unknown (the read did not deliver it)',
    ]);
  });

  it('says of the protected that what would be done is not done', async () => {
    const directory = await startApplication();
    const spec = '  guards: { protectedUsers: [ p2@corp.example ] }\n';
    const company = await createReadyCompany(directory.url, { people: makePeople(2), spec });
    await company.apply();
    await company.writePeople(makePeople(1));
    expect((await explain(company, 'id-2', 0)).result).toEqual({
      state: 'Protected',
      summary: 'protected: what would be done is not done',
      reasons: [
        'the read of the source has no such record',
        'protected: named by guards.protectedUsers, or the target is called with this account',
      ],
    });
  });

  it('knows who is gone and who is inactive', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(3) });
    await company.apply();
    await company.writePeople(makePeople(2, (index) => (index === 2 ? { active: false } : {})));
    await company.apply();
    const gone = await explain(company, 'p3@corp.example', 0);
    expect(gone.result.state).toBe('Gone');
    expect(gone.result.reasons).toEqual([
      'the read of the source has no such record',
      `the account ${gone.account.linked.targetId} is deactivated already`,
    ]);
    const inactive = await explain(company, 'id-2', 0);
    expect(inactive.result.state).toBe('Inactive');
    expect(inactive.result.reasons[0]).toBe('the source says that the person is inactive');
  });

  it('tells which rule and which part of it grants a team', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(2) });
    await company.write(
      'manifests/more-rules.yaml',
      `apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: agents }
spec:
  directorySyncRef: { name: acme }
  team: { displayName: Agents }
  rule: 'user.jobTitle -eq "Agent" -and -not (user.department -in ["HR", "Sales"])'
  include: [ p2@corp.example ]
---
apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: boxed }
spec:
  directorySyncRef: { name: acme }
  team: { displayName: Boxed }
  everyone: true
  exclude: [ p2@corp.example ]
---
apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: inner }
spec:
  directorySyncRef: { name: acme }
  team: { displayName: Inner }
  match: [ { operator: IsInTeam, value: Agents } ]
---
apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: resting }
spec:
  directorySyncRef: { name: acme }
  suspend: true
  team: { displayName: Resting }
  cel: 'user.department == "Sales"'
`,
    );
    await company.write(
      'manifests/mapping.yaml',
      MAPPING.replace('source: title, onEmpty: Clear', 'expression: \'Join(" ", [title], [department])\''),
    );
    await company.write(
      'manifests/people.csv',
      'id,userName,department,title,jobTitle,teams\nid-2,p2@corp.example,Sales,Agent,Agent,"A;B"\n',
    );
    expect(await tell(company, 'id-2', 'Teams')).toEqual([
      '  ✓ Agents  (rule agents; named by include)',
      '    ✗ all of',
      '      ✓ user.jobTitle -eq "Agent"  (user.jobTitle is "Agent")',
      '      ✗ not',
      '        ✓ user.department -in ["HR", "Sales"]  (user.department is "Sales")',
      '  ✗ Boxed  (rule boxed; named by exclude)',
      '    ✓ everybody',
      '  ✓ A, B  (rule teams-column; teams is "A;B")',
      '  ✓ Inner  (rule inner)',
      '    ✓ IsInTeam "Agents"  (team "Agents" is true)',
      '  ✓ Sales People  (rule sales)',
      '    ✓ department In ["Sales"]  (department is "Sales")',
      '  ? Resting  (rule resting; stands still: membership stays as it is; the rule is suspended)',
    ]);
    expect((await tell(company, 'id-2', 'Mappings')).slice(2, 5)).toEqual([
      '  title = "Agent Sales"  (users: expression Join(" ", [title], [department]))',
      '    [title]  → "Agent"',
      '    [department]  → "Sales"',
    ]);
  });

  it('tells the groups of the source that give a team', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(2) });
    await company.write(
      'manifests/sync.yaml',
      toSyncText({ url: directory.url, spec: '  groups: { provision: All, exclude: [ Hidden ] }\n' }).replace(
        'users: { path: people.csv }',
        'users: { path: people.csv }, groups: { path: groups.csv }',
      ),
    );
    await company.write('manifests/groups.csv', 'id,displayName,members\ng1,Choir,id-1\ng2,Hidden,id-1\n');
    const { teams, operations } = await explain(company, 'id-1', 0);
    expect(teams.at(-1)).toEqual({
      rule: null,
      group: { id: 'g1', displayName: 'Choir' },
      verdict: 'grants',
      teams: [{ key: 'group:g1', displayName: 'Choir' }],
    });
    expect(operations.map(({ name }: { name: string }) => name)).toEqual(['p1@corp.example', 'Choir', 'Sales People']);
  });

  it('names the team that somebody else owns', async () => {
    const directory = await startApplication();
    await fetch(`${directory.url}/Groups`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName: 'Sales People',
      }),
    });
    const company = await createReadyCompany(directory.url, { people: makePeople(1) });
    const { result } = await explain(company, 'id-1', 4);
    expect(result.summary).toBe('not synced as a whole; the next run creates the account');
    expect(result.reasons[0]).toMatch(/^TeamRule sales: .* \(Conflict\)$/);
  });

  it('shows no value that an expression hides', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(1, () => ({ title: 'Secret' })) });
    await company.write(
      'manifests/mapping.yaml',
      MAPPING.replace('source: title, onEmpty: Clear', "expression: 'Redact([title])'"),
    );
    await company.write(
      'manifests/more-rules.yaml',
      `apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: titled }
spec:
  directorySyncRef: { name: acme }
  team: { displayName: Titled }
  match: [ { attribute: 'desired:title', operator: IsNotNull } ]
`,
    );
    const { stdout } = await runExplain(company, 'id-1', '-o', 'json');
    expect(stdout).not.toContain('Secret');
    expect(stdout).toContain('[Redact]');
  });

  it('says what the read had when nobody answers to the name, and fails', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(3) });
    const { code, stdout, stderr } = await runExplain(company, 'nobody@corp.example');
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      'acme: nobody has the source id, userName or mail address "nobody@corp.example": the read of the source is complete and has 3 people, and no account is linked to such a person\n',
    ]);
  });

  it('fails with the run: what cannot be read explains nobody', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/people.csv', 'id,userName\n"id-1');
    const { code, stdout, stderr } = await runExplain(company, 'id-1');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^acme: ReadFailed: /);
  });

  it('asks every DirectorySync of the folder, and prints those that know the person', async () => {
    const directory = await startApplication();
    const company = await createCompany({
      'manifests/sync.yaml': `${toSyncText({ url: directory.url })}---\n${toSyncText({ url: directory.url, name: 'other' }).replace('people.csv', 'others.csv')}`,
      'manifests/mapping.yaml': MAPPING,
      'manifests/secret.yaml': SECRET,
      'manifests/others.csv': 'id,userName,department,title\nx1,x1@corp.example,HR,Agent\n',
    });
    await company.writePeople(makePeople(2));
    const { code, stdout } = await runExplain(company, 'x1');
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'x1@corp.example (x1), other']);
    const both = await runExplain(company, 'id-1', 'other');
    expect([both.code, both.stdout]).toEqual([1, '']);
  });

  it('says that mode Plan writes nothing, and a suspended resource reads nothing', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(1), spec: '  mode: Plan\n' });
    expect((await explain(company, 'id-1', 0)).result.reasons).toEqual(['spec.mode is Plan: nothing is written']);
    await company.write('manifests/sync.yaml', toSyncText({ url: directory.url, spec: '  suspend: true\n' }));
    const { code, stderr } = await runExplain(company, 'id-1');
    expect([code, stderr]).toEqual([0, 'acme is suspended: nothing was read or written\n']);
  });
});
