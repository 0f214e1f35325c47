import { describe, expect, it } from 'vitest';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import type { DirectorySyncStatus } from '../../src/api/directory-sync-status.ts';
import { checkKstatus, findCondition } from '../../src/api/kstatus.ts';
import { READY_REASONS, type ReadyReason, toReadyReason } from '../../src/api/reasons.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { computeProgressing, computeResting, computeStatus, toEvents } from '../../src/reconcile/status.ts';

const HASH = '0123456789abcdef';
const HELD = { count: 7, hash: HASH, kinds: { deactivate: 4, rename: 2, deleteTeams: 1 } } as const;
const COMMANDS = { review: 'dirsync plan.', approve: (hash: string) => `dirsync approve ${hash}` };

function aReport(more: Partial<RunReport> = {}): RunReport {
  return {
    runId: '20260301T090000000Z-12345678',
    kind: 'Full',
    startedAt: new Date('2026-03-01T09:00:00Z'),
    finishedAt: new Date('2026-03-01T09:01:00Z'),
    outcome: 'synced',
    reason: 'Synced',
    message: 'everything that is wanted is at the target',
    failedStep: null,
    retryAfterMs: null,
    stopped: false,
    sourceRead: true,
    readWay: { kind: 'Full', why: null },
    suspicion: null,
    presets: null,
    resolvedGroups: null,
    identity: { tenantId: null, tenantName: null, domains: [] },
    plan: { create: 2, update: 1 },
    applied: { create: 2, update: 1, delete: 0 },
    samples: [{ kind: 'create', resource: 'User', id: 'p1', attributes: ['userName'] }],
    held: { count: 0, hash: '', kinds: {} },
    people: { inScope: 12, protected: 0, unmanaged: 0, conflicts: 0, failed: 0 },
    links: { people: 12, active: 11, teams: 1, members: 4 },
    drift: null,
    failures: [],
    warnings: [],
    requests: { source: 0, target: 9 },
    expiries: null,
    approval: null,
    takenOver: null,
    ...more,
  };
}

/** A run that ended in this step, with nothing behind it known. */
function failed(failedStep: RunReport['failedStep'], reason: ReadyReason, more: Partial<RunReport> = {}): RunReport {
  const early = failedStep === 'load' || failedStep === 'read' || failedStep === 'map' || failedStep === 'observe';
  return aReport({
    outcome: 'waiting',
    reason,
    message: `what went wrong: ${reason}`,
    failedStep,
    sourceRead: failedStep === 'load' ? null : failedStep !== 'read',
    ...(early ? { plan: null, applied: {}, samples: [] } : {}),
    ...more,
  });
}

function aResource(more: { generation?: number; spec?: unknown } = {}): DirectorySyncResource {
  return {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'DirectorySync',
    metadata: { name: 'acme', namespace: 'identity', generation: more.generation ?? 3 },
    spec: more.spec ?? {
      source: { file: { users: { path: 'people.csv' } } },
      mappings: [{ name: 'users' }],
      target: { scim: { url: 'https://app.example.com/scim', credentialsRef: { name: 'app' } } },
    },
  } as DirectorySyncResource;
}

function compute(report: RunReport, previous?: DirectorySyncStatus, resource = aResource()): DirectorySyncStatus {
  const status = computeStatus({
    resource,
    previous,
    report,
    nextRunAt: new Date('2026-03-01T09:40:00.700Z'),
    historyLimit: 3,
    commands: COMMANDS,
  });
  expect(checkKstatus({ ...resource, status: JSON.parse(JSON.stringify(status)) }), report.reason).toEqual([]);
  return status;
}

function describeConditions({ conditions = [] }: DirectorySyncStatus): string[] {
  return conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

const READ = ['SourceRead=True ReadComplete', 'Suspect=False ReadTrusted'];
const FINE = ['Degraded=False NoErrors', 'Held=False NothingHeld'];
const RETRY = 'Reconciling=True ProgressingWithRetry';

describe('how the source was read', () => {
  it.each<[RunReport['readWay'], string]>([
    [{ kind: 'Changes' }, 'the changes since the last read arrived whole'],
    [{ kind: 'Full', why: null }, 'the last read arrived whole'],
    [
      { kind: 'Full', why: 'a resync was asked for' },
      'the last read arrived whole: everybody was read, for a resync was asked for',
    ],
  ])('is said by SourceRead: %j', (readWay, message) => {
    const { conditions } = compute(aReport({ readWay }));
    expect(conditions?.find(({ type }) => type === 'SourceRead')).toMatchObject({ status: 'True', message });
  });

  it('is the kind of the run, unless it looked at the whole target', () => {
    for (const kind of ['Full', 'Delta', 'Verify'] as const)
      expect(compute(aReport({ kind })).lastRun?.kind).toBe(kind);
  });
});

/** Every reason that a run can end with, and the conditions that it leads to on a resource without a history. */
const TABLE: Record<
  Exclude<ReadyReason, 'Progressing' | 'Suspended' | 'Completed' | 'Conflict'>,
  [RunReport, string[]]
> = {
  Synced: [aReport(), [...FINE, 'Ready=True Synced', ...READ]],
  SyncedWithHeld: [
    aReport({ outcome: 'held', reason: 'SyncedWithHeld', held: HELD }),
    ['Degraded=False NoErrors', 'Held=True GuardLimit', 'Ready=True SyncedWithHeld', ...READ],
  ],
  SyncedWithErrors: [
    aReport({ outcome: 'failed', reason: 'SyncedWithErrors', held: HELD, people: { ...aReport().people, failed: 2 } }),
    ['Degraded=True RecordErrors', 'Held=True GuardLimit', 'Ready=True SyncedWithErrors', ...READ],
  ],
  Planned: [aReport({ reason: 'Planned', applied: {} }), [...FINE, 'Ready=True Planned', ...READ]],
  ReadSuspect: [
    aReport({
      outcome: 'waiting',
      reason: 'ReadSuspect',
      suspicion: 'the read has 5 people, the last good one had 12',
      held: { ...HELD, kinds: { suspect: 7 } },
    }),
    [
      'Degraded=False NoErrors',
      'Held=True ReadSuspect',
      'Ready=False ReadSuspect',
      RETRY,
      'SourceRead=True ReadComplete',
      'Suspect=True SuspiciousDrop',
    ],
  ],
  ReadFailed: [failed('read', 'ReadFailed'), ['Ready=False ReadFailed', RETRY, 'SourceRead=False ReadFailed']],
  ReadIncomplete: [
    failed('read', 'ReadIncomplete'),
    ['Ready=False ReadIncomplete', RETRY, 'SourceRead=False ReadIncomplete'],
  ],
  TooManyFailures: [
    failed('apply', 'TooManyFailures'),
    ['Degraded=True TooManyFailures', 'Held=False NothingHeld', 'Ready=False TooManyFailures', RETRY, ...READ],
  ],
  StateUnavailable: [failed('load', 'StateUnavailable', { runId: '' }), ['Ready=False StateUnavailable', RETRY]],
  TargetUnavailable: [
    failed('apply', 'TargetUnavailable', { held: HELD }),
    ['Degraded=False NoErrors', 'Held=True GuardLimit', 'Ready=False TargetUnavailable', RETRY, ...READ],
  ],
  CredentialsRejected: [
    failed('observe', 'CredentialsRejected', { outcome: 'stalled' }),
    [
      'Ready=False CredentialsRejected',
      'SourceRead=True ReadComplete',
      'Stalled=True CredentialsRejected',
      'Suspect=False ReadTrusted',
    ],
  ],
  Invalid: [failed('load', 'Invalid', { outcome: 'stalled' }), ['Ready=False Invalid', 'Stalled=True Invalid']],
  ReferenceNotFound: [failed('load', 'ReferenceNotFound'), ['Ready=False ReferenceNotFound', RETRY]],
  EndpointChanged: [
    failed('load', 'EndpointChanged', { outcome: 'stalled' }),
    ['Ready=False EndpointChanged', 'Stalled=True EndpointChanged'],
  ],
  IdInUse: [failed('load', 'IdInUse', { outcome: 'stalled' }), ['Ready=False IdInUse', 'Stalled=True IdInUse']],
  ApprovalMismatch: [
    failed('guard', 'ApprovalMismatch', { outcome: 'stalled' }),
    [
      'Degraded=False NoErrors',
      'Ready=False ApprovalMismatch',
      'SourceRead=True ReadComplete',
      'Stalled=True ApprovalMismatch',
      'Suspect=False ReadTrusted',
    ],
  ],
  LoadFailed: [failed('load', 'LoadFailed'), ['Ready=False LoadFailed', RETRY]],
  MapFailed: [failed('map', 'MapFailed'), ['Ready=False MapFailed', RETRY, ...READ]],
  ObserveFailed: [failed('observe', 'ObserveFailed'), ['Ready=False ObserveFailed', RETRY, ...READ]],
  PlanFailed: [failed('plan', 'PlanFailed', { plan: null }), ['Ready=False PlanFailed', RETRY, ...READ]],
  GuardFailed: [failed('guard', 'GuardFailed'), ['Degraded=False NoErrors', 'Ready=False GuardFailed', RETRY, ...READ]],
  ApplyFailed: [failed('apply', 'ApplyFailed'), [...FINE, 'Ready=False ApplyFailed', RETRY, ...READ]],
  ReportFailed: [failed('report', 'ReportFailed'), [...FINE, 'Ready=False ReportFailed', RETRY, ...READ]],
};

/** A status as a run that ended well left it, on the resource's first generation. */
const BEFORE = compute(
  aReport({ finishedAt: new Date('2026-02-28T09:00:00Z') }),
  undefined,
  aResource({ generation: 1 }),
);

describe('the conditions after a run', () => {
  it('are known for every reason that a run can end with', () => {
    // The rest is no end of a run: it is about rules, or says that nothing goes on, or that something does.
    const others = ['Progressing', 'Suspended', 'Completed', 'Conflict'];
    expect([...Object.keys(TABLE), ...others].sort()).toEqual(Object.keys(READY_REASONS).sort());
  });

  it.each(Object.entries(TABLE))('with %s', (reason, [report, expected]) => {
    const status = compute(report);
    expect(describeConditions(status)).toEqual(expected);
    expect(status.observedGeneration).toBe(3);
    expect(status.conditions?.every(({ observedGeneration }) => observedGeneration === 3)).toBe(true);
    // Whatever stood there before, the rules of kstatus hold: Stalled and Reconciling go when they are over.
    for (const [earlier] of Object.values(TABLE)) {
      const after = compute(report, compute(earlier));
      expect(findCondition(after.conditions, 'Ready')?.reason).toBe(reason);
    }
  });

  it('keep the time of a transition while the status stays, and the counts of the last plan while there is no new one', () => {
    const first = compute(failed('read', 'ReadFailed'), BEFORE);
    const timeOf = (status: DirectorySyncStatus, type: 'Ready' | 'Held' | 'SourceRead') =>
      findCondition(status.conditions, type)?.lastTransitionTime;
    expect(timeOf(first, 'Ready')).toBe('2026-03-01T09:01:00Z');
    expect(timeOf(first, 'Held')).toBe('2026-02-28T09:00:00Z');
    const later = failed('observe', 'TargetUnavailable', { finishedAt: new Date('2026-03-01T10:00:00Z') });
    const second = compute(later, first);
    expect(timeOf(second, 'Ready')).toBe('2026-03-01T09:01:00Z');
    expect(timeOf(second, 'SourceRead')).toBe('2026-03-01T10:00:00Z');
    expect(second).toMatchObject({ users: { inScope: 12 }, plan: { create: 2 }, held: { count: 0, hash: '' } });
  });

  it('name the held set until guards have said something new', () => {
    const held = compute(aReport({ outcome: 'held', reason: 'SyncedWithHeld', held: HELD }));
    expect(findCondition(held.conditions, 'Held')?.message).toBe(
      `7 units wait (4 deactivate, 2 rename, 1 deleteTeams), hash ${HASH}. Review: dirsync plan. Approve: dirsync approve ${HASH}`,
    );
    for (const report of [
      failed('guard', 'ApprovalMismatch'),
      failed('plan', 'PlanFailed'),
      failed('read', 'ReadFailed'),
    ]) {
      const after = compute(report, held);
      expect(after.held).toEqual(HELD);
      expect(findCondition(after.conditions, 'Held')?.status).toBe('True');
    }
    expect(compute(aReport(), held).held?.count).toBe(0);
  });

  it.each([
    [{ recovered: 2 }, 'LinksRecovered'],
    [{ recovered: 2, deactivate: 5 }, 'GuardLimit'],
    [{ suspect: 3, deactivate: 4 }, 'ReadSuspect'],
  ] as const)('say why units are held: %j', (kinds, reason) => {
    const status = compute(aReport({ outcome: 'held', reason: 'SyncedWithHeld', held: { ...HELD, kinds } }));
    expect(findCondition(status.conditions, 'Held')?.reason).toBe(reason);
  });
});

describe('the status after a run', () => {
  it('has the counts, the plan and the run', () => {
    const status = compute(aReport({ approval: { hash: HASH, by: 'somebody' } }));
    expect(status).toMatchObject({
      source: { provider: 'file' },
      target: { provider: 'scim', host: 'app.example.com' },
      users: { inScope: 12, active: 11, deactivated: 1, conflicts: 0, failed: 0, protected: 0 },
      teams: { managed: 1, members: 4 },
      plan: {
        summary: '+2 ~1',
        create: 2,
        samples: [{ kind: 'create', resource: 'User', id: 'p1', attributes: ['userName'] }],
      },
      nextRunAt: '2026-03-01T09:40:00Z',
      lastRun: {
        id: '20260301T090000000Z-12345678',
        outcome: 'Synced',
        startedAt: '2026-03-01T09:00:00Z',
        applied: { create: 2, update: 1 },
        approval: { hash: HASH, at: '2026-03-01T09:00:00Z' },
      },
    });
  });

  it('keeps as many runs as it is told, the newest first', () => {
    let status: DirectorySyncStatus | undefined;
    for (const runId of ['a', 'b', 'c', 'd']) status = compute(aReport({ runId }), status);
    expect(status?.history?.map(({ id }) => id)).toEqual(['d', 'c', 'b']);
    // A run that could not begin is none.
    const lost = compute(failed('load', 'StateUnavailable', { runId: '' }), status);
    expect(lost.history).toEqual(status?.history);
    expect(lost.lastRun?.id).toBe('d');
  });

  it('takes progress and an old next time away', () => {
    const running: DirectorySyncStatus = {
      ...BEFORE,
      progress: { step: 'apply', done: 1, startedAt: '2026-03-01T09:00:00Z' },
    };
    expect(compute(aReport(), running)).not.toHaveProperty('progress');
    const input = { resource: aResource(), previous: BEFORE, report: aReport(), nextRunAt: null, historyLimit: 3 };
    const commands = { review: '', approve: () => '' };
    expect(computeStatus({ ...input, commands })).not.toHaveProperty('nextRunAt');
  });

  it('is made of any spec, however wrong', () => {
    for (const spec of [
      {},
      { source: null, target: [] },
      { source: 'x', target: { scim: 7 } },
      { target: { scim: { url: 5 } } },
    ]) {
      const status = compute(failed('load', 'Invalid', { outcome: 'stalled' }), undefined, aResource({ spec }));
      expect(status.source?.provider).toBe('');
    }
  });

  it('holds no names or addresses of people, wherever they slipped in (I9)', () => {
    const mail = 'ada@example.com';
    const status = compute(
      aReport({
        outcome: 'failed',
        reason: 'SyncedWithErrors',
        message: `the record of ${mail} failed`,
        samples: [{ kind: 'create', resource: 'User', id: mail, attributes: ['userName'] }],
        failures: [{ resource: 'User', id: mail, code: 'Conflict' }],
        warnings: [{ reason: 'Mapping', message: `something about <${mail}>`, count: 1 }],
        people: { ...aReport().people, failed: 1, conflicts: 1 },
      }),
    );
    expect(JSON.stringify(status)).not.toContain('@');
    expect(status.plan?.samples?.[0]?.id).toMatch(/^sha256:[0-9a-f]{16}$/);
    expect(status.plan?.samples?.[0]?.id).toBe(status.lastRun?.failures?.[0]?.id);
    expect(findCondition(status.conditions, 'Ready')?.message).toBe('the record of (a mail address) failed');
    expect(status.warnings?.[0]?.message).toBe('something about <(a mail address)>');
  });

  it('stays within its limits', () => {
    const long = 'x'.repeat(5000);
    const status = compute(
      aReport({
        message: long,
        warnings: Array.from({ length: 40 }, () => ({ reason: 'Mapping', message: long })),
        samples: [{ kind: 'create', resource: 'User', id: long, attributes: [long] }],
        identity: { tenantId: null, tenantName: null, domains: Array.from({ length: 200 }, () => 'corp.example') },
      }),
    );
    expect(status.warnings).toHaveLength(20);
    expect(status.source?.domains).toHaveLength(100);
  });
});

describe('without a run', () => {
  const now = new Date('2026-03-02T00:00:00Z');

  it.each(['Suspended', 'Completed'] as const)('%s keeps everything of the last run but the reason', (reason) => {
    for (const [report] of Object.values(TABLE)) {
      const before = compute(report, BEFORE);
      const resting = computeResting(
        { ...before, progress: { step: 'apply', done: 1, startedAt: '2026-03-01T09:00:00Z' } },
        { reason, generation: 3, now },
      );
      expect(checkKstatus({ ...aResource(), status: JSON.parse(JSON.stringify(resting)) }), report.reason).toEqual([]);
      const was = findCondition(before.conditions, 'Ready');
      expect(findCondition(resting.conditions, 'Ready')).toMatchObject({
        status: was?.status,
        reason,
        lastTransitionTime: was?.lastTransitionTime,
      });
      expect(resting).toMatchObject({ lastRun: before.lastRun, held: before.held ?? {}, observedGeneration: 3 });
      expect(resting).not.toHaveProperty('nextRunAt');
      expect(resting).not.toHaveProperty('progress');
    }
  });

  it('says that work goes on, on a new resource and on any other', () => {
    const befores = [{ observedGeneration: -1 }, ...Object.values(TABLE).map(([report]) => compute(report, BEFORE))];
    for (const before of befores) {
      const status = computeProgressing(before, { generation: 4, now });
      const resource = aResource({ generation: 4 });
      expect(checkKstatus({ ...resource, status: JSON.parse(JSON.stringify(status)) })).toEqual([]);
      expect(findCondition(status.conditions, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'Progressing' });
      expect(findCondition(status.conditions, 'Stalled')).toBeNull();
      expect(status).toMatchObject({ observedGeneration: 4, ...('held' in before ? { held: before.held } : {}) });
    }
  });
});

describe('events', () => {
  const nothing = aReport({ applied: {} });
  const heldBefore = compute(aReport({ outcome: 'held', reason: 'SyncedWithHeld', held: HELD }));
  const failing = failed('read', 'ReadFailed');
  it.each<[string, RunReport, DirectorySyncStatus | undefined, string[]]>([
    ['nothing for a run that changed nothing', nothing, BEFORE, []],
    ['what a run carried out', aReport(), BEFORE, ['Normal Synced: 3 operations were carried out: +2 ~1']],
    ['a failure', failing, BEFORE, ['Warning Failed: ReadFailed: what went wrong: ReadFailed']],
    ['not the same failure again', failing, compute(failing), []],
    [
      'another failure',
      failed('read', 'ReadFailed', { message: 'something else' }),
      compute(failing),
      ['Warning Failed: ReadFailed: something else'],
    ],
    [
      'a failure in the middle of apply, and not that all went well',
      failed('apply', 'TargetUnavailable', { applied: { create: 2 } }),
      BEFORE,
      ['Warning Failed: TargetUnavailable: what went wrong: TargetUnavailable'],
    ],
    [
      'a held set',
      aReport({ ...nothing, held: HELD }),
      BEFORE,
      [
        `Warning Held: 7 units wait (4 deactivate, 2 rename, 1 deleteTeams), hash ${HASH}. Review: dirsync plan. Approve: dirsync approve ${HASH}`,
      ],
    ],
    ['not the same held set again', aReport({ ...nothing, held: HELD }), heldBefore, []],
    [
      'a held set that has changed',
      aReport({ ...nothing, held: { count: 1, hash: 'fedcba9876543210', kinds: { update: 1 } } }),
      heldBefore,
      [
        'Warning Held: 1 unit waits (1 update), hash fedcba9876543210. Review: dirsync plan. Approve: dirsync approve fedcba9876543210',
      ],
    ],
    [
      'an approval, also of a run that failed afterwards',
      failed('apply', 'TargetUnavailable', { approval: { hash: HASH, by: null } }),
      heldBefore,
      [
        'Warning Failed: TargetUnavailable: what went wrong: TargetUnavailable',
        `Normal Released: the held set ${HASH} was approved`,
      ],
    ],
    [
      'rebuilt links',
      aReport({ applied: { recover: 9 } }),
      undefined,
      ['Normal Recovered: 9 links were rebuilt from the target', 'Normal Synced: 9 operations were carried out: +9'],
    ],
    ['nothing of a run that was ended on purpose', failed('apply', 'ApplyFailed', { stopped: true }), BEFORE, []],
    [
      'nobody by name',
      failed('read', 'ReadFailed', { message: 'of ada@example.com' }),
      BEFORE,
      ['Warning Failed: ReadFailed: of (a mail address)'],
    ],
  ])('tell %s', (_what, report, previous, expected) => {
    const events = toEvents(report, previous, COMMANDS);
    expect(events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)).toEqual(expected);
  });
});

it('every step has a reason for what has no word of its own', () => {
  for (const step of ['load', 'map', 'observe', 'plan', 'guard', 'apply', 'report'] as const)
    expect(TABLE).toHaveProperty(toReadyReason('Unknown', step));
});

describe('the end of credentials', () => {
  const DAY = 86_400_000;
  const end = Date.parse('2026-06-01T00:00:00Z');
  const expiries = [{ kind: 'ServerCertificate', host: 'app.example.com', expiresAt: end }] as const;
  const daysAhead = (days: number, more: Partial<RunReport> = {}) =>
    aReport({ applied: {}, expiries, ...more, finishedAt: new Date(end - days * DAY) });

  it('is told once at each threshold, by condition and event', () => {
    let status: DirectorySyncStatus | undefined = BEFORE;
    const told: string[] = [];
    for (const days of [40, 30, 20, 7, 6, 1, 0.5, 0, -1]) {
      const report = daysAhead(days);
      for (const { reason, message } of toEvents(report, status, COMMANDS)) told.push(`${days}: ${reason}: ${message}`);
      status = compute(report, status);
    }
    const certificate = 'the certificate of app.example.com';
    expect(told).toEqual([
      `30: CredentialsExpiring: ${certificate} expires within 30 days; renew it`,
      `7: CredentialsExpiring: ${certificate} expires within 7 days; renew it`,
      `1: CredentialsExpiring: ${certificate} expires within 1 day; renew it`,
      `0: CredentialsExpiring: ${certificate} has expired; renew it`,
    ]);
    expect(findCondition(status?.conditions, 'CredentialsExpiring')).toMatchObject({
      status: 'True',
      reason: 'ServerCertificateExpiring',
    });
    expect(status?.credentials).toEqual([
      { kind: 'ServerCertificate', host: 'app.example.com', expiresAt: '2026-06-01T00:00:00Z' },
    ]);
  });

  it('is known on after the connection that showed it, and forgotten when it is renewed', () => {
    const before = compute(daysAhead(3), { ...BEFORE, target: { provider: 'scim', host: 'app.example.com' } });
    const after = compute(daysAhead(-1, { ...failed('observe', 'TargetUnavailable'), expiries: [] }), before);
    expect(findCondition(after.conditions, 'CredentialsExpiring')?.message).toMatch(/has expired/);
    const renewed = compute(daysAhead(-2, { expiries: [{ ...expiries[0], expiresAt: end + 90 * DAY }] }), after);
    expect(findCondition(renewed.conditions, 'CredentialsExpiring')).toMatchObject({
      status: 'False',
      reason: 'NothingExpiring',
    });
  });

  it('stays as it was after a run that did not get so far', () => {
    const before = compute(daysAhead(3));
    expect(compute(failed('load', 'ReferenceNotFound'), before)).toMatchObject({ credentials: before.credentials });
  });
});

describe('the groups that scope.groups means', () => {
  const groups = [{ entry: 'Engineering', id: 'g-eng' }];
  const before = compute(aReport({ resolvedGroups: groups }));

  it('stand there as long as nobody knows better', () => {
    expect(before.resolvedGroups).toEqual([{ name: 'Engineering', id: 'g-eng' }]);
    const again = [failed('load', 'ReferenceNotFound'), failed('read', 'ReadFailed'), aReport({ kind: 'OneUser' })];
    for (const report of again) expect(compute(report, before).resolvedGroups).toEqual(before.resolvedGroups);
    expect(compute(aReport({ resolvedGroups: [] }), before)).not.toHaveProperty('resolvedGroups');
  });
});

describe('the presets that nobody named', () => {
  it('are named after a run about one person too', () => {
    const resource = aResource({ spec: { source: { entra: {} }, mappings: [], target: {} } });
    const presets = { User: 'EntraToSCIM', Team: null } as const;
    const before = compute(aReport({ presets }), undefined, resource);
    expect(compute(aReport({ kind: 'OneUser', presets }), before, resource).preset).toBe('EntraToSCIM');
  });

  const of = (presets: RunReport['presets'], mappings: readonly { name: string }[]) => {
    const resource = aResource({ spec: { source: { file: {} }, mappings, target: {} } });
    const { preset, teamPreset } = compute(aReport({ presets }), undefined, resource);
    return { preset, teamPreset };
  };

  it('are named, each for what it makes', () => {
    expect(of({ User: 'EntraToSCIM', Team: 'EntraToSCIM' }, [])).toEqual({
      preset: 'EntraToSCIM',
      teamPreset: 'EntraToSCIM',
    });
    expect(of({ User: null, Team: 'EntraToSCIM' }, [{ name: 'users' }])).toEqual({ teamPreset: 'EntraToSCIM' });
    expect(of({ User: null, Team: null }, [{ name: 'users' }, { name: 'teams' }])).toEqual({});
  });
});
