/** `scope.groups`: which groups of a read its entries mean. Pure. */
import type { GroupName } from '../model.ts';
import { toComparableName } from '../team-key.ts';

/** An entry of `scope.groups`, trimmed, and the id of the group that it means. */
export interface PinnedGroup {
  readonly entry: string;
  readonly id: string;
}

export interface ScopeGroupsOptions {
  /** What entries were found to mean before: a name means the same group whatever that is called by now (rule I10). */
  readonly pins: readonly PinnedGroup[];
  /** The name of a group that is gone is looked for again. */
  readonly afresh: boolean;
}

export interface ScopeGroupsSearch {
  /** @param displayName null: nothing but the id is known of it */
  see(group: { readonly id: string; readonly displayName: string | null }): void;
  /** Once every group of the read was shown. Each problem is a sentence that says what to do. */
  result(): { readonly found: readonly PinnedGroup[]; readonly problems: readonly string[] };
}

/** May an entry mean the group? Every group that one is found to mean does. */
export function isListed(
  entries: readonly string[],
  pins: readonly PinnedGroup[],
): (group: Pick<GroupName, 'id' | 'displayName'>) => boolean {
  const ids = new Set([...entries.map((entry) => entry.trim()), ...pins.map(({ id }) => id)]);
  const names = new Set(entries.map(toComparableName));
  return ({ id, displayName }) => ids.has(id) || names.has(toComparableName(displayName));
}

/** An id goes before a name; ids compare as they are, names trimmed and without case. */
export function createScopeGroupsSearch(
  entries: readonly string[],
  { pins, afresh }: ScopeGroupsOptions,
): ScopeGroupsSearch {
  const listed = [...new Set(entries.map((entry) => entry.trim()))];
  const pinned = new Map(pins.map(({ entry, id }) => [entry, id]));
  const wanted = new Set([...listed, ...pinned.values()]);
  const byName = new Map(listed.map((entry) => [toComparableName(entry), new Set<string>()]));
  const seen = new Set<string>();
  const find = (entry: string): PinnedGroup | string => {
    const before = pinned.get(entry);
    if (before !== undefined && seen.has(before)) return { entry, id: before };
    if (before !== undefined && !afresh) return toGone(entry, before);
    if (seen.has(entry)) return { entry, id: entry };
    const [id, ...others] = byName.get(toComparableName(entry)) ?? [];
    if (id === undefined) return toMissing(entry);
    return others.length === 0 ? { entry, id } : toAmbiguous(entry, [id, ...others]);
  };
  return {
    see: ({ id, displayName }) => {
      if (wanted.has(id)) seen.add(id);
      if (displayName !== null) byName.get(toComparableName(displayName))?.add(id);
    },
    result: () => {
      const all = listed.map(find);
      return {
        found: all.filter((each) => typeof each !== 'string'),
        problems: all.filter((each) => typeof each === 'string'),
      };
    },
  };
}

function toMissing(entry: string): string {
  return `no group of the source has the name or id ${JSON.stringify(entry)}; put it back, or mend the entry`;
}

function toGone(entry: string, id: string): string {
  if (entry === id) return `the group ${id} is not in the source any more; put it back, or take the entry out`;
  return `${JSON.stringify(entry)} is the group ${id}, which is not in the source any more; put it back, take the entry out, or ask for a resync to look for the name again`;
}

/** Of more nobody reads the ids. */
const SHOWN = 3;

function toAmbiguous(entry: string, ids: readonly string[]): string {
  const shown = ids.length > SHOWN ? `${ids.slice(0, SHOWN).join(', ')}, …` : ids.join(', ');
  return `${ids.length} groups of the source are called ${JSON.stringify(entry)} (${shown}); name the one that is meant by its id`;
}

/** What the scope knows of its groups once everything is read. */
export interface ScopeGroups {
  readonly groups: readonly PinnedGroup[];
  readonly ids: ReadonlySet<string>;
  /** Those whose members are not known whole: who is not known to belong to any of the groups may. */
  readonly partial: readonly string[];
}

/** Undefined: not to be told (rule I13). */
export function isInScopeGroups(groups: readonly GroupName[], { ids, partial }: ScopeGroups): boolean | undefined {
  if (groups.some(({ id }) => ids.has(id))) return true;
  return partial.length > 0 ? undefined : false;
}
