/**
 * observe: what the target holds. From links, where they can be trusted; from the target's own list on the first run,
 * after a lost state and every `verifyEvery`; one by one for joiners and for accounts whose state is in doubt.
 */
import { SyncError } from '../../errors.ts';
import { toMatchKey } from '../../mapping/match-key.ts';
import type { DesiredTeam, Json } from '../../model.ts';
import type { MatchKey, PersonState } from '../../state/staging.ts';
import type { Link } from '../../state/store.ts';
import type { TargetCapabilities, TargetObject } from '../../targets/target.ts';
import { isUnverified } from '../attribute-memory.ts';
import { compareWithTarget } from '../compile.ts';
import { getFact } from '../facts.ts';
import type { Loaded, Mapped, Observed, RunDependencies, Warning } from '../run.ts';
import { chooseValues } from './choose-values.ts';
import { toTargetEndpoint } from './endpoint.ts';
import { settleBegun } from './settle.ts';
import { toReadPaths, toUnread } from './shapes.ts';

export async function observe(
  run: RunDependencies,
  { loaded }: { loaded: Loaded; mapped: Mapped },
  signal: AbortSignal,
): Promise<Observed> {
  const looking: Looking = { run, loaded, signal };
  const capabilities = await loaded.target.capabilities(signal);
  const warnings = checkAgainstSchemas(loaded, capabilities);
  await noteNeighbours(run, loaded);
  await settleBegun(run, loaded.target, signal);
  const verified = run.options.user === null && (!capabilities.filter || (await isVerifyDue(run, loaded)));
  const unread = verified ? await verify(run, loaded, signal) : 0;
  const isListed = verified || (await observeSome(run, loaded, signal));
  await chooseValues(run, loaded, { look: toLook(looking, isListed), signal });
  const unmanaged = verified ? await run.state.staging.countUnmanaged() : 0;
  if (unmanaged > 0) {
    warnings.push({
      reason: 'UnmanagedAccounts',
      message: 'accounts of the target belong to nobody in the source; they are not touched',
      count: unmanaged,
    });
  }
  const whole = verified ? 'Verify' : 'Full';
  return {
    kind: run.options.user === null ? whole : 'OneUser',
    capabilities,
    verified,
    unmanaged,
    // One that shows nobody may be empty, as long as nothing speaks against it.
    unreadTeams: capabilities.readsMembers ? 0 : unread,
    warnings,
  };
}

/** Before any account is looked at: whose it may not become. */
export async function noteNeighbours(run: RunDependencies, { spec }: Loaded): Promise<void> {
  await run.state.staging.setNeighbours(await run.neighbours(toTargetEndpoint(run, spec)));
}

async function isVerifyDue(run: RunDependencies, loaded: Loaded): Promise<boolean> {
  if (run.options.resync) return true;
  const last = await getFact(run.state.facts, 'verifiedAt');
  const { people, teams } = await run.state.links.counts();
  if (last === null || people + teams === 0) return true;
  if (await isUnverified(run, loaded)) return true;
  const { verifyEveryMs } = loaded.spec.drift;
  const passed = run.now().getTime() - last;
  // By a clock that was set back nothing would be looked at for as long.
  return verifyEveryMs > 0 && (passed >= verifyEveryMs || passed < 0);
}

/** What cannot work stops the run before its first write; the rest is a warning in the status. */
function checkAgainstSchemas(loaded: Loaded, capabilities: TargetCapabilities): Warning[] {
  const findings = compareWithTarget(loaded, capabilities);
  const [error, ...more] = findings.filter(({ severity }) => severity === 'error');
  if (error !== undefined) {
    const rest = more.length === 0 ? '' : ` (and ${more.length} more; dirsync check target lists them)`;
    throw new SyncError('Invalid', `${error.message}${rest}`);
  }
  return findings.map(({ reason, message }) => ({ reason, message }));
}

/**
 * The pass over the whole target. It goes by a budget of its own where there are links to verify; the first look is what
 * the run itself needs. Returns how many owned teams have members that the target does not tell.
 */
async function verify(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<number> {
  const { people, teams } = await run.state.links.counts();
  const end = people + teams === 0 ? null : loaded.http.target.beginPass();
  try {
    const unread = await observeAll(run, loaded, signal);
    return await readMembers(run, loaded, { unread, signal });
  } finally {
    end?.();
  }
}

/**
 * Owned teams that the list shows without members, one by one: some servers tell them only so. One that does not tell
 * them of the first tells them of none.
 */
async function readMembers(
  { state }: RunDependencies,
  { target }: Loaded,
  { unread, signal }: { unread: ReadonlySet<string>; signal: AbortSignal },
): Promise<number> {
  if (unread.size === 0) return 0;
  let untold = 0;
  for await (const page of state.links.teams()) {
    for (const { targetId } of page.filter((team) => unread.has(team.targetId))) {
      const team = untold === 0 ? await target.readTeam(targetId, signal) : null;
      if (team !== null) await state.staging.addObservedTeams([team]);
      untold += team?.members == null ? 1 : 0;
    }
  }
  return untold;
}

/** Returns ids of teams that the list shows without members. */
async function observeAll(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const { staging } = run.state;
  const { target } = loaded;
  const paths = observedPaths(loaded);
  let done = 0;
  for await (const page of target.listUsers(paths, signal, toUnread(loaded.mapping))) {
    await staging.addObservedUsers(page.objects.map((object) => ({ object, keys: toKeys(object, loaded) })));
    done += page.objects.length;
    run.onProgress({ step: 'observe', done, total: page.total });
  }
  await staging.setComplete('User');
  return observeAllTeams(run, loaded, signal);
}

async function observeAllTeams(
  { state }: RunDependencies,
  { target }: Loaded,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const unread = new Set<string>();
  for await (const page of target.listTeams(signal)) {
    await state.staging.addObservedTeams(page.objects);
    for (const { id, members } of page.objects) if (members === null) unread.add(id);
  }
  await state.staging.setComplete('Team');
  return unread;
}

/** What entries write, what is to be removed, what people are matched by, and what tells who an account belongs to. */
function observedPaths({ mapping, attributes }: Loaded): readonly string[] {
  const retired = Object.keys(attributes.retired);
  return [...new Set([...toReadPaths(mapping), ...retired, 'externalId', 'userName', 'active'])];
}

function toKeys(object: TargetObject, { mapping }: Loaded): readonly MatchKey[] {
  const paths = [...mapping.matching, ...mapping.chosen, { path: 'externalId', caseExact: true }];
  const keys = new Map<string, string>();
  for (const { path, caseExact } of paths) {
    const value = object.attributes[path];
    if (value !== undefined && value !== null && typeof value !== 'object')
      keys.set(path, toMatchKey(String(value), caseExact));
  }
  return [...keys].map(([path, key]) => ({ path, key }));
}

/** Returns whether that took the whole list of accounts. */
async function observeSome(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<boolean> {
  await observeDoubtful(run, loaded, signal);
  const isListed = await findJoiners(run, loaded, signal);
  await findTeams(run, loaded, signal);
  return isListed;
}

/** Stages whatever account has a value: a target that does not search by it is listed, once. */
function toLook({ run, loaded, signal }: Looking, isListed: boolean): (query: Query) => Promise<void> {
  let isStaged = isListed;
  return async (query) => {
    if (isStaged || (await isSearched(searchAccounts(query, { run, loaded, signal })))) return;
    await observeAll(run, loaded, signal);
    isStaged = true;
  };
}

/** Accounts and teams of which the links may say something else than the target. */
export async function observeDoubtful(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<void> {
  await (run.options.user === null ? observeDirtyPeople : observeOne)(run, loaded, signal);
  await observeDirtyTeams(run, loaded, signal);
}

async function observeDirtyPeople(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<void> {
  for await (const page of run.state.links.dirty()) {
    for (const link of page) await observeLinked(link, { run, loaded, signal });
  }
}

/** Who is asked for by name is looked at, in doubt or not. */
async function observeOne(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<void> {
  const link = await run.state.links.get(run.options.user ?? '');
  if (link !== null) await observeLinked(link, { run, loaded, signal });
}

async function observeLinked({ targetId }: Link, { run, loaded, signal }: Looking): Promise<void> {
  const { staging } = run.state;
  const object = await loaded.target.readUser(targetId, observedPaths(loaded), signal);
  if (object === null) await staging.addMissing({ users: [targetId] });
  else await staging.addObservedUsers([{ object, keys: toKeys(object, loaded) }]);
}

async function observeDirtyTeams(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<void> {
  for await (const page of run.state.links.teams()) {
    for (const { targetId } of page.filter((team) => team.dirty)) {
      const team = await loaded.target.readTeam(targetId, signal);
      if (team === null) await run.state.staging.addMissing({ teams: [targetId] });
      else await run.state.staging.addObservedTeams([team]);
    }
  }
}

/** Requests that are worth saving: above this many joiners the list of the target is the cheaper look. */
const LOOK_UPS = 200;

/** Returns whether that took the whole list. */
async function findJoiners(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<boolean> {
  let looked = 0;
  for await (const page of run.state.staging.withoutAccount(run.options.user)) {
    for (const person of page.filter(({ desired }) => desired?.presence === 'present')) {
      looked += 1;
      if (looked <= LOOK_UPS && (await isSearched(findAccount(person, { run, loaded, signal })))) continue;
      await observeAll(run, loaded, signal);
      return true;
    }
  }
  return false;
}

/** False: the target does not search by this attribute, or for this value, which its list shows all the same. */
async function isSearched(search: Promise<void>): Promise<boolean> {
  try {
    await search;
    return true;
  } catch (thrown) {
    if (SyncError.from(thrown).scope === 'record') return false;
    throw thrown;
  }
}

interface Query {
  readonly path: string;
  readonly value: Json;
}

interface Looking {
  readonly run: RunDependencies;
  readonly loaded: Loaded;
  readonly signal: AbortSignal;
}

async function findAccount({ desired }: PersonState, { run, loaded, signal }: Looking): Promise<void> {
  const externalId = desired?.attributes['externalId'];
  const wanted = new Map((desired?.match ?? []).map(({ path, value }) => [path, value]));
  if (typeof externalId === 'string') wanted.set('externalId', externalId);
  for (const [path, value] of wanted) await searchAccounts({ path, value }, { run, loaded, signal });
}

async function searchAccounts(query: Query, { run, loaded, signal }: Looking): Promise<void> {
  const found = await loaded.target.findUsers(query, observedPaths(loaded), signal);
  await run.state.staging.addObservedUsers(found.map((object) => ({ object, keys: toKeys(object, loaded) })));
}

async function findTeams(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<void> {
  for await (const page of run.state.staging.teams()) {
    for (const { desired, link, gone, desiredMembers } of page) {
      if (desired === null || desiredMembers === 0 || (link !== null && !gone)) continue;
      if (await isSearched(findTeam(desired, { run, loaded, signal }))) continue;
      await observeAllTeams(run, loaded, signal);
      return;
    }
  }
}

async function findTeam(desired: DesiredTeam, { run, loaded: { target }, signal }: Looking): Promise<void> {
  const marked = await target.findTeams({ path: 'externalId', value: desired.externalId }, signal);
  const named =
    marked.length > 0 ? [] : await target.findTeams({ path: 'displayName', value: desired.displayName }, signal);
  // The members of a team that will be recovered are what additions and removals are counted against.
  const whole = await Promise.all([...marked, ...named].map((team) => target.readTeam(team.id, signal)));
  await run.state.staging.addObservedTeams(whole.filter((team) => team !== null));
}
