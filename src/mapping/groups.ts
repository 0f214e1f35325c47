/** Groups of the source → teams. Pure. */
import type { DesiredTeam, SourceGroup } from '../model.ts';
import { toComparableName, toGroupKey } from '../team-key.ts';

export interface GroupChoice {
  readonly provision: 'None' | 'InScope' | 'All';
  /** Names or ids; empty: all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface GroupSelection {
  /** Names compare trimmed and without case, ids as they are. */
  selects(group: Pick<SourceGroup, 'id' | 'displayName'>): boolean;
  /** Entries of `include` and `exclude` that no group asked for so far answers to. */
  unresolved(): readonly string[];
}

/** @param scopeGroups ids of those that the scope takes people by; null: it takes them by none */
export function createGroupSelection(
  { provision, include, exclude }: GroupChoice,
  scopeGroups: ReadonlySet<string> | null,
): GroupSelection {
  const open = new Set([...include, ...exclude].map((entry) => entry.trim()));
  const [included, excluded] = [toNames(include), toNames(exclude)];
  return {
    selects: (group) => {
      for (const entry of open) if (isNamed(group, toNames([entry]))) open.delete(entry);
      const isMeant = provision === 'All' || (provision === 'InScope' && (scopeGroups?.has(group.id) ?? true));
      const isIncluded = include.length === 0 || isNamed(group, included);
      return isMeant && isIncluded && !isNamed(group, excluded);
    },
    unresolved: () => [...open],
  };
}

interface Names {
  readonly ids: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

function toNames(entries: readonly string[]): Names {
  return { ids: new Set(entries.map((entry) => entry.trim())), names: new Set(entries.map(toComparableName)) };
}

function isNamed({ id, displayName }: Pick<SourceGroup, 'id' | 'displayName'>, { ids, names }: Names): boolean {
  return ids.has(id) || names.has(toComparableName(displayName));
}

/** A group of a name that others have too, and the name that its team has at the target. */
export interface Namesake {
  readonly id: string;
  readonly held: string | null;
}

/**
 * Teams of groups that share a name: one has it as it is, the others with a suffix from their id. Whoever has a name of
 * these keeps it as long as the group is called so; of the rest the first in the order of the read comes first.
 * @param groups all of this name, in the order of the read
 * @returns by id
 */
export function computeTeamNames(displayName: string, groups: readonly Namesake[]): ReadonlyMap<string, string> {
  const plain = displayName.trim();
  // Each group has a spelling of its own.
  const holds = ({ held }: Namesake, name: string): boolean => held !== null && isSame(held, name);
  const isPlain = (group: Namesake): boolean => holds(group, plain);
  // A suffix once given stays, although now another one would do, or be needed; but not with two of them, as when one was
  // named while the other could not be read.
  const isOwn = (group: Namesake, name: string): boolean => groups.find((each) => holds(each, name)) === group;
  const findGiven = (group: Namesake): string | undefined =>
    listSuffixed(plain, group.id, groups).find((name) => isOwn(group, name));
  const first = groups.find(isPlain) ?? groups.find((group) => findGiven(group) === undefined);
  const toName = (group: Namesake): string => findGiven(group) ?? toSuffixed(plain, group.id, groups);
  return new Map(groups.map((group) => [group.id, group === first ? plain : toName(group)] as const));
}

/** Every suffixed name that the team of a group may have been given, but for one that is another's whole id. */
function listSuffixed(name: string, id: string, groups: readonly Namesake[]): readonly string[] {
  const short = id.slice(0, SUFFIX_LENGTH);
  const isFree = groups.every((other) => other.id === id || other.id !== short);
  return [...(isFree ? [short] : []), id].map((each) => `${name}${toSuffix(each)}`);
}

function isSame(a: string, b: string): boolean {
  return toComparableName(a) === toComparableName(b);
}

const SUFFIX_LENGTH = 8;

/** The beginning of an id tells it from most others; the whole of it where that is not so. */
function toSuffixed(name: string, id: string, groups: readonly Namesake[]): string {
  const short = id.slice(0, SUFFIX_LENGTH);
  const isUnique = groups.every((other) => other.id === id || !other.id.startsWith(short));
  return `${name}${toSuffix(isUnique ? short : id)}`;
}

const toSuffix = (id: string): string => ` (${id})`;

/** The name that the team of a group would have if no other group had the same; the name itself where it has no suffix. */
export function withoutSuffix(displayName: string, id: string): string {
  const suffix = [id, id.slice(0, SUFFIX_LENGTH)].map(toSuffix).find((each) => displayName.endsWith(each));
  return suffix === undefined ? displayName : displayName.slice(0, -suffix.length);
}

/** @param team what mappings make of the group; its name is what became of it where others have the same */
export function toGroupTeam(
  { id }: Pick<SourceGroup, 'id'>,
  team: Pick<DesiredTeam, 'displayName' | 'externalId' | 'values'>,
): DesiredTeam {
  return {
    key: toGroupKey(id),
    ...team,
    rules: [],
    whenEmpty: 'Retain',
    // What becomes of the team is the DirectorySync's to say when the group is gone.
    deletionPolicy: 'Retain',
  };
}
