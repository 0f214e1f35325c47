/** Mistakes that guards are there for, each story by the name that people give it. */
import { describe, expect, it } from 'vitest';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { aCompanyOf, type Company, createCompany, type Person } from '../support/company.ts';

const HOUR = 3_600_000;

const RESEARCH: TeamRuleSpec = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
  deletionPolicy: 'Delete',
};
/** A team for every value of `club`. */
const CLUBS: TeamRuleSpec = { directorySyncRef: { name: 'acme' }, teamsFrom: { attributes: ['club'] } };

type Guards = NonNullable<Company['spec']['guards']>;

interface World {
  readonly guards?: Guards;
  readonly rules?: Record<string, TeamRuleSpec>;
  readonly more?: (index: number) => Partial<Person>;
}

/** Everybody has an account and is in the teams of the rules; nothing is left to do. */
async function aConvergedCompany(people: number, { guards, rules, more }: World = {}): Promise<Company> {
  const company = await createCompany();
  company.spec = { ...company.spec, guards: { suspiciousDrop: 100, ...guards } };
  company.people = aCompanyOf(people, more as never);
  company.rules = rules ?? { research: RESEARCH };
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  return company;
}

function edit(company: Company, change: (person: Person, index: number) => Partial<Person>): void {
  company.people = company.people.map((person, index) => ({ ...person, ...change(person, index) }) as Person);
}

async function later(company: Company, hours: number): Promise<RunReport> {
  company.now = new Date(company.now.getTime() + hours * HOUR);
  return company.run();
}

function countActive({ target }: Company): number {
  return [...target.users.values()].filter(({ attributes }) => attributes['active'] !== false).length;
}

function teamSizes(company: Company): number[] {
  return [...company.target.teams.values()].map(({ members }) => members.size);
}

describe('filter typo', () => {
  it('takes everybody out of scope: all wait, and the corrected filter leaves nothing to do (I4)', async () => {
    const company = await aConvergedCompany(40);
    const { spec } = company;
    company.spec = {
      ...spec,
      scope: { filters: [[{ attribute: 'department', operator: 'Equals', value: 'Reserach' }]] },
    };
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { count: 40, kinds: { deactivate: 40 } } });
    expect(company.target.writes).toEqual([]);
    company.spec = spec;
    expect(await company.run()).toMatchObject({ outcome: 'synced', held: { count: 0, hash: '' } });
    expect(company.target.writes).toEqual([]);
  });
});

describe('admin removed from the source', () => {
  it('keeps account, name and teams while the admin is protected, whatever is approved (protectedUsers)', async () => {
    const company = await aConvergedCompany(40, { guards: { protectedUsers: ['P1@example.com'] } });
    company.people = company.people.slice(20);
    const held = await company.run();
    expect(held).toMatchObject({ people: { protected: 1 }, held: { kinds: { deactivate: 19 } } });
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'synced' });
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ active: true, userName: 'p1@example.com' });
    expect(company.teamMembers('Research')).toContain('p1@example.com');
    expect(countActive(company)).toBe(21);
  });
});

describe('a protected team', () => {
  const guards = {
    protectedTeams: [' RESEARCH '],
    keepAtLeast: 2,
    removeMembers: { percent: 100 },
    deleteTeams: { percent: 100 },
  };

  it('keeps so many members, whoever leaves, and more only when others have joined (protectedTeams)', async () => {
    const company = await aConvergedCompany(6, { guards });
    edit(company, () => ({ department: 'Sales' }));
    expect(await company.run()).toMatchObject({ outcome: 'synced', people: { protected: 2 } });
    expect(company.teamMembers('Research')).toHaveLength(2);
    company.target.writes.length = 0;
    expect(await company.run()).toMatchObject({ people: { protected: 2 } });
    expect(company.target.writes).toEqual([]);
    company.people = [...company.people, ...aCompanyOf(8).slice(6)];
    expect(await company.run()).toMatchObject({ people: { protected: 2 } });
    expect(company.teamMembers('Research')).toHaveLength(4);
    expect(await company.run()).toMatchObject({ people: { protected: 0 } });
    expect(company.teamMembers('Research')).toEqual(['p7@example.com', 'p8@example.com']);
  });

  it('counts whom the same run deletes: they are gone from it all the same (protectedTeams)', async () => {
    const company = await aConvergedCompany(6, { guards: { ...guards, delete: { percent: 100 } } });
    company.spec = { ...company.spec, deprovisioning: { deletedAtSource: 'Delete' } };
    company.people = company.people.slice(0, 4);
    edit(company, () => ({ department: 'Sales' }));
    const report = await company.run();
    expect(report).toMatchObject({ applied: { delete: 2, removeMembers: 2 }, people: { protected: 2 } });
    expect(company.teamMembers('Research')).toHaveLength(2);
  });

  it('is not deleted with its rule, and a name that no team has is a warning (protectedTeams)', async () => {
    const company = await aConvergedCompany(6, { guards: { ...guards, protectedTeams: ['Research', 'Reserach'] } });
    company.rules = {};
    const report = await company.run();
    expect(report).toMatchObject({ plan: { deleteTeams: 0, removeMembers: 4 }, people: { protected: 2 } });
    expect(report.warnings).toContainEqual({
      reason: 'UnresolvedProtectedTeam',
      message: 'names of guards.protectedTeams that no team has',
      count: 1,
    });
    expect(company.teamMembers('Research')).toHaveLength(2);
    company.spec = { ...company.spec, deletionPolicy: 'Delete' };
    await company.run({ deletion: true });
    expect(company.target.teams.size).toBe(1);
  });
});

describe('the account that the target is called with', () => {
  it('is never switched off, renamed or deleted, and a warning says so', async () => {
    const company = await aConvergedCompany(6);
    company.target.ownNames = ['P1@Example.com', 'u2'];
    edit(company, ({ mail }, index) => (index === 0 ? { mail: `new-${mail}` } : { active: index !== 1 }));
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', people: { protected: 2 }, plan: { rename: 0, deactivate: 0 } });
    expect(report.warnings).toContainEqual(expect.objectContaining({ reason: 'OwnAccount', count: 2 }));
    company.spec = { ...company.spec, deletionPolicy: 'Delete' };
    await company.run({ deletion: true });
    expect([...company.target.users.keys()]).toEqual(['u1', 'u2']);
  });

  it('is not taken over', async () => {
    const company = await createCompany();
    company.target.addUser({ userName: 'p1@example.com' });
    company.target.ownNames = ['p1@example.com'];
    company.people = aCompanyOf(2);
    expect(await company.run()).toMatchObject({ plan: { adopt: 0, create: 1 }, people: { protected: 1 } });
  });
});

describe('team emptied by a rule edit', () => {
  it('keeps its members until somebody has looked (I4)', async () => {
    const company = await aConvergedCompany(40);
    company.rules = {
      research: { ...RESEARCH, match: [{ attribute: 'department', operator: 'Equals', value: 'Reserach' }] },
    };
    const held = await company.run();
    expect(held).toMatchObject({ outcome: 'held', held: { kinds: { removeMembers: 40 } } });
    expect(company.teamMembers('Research')).toHaveLength(40);
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'synced' });
    expect(company.teamMembers('Research')).toEqual([]);
  });
});

describe('rule deleted by mistake', () => {
  it('deletes no team with its members: both wait, and the rule that is back leaves nothing to do (I4)', async () => {
    const company = await aConvergedCompany(40);
    company.rules = {};
    expect(await company.run()).toMatchObject({
      outcome: 'held',
      plan: { removeMembers: 40, deleteTeams: 1 },
      held: { kinds: { removeMembers: 41 } },
    });
    company.rules = { research: RESEARCH };
    expect(await later(company, 48)).toMatchObject({ outcome: 'synced', held: { count: 0 } });
    expect(company.target.writes).toEqual([]);
    expect(company.teamMembers('Research')).toHaveLength(40);
  });
});

describe('approval that arrives late', () => {
  const leave = async (): Promise<{ company: Company; all: readonly Person[]; hash: string }> => {
    const company = await aConvergedCompany(40);
    const all = company.people;
    company.people = all.slice(0, 30);
    return { company, all, hash: (await company.run()).held.hash };
  };

  it('releases what it names, days after, while that is what is held (I5)', async () => {
    const { company, hash } = await leave();
    edit(company, () => ({ title: 'Lead' }));
    company.rules = { ...company.rules, clubs: CLUBS };
    expect((await later(company, 96)).held).toMatchObject({ hash, count: 10 });
    expect(await company.run({ approve: hash })).toMatchObject({ outcome: 'synced', approval: { hash } });
    expect(countActive(company)).toBe(30);
  });

  it('releases nothing when somebody has joined the set meanwhile (I5)', async () => {
    const { company, all, hash } = await leave();
    company.people = all.slice(0, 29);
    expect(await company.run({ approve: hash })).toMatchObject({ outcome: 'stalled', reason: 'ApprovalMismatch' });
    expect(countActive(company)).toBe(40);
  });

  it('releases nothing when everybody is back and some leave again within the limits (I5)', async () => {
    const { company, all, hash } = await leave();
    company.people = [...all];
    await company.run();
    company.people = all.slice(0, 37);
    expect(await company.run({ approve: hash })).toMatchObject({ reason: 'ApprovalMismatch' });
    expect(countActive(company)).toBe(40);
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(countActive(company)).toBe(37);
  });
});

describe('an edit that renames everybody', () => {
  const toLogin = (company: Company): void => {
    const [, ...others] = company.mapping.attributes;
    company.mapping = {
      ...company.mapping,
      attributes: [{ target: 'userName', source: 'login', matching: { precedence: 1 } }, ...others],
    };
  };

  it('holds the names and nothing else (I4, I10)', async () => {
    const company = await aConvergedCompany(40, { more: (index) => ({ login: `login-${index}` }) });
    toLogin(company);
    edit(company, () => ({ title: 'Lead' }));
    const held = await company.run();
    expect(held).toMatchObject({ outcome: 'held', plan: { rename: 40, update: 40 }, held: { kinds: { rename: 40 } } });
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ userName: 'p1@example.com', title: 'Lead' });
    expect((await company.run()).held.hash).toBe(held.held.hash);
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'synced' });
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ userName: 'login-0', title: 'Lead' });
    // What was approved fills no window.
    edit(company, (_, index) => (index < 4 ? { login: `other-${index}` } : {}));
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { rename: 4 } });
  });

  it('is counted over runs: the sixth of a day waits (I4)', async () => {
    const company = await aConvergedCompany(20);
    for (const [from, to, outcome] of [
      [0, 3, 'synced'],
      [3, 5, 'synced'],
      [5, 6, 'held'],
    ] as const) {
      edit(company, ({ mail }, index) => (index >= from && index < to ? { mail: `new-${mail}` } : {}));
      expect(await later(company, 1)).toMatchObject({ outcome });
    }
  });
});

describe('an edit that reactivates the leavers of years', () => {
  it('lets nobody in, and into no team, until it is approved (I4)', async () => {
    const company = await aConvergedCompany(40, { rules: { research: RESEARCH } });
    edit(company, (_, index) => ({ active: index < 20 }));
    const gone = await company.run();
    await company.run({ approve: gone.held.hash });
    expect([countActive(company), company.teamMembers('Research').length]).toEqual([20, 20]);
    edit(company, () => ({ active: true, title: 'Lead' }));
    const held = await company.run();
    expect(held).toMatchObject({
      outcome: 'held',
      plan: { reactivate: 20, addMembers: 20, update: 40 },
      held: { count: 20, kinds: { reactivate: 20 } },
    });
    expect([countActive(company), company.teamMembers('Research').length]).toEqual([20, 20]);
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'synced' });
    expect([countActive(company), company.teamMembers('Research').length]).toEqual([40, 40]);
  });
});

describe('an edit that takes over existing accounts', () => {
  it('waits as a whole: they keep their values and their teams (I3, I4)', async () => {
    const company = await aConvergedCompany(10);
    for (let n = 11; n <= 40; n += 1) company.target.addUser({ userName: `p${n}@example.com`, title: 'Theirs' });
    company.people = aCompanyOf(40);
    const held = await company.run();
    expect(held).toMatchObject({ outcome: 'held', held: { count: 30, kinds: { adopt: 30 } } });
    expect(company.target.writes).toEqual([]);
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'synced' });
    expect(company.teamMembers('Research')).toHaveLength(40);
  });
});

describe('an edit that empties teams one after another', () => {
  /** Thirty clubs of four members each: within the floor of `removeMembers`, every one of them. */
  const aCompanyOfClubs = () =>
    aConvergedCompany(120, { rules: { clubs: CLUBS }, more: (index) => ({ club: `Club ${Math.floor(index / 4)}` }) });
  const leaveClubs = (company: Company, from: number, to: number): void =>
    edit(company, (_, index) => (index >= from * 4 && index < to * 4 ? { club: null } : {}));

  it('holds all of them, though each is small enough for its own guard (I4)', async () => {
    const company = await aCompanyOfClubs();
    leaveClubs(company, 0, 30);
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { count: 120, kinds: { deleteTeams: 120 } } });
    expect(teamSizes(company)).toEqual(Array.from({ length: 30 }, () => 4));
  });

  it('counts teams over runs, and a team once whatever run takes which member (I4)', async () => {
    const company = await aCompanyOfClubs();
    edit(company, (_, index) => (index < 20 && index % 4 < 2 ? { club: null } : {}));
    expect(await later(company, 1)).toMatchObject({ outcome: 'synced', plan: { removeMembers: 10 } });
    leaveClubs(company, 0, 5);
    expect(await later(company, 1)).toMatchObject({ outcome: 'synced', plan: { removeMembers: 10 } });
    leaveClubs(company, 5, 6);
    expect(await later(company, 1)).toMatchObject({ outcome: 'held', held: { count: 4, kinds: { deleteTeams: 4 } } });
    // Time alone releases nothing.
    expect(await later(company, 72)).toMatchObject({ outcome: 'held', held: { count: 4 } });
    expect(teamSizes(company).filter((size) => size === 0)).toHaveLength(5);
  });

  it('holds what would leave one member in each (I4)', async () => {
    const company = await aCompanyOfClubs();
    edit(company, (_, index) => (index % 4 === 0 ? {} : { club: null }));
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { count: 90, kinds: { deleteTeams: 90 } } });
  });
});

describe('guards.update', () => {
  const guards = { update: { max: 3 } };
  const touch = (company: Company, change: Partial<Person>, to: number, from = 0): void =>
    edit(company, (_, index) => (index >= from && index < to ? change : {}));

  it('counts a change of two attributes under both, and holds it for either (I4)', async () => {
    const company = await aConvergedCompany(40, { guards, rules: {} });
    touch(company, { title: 'Lead' }, 4);
    touch(company, { department: 'Sales' }, 2);
    // Four titles are one too many; the two people whose department changes too wait with the rest.
    const held = await company.run();
    expect(held).toMatchObject({ outcome: 'held', held: { count: 4, kinds: { update: 4 } } });
    touch(company, { title: 'Engineer' }, 4, 3);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { update: 3 } });
    touch(company, { department: 'Sales' }, 4, 2);
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { count: 2, kinds: { update: 2 } } });
  });

  it('is off by default', async () => {
    const company = await aConvergedCompany(40, { rules: {} });
    touch(company, { title: 'Lead', department: 'Sales' }, 40);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { update: 40 } });
    expect(await (await company.state()).ledger.removals(0)).toEqual([]);
  });
});

describe('guards.window', () => {
  it('ends after its time, and what went exactly so long ago still counts (I4)', async () => {
    const company = await aConvergedCompany(40, { guards: { window: '2h', deactivate: { max: 3 } } });
    const all = company.people;
    company.people = all.slice(0, 37);
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    company.people = all.slice(0, 36);
    expect(await later(company, 2)).toMatchObject({ outcome: 'held' });
    company.people = all.slice(0, 37);
    expect(await later(company, 1)).toMatchObject({ outcome: 'synced' });
    company.people = all.slice(0, 34);
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(countActive(company)).toBe(34);
  });
});

describe('the held set', () => {
  it('of any kind keeps its hash whatever else changes (I5)', async () => {
    const company = await aConvergedCompany(40, {
      guards: { rename: { max: 0 }, update: { max: 0 }, deactivate: { max: 0 }, removeMembers: { max: 0 } },
    });
    company.people = company.people.slice(0, 39);
    edit(company, ({ mail }, index) => {
      if (index === 0) return { mail: `new-${mail}` };
      if (index === 1) return { title: 'Lead' };
      return index === 2 ? { department: 'Sales' } : {};
    });
    const { held } = await company.run();
    expect(held.kinds).toEqual({ rename: 1, update: 2, deactivate: 1, removeMembers: 1 });
    company.people = [...company.people, ...aCompanyOf(50).slice(45)];
    company.rules = { ...company.rules, clubs: CLUBS };
    const after = await later(company, 30);
    expect(after).toMatchObject({ held: { hash: held.hash, count: held.count }, applied: { create: 5 } });
    expect(await company.run({ approve: held.hash })).toMatchObject({ outcome: 'synced' });
  });
});

describe('an approval whose run dies in the middle', () => {
  it('is neither lost nor widened: the rest goes, and who joined meanwhile waits (I5, I6)', async () => {
    const company = await aConvergedCompany(40, { more: (index) => ({ login: `login-${index}` }) });
    edit(company, ({ login }, index) => (index < 20 ? { mail: `${String(login)}@example.com` } : {}));
    const { held } = await company.run();
    expect(held).toMatchObject({ count: 20, kinds: { rename: 20 } });
    company.spec = { ...company.spec, limits: { concurrency: 1 } };
    let sent = 0;
    company.target.intercept = () => {
      sent += 1;
      if (sent > 12) throw new SyncError('TargetUnavailable', 'down');
    };
    expect(await company.run({ approve: held.hash })).toMatchObject({ outcome: 'waiting' });
    company.target.intercept = () => undefined;
    const renamed = (): number =>
      [...company.target.users.values()].filter(({ attributes }) => String(attributes['userName']).startsWith('login'))
        .length;
    expect(renamed()).toBeLessThan(20);
    edit(company, ({ login }, index) => (index >= 20 && index < 26 ? { mail: `${String(login)}@example.com` } : {}));
    const rest = await company.run();
    expect(rest).toMatchObject({ outcome: 'held', held: { count: 6, kinds: { rename: 6 } } });
    expect(renamed()).toBe(20);
    const operations = await company.operations(rest);
    expect(operations.filter(({ status }) => status === 'done').every(({ approved }) => approved)).toBe(true);
  });
});
