/** Plays one scenario from its first hire to the quiet at its end, and tells what went wrong. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import type { Resource } from '../../src/api/resources.ts';
import { confirmRecovered, readRecovered } from '../../src/reconcile/confirm.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { toRef } from '../support/memory-host.ts';
import { actByHand } from './admin.ts';
import { toRemovals } from './approvals.ts';
import { applyCustoms, isCustomLeft, noteCustom, settleCustoms } from './attributes.ts';
import { toWantedCopies } from './copies.ts';
import { compareWithPolicy, type Ending, type Owned, readOwned } from './deletion.ts';
import { MANIFEST_EDITS } from './edits.ts';
import {
  isFeedFault,
  isGroupFault,
  isHttpFault,
  isProcessFault,
  isReadFault,
  type ReadFault,
  type ReadFaultKind,
} from './faults.ts';
import { asksForGroups, mendScope } from './groups.ts';
import { hasScopeGroups, type RunFacts, type Violation } from './invariants/facts.ts';
import type { Removal } from './invariants/removals.ts';
import { breakPage, findManyLines, open, openNewer } from './mishaps.ts';
import { at, type Company, type Manifests, NAMESPACE, SYNC, toStateKey, toStateKeys } from './model.ts';
import { compareWithOracle } from './oracle.ts';
import type { Telling } from './provider.ts';
import { publishOutcome } from './publish.ts';
import type { RunStep, Scenario, Step, StoreMishap } from './scenario.ts';
import { toReading } from './source.ts';
import { takeStep } from './steps.ts';
import { checkText, copyState, createWorld, eraseState, type Process, restoreState, type World } from './world.ts';

export interface Result {
  readonly violations: readonly Violation[];
  readonly counts: ReadonlyMap<string, number>;
  readonly log: readonly string[];
  /** Of the log: the same seed gives the same one. */
  readonly digest: string;
}

/** @param folder for the state file; its own, while this runs */
export async function simulate(scenario: Scenario, folder: string): Promise<Result> {
  const world = createWorld(scenario, folder);
  const play = new Play(world, scenario);
  for (const quirk of scenario.application.quirks) world.count(`target ${quirk}`);
  if (scenario.application.profile !== undefined) world.count(`target ${scenario.application.profile}`);
  if (scenario.application.tokenLife !== undefined) world.count('target tokens that end');
  try {
    for (const step of scenario.steps) await play.take(step);
    await play.settle();
    if (scenario.ending !== undefined) await play.end(scenario.ending);
  } catch (thrown) {
    world.invariants.fail('engine', thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  } finally {
    await world.close();
  }
  for (const problem of world.host.problems) world.invariants.fail('kstatus', problem);
  const { log, counts } = world;
  const digest = createHash('sha256').update(log.join('\n')).digest('hex').slice(0, 16);
  return { violations: world.invariants.violations, counts, log, digest };
}

const NOBODY: ReadonlySet<string> = new Set();
const QUIET: RunStep = { do: 'run', faults: [], user: null, approve: true, resync: false, twin: false };
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/**
 * Runs after the faults stop in which everything must have come to rest. Of a chain of names one is approved at a time
 * where the store was lost, and every approval takes two runs.
 */
const PATIENCE = 20;

class Play {
  readonly #world: World;
  /** Of the state file after each run; null where nobody is going to ask for it. */
  readonly #copies: (Uint8Array | null)[] = [];
  readonly #wanted: ReadonlySet<number>;
  #process: Process | null = null;
  #runs = 0;
  /** Steps that are runs, with their twins. */
  #plays = 0;
  #damaged = false;
  /** As they were last applied. */
  #manifests: Manifests | null = null;
  #report: RunReport | null = null;
  /** What was held when somebody last looked. */
  #held: RunReport | null = null;

  constructor(world: World, { steps }: Scenario) {
    this.#world = world;
    this.#wanted = toWantedCopies(steps);
  }

  async take(step: Step): Promise<void> {
    const { world } = this.#open();
    if (step.do !== 'run') world.note(JSON.stringify(step));
    switch (step.do) {
      case 'run':
        await this.#run(step);
        return this.#keepCopy();
      case 'admin':
        return actByHand(world, step.act, step.which);
      case 'time':
        return world.clock.pass(step.ms);
      case 'jump':
        world.count(step.ms > 0 ? 'fault clockForth' : 'fault clockBack');
        return world.clock.jump(step.ms);
      case 'store':
        return this.#spoil(step.how, step.which);
      case 'confirm':
        return this.#confirm();
      default:
        takeStep(world.company, step);
    }
  }

  #open(): { world: World } {
    return { world: this.#world };
  }

  /** Until two runs in a row have nothing to do; then everything must be as the resources say. */
  async settle(): Promise<void> {
    const world = this.#world;
    const { company, clock, invariants } = world;
    const { drift: _reported, ...spec } = company.manifests.spec;
    company.manifests.spec = { ...spec, mode: 'Apply' };
    mendScope(company);
    const settlesAt = clock.wall();
    let quiet = 0;
    for (let round = 0; quiet < 2; round += 1) {
      if (round === PATIENCE) return invariants.fail('oracle', `not quiet after ${PATIENCE} runs: ${this.#describe()}`);
      clock.pass(round % 2 === 0 ? 11 * MINUTE : DAY + MINUTE);
      const before = toPicture(world);
      await this.#run({ ...QUIET, resync: round === 0 });
      const report = this.#report;
      const isQuiet = toPicture(world) === before && report?.held.count === 0 && isDone(report);
      quiet = isQuiet ? quiet + 1 : 0;
    }
    const problems = compareWithOracle({
      company,
      server: world.server,
      damaged: this.#damaged,
      leftAt: invariants.leftAt,
      quietFor: clock.wall() - settlesAt,
      settlesAt,
      count: world.count,
    });
    if (isCustomLeft(world)) invariants.fail('oracle', 'the deletion of the CustomAttribute has not ended');
    for (const problem of problems) invariants.fail('oracle', problem);
    await this.#runTwice();
  }

  /** Rule I2, and that what a report says is so (I12): nothing to do means that the next run writes nothing. */
  async #runTwice(): Promise<void> {
    const world = this.#world;
    const { reason } = this.#report ?? {};
    if (reason !== 'Synced' && reason !== 'SyncedWithErrors') return;
    const writes = world.log.length;
    await this.#run({ ...QUIET, approve: false });
    // What a look at everything has told to be refused may be asked for by a run that does not look.
    const isWrite = reason === 'Synced' ? / (POST|PUT|PATCH|DELETE) \/(?!oauth)/ : / changes /;
    for (const line of world.log.slice(writes).filter((each) => isWrite.test(each)))
      world.invariants.fail('I2', `a run without a change in between: ${line}`);
    world.count('second runs');
  }

  /** `kubectl delete`, with kills in between: what is owned goes as the policy says, and nothing else. */
  async end({ policy, kills }: Ending): Promise<void> {
    const world = this.#world;
    const { company, invariants, server } = world;
    this.#process ??= await world.start('one');
    const state = await this.#process.store.directory(toStateKey(this.#world.company.manifests));
    const owned = await readOwned(state, company, policy);
    company.manifests.spec = { ...company.manifests.spec, deletionPolicy: policy };
    world.note(`deleted: ${policy}`);
    world.count(`ending ${policy}`);
    const faults = kills.map((at) => [{ kind: 'kill', at, count: 1 }] as const);
    for (const some of [...faults, [], [], []]) {
      await this.#run({ ...QUIET, approve: false, faults: some }, owned);
      if (some.length === 0 && this.#report?.outcome === 'synced') break;
    }
    for (const problem of compareWithPolicy(owned, server)) invariants.fail('oracle', problem);
  }

  #describe(): string {
    const report = this.#report;
    return `${report?.outcome} ${report?.reason} ${report?.message} held ${JSON.stringify(report?.held)}`;
  }

  async #spoil(how: StoreMishap, which: number): Promise<void> {
    if (how === 'newer') return this.#meetNewer();
    if (how === 'locked') return this.#meetLocked();
    if (how === 'broken') return this.#meetBroken(which);
    return this.#damage(how);
  }

  async #meetNewer(): Promise<void> {
    const world = this.#world;
    if (!existsSync(world.file)) return;
    await this.#end();
    const { message, problem } = await openNewer(world.file);
    world.note(`newer: ${toStable(message, world)}`);
    world.count('fault storeNewer');
    if (problem !== null) world.invariants.fail('engine', problem);
  }

  /** Another process holds the store, and somebody gives up waiting for it. */
  async #meetLocked(): Promise<void> {
    const world = this.#world;
    this.#process ??= await world.start('one');
    const main = this.#process;
    const lease = await world.hold();
    world.count('fault storeLocked');
    world.clock.after(MINUTE, () => main.stopping.abort());
    await this.#run({ ...QUIET, approve: false });
    await lease.release();
    if (main.requests > 0) world.invariants.fail('engine', 'a run went on without the store, which another one held');
  }

  /** One page of the file is garbage: the run ends right, or with one clear line, and the file is moved away. */
  async #meetBroken(which: number): Promise<void> {
    const world = this.#world;
    await this.#end();
    if (!existsSync(world.file) || !breakPage(world.file, which)) return;
    world.count('fault storeBroken');
    const refusal = await open(world.file);
    if (refusal === null) await this.#run({ ...QUIET, approve: false });
    const { failedStep = null, reason, message = '' } = this.#report ?? {};
    // Nothing may stand under the old id, and a group of the scope may be gone, broken page or not.
    const isRefused = reason === 'StateUnavailable' || /^(spec\.adoptFrom|scope\.groups): /.test(message);
    const isUnclear = refusal === null && failedStep !== null && !isRefused;
    const problem = refusal === null ? findManyLines(message) : refusal.problem;
    if (isUnclear || problem !== null)
      world.invariants.fail('engine', `a broken page: ${problem ?? `${reason}: ${message}`}`);
    await this.#damage('lost');
  }

  async #damage(how: 'lost' | 'rolledBack'): Promise<void> {
    const world = this.#world;
    const [copy] = this.#copies.splice(-2, 1);
    if (how === 'rolledBack' && copy === undefined) return;
    await this.#end();
    this.#damaged = true;
    this.#held = null;
    if (how === 'rolledBack' && copy != null) {
      world.count('fault storeRolledBack');
      restoreState(world.file, copy);
      world.invariants.onStoreRolledBack();
      return;
    }
    world.count('fault storeLost');
    eraseState(world.file);
    world.invariants.onStoreLost();
  }

  /** `dirsync adopt --confirm`. */
  async #confirm(): Promise<void> {
    const world = this.#world;
    this.#process ??= await world.start('one');
    const state = await this.#process.store.directory(toStateKey(this.#world.company.manifests));
    const ids: string[] = [];
    for await (const page of readRecovered(state)) ids.push(...page.map(({ targetId }) => targetId));
    await confirmRecovered(state, { by: 'tester', now: () => new Date(world.clock.wall()) });
    world.count('confirmed links', ids.length);
    world.invariants.onConfirmed(ids);
  }

  async #end(): Promise<void> {
    await this.#process?.close();
    this.#process = null;
  }

  async #run(step: RunStep, owned: Owned | null = null): Promise<void> {
    const world = this.#world;
    this.#applyManifests();
    this.#process ??= await world.start('one');
    const main = this.#process;
    const twin = step.twin ? await world.start('two') : null;
    if (twin !== null) world.count('fault twoControllers');
    const approve = step.approve ? await this.#grant() : null;
    const runs = [this.#runIn(main, step, { approve, owned })];
    if (twin !== null) runs.push(this.#runIn(twin, QUIET, { approve: null, owned: null }));
    const isBusy = (): boolean => [...world.processes].some(({ seam }) => seam.alive && seam.busy > 0);
    await world.clock.drive(Promise.all(runs), isBusy);
    await Promise.all(runs);
    await twin?.close();
    if (!main.seam.alive) {
      await this.#end();
      // Nobody is back in no time, and what was on the wire arrives.
      world.clock.pass(2_000);
    }
  }

  #keepCopy(): void {
    this.#plays += 1;
    this.#copies.push(this.#wanted.has(this.#plays) ? copyState(this.#world.file) : null);
  }

  #applyManifests(): void {
    const { host, company } = this.#world;
    applyCustoms(this.#world);
    const text = JSON.stringify(company.manifests);
    if (text === JSON.stringify(this.#manifests)) return;
    this.#manifests = JSON.parse(text) as Manifests;
    const { spec, mapping, teamMapping, rules } = this.#manifests;
    const put = (kind: string, name: string, document: unknown): void =>
      host.put({
        apiVersion: 'dirsync.dev/v1alpha1',
        kind,
        metadata: { name, namespace: NAMESPACE },
        spec: document,
      } as Resource);
    put('DirectorySync', SYNC, spec);
    put('AttributeMapping', 'users', mapping);
    if (teamMapping !== undefined) put('AttributeMapping', 'teams', teamMapping);
    for (const [name, rule] of Object.entries(rules)) put('TeamRule', name, rule);
    for (const { metadata } of host.resources().teamRules)
      if (rules[metadata.name] === undefined) host.remove(toRef('TeamRule', metadata.name));
  }

  /** Approves what the last run held, as a person does who has looked at it. */
  async #grant(): Promise<string | null> {
    const report = this.#held;
    if (report === null || report.held.hash === '' || this.#process === null) return null;
    const { mode } = this.#world.company.manifests.spec;
    if (mode === 'Plan') return null;
    const removals: Removal[] = [];
    for (const key of toStateKeys(this.#world.company.manifests)) {
      const { journal } = await this.#process.store.directory(key);
      for await (const page of journal.operations(report.runId, { status: 'held' }))
        removals.push(...page.flatMap(toRemovals));
    }
    this.#world.invariants.grant(removals);
    this.#world.count('approvals');
    return report.held.hash;
  }

  async #runIn(
    process: Process,
    step: RunStep,
    { approve, owned }: { readonly approve: string | null; readonly owned: Owned | null },
  ): Promise<void> {
    const world = this.#world;
    const { clock, invariants, company } = world;
    this.#runs += 1;
    const name = `run ${this.#runs} (${process.seam.name})`;
    const read = step.faults.find(isReadFault) ?? null;
    const isNew = read?.kind === 'wrongTenant' && !(await this.#hasLinks(process));
    const isAsked = read === null || isAskedFor(read.kind, this.#manifests ?? company.manifests);
    if (read !== null && !isNew && isAsked && !isFeedFault(read.kind)) world.count(`fault ${read.kind}`);
    const fault = isNew ? null : read;
    const facts: RunFacts = {
      name,
      manifests: this.#manifests ?? company.manifests,
      reading: toReading(company, fault),
      outdated: NOBODY,
      startedAt: clock.wall(),
      approve,
      resync: step.resync,
      forgot: this.#damaged,
      plans: company.manifests.spec.mode === 'Plan',
      only: step.user === null ? null : toSomebody(company, step.user),
      owned,
    };
    const resource = world.host.get('DirectorySync', SYNC) as DirectorySyncResource;
    countRun(world, facts);
    process.facts = facts;
    process.telling = this.#toTelling(facts, fault);
    process.trouble = { http: step.faults.filter(isHttpFault), process: step.faults.filter(isProcessFault) };
    process.requests = 0;
    process.base = process.seam.crossings;
    process.stopping = new AbortController();
    process.hard = new AbortController();
    world.onEdit = () => takeStep(company, { do: 'manifest', what: toEdit(this.#runs), value: this.#runs });
    world.note(
      `${name} begins${approve === null ? '' : `, approving ${approve}`}${step.resync ? ', resync' : ''}${facts.only === null ? '' : `, for ${facts.only}`}`,
    );
    invariants.onRunStart(facts);
    await settleCustoms(world, process);
    const run = process.engine.run({
      resource,
      signal: process.hard.signal,
      stopping: process.stopping.signal,
      approve,
      approvedBy: approve === null ? null : 'tester',
      resync: step.resync,
      user: facts.only,
      deletion: owned !== null,
    });
    const report = await Promise.race([run, process.seam.death.then(() => null)]);
    if (report === null) {
      world.note(`${name} was killed`);
      return;
    }
    await this.#conclude(process, { facts, report, resource });
  }

  /** Whichever way the run reads, what it was told is what it goes by. */
  #toTelling(facts: RunFacts, fault: ReadFault | null): Telling {
    const { company, invariants, count } = this.#world;
    const { feed } = company;
    const filter = facts.only === null ? company.filter : null;
    const onTold: Telling['onTold'] = (reading, way) => {
      if (way === 'changes') count(feed?.namesGone === false ? 'reads by counted changes' : 'reads by changes');
      if (way === 'changes' && fault !== null && isFeedFault(fault.kind)) count(`fault ${fault.kind}`);
      if (way === 'scope') count('reads of the scope');
      facts.reading = reading;
      facts.outdated = way === 'scope' ? new Set(filter?.out) : NOBODY;
      invariants.onTold(facts);
    };
    return { whole: toReading(company, null), full: facts.reading, fault, feed, filter, onTold };
  }

  async #hasLinks(process: Process): Promise<boolean> {
    const state = await process.store.directory(toStateKey(this.#world.company.manifests));
    return (await state.links.counts()).people > 0;
  }

  async #conclude(
    process: Process,
    { facts, report, resource }: { facts: RunFacts; report: RunReport; resource: DirectorySyncResource },
  ): Promise<void> {
    const world = this.#world;
    process.facts = null;
    process.trouble = { http: [], process: [] };
    const said = toStable(report.message, world);
    world.note(`${facts.name} ends ${report.outcome} ${report.reason} ${said} held ${report.held.hash}`);
    checkText(world, 'report', JSON.stringify([report.message, report.warnings, report.suspicion]));
    if (report.reason === 'ApprovalMismatch') world.invariants.revoke();
    if (report.takenOver?.planned === false) world.count('takeovers');
    // As the message says: a store that was lost does not know the old id.
    if (report.message.startsWith('spec.adoptFrom')) delete world.company.manifests.spec.adoptFrom;
    const isJudged = report.failedStep === null || report.failedStep === 'apply' || report.failedStep === 'report';
    world.invariants.onRunEnd(facts, {
      read: report.failedStep !== 'load' && report.failedStep !== 'read',
      trusted: isJudged && report.suspicion === null && report.plan !== null,
    });
    if (facts.only === null) this.#report = report;
    // A set that is not there any more is looked at again before it is approved.
    if (report.reason === 'ApprovalMismatch') this.#held = null;
    if (isJudged && report.plan !== null && facts.only === null) this.#held = report;
    if (isJudged && report.plan !== null) noteCustom(world, facts);
    this.#tally(report);
    this.#checkLinks(facts, report);
    await settleCustoms(world, process);
    // A cluster takes nobody through before a whole run has ended; the CLI does, and has no status.
    if (facts.owned === null && (facts.only === null || this.#report !== null))
      await publishOutcome(world, { process, resource, report });
  }

  /** Rule I6: what was written down as begun is found again; links are rebuilt where a store was lost, and only there. */
  #checkLinks({ name }: RunFacts, { applied }: RunReport): void {
    const { counts, invariants } = this.#world;
    // Of a create that came twice, or after it was given up, an account may be found that nobody waited for.
    const isMixedUp = counts.has('fault late') || counts.has('fault doubled');
    if ((applied.recover ?? 0) > 0 && !this.#damaged && !isMixedUp)
      invariants.fail('I6', `${name}: a link was rebuilt although no store was lost`);
  }

  #tally(report: RunReport): void {
    const world = this.#world;
    world.count(`end ${report.reason}`);
    world.count('runs');
    for (const [kind, count] of Object.entries(report.applied)) world.count(`operation ${kind}`, count);
    for (const [kind, count] of Object.entries(report.held.kinds)) world.count(`held ${kind}`, count);
    if (world.server.dialect.activeFalse !== 'removes') return;
    world.count('deleted where off is gone', report.applied.delete ?? 0);
    world.count('held where off is gone', report.held.kinds.delete ?? 0);
  }
}

function countRun({ count }: World, facts: RunFacts): void {
  if (facts.only !== null) count('runs for one person');
  if (!hasScopeGroups(facts)) count('reads without a group of the scope');
}

/** Does the run read what the fault spoils? */
function isAskedFor(kind: ReadFaultKind, manifests: Manifests): boolean {
  if (!isGroupFault(kind)) return true;
  return asksForGroups(manifests) && (kind !== 'groupColumnGone' || manifests.teamMapping !== undefined);
}

/** Somebody who is or was there. */
function toSomebody({ people, gone }: Company, n: number): string {
  return at([...people, ...gone], n)?.id ?? 'nobody';
}

/** Without the folder, which is another one each time. */
function toStable(message: string, { file }: World): string {
  return message.replaceAll(file, 'state.db');
}

function toEdit(n: number): (typeof MANIFEST_EDITS)[number] {
  return MANIFEST_EDITS[n % MANIFEST_EDITS.length] ?? 'floor';
}

/** What the server holds, as text. */
function toPicture({ server }: World): string {
  return JSON.stringify([[...server.users.values()], [...server.teams.values()]]);
}

function isDone({ outcome }: RunReport): boolean {
  return outcome === 'synced' || outcome === 'held' || outcome === 'failed';
}
