import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../../src/api/attribute-mapping.ts';
import type { ScimProfileName } from '../../../src/api/providers.ts';
import { aPerson, createDialectCompany } from '../../support/dialect-company.ts';
import { APPLICATIONS, type Dialect, QUIRKS } from '../../support/dialects/dialect.ts';
import type { DialectServer } from '../../support/dialects/server.ts';

const ENTRIES: AttributeEntry[] = [
  { target: 'userName', source: 'login', matching: { precedence: 1 } },
  { target: 'externalId', source: 'id', matching: { precedence: 2 } },
  { target: 'displayName', source: 'displayName' },
  { target: 'name.givenName', source: 'givenName' },
  { target: 'name.familyName', source: 'surname' },
  { target: 'emails[type eq "work"].value', source: 'mail' },
  { target: 'title', source: 'title', onEmpty: 'Clear' },
  { target: 'phoneNumbers[type eq "mobile"].value', source: 'mobile', onEmpty: 'Clear' },
];

const NICKNAME = 'urn:ietf:params:scim:schemas:extension:Microsoft:Entra:2.0:User:mailNickname';

interface Case {
  readonly name: string;
  readonly profile: ScimProfileName;
  readonly dialect: Dialect;
}

const CASES: readonly Case[] = [
  ...Object.entries(APPLICATIONS).map(([name, dialect]) => ({ name, profile: name as ScimProfileName, dialect })),
  ...Object.entries(QUIRKS).map(([name, dialect]) => ({ name, profile: 'Standard' as const, dialect })),
];

async function aCompany({ dialect, profile }: Case) {
  const needsNickname = profile === 'MicrosoftEntra';
  const entries = needsNickname ? [...ENTRIES, { target: NICKNAME, source: 'login' }] : ENTRIES;
  const made = await createDialectCompany(dialect, profile, entries);
  const { company } = made;
  company.people = [1, 2, 3, 4].map((count) => aPerson(count));
  company.spec = { ...company.spec, guards: { deactivate: { percent: 100 }, delete: { percent: 100 } } };
  company.rules = {
    research: {
      directorySyncRef: { name: 'acme' },
      team: { displayName: 'Research Team' },
      match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
    },
  };
  return made;
}

async function getMemory(company: Awaited<ReturnType<typeof aCompany>>['company']): Promise<unknown> {
  return (await company.state()).facts.get('targetMemory');
}

/** Where accounts can be changed at all: what is kept has changed, what was cleared is gone. */
function expectChanged({ dialect }: Case, { users }: DialectServer): void {
  if (dialect.patchable !== null) return;
  const user = [...users.values()].find((each) => String(each['userName']) === 'user1');
  for (const [name, value] of Object.entries({ displayName: 'somebody else', title: 'director' })) {
    if (!dialect.dropped.includes(name)) expect(String(user?.[name]).toLowerCase()).toBe(value);
  }
  expect(user?.['phoneNumbers'] ?? []).toEqual([]);
}

const names = (...counts: number[]): string[] => counts.map((count) => `user${count}`);

describe.each(CASES)('a small company and $name', (each) => {
  const { dialect, profile } = each;
  const hasTeams = dialect.groups !== 'none';
  const outcome = hasTeams ? 'synced' : 'failed';

  it('converges, and is sent nothing that it refuses (T10); a second run and a look at everything write nothing (I2)', async () => {
    const { company, server, writes, active, members } = await aCompany(each);
    const first = await company.run();
    expect(await company.errors(first)).toEqual(hasTeams ? [] : [expect.stringContaining('no groups')]);
    expect(first.outcome).toBe(outcome);
    expect(active()).toEqual(names(1, 2, 3, 4));
    if (hasTeams) expect(members('Research Team')).toEqual(names(1, 2, 3, 4));
    writes();
    await company.run();
    expect(writes()).toEqual([]);
    company.now = new Date(company.now.getTime() + 2 * 86_400_000);
    const verified = await company.run();
    expect(verified.kind).toBe('Verify');
    expect(await company.errors(verified)).toEqual(hasTeams ? [] : [expect.stringContaining('no groups')]);
    expect(writes()).toEqual([]);
    if (profile !== 'Standard') expect(server.refused).toEqual([]);
  });

  it('a change reaches it, by requests that it takes (T10), and is settled then (T11)', async () => {
    const { company, server, writes, members } = await aCompany(each);
    await company.run();
    company.people = company.people.map((person, index) => {
      if (index === 0) return { ...person, title: 'Director', mobile: null, displayName: 'Somebody Else' };
      return index === 1 ? { ...person, department: 'Sales' } : person;
    });
    const changed = await company.run();
    expect(await company.errors(changed)).toEqual(hasTeams ? [] : [expect.stringContaining('no groups')]);
    expectChanged(each, server);
    if (hasTeams) expect(members('Research Team')).toEqual(names(1, 3, 4));
    writes();
    await company.run({ resync: true });
    const again = writes();
    await company.run();
    // A resync forgets what was observed, and may find it out again.
    if (profile !== 'Standard') expect(again).toEqual([]);
    expect(writes()).toEqual([]);
    if (profile !== 'Standard') expect(server.refused).toEqual([]);
  });

  it('a state store that is lost doubles nobody and removes nobody (I7)', async () => {
    const { company, server, active, members } = await aCompany(each);
    await company.run();
    const ids = [...server.users.keys()];
    await company.loseState();
    await company.run();
    expect([...server.users.keys()]).toEqual(ids);
    expect(active()).toEqual(names(1, 2, 3, 4));
    if (hasTeams) expect(members('Research Team')).toEqual(names(1, 2, 3, 4));
  });

  it('answers that get lost double nobody and lose nobody (I6)', async () => {
    const made = await aCompany(each);
    const { company, server, active, members } = made;
    made.losing = 'POST';
    await company.run();
    made.losing = null;
    await company.run();
    expect(server.users.size).toBe(4);
    made.losing = 'PATCH';
    company.people = company.people.map((person) => ({ ...person, title: 'Director' }));
    await company.run();
    made.losing = null;
    await company.run();
    await company.run();
    expect(active()).toEqual(names(1, 2, 3, 4));
    if (hasTeams) expect(members('Research Team')).toEqual(names(1, 2, 3, 4));
  });

  it('a leaver leaves, as it goes there, and comes back', async () => {
    const { company, server, active, writes } = await aCompany(each);
    await company.run();
    const everybody = company.people;
    company.people = everybody.slice(1);
    const left = await company.run();
    const removes = dialect.activeFalse === 'removes';
    expect(left.applied).toMatchObject(removes ? { delete: 1, deactivate: 0 } : { delete: 0, deactivate: 1 });
    expect(active()).toEqual(names(2, 3, 4));
    expect(server.users.size).toBe(removes ? 3 : 4);
    expect(await (await company.state()).ledger.removals(0)).toMatchObject([
      { kind: removes ? 'delete' : 'deactivate', count: 1 },
    ]);
    writes();
    await company.run({ resync: true });
    expect(active()).toEqual(names(2, 3, 4));
    company.people = everybody;
    const back = await company.run();
    expect(back.applied).toMatchObject(removes ? { create: 1 } : { reactivate: 1 });
    expect(active()).toEqual(names(1, 2, 3, 4));
    if (profile !== 'Standard') expect(server.refused).toEqual([]);
  });
});

describe('what a profile knows', () => {
  const profiled = async (profile: keyof typeof APPLICATIONS) => {
    const made = await aCompany({ name: profile, profile, dialect: APPLICATIONS[profile] });
    expect((await made.company.run()).outcome).toBe('synced');
    return made;
  };

  it('AWSIdentityCenter: a team is renamed, and its mark is written in letters that are taken', async () => {
    const { company, server, members } = await profiled('AWSIdentityCenter');
    const { research } = company.rules;
    if (research !== undefined) company.rules = { research: { ...research, team: { displayName: 'Science' } } };
    expect((await company.run()).outcome).toBe('synced');
    expect(members('Science')).toEqual(names(1, 2, 3, 4));
    expect(server.groups.size).toBe(1);
    const [group] = server.groups.values();
    expect(group?.['externalId']).toMatch(/^dirsync~3a.*~3ascience$/);
    await company.loseState();
    expect((await company.run()).applied).toMatchObject({ createTeams: 0 });
  });

  it('GitHubEnterprise: names that are kept in another form are swapped, also in a look at everything', async () => {
    const { company, server } = await profiled('GitHubEnterprise');
    const [first, second, ...others] = company.people;
    if (first === undefined || second === undefined) throw new Error('there must be two people');
    // Kept as `user1`.
    const [ada, bob] = ['user1@corp.example', 'user2@corp.example'];
    company.people = [{ ...first, login: ada }, { ...second, login: bob }, ...others];
    await company.run();
    company.people = [{ ...first, login: bob }, { ...second, login: ada }, ...others];
    expect((await company.run({ resync: true })).outcome).toBe('synced');
    expect(server.users.get(idOf(server, 'p1'))?.['userName']).toBe('user2');
    expect(server.users.get(idOf(server, 'p2'))?.['userName']).toBe('user1');
  });
});

const idOf = ({ users }: DialectServer, externalId: string): string =>
  [...users].find(([, user]) => user['externalId'] === externalId)?.[0] ?? '';

describe('what is noticed', () => {
  const quirk = (name: keyof typeof QUIRKS): Case => ({ name, profile: 'Standard', dialect: QUIRKS[name] });
  const warningsOf = async (each: Case): Promise<string[]> => {
    const { company } = await aCompany(each);
    return (await company.run()).warnings.map(({ reason, message }) => `${reason}: ${message}`);
  };

  it('nothing, where there is nothing to notice', async () => {
    expect(await warningsOf(quirk('plain'))).toEqual([]);
  });

  it.each(['drops attributes silently', 'drops attributes silently, without bodies'] as const)(
    '%s: once, in the status, with the path (T11)',
    async (name) => {
      expect(await warningsOf(quirk(name))).toEqual([
        expect.stringMatching(/^AttributeNotKept: the target does not keep phoneNumbers\[type eq "mobile"\]\.value: /),
        expect.stringMatching(/^AttributeNotKept: the target does not keep title: /),
      ]);
    },
  );

  it('an attribute that was dropped is written again when somebody has a value there', async () => {
    const { company, server, writes } = await aCompany(quirk('drops attributes silently'));
    await company.run();
    const [user] = server.users.values();
    if (user !== undefined) user['title'] = 'By hand';
    company.now = new Date(company.now.getTime() + 2 * 86_400_000);
    writes();
    const verified = await company.run();
    expect(verified.warnings.map(({ message }) => message).filter((message) => message.includes('title'))).toEqual([]);
    expect(writes()).toContain('PATCH /Users');
  });

  it('values in lower case: a warning, and no further write', async () => {
    expect(await warningsOf(quirk('values in lower case'))).toEqual(
      ['displayName', 'title'].map((path) => expect.stringContaining(`changes the case of ${path}`)),
    );
  });

  it.each(['members never returned', 'members always empty'] as const)('%s: a warning', async (name) => {
    expect(await warningsOf(quirk(name))).toEqual([expect.stringContaining('MembersNotShown')]);
  });

  it.each(['members never returned', 'members always empty'] as const)(
    '%s: a fresh look forgets nobody who is in a team, so who leaves is taken out of it (I13)',
    async (name) => {
      const { company, members } = await aCompany(quirk(name));
      await company.run();
      company.people = company.people.slice(1);
      expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced', applied: { deactivate: 1 } });
      expect(members('Research Team')).toEqual(names(2, 3, 4));
    },
  );

  const deleting = async (name: keyof typeof QUIRKS) => {
    const made = await aCompany(quirk(name));
    const { company } = made;
    company.spec = { ...company.spec, deprovisioning: { deletedAtSource: 'Delete' } };
    await company.run();
    const deletions = (): string[] => made.writes().filter((each) => each.startsWith('DELETE'));
    deletions();
    return { ...made, deletions };
  };

  it('DELETE not supported: tried once, then the policy Delete switches off, until it is tried again a week later', async () => {
    const { company, server, active, writes, deletions } = await deleting('DELETE not supported');
    company.people = company.people.slice(1);
    const refused = await company.run();
    expect(refused.outcome).toBe('failed');
    const next = await company.run();
    expect(next).toMatchObject({ outcome: 'synced', applied: { deactivate: 1 } });
    expect(next.warnings).toEqual([expect.objectContaining({ reason: 'DeletionRefused' })]);
    expect(active()).toEqual(names(2, 3, 4));
    writes();
    await company.run();
    expect(writes()).toEqual([]);
    expect(server.users.size).toBe(4);
    company.now = new Date(company.now.getTime() + 8 * 86_400_000);
    const again = await company.run();
    expect(again.warnings).toEqual([expect.objectContaining({ reason: 'DeletionRefused' })]);
    await company.run();
    expect(deletions()).toEqual(['DELETE /Users']);
    expect(server.users.size).toBe(4);
  });

  it('T7 DELETE forbidden for everybody: three errors, nothing sent for the others, and the next run switches off', async () => {
    const { company, active, deletions } = await deleting('DELETE forbidden');
    company.spec = { ...company.spec, limits: { concurrency: 1 } };
    company.people = [1, 2, 3, 4, 5, 6].map((count) => aPerson(count));
    await company.run();
    deletions();
    company.spec = { ...company.spec, guards: { ...company.spec.guards, suspiciousDrop: 100 } };
    company.people = company.people.slice(0, 1);
    const refused = await company.run();
    expect(await company.errors(refused)).toHaveLength(3);
    expect(deletions()).toHaveLength(3);
    expect(refused.warnings).toEqual([expect.objectContaining({ reason: 'DeletionRefused' })]);
    const next = await company.run();
    expect(next).toMatchObject({ outcome: 'synced', applied: { deactivate: 5 } });
    expect(active()).toEqual(names(1));
  });

  it('T7 DELETE forbidden for one account: an error of that one, and the others are deleted now and later', async () => {
    const { company, server } = await deleting('plain');
    const ownerId = [...server.users.keys()][0];
    server.intercept = ({ method, url }) =>
      method === 'DELETE' && url.endsWith(`/${ownerId}`) ? { status: 403, headers: {}, body: '{}' } : null;
    company.people = company.people.slice(2);
    const first = await company.run();
    expect(await company.errors(first)).toHaveLength(1);
    expect(first.warnings).toEqual([]);
    expect(server.users.size).toBe(3);
    company.people = company.people.slice(1);
    expect((await company.run()).warnings).toEqual([]);
    expect(server.users.size).toBe(2);
  });

  describe('members removed by values in the body', () => {
    const legacy = async (memberRemoval: Dialect['memberRemoval']) => {
      const dialect = { ...APPLICATIONS.MicrosoftStyleLegacy, memberRemoval };
      const made = await aCompany({ name: 'legacy', profile: 'MicrosoftStyleLegacy', dialect });
      await made.company.run();
      const patches = (): unknown[] =>
        made.server.requests
          .splice(0)
          .filter(({ method, url }) => method === 'PATCH' && url.includes('/Groups/'))
          .flatMap(({ body }) => (JSON.parse(body ?? '{}') as { Operations: unknown[] }).Operations);
      patches();
      const leave = async (count: number) => {
        made.company.people = made.company.people.map((person) =>
          person['login'] === `user${count}` ? { ...person, department: 'Sales' } : person,
        );
        return await made.company.run();
      };
      return { ...made, patches, leave };
    };

    it('T6 is what the old client of Entra sends, and is looked at once whether the others stay', async () => {
      const { company, server, members, patches, leave } = await legacy('named');
      await leave(1);
      const [id] = server.users.keys();
      expect(patches()).toEqual([{ op: 'Remove', path: 'members', value: [{ value: id }] }]);
      await leave(2);
      expect(members('Research Team')).toEqual(names(3, 4));
      expect(server.requests.filter(({ method, url }) => method === 'GET' && url.includes('/Groups/'))).toEqual([]);
      expect(await getMemory(company)).toMatchObject({ removesByValue: true });
    });

    it('T6 an application that takes RFC 7644 by the letter empties one team, once: all are put back', async () => {
      const { members, patches, leave, company, writes } = await legacy('all');
      const report = await leave(1);
      expect(members('Research Team')).toEqual(names(2, 3, 4));
      expect(report.warnings).toEqual([expect.objectContaining({ reason: 'MembersRemovedWhole' })]);
      expect(patches()).toMatchObject([{ op: 'Remove' }, { op: 'Add' }]);
      await leave(2);
      expect(members('Research Team')).toEqual(names(3, 4));
      expect(patches()).toMatchObject([{ op: 'Replace', path: 'members' }]);
      writes();
      await company.run();
      expect(writes()).toEqual([]);
    });

    it('T6 where they cannot be put back at once, the next run does it (I6)', async () => {
      const { company, server, members, leave } = await legacy('all');
      let removed = false;
      server.intercept = ({ method, body = '' }) => {
        if (method === 'PATCH' && body.includes('"Remove"')) removed = true;
        return removed && method === 'PATCH' && body.includes('"Add"')
          ? { status: 400, headers: {}, body: '{}' }
          : null;
      };
      await leave(1);
      expect(members('Research Team')).toEqual([]);
      server.intercept = null;
      await company.run();
      expect(members('Research Team')).toEqual(names(2, 3, 4));
    });
  });

  it('no PATCH: it is tried once, and never again in later runs', async () => {
    const { company, server } = await aCompany(quirk('no PATCH, although it is announced'));
    await company.run();
    company.people = company.people.map((person) => ({ ...person, title: 'Director' }));
    await company.run();
    expect(server.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
    expect([...server.users.values()].map((user) => user['title'])).toEqual(Array(4).fill('Director'));
  });

  it('cursor paging only, not announced: one account alone is a whole list, so a second one can be made', async () => {
    const { company, active } = await aCompany(quirk('cursor paging only, not announced'));
    const people = company.people;
    company.people = people.slice(0, 1);
    await company.run();
    company.people = people;
    expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced', applied: { create: 3 } });
    expect(active()).toEqual(names(1, 2, 3, 4));
  });

  it('few members in a request: the size that is taken is found, and kept', async () => {
    const { company, server, members } = await aCompany(quirk('few members in a request'));
    company.people = Array.from({ length: 100 }, (_, index) => aPerson(index + 1));
    await company.run();
    expect(members('Research Team')).toHaveLength(100);
    const tooLarge = (): number => server.refused.length;
    expect(tooLarge()).toBe(0);
    expect(await getMemory(company)).toMatchObject({ membersPerRequest: 25 });
  });
});
