/**
 * What the target must hold once nothing fails any more: a plain and slow reading of the resources and the company, made
 * apart from the engine. It knows nothing of links, plans or guards (whatever these held was approved by then).
 *
 * Where history decides and cannot be read from the target, it says nothing: who left while the store was lost, whose
 * address somebody else holds, what a policy `Retain` left behind.
 */
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import {
  CHOSEN_ENTRY,
  CUSTOM_ENTRY,
  CUSTOM_NAMES,
  CUSTOM_PATHS,
  type CustomName,
  isSameChoice,
  toChoices,
} from './features.ts';
import {
  type Group,
  isAmbiguous,
  isChosen,
  isMarkOf,
  isSameName as isSameGroupName,
  makesTeams,
  scopeGroupsOf,
  toGroupMark,
  toGroupName,
  toGroupOf,
  toNested,
  toPeopleOf,
  toPerson,
  toReach,
  toTeamNames,
} from './groups.ts';
import {
  type Company,
  DEPARTMENT,
  type Employee,
  isClub,
  MANAGER,
  type Manifests,
  toManagerName,
  toMark,
  toMarkedName,
} from './model.ts';
import type { Server, Team, User } from './server.ts';
import { TEAM_VALUE_NAMES } from './team-values.ts';

export interface OracleInput {
  readonly company: Company;
  readonly server: Server;
  /** The store was lost or rolled back: links of people who left may be gone for good. */
  readonly damaged: boolean;
  /** When a request switched an account off. */
  readonly leftAt: (id: string) => number | null;
  /** When the faults stopped, and for how long runs have been made since. */
  readonly settlesAt: number;
  readonly quietFor: number;
  /** What was compared, for the coverage. */
  readonly count: (what: string) => void;
}

type Standing = 'present' | 'unsure' | 'outOfScope' | 'disabledAtSource' | 'deletedAtSource';

/** Differences between what is and what must be, one sentence each. */
export function compareWithOracle(input: OracleInput): readonly string[] {
  const { company, server } = input;
  const ids = new Set([...company.people, ...company.gone].map(({ id }) => id));
  const problems = [...ids].flatMap((id) => comparePerson(id, input));
  countScope(input);
  return [...problems, ...compareTeams(input), ...compareGroups(input), ...findDoubles(server, ids)];
}

function countScope({ company, count }: OracleInput): void {
  if (scopeGroupsOf(company.manifests) === null) return;
  for (const { id } of company.people) {
    const isMember = isInScopeGroups(id, company);
    count(
      isMember === null
        ? 'people who may be in groups of the scope'
        : `people ${isMember ? 'in' : 'out of'} groups of the scope`,
    );
  }
}

/** Of people: whom somebody makes twice by hand, under an id that nobody has, is not touched. */
function findDoubles({ users }: Server, ids: ReadonlySet<string>): string[] {
  const byId = Map.groupBy(
    [...users.values()].filter(({ externalId }) => externalId !== null && ids.has(externalId)),
    (user) => user.externalId,
  );
  return [...byId].filter(([, some]) => some.length > 1).map(([id, some]) => `${id} has ${some.length} accounts`);
}

function standingOf(id: string, company: Company): Standing {
  const { people, manifests } = company;
  const person = people.find((each) => each.id === id);
  if (person === undefined) return 'deletedAtSource';
  const isMember = isInScopeGroups(id, company);
  if (isMember === null) return 'unsure';
  const { filters = [] } = manifests.spec.scope ?? {};
  if (!isMember || (filters.length > 0 && person.scope !== 'in')) return 'outOfScope';
  if (!person.active) return 'disabledAtSource';
  // userName is required: a record without one holds this person back, and nothing changes.
  return person.mail === null ? 'unsure' : 'present';
}

/** Null: they may be meant by an address that several people have. */
function isInScopeGroups(id: string, company: Company): boolean | null {
  const listed = scopeGroupsOf(company.manifests);
  if (listed === null) return true;
  const { people, groups, manifests } = company;
  const membership = { people, groups, nested: toNested(manifests) };
  const scoped = groups.filter((group) => listed.includes(group.id));
  if (scoped.some((group) => toPeopleOf(group, membership).has(id))) return true;
  const reach = scoped.flatMap((group) => toReach(group, membership));
  return reach.some(({ members }) => members.some((ref) => isAmbiguous(ref, membership))) ? null : false;
}

function accountOf(id: string, { users }: Server): User | null {
  return [...users.values()].find(({ externalId }) => externalId === id) ?? null;
}

const isSameName = (a: string | null, b: string | null): boolean => a?.toLowerCase() === b?.toLowerCase();

/**
 * Somebody else claims the address, or has an account of this name and keeps it: nobody guesses, and nothing is written
 * for this person. A name that its holder gives up is free, and so is one that goes round in a ring.
 */
function isBlocked(person: Employee, input: OracleInput, asked: ReadonlySet<string> = new Set()): boolean {
  const { company, server } = input;
  const { id, mail } = person;
  if (hasRival(person, input)) return true;
  const holder = [...server.users.values()].find(
    ({ userName, externalId }) => externalId !== id && isSameName(userName, mail),
  );
  if (holder === undefined || asked.has(id)) return false;
  if (holder.externalId !== null) return !givesUp(holder, input, new Set([...asked, id]));
  // A free account of this name is taken over by who has none yet; who has one cannot be given the name.
  const isTaken = accountOf(id, server) === null && company.manifests.spec.adoption !== 'Never';
  return !isTaken || isProtectedPerson(person, company.manifests);
}

function hasRival({ id, mail }: Employee, { company }: OracleInput): boolean {
  return company.people.some((other) => other.id !== id && isSameName(other.mail, mail));
}

/** Somebody who is there, is called otherwise now, and may be. */
function givesUp({ externalId, userName }: User, input: OracleInput, asked: ReadonlySet<string>): boolean {
  const { company, damaged, server } = input;
  if (!isChangeable('userName', server.dialect)) return false;
  const holder = company.people.find((each) => each.id === externalId);
  if (holder === undefined || damaged || isSameName(holder.mail, userName)) return false;
  if (standingOf(holder.id, company) !== 'present' || isProtectedPerson(holder, company.manifests)) return false;
  return !isBlocked(holder, input, asked);
}

function isProtectedPerson({ id }: { id: string }, { spec }: Manifests): boolean {
  return (spec.guards?.protectedUsers ?? []).includes(id);
}

function comparePerson(id: string, input: OracleInput): string[] {
  const account = accountOf(id, input.server);
  return [...compareStanding(id, account, input), ...(account === null ? [] : compareRetired(id, account, input))];
}

/** At a path where nothing is written any more nobody whom Dirsync has an account of has a value. */
function compareRetired(id: string, account: User, input: OracleInput): string[] {
  const { company, server, damaged } = input;
  const { custom, spec } = company.manifests;
  const standing = standingOf(id, company);
  const { deleteAfter, ...policies } = spec.deprovisioning ?? {};
  const policy = standing === 'present' || standing === 'unsure' ? null : (policies[standing] ?? 'Deactivate');
  // Where values were went with the store; whoever is to be deleted, and is not, is left as they are.
  const isLeft = policy === 'Retain' || policy === 'Delete' || (policy !== null && deleteAfter !== undefined);
  if (damaged || isLeft) return [];
  return CUSTOM_NAMES.filter((name) => custom?.path !== CUSTOM_PATHS[name] && isChangeable(name, server.dialect))
    .filter((name) => account[name] !== null && !company.customByHand[name].has(account.id))
    .map((name) => `${name} of ${id} is ${account[name]}, and belongs to nothing any more`);
}

function compareStanding(id: string, account: User | null, input: OracleInput): string[] {
  const { company, damaged } = input;
  const standing = standingOf(id, company);
  if (standing === 'unsure') return [];
  if (standing === 'present') return comparePresent(id, account, input);
  const person = company.people.find((each) => each.id === id);
  const isForgotten = damaged && (person === undefined || person.mail === null || isBlocked(person, input));
  if (account === null || isForgotten || isProtectedPerson({ id }, company.manifests)) return [];
  const policy = company.manifests.spec.deprovisioning?.[standing] ?? 'Deactivate';
  const problem = compareLeaver(account, policy, input);
  return problem === null ? [] : [`${id} left (${standing}) and ${problem}`];
}

/** What is wrong with the account of somebody who left; null: nothing. */
function compareLeaver(account: User, policy: 'Deactivate' | 'Delete' | 'Retain', input: OracleInput): string | null {
  if (policy === 'Retain') return null;
  const { deleteUser, activeFalse } = input.server.dialect;
  const stays = `still has the account ${account.id}`;
  if (activeFalse === 'removes') return `${stays}, where switching off removes`;
  if (policy === 'Delete' && deleteUser === 'deletes') return stays;
  if (policy === 'Deactivate' && isOverdue(account, input)) return `${stays}, long ago`;
  return account.active ? `${account.id} is still active` : null;
}

/** Switched off before the faults stopped, and for longer than the grace since: runs have had time to delete it. */
function isOverdue({ id }: User, { company, server, damaged, leftAt, settlesAt, quietFor }: OracleInput): boolean {
  const { deleteAfter } = company.manifests.spec.deprovisioning ?? {};
  const since = leftAt(id);
  if (deleteAfter === undefined || since === null || damaged || server.dialect.deleteUser !== 'deletes') return false;
  return since <= settlesAt && quietFor > Number.parseInt(deleteAfter, 10) * HOUR;
}

const HOUR = 3_600_000;

function comparePresent(id: string, account: User | null, input: OracleInput): string[] {
  const { people } = input.company;
  const person = people.find((each) => each.id === id);
  if (person === undefined) return [];
  const isStuck = isBlocked(person, input);
  // Who shares an address with somebody stays as they are; so does, for all that is known, who lost the link.
  if (isStuck && (account === null || input.damaged || hasRival(person, input))) return [];
  if (account === null) {
    if (!isOutOfChoices(person, input)) return [`${id} is present and has no account`];
    input.count('people without a free value');
    return [];
  }
  if (account.userType !== null && account.userType !== person.department) input.count('values that stay');
  return toExpected(person, input).flatMap(([name, wanted]) =>
    // Who waits for a name has everything else.
    isSame(account[name], wanted) || (isStuck && name === 'userName')
      ? []
      : [`${name} of ${id} is ${account[name]} and must be ${wanted}`],
  );
}

function isMapped(path: string, { manifests }: Company): boolean {
  return manifests.mapping.attributes.some(({ target }) => target === path);
}

/** Every value that an account of theirs might be made with somebody has, or wants who has no account either. */
function isOutOfChoices({ id, title }: Employee, { company, server }: OracleInput): boolean {
  const choices = isMapped(CHOSEN_ENTRY.target, company) ? toChoices(title) : [];
  const others = company.people.filter((other) => other.id !== id && accountOf(other.id, server) === null);
  const wanted = others
    .filter((other) => standingOf(other.id, company) === 'present')
    .flatMap((other) => toChoices(other.title));
  const taken = [...[...server.users.values()].map(({ nickName }) => nickName), ...wanted];
  return choices.length > 0 && choices.every((choice) => taken.some((each) => isSameChoice(each, choice)));
}

/** Values that the account of a present person must have; nothing of those that may be either. */
function toExpected(person: Employee, input: OracleInput): readonly (readonly [keyof User, User[keyof User]])[] {
  const { company, server } = input;
  const entries = new Map(company.manifests.mapping.attributes.map((entry) => [entry.target, entry]));
  const title = entries.get('title');
  const hasTitle = title !== undefined && (person.title !== null || title.onEmpty === 'Clear');
  const values: readonly (readonly [keyof User, User[keyof User]])[] = [
    ['active', true],
    ...(isProtectedPerson(person, company.manifests) ? [] : [['userName', person.mail] as const]),
    ...(hasTitle ? [['title', person.title] as const] : []),
    ...(entries.has(DEPARTMENT) && person.department !== null ? [['department', person.department] as const] : []),
    ...(entries.has(MANAGER) ? toManager(person, input) : []),
    ...toCustomValue(person, company),
  ];
  return values.filter(([name]) => isKept(name, server.dialect) && isChangeable(name, server.dialect));
}

function toCustomValue({ clubs }: Employee, { manifests }: Company): readonly (readonly [CustomName, string | null])[] {
  const { custom, mapping } = manifests;
  const entry = mapping.attributes.find(({ target }) => target === CUSTOM_ENTRY.target);
  const name = CUSTOM_NAMES.find((each) => CUSTOM_PATHS[each] === custom?.path);
  const isTold = entry !== undefined && (clubs !== null || entry.onEmpty === 'Clear');
  return name !== undefined && isTold ? [[name, clubs]] : [];
}

/** What a new account is given alone is as it was then. */
function isChangeable(name: keyof User, { patchable }: Server['dialect']): boolean {
  return patchable === null || patchable.includes(name);
}

/** What the application takes and forgets cannot be had. */
function isKept(name: keyof User, { dropped }: Server['dialect']): boolean {
  return !dropped.some((each) => each === name || (DEPARTMENT.startsWith(each) && EXTENSION.has(name)));
}

const EXTENSION: ReadonlySet<keyof User> = new Set(['department', 'manager']);

/** A change of case alone is none, wherever it was made. */
function isSame(left: string | boolean | null, right: string | boolean | null): boolean {
  return typeof left === 'string' && typeof right === 'string' ? isSameName(left, right) : left === right;
}

/** Who has no account is kept as debt; who has left may be known or forgotten. A name that two have is nobody's. */
function toManager(person: Employee, input: OracleInput): readonly (readonly ['manager', string])[] {
  const name = toManagerName(person, input.company);
  const manager = name === null ? null : toPerson(name, input.company);
  const account = manager === null ? null : accountOf(manager, input.server);
  if (account === null || manager === null || !isKnown(manager, input)) return [];
  if (name !== manager) input.count('managers by mail');
  return [['manager', account.id]];
}

/** A link certainly stands for this present person: somebody in a conflict may have lost theirs with the store. */
function isKnown(id: string, input: OracleInput): boolean {
  const { company, damaged } = input;
  const person = company.people.find((each) => each.id === id);
  return standingOf(id, company) === 'present' && person !== undefined && !(damaged && isBlocked(person, input));
}

const normalize = (name: string): string => name.trim().toLowerCase();

interface WantedTeam {
  readonly rules: TeamRuleSpec[];
  readonly names: string[];
  readonly members: Set<string>;
}

function compareTeams(input: OracleInput): string[] {
  if (input.server.dialect.groups === 'none') return [];
  const wanted = toWantedTeams(input);
  const problems = [...wanted].flatMap(([name, team]) => compareWanted(name, team, input));
  return [...problems, ...compareLeftClubs(wanted, input)];
}

function compareWanted(name: string, wanted: WantedTeam, input: OracleInput): string[] {
  const { server, company } = input;
  if (wanted.rules.some(isFrozen) || isOfGroup(name, input)) return [];
  const mark = toMark(company.manifests, name);
  const [mine, second] = [...server.teams.values()].filter(({ externalId }) => externalId === mark);
  if (second !== undefined) return [`team ${name} is there twice`];
  if (mine !== undefined) return compareTeam(name, mine, { team: wanted, input });
  // A team is made when somebody with an account belongs to it.
  const isCalledFor = [...wanted.members].some((id) => accountOf(id, server) !== null && isKnown(id, input));
  return isCalledFor && !isNameTaken(name, input) ? [`team ${name} is missing`] : [];
}

/** A rule that is suspended, or wrong (a list without values), leaves its teams as they are. */
function isFrozen({ suspend, match = [] }: TeamRuleSpec): boolean {
  return suspend === true || match.some(({ values }) => values?.length === 0);
}

/** Clubs to which nobody belongs any more, while their rule is there. */
function compareLeftClubs(wanted: ReadonlyMap<string, WantedTeam>, input: OracleInput): string[] {
  const { server, damaged, company } = input;
  if (company.manifests.rules['clubs'] === undefined || damaged) return [];
  return [...server.teams.values()].flatMap((team) => {
    const name = toMarkedName(team.externalId) ?? '';
    const isLeft = isClub(name) && !wanted.has(name) && !isOfGroup(name, input);
    return isLeft ? compareMembers(name, team, { wanted: new Set(), input }) : [];
  });
}

/** By a team that is not to be taken over, or by several. */
function isNameTaken(name: string, { server, company }: OracleInput, but: readonly string[] = []): boolean {
  const [team, second] = [...server.teams.values()].filter(
    ({ displayName, externalId }) => normalize(displayName) === name && !but.includes(externalId ?? ''),
  );
  const isFree = company.manifests.spec.adoptTeams === true && team?.externalId === null && second === undefined;
  return team !== undefined && !isFree;
}

/** Never deleted, and never emptied below what it keeps. */
function isProtectedTeam(name: string, { manifests }: Company): boolean {
  return (manifests.spec.guards?.protectedTeams ?? []).some((each) => normalize(each) === name);
}

/** Teams by normalised name. Teams of several rules are one, with the union of their members. */
function toWantedTeams({ company }: OracleInput): Map<string, WantedTeam> {
  const teams = new Map<string, WantedTeam>();
  const need = (displayName: string, rule: TeamRuleSpec): WantedTeam => {
    const key = normalize(displayName);
    const team = teams.get(key) ?? { rules: [], names: [], members: new Set() };
    teams.set(key, team);
    if (!team.rules.includes(rule)) team.rules.push(rule);
    team.names.push(displayName.trim());
    return team;
  };
  const present = company.people.filter(({ id }) => standingOf(id, company) === 'present');
  for (const rule of Object.values(company.manifests.rules)) {
    const { team, include = [], exclude = [] } = rule;
    if (team !== undefined) need(team.displayName, rule);
    for (const person of present) {
      if (exclude.includes(person.id)) continue;
      for (const name of toTeamsOf(person, rule, company)) need(name, rule).members.add(person.id);
      if (team !== undefined && include.includes(person.id)) need(team.displayName, rule).members.add(person.id);
    }
  }
  return teams;
}

/** Names of the teams that this rule gives to a person. */
function toTeamsOf(person: Employee, { team, match, teamsFrom }: TeamRuleSpec, company: Company): readonly string[] {
  if (teamsFrom !== undefined) return person.clubs?.split(';') ?? [];
  const holds = (match ?? []).every(({ operator, value, values = [] }) =>
    operator === 'IsMemberOf'
      ? isMemberOf(person, String(value), company)
      : operator === 'In' && values.some((each) => isSameName(String(each), person.department)),
  );
  return holds && team !== undefined ? [team.displayName] : [];
}

/** Of any group of this name or id. */
function isMemberOf({ id }: Employee, name: string, company: Company): boolean {
  return company.groups.some(
    (group) => (isSameName(group.id, name) || isSameGroupName(group.name, name)) && toPeople(group, company).has(id),
  );
}

function toPeople(group: Group, { people, groups, manifests }: Company): ReadonlySet<string> {
  return toPeopleOf(group, { people, groups, nested: toNested(manifests) });
}

/** Is this the name of a team that is made of a group? A rule cannot have it then. */
function isOfGroup(name: string, { company }: OracleInput): boolean {
  return company.groups.some((group) => isChosen(group, company.manifests) && toTeamNames(group).includes(name));
}

/** Teams of the groups that are chosen or gone; whichever are left out stay as they are. */
function compareGroups(input: OracleInput): string[] {
  const { company, damaged } = input;
  if (!makesTeams(company.manifests.spec) || input.server.dialect.groups === 'none') return [];
  const chosen = company.groups.filter((group) => isChosen(group, company.manifests));
  countGroups(chosen, input);
  return [
    ...chosen.flatMap((group) => compareGroup(group, input)),
    // Whose link is lost with the store is nobody's.
    ...(damaged ? [] : company.groupsGone.flatMap((group) => compareGone(group, input))),
    ...findNamesakes(chosen, input),
  ];
}

function teamsOf({ id }: Group, { server }: OracleInput): Team[] {
  return [...server.teams.values()].filter(({ externalId }) => toGroupOf(externalId) === id);
}

/** With the store went what a team was marked with: by another mark it is nobody's. */
function isForgotten(group: Group, input: OracleInput): boolean {
  const mark = toGroupMark(group, input.company.manifests);
  const teams = teamsOf(group, input);
  const isAnew = input.company.marksMoved && teams.length > 1;
  return input.damaged && (isAnew || teams.some(({ externalId }) => externalId !== mark));
}

function compareGroup(group: Group, input: OracleInput): string[] {
  const { company, server } = input;
  const { people, manifests } = company;
  if (isForgotten(group, input)) return [];
  const [team, second] = teamsOf(group, input);
  const wanted = new Set(
    people
      .filter(({ id }) => toPeople(group, company).has(id) && standingOf(id, company) === 'present')
      .map(({ id }) => id),
  );
  if (second !== undefined) return [`group ${group.id} has two teams`];
  if (team !== undefined) {
    const isNamed = toTeamNames(group).includes(normalize(team.displayName));
    const problems = isNamed ? [] : [`the team of group ${group.id} (${group.name}) is called ${team.displayName}`];
    problems.push(...compareMembers(toProtectedName(team, group, input), team, { wanted, input }));
    return [...problems, ...compareTeamValues(group, team, input)];
  }
  const isCalledFor = [...wanted].some((id) => accountOf(id, server) !== null && isKnown(id, input));
  // Of these another one may have the name as it is.
  const namesakes = company.groups
    .filter((other) => isChosen(other, manifests) && isSameGroupName(other.name, group.name))
    .flatMap((other) => (isForgotten(other, input) ? [] : teamsOf(other, input)))
    .flatMap(({ externalId }) => externalId ?? []);
  return isCalledFor && !toTeamNames(group).some((name) => isNameTaken(name, input, namesakes))
    ? [`the team of group ${group.id} (${group.name}) is missing`]
    : [];
}

/** What the mapping of teams says, where one is there: values, and the mark. */
function compareTeamValues(group: Group, team: Team, { company, count }: OracleInput): string[] {
  const { manifests } = company;
  const { teamMapping, teamCustoms } = manifests;
  const values = TEAM_VALUE_NAMES.filter((name) => {
    const entry = teamMapping?.attributes.find(({ target }) => target === name);
    const isTold = group[name] !== null || entry?.onEmpty === 'Clear';
    return entry !== undefined && teamCustoms?.[name] !== undefined && isTold;
  });
  const { externalId } = team;
  if (values.some((name) => group[name] !== null)) count('teams with values');
  if (externalId !== group.id) count('marks of teams by a mapping');
  const isMarked = isMarkOf(externalId, group, manifests);
  return [
    ...(isMarked ? [] : [`the team of group ${group.id} has the mark ${externalId}`]),
    ...values
      .filter((name) => !isSame(team[name], group[name]))
      .map((name) => `${name} of the team of group ${group.id} is ${team[name]} and must be ${group[name]}`),
  ];
}

function compareGone(group: Group, input: OracleInput): string[] {
  const { company } = input;
  const { deletedAtSource = 'Empty' } = company.manifests.spec.groups ?? {};
  const [team] = teamsOf(group, input);
  if (team === undefined || deletedAtSource === 'Retain') return [];
  input.count('groups that are gone');
  const name = toProtectedName(team, group, input);
  const problems = compareMembers(name, team, { wanted: new Set(), input });
  // Of a team that was taken over nobody can know that it is empty where members are not shown.
  const isEmpty = team.members.length === 0 && !hidesMembers(input);
  if (deletedAtSource === 'Delete' && isEmpty && !isProtectedTeam(name, company))
    problems.push(`the team of group ${group.id}, which is gone, is empty and must be gone`);
  return problems;
}

/** Whoever renames it by hand does not take its protection, nor does a group of the same name. */
function toProtectedName(team: Team, group: Group, { company }: OracleInput): string {
  const names = [
    normalize(team.displayName),
    normalize(toGroupName(team.displayName, group.id)),
    ...toTeamNames(group),
  ];
  return names.find((each) => isProtectedTeam(each, company)) ?? normalize(team.displayName);
}

/** Of groups of one name each has a name of its own. */
function findNamesakes(chosen: readonly Group[], input: OracleInput): string[] {
  const teams = chosen.filter((group) => !isForgotten(group, input)).flatMap((group) => teamsOf(group, input));
  const byName = Map.groupBy(teams, ({ displayName }) => normalize(displayName));
  return [...byName].filter(([, some]) => some.length > 1).map(([name]) => `two groups have a team ${name}`);
}

function countGroups(chosen: readonly Group[], input: OracleInput): void {
  const { company, count } = input;
  const { people, groups, manifests } = company;
  const nested = toNested(manifests);
  const isNesting = ({ members }: Group): boolean => groups.some(({ id }) => members.includes(id));
  const isByMail = (ref: string): boolean => !people.some(({ id }) => id === ref) && toPerson(ref, company) !== null;
  for (const group of chosen) {
    if (teamsOf(group, input).length > 0) count('teams of groups');
    if (isNesting(group) && nested === 'Flatten') count('groups in groups');
    const inside = toReach(group, { groups, nested });
    if (inside.some(({ members }) => members.includes(group.id))) count('groups in a cycle');
    if (group.members.some(isByMail)) count('members by mail');
    if (chosen.some((other) => other !== group && isSameGroupName(other.name, group.name))) count('groups of one name');
  }
  if (chosen.length < groups.length) count('groups left out');
  const rules = Object.values(manifests.rules).filter(({ match = [] }) =>
    match.some(({ operator }) => operator === 'IsMemberOf'),
  );
  if (rules.length > 0) count('rules that ask for groups');
}

function compareTeam(
  name: string,
  team: Team,
  { team: wanted, input }: { team: WantedTeam; input: OracleInput },
): string[] {
  const isDeleted = wanted.members.size === 0 && wanted.rules.every(({ whenEmpty }) => whenEmpty === 'Delete');
  const problems = compareMembers(name, team, { wanted: wanted.members, input });
  // A team of which nobody knows that it is empty is not deleted, and somebody whose standing is not sure may keep it.
  if (isDeleted && team.members.length === 0 && !isChangedUnseen(team, input) && !isProtectedTeam(name, input.company))
    problems.push(`team ${name} is empty and must be gone`);
  if (normalize(team.displayName) !== name) problems.push(`team ${name} is called ${team.displayName}`);
  return problems;
}

function compareMembers(
  name: string,
  team: Team,
  { wanted, input }: { wanted: ReadonlySet<string>; input: OracleInput },
): string[] {
  if (isChangedUnseen(team, input)) return [];
  const missing = [...wanted].filter((id) => {
    const account = accountOf(id, input.server);
    return account !== null && isKnown(id, input) && !team.members.includes(account.id);
  });
  const { keepAtLeast = 0 } = input.company.manifests.spec.guards ?? {};
  const staying = team.members.filter((member) => !isCondemned(member, input)).length;
  const isKept = isProtectedTeam(name, input.company) && staying <= keepAtLeast;
  const left = isKept ? [] : team.members.filter((member) => !belongs(member, wanted, input));
  return [
    ...missing.map((id) => `${id} is missing in team ${name}`),
    ...left.map((member) => `${input.server.users.get(member)?.externalId ?? member} must not be in team ${name}`),
  ];
}

/** The account is to be deleted, and is refused: whenever it goes, the place in a protected team goes with it. */
function isCondemned(member: string, { company, server }: OracleInput): boolean {
  const { externalId = null } = server.users.get(member) ?? {};
  const standing = standingOf(externalId ?? '', company);
  if (standing === 'present' || standing === 'unsure' || server.dialect.deleteUser !== 'forbidden') return false;
  const { deleteAfter, ...policies } = company.manifests.spec.deprovisioning ?? {};
  const policy = policies[standing] ?? 'Deactivate';
  return policy === 'Delete' || (policy === 'Deactivate' && deleteAfter !== undefined);
}

function belongs(member: string, wanted: ReadonlySet<string>, input: OracleInput): boolean {
  const { externalId } = input.server.users.get(member) ?? { externalId: null };
  return (externalId !== null && wanted.has(externalId)) || mayStay(externalId, member, input);
}

/** Where members are not shown, what was changed by hand or forgotten with a store is not seen. */
function isChangedUnseen({ id }: Team, input: OracleInput): boolean {
  return hidesMembers(input) && (input.damaged || input.server.byHand.has(id));
}

function hidesMembers({ server }: OracleInput): boolean {
  return ['absent', 'empty'].includes(server.dialect.members.shown);
}

/** Who keeps memberships that no rule gives. */
function mayStay(id: string | null, member: string, input: OracleInput): boolean {
  const { company, server, damaged } = input;
  const { spec } = company.manifests;
  // Somebody's account, or one that nobody has: whose it is is open while somebody matches it.
  const isPerson = [...company.people, ...company.gone].some((each) => each.id === id);
  if (!isPerson) return company.people.some(({ mail }) => isSameName(mail, server.users.get(member)?.userName ?? ''));
  const standing = standingOf(id ?? '', company);
  if (standing === 'present') return !isKnown(id ?? '', input);
  const { memberships = 'Remove' } = spec.deprovisioning ?? {};
  const policy = standing === 'unsure' ? 'Retain' : (spec.deprovisioning?.[standing] ?? 'Deactivate');
  return (
    memberships === 'Keep' ||
    policy !== 'Deactivate' ||
    damaged ||
    isProtectedPerson({ id: id ?? '' }, company.manifests)
  );
}
