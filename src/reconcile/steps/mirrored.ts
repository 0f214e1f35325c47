/** read, over the mirror of the last good read: what reads of changes and of the people in scope have in common. */
import type { SourcePath } from '../../expression/paths.ts';
import { KnownAttributes } from '../../mapping/names.ts';
import type { SourceUser } from '../../model.ts';
import type { ChangePage, FailedRecord, SourceChange } from '../../sources/source.ts';
import type { MirrorChange } from '../../state/mirror.ts';
import type { RunDependencies } from '../run.ts';
import { type Asking, toAliasRow } from './asking.ts';
import type { StagedGroups } from './read-groups.ts';
import type { Tally, TallyState } from './read-stats.ts';

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
export interface Summary extends TallyState {
  readonly attributes: readonly string[];
  readonly groupAttributes: readonly string[];
}

/** What those are referred to by who are staged so far. */
export async function addAliases(
  { state: { staging, groups } }: RunDependencies,
  { isReferred }: Asking,
): Promise<void> {
  if (!isReferred) return;
  for await (const page of staging.users()) await groups.addAliases(page.map(({ user }) => toAliasRow(user)));
}

/**
 * An attribute that the last whole read could not deliver is unknown of everybody (rule I13): told of some, it would pass
 * for empty of all others.
 */
export function hasNews(paths: readonly SourcePath[], before: readonly string[], now: readonly string[]): boolean {
  const [known, told] = [new KnownAttributes(before), new KnownAttributes(now)];
  return paths.some((path) => told.has(path) && !known.has(path));
}

export function unite(before: readonly string[], now: readonly string[]): readonly string[] {
  return [...new Set([...before, ...now])];
}

/** Changes, carried out over the mirror page by page. */
export class Changes {
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
