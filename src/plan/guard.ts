/**
 * Splits a plan into what may go and what is held. Pure; the arithmetic is that of the reference page on resources.
 *
 * A kind is held as a whole when its count in the window, this plan's included, exceeds `max` or `percent`: letting a
 * part go would remove people for a reason that nobody has looked at. Time alone releases nothing: the window of a kind
 * that is held begins where it began when it was first held.
 */
import { createHash } from 'node:crypto';
import type { GuardKind, GuardSubject, HeldBy } from '../model.ts';
import type { Unit } from '../state/store.ts';
import { toDeletionUnit } from './member.ts';

export interface GuardLimit {
  /** Null: no such limit. */
  readonly max: number | null;
  /** 100: no such limit. */
  readonly percent: number;
}

export interface GuardInput {
  readonly units: readonly Unit[];
  readonly limits: Readonly<Record<GuardKind, GuardLimit>>;
  readonly floor: number;
  /** Units of this subject that went in the window without approval. */
  readonly removed: (subject: GuardSubject) => number;
  /** Teams lost in the window without approval, as units of their deletion; `removed` leaves them out. */
  readonly lostTeams: ReadonlySet<string>;
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
  const subjects = holdByGuards(open, input, held);
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

/**
 * Removals from teams first: a team whose removals are held is not lost, and only what is left of the plan counts as lost
 * teams. A unit that counts under several guards goes when all of them let it.
 */
function holdByGuards(open: readonly Unit[], input: GuardInput, held: Map<string, HeldBy>): readonly GuardSubject[] {
  const toGroups = (): readonly Group[] => groupBySubject(open.filter(({ unit }) => !held.has(unit)));
  const isOfMembers = ({ subject }: Group): boolean => subject.kind === 'removeMembers';
  const first = holdGroups(toGroups().filter(isOfMembers), input, held);
  holdEmptied(open, held);
  const left = toGroups();
  const others = left.filter((group) => !isOfMembers(group));
  const second = holdGroups(withLostTeams(others, left.filter(isOfMembers), input), input, held);
  holdEmptied(open, held);
  return [...first, ...second];
}

/** Units that count for one subject, by what is counted: units, but for lost teams. */
interface Group {
  readonly subject: GuardSubject;
  readonly units: readonly Unit[];
  readonly items: ReadonlySet<string>;
}

function groupBySubject(units: readonly Unit[]): readonly Group[] {
  const groups = new Map<string, { subject: GuardSubject; units: Unit[] }>();
  for (const unit of units) {
    for (const subject of unit.guards) {
      const key = `${subject.kind}\n${subject.scope}`;
      const group = groups.get(key) ?? { subject, units: [] };
      group.units.push(unit);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map((group) => ({ ...group, items: new Set(group.units.map(({ unit }) => unit)) }));
}

function holdGroups(groups: readonly Group[], input: GuardInput, held: Map<string, HeldBy>): GuardSubject[] {
  const subjects: GuardSubject[] = [];
  for (const { subject, units, items } of groups) {
    if (isWithinLimits(subject, items.size, { ...input, removed: (of) => countBefore(of, items, input) })) continue;
    subjects.push(subject);
    for (const { unit } of units) if (!held.has(unit)) held.set(unit, subject.kind);
  }
  return subjects;
}

/** A team that was lost before and loses more now is one lost team. */
function countBefore(subject: GuardSubject, items: ReadonlySet<string>, { removed, lostTeams }: GuardInput): number {
  if (subject.kind !== 'deleteTeams') return removed(subject);
  return [...lostTeams].filter((unit) => !items.has(unit)).length;
}

const LOST: GuardSubject = { kind: 'deleteTeams', scope: '' };

/**
 * Small teams are within the floor of their own guard, so an edit could empty one after another: a team that loses more
 * than its guard's percentage, or everybody, counts among the lost teams like one that is deleted.
 */
function withLostTeams(others: readonly Group[], ofMembers: readonly Group[], input: GuardInput): readonly Group[] {
  const lost = ofMembers.filter(({ subject, items }) =>
    isLost(items.size + input.removed(subject), {
      percent: input.limits.removeMembers.percent,
      base: input.base(subject),
    }),
  );
  const deleted = others.find(({ subject }) => subject.kind === LOST.kind);
  if (lost.length === 0) return others;
  const group: Group = {
    subject: LOST,
    units: [...(deleted?.units ?? []), ...lost.flatMap(({ units }) => units)],
    items: new Set([...(deleted?.items ?? []), ...lost.map(({ subject }) => toDeletionUnit(subject.scope))]),
  };
  return [...others.filter((each) => each !== deleted), group];
}

/** @param count members that go without their account going, in the window and this plan */
export function isLost(count: number, { percent, base }: { readonly percent: number; readonly base: number }): boolean {
  return count > 0 && (count >= base || count * 100 > percent * base);
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
