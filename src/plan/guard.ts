/**
 * Splits a plan into what may go and what is held. Pure; the arithmetic is that of the reference page on resources.
 *
 * A kind is held as a whole when its count in the window, this plan's included, exceeds `max` or `percent`: letting a
 * part go would remove people for a reason that nobody has looked at. Time alone releases nothing: the window of a kind
 * that is held begins where it began when it was first held.
 */
import { createHash } from 'node:crypto';
import type { GuardKind, HeldBy } from '../model.ts';
import type { Unit } from '../state/store.ts';

export interface GuardLimit {
  /** Null: no such limit. */
  readonly max: number | null;
  /** 100: no such limit. */
  readonly percent: number;
}

/** One kind of loss; `removeMembers` is judged for each team by itself. */
export interface GuardSubject {
  readonly kind: GuardKind;
  readonly scope: string;
}

export interface GuardInput {
  readonly units: readonly Unit[];
  readonly limits: Readonly<Record<GuardKind, GuardLimit>>;
  readonly floor: number;
  /** Units of this subject that went in the window without approval. */
  readonly removed: (subject: GuardSubject) => number;
  /** What percentages of this subject refer to. */
  readonly base: (subject: GuardSubject) => number;
  /**
   * Null: the read is good. Else fingerprints of the removal units that an earlier complete read gave too, long enough
   * ago: these are left to the guards, the others wait.
   */
  readonly suspect: { readonly confirmed: ReadonlySet<string> } | null;
  /** Fingerprints of the operations of units that were approved before and are not done yet. */
  readonly approved: ReadonlySet<string>;
  /** The hash that a person names now; null without one. */
  readonly approve: string | null;
}

export interface GuardResult {
  readonly held: ReadonlyMap<string, HeldBy>;
  /** Empty when nothing is held. */
  readonly hash: string;
  /** Units held, by what holds them. */
  readonly kinds: Readonly<Partial<Record<HeldBy, number>>>;
  /** Subjects that are held, for the window of the next run. */
  readonly subjects: readonly GuardSubject[];
  /** Units that go by approval, now or before: they are not counted. Unit → fingerprints of its operations. */
  readonly released: ReadonlyMap<string, readonly string[]>;
  /** What was approved names nothing that is held (and released nothing). */
  readonly mismatch: boolean;
  /** Fingerprints of all removal units, for the next read to confirm. */
  readonly removals: readonly string[];
}

/** Identity of a unit: the same while its operations are the same, whatever run plans them. */
export function toFingerprint(unit: Unit): string {
  return digest([...unit.lines].sort());
}

/** Each by itself: when one fails and the others are done, what is left of the unit is still approved. */
function toOperationFingerprints({ lines }: Unit): readonly string[] {
  return lines.map((line) => digest([line]));
}

/** First 16 hexadecimal digits of SHA-256 over the lines. */
function digest(lines: readonly string[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line).update('\n');
  return hash.digest('hex').slice(0, 16);
}

export function computeGuard(input: GuardInput): GuardResult {
  const released = new Map<string, readonly string[]>();
  const open: Unit[] = [];
  const removals: string[] = [];
  for (const unit of input.units) {
    if (unit.removal) removals.push(toFingerprint(unit));
    const operations = input.approved.size === 0 ? [] : toOperationFingerprints(unit);
    if (operations.length > 0 && operations.every((each) => input.approved.has(each)))
      released.set(unit.unit, operations);
    else open.push(unit);
  }
  const held = new Map<string, HeldBy>();
  for (const unit of open) {
    const by = holdBeforeGuards(unit, input);
    if (by !== null) held.set(unit.unit, by);
  }
  const subjects = holdByGuards(
    open.filter((unit) => !held.has(unit.unit)),
    input,
    held,
  );
  holdEmptied(open, held);
  return settle({ input, open, held, released, subjects, removals });
}

const REMOVAL = '["removeMembers","Team",';
const TEAM_DELETION = '["delete","Team",';

/** A team is deleted when it is empty: while somebody's removal from it is held it is not, and its deletion waits too. */
function holdEmptied(open: readonly Unit[], held: Map<string, HeldBy>): void {
  const kept = new Map<string, HeldBy>();
  for (const { unit, lines } of open) {
    const by = held.get(unit);
    if (by === undefined) continue;
    for (const key of toTeams(lines, REMOVAL)) kept.set(key, by);
  }
  if (kept.size === 0) return;
  for (const { unit, lines } of open) {
    const by = toTeams(lines, TEAM_DELETION).map((key) => kept.get(key))[0];
    if (by !== undefined && !held.has(unit)) held.set(unit, by);
  }
}

/** Keys of the teams that lines of this kind are about. */
function toTeams(lines: readonly string[], kind: string): readonly string[] {
  return lines.filter((line) => line.startsWith(kind)).map((line) => String(JSON.parse(line)[2]));
}

function holdBeforeGuards(unit: Unit, { suspect }: GuardInput): HeldBy | null {
  if (unit.recovered) return 'recovered';
  if (unit.removal && suspect !== null && !suspect.confirmed.has(toFingerprint(unit))) return 'suspect';
  return null;
}

function holdByGuards(units: readonly Unit[], input: GuardInput, held: Map<string, HeldBy>): GuardSubject[] {
  const groups = new Map<string, { subject: GuardSubject; units: Unit[] }>();
  for (const unit of units) {
    if (unit.guard === null) continue;
    const subject: GuardSubject = { kind: unit.guard, scope: unit.scope };
    const key = `${subject.kind}\n${subject.scope}`;
    const group = groups.get(key) ?? { subject, units: [] };
    group.units.push(unit);
    groups.set(key, group);
  }
  const subjects: GuardSubject[] = [];
  for (const { subject, units: some } of groups.values()) {
    if (isWithinLimits(subject, some.length, input)) continue;
    subjects.push(subject);
    for (const unit of some) held.set(unit.unit, subject.kind);
  }
  return subjects;
}

/** The check itself, with the count of this plan. */
export function isWithinLimits(
  subject: GuardSubject,
  planned: number,
  input: Pick<GuardInput, 'limits' | 'floor' | 'removed' | 'base'>,
): boolean {
  const { max, percent } = input.limits[subject.kind];
  const count = planned + input.removed(subject);
  if (max !== null && count > max) return false;
  return count <= input.floor || percent >= 100 || count * 100 <= percent * input.base(subject);
}

interface Settlement {
  readonly input: GuardInput;
  readonly open: readonly Unit[];
  readonly held: Map<string, HeldBy>;
  readonly released: Map<string, readonly string[]>;
  readonly subjects: readonly GuardSubject[];
  readonly removals: readonly string[];
}

function settle({ input, open, held, released, subjects, removals }: Settlement): GuardResult {
  const units = open.filter((unit) => held.has(unit.unit));
  const hash = units.length === 0 ? '' : digest(units.flatMap((unit) => unit.lines).sort());
  const matches = input.approve !== null && hash !== '' && input.approve === hash;
  if (matches) {
    for (const unit of units) released.set(unit.unit, toOperationFingerprints(unit));
    return { held: new Map(), hash: '', kinds: {}, subjects: [], released, mismatch: false, removals };
  }
  const kinds: Partial<Record<HeldBy, number>> = {};
  for (const by of held.values()) kinds[by] = (kinds[by] ?? 0) + 1;
  return { held, hash, kinds, subjects, released, mismatch: input.approve !== null, removals };
}
