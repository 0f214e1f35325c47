/**
 * read, by changes: what the source says has changed since the last good read, over the mirror of that read. Which of the
 * two ways a run goes, and what it leaves for the next one.
 */
import { SyncError } from '../../errors.ts';
import type { SourcePath } from '../../expression/paths.ts';
import { KnownAttributes } from '../../mapping/names.ts';
import type { SourceUser } from '../../model.ts';
import type { ChangePage, ChangesEnd, Cursors, FailedRecord, SourceChange } from '../../sources/source.ts';
import type { MirrorChange, MirrorHead } from '../../state/mirror.ts';
import { getFact, putFact } from '../facts.ts';
import type { Loaded, RunDependencies } from '../run.ts';
import { type Asking, toAliasRow } from './asking.ts';
import type { StagedGroups } from './read-groups.ts';
import { Tally, type TallyState } from './read-stats.ts';

/** What a read left in the scratch space, and what is known of it besides. */
export interface Staged {
  readonly tally: Tally;
  /** Names of people's attributes that the read could deliver. */
  readonly attributes: readonly string[];
  /** Where the next read of people goes on; null: nowhere. */
  readonly cursor: string | null;
  /** Null: this run needs none. */
  readonly groups: StagedGroups | null;
  /** Null: everybody was read. */
  readonly fullAt: number | null;
  /** Why the next run cannot go on from this one, where the source says so; null: it can, or there is nothing to say. */
  readonly noCursor: string | null;
}

/** What the mirror's head says besides. */
interface Summary extends TallyState {
  readonly attributes: readonly string[];
  readonly groupAttributes: readonly string[];
}

/** So many that failed are no longer noted one by one: everybody is read again. */
const MOST_FAILED = 1000;
/** After so many failures in a row it may be the cursor. */
const MOST_FAILURES = 3;

/** A full read, and why; null: the source gives no changes, and there is nothing to say. */
export type Choice = { readonly head: MirrorHead } | { readonly head: null; readonly why: string | null };

const full = (why: string | null): Choice => ({ head: null, why });

export const EXPIRED = 'the source no longer knows where the last read ended';
const CHANGED = 'the source has changed since the last read';
const NEW_NAME = 'the changes have an attribute that the last whole read did not deliver';
const OTHER_NUMBER = 'the source has another number of people or groups than its changes come to: somebody is gone';

export async function chooseRead(
  { state, options, now }: RunDependencies,
  loaded: Loaded,
  { mark }: Asking,
): Promise<Choice> {
  const { readChanges: tells, isUnchanged } = loaded.source;
  if (tells === undefined && isUnchanged === undefined) return full(null);
  if (options.resync) return full('a resync was asked for');
  if ((await getFact(state.facts, 'suspect')) !== null) return full('the last read was suspect');
  const head = await state.mirror.head();
  if (head === null) return full('there is no complete read to go on from');
  if (head.mark !== mark) return full('source, scope or what is asked for are not those of the last read');
  const failures = (await getFact(state.facts, 'changesFailed')) ?? 0;
  if (failures >= MOST_FAILURES) return full('the changes could not be read several times in a row');
  const { verifyEveryMs } = loaded.spec.drift;
  if (verifyEveryMs > 0 && now().getTime() - head.fullAt >= verifyEveryMs) return full('drift.verifyEvery is over');
  return { head };
}

export interface Changing {
  readonly loaded: Loaded;
  readonly asking: Asking;
  readonly head: MirrorHead;
}

/** Text: why everybody has to be read instead; the scratch space is as empty as before then. */
export async function readChanges(
  run: RunDependencies,
  changing: Changing,
  signal: AbortSignal,
): Promise<Staged | string> {
  try {
    const { loaded, head } = changing;
    if ((await loaded.source.isUnchanged?.(head.cursors, signal)) === false) return CHANGED;
    const staged = await stageAll(run, changing, signal);
    if (typeof staged === 'string') await run.state.staging.clear();
    return staged;
  } catch (thrown) {
    const { code } = SyncError.from(thrown);
    if (code === 'CursorExpired') {
      await run.state.staging.clear();
      return EXPIRED;
    }
    if (maySay(run) && (code === 'ReadFailed' || code === 'ReadIncomplete')) await countFailure(run);
    throw thrown;
  }
}

/** A run for one person, or for a plan, leaves nothing to others. */
export function maySay({ options }: RunDependencies): boolean {
  return !options.planOnly && options.user === null;
}

async function countFailure({ state: { facts } }: RunDependencies): Promise<void> {
  await putFact(facts, 'changesFailed', ((await getFact(facts, 'changesFailed')) ?? 0) + 1);
}

/** Text: what cannot be told by these changes. */
async function stageAll(
  run: RunDependencies,
  { loaded, asking, head }: Changing,
  signal: AbortSignal,
): Promise<Staged | string> {
  const { mirror, staging, groups } = run.state;
  const summary = head.summary as unknown as Summary;
  const changes = new Changes(run, new Tally(asking.paths, summary));
  let end: ChangesEnd | null = null;
  const pages = loaded.source.readChanges?.(head.cursors, asking.projection, signal) ?? [toNothing(head)];
  for await (const page of pages) {
    signal.throwIfAborted();
    await changes.stage(page);
    run.onProgress({ step: 'read', done: changes.count, total: null });
    end = page.end ?? end;
  }
  if (end === null) throw new SyncError('ReadIncomplete', 'the source ended before the last page of changes');
  const isNew =
    hasNews(asking.paths, summary.attributes, end.attributes) ||
    hasNews(asking.groupPaths, summary.groupAttributes, end.groupAttributes);
  if (isNew) return NEW_NAME;
  if (asking.isReferred)
    for await (const page of staging.users()) await groups.addAliases(page.map(({ user }) => toAliasRow(user)));
  await mirror.fill();
  const { cursors, totals } = end;
  const staged = changes.end();
  if (totals !== undefined && !(await isCounted(run, staged, totals))) return OTHER_NUMBER;
  return {
    ...staged,
    attributes: unite(summary.attributes, end.attributes),
    cursor: cursors.users,
    fullAt: head.fullAt,
    noCursor: null,
    groups:
      asking.projection.groups === null
        ? null
        : {
            attributes: unite(summary.groupAttributes, end.groupAttributes),
            failed: staged.failedGroups,
            members: 'all',
            cursor: cursors.groups,
          },
  };
}

/**
 * Is everybody there of whom neither mirror nor changes say that they are gone (rule S20)? A group that could not be read
 * may be in neither, and the changes come again.
 */
async function isCounted(
  { state: { staging, groups } }: RunDependencies,
  { tally, failedGroups }: ReturnType<Changes['end']>,
  totals: NonNullable<ChangesEnd['totals']>,
): Promise<boolean> {
  const people = (await staging.countUsers()) + tally.failedIds.length + tally.nameless.length;
  if (people !== totals.users) return false;
  return totals.groups === null || failedGroups.length > 0 || (await groups.count()) === totals.groups;
}

/** Nothing has changed. */
function toNothing({ cursors }: MirrorHead): ChangePage {
  return { changes: [], failed: [], failedGroups: [], end: { attributes: [], groupAttributes: [], cursors } };
}

/**
 * An attribute that the last whole read could not deliver is unknown of everybody (rule I13): told of some, it would pass
 * for empty of all others.
 */
function hasNews(paths: readonly SourcePath[], before: readonly string[], now: readonly string[]): boolean {
  const [known, told] = [new KnownAttributes(before), new KnownAttributes(now)];
  return paths.some((path) => told.has(path) && !known.has(path));
}

function unite(before: readonly string[], now: readonly string[]): readonly string[] {
  return [...new Set([...before, ...now])];
}

/** Changes, carried out over the mirror page by page. */
class Changes {
  count = 0;
  readonly #run: RunDependencies;
  readonly #tally: Tally;
  readonly #failedGroups: FailedRecord[] = [];

  constructor(run: RunDependencies, tally: Tally) {
    this.#run = run;
    this.#tally = tally;
  }

  async stage({ changes, failed, failedGroups }: ChangePage): Promise<void> {
    const { mirror } = this.#run.state;
    const ids = [...changes.flatMap(toUserId), ...failed.flatMap(({ id }) => id ?? [])];
    const people = new Map(await mirror.users([...new Set(ids)]));
    const staged = changes.map((change) => this.#carryOut(change, people));
    for (const each of failed) {
      this.#tally.fail(each);
      if (each.id !== null) staged.push(this.#take({ type: 'userUnread', id: each.id } as const, people));
    }
    await mirror.stage(staged);
    this.count += staged.length;
    this.#failedGroups.push(...failedGroups);
  }

  end(): { readonly tally: Tally; readonly failedGroups: readonly FailedRecord[] } {
    return { tally: this.#tally, failedGroups: this.#failedGroups };
  }

  #carryOut(change: SourceChange, people: Map<string, SourceUser>): MirrorChange {
    if (change.type === 'userRemoved') {
      this.#tally.mend(change.id);
      return this.#take(change, people);
    }
    if (change.type !== 'user') return change;
    const before = people.get(change.user.id);
    const user = withKept(change, before);
    if (before !== undefined) this.#tally.remove(before);
    this.#tally.add(user);
    this.#tally.mend(user.id);
    people.set(user.id, user);
    return { type: 'user', user };
  }

  #take<T extends { readonly id: string }>(change: T, people: Map<string, SourceUser>): T {
    const before = people.get(change.id);
    if (before !== undefined) this.#tally.remove(before);
    people.delete(change.id);
    return change;
  }
}

function toUserId(change: SourceChange): readonly string[] {
  if (change.type === 'user') return [change.user.id];
  return change.type === 'userRemoved' ? [change.id] : [];
}

/** What a change does not speak of is as it was, known or not. */
function withKept(
  { user, keeps = [] }: Extract<SourceChange, { readonly type: 'user' }>,
  before: SourceUser | undefined,
): SourceUser {
  if (keeps.length === 0) return user;
  const kept = keeps.filter((name) => before !== undefined && Object.hasOwn(before.attributes, name));
  const unknown = [
    ...(user.unknown ?? []).filter((name) => !keeps.includes(name)),
    ...(before?.unknown ?? []).filter((name) => keeps.includes(name)),
  ];
  const attributes = Object.fromEntries(kept.map((name) => [name, before?.attributes[name] ?? null]));
  const { unknown: _now, ...rest } = user;
  return {
    ...rest,
    attributes: { ...user.attributes, ...attributes },
    ...(unknown.length === 0 ? {} : { unknown }),
  };
}

export interface Remembering {
  readonly asking: Asking;
  readonly staged: Staged;
  readonly suspicion: string | null;
}

/** What the next run goes on from: a good read whole, and nothing of any other one. */
export async function remember(run: RunDependencies, { asking, staged, suspicion }: Remembering): Promise<void> {
  if (!maySay(run)) return;
  const { mirror } = run.state;
  const { tally, groups, fullAt } = staged;
  const cursors = toCursors(staged);
  if (cursors === null) {
    await mirror.drop('everything');
    return;
  }
  const isWhole =
    tally.nameless.length === 0 && tally.failedIds.length <= MOST_FAILED && (groups?.failed.length ?? 0) === 0;
  if (suspicion !== null || !isWhole) {
    // Of changes that were not taken the cursor stays where it is, and they come again. What a full read has found is
    // newer than the mirror, and the next one must find it too.
    if (fullAt === null || suspicion !== null) await mirror.drop('head');
    return;
  }
  const summary: Summary = {
    ...tally.state(),
    attributes: staged.attributes,
    groupAttributes: groups?.attributes ?? [],
  };
  const head: MirrorHead = {
    ...{ mark: asking.mark, cursors, fullAt: fullAt ?? run.now().getTime() },
    summary: { ...summary },
  };
  if (fullAt === null) await mirror.replace(head);
  else await mirror.update(head);
  const { facts } = run.state;
  if ((await getFact(facts, 'changesFailed')) !== null) await putFact(facts, 'changesFailed', null);
}

/** Null: changes cannot be read from here. */
function toCursors({ cursor, groups }: Staged): Cursors | null {
  if (cursor === null || (groups !== null && groups.cursor === null)) return null;
  return { users: cursor, groups: groups?.cursor ?? null };
}
