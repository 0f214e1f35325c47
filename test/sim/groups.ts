/**
 * Groups of the company's directory: what happens to them, and who belongs to them by a plain reading of docs/groups.md,
 * made apart from the engine.
 */
import type { Company, Manifests } from './model.ts';
import { CODE_ENTRY, type TeamValues, toPurpose, toSite } from './team-values.ts';

/** One group as the source has it now. */
export interface Group extends TeamValues {
  readonly id: string;
  name: string;
  /** Ids of people and groups, mail addresses, and names that are nobody's. */
  members: string[];
  /** What a mapping may make the mark of its team; null: the group has none. */
  code: string | null;
}

/** Some of them are names of teams that rules have, and of teams that somebody makes by hand. */
const NAMES = ['Guild', ' guild', 'GUILD', 'Makers', 'Makers', 'Circle', 'Science', 'Choir'] as const;
export const GROUP_RULE = 'circle';

export const isGroupId = (id: string | null): id is string => id !== null && /^gr/.test(id);

const CODE = 'mk-';
const toCode = (id: string): string => `${CODE}${id}`;

/** Of which group a team is, by whichever mark it has; null for one of no group. */
export function toGroupOf(mark: string | null): string | null {
  const id = mark?.startsWith(CODE) === true ? mark.slice(CODE.length) : mark;
  return isGroupId(id) ? id : null;
}

/** What the team of this group is marked with when it is made. */
export function toGroupMark({ id, code }: Pick<Group, 'id' | 'code'>, manifests: Manifests): string {
  return isCoded(manifests) ? (code ?? id) : id;
}

/** Without a code of its group a team keeps the mark that it has. */
export function isMarkOf(mark: string | null, group: Pick<Group, 'id' | 'code'>, manifests: Manifests): boolean {
  const keeps = isCoded(manifests) && group.code === null && toGroupOf(mark) === group.id;
  return keeps || mark === toGroupMark(group, manifests);
}

function isCoded({ teamMapping }: Manifests): boolean {
  return teamMapping?.attributes.some(({ target }) => target === CODE_ENTRY.target) === true;
}

/** Of half of the ids the first eight characters tell nothing. */
function toGroupId(n: number): string {
  return n % 2 === 0 ? `grp-acme-${n}` : `gr${n}-of-acme`;
}

export function found(company: Company, n: number): void {
  company.groupsMade += 1;
  const { people, groups, groupsMade } = company;
  const id = toGroupId(groupsMade);
  const some = people.filter((_, index) => ((n >> (index % 7)) & 1) === 1).map(({ id }) => id);
  const code = n % 3 === 0 ? null : toCode(id);
  groups.push({
    id,
    name: NAMES[n % NAMES.length] ?? 'Guild',
    members: some,
    code,
    purpose: toPurpose(n),
    site: toSite(n),
  });
}

export const GROUP_CHANGES = ['join', 'part', 'nest', 'rename', 'found', 'vanish', 'back', 'reorder'] as const;
/** `describe`: what the group says of itself. */
export type GroupChange = (typeof GROUP_CHANGES)[number] | 'describe';

/** Nothing happens where there is no group that it could happen to. */
export function changeGroup(
  company: Company,
  { what, which, value }: { what: GroupChange; which: number; value: number },
): void {
  const { groups, groupsGone } = company;
  if (groupsOf(company) === null) return;
  const group = groups[which % Math.max(1, groups.length)];
  if (what === 'found') found(company, value);
  else if (what === 'reorder') groups.reverse();
  else if (what === 'back') groups.push(...groupsGone.splice(which % Math.max(1, groupsGone.length), 1));
  else if (group !== undefined && what === 'vanish') groupsGone.push(...groups.splice(groups.indexOf(group), 1));
  else if (group !== undefined) changeOne(company, group, { what, value });
}

function changeOne({ people, groups }: Company, group: Group, { what, value }: { what: GroupChange; value: number }) {
  const person = people[value % Math.max(1, people.length)];
  const join = (ref: string | undefined): void => {
    if (ref !== undefined) group.members = [...new Set([...group.members, ref])];
  };
  if (what === 'join') join(toReference(person, value));
  if (what === 'nest') join(groups[value % groups.length]?.id);
  if (what === 'rename') group.name = NAMES[value % NAMES.length] ?? 'Guild';
  if (what === 'describe') describe(group, value);
  if (what === 'part') group.members = group.members.filter((_, index) => index !== value % group.members.length);
}

function describe(group: Group, value: number): void {
  const n = Math.floor(value / 4);
  if (value % 4 < 2) group.purpose = toPurpose(n);
  else if (value % 4 === 2) group.site = toSite(n);
  else group.code = group.code === null ? toCode(group.id) : null;
}

/** By id, by mail address in whatever case, or somebody whom nobody knows. */
function toReference(person: { id: string; mail: string | null } | undefined, value: number): string | undefined {
  const kind = Math.floor(value / 16) % 8;
  if (kind === 0) return `x${value}`;
  return kind < 4 ? (person?.mail?.toUpperCase() ?? person?.id) : person?.id;
}

/** Null: this company has no groups, and its source cannot be asked for them. */
export function groupsOf({ groups, groupsMade }: Company): readonly Group[] | null {
  return groupsMade === 0 ? null : groups;
}

/** Groups become teams, or a rule or the scope asks who is in one. */
export function asksForGroups({ spec, rules }: Manifests): boolean {
  return (
    makesTeams(spec) ||
    scopeGroupsOf({ spec }) !== null ||
    Object.values(rules).some(({ match = [] }) => match.some(isMembership))
  );
}

/** Ids of the groups that people must belong to; null: the scope takes them by none. */
export function scopeGroupsOf({ spec: { scope = {} } }: Pick<Manifests, 'spec'>): readonly string[] | null {
  return scope.users === 'MembersOfGroups' ? (scope.groups ?? []) : null;
}

/** A group of the scope that is gone stops all: somebody takes it out of the list. */
export function mendScope({ groups, manifests }: Company): void {
  const listed = scopeGroupsOf(manifests);
  if (listed === null) return;
  const { users, groups: _groups, ...scope } = manifests.spec.scope ?? {};
  const left = listed.filter((id) => groups.some((group) => group.id === id));
  const byGroups = left.length === 0 || users === undefined ? {} : { users, groups: left };
  manifests.spec = { ...manifests.spec, scope: { ...scope, ...byGroups } };
}

export const makesTeams = ({ groups = {} }: Manifests['spec']): boolean => (groups.provision ?? 'None') !== 'None';

const isMembership = ({ operator }: { operator: string }): boolean => operator === 'IsMemberOf';

/** Is a team to be made of this group? */
export function isChosen({ id, name }: Pick<Group, 'id' | 'name'>, { spec }: Pick<Manifests, 'spec'>): boolean {
  const { include = [], exclude = [] } = spec.groups ?? {};
  const isMeant = (entry: string): boolean => entry === id || isSameName(entry, name);
  const isInScope = spec.groups?.provision !== 'InScope' || (scopeGroupsOf({ spec })?.includes(id) ?? true);
  return makesTeams(spec) && isInScope && (include.length === 0 || include.some(isMeant)) && !exclude.some(isMeant);
}

const plain = (name: string): string => name.trim().toLowerCase();
export const isSameName = (a: string, b: string): boolean => plain(a) === plain(b);

/** A group's team has its name, or that and the id or the beginning of it, where others have the name or had it. */
export function toTeamNames({ id, name }: Pick<Group, 'id' | 'name'>): readonly string[] {
  const own = plain(name);
  return [own, `${own} (${id.slice(0, 8)})`, `${own} (${id})`];
}

/** Of the group with this id, by what its team is called. */
export function toGroupName(teamName: string, id: string): string {
  const [, own = teamName, suffix = ''] = /^(.*) \((.*)\)$/.exec(teamName) ?? [];
  return suffix === id || suffix === id.slice(0, 8) ? own : teamName;
}

/** What of people and groups says who belongs where. */
export interface Membership {
  readonly people: readonly { readonly id: string; readonly mail: string | null }[];
  readonly groups: readonly Group[];
  readonly nested: 'Flatten' | 'DirectOnly';
}

export const toNested = ({ spec }: Pick<Manifests, 'spec'>): Membership['nested'] =>
  spec.scope?.nestedGroups ?? 'Flatten';

/** Ids of the people who belong to the group, in scope or not. */
export function toPeopleOf(group: Group, membership: Membership): ReadonlySet<string> {
  const all = toReach(group, membership).flatMap(({ members }) => members.map((ref) => toPerson(ref, membership)));
  return new Set(all.filter((id) => id !== null));
}

/** The group itself and, flattened, whatever groups are in it. */
export function toReach(group: Group, { groups, nested }: Pick<Membership, 'groups' | 'nested'>): readonly Group[] {
  const reach = [group];
  for (const each of nested === 'Flatten' ? reach : [])
    reach.push(...groups.filter((other) => each.members.includes(other.id) && !reach.includes(other)));
  return reach;
}

/** By a mail address that several people have: whoever is meant may belong to the group. */
export function isAmbiguous(ref: string, { people }: Pick<Membership, 'people'>): boolean {
  if (people.some(({ id }) => id === ref)) return false;
  return people.filter(({ mail }) => mail?.toLowerCase() === ref.toLowerCase()).length > 1;
}

/** An id goes before a mail address; one that two people have is nobody's. */
export function toPerson(ref: string, { people }: Pick<Membership, 'people'>): string | null {
  if (people.some(({ id }) => id === ref)) return ref;
  const [one, second] = people.filter(({ mail }) => mail?.toLowerCase() === ref.toLowerCase());
  return second === undefined ? (one?.id ?? null) : null;
}
