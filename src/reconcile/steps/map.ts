/** map: staged records → desired users and teams. Drives the pure mapping over the pages; nothing is decided here. */
import { toPlacedMessage } from '../../api/messages.ts';
import { toMatchKey } from '../../mapping/match-key.ts';
import { toMissingMessage } from '../../mapping/missing.ts';
import { createPersonMapper, type MappedPerson, type PersonMapper } from '../../mapping/person.ts';
import { createTeamMapper, type TeamMapper, toAccountNames } from '../../mapping/teams.ts';
import type { DesiredTeam, DesiredUser, RecordError } from '../../model.ts';
import type { MatchKey, StagedUser } from '../../state/staging.ts';
import { getFact, putFact } from '../facts.ts';
import type { Loaded, Mapped, ReadResult, RunDependencies, Warning } from '../run.ts';
import { projectionOf } from './asking.ts';
import { createGroupLookup, mapGroups, toTenant } from './map-groups.ts';
import { PhotoLooks } from './photos.ts';
import { isMeant } from './read.ts';
import { nameReferred } from './references.ts';
import { toScopeErrors } from './scope-groups.ts';

interface Batch {
  readonly desired: { desired: DesiredUser; keys: readonly MatchKey[] }[];
  readonly teams: Map<string, DesiredTeam>;
  readonly memberships: { team: string; sourceId: string; keep: boolean }[];
  readonly errors: RecordError[];
}

export async function map(
  run: RunDependencies,
  { loaded, read }: { loaded: Loaded; read: ReadResult },
  signal: AbortSignal,
): Promise<Mapped> {
  const { staging, journal } = run.state;
  const { mapping, spec, rules } = loaded;
  const isRandom = [mapping, loaded.teamMapping].some(({ entries }) => entries.some(({ usesChance }) => usesChance));
  const seed = isRandom ? await readSeed(run) : null;
  const people = createPersonMapper({
    mapping,
    scope: loaded.scope,
    known: read.known,
    disabledAtSource: spec.deprovisioning.disabledAtSource,
    seed,
    tenant: toTenant(loaded),
  });
  const teams = createTeamMapper({ mapping, rules, known: read.known, mark: toMark(run, spec.id) });
  const unknownTeams = await teamsByRule(run);
  const unprotected = new Set(spec.guards.protectedUsers.map((name) => name.toLowerCase()));
  const total = await staging.countUsers();
  // One moment for everybody: a condition on time takes or leaves all of a run alike.
  const now = run.now();
  const unread = new UnreadNames(projectionOf(loaded));
  let inScope = 0;
  let done = 0;
  const before = [...read.errors, ...toScopeErrors(run, loaded, read), ...toRuleErrors(run, loaded)];
  let errors = before.length;
  await staging.addTeams(teams.fixedTeams);
  await journal.addErrors(run.runId, before);
  await staging.addDesired(read.failedIds.map((id) => ({ desired: toUndecided(id), keys: [] })));
  const withGroups = await createGroupLookup(run, read);
  const photos = new PhotoLooks(run, loaded);
  for await (const staged of staging.users()) {
    signal.throwIfAborted();
    const page = await withGroups(staged);
    const batch: Batch = { desired: [], teams: new Map(), memberships: [], errors: [] };
    for (const mapped of await mapPage(page, { run, people, teams, photos, now }, signal)) {
      unread.add(mapped);
      inScope += mapped.desired.presence === 'outOfScope' ? 0 : 1;
      batch.errors.push(...mapped.errors.filter(({ id }) => isMeant(run, id)));
      batch.desired.push({ desired: mapped.desired, keys: toDesiredKeys(mapped.desired, mapping.matching) });
      for (const name of toAccountNames(mapped.desired)) unprotected.delete(name);
      if (mapped.desired.presence === 'present') mapTeams(mapped, { run, teams, unknownTeams, batch, now });
    }
    const toId = await nameReferred(
      run,
      mapping,
      batch.desired.map(({ desired }) => desired.references),
    );
    await staging.addDesired(
      batch.desired.map(({ desired, keys }) => ({
        desired: { ...desired, references: toId(desired.references) },
        keys,
      })),
    );
    await staging.addTeams([...batch.teams.values()]);
    await staging.addMemberships(batch.memberships);
    if (batch.errors.length > 0) await journal.addErrors(run.runId, batch.errors);
    errors += batch.errors.length;
    done += page.length;
    run.onProgress({ step: 'map', done, total });
  }
  const groups = await mapGroups(run, { loaded, read, seed, now }, signal);
  await journal.addErrors(run.runId, groups.errors);
  errors += groups.errors.length;
  const warnings = toWarnings({ run, people, teams, unprotected, unread, loaded, known: read.known });
  return {
    inScope,
    errors,
    frozenRules: teams.frozenRules,
    warnings: [...warnings, ...photos.warnings(), ...groups.warnings],
  };
}

interface PageMapping {
  readonly run: RunDependencies;
  readonly people: PersonMapper;
  readonly teams: TeamMapper;
  readonly photos: PhotoLooks;
  readonly now: Date;
}

async function mapPage(
  page: readonly StagedUser[],
  { run, people, teams, photos, now }: PageMapping,
  signal: AbortSignal,
): Promise<readonly MappedPerson[]> {
  const mapped = page.map((staged) => {
    const person = mapOne(staged, people, now);
    run.witness?.sawRecord(staged, person, { people, teams, now });
    return person;
  });
  return await photos.look(mapped, signal);
}

/** An invalid rule hinders nothing else, but a run that had to leave its teams alone did not do all that is wanted. */
function toRuleErrors({ options }: RunDependencies, { problems }: Loaded): readonly RecordError[] {
  if (options.user !== null) return [];
  const errors = problems.filter(({ severity, kind }) => severity === 'error' && kind === 'TeamRule');
  // Of several problems of one rule the first is the one to mend first.
  const byRule = new Map([...errors].reverse().map((problem) => [problem.name, problem]));
  return [...byRule.values()].map((problem) => ({
    resource: 'TeamRule',
    id: problem.name,
    code: 'Invalid',
    message: toPlacedMessage(problem),
  }));
}

/** By which a team is recognised at the target without the state store. */
function toMark({ resource }: RunDependencies, id: string): string {
  return `dirsync:${resource.metadata.namespace}/${id}:`;
}

function toUndecided(sourceId: string): DesiredUser {
  return {
    sourceId,
    name: sourceId,
    presence: 'undecided',
    attributes: {},
    onCreate: {},
    defaults: {},
    clear: [],
    kept: [],
    references: {},
    match: [],
  };
}

/** Made once and kept, so that a person's random values are the same on every run, and a plan that waits stays the same. */
async function readSeed({ state, makeSeed }: RunDependencies): Promise<string> {
  const known = await getFact(state.facts, 'seed');
  if (known !== null) return known;
  const seed = makeSeed();
  await putFact(state.facts, 'seed', seed);
  return seed;
}

function mapOne({ user, duplicate }: StagedUser, people: PersonMapper, now: Date): MappedPerson {
  if (!duplicate) return people.map(user, now);
  const where = user.position === undefined ? '' : ` (${user.position})`;
  const error: RecordError = {
    resource: 'User',
    id: user.id,
    code: 'RecordInvalid',
    message: `two records have the id ${user.id}${where}: neither is used`,
  };
  return {
    desired: toUndecided(user.id),
    errors: [error],
    view: { user, customs: new Map(), mapped: toUndecided(user.id) },
    photos: [],
  };
}

export function toDesiredKeys(desired: DesiredUser, matching: Loaded['mapping']['matching']): readonly MatchKey[] {
  const keys = desired.match.map(({ path, value }) => ({
    path,
    key: toMatchKey(value, matching.find((each) => each.path === path)?.caseExact ?? true),
  }));
  const externalId = desired.attributes['externalId'];
  if (typeof externalId !== 'string' || keys.some(({ path }) => path === 'externalId')) return keys;
  // Links are rebuilt by equal externalId even where it is no matching attribute (rule I7).
  return [...keys, { path: 'externalId', key: externalId }];
}

interface TeamMapping {
  readonly run: RunDependencies;
  readonly now: Date;
  readonly teams: TeamMapper;
  readonly unknownTeams: ReadonlyMap<string, readonly string[]>;
  readonly batch: Batch;
}

function mapTeams({ desired, view }: MappedPerson, { run, teams, unknownTeams, batch, now }: TeamMapping): void {
  const mapped = teams.map(desired, view, now);
  batch.errors.push(...mapped.errors.filter(({ id }) => isMeant(run, id)));
  const { sourceId } = desired;
  for (const team of mapped.teams) if (!batch.teams.has(team.key)) batch.teams.set(team.key, team);
  for (const team of mapped.memberOf) batch.memberships.push({ team, sourceId, keep: false });
  const kept = mapped.undecidedRules.flatMap((rule) => unknownTeams.get(rule) ?? []);
  for (const team of new Set([...kept, ...mapped.undecidedTeams])) {
    batch.memberships.push({ team, sourceId, keep: true });
  }
}

/** Owned teams of each rule, for people whose membership cannot be told. */
async function teamsByRule({ state }: RunDependencies): Promise<Map<string, string[]>> {
  const byRule = new Map<string, string[]>();
  for await (const page of state.links.teams()) {
    for (const team of page) for (const rule of team.rules) byRule.set(rule, [...(byRule.get(rule) ?? []), team.key]);
  }
  return byRule;
}

/** Attributes that mappings, rules or filters use and single records were read without (rule I13), with how many. */
class UnreadNames {
  readonly #used: ReadonlySet<string>;
  readonly #counts = new Map<string, number>();

  constructor(used: readonly string[]) {
    this.#used = new Set(used);
  }

  /** Who is out of scope does not matter. */
  add({ desired, view }: MappedPerson): void {
    const { unknown = [] } = desired.presence === 'outOfScope' ? {} : view.user;
    for (const name of unknown) if (this.#used.has(name)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  warnings(): readonly Warning[] {
    return [...this.#counts].sort().map(([name, count]) => ({
      reason: 'UnknownAttribute',
      message: `people whose record came without ${JSON.stringify(name)}: what depends on it stays as it is for them`,
      count,
    }));
  }
}

interface WarningInput {
  readonly run: RunDependencies;
  readonly people: PersonMapper;
  readonly teams: TeamMapper;
  readonly unprotected: ReadonlySet<string>;
  readonly unread: UnreadNames;
  readonly loaded: Loaded;
  readonly known: ReadResult['known'];
}

function toWarnings(input: WarningInput): readonly Warning[] {
  const { run, people, teams, unprotected, unread, loaded, known } = input;
  if (run.options.user !== null) return [];
  const warnings: Warning[] = [...unread.warnings()];
  for (const name of new Set([...people.missingNames, ...teams.missingNames])) {
    warnings.push({
      reason: 'UnknownAttribute',
      message: toMissingMessage(name, { ...loaded, known }),
    });
  }
  const unresolved = teams.unresolved();
  const byRule = new Map<string, number>();
  for (const { rule } of unresolved) byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
  for (const [rule, count] of byRule) {
    warnings.push({
      reason: 'UnresolvedMember',
      message: `entries of include or exclude of rule ${rule} name nobody in scope`,
      count,
    });
  }
  if (unprotected.size > 0) {
    warnings.push({
      reason: 'UnresolvedProtectedUser',
      message: 'entries of guards.protectedUsers name nobody in the read',
      count: unprotected.size,
    });
  }
  for (const problem of loaded.problems) {
    warnings.push({
      reason: problem.severity === 'error' ? 'InvalidRule' : 'Mapping',
      message: `${problem.kind} ${problem.name}: ${toPlacedMessage(problem)}`,
    });
  }
  return warnings;
}
