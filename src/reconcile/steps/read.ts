/** read: the source's pages, staged as they come. Complete only when the provider's last page arrived (rule I1). */
import { SyncError } from '../../errors.ts';
import { ALIAS_ATTRIBUTES } from '../../mapping/aliases.ts';
import { KnownAttributes } from '../../mapping/names.ts';
import type { ReadEnd } from '../../sources/source.ts';
import { getFact, putFact } from '../facts.ts';
import type { Loaded, ReadResult, ReadStats, RunDependencies } from '../run.ts';
import { type Asking, needsGroups, projectionOf, toAliasRow, toAsking } from './asking.ts';
import type { Staged } from './mirrored.ts';
import { readChanges } from './read-changes.ts';
import { readGroups, resolveGroups } from './read-groups.ts';
import { readScope } from './read-scope.ts';
import { isFilled, judge, Tally } from './read-stats.ts';
import { type Choice, chooseRead, remember } from './read-ways.ts';
import { findScopeGroups } from './scope-groups.ts';

export async function read(
  run: RunDependencies,
  { loaded }: { loaded: Loaded },
  signal: AbortSignal,
): Promise<ReadResult> {
  await run.state.staging.clear();
  const isOne = run.options.user !== null && loaded.source.readOne !== undefined;
  // Who belongs to a group is told by its list of members alone.
  if (isOne && !needsGroups(loaded)) return readOne(run, loaded, signal);
  const asking = toAsking(loaded);
  const choice = await chooseRead(run, loaded, asking);
  const { staged, way } = await readAsChosen(run, { loaded, asking, choice }, signal);
  const result = await conclude(run, { loaded, asking, staged });
  await remember(run, { loaded, asking, staged, suspicion: result.suspicion });
  // After it: what the source said is not worse for naming no such group.
  const scopeGroups = await findScopeGroups(run, loaded, result);
  return { ...result, scopeGroups, way };
}

interface Reading {
  readonly loaded: Loaded;
  readonly asking: Asking;
}

/** Everybody after all, where the chosen way does not lead to its end. */
async function readAsChosen(
  run: RunDependencies,
  { loaded, asking, choice }: Reading & { readonly choice: Choice },
  signal: AbortSignal,
): Promise<{ readonly staged: Staged; readonly way: ReadResult['way'] }> {
  const some =
    choice.what === 'changes'
      ? await readChanges(run, { loaded, asking, ...choice }, signal)
      : choice.what === 'scope'
        ? await readScope(run, { loaded, asking, ...choice }, signal)
        : choice.why;
  if (some !== null && typeof some !== 'string')
    return { staged: some, way: { kind: choice.what === 'scope' ? 'Scope' : 'Changes' } };
  const staged = await readAll(run, { loaded, asking }, signal);
  return { staged, way: { kind: 'Full', why: staged.noCursor ?? some } };
}

/** Everybody, and every group where groups are needed. */
async function readAll(run: RunDependencies, { loaded, asking }: Reading, signal: AbortSignal): Promise<Staged> {
  const { staging, groups } = run.state;
  const { projection, isReferred } = asking;
  const tally = new Tally(asking.paths);
  let end: ReadEnd | null = null;
  for await (const page of loaded.source.readUsers(projection.users, signal)) {
    signal.throwIfAborted();
    await staging.addUsers(page.users);
    if (isReferred) await groups.addAliases(page.users.map(toAliasRow));
    for (const user of page.users) tally.add(user);
    for (const failed of page.failed) tally.fail(failed);
    run.onProgress({ step: 'read', done: tally.people, total: null });
    end = page.end ?? end;
  }
  if (end === null) throw new SyncError('ReadIncomplete', 'the source ended before its last page');
  const read = projection.groups === null ? null : await readGroups(run, loaded, projection.groups, signal);
  return {
    ...{ tally, attributes: end.attributes, cursor: end.cursor ?? null, fullAt: null, groups: read },
    noCursor: end.noCursor ?? read?.noCursor ?? null,
  };
}

/** What follows from everything that is staged. */
async function conclude(
  run: RunDependencies,
  { loaded, asking, staged }: Reading & { readonly staged: Staged },
): Promise<Omit<ReadResult, 'way' | 'scopeGroups'>> {
  const { tally, attributes, groups } = staged;
  const before = await getFact(run.state.facts, 'lastGoodRead');
  const aliases = toAliasNames(attributes, run.options.resync ? null : before);
  const names = tally.names(aliases, attributes);
  const groupsRead = groups === null ? null : await resolveGroups(run, loaded, groups, names);
  const { people, filled } = tally.state();
  const stats: ReadStats = {
    ...{ people, filled },
    ...(groupsRead === null ? {} : { groups: groupsRead.count, groupsFilled: await countGroups(run, asking) }),
    stateFrom: toStateFrom(attributes),
    ...(asking.isReferred && { aliases }),
  };
  const known = new KnownAttributes(attributes);
  if (!run.options.resync) checkState(stats, before);
  const owned = (await run.state.links.counts()).people;
  const suspicion = judge(stats, before ?? { people: owned, filled: {} }, loaded.spec.guards, {
    people: known,
    groups: groupsRead?.known,
  });
  if (before === null && suspicion === null) await rememberFirst(run, stats);
  return {
    stats,
    known,
    suspicion,
    absenceProven: tally.nameless.length === 0,
    failedIds: tally.failedIds,
    errors: tally.errors.filter(({ id }) => isMeant(run, id)),
    groups: groupsRead,
  };
}

/** Filled values of the groups that are staged. */
async function countGroups({ state }: RunDependencies, { groupPaths }: Asking): Promise<Record<string, number>> {
  const counts = groupPaths.map((path) => ({ path, filled: 0 }));
  for await (const page of counts.length === 0 ? [] : state.groups.groups()) {
    for (const { group } of page)
      for (const each of counts) each.filled += isFilled(each.path, group.attributes) ? 1 : 0;
  }
  return Object.fromEntries(counts.map(({ path, filled }) => [path.text, filled]));
}

/** A name that an earlier read had is missed in every later one, until somebody asks for a resync (rule I13). */
function toAliasNames(attributes: readonly string[], before: ReadStats | null): readonly string[] {
  const now = ALIAS_ATTRIBUTES.filter((name) => attributes.includes(name));
  return [...new Set([...(before?.aliases ?? []), ...now])].sort();
}

/** At once: whatever becomes of this run, a later read that lost much of it is suspect. */
async function rememberFirst({ state, options }: RunDependencies, stats: ReadStats): Promise<void> {
  if (!options.planOnly && options.user === null) await putFact(state.facts, 'lastGoodRead', stats);
}

/** Is this run about the person? */
export function isMeant({ options }: RunDependencies, sourceId: string): boolean {
  return options.user === null || options.user === sourceId;
}

/** Nobody else is known then: such a run says nothing about the read as a whole. */
async function readOne(run: RunDependencies, loaded: Loaded, signal: AbortSignal): Promise<ReadResult> {
  const { facts, staging } = run.state;
  const found = await loaded.source.readOne?.(run.options.user ?? '', projectionOf(loaded), signal);
  const { user = null, attributes = [] } = found ?? {};
  const stats: ReadStats = { people: 0, filled: {}, stateFrom: toStateFrom(attributes) };
  if (user !== null) {
    checkState(stats, await getFact(facts, 'lastGoodRead'));
    await staging.addUsers([user]);
  }
  // While a whole read is doubted, what the same source says of one person removes nothing either (rule I1).
  const isDoubted = (await getFact(facts, 'suspect')) !== null;
  return {
    stats,
    known: new KnownAttributes(attributes),
    suspicion: isDoubted ? 'the last whole read was suspect' : null,
    absenceProven: true,
    failedIds: [],
    errors: [],
    groups: null,
    scopeGroups: null,
    way: { kind: 'Full', why: null },
  };
}

function toStateFrom(attributes: readonly string[]): string | null {
  return STATE_ATTRIBUTES.find((name) => attributes.includes(name)) ?? null;
}

/** Attributes of a record that say whether the person is active, where a source has no other way to tell. */
const STATE_ATTRIBUTES = ['active', 'accountEnabled'] as const;

/**
 * Without the attribute everybody would pass for active, and leavers would get their accounts back (rule I13): nobody's
 * state is known, so nothing of this read can be trusted.
 */
function checkState({ stateFrom }: ReadStats, before: ReadStats | null): void {
  const lost = before?.stateFrom ?? null;
  if (lost === null || stateFrom !== null) return;
  throw new SyncError(
    'ReadFailed',
    `the read did not deliver ${JSON.stringify(lost)}, which told who is active: nobody is changed. Put it back, or ask for a resync to go on without it`,
  );
}
