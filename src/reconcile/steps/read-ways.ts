/** read: which way a run reads, and what it leaves for the next one. */
import { KnownAttributes } from '../../mapping/names.ts';
import { toWantedPeople } from '../../mapping/wanted-people.ts';
import type { WantedPeople } from '../../model.ts';
import type { Cursors, ReadPeople } from '../../sources/source.ts';
import type { MirrorHead } from '../../state/mirror.ts';
import { getFact, putFact } from '../facts.ts';
import type { Loaded, RunDependencies } from '../run.ts';
import type { Asking } from './asking.ts';
import type { Staged, Summary } from './mirrored.ts';

/** So many that failed are no longer noted one by one: everybody is read again. */
const MOST_FAILED = 1000;
/** After so many failures in a row it may be the cursor. */
const MOST_FAILURES = 3;

/** What is read, and by what. */
export type Choice =
  | { readonly what: 'changes'; readonly head: MirrorHead; readonly cursors: Cursors }
  | { readonly what: 'scope'; readonly head: MirrorHead; readonly matching: Matching }
  /** Null: nothing else is to be had from this source, and there is nothing to say. */
  | { readonly what: 'everybody'; readonly why: string | null };

const everybody = (why: string | null): Choice => ({ what: 'everybody', why });

export async function chooseRead(run: RunDependencies, loaded: Loaded, asking: Asking): Promise<Choice> {
  const { readChanges, isUnchanged, readMatching } = loaded.source;
  const isTold = readChanges !== undefined || isUnchanged !== undefined;
  if (!isTold && (readMatching === undefined || loaded.spec.scope.filters.length === 0)) return everybody(null);
  const doubt = await findDoubt(run);
  if (doubt !== null) return everybody(doubt);
  const head = await run.state.mirror.head();
  if (head === null) return everybody(isTold ? 'there is no complete read to go on from' : null);
  const age = findAge(run, { loaded, asking, head });
  if (age !== null) return everybody(age);
  if (head.cursors !== null) return { what: 'changes', head, cursors: head.cursors };
  const { attributes } = head.summary as unknown as Summary;
  const matching = toMatching(loaded, asking, attributes);
  return matching === null ? everybody(null) : { what: 'scope', head, matching };
}

/** Why nothing that was read before is gone on from; null: it is. */
async function findDoubt({ state, options }: RunDependencies): Promise<string | null> {
  if (options.resync) return 'a resync was asked for';
  if ((await getFact(state.facts, 'suspect')) !== null) return 'the last read was suspect';
  const failures = (await getFact(state.facts, 'changesFailed')) ?? 0;
  return failures >= MOST_FAILURES ? 'the changes could not be read several times in a row' : null;
}

interface Last {
  readonly loaded: Loaded;
  readonly asking: Asking;
  readonly head: MirrorHead;
}

/** Why the last whole read is not gone on from; null: it is. */
function findAge({ now }: RunDependencies, { loaded, asking, head }: Last): string | null {
  if (head.mark !== asking.mark) return 'source, scope or what is asked for are not those of the last read';
  const { verifyEveryMs } = loaded.spec.drift;
  const isOver = verifyEveryMs > 0 && now().getTime() - head.fullAt >= verifyEveryMs;
  return isOver ? 'drift.verifyEvery is over' : null;
}

/** People in scope, and how they are asked for. */
export interface Matching {
  readonly wanted: WantedPeople;
  readonly read: ReadPeople;
}

/**
 * Null: the source cannot be asked for the people of this scope; or nobody would ever be asked for whom its filter leaves
 * out, for a time between whole reads is not set.
 */
function toMatching(loaded: Loaded, { projection }: Asking, attributes: readonly string[]): Matching | null {
  const { source, spec, mapping } = loaded;
  if (source.readMatching === undefined || source.readOne === undefined || spec.drift.verifyEveryMs <= 0) return null;
  const wanted = toWantedPeople(spec.scope.filters, { names: mapping.names, known: new KnownAttributes(attributes) });
  const read = wanted === null ? null : source.readMatching(wanted, projection.users);
  return wanted === null || read === null ? null : { wanted, read };
}

/** A run for one person, or for a plan, leaves nothing to others. */
export function maySay({ options }: RunDependencies): boolean {
  return !options.planOnly && options.user === null;
}

/** Of the changes, which the next run asks for again. */
export async function countFailure(run: RunDependencies): Promise<void> {
  if (!maySay(run)) return;
  const { facts } = run.state;
  await putFact(facts, 'changesFailed', ((await getFact(facts, 'changesFailed')) ?? 0) + 1);
}

export interface Remembering {
  readonly loaded: Loaded;
  readonly asking: Asking;
  readonly staged: Staged;
  readonly suspicion: string | null;
}

/** What the next run goes on from: a good read whole, and nothing of any other one. */
export async function remember(
  run: RunDependencies,
  { loaded, asking, staged, suspicion }: Remembering,
): Promise<void> {
  if (!maySay(run)) return;
  const { mirror } = run.state;
  const { tally, groups, fullAt } = staged;
  const cursors = toCursors(staged);
  if (cursors === null && toMatching(loaded, asking, staged.attributes) === null) {
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
