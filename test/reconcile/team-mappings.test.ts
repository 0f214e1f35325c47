/** What mappings make of groups of the source, from the read to the target. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { AttributeChange, Json } from '../../src/model.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';
import type { ScriptedGroup } from '../support/scripted-source.ts';

const COST = 'urn:ietf:params:scim:schemas:extension:acme:2.0:Group:costCentre';

const ENG: ScriptedGroup = {
  id: 'g-eng',
  displayName: 'Engineering',
  members: ['p1', 'p2'],
  attributes: { description: 'Who builds it', mail: 'eng@corp.example', number: 17 },
};
const OPS: ScriptedGroup = {
  id: 'g-ops',
  displayName: 'Operations',
  members: ['p3'],
  attributes: { description: '', mail: 'ops@corp.example', number: 4 },
};

let company: Company;

beforeEach(async () => {
  company = await createCompany();
  company.people = aCompanyOf(6);
  company.source.groups = [ENG, OPS];
  const { source } = company.spec;
  company.spec = {
    ...company.spec,
    source: { file: { users: { path: 'people.csv' }, ...source.file, groups: { path: 'groups.json' } } },
    groups: { provision: 'All' },
    mappings: [{ name: 'users' }, { name: 'teams' }],
    guards: { removeMembers: { percent: 100 } },
  };
  company.customs = { 'cost-centre': { path: COST, type: 'Integer' } };
});

function mapTeams(...attributes: AttributeEntry[]): void {
  company.teamMapping = { resource: 'Team', attributes };
}

/** What the team of a group has, by the group's id. */
function teamOf(id: string, mark = id): Readonly<Record<string, Json>> | undefined {
  return [...company.target.teams.values()].find(({ attributes }) => attributes['externalId'] === mark)?.attributes;
}

function regroup(id: string, change: Partial<ScriptedGroup>): void {
  company.source.groups = (company.source.groups ?? []).map((group) =>
    group.id === id ? { ...group, ...change, attributes: { ...group.attributes, ...change.attributes } } : group,
  );
}

/** Two runs; nothing is left for the second (rule I2), whether it looks at the target or not. */
async function settle(): Promise<RunReport> {
  const first = await company.run();
  expect(first).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced' });
  expect(company.target.writes).toEqual([]);
  return first;
}

async function changesOf(
  report: RunReport,
): Promise<{ reason: string; cause: string; changes: readonly AttributeChange[] }[]> {
  const all = await company.operations(report);
  return all
    .filter(({ resource, kind }) => resource === 'Team' && kind === 'update')
    .map(({ reason, cause, changes }) => ({ reason, cause, changes }));
}

describe('a Team mapping', () => {
  it('fills a team in every form of an entry, and a second run writes nothing (I2)', async () => {
    mapTeams(
      { target: 'displayName', expression: 'Join(" ", "Acme", [displayName])' },
      { target: 'externalId', source: 'mail' },
      { target: 'description', source: 'description', default: 'none yet' },
      { target: 'cost_centre', cel: 'group.number + 100' },
    );
    await settle();
    expect(teamOf('g-eng', 'eng@corp.example')).toEqual({
      displayName: 'Acme Engineering',
      externalId: 'eng@corp.example',
      description: 'Who builds it',
      [COST]: 117,
    });
    expect(teamOf('g-ops', 'ops@corp.example')).toMatchObject({ description: 'none yet', [COST]: 104 });
    expect(company.teamMembers('Acme Engineering')).toEqual(['p1@example.com', 'p2@example.com']);
  });

  it('leaves name and mark to the group where it has no entry for them', async () => {
    mapTeams({ target: 'description', constant: 'from the directory' });
    await settle();
    expect(teamOf('g-eng')).toEqual({
      displayName: 'Engineering',
      externalId: 'g-eng',
      description: 'from the directory',
    });
  });

  it('OnCreate writes once, and a name of that kind stays', async () => {
    mapTeams(
      { target: 'displayName', source: 'displayName', apply: 'OnCreate' },
      { target: 'description', source: 'description', apply: 'OnCreate' },
    );
    await settle();
    regroup('g-eng', { displayName: 'Platform', attributes: { description: 'Anew' } });
    await settle();
    expect(teamOf('g-eng')).toMatchObject({ displayName: 'Engineering', description: 'Who builds it' });
  });

  it('says of a change what was there, what comes, and whose doing it is', async () => {
    mapTeams({ target: 'description', source: 'description' });
    await settle();
    regroup('g-eng', { attributes: { description: 'Who runs it' } });
    const report = await company.run();
    expect(await changesOf(report)).toEqual([
      {
        cause: 'group',
        reason: 'group g-eng',
        changes: [{ path: 'description', before: 'Who builds it', after: 'Who runs it' }],
      },
    ]);
    await settle();
    expect(teamOf('g-eng')?.['description']).toBe('Who runs it');
  });

  it('is followed by a rename, with the other values in the same request (I10)', async () => {
    mapTeams(
      { target: 'displayName', expression: 'ToUpper([displayName])' },
      { target: 'description', source: 'description' },
    );
    await settle();
    regroup('g-eng', { displayName: 'Platform', attributes: { description: 'Renamed' } });
    const report = await company.run();
    expect(report).toMatchObject({ applied: { updateTeams: 1, createTeams: 0, addMembers: 0, removeMembers: 0 } });
    expect(company.target.writes).toEqual([expect.stringMatching(/^updateTeam \S+ displayName description$/)]);
    await settle();
  });

  it('a value changed or removed by hand is drift, and is put back; an attribute without an entry is nobody’s', async () => {
    mapTeams({ target: 'description', source: 'description' }, { target: 'cost_centre', source: 'number' });
    await settle();
    const [team] = [...company.target.teams.values()];
    if (team === undefined) throw new Error('no team');
    team.attributes['description'] = 'by hand';
    team.attributes['nickName'] = 'mine';
    delete team.attributes[COST];
    const report = await company.run({ resync: true });
    expect(await changesOf(report)).toEqual([
      {
        cause: 'drift',
        reason: 'was changed in the target',
        changes: [
          { path: 'description', before: 'by hand', after: 'Who builds it' },
          { path: COST, after: 17 },
        ],
      },
    ]);
    expect(report.drift).toMatchObject({ attributes: 2, memberships: 0, missing: 0 });
    expect(teamOf('g-eng')).toMatchObject({ description: 'Who builds it', [COST]: 17, nickName: 'mine' });
  });

  it.each([
    ['Report', 'by hand'],
    ['Repair', 'Who builds it'],
  ] as const)('drift.policy %s leaves %j there', async (policy, expected) => {
    mapTeams({ target: 'description', source: 'description' });
    company.spec = { ...company.spec, drift: { policy } };
    await settle();
    for (const team of company.target.teams.values())
      if (team.attributes['externalId'] === 'g-eng') team.attributes['description'] = 'by hand';
    await company.run({ resync: true });
    expect(teamOf('g-eng')?.['description']).toBe(expected);
  });

  it.each([
    ['Keep', 'Who builds it'],
    ['Clear', undefined],
  ] as const)('onEmpty %s: a value that is empty at the source leaves %j', async (onEmpty, expected) => {
    mapTeams({ target: 'description', source: 'description', onEmpty });
    await settle();
    regroup('g-eng', { attributes: { description: null } });
    await settle();
    expect(teamOf('g-eng')?.['description']).toBe(expected);
  });

  it('a default that stands in for an empty value is not cleared by the next run', async () => {
    mapTeams({ target: 'description', source: 'description', default: 'none yet', onEmpty: 'Clear' });
    await settle();
    expect(teamOf('g-ops')?.['description']).toBe('none yet');
  });

  it('I8 a group whose values do not fit is an error of its own, and its team stays', async () => {
    mapTeams({ target: 'cost_centre', source: 'number', required: true });
    await settle();
    regroup('g-eng', { displayName: 'Platform', members: [], attributes: { number: 'many' } });
    regroup('g-ops', { displayName: 'Ops' });
    const report = await company.run();
    expect(await company.errors(report)).toEqual([
      'g-eng RecordInvalid: attribute "cost_centre": "many" is not a whole number; expected digits, such as 42',
    ]);
    expect(teamOf('g-eng')).toMatchObject({ displayName: 'Engineering', [COST]: 17 });
    expect(company.teamMembers('Engineering')).toHaveLength(2);
    expect(teamOf('g-ops')?.['displayName']).toBe('Ops');
  });

  it('an error of an attribute that is not required holds back that attribute alone', async () => {
    mapTeams({ target: 'cost_centre', source: 'number' });
    await settle();
    regroup('g-eng', { displayName: 'Platform', attributes: { number: 'many' } });
    const report = await company.run();
    expect(await company.errors(report)).toHaveLength(1);
    expect(teamOf('g-eng')).toMatchObject({ displayName: 'Platform', [COST]: 17 });
  });

  it('I13 what the read of groups does not deliver changes no team, and is a warning', async () => {
    mapTeams({ target: 'description', source: 'descriptoin', onEmpty: 'Clear' });
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', applied: { createTeams: 2 } });
    expect(report.warnings).toContainEqual({
      reason: 'UnknownAttribute',
      message:
        'the read of groups did not deliver "descriptoin" (did you mean "description"?): the entry for description changed no team',
    });
    expect(teamOf('g-eng')).not.toHaveProperty('description');
  });

  it('I13 a name that is unknown makes no team, and keeps that of a team that is there', async () => {
    mapTeams({ target: 'displayName', source: 'title' });
    company.source.groups = [{ ...ENG, attributes: { title: 'The Engineers' } }];
    await settle();
    company.source.groups = [ENG, OPS];
    await company.run();
    expect(teamOf('g-eng')?.['displayName']).toBe('The Engineers');
    expect(teamOf('g-ops')).toBeUndefined();
  });

  it('IgnoreObjectFlow leaves a group’s team alone', async () => {
    mapTeams({ target: 'description', expression: 'IIF([number] = 4, IgnoreObjectFlow, [description])' });
    await settle();
    expect(teamOf('g-eng')?.['description']).toBe('Who builds it');
    expect(teamOf('g-ops')).toBeUndefined();
  });

  it('a name that it gives two groups is one team’s alone, whoever of them comes first', async () => {
    mapTeams({ target: 'displayName', constant: 'Everybody' });
    await settle();
    const names = (): Json[] =>
      [...company.target.teams.values()].map(({ attributes }) => attributes['displayName'] ?? '');
    expect(names()).toEqual(['Everybody', 'Everybody (g-ops)']);
    company.source.groups = [OPS, ENG];
    await settle();
    expect(names()).toEqual(['Everybody', 'Everybody (g-ops)']);
  });

  it('takes over a team of its name with values, defaults where it has none', async () => {
    company.spec = { ...company.spec, adoptTeams: true };
    company.target.addTeam('Engineering').attributes['description'] = 'old';
    company.target.addTeam('Operations').attributes['description'] = 'kept';
    mapTeams({ target: 'description', source: 'description', default: 'none yet' });
    await settle();
    expect(teamOf('g-eng')?.['description']).toBe('Who builds it');
    expect(teamOf('g-ops')?.['description']).toBe('kept');
  });

  it('I7 a lost store writes no value again that is there', async () => {
    mapTeams({ target: 'description', source: 'description' });
    await settle();
    await company.loseState();
    await company.run();
    expect(company.target.writes).toEqual([]);
    await settle();
  });

  it('I1 an attribute of groups that lost most of its values makes the read suspect', async () => {
    company.source.groups = Array.from({ length: 9 }, (_, n) => ({ ...ENG, id: `g-${n}`, displayName: `Group ${n}` }));
    company.spec = { ...company.spec, guards: { ...company.spec.guards, floor: 3 } };
    mapTeams({ target: 'description', source: 'description', onEmpty: 'Clear' });
    await settle();
    for (const n of [0, 1, 2]) regroup(`g-${n}`, { attributes: { description: null } });
    expect(await company.run(), 'three are not more than the floor').toMatchObject({
      suspicion: null,
      plan: { updateTeams: 3 },
    });
    for (const n of [3, 4, 5, 6]) regroup(`g-${n}`, { attributes: { description: '' } });
    expect(await company.run()).toMatchObject({
      suspicion: '2 groups have a value for "description", in the last good read 6 had',
    });
    expect(teamOf('g-4')?.['description']).toBe('Who builds it');
    company.source.groups = company.source.groups.map((group) => ({ ...group, attributes: {} }));
    expect(await company.run(), 'what is gone altogether is unknown (I13)').toMatchObject({ suspicion: null });
    expect(teamOf('g-4')?.['description']).toBe('Who builds it');
  });

  it('I1 a suspect read clears no value of a team', async () => {
    mapTeams({ target: 'description', source: 'description', onEmpty: 'Clear' });
    await settle();
    company.people = [];
    regroup('g-eng', { attributes: { description: null } });
    expect(await company.run()).toMatchObject({ outcome: 'waiting' });
    expect(teamOf('g-eng')?.['description']).toBe('Who builds it');
  });
});
