/** read, in numbers: what a read has of people and values, and what it lost against the last good one. */
import { parseSourcePath, readSourcePath, type SourcePath } from '../../expression/paths.ts';
import { ALIAS_ATTRIBUTES } from '../../mapping/aliases.ts';
import { isEmptyValue } from '../../mapping/coerce.ts';
import { KnownAttributes } from '../../mapping/names.ts';
import type { RecordError, SourceUser } from '../../model.ts';
import type { FailedRecord } from '../../sources/source.ts';
import type { Loaded, ReadStats } from '../run.ts';

/** What a tally comes to, to go on with later. */
export interface TallyState {
  readonly people: number;
  /** Filled values, by path. */
  readonly filled: Readonly<Record<string, number>>;
  /** People whose record came without a name that it may have. */
  readonly unnamedPeople: number;
  /** People who are there and could not be read. */
  readonly failed: readonly { readonly id: string; readonly code: FailedRecord['code']; readonly message: string }[];
}

/** Counts people as they come, and takes back those who go. */
export class Tally {
  people: number;
  /** Items that failed and whose id is not known. */
  readonly nameless: FailedRecord[] = [];
  readonly #failed: Map<string, FailedRecord>;
  readonly #filled: { readonly path: SourcePath; count: number }[];
  #unnamedPeople: number;

  /** @param paths places in a record that are counted */
  constructor(paths: readonly SourcePath[], before?: TallyState) {
    this.people = before?.people ?? 0;
    this.#unnamedPeople = before?.unnamedPeople ?? 0;
    this.#filled = paths.map((path) => ({ path, count: before?.filled[path.text] ?? 0 }));
    this.#failed = new Map(before?.failed.map((each) => [each.id, each]));
  }

  add(user: SourceUser): void {
    this.#count(user, 1);
  }

  remove(user: SourceUser): void {
    this.#count(user, -1);
  }

  fail(failed: FailedRecord): void {
    if (failed.id === null) this.nameless.push(failed);
    else this.#failed.set(failed.id, failed);
  }

  /** Nothing is wrong with the record any more. */
  mend(id: string): void {
    this.#failed.delete(id);
  }

  get failedIds(): readonly string[] {
    return [...this.#failed.keys()];
  }

  get errors(): readonly RecordError[] {
    const all = [...this.#failed.values(), ...this.nameless];
    return all.map(({ id, code, message }) => ({ resource: 'User', id: id ?? 'unknown', code, message }));
  }

  /** Whether everybody came with every attribute that may name people. */
  names(aliases: readonly string[], attributes: readonly string[]): 'all' | 'some' {
    const isGone = aliases.some((name) => !attributes.includes(name));
    return isGone || this.#unnamedPeople > 0 ? 'some' : 'all';
  }

  state(): TallyState {
    return {
      people: this.people,
      filled: Object.fromEntries(this.#filled.map(({ path, count }) => [path.text, count])),
      unnamedPeople: this.#unnamedPeople,
      failed: [...this.#failed].map(([id, { code, message }]) => ({ id, code, message })),
    };
  }

  #count(user: SourceUser, sign: 1 | -1): void {
    const { attributes, unknown = [] } = user;
    this.people += sign;
    for (const each of this.#filled) if (isFilled(each.path, attributes)) each.count += sign;
    if (ALIAS_ATTRIBUTES.some((name) => unknown.includes(name))) this.#unnamedPeople += sign;
  }
}

export function isFilled(path: SourcePath, attributes: SourceUser['attributes']): boolean {
  return !isEmptyValue(readSourcePath(path, attributes));
}

type IsDrop = (is: number, was: number) => boolean;

/**
 * What the read lost against the last good one, as a sentence; null when it may be trusted. An attribute that is gone
 * altogether is unknown (rule I13) and no drop.
 */
export function judge(
  now: ReadStats,
  before: ReadStats,
  guards: Loaded['spec']['guards'],
  known: { readonly people: KnownAttributes; readonly groups?: KnownAttributes | undefined },
): string | null {
  const isDrop: IsDrop = (is, was) => was - is > guards.floor && (was - is) * 100 > guards.suspiciousDrop * was;
  return (
    judgeCount('people', isDrop, { is: now.people, was: before.people }) ??
    // Where groups are read for the first time, or no more, nothing can be compared.
    judgeCount('groups', isDrop, { is: now.groups ?? 0, was: now.groups === undefined ? 0 : (before.groups ?? 0) }) ??
    judgeValues('people', isDrop, {
      now: { count: now.people, filled: now.filled },
      before: { count: before.people, filled: before.filled },
      known: known.people,
    }) ??
    judgeValues('groups', isDrop, {
      now: { count: now.groups ?? 0, filled: now.groupsFilled ?? {} },
      before: { count: before.groups ?? 0, filled: before.groupsFilled ?? {} },
      known: known.groups ?? new KnownAttributes([]),
    })
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

/** How many there are, and how many of them have a value, by path. */
interface Filled {
  readonly count: number;
  readonly filled: Readonly<Record<string, number>>;
}

function judgeValues(
  what: 'people' | 'groups',
  isDrop: IsDrop,
  { now, before, known }: { readonly now: Filled; readonly before: Filled; readonly known: KnownAttributes },
): string | null {
  for (const [name, was] of Object.entries(before.filled)) {
    const is = now.filled[name] ?? was;
    // Fewer have fewer values: only what is lost beyond that is suspicious.
    const expected = before.count === 0 ? was : Math.min(was, (was * now.count) / before.count);
    if (known.has(parseSourcePath(name)) && isDrop(is, expected))
      return `${is} ${what} have a value for ${JSON.stringify(name)}, in the last good read ${was} had`;
  }
  return null;
}
