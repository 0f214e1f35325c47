/** report: what the run came to, gathered once from the store. The only thing that the loop and the status read. */
import { PLAN_COUNT_NAMES, type PlanCount } from '../../api/directory-sync-status.ts';
import { toReadyReason } from '../../api/reasons.ts';
import { SyncError } from '../../errors.ts';
import type { Operation } from '../../model.ts';
import type { OperationStatus, RunKind } from '../../state/store.ts';
import { rememberCarriedOut } from '../attribute-memory.ts';
import { getFact, putFact } from '../facts.ts';
import type { Failure, PlanCounts, RunContext, RunOutcome, RunReport, Warning } from '../run.ts';
import { describeAdopted } from '../takeover.ts';
import { toMark, toRuleMark } from '../triggers.ts';
import { EXPIRED } from './read-changes.ts';

const SAMPLES = 10;
/** The state store keeps runs for 90 days. */
const KEPT_MS = 90 * 86_400_000;

export async function report(context: RunContext): Promise<RunReport> {
  const { run, failure } = context;
  const { journal, staging } = run.state;
  await rememberTarget(context);
  await closeConnections(context);
  const error = toError(context);
  if (error !== null && error.code !== 'Aborted') run.log.debug({ step: failure?.step, err: error }, 'step failed');
  await addSamples(context);
  await journal.purge(run.now().getTime() - KEPT_MS);
  await run.state.ledger.purge(run.now().getTime() - KEPT_MS);
  await run.state.backoffs.purge(run.now().getTime() - KEPT_MS);
  await run.state.photos.purge();
  await staging.clear();
  const errors = await journal.countErrors(run.runId);
  const result: RunReport = {
    ...toEmptyReport(toBasics(context)),
    ...judge(context, { error, failed: errors.total }),
    ...toFailurePart(context, error),
    ...(await toPlanPart(context)),
    ...toReadPart(context),
    people: { ...toPeople(context), conflicts: errors.conflicts, failed: errors.total },
    links: await run.state.links.counts(),
    failures: await readFailures(context),
    takenOver: await readTakenOver(context),
  };
  await journal.finishRun(run.runId, {
    finishedAt: result.finishedAt.getTime(),
    outcome: result.stopped ? 'stopped' : result.outcome,
    reason: result.reason,
    summary: toSummary(result),
  });
  if (!result.stopped && !run.options.planOnly && run.options.user === null) await rememberEnd(context, result);
  if (!result.stopped) await noteTold(context);
  return result;
}

async function readTakenOver(context: RunContext): Promise<RunReport['takenOver']> {
  const adopted = await getFact(context.run.state.facts, 'adopted');
  if (adopted === null || adopted.told) return null;
  const planned = isPlan(context);
  return { planned, message: `${planned ? 'would take' : 'took'} over ${describeAdopted(adopted)}` };
}

/** In the copy that a plan works on too, which is not told by that. */
async function noteTold({ run }: RunContext): Promise<void> {
  const adopted = await getFact(run.state.facts, 'adopted');
  if (adopted?.told === false) await putFact(run.state.facts, 'adopted', { ...adopted, told: true });
}

/** How the application was seen to behave; the next run begins with it. */
async function rememberTarget({ run, loaded }: RunContext): Promise<void> {
  if (loaded === undefined) return;
  const memory = loaded.target.memory();
  const before = await getFact(run.state.facts, 'targetMemory');
  if (JSON.stringify(before) !== JSON.stringify(memory)) await putFact(run.state.facts, 'targetMemory', memory);
}

/** Before anything that may fail: they take a share of the budget as long as they are open. */
async function closeConnections({ loaded }: RunContext): Promise<void> {
  await Promise.allSettled([loaded?.source.close(), loaded?.target.close()]);
  loaded?.http.source.close();
  loaded?.http.target.close();
}

/** Null when the run ended well. */
function toError({ failure, run }: RunContext): SyncError | null {
  if (failure === undefined) return null;
  if (!isOverdue(run)) return SyncError.from(failure.thrown);
  return new SyncError('Unknown', 'the run took longer than timeouts.run and was ended; the next one goes on', {
    cause: failure.thrown,
  });
}

const COMPLETED: ReadonlySet<RunOutcome> = new Set(['synced', 'held', 'failed']);

/** What the next run, and statuses of TeamRules, must know of this one. */
async function rememberEnd({ run, loaded, observed }: RunContext, { outcome, reason }: RunReport): Promise<void> {
  // The state is that of the resource which has the id.
  if (reason === 'IdInUse') return;
  const { facts } = run.state;
  const before = await getFact(facts, 'ended');
  const completed = COMPLETED.has(outcome);
  if (completed && loaded !== undefined) await rememberCarriedOut(run, loaded, observed?.verified === true);
  const taken = completed && loaded?.spec.mode === 'Apply';
  const rules = run.resources.teamRules.filter(
    ({ metadata }) =>
      metadata.namespace === run.resource.metadata.namespace && loaded?.ruleNames.includes(metadata.name),
  );
  await putFact(facts, 'ended', {
    mark: toMark(run.resource, run.resources),
    completed,
    rules: taken
      ? Object.fromEntries(rules.map((rule) => [rule.metadata.name, toRuleMark(rule)]))
      : (before?.rules ?? {}),
  });
}

type RunBasics = Pick<RunReport, 'runId' | 'kind' | 'startedAt' | 'finishedAt'>;

/** What a run is before it has looked at anything; observe may know better. */
export function toRunKind({ user }: { readonly user?: string | null | undefined }): RunKind {
  return user == null ? 'Full' : 'OneUser';
}

/** A run of which nothing is known but that it was: what every report begins with. */
function toEmptyReport(basics: RunBasics): Omit<RunReport, keyof Verdict> {
  return {
    ...basics,
    failedStep: null,
    retryAfterMs: null,
    stopped: false,
    sourceRead: null,
    readWay: null,
    suspicion: null,
    resolvedGroups: null,
    identity: null,
    presets: null,
    plan: null,
    applied: {},
    samples: [],
    held: { count: 0, hash: '', kinds: {} },
    people: { inScope: null, protected: 0, unmanaged: 0, conflicts: 0, failed: 0 },
    links: { people: 0, active: 0, teams: 0, members: 0 },
    drift: null,
    failures: [],
    warnings: [],
    requests: { source: 0, target: 0 },
    expiries: null,
    approval: null,
    takenOver: null,
  };
}

function toBasics({ run }: RunContext): RunBasics {
  const { runId, options, startedAt } = run;
  return { runId, kind: toRunKind(options), startedAt, finishedAt: run.now() };
}

function toFailurePart({ failure, run }: RunContext, error: SyncError | null): Partial<RunReport> {
  if (failure === undefined || error === null) return {};
  const retryAfterMs = typeof error.retry === 'object' ? error.retry.afterMs : null;
  return { failedStep: failure.step, retryAfterMs, stopped: isStopped(run) };
}

/** Ended on purpose: what failed then says nothing about source or target. */
function isStopped(run: RunContext['run']): boolean {
  return (run.stopping.aborted || run.signal.aborted) && !isOverdue(run);
}

/** Nobody has asked for another run: this one is tried again like any that failed. */
function isOverdue({ stopping }: RunContext['run']): boolean {
  return stopping.aborted && stopping.reason instanceof Error && stopping.reason.name === 'TimeoutError';
}

function toReadPart(context: RunContext): Partial<RunReport> {
  const { read, loaded, failure, mapped, observed, guarded } = context;
  const failed = isUnread(failure) ? false : null;
  return {
    sourceRead: read === undefined ? failed : true,
    readWay: read?.way ?? null,
    suspicion: guarded?.trusted === true ? null : (read?.suspicion ?? null),
    resolvedGroups: toResolvedGroups(context),
    identity: loaded?.identity ?? null,
    presets: loaded?.presets ?? null,
    kind: toKind(context),
    requests: { source: loaded?.http.source.sent ?? 0, target: loaded?.http.target.sent ?? 0 },
    expiries: loaded?.expiries.list() ?? null,
    // What the target was seen to do in this run too.
    warnings: [
      ...toReadWarnings(read),
      ...(mapped?.warnings ?? []),
      ...(observed?.warnings ?? []),
      ...(context.planned?.warnings ?? []),
      ...toDriftWarnings(context),
      ...(observed?.capabilities.limitations() ?? []),
    ],
  };
}

/** A scope that takes people by no group has none. */
function toResolvedGroups({ read }: RunContext): RunReport['resolvedGroups'] {
  return read === undefined ? null : (read.scopeGroups?.groups ?? []);
}

/** Nobody has to do anything; but of a feed that expires each time nobody has anything either. */
function toReadWarnings(read: RunContext['read']): readonly Warning[] {
  if (read?.way.kind !== 'Full' || read.way.why !== EXPIRED) return [];
  return [{ reason: 'CursorExpired', message: `${EXPIRED}: everybody was read` }];
}

/** A look at the whole target says more of a run than how the source was read. */
function toKind({ run, read, observed }: RunContext): RunKind {
  const kind = observed?.kind ?? toRunKind(run.options);
  return kind === 'Full' && read !== undefined && read.way.kind !== 'Full' ? 'Delta' : kind;
}

function toDrift({ planned, observed }: RunContext): RunReport['drift'] {
  const counts = planned?.drift ?? null;
  if (counts === null || observed === undefined) return null;
  return { ...counts, unmanaged: observed.unmanaged, unreadTeams: observed.unreadTeams };
}

/** What is put right is told by its operations. */
function toDriftWarnings({ planned, loaded }: RunContext): readonly Warning[] {
  const drift = planned?.drift ?? null;
  if (drift === null || loaded?.spec.drift.policy !== 'Report') return [];
  const count = drift.attributes + drift.memberships + drift.missing;
  if (count === 0) return [];
  return [{ reason: 'Drift', message: 'changes made by hand in the target stay, for drift.policy is Report', count }];
}

async function toPlanPart(context: RunContext): Promise<Partial<RunReport>> {
  const { run, planned, guarded } = context;
  if (planned === undefined) return {};
  const counts = await run.state.journal.counts(run.runId);
  const plan = { plan: toPlanCounts(counts), samples: await readSamples(context), drift: toDrift(context) };
  if (guarded === undefined) return plan;
  return {
    ...plan,
    applied: toPlanCounts(counts.filter((each) => each.status === 'done')),
    held: { count: guarded.heldUnits, hash: guarded.hash, kinds: guarded.kinds },
    approval: run.options.approve === null ? null : { hash: run.options.approve, by: run.options.approvedBy },
  };
}

function toPeople({
  mapped,
  planned,
  observed,
}: RunContext): Pick<RunReport['people'], 'inScope' | 'protected' | 'unmanaged'> {
  return { inScope: mapped?.inScope ?? null, protected: planned?.protected ?? 0, unmanaged: observed?.unmanaged ?? 0 };
}

/** When the store is not to be had: neither before the run nor for its report. */
export function toLostReport({ failure, ...basics }: RunBasics & { readonly failure: Failure | undefined }): RunReport {
  const error = SyncError.from(failure?.thrown);
  const step = failure?.step ?? 'report';
  return {
    ...toEmptyReport(basics),
    outcome: 'waiting',
    reason: toReadyReason(error.code, step),
    message: error.message,
    failedStep: step,
  };
}

/** A resource under deletion may wait for an application that is gone for good. */
const LET_GO = '. The resource waits for its deletionPolicy; annotate it with dirsync.dev/abandon=true to let it go';

type Verdict = Pick<RunReport, 'outcome' | 'reason' | 'message'>;

function isPlan({ run, loaded }: RunContext): boolean {
  return run.options.planOnly || loaded?.spec.mode === 'Plan';
}

function judge(context: RunContext, { error, failed }: { error: SyncError | null; failed: number }): Verdict {
  const { failure, guarded, read, run } = context;
  if (error !== null && failure !== undefined) {
    const reason = toReadyReason(error.code, failure.step);
    const message = run.options.deletion && !run.options.planOnly ? `${error.message}${LET_GO}` : error.message;
    return { outcome: error.retry === 'never' ? 'stalled' : 'waiting', reason, message };
  }
  const held = guarded?.heldUnits ?? 0;
  if (isPlan(context)) {
    return {
      outcome: held > 0 ? 'held' : 'synced',
      reason: 'Planned',
      message: 'the plan is in the status; nothing was written',
    };
  }
  if (guarded?.kinds.suspect !== undefined) {
    const message = `${read?.suspicion}; removals wait for a second complete read or for approval`;
    return { outcome: 'waiting', reason: 'ReadSuspect', message };
  }
  return judgeApplied(held, failed);
}

function judgeApplied(held: number, failed: number): Verdict {
  if (failed > 0) {
    const message = `${failed} ${failed === 1 ? 'record' : 'records'} failed; dirsync history names them`;
    return { outcome: 'failed', reason: 'SyncedWithErrors', message };
  }
  if (held > 0) {
    const message = `${held} ${held === 1 ? 'unit waits' : 'units wait'} for approval; the rest is done`;
    return { outcome: 'held', reason: 'SyncedWithHeld', message };
  }
  return { outcome: 'synced', reason: 'Synced', message: 'everything that is wanted is at the target' };
}

/** Sizes that the guards of later runs refer to. Of teams only those that changed: a size holds until the next one. */
async function addSamples({ run, applied }: RunContext): Promise<void> {
  if (applied === undefined) return;
  const { journal, ledger, links } = run.state;
  const touched = new Set<string>();
  for await (const page of journal.operations(run.runId, { phase: 'members', status: 'done' }))
    for (const { id } of page) touched.add(id);
  const { active, teams } = await links.counts();
  const samples = [
    { scope: '', count: active },
    { scope: 'teams', count: teams },
  ];
  for (const key of touched) samples.push({ scope: key, count: await links.members(key) });
  await ledger.addSamples(run.now().getTime(), samples);
}

type OperationCount = {
  kind: Operation['kind'];
  resource: Operation['resource'];
  status: OperationStatus;
  count: number;
};

const TEAM_COUNTS: Readonly<Partial<Record<Operation['kind'], PlanCount>>> = {
  create: 'createTeams',
  update: 'updateTeams',
  delete: 'deleteTeams',
};

function toPlanCounts(counts: readonly OperationCount[]): PlanCounts {
  const sums: Partial<Record<PlanCount, number>> = Object.fromEntries(PLAN_COUNT_NAMES.map((name) => [name, 0]));
  for (const { kind, resource, count } of counts) {
    const name = (resource === 'Team' ? TEAM_COUNTS[kind] : undefined) ?? kind;
    sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

async function readSamples({ run, planned }: RunContext): Promise<RunReport['samples']> {
  if (planned === undefined) return [];
  for await (const page of run.state.journal.operations(run.runId)) {
    return page.slice(0, SAMPLES).map(({ kind, resource, id, changes }) => ({
      kind,
      resource,
      id,
      attributes: changes.map(({ path }) => path).slice(0, 20),
    }));
  }
  return [];
}

async function readFailures({ run }: RunContext): Promise<RunReport['failures']> {
  for await (const page of run.state.journal.errors(run.runId)) {
    return page.slice(0, SAMPLES).map(({ resource, id, code }) => ({ resource, id, code }));
  }
  return [];
}

function toSummary({
  kind,
  message,
  plan,
  applied,
  held,
  people,
  requests,
  approval,
  warnings,
  drift,
  takenOver,
}: RunReport): Readonly<Record<string, unknown>> {
  return {
    kind,
    message,
    plan,
    applied,
    held,
    people,
    requests,
    approval,
    warnings,
    drift,
    takenOver: takenOver?.message,
  };
}

/** A directory that is not there, or not to be trusted, may say so as soon as it is asked who it is. */
function isUnread(failure: RunContext['failure']): boolean {
  if (failure === undefined) return false;
  const { step, thrown } = failure;
  return step === 'read' || (thrown instanceof SyncError && thrown.code === 'ReadFailed');
}
