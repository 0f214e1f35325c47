/** Teams: whose they are (I3), one of each (I6), never deleted while somebody is in them (I4), nothing by what is unknown (I13). */
import { toGroupName, toGroupOf, toTeamNames } from '../groups.ts';
import { toMark, toMarkedName } from '../model.ts';
import type { Team } from '../server.ts';
import { isUnknown, type Moment, type RunFacts, type Scene, standingOf, toGroupPeople } from './facts.ts';
import type { Reads } from './reads.ts';
import type { Removals } from './removals.ts';
import { checkTeamValues } from './team-values.ts';

export interface TeamChecks {
  onChange(before: Team | null, after: Team | null, moment: Moment): void;
}

export function createTeamChecks(scene: Scene, reads: Reads, removals: Removals): TeamChecks {
  const { server, ours, fail } = scene;

  /** What each run has taken out of teams that keep some. */
  const lostInRun = new WeakMap<RunFacts, Map<string, { readonly mayGo: number; lost: number }>>();

  const onProtected = (before: Team, { facts }: Moment): void => {
    const { keepAtLeast = 0 } = facts.manifests.spec.guards ?? {};
    // What was changed by hand or forgotten is not known to the run.
    if (!isProtectedTeam(before, facts) || server.byHand.has(before.id) || scene.damaged) return;
    const teams = lostInRun.get(facts) ?? new Map();
    lostInRun.set(facts, teams);
    const team = teams.get(before.id) ?? { mayGo: Math.max(0, before.members.length - keepAtLeast), lost: 0 };
    teams.set(before.id, team);
    team.lost += 1;
    if (team.lost > team.mayGo)
      fail('I4', `${facts.name}: the protected team ${before.id} was left with fewer than ${keepAtLeast} members`);
  };

  const onMemberLost = (team: string, member: string, moment: Moment): void => {
    const user = server.users.get(member);
    const isLeaver = user !== undefined && ours.has(member) && standingOf(user.externalId, moment.facts) !== 'present';
    // Who leaves is counted as a leaver, once, whatever teams that takes.
    if (isLeaver) removals.onLeaverRemoved(team, member, moment);
    else removals.onRemoval({ kind: 'removeMembers', scope: team, id: member }, moment);
  };

  const onDeleted = (team: Team, moment: Moment): void => {
    const { facts } = moment;
    removals.onRemoval({ kind: 'deleteTeams', scope: '', id: team.id }, moment);
    if (isProtectedTeam(team, facts)) fail('I4', `${facts.name}: the protected team ${team.id} was deleted`);
    // Who was put in by hand is not seen where members are not shown.
    const isHidden = server.byHand.has(team.id) && ['absent', 'empty'].includes(server.dialect.members.shown);
    if (team.members.length > 0 && !isHidden)
      fail('I4', `${facts.name}: team ${team.id} was deleted with members in it`);
  };

  return {
    onChange(before, after, moment) {
      if (after !== null) checkTeamValues({ before, after }, moment, { scene, reads });
      if (before === null) {
        onCreated(after, moment, scene);
        return;
      }
      const isMarked = toMarkedName(before.externalId) !== null || toGroupOf(before.externalId) !== null;
      if (!isMarked && !ours.has(before.id) && !isTakenOver(before, after, moment))
        fail('I3', `${moment.facts.name}: team ${before.id}, which nobody owns, was touched`);
      ours.add(before.id);
      if (after === null) {
        onDeleted(before, moment);
        return;
      }
      const lost = before.members.filter((member) => !after.members.includes(member));
      for (const member of lost) {
        onMemberLost(before.id, member, moment);
        onProtected(before, moment);
        checkGroup(before, member, moment, scene);
      }
      for (const member of toChanged(before, after)) checkKnown(before, member, moment, scene);
    },
  };
}

function onCreated(team: Team | null, { facts }: Moment, { server, ours, fail }: Scene): void {
  if (team === null) return;
  ours.add(team.id);
  for (const { id, externalId } of server.teams.values()) {
    if (id !== team.id && externalId === team.externalId)
      fail('I6', `${facts.name}: a second team ${team.id} for ${externalId}, which is ${id}`);
  }
}

/** A team that nobody owns, of the name of one that rules call for. */
function isTakenOver(before: Team, after: Team | null, { facts }: Moment): boolean {
  const { adoptTeams = false } = facts.manifests.spec;
  const mark = toMark(facts.manifests, toKey(before.displayName));
  const isOurs =
    after?.externalId === mark || toGroupNames(after?.externalId ?? null, facts).includes(toKey(before.displayName));
  return adoptTeams && before.externalId === null && isOurs;
}

/** That the team of this mark may have; none where the read has no such group. */
function toGroupNames(id: string | null, { reading }: RunFacts): readonly string[] {
  return (reading.groups?.list ?? []).filter((group) => group.id === toGroupOf(id)).flatMap(toTeamNames);
}

const toKey = (displayName: string): string => displayName.trim().toLowerCase();

/** By the name that it has, and by the one that it is to have. */
function isProtectedTeam({ displayName, externalId }: Team, facts: RunFacts): boolean {
  const { protectedTeams = [] } = facts.manifests.spec.guards ?? {};
  const own = toKey(toGroupName(displayName, toGroupOf(externalId) ?? ''));
  const names = [toKey(displayName), own, toMarkedName(externalId), ...toGroupNames(externalId, facts).slice(0, 1)];
  return protectedTeams.some((name) => names.includes(toKey(name)));
}

/** Somebody who is there loses a team of a group only where they are known not to belong to it. */
function checkGroup({ id, externalId }: Team, member: string, { facts }: Moment, scene: Scene): void {
  const { server, fail, damaged } = scene;
  const person = server.users.get(member)?.externalId ?? null;
  // Who lost the link with the store and is in a conflict is nobody.
  const group = toGroupOf(externalId);
  if (group === null || damaged || person === null || standingOf(person, facts) !== 'present') return;
  const people = toGroupPeople(group, facts);
  const what = `${facts.name}: ${person} was removed from ${id}, the team of group ${group}`;
  if (people === null) fail('I13', `${what}, of which nothing is to be told`);
  else if (people.has(person)) fail('engine', `${what}, to which they belong`);
}

function toChanged(before: Team, after: Team): readonly string[] {
  const all = new Set([...before.members, ...after.members]);
  return [...all].filter((member) => before.members.includes(member) !== after.members.includes(member));
}

/** Memberships by a rule whose attribute was not delivered stay as they are. */
function checkKnown(team: Team, member: string, { facts }: Moment, { server, fail }: Scene): void {
  const externalId = server.users.get(member)?.externalId ?? null;
  const rules = Object.values(facts.manifests.rules);
  const isIncluded = rules.some(({ include = [] }) => externalId !== null && include.includes(externalId));
  if (standingOf(externalId, facts) !== 'present' || isIncluded) return;
  const sharing = rules.filter((rule) => rule.team?.displayName.toLowerCase() === toMarkedName(team.externalId));
  // Of several rules of one team another one may have decided.
  const [rule, second] = sharing;
  const isByDepartment = second === undefined && rule?.match?.some((clause) => clause.attribute === 'department');
  const attribute = isByDepartment === true ? 'department' : null;
  if (attribute !== null && isUnknown(attribute, externalId, facts))
    fail('I13', `${facts.name}: ${member} in team ${team.id} changed, and ${attribute} is unknown`);
}
