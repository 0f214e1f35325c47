/** A run's report → the resource's status. Pure: the one place where outcomes become conditions. */
import type { Condition } from '../api/condition-schema.ts';
import { SITUATIONS } from '../api/conditions.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { type DirectorySyncStatus, type RunStatus, summarizePlan } from '../api/directory-sync-status.ts';
import type { ResourceEvent } from '../api/host.ts';
import { type ConditionChange, findCondition, removeCondition, setCondition, toInstant } from '../api/kstatus.ts';
import type { RunOutcome, RunReport } from './run.ts';

export interface StatusInput {
  readonly resource: DirectorySyncResource;
  readonly previous: DirectorySyncStatus | undefined;
  readonly report: RunReport;
  readonly nextRunAt: Date | null;
  readonly historyLimit: number;
  /** Commands that a person is told to type; they differ between a cluster and a folder. */
  readonly commands: Commands;
}

export interface Commands {
  readonly review: string;
  readonly approve: (hash: string) => string;
}

export function computeStatus(input: StatusInput): DirectorySyncStatus {
  const { resource, previous, report, nextRunAt } = input;
  const { [`progress`]: _over, ...before } = previous ?? {};
  const lastRun = toRunStatus(report);
  return {
    ...before,
    observedGeneration: resource.metadata.generation ?? 1,
    conditions: computeConditions(input),
    source: { provider: firstKey(resource.spec.source), ...toIdentity(report) },
    target: toTarget(resource),
    ...(report.plan === null ? {} : toCounts(report)),
    warnings: report.warnings.slice(0, 20).map(({ reason, message, count }) => ({
      reason,
      message: message.slice(0, 1024),
      ...(count === undefined ? {} : { count }),
    })),
    lastRun,
    ...(nextRunAt === null ? { nextRunAt: undefined } : { nextRunAt: toInstant(nextRunAt) }),
    history: [lastRun, ...(previous?.history ?? [])].slice(0, input.historyLimit),
  };
}

function firstKey(union: object): string {
  return Object.keys(union)[0] ?? '';
}

function toTarget({ spec }: DirectorySyncResource): NonNullable<DirectorySyncStatus['target']> {
  const url = spec.target.scim?.url;
  return {
    provider: firstKey(spec.target),
    ...(url !== undefined && URL.canParse(url) ? { host: new URL(url).host } : {}),
  };
}

function toIdentity({ identity }: RunReport): Partial<NonNullable<DirectorySyncStatus['source']>> {
  if (identity === null) return {};
  const { tenantId, tenantName, domains } = identity;
  return {
    ...(tenantId === null ? {} : { tenantId }),
    ...(tenantName === null ? {} : { tenantName }),
    ...(domains.length === 0 ? {} : { domains: domains.slice(0, 100) }),
  };
}

function toCounts(report: RunReport): Partial<DirectorySyncStatus> {
  const { people, links, plan, samples, held } = report;
  return {
    users: {
      inScope: people.inScope ?? 0,
      active: links.active,
      deactivated: links.people - links.active,
      conflicts: people.conflicts,
      failed: people.failed,
      protected: people.protected,
    },
    teams: { managed: links.teams, members: links.members },
    plan: {
      summary: summarizePlan(plan ?? {}),
      ...plan,
      samples: samples.map((sample) => ({ ...sample, attributes: [...sample.attributes] })),
    },
    held: { count: held.count, hash: held.hash, kinds: { ...held.kinds } },
  };
}

const OUTCOMES: Readonly<Record<RunOutcome, NonNullable<RunStatus['outcome']>>> = {
  synced: 'Synced',
  held: 'Held',
  failed: 'Failed',
  waiting: 'Waiting',
  stalled: 'Stalled',
};

function toRunStatus(report: RunReport): RunStatus {
  const { approval, finishedAt } = report;
  const applied = Object.fromEntries(Object.entries(report.applied).filter(([, count]) => count > 0));
  return {
    id: report.runId,
    kind: report.kind === 'Verify' ? 'Verify' : 'Full',
    startedAt: toInstant(report.startedAt),
    finishedAt: toInstant(finishedAt),
    outcome: OUTCOMES[report.outcome],
    reason: report.reason,
    requests: report.requests,
    applied,
    failures: report.failures.map(({ resource, id, code }) => ({ resource, id, reason: code })),
    ...(approval === null ? {} : { approval: { hash: approval.hash, at: toInstant(report.startedAt) } }),
  };
}

function computeConditions(input: StatusInput): Condition[] {
  const { resource, previous, report } = input;
  const observedGeneration = resource.metadata.generation ?? 1;
  let conditions: Condition[] = [...(previous?.conditions ?? [])];
  for (const change of toConditionChanges(input)) {
    conditions = setCondition(conditions, { ...change, observedGeneration }, report.finishedAt);
  }
  for (const type of ['Reconciling', 'Stalled'] as const) {
    if (!toConditionChanges(input).some((change) => change.type === type))
      conditions = removeCondition(conditions, type);
  }
  return conditions;
}

type Change = Omit<ConditionChange, 'observedGeneration'>;

function toConditionChanges({ report, commands }: StatusInput): readonly Change[] {
  const situation = SITUATIONS[report.reason];
  const { reason, message } = report;
  const changes: Change[] = [
    { type: 'Ready', status: situation.ready === 'AsBefore' ? 'True' : situation.ready, reason, message },
  ];
  if (situation.progress === 'Reconciling')
    changes.push({ type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message });
  if (situation.progress === 'Stalled') changes.push({ type: 'Stalled', status: 'True', reason, message });
  changes.push(...toReadChanges(report));
  if (report.plan !== null) changes.push(toHeldChange(report, commands), toDegradedChange(report));
  return changes;
}

function toReadChanges({ sourceRead, suspicion, reason, message }: RunReport): readonly Change[] {
  if (sourceRead === null) return [];
  if (!sourceRead) {
    const incomplete = reason === 'ReadIncomplete' ? 'ReadIncomplete' : 'ReadFailed';
    return [{ type: 'SourceRead', status: 'False', reason: incomplete, message }];
  }
  const suspect: Change =
    suspicion === null
      ? { type: 'Suspect', status: 'False', reason: 'ReadTrusted', message: 'the read is trusted' }
      : { type: 'Suspect', status: 'True', reason: 'SuspiciousDrop', message: suspicion };
  return [
    { type: 'SourceRead', status: 'True', reason: 'ReadComplete', message: 'the last read arrived whole' },
    suspect,
  ];
}

function toHeldChange({ held }: RunReport, commands: Commands): Change {
  if (held.count === 0)
    return { type: 'Held', status: 'False', reason: 'NothingHeld', message: 'nothing waits for approval' };
  const kinds = Object.entries(held.kinds)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
  const reason =
    held.kinds.suspect !== undefined
      ? 'ReadSuspect'
      : Object.keys(held.kinds).every((kind) => kind === 'recovered')
        ? 'LinksRecovered'
        : 'GuardLimit';
  const message = `${held.count} operations wait (${kinds}), hash ${held.hash}. Review: ${commands.review} Approve: ${commands.approve(held.hash)}`;
  return { type: 'Held', status: 'True', reason, message };
}

function toDegradedChange({ people }: RunReport): Change {
  if (people.failed === 0)
    return { type: 'Degraded', status: 'False', reason: 'NoErrors', message: 'no record failed' };
  return {
    type: 'Degraded',
    status: 'True',
    reason: 'RecordErrors',
    message: `${people.failed} records failed, ${people.conflicts} of them conflicts`,
  };
}

/** Events on the resource: what changed for whoever watches, never one a person. */
export function toEvents(report: RunReport, previous: DirectorySyncStatus | undefined): readonly ResourceEvent[] {
  const events: ResourceEvent[] = [];
  const { held, approval, applied } = report;
  const ready = findCondition(previous?.conditions, 'Ready');
  if (
    report.failedStep !== null &&
    !report.stopped &&
    (ready?.reason !== report.reason || ready.message !== report.message)
  ) {
    events.push({ type: 'Warning', reason: 'Failed', message: `${report.reason}: ${report.message}` });
  }
  if (held.count > 0 && held.hash !== previous?.held?.hash) {
    events.push({
      type: 'Warning',
      reason: 'Held',
      message: `${held.count} operations wait for approval, hash ${held.hash}`,
    });
  }
  if (approval !== null && report.failedStep === null)
    events.push({ type: 'Normal', reason: 'Released', message: `the held set ${approval.hash} was approved` });
  if ((applied.recover ?? 0) > 0)
    events.push({
      type: 'Normal',
      reason: 'Recovered',
      message: `${applied.recover} links were rebuilt from the target`,
    });
  const changes = Object.values(applied).reduce((sum, count) => sum + count, 0);
  if (changes > 0)
    events.push({
      type: 'Normal',
      reason: 'Synced',
      message: `${changes} operations were carried out: ${summarizePlan(applied)}`,
    });
  return events;
}
