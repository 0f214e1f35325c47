/** Specs with every default filled in and durations in milliseconds: what the engine works with. */
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { parseDuration } from '../duration.ts';
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import {
  type AttributeMappingResource,
  AttributeMappingSpecSchema,
  type ConstantValue,
  type PresetName,
} from './attribute-mapping.ts';
import type { Clause } from './clause.ts';
import {
  type CustomAttributeResource,
  type CustomAttributeSpec,
  CustomAttributeSpecSchema,
  type PredefinedName,
} from './custom-attribute.ts';
import {
  DEFAULT_INTERVAL,
  type DirectorySyncResource,
  type DirectorySyncSpec,
  DirectorySyncSpecSchema,
} from './directory-sync.ts';
import type { FileSource } from './file-source.ts';
import type { GoogleSource } from './google-source.ts';
import type { LdapSource } from './ldap-source.ts';
import type { EntraSource, ScimSource, ScimTarget, WorkosSource } from './providers.ts';
import { type TeamRuleResource, TeamRuleSpecSchema } from './team-rule.ts';

export type LeavingPolicy = 'Deactivate' | 'Delete' | 'Retain';

export type ResolvedSchedule =
  | { readonly kind: 'Interval'; readonly everyMs: number }
  | { readonly kind: 'Cron'; readonly expression: string; readonly timeZone: string }
  | { readonly kind: 'Once' };

/** The provider's own block, its defaults filled in. */
export type ResolvedSource =
  | { readonly provider: 'entra'; readonly config: EntraSource }
  | { readonly provider: 'file'; readonly config: FileSource }
  | { readonly provider: 'google'; readonly config: GoogleSource }
  | { readonly provider: 'ldap'; readonly config: LdapSource }
  | { readonly provider: 'scim'; readonly config: ScimSource }
  | { readonly provider: 'workos'; readonly config: WorkosSource };
export type ResolvedTarget = { readonly provider: 'scim'; readonly config: ScimTarget };

/** `max` null: no such limit. `percent` 100: no such limit. */
export interface ResolvedGuard {
  readonly max: number | null;
  readonly percent: number;
}

export interface ResolvedGuards {
  readonly deactivate: ResolvedGuard;
  readonly delete: ResolvedGuard;
  readonly adopt: ResolvedGuard;
  readonly reactivate: ResolvedGuard;
  readonly rename: ResolvedGuard;
  readonly removeMembers: ResolvedGuard;
  readonly deleteTeams: ResolvedGuard;
  /** Null: updates are not counted. */
  readonly update: ResolvedGuard | null;
  readonly floor: number;
  /** Length of the window in which is counted. */
  readonly windowMs: number;
  readonly protectedUsers: readonly string[];
  readonly protectedTeams: readonly string[];
  readonly keepAtLeast: number;
  /** Percent. */
  readonly suspiciousDrop: number;
  /** Percent. */
  readonly maxFailures: number;
}

export interface ResolvedDirectorySyncSpec {
  readonly id: string;
  readonly suspend: boolean;
  readonly mode: 'Apply' | 'Plan';
  readonly schedule: ResolvedSchedule;
  readonly settleMs: number;
  readonly source: ResolvedSource;
  /** OR of ANDs; empty: everybody. */
  readonly scope: {
    readonly users: 'All' | 'MembersOfGroups' | 'AssignedToApplication';
    /** Names or ids; empty unless `users` is MembersOfGroups. */
    readonly groups: readonly string[];
    readonly filters: readonly (readonly Clause[])[];
    readonly nestedGroups: 'Flatten' | 'DirectOnly';
  };
  readonly groups: {
    readonly provision: 'None' | 'InScope' | 'All';
    readonly include: readonly string[];
    readonly exclude: readonly string[];
    readonly deletedAtSource: 'Retain' | 'Empty' | 'Delete';
  };
  readonly mappings: readonly { readonly name: string }[];
  readonly target: ResolvedTarget;
  readonly adoption: 'OnMatch' | 'Never';
  readonly adoptTeams: boolean;
  readonly deprovisioning: {
    readonly outOfScope: LeavingPolicy;
    readonly disabledAtSource: LeavingPolicy;
    readonly deletedAtSource: LeavingPolicy;
    readonly memberships: 'Remove' | 'Keep';
    /** Null: never. */
    readonly deleteAfterMs: number | null;
    readonly restoreMemberships: boolean;
  };
  readonly guards: ResolvedGuards;
  /** 0: never. */
  readonly drift: { readonly policy: 'Repair' | 'Report'; readonly verifyEveryMs: number };
  /** Requests per second null: no limit. */
  readonly limits: {
    readonly concurrency: number;
    readonly requestsPerSecond: number | null;
    readonly sourceRequestsPerSecond: number | null;
  };
  readonly timeouts: { readonly requestMs: number; readonly runMs: number };
  readonly deletionPolicy: LeavingPolicy;
  readonly historyLimit: number;
}

export interface ResolvedAttributeEntry {
  readonly target: string;
  readonly source?: string;
  readonly expression?: string;
  readonly constant?: ConstantValue;
  readonly default?: Json;
  readonly apply: 'Always' | 'OnCreate';
  /** Absent: not said, so that a CustomAttribute's own `onEmpty` holds, else Keep. */
  readonly onEmpty?: 'Keep' | 'Clear';
  readonly required: boolean;
  /** Absent: false. */
  readonly omit?: boolean;
  readonly format?: string;
  readonly matching?: { readonly precedence: number };
}

export interface ResolvedAttributeMappingSpec {
  readonly resource: 'User' | 'Team';
  readonly preset?: PresetName;
  /** Those of the preset are not among them. */
  readonly attributes?: readonly ResolvedAttributeEntry[];
}

export interface ResolvedTeamRuleSpec {
  readonly directorySyncRef: { readonly name: string };
  readonly teams:
    | {
        readonly kind: 'OneTeam';
        readonly displayName: string;
        /** Null: the engine's own mark. */
        readonly externalId: string | null;
        readonly description: string | null;
        /** At most one of these is set; none: everybody in scope. */
        readonly match: readonly Clause[] | null;
        readonly rule: string | null;
        readonly cel: string | null;
        /** Where the condition stands in the resource. */
        readonly pointer: string;
      }
    | {
        readonly kind: 'TeamsFrom';
        readonly attributes: readonly string[];
        readonly expressions: readonly string[];
        readonly separator: string;
        readonly prefix: string;
      };
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly whenEmpty: 'Retain' | 'Delete';
  readonly deletionPolicy: 'Retain' | 'Empty' | 'Delete';
  readonly suspend: boolean;
}

export interface ResolvedCustomAttributeSpec {
  readonly name: string;
  readonly directorySyncs: 'All' | { readonly names: readonly string[] };
  readonly type: NonNullable<CustomAttributeSpec['type']>;
  /** Null: no reference. */
  readonly references: { readonly resource: 'User' | 'Team' } | null;
  readonly multiValued: boolean;
  readonly caseExact: boolean;
  /** Null: a text is one value. */
  readonly separator: string | null;
  readonly onEmpty: 'Keep' | 'Clear';
  readonly canonicalValues: readonly string[];
  readonly required: boolean;
  readonly predefined?: PredefinedName;
  readonly path: string;
}

/** The default of a CustomAttribute's `spec.name`. It may be no identifier; then `spec.name` is needed. */
export function toAttributeName(metadataName: string): string {
  return metadataName.replaceAll('-', '_');
}

type DeepRequired<T> = T extends readonly (infer Item)[]
  ? DeepRequired<Item>[]
  : T extends object
    ? { [K in keyof T]-?: DeepRequired<T[K]> }
    : T;

type FilledSpec = DeepRequired<DirectorySyncSpec>;

/** Fields without a default stay absent, whatever the type says: they are read from the spec as written. */
function fill<T extends TSchema>(schema: T, spec: Static<T>): DeepRequired<Static<T>> {
  return Value.Default(schema, structuredClone(spec)) as DeepRequired<Static<T>>;
}

function toSchedule(schedule: Partial<FilledSpec['schedule']> = {}): ResolvedSchedule {
  const { cron, interval, once } = schedule;
  if (cron !== undefined) return { kind: 'Cron', expression: cron.expression, timeZone: cron.timeZone };
  if (once === true) return { kind: 'Once' };
  return { kind: 'Interval', everyMs: parseDuration(interval ?? DEFAULT_INTERVAL) };
}

function toGuard(guard: { max: number; percent: number }): ResolvedGuard {
  return { max: guard.max < 0 ? null : guard.max, percent: guard.percent };
}

/** Null: it limits nothing. */
function toOptionalGuard(guard: { max: number; percent: number }): ResolvedGuard | null {
  return guard.max < 0 && guard.percent >= 100 ? null : toGuard(guard);
}

function toDeprovisioning(
  { outOfScope, disabledAtSource, deletedAtSource, memberships, restoreMemberships }: FilledSpec['deprovisioning'],
  deleteAfter: string | undefined,
): ResolvedDirectorySyncSpec['deprovisioning'] {
  const deleteAfterMs = deleteAfter === undefined ? null : parseDuration(deleteAfter);
  return { outOfScope, disabledAtSource, deletedAtSource, memberships, deleteAfterMs, restoreMemberships };
}

function toSource({ entra, file, google, ldap, scim, workos }: DirectorySyncSpec['source']): ResolvedSource | null {
  if (entra !== undefined) return { provider: 'entra', config: entra };
  if (file !== undefined) return { provider: 'file', config: file };
  if (google !== undefined) return { provider: 'google', config: google };
  if (ldap !== undefined) return { provider: 'ldap', config: ldap };
  if (scim !== undefined) return { provider: 'scim', config: scim };
  return workos === undefined ? null : { provider: 'workos', config: workos };
}

function resolveDirectorySync({ metadata, spec }: DirectorySyncResource): ResolvedDirectorySyncSpec {
  const filled = fill(DirectorySyncSpecSchema, spec);
  const { guards } = filled;
  const source = toSource(filled.source);
  const { scim }: DirectorySyncSpec['target'] = filled.target;
  if (source === null || scim === undefined) {
    throw new SyncError('Invalid', 'spec.source and spec.target: exactly one provider must be set');
  }
  return {
    id: spec.id ?? metadata.name,
    suspend: filled.suspend,
    mode: filled.mode,
    schedule: toSchedule(filled.schedule),
    settleMs: parseDuration(filled.settle),
    source,
    scope: {
      users: filled.scope.users,
      groups: filled.scope.groups,
      filters: filled.scope.filters,
      nestedGroups: filled.scope.nestedGroups,
    },
    groups: filled.groups,
    mappings: filled.mappings,
    target: { provider: 'scim', config: scim },
    adoption: filled.adoption,
    adoptTeams: filled.adoptTeams,
    deprovisioning: toDeprovisioning(filled.deprovisioning, spec.deprovisioning?.deleteAfter),
    guards: {
      deactivate: toGuard(guards.deactivate),
      delete: toGuard(guards.delete),
      adopt: toGuard(guards.adopt),
      reactivate: toGuard(guards.reactivate),
      rename: toGuard(guards.rename),
      removeMembers: toGuard(guards.removeMembers),
      deleteTeams: toGuard(guards.deleteTeams),
      update: toOptionalGuard(guards.update),
      floor: guards.floor,
      windowMs: parseDuration(guards.window),
      protectedUsers: guards.protectedUsers,
      protectedTeams: guards.protectedTeams,
      keepAtLeast: guards.keepAtLeast,
      suspiciousDrop: guards.suspiciousDrop,
      maxFailures: guards.maxFailures,
    },
    drift: { policy: filled.drift.policy, verifyEveryMs: parseDuration(filled.drift.verifyEvery) },
    limits: {
      concurrency: filled.limits.concurrency,
      requestsPerSecond: spec.limits?.requestsPerSecond ?? null,
      sourceRequestsPerSecond: spec.limits?.sourceRequestsPerSecond ?? null,
    },
    timeouts: { requestMs: parseDuration(filled.timeouts.request), runMs: parseDuration(filled.timeouts.run) },
    deletionPolicy: filled.deletionPolicy,
    historyLimit: filled.historyLimit,
  };
}

function resolveAttributeMapping({ spec }: AttributeMappingResource): ResolvedAttributeMappingSpec {
  return Value.Default(AttributeMappingSpecSchema, structuredClone(spec)) as ResolvedAttributeMappingSpec;
}

const ONE_TEAM_KEYS = ['match', 'rule', 'cel', 'everyone'] as const;

function resolveTeamRule({ spec }: TeamRuleResource): ResolvedTeamRuleSpec {
  const filled = fill(TeamRuleSpecSchema, spec);
  const { directorySyncRef, include, exclude, whenEmpty, deletionPolicy, suspend } = filled;
  const rest = { directorySyncRef, include, exclude, whenEmpty, deletionPolicy, suspend };
  if (spec.teamsFrom !== undefined) {
    const { attributes = [], expressions = [] } = spec.teamsFrom;
    const { separator, prefix } = filled.teamsFrom;
    return { ...rest, teams: { kind: 'TeamsFrom', attributes, expressions, separator, prefix } };
  }
  const { match = null, rule = null, cel = null, team } = spec;
  const key = ONE_TEAM_KEYS.find((each) => spec[each] !== undefined) ?? 'match';
  return {
    ...rest,
    teams: {
      kind: 'OneTeam',
      displayName: (team?.displayName ?? '').trim(),
      externalId: team?.externalId ?? null,
      description: team?.description ?? null,
      match,
      rule,
      cel,
      pointer: `/spec/${key}`,
    },
  };
}

function resolveCustomAttribute({ metadata, spec }: CustomAttributeResource): ResolvedCustomAttributeSpec {
  const filled = fill(CustomAttributeSpecSchema, spec);
  return {
    ...filled,
    name: spec.predefined ?? spec.name ?? toAttributeName(metadata.name),
    directorySyncs: spec.directorySyncs ?? 'All',
    separator: spec.separator ?? null,
    references: spec.references ?? null,
  };
}

/**
 * The spec of a valid resource with every default filled in and durations in milliseconds.
 * @throws SyncError `Invalid` for what `validateResource` refuses too and no default can mend
 */
export function withDefaults(resource: DirectorySyncResource): ResolvedDirectorySyncSpec;
export function withDefaults(resource: AttributeMappingResource): ResolvedAttributeMappingSpec;
export function withDefaults(resource: TeamRuleResource): ResolvedTeamRuleSpec;
export function withDefaults(resource: CustomAttributeResource): ResolvedCustomAttributeSpec;
export function withDefaults(resource: AnyResource): AnyResolved {
  const known = RESOLVED.get(resource);
  if (known !== undefined) return known;
  const resolved = resolve(resource);
  RESOLVED.set(resource, resolved);
  return resolved;
}

type AnyResource = DirectorySyncResource | AttributeMappingResource | TeamRuleResource | CustomAttributeResource;
type AnyResolved =
  | ResolvedDirectorySyncSpec
  | ResolvedAttributeMappingSpec
  | ResolvedTeamRuleSpec
  | ResolvedCustomAttributeSpec;

/** One run asks several times. Nobody changes a resource, an edit makes another one. */
const RESOLVED = new WeakMap<AnyResource, AnyResolved>();

function resolve(resource: AnyResource): AnyResolved {
  switch (resource.kind) {
    case 'DirectorySync':
      return resolveDirectorySync(resource);
    case 'AttributeMapping':
      return resolveAttributeMapping(resource);
    case 'TeamRule':
      return resolveTeamRule(resource);
    case 'CustomAttribute':
      return resolveCustomAttribute(resource);
  }
}
