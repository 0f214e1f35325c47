/** plan: desired against current, person by person and team by team, stored before anything is carried out. */

import type { Departure, Operation } from '../../model.ts';
import { findFailedDeletion, hasFailed, type Trying, withhold } from '../../plan/backoff.ts';
import { type DraftOperation, NOTHING, type Planned } from '../../plan/draft.ts';
import type { MemberContext } from '../../plan/member.ts';
import { toNames } from '../../plan/names.ts';
import { planPerson } from '../../plan/person.ts';
import { isOwnAccount } from '../../plan/protection.ts';
import type { Ending } from '../../plan/references.ts';
import { planRestoration, type Returning, toReturning } from '../../plan/restoration.ts';
import { listRetired } from '../../plan/retirement.ts';
import type { PlanSettings } from '../../plan/settings.ts';
import { toBelievedPerson } from '../../plan/target-limits.ts';
import { keepsMarks, planTeam, type TeamContext, type TeamPlan } from '../../plan/team.ts';
import { toOrigin } from '../../plan/team-origin.ts';
import type { Collision, PersonContext } from '../../plan/values.ts';
import type { NameRow, PersonState, TeamState } from '../../state/staging.ts';
import type { Backoff } from '../../state/store.ts';
import { rememberPlanned } from '../attribute-memory.ts';
import type { Loaded, Mapped, Observed, PlanResult, ReadResult, RunDependencies, Warning } from '../run.ts';
import { Detours } from './detours.ts';
import { DriftTally } from './drift.ts';
import { withdrawBlocked } from './order.ts';
import { keepMembers, planMembers } from './plan-members.ts';
import { PlanWriter } from './plan-writer.ts';
import { ProtectedTeams } from './protected-teams.ts';
import { isOpen, type OpenAccounts, type PeopleInput, recoverLinks, toOpenAccounts } from './recover-links.ts';
import { ReferenceIndex, withdrawDebts } from './references.ts';
import { type Released, releaseReferences } from './release.ts';
import { followRenames } from './rename-teams.ts';
import { toShapes, withRetired } from './shapes.ts';
import { readUnreleased } from './unreleased.ts';

export interface PlanInput {
  readonly loaded: Loaded;
  readonly read: ReadResult;
  readonly mapped: Mapped;
  readonly observed: Observed;
}

export async function plan(run: RunDependencies, input: PlanInput, signal: AbortSignal): Promise<PlanResult> {
  const settings = toSettings(run, input);
  const teamShapes = toShapes('Team', input.loaded.teamMapping, input.observed.capabilities);
  const writer = new PlanWriter(run, { User: settings.shapes, Team: teamShapes });
  const { verified } = input.observed;
  const open = await recoverLinks(run, { settings, writer, signal, verified });
  const drift = verified ? new DriftTally(run) : null;
  const teams = new ProtectedTeams(input.loaded.spec.guards);
  const index = await ReferenceIndex.read(run, { settings, teamShapes, gone: open.gone });
  const people = await planPeople(run, { settings, writer, signal, open, drift, index });
  // Memberships are planned by what links say now, truths found on the way included.
  await writer.flush();
  await planTeams(run, { input, settings, writer, people, signal, drift, protectedTeams: teams, teamShapes, index });
  const gone = index.isNeeded && run.options.user === null ? await readUnreleased(run) : [];
  const endings = index.isNeeded ? [...gone, ...people.endings] : [];
  const { ending: leaving } = people;
  const released = await releaseReferences(run, { endings, leaving, settings, teamShapes, index, writer, signal });
  await writer.flush();
  const { withoutAccount, made } = people;
  if (index.isNeeded) await withdrawDebts(run, { withoutAccount, gone: open.gone, made });
  await drift?.addUnmanaged();
  await drift?.flush();
  await rememberPlanned(run, input.loaded, people.retired);
  const warnings =
    run.options.user === null
      ? [...teams.warnings(), ...toOwnWarnings(people), ...toRetiredWarnings(input.loaded, settings)]
      : [];
  return {
    operations: writer.operations,
    protected: writer.protected,
    waiting: people.waiting,
    release: { endings, owed: listOwed(released, { endings, gone }) },
    drift: drift?.counts ?? null,
    warnings,
  };
}

/** What somebody refers to still when it is gone. */
function listOwed(
  { planned, undecided }: Released,
  { endings, gone }: { readonly endings: readonly Ending[]; readonly gone: readonly Ending[] },
): readonly Ending[] {
  return [...gone.filter(({ unit }) => planned.has(unit)), ...endings.filter(({ unit }) => undecided.has(unit))];
}

/** Nobody else can switch the account on again. */
function toOwnWarnings({ own }: PeoplePlan): readonly Warning[] {
  if (own.size === 0) return [];
  const message =
    'the account that the target is called with would be switched off, deleted, renamed or taken over; it stays';
  return [{ reason: 'OwnAccount', message, count: own.size }];
}

/** What the target does not let anybody change stays for good. */
function toRetiredWarnings({ attributes }: Loaded, { target }: PlanSettings): readonly Warning[] {
  return Object.entries(attributes.retired)
    .filter(([path]) => target.attribute('User', path).writes !== 'always')
    .map(([path, { resource }]) => ({
      reason: 'AttributeStays',
      message: `the target does not let ${JSON.stringify(path)} be changed: values of CustomAttribute ${resource}, which is gone, stay there`,
    }));
}

function toSettings(run: RunDependencies, { loaded, read, observed }: PlanInput): PlanSettings {
  const { adoption, deprovisioning, guards } = loaded.spec;
  const { memberships, deleteAfterMs, restoreMemberships, ...leaving } = deprovisioning;
  const { capabilities } = observed;
  return {
    adoption,
    adoptTeams: loaded.spec.adoptTeams,
    leaving,
    memberships,
    deleteAfterMs,
    restoreMemberships,
    now: run.now().getTime(),
    shapes: withRetired(toShapes('User', loaded.mapping, capabilities), loaded.attributes),
    activeMapped: loaded.mapping.activeMapped,
    protectedUsers: new Set(guards.protectedUsers.map((name) => name.toLowerCase())),
    ownNames: new Set(loaded.target.ownNames().map((name) => name.toLowerCase())),
    suspect: read.suspicion !== null,
    countUpdates: guards.update !== null,
    absenceProven: read.absenceProven,
    everybodyRead: read.absenceProven && read.failedIds.length === 0,
    target: capabilities,
    retired: new Set(Object.keys(loaded.attributes.retired)),
    drift: loaded.spec.drift.policy,
  };
}

/** What plans of people leave for plans of teams: leavers, failures and open matches only, never everybody. */
interface PeoplePlan {
  readonly leaving: Map<string, Departure>;
  /** People whose account is to be deleted, by this plan or, where that was refused, by a later one. */
  readonly ending: Set<string>;
  /** The same accounts, and teams, where this plan deletes them. */
  readonly endings: Ending[];
  readonly returning: Set<string>;
  readonly withoutAccount: Set<string>;
  /** Keys of teams that this plan makes. */
  readonly made: Set<string>;
  readonly spared: Set<string>;
  /** Among them whose account the target is called with. */
  readonly own: Set<string>;
  readonly claimed: Set<string>;
  /** People who are back, or were and have not got everything again. */
  readonly back: Map<string, Returning>;
  /** How many accounts have a value at a path of a CustomAttribute that is gone. */
  readonly retired: Map<string, number>;
  /** Units of which something is not tried again yet. */
  readonly waiting: Set<string>;
}

interface Referring {
  readonly index: ReferenceIndex;
}

interface Drifting {
  /** Null: the whole target was not looked at. */
  readonly drift: DriftTally | null;
}

async function planPeople(
  run: RunDependencies,
  { settings, writer, signal, open, drift, index }: PeopleInput & Drifting & Referring & { open: OpenAccounts },
): Promise<PeoplePlan> {
  const { staging } = run.state;
  const collisions = await readCollisions(run);
  const people: PeoplePlan = {
    leaving: new Map(),
    ending: new Set(),
    endings: [],
    returning: new Set(),
    withoutAccount: new Set(),
    made: new Set(),
    spared: new Set(),
    own: new Set(),
    claimed: new Set(),
    back: new Map(),
    retired: new Map(),
    waiting: new Set(),
  };
  const total = await staging.countUsers();
  const detours = await Detours.read(run.state);
  const names: NameRow[] = [];
  const trying = { now: settings.now, tryAll: run.options.tryAll };
  let done = 0;
  for await (const page of staging.people(run.options.user)) {
    signal.throwIfAborted();
    const backoffs = await run.state.backoffs.many(page.map(({ sourceId }) => sourceId));
    const references = await index.context(
      page.map(({ desired }) => desired?.references ?? {}),
      settings.shapes,
    );
    for (const person of page) {
      const collidesWith = collisions.get(person.sourceId) ?? null;
      const failed = { ...trying, backoffs: backoffs.get(person.sourceId) ?? [] };
      const deletion = findFailedDeletion(person, failed);
      const { rivals } = open;
      const context: PersonContext = {
        ...references,
        settings,
        collidesWith,
        rivals,
        deletionFailed: deletion !== null,
      };
      const whole = detours.end(person, planPerson(person, context), settings);
      await drift?.addPerson(person, context);
      const postponed = whole.operations.some(({ kind }) => kind === 'deactivate') ? deletion : null;
      const planned = withhold(whole, person, { ...failed, postponed });
      run.witness?.sawState(person, { isSpared: planned.protected > 0 });
      note(person, planned, { people, settings });
      noteWhole(person, whole, { people, postponed, settings, backoffs: failed.backoffs });
      noteWaiting(whole, planned, { people, postponed });
      people.endings.push(...planned.operations.flatMap(toEnding));
      if (planned.protected > 0 && isOwn(person, settings)) people.own.add(person.sourceId);
      const tried = {
        shapes: settings.shapes,
        hasFailed: (operation: Operation) => hasFailed(operation, failed.backoffs),
      };
      names.push(...toNames(toBelievedPerson(person, settings), await writer.add(planned), tried));
    }
    await staging.addNames(names.splice(0));
    done += page.length;
    run.onProgress({ step: 'plan', done, total: Math.max(total, done) });
  }
  await writer.flush();
  await detours.flush(run.state);
  if (run.options.user !== null) await completeOne(run, { settings, writer, done });
  await settleNames(run, writer, people);
  return people;
}

/** Also where it is only about to be taken over. */
function isOwn(person: PersonState, { ownNames }: PlanSettings): boolean {
  const accounts = [undefined, ...person.candidates.map(({ object }) => object.attributes)];
  return accounts.some((account) => isOwnAccount({ ...person, account }, ownNames));
}

/** What the plan of everybody would know: who has the names that this person wants, and that there is such a person. */
async function completeOne(
  run: RunDependencies,
  { settings, writer, done }: Pick<PeopleInput, 'settings' | 'writer'> & { readonly done: number },
): Promise<void> {
  const { staging } = run.state;
  const id = run.options.user ?? '';
  if (done === 0) {
    const message = `neither the source nor the state knows anybody with the source id ${JSON.stringify(id)}`;
    await writer.add({ ...NOTHING, errors: [{ resource: 'User', id, code: 'NotFound', message }] });
  }
  if (writer.operations === 0) return;
  for await (const page of staging.people())
    await staging.addNames(
      page.flatMap((person) =>
        toNames(toBelievedPerson(person, settings), [], { ...settings, hasFailed: () => false }),
      ),
    );
}

/** Who cannot have a name that somebody else keeps is a conflict, and nobody else waits for it (rule I8). */
async function settleNames(run: RunDependencies, writer: PlanWriter, people: PeoplePlan): Promise<void> {
  const { rest, errors, withoutAccount } = await withdrawBlocked(run);
  await writer.add({ ...NOTHING, operations: rest, errors });
  for (const id of withoutAccount) people.withoutAccount.add(id);
}

/** Also of what is not tried again yet. */
function noteWhole(
  person: PersonState,
  whole: Planned,
  {
    people,
    postponed,
    settings,
    backoffs,
  }: NoteInput & Pick<Trying, 'backoffs'> & { readonly postponed: Backoff | null },
): void {
  const { sourceId } = person;
  if (whole.operations.some(({ kind }) => kind === 'delete') || postponed !== null) people.ending.add(sourceId);
  const trying = { retired: settings.retired, hasFailed: (deletion: DraftOperation) => hasFailed(deletion, backoffs) };
  for (const path of listRetired(whole, person, trying)) people.retired.set(path, (people.retired.get(path) ?? 0) + 1);
}

function noteWaiting(
  whole: Planned,
  planned: Planned,
  { people, postponed }: { readonly people: PeoplePlan; readonly postponed: Backoff | null },
): void {
  for (const operation of whole.operations)
    if (postponed !== null || !planned.operations.includes(operation)) people.waiting.add(operation.unit);
}

interface NoteInput {
  readonly people: PeoplePlan;
  readonly settings: PlanSettings;
}

function note(person: PersonState, planned: Planned, { people, settings }: NoteInput): void {
  const { sourceId } = person;
  for (const { kind, cause } of planned.operations) {
    if (kind === 'deactivate') people.leaving.set(sourceId, cause as Departure);
    if (kind === 'reactivate') people.returning.add(sourceId);
  }
  if (planned.protected > 0) people.spared.add(sourceId);
  const back = toReturning(person, planned.operations, settings);
  if (back !== null) people.back.set(sourceId, back);
  if (!isOpen(person)) return;
  const isComing = planned.operations.some(({ kind }) => kind === 'create' || kind === 'adopt');
  if (person.desired?.presence === 'present' && !isComing) people.withoutAccount.add(sourceId);
  for (const id of toOpenAccounts(person)) people.claimed.add(id);
}

async function readCollisions({ state }: RunDependencies): Promise<Map<string, Collision>> {
  const collisions = new Map<string, Collision>();
  for await (const page of state.staging.collisions()) {
    for (const collision of page) for (const id of collision.sourceIds) collisions.set(id, collision);
  }
  return collisions;
}

function toEnding({ kind, resource, targetId, unit, cause }: DraftOperation): readonly Ending[] {
  return kind === 'delete' && targetId !== null ? [{ resource, targetId, unit, cause }] : [];
}

interface TeamsInput extends PeopleInput, Drifting, Referring {
  readonly input: PlanInput;
  readonly people: PeoplePlan;
  readonly protectedTeams: ProtectedTeams;
  readonly teamShapes: TeamContext['shapes'];
}

async function planTeams(run: RunDependencies, teams: TeamsInput): Promise<void> {
  const { input, settings, signal } = teams;
  const { loaded, mapped, observed } = input;
  const plain = {
    settings,
    rules: new Set(loaded.ruleNames),
    frozen: new Set(mapped.frozenRules),
    whenEmpty: new Map(loaded.rules.rules.map((rule) => [rule.name, rule.whenEmpty])),
    // Without teams of groups nothing becomes of those that are there.
    groupGone: loaded.spec.groups.provision === 'None' ? 'Retain' : loaded.spec.groups.deletedAtSource,
    maxNameLength: observed.capabilities.maxTeamNameLength,
    shapes: teams.teamShapes,
  };
  const waiting: ReadonlySet<string> = run.options.user === null ? await followRenames(run, loaded) : new Set();
  const restoring = new Set<string>();
  for await (const page of run.state.staging.teams()) {
    const references = await teams.index.context(
      page.map(({ desired }) => desired?.values.references ?? {}),
      teams.teamShapes,
    );
    const context: TeamContext = { ...plain, ...references };
    for (const team of page) {
      signal.throwIfAborted();
      run.witness?.sawTeam(team);
      if (waiting.has(team.key)) teams.protectedTeams.keeps(team);
      else await planOneTeam(run, team, { ...teams, context });
      const restored = planRestoration(team, [...teams.people.back.values()], context);
      await teams.writer.add({ ...NOTHING, operations: restored });
      for (const { member } of restored) restoring.add(member?.sourceId ?? '');
    }
  }
  await endLeaves(teams, restoring);
}

/** Of who is active again and has everything that is to be given back. */
async function endLeaves({ writer, people }: TeamsInput, restoring: ReadonlySet<string>): Promise<void> {
  for (const [sourceId, { reactivation }] of people.back) {
    if (reactivation !== null || restoring.has(sourceId)) continue;
    await writer.add({ ...NOTHING, effects: [{ type: 'endLeave', sourceId }] });
  }
}

async function planOneTeam(
  run: RunDependencies,
  team: TeamState,
  teams: TeamsInput & { context: TeamContext },
): Promise<void> {
  const { writer, settings, context, drift } = teams;
  const planned = planTeam(team, context);
  const isNew = planned.operations.some(({ kind }) => kind === 'create');
  const only = run.options.user;
  // One person says nothing about the team itself: whole runs take it over, and until then it is not ours.
  const isOurs = planned.members === 'compare' && !planned.operations.some(({ kind }) => kind === 'adopt');
  if (only !== null && !isOurs) return;
  if (only === null) await writer.add(isNew ? { ...planned, operations: [] } : planned);
  await drift?.addTeam(team, context);
  const keeps = teams.protectedTeams.keeps(team);
  const writes = !run.options.planOnly && teams.input.loaded.spec.mode === 'Apply';
  const add = async (more: Planned): Promise<void> => {
    if (more.operations.some(({ kind }) => kind === 'create')) teams.people.made.add(team.key);
    teams.people.endings.push(...more.operations.flatMap(toEnding));
    await writer.add(more);
  };
  if (planned.members === 'keep') {
    if (settings.drift === 'Repair' && writes) await keepMembers(team, add);
    return;
  }
  const member = toMemberContext(team, planned, teams);
  const { tellsMembers } = teams.input.observed.capabilities;
  const { ending } = teams.people;
  await planMembers(run.state, { team, planned, member, drift, keeps, ending, tellsMembers, writes, add, only });
}

function toMemberContext(
  team: TeamState,
  planned: TeamPlan,
  { settings, people }: Pick<TeamsInput, 'settings' | 'people'>,
): MemberContext {
  return {
    settings,
    key: team.key,
    targetId: team.link !== null && !team.gone ? team.link.targetId : (planned.operations[0]?.targetId ?? null),
    name: team.link?.displayName ?? team.desired?.displayName ?? team.key,
    origin: toOrigin({ key: team.key, rules: team.desired?.rules ?? team.link?.rules ?? [] }),
    isUnproven: team.link?.origin === 'recovered' && !keepsMarks(settings.target),
    emptied: planned.members === 'empty',
    withoutAccount: people.withoutAccount,
    leaving: people.leaving,
    returning: people.returning,
    deactivated: new Set(),
    spared: people.spared,
    claimed: people.claimed,
    overlooked: settings.drift === 'Repair' || team.link === null ? 'nothing' : team.link.dirty ? 'strangers' : 'all',
  };
}
