/** Records of mapping and plan with everything filled in that a test does not speak of. */
import type {
  AttributeEntry,
  AttributeMappingResource,
  AttributeMappingSpec,
} from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeResource, CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import type { TeamRuleResource, TeamRuleSpec } from '../../src/api/team-rule.ts';
import { type CompiledMapping, compileMapping, type MappingOptions } from '../../src/mapping/compile.ts';
import { compileCustomAttributes } from '../../src/mapping/custom-attributes.ts';
import type { PersonView } from '../../src/mapping/names.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import {
  type Attributes,
  type DesiredTeam,
  type DesiredUser,
  type GroupName,
  type GuardKind,
  type GuardSubject,
  type Json,
  NO_VALUES,
  NOTHING_OFFERED,
  type SourceUser,
} from '../../src/model.ts';
import type { PathShape } from '../../src/plan/diff.ts';
import type { GuardInput } from '../../src/plan/guard.ts';
import type { MemberContext } from '../../src/plan/member.ts';
import type { ReferenceContext } from '../../src/plan/references.ts';
import type { PlanSettings, TargetLimits } from '../../src/plan/settings.ts';
import type { TeamContext } from '../../src/plan/team.ts';
import { toOrigin } from '../../src/plan/team-origin.ts';
import type { PersonContext } from '../../src/plan/values.ts';
import type { Subject } from '../../src/rule/condition.ts';
import type { Candidate, MemberDifference, PersonState, TeamState } from '../../src/state/staging.ts';
import type { Link, TeamLink, Unit } from '../../src/state/store.ts';
import { PLAIN_ATTRIBUTE, type TargetTeam } from '../../src/targets/target.ts';

export const DEPARTMENT = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department';
export const MANAGER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value';
const NAMESPACE = 'identity';

/** Without a preset. */
export type OwnMappingSpec = AttributeMappingSpec & { attributes: AttributeEntry[] };

export function aSourceUser(attributes: Record<string, Json> = {}, rest: Partial<SourceUser> = {}): SourceUser {
  return {
    id: 'p1',
    active: true,
    ...rest,
    attributes: { id: rest.id ?? 'p1', mail: 'p1@example.com', ...attributes },
  };
}

/** The run's moment of conditions. */
export const NOW = new Date('2026-06-15T00:00:00Z');

/** One person as a condition sees them; an attribute that is not given is null. */
export function aSubject(
  attributes: Readonly<Record<string, Json>> = {},
  { groups = [], teams = [] }: { readonly groups?: readonly GroupName[]; readonly teams?: readonly string[] } = {},
): Subject {
  const read = (name: string): Json => attributes[name] ?? null;
  return { read, property: read, now: NOW, groups, inScopeGroups: false, isInTeam: (team) => teams.includes(team) };
}

/** One person as names are read from; without values of mappings. */
export function aPersonView(user: SourceUser, rest: Partial<PersonView> = {}): PersonView {
  return { user, customs: new Map(), mapped: aDesiredUser({ attributes: {} }), ...rest };
}

export function aMapping(attributes: AttributeEntry[], name = 'users'): AttributeMappingResource {
  return {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'AttributeMapping',
    metadata: { name, namespace: NAMESPACE },
    spec: { attributes },
  };
}

export function aCustomAttribute(name: string, spec: Partial<CustomAttributeSpec> = {}): CustomAttributeResource {
  return {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'CustomAttribute',
    metadata: { name, namespace: NAMESPACE },
    spec: { path: `urn:acme:2.0:User:${name}`, ...spec },
  };
}

export function aTeamRule(name: string, spec: Partial<TeamRuleSpec>): TeamRuleResource {
  return {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'TeamRule',
    metadata: { name, namespace: NAMESPACE },
    spec: { directorySyncRef: { name: 'acme' }, ...spec },
  };
}

/** What no mapping can do without. */
export const BASE_ENTRIES: AttributeEntry[] = [
  { target: 'userName', source: 'mail', matching: { precedence: 1 } },
  { target: 'externalId', source: 'id', matching: { precedence: 2 } },
];

/** Compiles and gives every problem as `pointer message`, a warning with its severity in front. */
export function compile(
  entries: AttributeEntry[] | AttributeMappingResource[],
  customs: CustomAttributeResource[] = [],
  options: Partial<MappingOptions> = {},
): { mapping: CompiledMapping; problems: string[] } {
  const problems: MappingProblem[] = [];
  const mappings = entries.map((entry) => ('kind' in entry ? entry : null)).filter((entry) => entry !== null);
  const resources = mappings.length > 0 ? mappings : [aMapping(entries as AttributeEntry[])];
  const set = compileCustomAttributes(customs, 'acme', problems);
  const mapping = compileMapping(
    resources,
    set,
    { provider: 'file', hasGroups: false, offers: NOTHING_OFFERED, ...options },
    problems,
  );
  return { mapping, problems: problems.map(toLine) };
}

export function toLine({ severity, pointer, message }: MappingProblem): string {
  return `${severity === 'warning' ? 'warning: ' : ''}${pointer} ${message}`;
}

/** The mapping of entries that must be right. */
export function compileWell(entries: AttributeEntry[], customs: CustomAttributeResource[] = []): CompiledMapping {
  const { mapping, problems } = compile(entries, customs);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return mapping;
}

export function aDesiredUser(overrides: Partial<DesiredUser> = {}): DesiredUser {
  return {
    sourceId: 'p1',
    name: 'p1@example.com',
    presence: 'present',
    attributes: { userName: 'p1@example.com', externalId: 'p1', active: true },
    onCreate: {},
    defaults: {},
    clear: [],
    kept: [],
    references: {},
    match: [{ path: 'userName', value: 'p1@example.com' }],
    ...overrides,
  };
}

export function aLink(overrides: Partial<Link> = {}): Link {
  return {
    sourceId: 'p1',
    targetId: 'u1',
    name: 'p1@example.com',
    active: true,
    applied: { userName: 'p1@example.com', externalId: 'p1', active: true },
    origin: 'created',
    dirty: false,
    ...overrides,
  };
}

export function aPersonState(overrides: Partial<PersonState> = {}): PersonState {
  return {
    sourceId: 'p1',
    desired: aDesiredUser(),
    link: null,
    observed: null,
    gone: false,
    candidates: [],
    contestedBy: null,
    ...overrides,
  };
}

export function aCandidate(
  attributes: Attributes = {},
  { id = 'u1', ...rest }: Partial<Omit<Candidate, 'object'>> & { id?: string } = {},
): Candidate {
  return {
    object: { id, version: null, attributes: { userName: 'p1@example.com', active: true, ...attributes } },
    path: 'userName',
    linkedTo: null,
    neighbour: null,
    ...rest,
  };
}

const shape = (more: Partial<PathShape> = {}): PathShape => ({
  caseExact: false,
  multiValued: false,
  reference: null,
  matching: false,
  required: false,
  unique: false,
  ...more,
});

/** The paths that tests of the plan write, and how each compares. */
export const SHAPES: ReadonlyMap<string, PathShape> = new Map([
  ['userName', shape({ matching: true, unique: true })],
  ['externalId', shape({ caseExact: true, matching: true })],
  ['active', shape({ caseExact: true })],
  ['title', shape()],
  ['name.familyName', shape({ required: true })],
  ['nickName', shape()],
  [DEPARTMENT, shape()],
  [MANAGER, shape({ caseExact: true, reference: 'User' })],
]);

export function planSettings(overrides: Partial<PlanSettings> = {}): PlanSettings {
  return {
    adoption: 'OnMatch',
    adoptTeams: false,
    retired: new Set(),
    leaving: { outOfScope: 'Deactivate', disabledAtSource: 'Deactivate', deletedAtSource: 'Deactivate' },
    memberships: 'Remove',
    deleteAfterMs: null,
    restoreMemberships: true,
    now: Date.parse('2026-03-01T09:00:00Z'),
    shapes: SHAPES,
    activeMapped: false,
    protectedUsers: new Set(),
    ownNames: new Set(),
    suspect: false,
    countUpdates: false,
    absenceProven: true,
    everybodyRead: true,
    drift: 'Repair',
    target: aTargetLimits(),
    ...overrides,
  };
}

/** A target without quirks, but for these. */
export function aTargetLimits(overrides: Partial<TargetLimits> = {}): TargetLimits {
  return {
    deactivation: 'deactivates',
    deleteUsers: true,
    teams: 'full',
    renameTeams: true,
    attribute: () => PLAIN_ATTRIBUTE,
    ...overrides,
  };
}

const NOBODY_REFERRED: ReferenceContext = {
  accounts: new Map(),
  coming: new Set(),
  ending: new Set(),
  teams: new Map(),
  gone: new Set(),
  goneTeams: new Set(),
};

export function aPersonContext({
  settings = {},
  ...overrides
}: Partial<Omit<PersonContext, 'settings'>> & { settings?: Partial<PlanSettings> } = {}): PersonContext {
  return {
    settings: planSettings(settings),
    ...NOBODY_REFERRED,
    collidesWith: null,
    rivals: new Map(),
    deletionFailed: false,
    ...overrides,
  };
}

export function aDesiredTeam(overrides: Partial<DesiredTeam> = {}): DesiredTeam {
  return {
    key: 'rule:research',
    displayName: 'Research',
    externalId: 'dirsync:identity/acme:research',
    values: NO_VALUES,
    rules: ['research'],
    whenEmpty: 'Retain',
    deletionPolicy: 'Retain',
    ...overrides,
  };
}

export function aTeamLink(overrides: Partial<TeamLink> = {}): TeamLink {
  return {
    key: 'rule:research',
    targetId: 't1',
    displayName: 'Research',
    externalId: 'dirsync:identity/acme:research',
    applied: {},
    rules: ['research'],
    deletionPolicy: 'Retain',
    origin: 'created',
    dirty: false,
    ...overrides,
  };
}

export function aTeam(attributes: Attributes = {}, id = 't1'): TargetTeam {
  return { id, version: null, attributes: { displayName: 'Research', ...attributes }, members: null };
}

export function aTeamState(overrides: Partial<TeamState> = {}): TeamState {
  return {
    key: 'rule:research',
    desired: aDesiredTeam(),
    link: null,
    observed: null,
    gone: false,
    candidates: [],
    desiredMembers: 1,
    group: null,
    claimedBy: null,
    ...overrides,
  };
}

export function aTeamContext({
  settings = {},
  ...overrides
}: Partial<Omit<TeamContext, 'settings'>> & { settings?: Partial<PlanSettings> } = {}): TeamContext {
  return {
    settings: planSettings(settings),
    ...NOBODY_REFERRED,
    rules: new Set(['research']),
    frozen: new Set(),
    whenEmpty: new Map([['research', 'Retain']]),
    groupGone: 'Empty',
    maxNameLength: null,
    shapes: new Map(),
    ...overrides,
  };
}

export function aMemberContext({
  settings = {},
  ...overrides
}: Partial<Omit<MemberContext, 'settings'>> & { settings?: Partial<PlanSettings> } = {}): MemberContext {
  return {
    settings: planSettings(settings),
    key: 'rule:research',
    targetId: 't1',
    name: 'Research',
    origin: toOrigin({ key: 'rule:research', rules: ['research'] }),
    isUnproven: false,
    emptied: false,
    withoutAccount: new Set(),
    leaving: new Map(),
    returning: new Set(),
    deactivated: new Set(),
    spared: new Set(),
    claimed: new Set(),
    overlooked: 'nothing',
    ...overrides,
  };
}

export function aDifference(overrides: Partial<MemberDifference> = {}): MemberDifference {
  return {
    change: 'remove',
    sourceId: 'p1',
    targetId: 'u1',
    name: 'p1@example.com',
    presence: 'present',
    byHand: false,
    doubtful: false,
    ...overrides,
  };
}

export interface UnitOverrides extends Partial<Omit<Unit, 'guards'>> {
  /** Of one guard; null: of none. */
  readonly guard?: GuardKind | null;
  readonly scope?: string;
  readonly guards?: readonly GuardSubject[];
}

export function aUnit(
  unit: string,
  { guard = 'deactivate', scope = '', guards, ...overrides }: UnitOverrides = {},
): Unit {
  const own = guard === null ? [] : [{ kind: guard, scope }];
  return { unit, guards: guards ?? own, removal: true, recovered: false, lines: [unit], ...overrides };
}

/** Units of a kind: `deactivate-1` and so on. */
export function someUnits(count: number, overrides: UnitOverrides = {}): Unit[] {
  return Array.from({ length: count }, (_, index) =>
    aUnit(`${overrides.guard ?? 'deactivate'}-${index + 1}`, overrides),
  );
}

export function aGuardInput(overrides: Partial<GuardInput> = {}): GuardInput {
  const limit = { max: null, percent: 10 };
  return {
    units: [],
    limits: {
      deactivate: limit,
      delete: limit,
      adopt: limit,
      reactivate: limit,
      rename: limit,
      removeMembers: { max: null, percent: 50 },
      deleteTeams: limit,
      update: limit,
    },
    floor: 5,
    removed: () => 0,
    lostTeams: new Set(),
    base: () => 100,
    suspect: null,
    approved: new Set(),
    approve: null,
    ...overrides,
  };
}
