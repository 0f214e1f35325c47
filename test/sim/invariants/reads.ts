/** Which reads are suspect (I1), by what anybody can see of them. */
import { asksForGroups } from '../groups.ts';
import { isReadWhole, type RunFacts } from './facts.ts';

export interface Reads {
  onRunStart(facts: RunFacts): void;
  /** By changes, and so perhaps something else. */
  onTold(facts: RunFacts): void;
  /** The run has read all, and ended by itself. */
  onRead(facts: RunFacts): void;
  /** The run's read became the measure of the next one. */
  onTrusted(facts: RunFacts): void;
  /** Nobody can tell what the next read is measured against. */
  forget(): void;
  /** Nothing may go in this run without approval. */
  isSuspect(facts: RunFacts): boolean;
}

interface Measure {
  readonly people: number;
  /** So many may count otherwise for the engine. */
  readonly outdated: number;
  /** Null: this run asked for none. */
  readonly groups: number | null;
  readonly filled: Readonly<Record<string, number>>;
}

const CONFIRM_AFTER = 10 * 60_000;

export function createReads(): Reads {
  /** Reads that may be the measure; null: nobody can tell. */
  let measures: { readonly of: RunFacts; readonly measure: Measure }[] | null = [];
  /** Whether one of them certainly is. */
  let isMeasured = false;
  let suspectSince: number | null = null;
  const suspects = new Set<RunFacts>();
  const onRunStart = (facts: RunFacts): void => {
    const isSuspect = isMeasured && judge(facts, measures?.map(({ measure }) => measure) ?? null);
    // A second complete read long enough after the first may confirm what both call for. Any read since the last good
    // one may have been the first: not all that makes one suspect is looked at here. The clock may have been set back since.
    const isMeasure = isReadWhole(facts) && facts.only === null;
    if (isMeasure) suspectSince = Math.min(suspectSince ?? facts.startedAt, facts.startedAt);
    const mayConfirm = suspectSince !== null && facts.startedAt - suspectSince >= CONFIRM_AFTER;
    if (isSuspect && !mayConfirm) suspects.add(facts);
    if (isMeasure) measures?.push({ of: facts, measure: toMeasure(facts) });
  };
  return {
    onRunStart,
    onTold(facts) {
      suspects.delete(facts);
      measures = measures?.filter(({ of }) => of !== facts) ?? null;
      onRunStart(facts);
    },
    onRead(facts) {
      isMeasured ||= facts.reading.end === 'whole';
    },
    onTrusted(facts) {
      suspectSince = null;
      measures = [{ of: facts, measure: toMeasure(facts) }];
    },
    forget() {
      measures = null;
    },
    isSuspect: (facts) => suspects.has(facts),
  };
}

function toMeasure({ reading, manifests, outdated }: RunFacts): Measure {
  const { attributes } = manifests.mapping;
  const mapped = ['department', 'title'].filter((name) => attributes.some(({ source }) => source === name));
  const isFilled = (name: string): number =>
    reading.users.filter((user) => (user.attributes[name] ?? null) !== null).length;
  const groups = asksForGroups(manifests) && reading.groups !== null ? countGroups(reading.groups) : null;
  return {
    people: reading.users.length,
    outdated: outdated.size,
    groups,
    filled: Object.fromEntries(mapped.map((name) => [name, isFilled(name)])),
  };
}

/** What could not be read is there. */
function countGroups({ list, failed }: NonNullable<RunFacts['reading']['groups']>): number {
  return new Set([...list, ...failed].flatMap(({ id }) => id ?? [])).size;
}

/** Suspect by whatever read it is measured against. */
function judge(facts: RunFacts, measures: readonly Measure[] | null): boolean {
  if (!isReadWhole(facts) || measures === null || measures.length === 0) return false;
  return measures.every((before) => isLess(facts, before));
}

function isLess(facts: RunFacts, { people, outdated, groups, filled }: Measure): boolean {
  const { floor = 5, suspiciousDrop = 30 } = facts.manifests.spec.guards ?? {};
  const isDrop = (is: number, was: number): boolean => was - is > floor && (was - is) * 100 > suspiciousDrop * was;
  const now = toMeasure(facts);
  const loose = now.outdated + outdated;
  if (now.people + loose === 0) return people > 0;
  if (isDrop(now.people + loose, people - loose)) return true;
  if (now.groups !== null && groups !== null && groups > 0 && (now.groups === 0 || isDrop(now.groups, groups)))
    return true;
  return Object.entries(filled).some(([name, was]) => {
    const expected = people === 0 ? was : Math.min(was, (was * now.people) / people);
    const is = now.filled[name];
    // What is expected goes by three numbers, each of which may be off by so much.
    const isLost = is !== undefined && isDrop(is + loose, expected - 3 * loose);
    return isLost && facts.reading.attributes.includes(name);
  });
}
