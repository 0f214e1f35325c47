/** read: the source's pages, staged as they come. Complete only when the provider's last page arrived (rule I1). */
import { SyncError } from '../../errors.ts';
import { parseSourcePath, readSourcePath, type SourcePath, toAskedName } from '../../expression/paths.ts';
import { ALIAS_ATTRIBUTES, toAliases } from '../../mapping/aliases.ts';
import { isEmptyValue } from '../../mapping/coerce.ts';
import { toReadNames } from '../../mapping/conditions.ts';
import { KnownAttributes, listSources } from '../../mapping/names.ts';
import { toRuleReadNames } from '../../mapping/rules.ts';
import type { RecordError, SourceUser } from '../../model.ts';
import type { ReadEnd, SourcePage } from '../../sources/source.ts';
import { getFact, putFact } from '../facts.ts';
import type { Loaded, ReadResult, ReadStats, RunDependencies } from '../run.ts';
import { needsGroups, readGroups } from './read-groups.ts';

export async function read(
  run: RunDependencies,
  { loaded }: { loaded: Loaded },
  signal: AbortSignal,
): Promise<ReadResult> {
  const { staging, groups } = run.state;
  await staging.clear();
  const isOne = run.options.user !== null && loaded.source.readOne !== undefined;
  // Who belongs to a group is told by its list of members alone.
  if (isOne && !needsGroups(loaded)) return readOne(run, loaded, signal);
  const isReferred = needsAliases(loaded);
  const projection = projectionOf(loaded);
  const tally = new Tally(listReadPaths(loaded));
  const asked = isReferred ? [...new Set([...projection, ...ALIAS_ATTRIBUTES])] : projection;
  for await (const page of loaded.source.readUsers(asked, signal)) {
    signal.throwIfAborted();
    await staging.addUsers(page.users);
    if (isReferred) await groups.addAliases(page.users.map((user) => ({ sourceId: user.id, names: toAliases(user) })));
    tally.add(page);
    run.onProgress({ step: 'read', done: tally.people, total: null });
  }
  if (tally.end === null) throw new SyncError('ReadIncomplete', 'the source ended before its last page');
  const { attributes } = tally.end;
  const before = await getFact(run.state.facts, 'lastGoodRead');
  const aliases = toAliasNames(attributes, run.options.resync ? null : before);
  const groupsRead = await readGroups(run, { loaded, names: tally.names(aliases) }, signal);
  const stats: ReadStats = {
    ...tally.stats(),
    ...(groupsRead === null ? {} : { groups: groupsRead.count }),
    stateFrom: toStateFrom(attributes),
    ...(isReferred && { aliases }),
  };
  const known = new KnownAttributes(tally.end.attributes);
  if (!run.options.resync) checkState(stats, before);
  const owned = (await run.state.links.counts()).people;
  const suspicion = judge(stats, before ?? { people: owned, filled: {} }, loaded.spec.guards, known);
  if (before === null && suspicion === null) await rememberFirst(run, stats);
  return {
    stats,
    known,
    suspicion,
    absenceProven: tally.unnamed === 0,
    failedIds: tally.failedIds,
    errors: tally.errors.filter(({ id }) => isMeant(run, id)),
    groups: groupsRead,
  };
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

/** Somebody or something refers to people by what may be another name than the id. */
function needsAliases(loaded: Loaded): boolean {
  return needsGroups(loaded) || loaded.mapping.entries.some(({ reference }) => reference);
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
  };
}

function toStateFrom(attributes: readonly string[]): string | null {
  return STATE_ATTRIBUTES.find((name) => attributes.includes(name)) ?? null;
}

/** What mappings, rules and filters read of a person, as they call it. */
export function listReadNames({
  mapping,
  rules,
  scope,
}: Pick<Loaded, 'mapping' | 'rules' | 'scope'>): readonly string[] {
  const ofRules = rules.rules.flatMap((rule) => toRuleReadNames(rule, mapping.names));
  return [...new Set([...mapping.usedNames, ...toReadNames(scope, mapping.names), ...ofRules])];
}

/** The same as places in a record of the source: each once. */
function listReadPaths(loaded: Pick<Loaded, 'mapping' | 'rules' | 'scope'>): readonly SourcePath[] {
  const paths = listReadNames(loaded).flatMap((name) => listSources(name, loaded.mapping.names));
  return [...new Map(paths.map((path) => [path.text, path])).values()];
}

/** Top-level names of attributes that the source is asked for. */
export function projectionOf(loaded: Pick<Loaded, 'mapping' | 'rules' | 'scope'>): readonly string[] {
  return [...new Set(listReadPaths(loaded).map(toAskedName))];
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

class Tally {
  people = 0;
  unnamed = 0;
  end: ReadEnd | null = null;
  readonly failedIds: string[] = [];
  readonly errors: RecordError[] = [];
  readonly #filled: { readonly path: SourcePath; count: number }[];
  #isNameUnknown = false;

  constructor(paths: readonly SourcePath[]) {
    this.#filled = paths.map((path) => ({ path, count: 0 }));
  }

  add(page: SourcePage): void {
    this.people += page.users.length;
    for (const user of page.users) this.#count(user);
    this.#isNameUnknown ||= page.users.some(({ unknown = [] }) =>
      ALIAS_ATTRIBUTES.some((name) => unknown.includes(name)),
    );
    for (const { id, code, message } of page.failed) {
      if (id === null) this.unnamed += 1;
      else this.failedIds.push(id);
      this.errors.push({ resource: 'User', id: id ?? 'unknown', code, message });
    }
    if (page.end !== undefined) this.end = page.end;
  }

  /** Whether everybody came with every attribute that may name people. */
  names(aliases: readonly string[]): 'all' | 'some' {
    const isGone = aliases.some((name) => this.end?.attributes.includes(name) === false);
    return isGone || this.#isNameUnknown ? 'some' : 'all';
  }

  #count(user: SourceUser): void {
    for (const each of this.#filled) if (!isEmptyValue(readSourcePath(each.path, user.attributes))) each.count += 1;
  }

  stats(): ReadStats {
    return {
      people: this.people,
      filled: Object.fromEntries(this.#filled.map(({ path, count }) => [path.text, count])),
    };
  }
}

type IsDrop = (is: number, was: number) => boolean;

/**
 * What the read lost against the last good one, as a sentence; null when it may be trusted. An attribute that is gone
 * altogether is unknown (rule I13) and no drop.
 */
function judge(
  now: ReadStats,
  before: ReadStats,
  guards: Loaded['spec']['guards'],
  known: KnownAttributes,
): string | null {
  const isDrop: IsDrop = (is, was) => was - is > guards.floor && (was - is) * 100 > guards.suspiciousDrop * was;
  return (
    judgeCount('people', isDrop, { is: now.people, was: before.people }) ??
    // Where groups are read for the first time, or no more, nothing can be compared.
    judgeCount('groups', isDrop, { is: now.groups ?? 0, was: now.groups === undefined ? 0 : (before.groups ?? 0) }) ??
    judgeValues(isDrop, { now, before, known })
  );
}

function judgeCount(
  what: 'people' | 'groups',
  isDrop: IsDrop,
  { is, was }: { readonly is: number; readonly was: number },
): string | null {
  const none = what === 'people' ? 'nobody' : 'no groups';
  if (is === 0 && was > 0) return `the read has ${none}, the last good one had ${was}`;
  return isDrop(is, was) ? `the read has ${is} ${what}, the last good one had ${was}` : null;
}

function judgeValues(
  isDrop: IsDrop,
  { now, before, known }: { readonly now: ReadStats; readonly before: ReadStats; readonly known: KnownAttributes },
): string | null {
  for (const [name, was] of Object.entries(before.filled)) {
    const is = now.filled[name] ?? was;
    // Fewer people have fewer values: only what is lost beyond that is suspicious.
    const expected = before.people === 0 ? was : Math.min(was, (was * now.people) / before.people);
    if (known.has(parseSourcePath(name)) && isDrop(is, expected))
      return `${is} people have a value for ${JSON.stringify(name)}, in the last good read ${was} had`;
  }
  return null;
}
