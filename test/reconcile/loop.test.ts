import { describe, expect, it } from 'vitest';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import type { DirectorySyncStatus } from '../../src/api/directory-sync-status.ts';
import { findCondition } from '../../src/api/kstatus.ts';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf } from '../support/company.ts';
import { ACME, createLoopWorld, type LoopWorld, MINUTE } from '../support/loop-world.ts';
import { NAMESPACE, toRef } from '../support/memory-host.ts';

function statusOf({ host }: LoopWorld, name = 'acme'): DirectorySyncStatus {
  return host.get('DirectorySync', name)?.status ?? {};
}

function readyOf(world: LoopWorld, name = 'acme'): string {
  const ready = findCondition(statusOf(world, name).conditions, 'Ready');
  return `${ready?.status} ${ready?.reason}`;
}

function reasons(world: LoopWorld): string[] {
  return world.reports().map(({ reason, stopped }) => (stopped ? 'stopped' : reason));
}

/** The reasons that Ready had, in the order in which they were written. */
function readyHistory(world: LoopWorld): string[] {
  const all = world.host.written
    .filter(({ ref }) => ref.kind === 'DirectorySync')
    .map(({ status }) => findCondition((status as DirectorySyncStatus).conditions, 'Ready')?.reason ?? '');
  return all.filter((reason, at) => reason !== all[at - 1]);
}

/** The first request of this kind does something to the world around it; the request itself goes on. */
function atRequest(world: LoopWorld, start: string, happen: () => void): void {
  let done = false;
  world.company.target.intercept = (request) => {
    if (done || !request.startsWith(start)) return;
    done = true;
    happen();
  };
}

const HELD_SPEC = { guards: { suspiciousDrop: 100, floor: 0, deactivate: { percent: 10 } } };

describe('the schedule', () => {
  it('runs at once, and again an interval after the beginning of the last run', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    expect(reasons(world)).toEqual(['Synced']);
    expect(readyHistory(world)).toEqual(['Progressing', 'Synced']);
    expect(statusOf(world).nextRunAt).toBe('2026-03-01T09:40:00Z');
    await world.advance(40 * MINUTE - 1);
    expect(world.runs).toHaveLength(1);
    await world.advance(1);
    expect(world.runs).toHaveLength(2);
    // Nothing new: the status goes from one outcome to the next.
    expect(readyHistory(world)).toEqual(['Progressing', 'Synced']);
    expect(world.host.problems).toEqual([]);
  });

  it('runs by the clock of the time zone', async () => {
    const world = await createLoopWorld({
      spec: { schedule: { cron: { expression: '0 6 * * *', timeZone: 'Europe/Belfast' } } },
    });
    world.putSync();
    await world.start();
    expect(statusOf(world).nextRunAt).toBe('2026-03-02T06:00:00Z');
    await world.advance(29 * 24 * 60 * MINUTE);
    // Summer time has begun on the 29th.
    expect(statusOf(world).nextRunAt).toBe('2026-03-31T05:00:00Z');
  });

  it('runs once for each generation of the resource and of what it names, and says Completed', async () => {
    const world = await createLoopWorld({ spec: { schedule: { once: true } } });
    world.putSync();
    await world.start();
    expect(readyOf(world)).toBe('True Completed');
    expect(statusOf(world).lastRun?.reason).toBe('Synced');
    await world.advance(24 * 60 * MINUTE);
    await world.restart();
    expect(world.runs).toHaveLength(1);

    world.host.put(aRule('research'));
    await world.settle();
    expect(world.runs).toHaveLength(2);
    world.host.annotate(ACME, { 'dirsync.dev/requestedAt': 'now' });
    await world.settle();
    expect(world.runs).toHaveLength(3);
    expect(readyOf(world)).toBe('True Completed');
    expect(world.host.problems).toEqual([]);
  });

  it('tries a failed `once` again, for it has not run', async () => {
    const world = await createLoopWorld({ spec: { schedule: { once: true } } });
    world.company.readError = new Error('boom');
    world.putSync();
    await world.start();
    expect(readyOf(world)).toBe('False ReadFailed');
    world.company.readError = null;
    await world.advance(5_000);
    expect(readyOf(world)).toBe('True Completed');
  });

  it('keeps what a suspect `once` holds, and confirms it', async () => {
    const world = await createLoopWorld({ spec: { schedule: { once: true }, guards: { suspiciousDrop: 30 } } });
    world.putSync();
    await world.start();
    world.company.people = world.company.people.slice(0, 1);
    world.host.annotate(ACME, { 'dirsync.dev/requestedAt': 'now' });
    await world.settle();
    expect(readyOf(world)).toBe('False ReadSuspect');
    await world.advance(10 * MINUTE);
    expect(world.runs).toHaveLength(3);
    expect(readyOf(world)).toBe('True Completed');
    expect(findCondition(statusOf(world).conditions, 'Held')).toMatchObject({ status: 'True', reason: 'GuardLimit' });
  });

  it('reads a suspect source again after ten minutes, or one interval if that is shorter', async () => {
    for (const [interval, wait] of [
      ['40m', 10 * MINUTE],
      ['2m', 2 * MINUTE],
    ] as const) {
      const world = await createLoopWorld({ spec: { schedule: { interval }, guards: { suspiciousDrop: 30 } } });
      world.company.people = aCompanyOf(40);
      world.putSync();
      await world.start();
      world.company.people = world.company.people.slice(0, 20);
      world.host.annotate(ACME, { 'dirsync.dev/requestedAt': 'now' });
      await world.settle();
      expect(readyOf(world)).toBe('False ReadSuspect');
      await world.advance(wait - 1);
      expect(world.runs).toHaveLength(2);
      await world.advance(1);
      expect(reasons(world)).toEqual(['Synced', 'ReadSuspect', 'SyncedWithHeld']);
    }
  });
});

describe('one person', () => {
  it('is taken through at once by an annotation, and what the status says of the rest stays', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    const before = statusOf(world);
    await world.advance(MINUTE);
    world.company.people = world.company.people.map((person) => ({ ...person, title: 'Lead' }));
    world.host.annotate(ACME, { 'dirsync.dev/sync-user': 'p3' });
    await world.settle();
    expect(world.runs.map(({ request }) => request.user ?? null)).toEqual([null, 'p3']);
    const { lastRun, lastHandledUser, history, users, ...rest } = statusOf(world);
    expect(lastRun).toMatchObject({ kind: 'OneUser', outcome: 'Synced', applied: { update: 1 } });
    expect(lastHandledUser).toBe('p3');
    expect(history).toHaveLength(2);
    const { lastRun: _run, history: _history, users: _users, ...restBefore } = before;
    expect(rest).toEqual(restBefore);
    expect(users).toEqual(before.users);
    // The schedule goes on as it was.
    await world.advance(39 * MINUTE);
    expect(world.runs).toHaveLength(3);
    expect(reasons(world)).toEqual(['Synced', 'Synced', 'Synced']);
    expect(world.host.problems).toEqual([]);
  });

  it('goes before a whole run that is asked for with it', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    world.host.annotate(ACME, { 'dirsync.dev/sync-user': 'p404', 'dirsync.dev/requestedAt': 'now' });
    await world.settle();
    expect(world.runs.map(({ request }) => request.user ?? null)).toEqual([null, 'p404', null]);
    expect(readyOf(world)).toBe('True Synced');
    expect(statusOf(world)).toMatchObject({ lastHandledUser: 'p404', lastHandledRequest: 'now' });
  });
});

describe('failures', () => {
  it('are tried again with backoff, never later than the schedule', async () => {
    const world = await createLoopWorld();
    world.company.readError = new Error('boom');
    world.putSync();
    await world.start();
    const times: number[] = [];
    for (let run = 1; run <= 12; run += 1) {
      const next = Date.parse(statusOf(world).nextRunAt ?? '');
      times.push((next - world.clock.now()) / 1000);
      await world.advance(next - world.clock.now());
      expect(world.runs).toHaveLength(run + 1);
    }
    expect(times).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2400, 2400, 2400]);
    expect(world.host.events.filter(({ reason }) => reason === 'Failed')).toHaveLength(1);
    expect(readyHistory(world)).toEqual(['Progressing', 'ReadFailed']);
    world.company.readError = null;
    await world.advance(40 * MINUTE);
    expect(readyOf(world)).toBe('True Synced');
  });

  it('begin at the first step again after an edit', async () => {
    const world = await createLoopWorld();
    world.company.readError = new Error('boom');
    world.putSync();
    await world.start();
    await world.advance(5_000);
    await world.advance(10_000);
    world.putSync({ historyLimit: 5 });
    await world.settle();
    expect(statusOf(world).nextRunAt).toBe(new Date(world.clock.now() + 5_000).toISOString().replace('.000Z', 'Z'));
  });

  it('wait as long as the other side asks', async () => {
    const world = await createLoopWorld();
    world.company.target.intercept = () => {
      throw new SyncError('TargetUnavailable', 'is throttling', { retry: { afterMs: 50 * MINUTE } });
    };
    world.putSync();
    await world.start();
    await world.advance(50 * MINUTE - 1);
    expect(world.runs).toHaveLength(1);
    await world.advance(1);
    expect(world.runs).toHaveLength(2);
  });

  it('that only a person can mend are looked at once each schedule, and at once for a labelled Secret', async () => {
    const world = await createLoopWorld({ spec: { settle: '5s' } });
    world.company.target.intercept = () => {
      throw new SyncError('CredentialsRejected', 'https://app.example.com rejects the credentials (401)');
    };
    world.putSync();
    await world.start();
    expect(readyOf(world)).toBe('False CredentialsRejected');
    expect(findCondition(statusOf(world).conditions, 'Stalled')).not.toBeNull();
    await world.advance(40 * MINUTE - 1);
    expect(world.runs).toHaveLength(1);
    await world.advance(1);
    expect(world.runs).toHaveLength(2);
    world.company.target.intercept = () => undefined;
    world.host.touch({ kind: 'Secret', namespace: NAMESPACE, name: 'somebody-elses' });
    await world.settle();
    expect(world.runs).toHaveLength(2);
    world.host.touch({ kind: 'Secret', namespace: NAMESPACE, name: 'app' });
    await world.settle();
    expect(readyOf(world)).toBe('True Synced');
  });

  it('of a run that took too long are failures, not stops', async () => {
    const world = await createLoopWorld({ spec: { timeouts: { run: '1s' }, limits: { concurrency: 1 } } });
    world.company.people = aCompanyOf(120);
    // The time of a run is measured by the real clock.
    atRequest(world, 'createUser p3@', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100));
    world.putSync();
    await world.start();
    expect(readyOf(world)).toBe('False ApplyFailed');
    await world.advance(5_000);
    expect(readyOf(world)).toBe('True Synced');
    expect(world.company.target.writes).toHaveLength(120);
  });
});

describe('an edit', () => {
  it('during a run ends it at the next operation and starts a new one', async () => {
    const world = await createLoopWorld({ spec: { limits: { concurrency: 1 } } });
    atRequest(world, 'createUser p3@', () => world.putSync({ limits: { concurrency: 1 }, historyLimit: 3 }));
    world.putSync();
    await world.start();
    expect(reasons(world)).toEqual(['stopped', 'Synced']);
    const [first] = world.reports();
    expect(first?.applied).toMatchObject({ create: 3 });
    expect(world.company.target.writes).toHaveLength(10);
    // The run that was ended is no outcome.
    expect(readyHistory(world)).toEqual(['Progressing', 'Synced']);
    expect(statusOf(world)).toMatchObject({ observedGeneration: 2, history: [expect.anything()] });
    expect(world.host.problems).toEqual([]);
  });

  it('between the look at a resource and its run ends the run before it has written anything', async () => {
    const world = await createLoopWorld();
    let edited = false;
    world.host.beforeWrite = async () => {
      if (edited) return;
      edited = true;
      world.putSync({ deprovisioning: { memberships: 'Keep' } });
    };
    world.putSync();
    await world.start();
    expect(reasons(world)).toEqual(['stopped', 'Synced']);
    expect(world.reports()[0]?.applied).toEqual({});
    expect(world.runs[1]?.request.resource.spec.deprovisioning).toEqual({ memberships: 'Keep' });
  });

  it('waits for `settle`, which a run that it has ended does not shorten', async () => {
    const world = await createLoopWorld({ spec: { settle: '5s', limits: { concurrency: 1 } } });
    const edit = (historyLimit: number) => world.putSync({ settle: '5s', limits: { concurrency: 1 }, historyLimit });
    atRequest(world, 'createUser p3@', () => edit(1));
    world.putSync();
    await world.start();
    expect(reasons(world)).toEqual(['stopped']);
    await world.advance(3_000);
    edit(2);
    await world.advance(1_999);
    expect(world.runs).toHaveLength(1);
    await world.advance(1);
    expect(reasons(world)).toEqual(['stopped', 'Synced']);
    expect(world.runs[1]?.request.resource.spec.historyLimit).toBe(2);
    await world.advance(5_000);
    expect(world.runs).toHaveLength(2);
  });

  it('of a mapping, rule or attribute that is named runs, one of others does not', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    world.host.put(aRule('elsewhere', 'another'));
    world.host.put({ ...aMapping(world), metadata: { name: 'unused', namespace: NAMESPACE } });
    world.host.touch({ kind: 'ConfigMap', namespace: NAMESPACE, name: 'people' });
    await world.settle();
    expect(world.runs).toHaveLength(1);
    world.host.put(aRule('research'));
    await world.settle();
    expect(world.runs).toHaveLength(2);
    world.host.remove(toRef('TeamRule', 'research'));
    await world.settle();
    expect(world.runs).toHaveLength(3);
    world.host.put({ ...aMapping(world), spec: { attributes: world.company.mapping.attributes.slice(0, 2) } });
    await world.settle();
    expect(world.runs).toHaveLength(4);
  });

  it('of the ConfigMap that is read runs', async () => {
    const world = await createLoopWorld({
      spec: { source: { file: { users: { configMapRef: { name: 'people', key: 'people.csv' } } } } },
    });
    world.putSync();
    await world.start();
    world.host.touch({ kind: 'ConfigMap', namespace: NAMESPACE, name: 'people' });
    await world.settle();
    expect(world.runs).toHaveLength(2);
  });

  it('of the ConfigMap that groups are read from runs', async () => {
    const groups = { configMapRef: { name: 'teams', key: 'groups.csv' } };
    const world = await createLoopWorld({ spec: { source: { file: { users: { path: 'people.csv' }, groups } } } });
    world.putSync();
    await world.start();
    world.host.touch({ kind: 'ConfigMap', namespace: NAMESPACE, name: 'teams' });
    await world.settle();
    expect(world.runs).toHaveLength(2);
  });
});

describe('suspend', () => {
  it('ends the run under way, reads and writes nothing, and keeps the status of the last run', async () => {
    const world = await createLoopWorld({ spec: { settle: '5s', limits: { concurrency: 1 } } });
    world.putSync();
    await world.start();
    expect(readyOf(world)).toBe('True Synced');
    world.company.people = aCompanyOf(14);
    atRequest(world, 'createUser p12@', () => world.putSync({ suspend: true }));
    await world.advance(40 * MINUTE);
    expect(reasons(world)).toEqual(['Synced', 'stopped']);
    expect(readyOf(world)).toBe('True Suspended');
    expect(statusOf(world)).toMatchObject({ observedGeneration: 2, users: { active: 10 } });
    expect(statusOf(world).nextRunAt).toBeUndefined();
    world.host.annotate(ACME, { 'dirsync.dev/requestedAt': 'now' });
    await world.advance(24 * 60 * MINUTE);
    await world.restart();
    expect(world.runs).toHaveLength(2);

    world.putSync({ suspend: false });
    await world.advance(5_000);
    expect(readyOf(world)).toBe('True Synced');
    expect(statusOf(world).lastHandledRequest).toBe('now');
    expect(world.company.target.writes).toHaveLength(14);
    expect(world.host.problems).toEqual([]);
  });

  it('does not call ready what never ran, and holds for a spec that is wrong', async () => {
    const world = await createLoopWorld({ spec: { suspend: true } });
    world.putSync({ schedule: { interval: 'soon' } });
    await world.start();
    expect(readyOf(world)).toBe('Unknown Suspended');
    expect(world.runs).toEqual([]);
  });
});

describe('annotations', () => {
  it('run now, once for each value', async () => {
    const world = await createLoopWorld({ spec: { settle: '5s' } });
    world.putSync();
    await world.start();
    for (const value of ['one', 'two']) {
      const before = world.runs.length;
      world.host.annotate(ACME, { 'dirsync.dev/requestedAt': value });
      await world.settle();
      expect(world.runs).toHaveLength(before + 1);
      expect(statusOf(world).lastHandledRequest).toBe(value);
      await world.advance(MINUTE);
      expect(world.runs).toHaveLength(before + 1);
    }
    expect(readyHistory(world)).toEqual(['Progressing', 'Synced', 'Progressing', 'Synced', 'Progressing', 'Synced']);
    await world.restart();
    expect(world.runs).toHaveLength(3);
  });

  it('that are longer than the status can hold are handled all the same', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    world.host.annotate(ACME, { 'dirsync.dev/requestedAt': 'x'.repeat(1000) });
    await world.settle();
    await world.restart();
    expect(world.runs).toHaveLength(2);
    expect(world.host.problems).toEqual([]);
  });

  it('ask for a verify, which is kept until one has ended well', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    const [user] = world.company.target.users.values();
    if (user !== undefined) user.attributes['title'] = 'Changed by hand';
    world.company.readError = new Error('boom');
    world.host.annotate(ACME, { 'dirsync.dev/resync': 'now' });
    await world.settle();
    await world.advance(5_000);
    expect(statusOf(world).lastHandledResync).toBeUndefined();
    // It is one request, however often it is tried.
    expect(readyHistory(world)).toEqual(['Progressing', 'Synced', 'Progressing', 'ReadFailed']);
    world.company.readError = null;
    await world.advance(10_000);
    expect(world.reports().at(-1)).toMatchObject({ kind: 'Verify', applied: { update: 1 } });
    expect(statusOf(world).lastHandledResync).toBe('now');
    await world.advance(40 * MINUTE);
    expect(world.reports().at(-1)?.kind).toBe('Full');
  });

  it('release exactly the held set whose hash they name, once (I5)', async () => {
    const world = await createLoopWorld({ spec: HELD_SPEC });
    world.putSync();
    await world.start();
    world.company.people = world.company.people.slice(0, 5);
    await world.advance(40 * MINUTE);
    expect(readyOf(world)).toBe('True SyncedWithHeld');
    const hash = statusOf(world).held?.hash ?? '';
    expect(findCondition(statusOf(world).conditions, 'Held')?.message).toContain(`dirsync approve ${hash}`);

    world.host.annotate(ACME, { 'dirsync.dev/approve': '0123456789abcdef' });
    await world.settle();
    expect(readyOf(world)).toBe('False ApprovalMismatch');
    // The run ended before the guards had said anything new: what is held is still held.
    expect(statusOf(world)).toMatchObject({ lastHandledApproval: '0123456789abcdef', held: { count: 5, hash } });

    world.host.annotate(ACME, { 'dirsync.dev/approve': hash });
    await world.settle();
    expect(readyOf(world)).toBe('True Synced');
    expect(statusOf(world)).toMatchObject({ lastHandledApproval: hash, held: { count: 0, hash: '' } });
    expect(world.company.target.writes.filter((line) => line.startsWith('deactivate'))).toHaveLength(5);
    expect(world.host.events.map(({ reason }) => reason)).toEqual(['Synced', 'Held', 'Failed', 'Released', 'Synced']);
    await world.advance(40 * MINUTE);
    expect(readyOf(world)).toBe('True Synced');
    expect(world.host.problems).toEqual([]);
  });

  it('are not asked for again when the process dies between the release and the status', async () => {
    const world = await createLoopWorld({ spec: HELD_SPEC });
    world.putSync();
    await world.start();
    world.company.people = world.company.people.slice(0, 5);
    await world.advance(40 * MINUTE);
    const hash = statusOf(world).held?.hash ?? '';
    world.host.annotate(ACME, { 'dirsync.dev/approve': hash });
    world.host.beforeWrite = () => {
      if (world.runs.length > 2) throw new SyncError('Unknown', 'the API server is away');
    };
    await world.settle();
    expect(world.reports().at(-1)?.approval?.hash).toBe(hash);
    world.host.beforeWrite = () => undefined;
    await world.restart();
    expect(readyOf(world)).toBe('True Synced');
    expect(statusOf(world).lastHandledApproval).toBe(hash);
  });

  it('approve what an approved run that died has left, without a second approval', async () => {
    const world = await createLoopWorld({ spec: { ...HELD_SPEC, limits: { concurrency: 1 } } });
    world.putSync();
    await world.start();
    world.company.people = world.company.people.slice(0, 5);
    await world.advance(40 * MINUTE);
    const hash = statusOf(world).held?.hash ?? '';
    let sent = 0;
    world.company.target.intercept = (line) => {
      if (line.startsWith('deactivate')) sent += 1;
      if (sent === 3) world.stopping.abort();
    };
    world.host.annotate(ACME, { 'dirsync.dev/approve': hash });
    await world.settle();
    expect(reasons(world).at(-1)).toBe('stopped');
    world.company.target.intercept = () => undefined;
    await world.restart();
    expect(readyOf(world)).toBe('True Synced');
    expect(statusOf(world).lastHandledApproval).toBe(hash);
    expect(world.company.target.writes.filter((line) => line.startsWith('deactivate'))).toHaveLength(5);
  });

  it('release nothing in mode Plan', async () => {
    const world = await createLoopWorld({ spec: HELD_SPEC });
    world.putSync();
    await world.start();
    world.company.people = world.company.people.slice(0, 5);
    await world.advance(40 * MINUTE);
    const hash = statusOf(world).held?.hash ?? '';
    world.putSync({ mode: 'Plan' });
    await world.settle();
    world.host.annotate(ACME, { 'dirsync.dev/approve': hash });
    await world.settle();
    expect(readyOf(world)).toBe('True Planned');
    expect(statusOf(world)).toMatchObject({ held: { count: 5, hash } });
    expect(world.company.target.writes).toHaveLength(10);
  });
});

describe('a restart', () => {
  it('waits for a run that is not due yet', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    await world.advance(10 * MINUTE);
    await world.restart();
    await world.advance(30 * MINUTE - 1);
    expect(world.runs).toHaveLength(1);
    await world.advance(1);
    expect(world.runs).toHaveLength(2);
  });

  it('runs at once for what changed meanwhile, also where no generation tells it', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    await world.stop();
    world.host.put(aRule('research'));
    await world.restart();
    expect(world.runs).toHaveLength(2);
    expect(world.company.teamMembers('Research')).toHaveLength(10);
  });

  it('runs at once after a lost state', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    await world.stop();
    await world.company.loseState();
    await world.restart();
    expect(world.runs).toHaveLength(2);
    expect(world.company.target.writes).toHaveLength(10);
  });

  it('tells the metrics when the last success was', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    await world.restart();
    const at = Date.parse('2026-03-01T09:00:00Z') / 1000;
    expect(await world.metrics.expose()).toContain(
      `dirsync_last_success_timestamp_seconds{namespace="identity",directorysync="acme"} ${at}`,
    );
  });
});

describe('a host that is away', () => {
  it('gets the outcome later, without a second run', async () => {
    const world = await createLoopWorld();
    let away = false;
    world.company.target.intercept = (line) => {
      if (line.startsWith('createUser p1@')) away = true;
    };
    world.host.beforeWrite = () => {
      if (away) throw new SyncError('Unknown', 'the API server is away');
    };
    world.putSync();
    await world.start();
    expect(readyOf(world)).toBe('Unknown Progressing');
    await world.advance(10 * MINUTE);
    expect(readyOf(world)).toBe('Unknown Progressing');
    away = false;
    await world.advance(MINUTE);
    expect(readyOf(world)).toBe('True Synced');
    expect(world.runs).toHaveLength(1);
    expect(statusOf(world).nextRunAt).toBe('2026-03-01T09:40:00Z');
    await world.advance(29 * MINUTE);
    expect(world.runs).toHaveLength(2);
  });

  it('that comes back is met with what was edited meanwhile', async () => {
    const world = await createLoopWorld();
    let away = false;
    world.host.beforeWrite = () => {
      if (away) throw new SyncError('Unknown', 'the API server is away');
    };
    world.putSync();
    await world.start();
    away = true;
    await world.advance(40 * MINUTE);
    expect(world.runs).toHaveLength(2);
    away = false;
    world.putSync({ historyLimit: 3 });
    await world.settle();
    expect(world.runs).toHaveLength(3);
    expect(statusOf(world)).toMatchObject({ observedGeneration: 2, history: { length: 3 } });
  });

  it('during the first list does not keep the process from ending', async () => {
    const world = await createLoopWorld();
    world.host.start = (_onChange, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new SyncError('Aborted', 'ended')), { once: true }),
      );
    const start = world.start();
    expect(world.loop.ready()).toBe('the resources are being listed');
    await world.stop();
    await start;
    expect(world.loop.ready()).toBe('the resources are being listed');
  });
});

describe('a graceful stop', () => {
  it('lets the request under way end, records the run, and leaves a status that is true (I12)', async () => {
    const world = await createLoopWorld({ spec: { limits: { concurrency: 1 } } });
    atRequest(world, 'createUser p3@', () => {
      world.clock.advance(11_000);
      world.stopping.abort();
    });
    world.putSync();
    await world.start();
    await world.stop();
    expect(world.company.target.writes).toHaveLength(3);
    expect(reasons(world)).toEqual(['stopped']);
    const [run] = await (await world.company.state()).journal.runs(1);
    expect(run).toMatchObject({ outcome: 'stopped', finishedAt: world.clock.now() });
    expect(readyOf(world)).toBe('Unknown Progressing');
    expect(statusOf(world).progress).toBeUndefined();
    await world.restart();
    expect(readyOf(world)).toBe('True Synced');
    expect(world.company.target.writes).toHaveLength(10);
    expect(world.host.problems).toEqual([]);
  });

  it('takes nothing up any more', async () => {
    const world = await createLoopWorld();
    world.putSync();
    await world.start();
    await world.stop();
    world.host.annotate(ACME, { 'dirsync.dev/requestedAt': 'now' });
    await world.advance(60 * MINUTE);
    expect(world.runs).toHaveLength(1);
  });
});

describe('progress', () => {
  it('is written at most every ten seconds, and never after the outcome (I12)', async () => {
    const world = await createLoopWorld({ spec: { limits: { concurrency: 1 } } });
    world.company.people = aCompanyOf(200);
    let release = (): void => undefined;
    const writing: DirectorySyncStatus['progress'][] = [];
    world.host.beforeWrite = async (ref) => {
      const last = world.runs.length > 0 && world.company.target.users.size === 200;
      if (last && ref.kind === 'DirectorySync' && writing.length === 0) {
        writing.push(undefined);
        // A slow write of progress: the outcome has to wait for it.
        await new Promise<void>((resolve) => {
          release = resolve;
          setImmediate(() => release());
        });
      }
    };
    world.company.target.intercept = (line) => {
      if (line.startsWith('createUser')) world.clock.advance(4_000);
    };
    world.putSync();
    await world.start();
    const shown = world.host.written.map(({ status }) => (status as DirectorySyncStatus).progress);
    const times = shown.flatMap((progress) => (progress === undefined ? [] : [progress.done]));
    expect(times.length).toBeGreaterThan(2);
    // 200 requests of 4 seconds each.
    expect(times.length).toBeLessThanOrEqual(80);
    expect(shown.at(-1)).toBeUndefined();
    expect(statusOf(world).progress).toBeUndefined();
    expect(shown.find((progress) => progress?.step === 'apply')).toMatchObject({
      total: 200,
      startedAt: '2026-03-01T09:00:00Z',
      estimatedEnd: expect.stringMatching(/^2026-03-01T09:\d\d:\d\dZ$/),
    });
    expect(readyOf(world)).toBe('True Synced');
    expect(world.host.problems).toEqual([]);
    expect(await world.metrics.expose()).toMatch(/dirsync_step_duration_seconds_count\{step="report"\} 1/);
  });
});

describe('what is wrong with a resource', () => {
  it('ends as Stalled Invalid, whatever shape it has, until it is edited', async () => {
    for (const [spec, message] of [
      [{ schedule: { interval: 'soon' } }, 'spec.schedule.interval: must be a duration'],
      [{ schedule: { cron: { expression: 'never', timeZone: 'UTC' } } }, 'five fields'],
      [{ source: undefined, target: undefined }, 'spec'],
      [{ mappings: 'users' }, 'mappings'],
      [{ mappings: [null], id: 7 }, 'spec'],
      [{ surprise: true }, 'surprise'],
    ] as const) {
      const world = await createLoopWorld();
      world.putSync(spec as never);
      await world.start();
      expect(readyOf(world), JSON.stringify(spec)).toBe('False Invalid');
      expect(findCondition(statusOf(world).conditions, 'Stalled')?.message).toContain(message);
      expect(statusOf(world).nextRunAt).toBeUndefined();
      await world.advance(24 * 60 * MINUTE);
      expect(world.runs).toHaveLength(1);
      const { spec: good } = world.company.resource();
      world.host.put({ ...world.company.resource(), spec: good });
      await world.settle();
      expect(readyOf(world)).toBe('True Synced');
      expect(world.host.problems).toEqual([]);
    }
  });

  it('waits for a mapping that does not exist yet, and runs when it appears', async () => {
    const world = await createLoopWorld();
    world.putSync({ mappings: [{ name: 'users' }, { name: 'more' }] });
    await world.start();
    expect(readyOf(world)).toBe('False ReferenceNotFound');
    expect(findCondition(statusOf(world).conditions, 'Reconciling')?.reason).toBe('ProgressingWithRetry');
    world.host.put({
      ...aMapping(world),
      metadata: { name: 'more', namespace: NAMESPACE },
      spec: { attributes: [{ target: 'nickName', source: 'title' }] },
    });
    await world.settle();
    expect(readyOf(world)).toBe('True Synced');
    expect(world.host.problems).toEqual([]);
  });

  it('waits for a Secret that does not exist yet', async () => {
    const world = await createLoopWorld();
    world.host.secret = null;
    world.putSync();
    await world.start();
    expect(readyOf(world)).toBe('False ReferenceNotFound');
    world.host.secret = { token: 'sesame' };
    await world.advance(5_000);
    expect(readyOf(world)).toBe('True Synced');
  });

  it('stalls the newer of two with one id, until the older is gone', async () => {
    const world = await createLoopWorld();
    world.host.put({ ...world.company.resource(), metadata: named('acme', '2026-01-01T00:00:00Z') });
    world.host.put({
      ...world.company.resource(),
      metadata: named('newer', '2026-02-01T00:00:00Z'),
      spec: { ...world.company.spec, id: 'acme' },
    });
    await world.start();
    expect([readyOf(world), readyOf(world, 'newer')]).toEqual(['True Synced', 'False IdInUse']);
    world.host.remove(ACME);
    await world.settle();
    expect(readyOf(world, 'newer')).toBe('True Synced');
    expect(world.company.target.writes).toHaveLength(10);
    expect(world.host.problems).toEqual([]);
  });
});

describe('a deletion', () => {
  it('leaves the target untouched and lets the resource go, with or without `abandon`', async () => {
    const cases: Record<string, string>[] = [{}, { 'dirsync.dev/abandon': 'true' }];
    for (const annotations of cases) {
      const world = await createLoopWorld();
      world.putSync();
      await world.start();
      expect(world.host.get('DirectorySync', 'acme')?.metadata.finalizers).toEqual(['dirsync.dev/finalizer']);
      world.host.annotate(ACME, annotations);
      world.host.remove(ACME);
      await world.settle();
      expect(world.host.get('DirectorySync', 'acme')).toBeUndefined();
      expect(world.company.target.writes).toHaveLength(10);
      expect(await world.metrics.expose()).not.toContain('directorysync="acme"');
      await world.advance(60 * MINUTE);
      expect(world.reports().every(({ reason }) => reason === 'Synced')).toBe(true);
    }
  });

  it('ends the run under way', async () => {
    const world = await createLoopWorld({ spec: { limits: { concurrency: 1 } } });
    atRequest(world, 'createUser p3@', () => world.host.remove(ACME));
    world.putSync();
    await world.start();
    expect(reasons(world)).toEqual(['stopped']);
    expect(world.host.get('DirectorySync', 'acme')).toBeUndefined();
    expect(world.company.target.writes).toHaveLength(3);
  });

  it('of a document in a folder, which has no finalizer, ends it too', async () => {
    const world = await createLoopWorld({ spec: { limits: { concurrency: 1 } } });
    world.host.setFinalizer = async () => undefined;
    atRequest(world, 'createUser p3@', () => world.host.remove(ACME));
    world.putSync();
    await world.start();
    expect(reasons(world)).toEqual(['stopped']);
    expect(world.company.target.writes).toHaveLength(3);
    await world.advance(60 * MINUTE);
    expect(world.runs).toHaveLength(1);
  });

  it('and the same name again is a new resource', async () => {
    const world = await createLoopWorld({ spec: { schedule: { once: true } } });
    world.putSync();
    await world.start();
    world.host.remove(ACME);
    await world.settle();
    world.putSync();
    await world.settle();
    expect(world.runs).toHaveLength(2);
    expect(world.company.target.writes).toHaveLength(10);
  });
});

it('counts runs and operations', async () => {
  const world = await createLoopWorld();
  world.company.rules = {};
  world.putSync();
  await world.start();
  await world.advance(40 * MINUTE);
  const text = await world.metrics.expose();
  expect(text).toContain('dirsync_runs_total{namespace="identity",directorysync="acme",outcome="synced"} 2');
  expect(text).toContain('dirsync_operations_total{kind="create",resource="User",result="done"} 10');
});

it('runs several DirectorySyncs side by side, each by its own schedule', async () => {
  const world = await createLoopWorld();
  // Both want the same few accounts: who comes second has errors, and too few of them to be tried again sooner.
  world.company.people = world.company.people.slice(0, 3);
  world.putSync({ schedule: { interval: '10m' } });
  world.putSync({ schedule: { interval: '30m' } }, 'other');
  await world.start();
  await world.advance(30 * MINUTE - 1);
  const count = (name: string): number =>
    world.runs.filter(({ request }) => request.resource.metadata.name === name).length;
  expect([count('acme'), count('other')]).toEqual([2, 1]);
  await world.advance(1);
  expect(count('other')).toBe(2);
});

function named(name: string, creationTimestamp: string): DirectorySyncResource['metadata'] {
  return { name, namespace: NAMESPACE, creationTimestamp };
}

function aMapping({ company }: LoopWorld) {
  return {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'AttributeMapping',
    metadata: { name: 'users', namespace: NAMESPACE },
    spec: company.mapping,
  } as const;
}

function aRule(name: string, sync = 'acme'): TeamRuleResource {
  return {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'TeamRule',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      directorySyncRef: { name: sync },
      team: { displayName: 'Research' },
      match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
    },
  };
}
