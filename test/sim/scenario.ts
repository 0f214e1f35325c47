/** What happens in one seed, as data: a list of steps that can be written down, shortened and played again. */

import type { Ending } from './deletion.ts';
import { FEATURE_EDITS, GROUP_EDITS, MANIFEST_EDITS, type ManifestEdit, SCOPE_EDIT } from './edits.ts';
import type { HttpFault, ProcessFault, ReadFault, RunFault } from './faults.ts';
import { FEED_FAULTS, GROUP_FAULTS, HTTP_FAULTS, PROCESS_FAULTS, READ_FAULTS, TEAM_VALUE_FAULTS } from './faults.ts';
import { FEATURES, type Feature } from './features.ts';
import { GROUP_CHANGES } from './groups.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { type Application, PLAIN, QUIRK_NAMES, selectQuirks } from './quirks.ts';
import { createRandom, type Random } from './random.ts';
import type { CompanyStep } from './steps.ts';

export interface RunStep {
  readonly do: 'run';
  readonly faults: readonly RunFault[];
  /** Approve what the last run held. */
  readonly approve: boolean;
  /** One person alone, by number among all who are or were there; null: everybody. */
  readonly user: number | null;
  readonly resync: boolean;
  /** A second controller runs at the same time. */
  readonly twin: boolean;
}

/** What an administrator does in the target by hand. */
export const ADMIN_ACTS = [
  'retitle',
  'deactivate',
  'reactivate',
  'drop',
  'stranger',
  'namesake',
  'removeMember',
  'addMember',
  'dropTeam',
  'renameTeam',
  'ownTeam',
] as const;
export type AdminAct = (typeof ADMIN_ACTS)[number];

/** With what the mapping has beyond the plain one. */
export const FEATURE_ACTS = {
  onCreate: 'retype',
  chosen: 'renick',
  custom: 'retier',
  teamValues: 'redescribe',
} as const satisfies Readonly<Record<keyof typeof FEATURE_EDITS, string>>;
export type FeatureAct = (typeof FEATURE_ACTS)[keyof typeof FEATURE_ACTS];

export type Step =
  | CompanyStep
  | RunStep
  | { readonly do: 'admin'; readonly act: AdminAct | FeatureAct; readonly which: number }
  /** Somebody says that the links that were rebuilt are right. */
  | { readonly do: 'confirm' }
  | { readonly do: 'time'; readonly ms: number }
  | { readonly do: 'jump'; readonly ms: number }
  | { readonly do: 'store'; readonly how: StoreMishap; readonly which: number };

export type StoreMishap = 'lost' | 'rolledBack' | 'newer' | 'locked' | 'broken';

export interface Scenario {
  readonly seed: number;
  readonly size: number;
  /** How many groups the source has; absent: it has none and cannot be asked. */
  readonly groups?: number;
  /** What the mapping has beyond the plain one; absent: nothing. */
  readonly features?: readonly Feature[];
  readonly application: Application;
  readonly steps: readonly Step[];
  /** The DirectorySync is deleted in the end; absent: it stays. */
  readonly ending?: Ending;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export function createScenario(seed: number): Scenario {
  const random = createRandom(seed).fork('scenario');
  const size = 3 + random.below(8);
  const groups = random.chance(0.4) ? 1 + random.below(4) : 0;
  // Each by itself, so that everything else happens as without it.
  const chosen = FEATURES.map((feature) => ({ feature, random: createRandom(seed).fork(feature) }));
  const drawn = chosen.filter(({ feature, random: own }) => own.chance(toChance(feature, groups)));
  const features = drawn.map(({ feature }) => feature);
  const steps: Step[] = [...toBeginning(random), ...toGroupEdits(random, groups), toRun(random, [])];
  const rounds = 4 + random.below(5);
  for (let round = 0; round < rounds; round += 1) {
    const edits = random.below(5);
    for (let n = 0; n < edits; n += 1) steps.push(toEdit(random));
    steps.push(...toGroupEdits(random, groups), ...drawn.flatMap(toFeatureEdits));
    steps.push({ do: 'time', ms: random.pick([MINUTE, 11 * MINUTE, HOUR, 5 * HOUR, 25 * HOUR]) });
    steps.push(toRun(random, [...toFaults(random, groups), ...drawn.flatMap(toFeatureFaults)]));
    // Now and then somebody is taken through in between.
    if (random.chance(0.1)) steps.push({ ...toRun(random, []), approve: false, user: random.below(1000) });
  }
  const application = toApplication(random);
  const ending = random.chance(0.15) ? { ending: toEnding(random) } : {};
  const ofGroups = groups === 0 ? {} : { groups };
  const withFeatures = features.length === 0 ? {} : { features };
  return { seed, size, ...ofGroups, ...withFeatures, application: withProfile(application, random), steps, ...ending };
}

function toEnding(random: Random): Ending {
  const kills = Array.from({ length: random.below(3) }, () => 1 + random.below(random.pick([30, 100])));
  return { policy: random.chance(0.5) ? 'Delete' : 'Deactivate', kills };
}

/** What no two companies have in common: policies and guards, and accounts that were there before. */
const POLICIES = [
  'outOfScope',
  'disabledAtSource',
  'deletedAtSource',
  'deleteAfter',
  'memberships',
  'ruleWhenEmpty',
  'ruleWhenEmpty',
  'adoptGuard',
  'deleteGuard',
  'deleteTeamsGuard',
  'removeMembersGuard',
  'adoptTeams',
  'protectedTeams',
  'floor',
] as const;

function toBeginning(random: Random): Step[] {
  const steps: Step[] = [];
  for (let n = random.below(7); n > 0; n -= 1)
    steps.push({ do: 'manifest', what: random.pick(POLICIES), value: random.below(1000) });
  // Names of people who are there already: multiples of three.
  for (let n = random.chance(0.3) ? 1 + random.below(3) : 0; n > 0; n -= 1)
    steps.push({ do: 'admin', act: 'namesake', which: 3 * random.below(300) });
  return steps;
}

function toApplication(random: Random): Application {
  if (random.chance(0.3)) return PLAIN;
  const wanted = QUIRK_NAMES.map((quirk) => ({ quirk, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, random.below(8))
    .map(({ quirk }) => quirk);
  const tokens = random.chance(0.6) ? { tokenLife: random.pick([1, 2, 5, 3600]) } : {};
  return { quirks: selectQuirks(wanted), pageSize: random.pick([2, 3, 5, 100]), ...tokens };
}

/** Now and then an application that a profile is made for, as it is. */
function withProfile(application: Application, random: Random): Application {
  if (!random.chance(0.1)) return application;
  return { ...application, quirks: [], profile: random.pick(PROFILE_NAMES) };
}

function toRun(random: Random, faults: readonly RunFault[]): RunStep {
  const user = random.chance(0.12) ? random.below(1000) : null;
  return {
    do: 'run',
    faults,
    user,
    approve: user === null && random.chance(0.4),
    resync: random.chance(0.1),
    twin: random.chance(0.07),
  };
}

/** What happens to groups between two runs, and to what the manifests say of them. */
function toGroupEdits(random: Random, groups: number): Step[] {
  if (groups === 0) return [];
  return Array.from({ length: random.below(4) }, (): Step => {
    const [which, value] = [random.below(1000), random.below(1000)];
    return random.chance(0.25)
      ? { do: 'manifest', what: random.pick(GROUP_EDITS), value }
      : { do: 'group', what: random.pick(GROUP_CHANGES), which, value };
  });
}

interface Drawn {
  readonly feature: Feature;
  readonly random: Random;
}

/** The same for what the mapping has beyond the plain one. */
function toFeatureEdits({ feature, random }: Drawn): Step[] {
  return Array.from({ length: random.below(feature === 'teamValues' ? 3 : 2) }, (): Step => {
    const value = random.below(1000);
    if (feature === 'managersByMail') return toNaming(random, value);
    if (feature === 'scopeGroups') return { do: 'manifest', what: SCOPE_EDIT, value };
    if (feature === 'feed' || feature === 'countedFeed' || feature === 'scopeReads') return toNews(random, value);
    if (random.chance(EDITED[feature] ?? 0.2))
      return { do: 'manifest', what: random.pick<ManifestEdit>(FEATURE_EDITS[feature]), value };
    const act = FEATURE_ACTS[feature];
    if (random.chance(0.5)) return { do: 'admin', act, which: value };
    if (feature === 'teamValues') return { do: 'group', what: 'describe', which: random.below(1000), value };
    return { do: 'promote', who: random.below(1000), value };
  });
}

/** After any other read fault, which goes before it. */
function toFeatureFaults({ feature, random }: Drawn): readonly RunFault[] {
  if (feature !== 'teamValues' && feature !== 'feed') return [];
  if (!random.chance(0.3)) return [];
  const kinds = feature === 'feed' ? FEED_FAULTS : TEAM_VALUE_FAULTS;
  return [{ kind: random.pick(kinds), which: random.below(1000) }];
}

/** How often more than a value is edited. */
const EDITED: Partial<Readonly<Record<Feature, number>>> = { custom: 0.5, teamValues: 0.35 };

/** Teams of groups are there in some companies only. */
function toChance(feature: Feature, groups: number): number {
  if (feature === 'teamValues') return groups > 0 ? 0.6 : 0;
  if (feature === 'countedFeed') return 0.4;
  return feature === 'feed' ? 0.25 : 0.3;
}

/** What a feed is to tell. */
function toNews(random: Random, value: number): Step {
  const kind = random.pick(['promote', 'move', 'leave', 'return', 'disable', 'enable'] as const);
  const who = random.below(1000);
  return kind === 'promote' || kind === 'move' ? { do: kind, who, value } : { do: kind, who };
}

/** What changes whom a mail address means. */
function toNaming(random: Random, value: number): Step {
  const kind = random.pick(['manager', 'manager', 'rename', 'swap', 'rehire'] as const);
  const who = random.below(1000);
  if (kind === 'rehire') return { do: kind, who };
  return kind === 'swap' ? { do: kind, who, other: value } : { do: kind, who, value };
}

function toFaults(random: Random, groups: number): readonly RunFault[] {
  const faults: RunFault[] = [];
  if (random.chance(0.45)) faults.push(toHttpFault(random));
  if (random.chance(0.15)) faults.push(toHttpFault(random));
  if (random.chance(0.3)) faults.push(toReadFault(random, groups));
  if (random.chance(0.35)) faults.push(toProcessFault(random));
  return faults;
}

function toHttpFault(random: Random): HttpFault {
  const kind = random.pick(HTTP_FAULTS);
  return { kind, at: 1 + random.below(random.pick([5, 20, 60])), count: random.pick([1, 1, 1, 2, 5, 30]) };
}

function toReadFault(random: Random, groups: number): ReadFault {
  const kinds = groups > 0 && random.chance(0.5) ? GROUP_FAULTS : READ_FAULTS;
  return { kind: random.pick(kinds), which: random.below(1000) };
}

function toProcessFault(random: Random): ProcessFault {
  const kind = random.chance(0.6) ? 'kill' : random.pick(PROCESS_FAULTS);
  return { kind, at: 1 + random.below(random.pick([30, 150, 400])), count: random.pick([1, 3, 50]) };
}

const EDITS = [
  'hire',
  'hire',
  'move',
  'promote',
  'manager',
  'clubs',
  'rename',
  'swap',
  'rotate',
  'leave',
  'leave',
  'leave',
  'return',
  'return',
  'disable',
  'enable',
  'scope',
  'blank',
  'rehire',
  'recycle',
  'manifest',
  'manifest',
  'manifest',
  'manifest',
] as const;

const MISHAPS = ['lost', 'lost', 'rolledBack', 'rolledBack', 'rolledBack', 'newer', 'locked', 'broken'] as const;

function toEdit(random: Random): Step {
  if (random.chance(0.18)) return { do: 'admin', act: random.pick(ADMIN_ACTS), which: random.below(1000) };
  if (random.chance(0.03)) return { do: 'jump', ms: random.pick([-3 * HOUR, 3 * HOUR, 30 * HOUR, -30 * HOUR]) };
  if (random.chance(0.06)) return { do: 'store', how: random.pick(MISHAPS), which: random.below(1000) };
  if (random.chance(0.03)) return { do: 'confirm' };
  if (random.chance(0.02)) return { do: 'manifest', what: 'moveId', value: 0 };
  return toCompanyStep(random);
}

function toCompanyStep(random: Random): CompanyStep {
  const kind = random.pick(EDITS);
  const who = random.below(1000);
  switch (kind) {
    case 'hire':
      return { do: kind, n: who };
    case 'manifest':
      return { do: kind, what: random.pick(MANIFEST_EDITS), value: who };
    case 'swap':
    case 'rotate':
      return { do: kind, who, other: random.below(1000) };
    case 'move':
    case 'promote':
    case 'manager':
    case 'clubs':
    case 'rename':
      return { do: kind, who, value: random.below(1000) };
    default:
      return { do: kind, who };
  }
}

/** The seed's scenario without some of its steps and faults: what is left when a failure is made small. */
export function withoutStep(scenario: Scenario, index: number): Scenario {
  return { ...scenario, steps: scenario.steps.filter((_, at) => at !== index) };
}

export function withStep(scenario: Scenario, index: number, step: Step): Scenario {
  return { ...scenario, steps: scenario.steps.map((each, at) => (at === index ? step : each)) };
}
