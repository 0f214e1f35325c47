/** What a simulation must have met to prove anything: each fault, operation and guard at least so often. */
import {
  FEED_FAULTS,
  GROUP_FAULTS,
  HTTP_FAULTS,
  PROCESS_FAULTS,
  READ_FAULTS,
  TEAM_VALUE_FAULTS,
  WORLD_FAULTS,
} from './faults.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { QUIRK_NAMES } from './quirks.ts';

const AT_LEAST = 20;

const OPERATIONS = [
  'create',
  'adopt',
  'recover',
  'update',
  'reactivate',
  'deactivate',
  'delete',
  'createTeams',
  'rename',
  'updateTeams',
  'deleteTeams',
  'addMembers',
  'removeMembers',
] as const;

const HELD = [
  'deactivate',
  'delete',
  'adopt',
  'reactivate',
  'rename',
  'removeMembers',
  'deleteTeams',
  'suspect',
  'recovered',
] as const;

const WANTED: readonly string[] = [
  ...[
    ...[...HTTP_FAULTS, ...READ_FAULTS, ...GROUP_FAULTS, ...TEAM_VALUE_FAULTS, ...FEED_FAULTS],
    ...[...PROCESS_FAULTS, ...WORLD_FAULTS],
  ].map((kind) => `fault ${kind}`),
  ...[...QUIRK_NAMES, ...PROFILE_NAMES].map((name) => `target ${name}`),
  ...OPERATIONS.map((kind) => `operation ${kind}`),
  ...HELD.map((kind) => `held ${kind}`),
  'approvals',
  'deleted where off is gone',
  'held where off is gone',
  'runs for one person',
  'confirmed links',
  'ending Deactivate',
  'target tokens that end',
  'ending Delete',
  'second runs',
  'takeovers',
  'teams of groups',
  'groups in groups',
  'groups in a cycle',
  'members by mail',
  'groups of one name',
  'groups that are gone',
  'groups left out',
  'rules that ask for groups',
  'values given once',
  'values that stay',
  'values chosen',
  'second choices',
  'people without a free value',
  'custom attributes deleted',
  'custom attributes gone',
  'custom attributes moved',
  'values of custom attributes removed',
  'managers by mail',
  'people in groups of the scope',
  'people out of groups of the scope',
  'reads without a group of the scope',
  'teams with values',
  'values of teams cleared',
  'defaults of teams',
  'marks of teams by a mapping',
  'custom attributes of groups gone',
  'by hand redescribe',
  'reads by changes',
  'reads by counted changes',
  'reads of the scope',
];

export function checkCounts(counts: ReadonlyMap<string, number>): readonly { name: string; problems: string[] }[] {
  return WANTED.map((name) => {
    const count = counts.get(name) ?? 0;
    return { name: `met: ${name}`, problems: count >= AT_LEAST ? [] : [`${count} times; at least ${AT_LEAST}`] };
  });
}
