import { describe, expect, it } from 'vitest';
import { checkKstatus } from '../../src/api/kstatus.ts';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import { writeDependents } from '../../src/reconcile/dependents.ts';
import { aCompanyOf } from '../support/company.ts';
import { ACME, createLoopWorld, type LoopWorld, MINUTE } from '../support/loop-world.ts';
import { NAMESPACE } from '../support/memory-host.ts';

function aRule(name: string, spec: Partial<TeamRuleSpec> = {}) {
  return {
    apiVersion: 'dirsync.dev/v1alpha1' as const,
    kind: 'TeamRule' as const,
    metadata: { name, namespace: NAMESPACE },
    spec: {
      directorySyncRef: { name: 'acme' },
      team: { displayName: 'Research' },
      match: [{ attribute: 'department', operator: 'Equals' as const, value: 'Research' }],
      ...spec,
    },
  };
}

function aCustom(name: string, spec: object = { path: 'nickName' }) {
  const metadata = { name, namespace: NAMESPACE };
  return { apiVersion: 'dirsync.dev/v1alpha1', kind: 'CustomAttribute', metadata, spec } as never;
}

type Described = 'TeamRule' | 'AttributeMapping' | 'CustomAttribute';

/** Conditions of one resource, each as `Type=Status Reason`, and the message of the main one. */
function look({ host }: LoopWorld, kind: Described, name: string): { conditions: string[]; message: string } {
  const resource = host.get(kind, name);
  expect(checkKstatus(resource)).toEqual([]);
  const conditions = resource?.status?.conditions ?? [];
  const main = conditions.find(({ type }) => type === 'Ready' || type === 'Valid');
  return {
    conditions: conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    message: main?.message ?? '',
  };
}

/** The loop has run, and the statuses of rules and mappings have followed. */
async function aRunningWorld(prepare: (world: LoopWorld) => void = () => undefined): Promise<LoopWorld> {
  const world = await createLoopWorld();
  world.putSync();
  prepare(world);
  await world.start();
  await world.advance(1_000);
  return world;
}

describe('a TeamRule', () => {
  it('is ready when a run has taken account of it, with its teams and members', async () => {
    const world = await aRunningWorld(({ host }) => host.put(aRule('research')));
    expect(look(world, 'TeamRule', 'research').conditions).toEqual(['Ready=True Synced']);
    expect(world.host.get('TeamRule', 'research')?.status).toMatchObject({
      observedGeneration: 1,
      teams: 1,
      members: 10,
      conflicts: 0,
      lastChange: '2026-03-01T09:00:00Z',
    });
    world.company.people = world.company.people.map((person, at) =>
      at < 2 ? { ...person, department: 'Sales' } : person,
    );
    await world.advance(40 * MINUTE);
    await world.advance(1_000);
    expect(world.host.get('TeamRule', 'research')?.status).toMatchObject({
      members: 8,
      lastChange: '2026-03-01T09:40:01Z',
    });
    await world.advance(40 * MINUTE);
    expect(world.host.get('TeamRule', 'research')?.status).toMatchObject({ lastChange: '2026-03-01T09:40:01Z' });
  });

  it('is not ready before, nor after an edit that no run has seen', async () => {
    const world = await createLoopWorld({ spec: { settle: '5m' } });
    world.company.readError = new Error('boom');
    world.putSync();
    world.host.put(aRule('research'));
    await world.start();
    const waits = 'no run of DirectorySync acme has taken account of it yet';
    const progressing = ['Ready=Unknown Progressing', 'Reconciling=True Progressing'];
    expect(look(world, 'TeamRule', 'research')).toEqual({ conditions: progressing, message: waits });
    world.company.readError = null;
    await world.advance(5_000);
    expect(look(world, 'TeamRule', 'research').conditions).toEqual(['Ready=True Synced']);
    world.host.put(aRule('research', { include: ['p1'] }));
    await world.settle();
    await world.advance(1_000);
    expect(look(world, 'TeamRule', 'research')).toEqual({ conditions: progressing, message: waits });
    // Also for who starts anew meanwhile.
    await world.restart();
    expect(look(world, 'TeamRule', 'research').conditions).toEqual(['Ready=True Synced']);
  });

  it('without its DirectorySync waits for it', async () => {
    const world = await createLoopWorld();
    world.host.put(aRule('research'));
    await world.start();
    expect(look(world, 'TeamRule', 'research')).toEqual({
      conditions: ['Ready=False ReferenceNotFound', 'Reconciling=True ProgressingWithRetry'],
      message: 'DirectorySync acme does not exist in this namespace',
    });
    world.putSync();
    await world.settle();
    await world.advance(1_000);
    expect(look(world, 'TeamRule', 'research').conditions).toEqual(['Ready=True Synced']);
    world.host.remove(ACME);
    await world.settle();
    await world.advance(1_000);
    expect(look(world, 'TeamRule', 'research').conditions[0]).toBe('Ready=False ReferenceNotFound');
  });

  it.each([
    ['breaks its schema', { team: undefined }, 'spec: '],
    [
      'names an attribute that nobody has',
      { match: [{ attribute: 'custom:nope', operator: 'IsTrue' as const }] },
      'spec.match: there is no CustomAttribute',
    ],
  ])('that %s is stalled, and hinders nothing else', async (_what, spec, message) => {
    const world = await aRunningWorld(({ host }) => {
      host.put(aRule('broken', spec as never));
      host.put(aRule('good'));
    });
    const broken = look(world, 'TeamRule', 'broken');
    expect(broken.conditions).toEqual(['Ready=False Invalid', 'Stalled=True Invalid']);
    expect(broken.message).toContain(message);
    expect(look(world, 'TeamRule', 'good').conditions).toEqual(['Ready=True Synced']);
  });

  it('says that somebody else has the name of its team, without naming it', async () => {
    const world = await createLoopWorld();
    world.company.target.addTeam('Research');
    world.putSync();
    world.host.put(aRule('research'));
    await world.start();
    expect(look(world, 'TeamRule', 'research')).toEqual({
      conditions: ['Ready=False Conflict', 'Reconciling=True ProgressingWithRetry'],
      message: 'the target has teams of the same name that are not its own (1); dirsync history names them',
    });
    expect(world.host.get('TeamRule', 'research')?.status?.conflicts).toBe(1);
    // A run that ended before it came to rules says nothing of them.
    world.company.readError = new Error('boom');
    await world.advance(40 * MINUTE);
    expect(look(world, 'TeamRule', 'research').conditions[0]).toBe('Ready=False Conflict');
    world.company.readError = null;
    world.company.target.teams.clear();
    await world.advance(5_000);
    expect(look(world, 'TeamRule', 'research').conditions).toEqual(['Ready=True Synced']);
  });

  it('says that operations on its teams wait, or failed', async () => {
    const world = await aRunningWorld(({ host }) => host.put(aRule('research')));
    world.company.people = world.company.people.map((person, at) =>
      at < 9 ? { ...person, department: 'Sales' } : person,
    );
    await world.advance(40 * MINUTE);
    expect(look(world, 'TeamRule', 'research')).toEqual({
      conditions: ['Ready=True SyncedWithHeld'],
      message: 'operations on its teams wait for approval (9)',
    });
    world.company.people = [...aCompanyOf(11)];
    world.company.target.intercept = (line) => {
      if (line.startsWith('changeMembers')) throw new SyncError('TargetRejected', 'the target refused the request');
    };
    await world.advance(40 * MINUTE);
    expect(look(world, 'TeamRule', 'research')).toEqual({
      conditions: ['Ready=True SyncedWithErrors'],
      message: 'operations on its teams failed (1); dirsync history names them',
    });
  });

  it('that is suspended keeps its teams as they are', async () => {
    const world = await aRunningWorld(({ host }) => host.put(aRule('research', { suspend: true })));
    expect(look(world, 'TeamRule', 'research').conditions).toEqual(['Ready=True Suspended']);
  });
});

describe('an AttributeMapping', () => {
  it('is valid, and says what it alone reads and who uses it', async () => {
    const world = await aRunningWorld(({ host, company }) => {
      const more = { name: 'more', namespace: NAMESPACE };
      const attributes = [
        { target: 'nickName', expression: 'Join(" ", [givenName], [source:surname])' },
        { target: 'displayName', source: 'title' },
      ];
      host.put({ apiVersion: 'dirsync.dev/v1alpha1', kind: 'AttributeMapping', metadata: more, spec: { attributes } });
      host.put({ ...company.resource(), spec: { ...company.spec, mappings: [{ name: 'users' }, { name: 'more' }] } });
    });
    expect(look(world, 'AttributeMapping', 'users').conditions).toEqual(['Valid=True Valid']);
    const status = (name: string) => world.host.get('AttributeMapping', name)?.status;
    expect(status('users')).toMatchObject({
      usedBy: ['acme'],
      attributesUsed: ['department', 'id', 'mail', 'manager', 'title'],
    });
    expect(status('more')).toMatchObject({ usedBy: ['acme'], attributesUsed: ['givenName', 'surname', 'title'] });
  });

  it('is invalid where it asks for what the source does not have, as the DirectorySync is', async () => {
    const attributes = [{ target: 'userType', expression: 'SingleAppRoleAssignment([appRoleAssignments])' }];
    const world = await aRunningWorld(({ host, company }) => {
      const metadata = { name: 'more', namespace: NAMESPACE };
      host.put({ apiVersion: 'dirsync.dev/v1alpha1', kind: 'AttributeMapping', metadata, spec: { attributes } });
      host.put({ ...company.resource(), spec: { ...company.spec, mappings: [{ name: 'users' }, { name: 'more' }] } });
    });
    const { conditions } = look(world, 'AttributeMapping', 'more');
    expect(conditions).toEqual(['Stalled=True Invalid', 'Valid=False Invalid']);
    expect(JSON.stringify(world.host.get('AttributeMapping', 'more')?.status)).toContain('has no app roles');
  });

  it('of teams says what it reads of groups', async () => {
    const world = await aRunningWorld(({ host, company }) => {
      const metadata = { name: 'teams', namespace: NAMESPACE };
      const attributes = [{ target: 'description', expression: 'Coalesce([note], [source:mail])' }];
      const spec = { resource: 'Team' as const, attributes };
      host.put({ apiVersion: 'dirsync.dev/v1alpha1', kind: 'AttributeMapping', metadata, spec });
      host.put({ ...company.resource(), spec: { ...company.spec, mappings: [{ name: 'users' }, { name: 'teams' }] } });
    });
    const status = world.host.get('AttributeMapping', 'teams')?.status;
    expect(status).toMatchObject({ usedBy: ['acme'], attributesUsed: ['mail', 'note'] });
  });

  it.each([
    ['does not compile', [{ target: 'userName', expression: 'Join(' }], 'spec.attributes[0].expression: column'],
    ['breaks its schema', [{ target: '' }], 'spec.attributes[0]'],
  ])('that %s is stalled, with the place', async (_what, attributes, place) => {
    const world = await aRunningWorld(({ host, company }) =>
      host.put({
        apiVersion: 'dirsync.dev/v1alpha1',
        kind: 'AttributeMapping',
        metadata: { name: 'users', namespace: NAMESPACE },
        spec: { ...company.mapping, attributes },
      }),
    );
    const mapping = look(world, 'AttributeMapping', 'users');
    expect(mapping.conditions).toEqual(['Stalled=True Invalid', 'Valid=False Invalid']);
    expect(mapping.message).toContain(place);
    expect(world.reports()[0]).toMatchObject({ reason: 'Invalid' });
  });

  it('that nothing uses is only well-formed', async () => {
    const world = await createLoopWorld();
    await world.start();
    expect(look(world, 'AttributeMapping', 'users')).toEqual({
      conditions: ['Valid=True Valid'],
      message: 'the resource keeps to its schema; nothing uses it',
    });
  });

  it('is looked at although another one is missing', async () => {
    const world = await aRunningWorld((at) => at.putSync({ mappings: [{ name: 'users' }, { name: 'missing' }] }));
    expect(world.host.get('AttributeMapping', 'users')?.status).toMatchObject({
      usedBy: ['acme'],
      attributesUsed: expect.arrayContaining(['mail']),
    });
  });
});

describe('a CustomAttribute', () => {
  it('says to whom it applies', async () => {
    const world = await aRunningWorld(({ host }) => {
      host.put(aCustom('all'));
      host.put(aCustom('some', { path: 'locale', directorySyncs: { names: ['other'] } }));
    });
    expect(world.host.get('CustomAttribute', 'all')?.status).toMatchObject({ usedBy: ['acme'] });
    expect(world.host.get('CustomAttribute', 'some')?.status).toMatchObject({ usedBy: [] });
  });

  it('names the DirectorySyncs that give it no value, where it is required', async () => {
    const world = await aRunningWorld(({ host }) => {
      host.put(aCustom('needed', { path: 'nickName', required: true }));
      host.put(aCustom('free', { path: 'locale' }));
    });
    expect(world.host.get('CustomAttribute', 'needed')?.status).toMatchObject({ unmappedIn: ['acme'] });
    expect(world.host.get('CustomAttribute', 'free')?.status).toMatchObject({ unmappedIn: [] });
  });

  it('that breaks its schema is stalled, whatever stands in it', async () => {
    const world = await aRunningWorld(({ host }) =>
      host.put(aCustom('broken', { path: 7, directorySyncs: { names: 'x' } })),
    );
    expect(look(world, 'CustomAttribute', 'broken').conditions).toEqual([
      'Stalled=True Invalid',
      'Valid=False Invalid',
    ]);
  });
});

it('costs the host nothing while nothing changes', async () => {
  const world = await aRunningWorld(({ host }) => {
    host.put(aRule('research'));
    host.put(aCustom('tier'));
  });
  await world.stop();
  let asked = 0;
  world.host.beforeWrite = () => {
    asked += 1;
  };
  const input = {
    host: world.host,
    namespace: NAMESPACE,
    now: new Date(),
    providers: world.company.providers,
    stateOf: () => world.company.state(),
  };
  await writeDependents(input);
  expect(asked).toBe(0);
  world.host.put(aRule('research', { include: ['p1'] }));
  await writeDependents(input);
  expect(asked).toBe(1);
});

it('takes many changes at once together', async () => {
  const world = await aRunningWorld();
  const before = world.host.written.length;
  for (let n = 0; n < 20; n += 1) world.host.put(aRule(`rule-${n}`, { directorySyncRef: { name: 'nobody' } }));
  await world.settle();
  expect(world.host.written.length).toBe(before);
  await world.advance(1_000);
  expect(world.host.written.length).toBe(before + 20);
});

it('is tried again when the host was away', async () => {
  const world = await aRunningWorld();
  world.host.put(aRule('research', { directorySyncRef: { name: 'nobody' } }));
  await world.settle();
  const { beforeWrite } = world.host;
  world.host.beforeWrite = () => {
    throw new Error('away');
  };
  await world.advance(1_000);
  expect(world.host.get('TeamRule', 'research')?.status).toEqual({ observedGeneration: -1 });
  world.host.beforeWrite = beforeWrite;
  await world.advance(60_000);
  expect(look(world, 'TeamRule', 'research').conditions[0]).toBe('Ready=False ReferenceNotFound');
});
