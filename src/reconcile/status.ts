/** A run's report → the resource's status. Pure: the one place where outcomes become conditions. */
import { createHash } from 'node:crypto';
import type { Condition } from '../api/condition-schema.ts';
import { SITUATIONS } from '../api/conditions.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { type DirectorySyncStatus, type RunStatus, summarizePlan } from '../api/directory-sync-status.ts';
import type { ResourceEvent } from '../api/host.ts';
import {
  type ConditionChange,
  cutMessage,
  findCondition,
  removeCondition,
  setCondition,
  toInstant,
} from '../api/kstatus.ts';
import { ANNOTATIONS } from '../api/metadata.ts';
import { type EventReason, type ReadyReason, toReadyReason } from '../api/reasons.ts';
import { toFields } from '../api/rules.ts';
import type { SyncError } from '../errors.ts';
import { PRESET_OF } from '../mapping/presets.ts';
import { mergeExpiries, toExpiringChange, toStored } from './expiry.ts';
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
  const { progress: _over, nextRunAt: _past, ...known } = previous ?? {};
  if (report.kind === 'OneUser') return computeOneUserStatus(input, known);
  const { preset: _preset, teamPreset: _teams, resolvedGroups, ...before } = known;
  return {
    ...before,
    observedGeneration: resource.metadata.generation ?? 1,
    conditions: computeConditions(input),
    source: { ...before.source, provider: firstKey(resource.spec.source), ...toIdentity(report) },
    target: toTarget(resource),
    ...toPresets(resource, report),
    ...toResolvedGroups(report, resolvedGroups),
    ...toCredentials(report, previous),
    ...(report.plan === null ? {} : toCounts(report)),
    ...(isGuarded(report) ? toHeld(report) : {}),
    ...toDrift(report, resource),
    warnings: report.warnings.slice(0, 20).map(({ reason, message, count }) => ({
      reason,
      message: toSafeText(message),
      ...(count === undefined ? {} : { count }),
    })),
    ...toHistory(input),
    ...(nextRunAt === null ? {} : { nextRunAt: toInstant(nextRunAt) }),
  };
}

/** One person changes nothing of what the last whole run has found: only the history, and how many are active. */
function computeOneUserStatus(input: StatusInput, before: DirectorySyncStatus): DirectorySyncStatus {
  const { report, previous, nextRunAt } = input;
  const { links } = report;
  const next = nextRunAt === null ? previous?.nextRunAt : toInstant(nextRunAt);
  const users = { ...before.users, active: links.active, deactivated: links.people - links.active };
  return {
    ...before,
    ...(before.users === undefined ? {} : { users }),
    ...toHistory(input),
    ...(next === undefined ? {} : { nextRunAt: next }),
  };
}

function toCredentials(
  { expiries }: RunReport,
  previous: DirectorySyncStatus | undefined,
): Pick<DirectorySyncStatus, 'credentials'> {
  return expiries === null ? {} : { credentials: toStored(mergeExpiries(expiries, previous)) };
}

/** A run that could not even begin (the state store is away) has no id and stands in no history. */
function toHistory({ report, previous, historyLimit }: StatusInput): Partial<DirectorySyncStatus> {
  if (report.runId === '') return {};
  const lastRun = toRunStatus(report);
  const { history = [] } = previous ?? {};
  return { lastRun, history: [lastRun, ...history].slice(0, historyLimit) };
}

/** The guards have decided in this run: what is held is known. Else it is what it was. */
export function isGuarded({ kind, plan, failedStep }: RunReport): boolean {
  return (
    kind !== 'OneUser' && plan !== null && (failedStep === null || failedStep === 'apply' || failedStep === 'report')
  );
}

/** Nobody chose them: it is said which ones they are. */
function toPresets(
  { spec }: DirectorySyncResource,
  { presets }: RunReport,
): Pick<DirectorySyncStatus, 'preset' | 'teamPreset'> {
  // A resource that breaks its schema may have anything here.
  const mappings: unknown = spec.mappings ?? [];
  const isUnnamed = Array.isArray(mappings) && mappings.length === 0;
  const ofUsers = presets?.User ?? (isUnnamed ? PRESET_OF[firstKey(spec.source)] : undefined);
  const ofTeams = presets?.Team ?? undefined;
  return {
    ...(ofUsers === undefined ? {} : { preset: ofUsers }),
    ...(ofTeams === undefined ? {} : { teamPreset: ofTeams }),
  };
}

/** What a run did not get so far as to know is what it was. */
function toResolvedGroups(
  { resolvedGroups }: RunReport,
  before: DirectorySyncStatus['resolvedGroups'] = [],
): Pick<DirectorySyncStatus, 'resolvedGroups'> {
  const now = resolvedGroups?.map(({ entry, id }) => ({ name: entry, id: id.slice(0, 1024) })) ?? before;
  return now.length === 0 ? {} : { resolvedGroups: now };
}

function firstKey(union: unknown): string {
  return Object.keys(toFields(union) ?? {})[0]?.slice(0, 64) ?? '';
}

function toTarget({ spec }: DirectorySyncResource): NonNullable<DirectorySyncStatus['target']> {
  const target: unknown = spec.target;
  const url = toFields(toFields(target)?.['scim'])?.['url'];
  const host = typeof url === 'string' && URL.canParse(url) ? new URL(url).host : '';
  return { provider: firstKey(target), ...(host === '' ? {} : { host: host.slice(0, 253) }) };
}

const MAIL_ADDRESS = /[^\s@"'<>()]+@[^\s@"'<>()]+\.[A-Za-z][\w-]*/g;

/** Rule I9, at the last moment: texts are made without personal data, and this is for those that slipped through. */
function toSafeText(text: string): string {
  return text.replace(MAIL_ADDRESS, '(a mail address)').slice(0, 1024);
}

/** Ids are shown, but for those of a source whose ids are mail addresses (it is warned of): they become a digest. */
function toSafeId(id: string): string {
  const digest = (): string => `sha256:${createHash('sha256').update(id).digest('hex').slice(0, 16)}`;
  return id.includes('@') || id.length > 1024 || id === '' ? digest() : id;
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
  const { people, links, plan, samples } = report;
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
      samples: samples.map(({ kind, resource, id, attributes }) => ({
        kind,
        resource,
        id: toSafeId(id),
        attributes: attributes.map((path) => path.slice(0, 512)),
      })),
    },
  };
}

/** What a later run does not look for is still what was found last. */
function toDrift({ drift }: RunReport, { spec }: DirectorySyncResource): Pick<DirectorySyncStatus, 'drift'> {
  return drift === null ? {} : { drift: { policy: spec.drift?.policy ?? 'Repair', ...drift } };
}

function toHeld({ held }: RunReport): Pick<DirectorySyncStatus, 'held'> {
  return { held: { count: held.count, hash: held.hash, kinds: { ...held.kinds } } };
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
    kind: report.kind === 'Adopt' ? 'Full' : report.kind,
    startedAt: toInstant(report.startedAt),
    finishedAt: toInstant(finishedAt),
    outcome: OUTCOMES[report.outcome],
    reason: report.reason,
    requests: report.requests,
    applied,
    failures: report.failures.map(({ resource, id, code }) => ({ resource, id: toSafeId(id), reason: code })),
    ...(approval === null ? {} : { approval: toApproval(approval, report.startedAt) }),
  };
}

/** A person's name at a terminal stays in the history of the state store. */
function toApproval({ hash, by }: NonNullable<RunReport['approval']>, at: Date): NonNullable<RunStatus['approval']> {
  const isClient = by?.startsWith(ANNOTATIONS.approve) === true;
  return { hash, at: toInstant(at), ...(isClient ? { by: toSafeText(by) } : {}) };
}

function computeConditions(input: StatusInput): Condition[] {
  const { resource, previous, report } = input;
  const observedGeneration = resource.metadata.generation ?? 1;
  const changes = toConditionChanges(input);
  let conditions: Condition[] = [...(previous?.conditions ?? [])];
  for (const type of ['Reconciling', 'Stalled'] as const) {
    if (!changes.some((change) => change.type === type)) conditions = removeCondition(conditions, type);
  }
  for (const change of changes) {
    conditions = setCondition(
      conditions,
      { ...change, message: toSafeText(change.message), observedGeneration },
      report.finishedAt,
    );
  }
  return conditions;
}

type Change = Omit<ConditionChange, 'observedGeneration'>;

function toConditionChanges({ previous, report, commands }: StatusInput): readonly Change[] {
  const situation = SITUATIONS[report.reason];
  const { reason, message } = report;
  const changes: Change[] = [
    { type: 'Ready', status: situation.ready === 'AsBefore' ? 'True' : situation.ready, reason, message },
  ];
  if (situation.progress === 'Reconciling')
    changes.push({ type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message });
  if (situation.progress === 'Stalled') changes.push({ type: 'Stalled', status: 'True', reason, message });
  changes.push(...toReadChanges(report));
  if (isGuarded(report)) changes.push(toHeldChange(report, commands));
  if (report.plan !== null || reason === 'TooManyFailures') changes.push(toDegradedChange(report));
  if (report.expiries !== null)
    changes.push(toExpiringChange(mergeExpiries(report.expiries, previous), report.finishedAt));
  return changes;
}

function toReadChanges({ sourceRead, readWay, suspicion, reason, message }: RunReport): readonly Change[] {
  if (sourceRead === null) return [];
  if (!sourceRead) {
    const incomplete = reason === 'ReadIncomplete' ? 'ReadIncomplete' : 'ReadFailed';
    return [{ type: 'SourceRead', status: 'False', reason: incomplete, message }];
  }
  const suspect: Change =
    suspicion === null
      ? { type: 'Suspect', status: 'False', reason: 'ReadTrusted', message: 'the read is trusted' }
      : { type: 'Suspect', status: 'True', reason: 'SuspiciousDrop', message: suspicion };
  return [{ type: 'SourceRead', status: 'True', reason: 'ReadComplete', message: toReadMessage(readWay) }, suspect];
}

/** Where a source gives changes, how it was read, and why not by them. */
function toReadMessage(way: RunReport['readWay']): string {
  if (way?.kind === 'Changes') return 'the changes since the last read arrived whole';
  if (way?.kind === 'Scope') return 'the people in scope arrived whole';
  if (way === null || way.why === null) return 'the last read arrived whole';
  return `the last read arrived whole: everybody was read, for ${way.why}`;
}

function toHeldChange({ held }: RunReport, commands: Commands): Change {
  if (held.count === 0)
    return { type: 'Held', status: 'False', reason: 'NothingHeld', message: 'nothing waits for approval' };
  const reason =
    held.kinds.suspect !== undefined
      ? 'ReadSuspect'
      : Object.keys(held.kinds).every((kind) => kind === 'recovered')
        ? 'LinksRecovered'
        : 'GuardLimit';
  return { type: 'Held', status: 'True', reason, message: toHeldMessage(held, commands) };
}

function toHeldMessage({ count, kinds, hash }: RunReport['held'], commands: Commands): string {
  const parts = Object.entries(kinds).map(([kind, units]) => `${units} ${kind}`);
  return `${count} ${count === 1 ? 'unit waits' : 'units wait'} (${parts.join(', ')}), hash ${hash}. Review: ${commands.review} Approve: ${commands.approve(hash)}`;
}

function toDegradedChange({ people, reason, message }: RunReport): Change {
  if (reason === 'TooManyFailures') return { type: 'Degraded', status: 'True', reason, message };
  if (people.failed === 0)
    return { type: 'Degraded', status: 'False', reason: 'NoErrors', message: 'no record failed' };
  return {
    type: 'Degraded',
    status: 'True',
    reason: 'RecordErrors',
    message: `${people.failed} records failed, ${people.conflicts} of them conflicts`,
  };
}

export interface Rest {
  readonly reason: Extract<ReadyReason, 'Suspended' | 'Completed'>;
  readonly generation: number;
  readonly now: Date;
}

const REST_MESSAGES: Readonly<Record<Rest['reason'], string>> = {
  Suspended: 'suspended: nothing is read or written',
  Completed: 'ran once for this generation',
};

/** Nothing goes on and nothing will: everything of the last run stays but the reason. */
export function computeResting(
  previous: Readonly<Record<string, unknown>>,
  { reason, generation, now }: Rest,
): DirectorySyncStatus {
  const { nextRunAt: _none, progress: _over, ...rest } = previous as DirectorySyncStatus;
  const before = rest.conditions ?? [];
  // What never ran is not ready because it is suspended.
  const status = findCondition(before, 'Ready')?.status ?? 'Unknown';
  const change = {
    type: 'Ready',
    status,
    reason,
    message: REST_MESSAGES[reason],
    observedGeneration: generation,
  } as const;
  const kept = removeCondition(removeCondition(before, 'Reconciling'), 'Stalled');
  return { ...rest, observedGeneration: generation, conditions: setCondition(kept, change, now) };
}

/** Work on what a person has changed or asked for has begun; no run has ended for it. */
export function computeProgressing(
  previous: Readonly<Record<string, unknown>>,
  { generation, now }: { generation: number; now: Date },
): DirectorySyncStatus {
  const status = previous as DirectorySyncStatus;
  const change = {
    reason: 'Progressing',
    message: 'a run works on what was changed or asked for',
    observedGeneration: generation,
  } as const;
  const kept = removeCondition(status.conditions ?? [], 'Stalled');
  const ready = setCondition(kept, { ...change, type: 'Ready', status: 'Unknown' }, now);
  const conditions = setCondition(ready, { ...change, type: 'Reconciling', status: 'True' }, now);
  return { ...status, observedGeneration: generation, conditions };
}

/** No run can begin with the resource as it is now. What the last one found stays. */
export function computeUnfit(
  previous: DirectorySyncStatus | undefined,
  { fault, generation, now }: { readonly fault: SyncError; readonly generation: number; readonly now: Date },
): DirectorySyncStatus {
  const reason = toReadyReason(fault.code, 'load');
  const change = { reason, message: toSafeText(fault.message), observedGeneration: generation } as const;
  const kept = removeCondition(removeCondition(previous?.conditions ?? [], 'Reconciling'), 'Stalled');
  const ready = setCondition(kept, { ...change, type: 'Ready', status: 'False' }, now);
  const { progress } = SITUATIONS[reason];
  const beside =
    progress === 'Stalled'
      ? ({ ...change, type: 'Stalled', status: 'True' } as const)
      : ({ ...change, type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry' } as const);
  return { ...previous, observedGeneration: generation, conditions: setCondition(ready, beside, now) };
}

/** Events on the resource: what changed for whoever watches, never one a person. */
export function toEvents(
  report: RunReport,
  previous: DirectorySyncStatus | undefined,
  commands: Commands,
): readonly ResourceEvent[] {
  if (report.stopped) return [];
  const { held, approval, applied, failedStep, reason, message, takenOver } = report;
  const events: ResourceEvent[] = [];
  const add = (type: ResourceEvent['type'], word: EventReason, text: string): void => {
    events.push({ type, reason: word, message: toSafeText(text) });
  };
  if (failedStep !== null && !isKnownFailure(report, previous)) add('Warning', 'Failed', `${reason}: ${message}`);
  if (isGuarded(report) && held.count > 0 && held.hash !== previous?.held?.hash)
    add('Warning', 'Held', toHeldMessage(held, commands));
  if (approval !== null) add('Normal', 'Released', `the held set ${approval.hash} was approved`);
  if (takenOver?.planned === false) add('Normal', 'TakenOver', takenOver.message);
  if ((applied.recover ?? 0) > 0) add('Normal', 'Recovered', `${applied.recover} links were rebuilt from the target`);
  const changes = Object.values(applied).reduce((sum, count) => sum + count, 0);
  if (failedStep === null && changes > 0)
    add('Normal', 'Synced', `${changes} operations were carried out: ${summarizePlan(applied)}`);
  const expiring = findNewExpiry(report, previous);
  if (expiring !== null) add('Warning', 'CredentialsExpiring', expiring);
  return events;
}

/** The condition's text is another one at each threshold: that is when it is told. */
function findNewExpiry({ expiries, finishedAt }: RunReport, previous: DirectorySyncStatus | undefined): string | null {
  if (expiries === null) return null;
  const { status, message } = toExpiringChange(mergeExpiries(expiries, previous), finishedAt);
  const told = findCondition(previous?.conditions, 'CredentialsExpiring');
  return status === 'True' && told?.message !== cutMessage(toSafeText(message)) ? message : null;
}

/** The same failure again and again is told once; the condition goes on saying it. */
function isKnownFailure({ reason, message }: RunReport, previous: DirectorySyncStatus | undefined): boolean {
  const ready = findCondition(previous?.conditions, 'Ready');
  return ready?.reason === reason && ready.message === cutMessage(toSafeText(message));
}
