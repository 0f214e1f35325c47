/**
 * In which order operations go that want each other's values. Pure.
 *
 * Whoever wants a value waits for whoever has it to give it up: a chain goes from its end. In a circle everybody waits;
 * there one account goes round by a temporary value. What nobody gives up is a conflict.
 */
import type { Contention } from '../state/staging.ts';

/** A step of its own: the account of operation `of` gives its values at `paths` up for temporary ones. */
export interface Detour {
  readonly seq: number;
  readonly of: number;
  readonly paths: readonly string[];
}

export interface Order {
  /** Operations that wait or are waited for, in rounds: each needs only what earlier rounds have done. */
  readonly rounds: readonly (readonly number[])[];
  /** Operation → what it waits for. */
  readonly waits: ReadonlyMap<number, readonly Contention[]>;
  readonly detours: readonly Detour[];
}

/** A value that an operation cannot have. */
export interface Block extends Contention {
  /** Its holder gives it up, and waits for approval. */
  readonly isHeld: boolean;
}

export interface OrderInput {
  /** Those of operations that go, and whose value is given up. */
  readonly contentions: readonly Contention[];
  /** Operations whose account cannot go round: nobody owns it yet. */
  readonly straight: ReadonlySet<number>;
  /** The number of the first detour. */
  readonly nextSeq: number;
}

export function computeOrder(input: OrderInput): Order {
  const queue = new RoundQueue(input);
  return { rounds: queue.toRounds(), waits: queue.waits, detours: queue.detours };
}

/**
 * Operations that cannot go, with the first value that they cannot have. What waits for something that does not go does
 * not go either.
 * @param held operations that guards keep back
 */
export function findBlocked(contentions: readonly Contention[], held: ReadonlySet<number>): ReadonlyMap<number, Block> {
  const open = contentions.filter(({ seq }) => !held.has(seq));
  const blocked = new Map<number, Block>();
  const waiting = Map.groupBy(open, ({ freedBy }) => freedBy);
  const queue = open.filter(({ freedBy }) => freedBy === null || held.has(freedBy));
  for (const each of queue) {
    if (blocked.has(each.seq)) continue;
    blocked.set(each.seq, { ...each, isHeld: each.freedBy !== null && held.has(each.freedBy) });
    queue.push(...(waiting.get(each.seq) ?? []));
  }
  return blocked;
}

/** A topological order by rounds, in which circles are broken as they show. */
class RoundQueue {
  readonly waits = new Map<number, Contention[]>();
  readonly detours: Detour[] = [];
  readonly #straight: ReadonlySet<number>;
  readonly #nextSeq: number;
  /** Operation → those that wait for it. */
  readonly #waiting = new Map<number, Set<number>>();
  readonly #left = new Set<number>();

  constructor({ contentions, straight, nextSeq }: OrderInput) {
    this.#straight = straight;
    this.#nextSeq = nextSeq;
    for (const each of contentions) this.#add(each);
  }

  #add(contention: Contention): void {
    const { seq } = contention;
    const freedBy = toFreedBy(contention);
    this.waits.set(seq, [...(this.waits.get(seq) ?? []), contention]);
    this.#waiting.set(freedBy, (this.#waiting.get(freedBy) ?? new Set()).add(seq));
    this.#left.add(seq).add(freedBy);
  }

  #isReady(seq: number): boolean {
    return (this.waits.get(seq) ?? []).every((each) => !this.#left.has(toFreedBy(each)));
  }

  toRounds(): readonly (readonly number[])[] {
    const rounds: number[][] = [];
    let round = [...this.#left].filter((seq) => this.#isReady(seq));
    while (this.#left.size > 0) {
      if (round.length === 0) round = this.#breakCircles();
      round.sort((a, b) => a - b);
      rounds.push(round);
      for (const seq of round) this.#left.delete(seq);
      const next = new Set(round.flatMap((seq) => [...(this.#waiting.get(seq) ?? [])]));
      round = [...next].filter((seq) => this.#isReady(seq));
    }
    return rounds;
  }

  /** Nobody can go: every circle gets one detour, and these can. */
  #breakCircles(): number[] {
    const seen = new Set<number>();
    const circles = [...this.#left].sort((a, b) => a - b).map((start) => this.#followCircle(start, seen));
    return circles.filter((circle) => circle.length > 0).map((circle) => this.#addDetour(circle));
  }

  /** From `start` along what is waited for; empty where that leads to what was followed before. */
  #followCircle(start: number, seen: Set<number>): readonly number[] {
    const trail: number[] = [];
    let at: number | undefined = start;
    while (at !== undefined && !seen.has(at)) {
      seen.add(at);
      trail.push(at);
      at = this.waits
        .get(at)
        ?.map(toFreedBy)
        .find((next) => this.#left.has(next));
    }
    return at !== undefined && trail.includes(at) ? trail.slice(trail.indexOf(at)) : [];
  }

  #addDetour(circle: readonly number[]): number {
    const of = circle.find((seq) => !this.#straight.has(seq)) ?? circle[0] ?? 0;
    const seq = this.#nextSeq + this.detours.length;
    const waiting = this.#waiting.get(of) ?? new Set();
    const paths = new Set<string>();
    for (const each of waiting) {
      const some = this.waits.get(each) ?? [];
      for (const { path, freedBy } of some) if (freedBy === of) paths.add(path);
      this.waits.set(
        each,
        some.map((wait) => (wait.freedBy === of ? { ...wait, freedBy: seq } : wait)),
      );
    }
    this.#waiting.delete(of);
    this.#waiting.set(seq, waiting);
    this.#left.add(seq);
    // The rest of the circle follows the detour, and its own operation ends it.
    const [own] = this.waits.get(of) ?? [];
    if (own !== undefined) this.#add({ ...own, holder: own.sourceId, freedBy: seq });
    this.detours.push({ seq, of, paths: [...paths].sort() });
    return seq;
  }
}

function toFreedBy({ freedBy }: Contention): number {
  return freedBy ?? 0;
}
