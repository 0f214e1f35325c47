/** DirectorySync: which people of a source directory an application must have, and how carefully to get there. */
import { type Static, Type } from '@sinclair/typebox';
import { ClauseSchema } from './clause.ts';
import type { DirectorySyncStatus } from './directory-sync-status.ts';
import { GROUPS_NEED_SOURCE, GroupsSchema, groupName, SCOPE_NEEDS_SOURCE } from './groups.ts';
import { GuardsSchema } from './guards.ts';
import type { GROUP_VERSION, ObjectMeta } from './metadata.ts';
import { SourceSchema, TargetSchema } from './providers.ts';
import { exactlyOneOf, type SchemaRule, toFields } from './rules.ts';
import {
  decimal,
  duration,
  flag,
  list,
  NAME_EXPECTED,
  NAME_MAX_LENGTH,
  NAME_PATTERN,
  object,
  oneOf,
  reference,
  text,
  whole,
} from './schema.ts';

/** What `schedule` is when it is left out. Not in the schema: server-side apply would merge it with a `cron`. */
export const DEFAULT_INTERVAL = '40m';

/** What a file calls its columns nobody knows; the other kinds of sources have a preset each. */
export const MAPPINGS_NEEDED = 'name an AttributeMapping: without one nobody knows what to write';

const MAPPINGS_RULE: SchemaRule = {
  name: 'fileNeedsMappings',
  message: `mappings must ${MAPPINGS_NEEDED}`,
  cel: '!has(self.source.file) || (has(self.mappings) && size(self.mappings) > 0)',
  fieldPath: '.mappings',
  holds: (value) => {
    const { mappings, source } = toFields(value) ?? {};
    if (toFields(source)?.['file'] === undefined) return true;
    return mappings !== undefined && !(Array.isArray(mappings) && mappings.length === 0);
  },
};

const ScheduleSchema = object(
  {
    interval: Type.Optional(
      duration({
        atLeast: '1s',
        description:
          'Time between the starts of two runs; at least 1s. A run that lasts longer is followed by the next one at once.',
      }),
    ),
    cron: Type.Optional(
      object(
        {
          expression: text({
            maxLength: 128,
            description:
              'Five fields (minute, hour, day of month, month, day of week), such as `0 6 * * 1`; six with seconds first.',
          }),
          timeZone: Type.Optional(
            text({
              maxLength: 64,
              default: 'UTC',
              description:
                'IANA name of the time zone, such as `Europe/Belfast`. An hour that daylight saving leaves out is run after the gap, one that comes twice is run once.',
            }),
          ),
        },
        {
          description: 'Runs at the times of a cron expression. Times missed while nothing ran are made up by one run.',
        },
      ),
    ),
    once: Type.Optional(
      Type.Literal(true, {
        description:
          'One run per generation of this resource and of what it refers to; then the status says `Completed`. Only `true` can be written.',
      }),
    ),
  },
  {
    description: 'When to run. Exactly one of `interval`, `cron` and `once`.',
    documentedDefault: `{interval: ${DEFAULT_INTERVAL}}`,
    rules: [exactlyOneOf('scheduleExactlyOne', ['interval', 'cron', 'once'])],
  },
);

/** Roles are those of an application, and only a tenant of Entra is known to have some. */
const APPLICATION_RULE: SchemaRule = {
  name: 'assignedNeedsApplication',
  message: 'scope.users AssignedToApplication needs source.entra.applicationId',
  cel: "!has(self.scope) || !has(self.scope.users) || self.scope.users != 'AssignedToApplication' || (has(self.source.entra) && has(self.source.entra.applicationId))",
  fieldPath: '.scope.users',
  holds: (value) => {
    const { scope, source } = toFields(value) ?? {};
    if (toFields(scope)?.['users'] !== 'AssignedToApplication') return true;
    return toFields(toFields(source)?.['entra'])?.['applicationId'] !== undefined;
  },
};

/** Nobody must believe that groups narrow the scope while they do not: everybody would get an account. */
const SCOPE_GROUPS_RULE: SchemaRule = {
  name: 'scopeGroupsWithMembers',
  message: 'scope.groups names the groups of scope.users MembersOfGroups: set both, or neither',
  cel: "(has(self.users) && self.users == 'MembersOfGroups') == (has(self.groups) && size(self.groups) > 0)",
  fieldPath: '.groups',
  holds: (value) => {
    const { users, groups } = toFields(value) ?? {};
    return (users === 'MembersOfGroups') === (Array.isArray(groups) && groups.length > 0);
  },
};

const ScopeSchema = object(
  {
    users: Type.Optional(
      oneOf(['All', 'MembersOfGroups', 'AssignedToApplication'] as const, {
        default: 'All',
        description:
          'MembersOfGroups: only who belongs to one of `groups`, as `nestedGroups` says. AssignedToApplication: only who has a role in the application of `source.entra.applicationId`, or was given it without one; by themselves, or by a group, whose members are counted as `nestedGroups` says. `filters`, `cel` and `expression` narrow it further.',
      }),
    ),
    groups: Type.Optional(
      list(groupName(), {
        maxItems: 1000,
        empty: true,
        description:
          'With MembersOfGroups: the groups, by name or id; at most 1000. A name, once found, means the same group whatever that is called later (`status.resolvedGroups`). One that means no group of the source, or two, is a failed read: nobody is changed. Of a group whose members could not be read whole nobody leaves.',
      }),
    ),
    filters: Type.Optional(
      list(
        list(ClauseSchema, {
          minItems: 1,
          maxItems: 32,
          whyNotEmpty: 'no clause would mean everybody',
          description: 'Clauses that must all hold; at least one, since none would mean everybody.',
        }),
        {
          maxItems: 32,
          empty: true,
          description:
            'A list (OR) of lists (AND) of clauses; at most 32 of 32. Whom none of the lists takes is out of scope. Empty: everybody is in scope.',
        },
      ),
    ),
    cel: Type.Optional(
      text({
        maxLength: 10_000,
        description:
          'One more condition, in CEL: `user`, `desired`, `groups` and `now` as in a TeamRule. At most 10,000 characters. A person for whom it fails stays as they are.',
      }),
    ),
    expression: Type.Optional(
      text({
        maxLength: 10_000,
        description:
          'One more condition, an expression of the mapping language that gives True or False; an empty value is False. At most 10,000 characters. A person for whom it fails stays as they are.',
      }),
    ),
    nestedGroups: Type.Optional(
      oneOf(['Flatten', 'DirectOnly'] as const, {
        default: 'Flatten',
        description:
          'Who belongs to a group of the source. Flatten: members of groups in it too; a group that contains itself does no harm. DirectOnly: direct members alone.',
      }),
    ),
  },
  {
    description: 'Which people of the source are in scope: whom `users`, `filters`, `cel` and `expression` all take.',
    defaulted: true,
    rules: [SCOPE_GROUPS_RULE],
  },
);

const LEAVING = ['Deactivate', 'Delete', 'Retain'] as const;

const DeprovisioningSchema = object(
  {
    outOfScope: Type.Optional(
      oneOf(LEAVING, {
        default: 'Deactivate',
        description: 'What happens to who was read but is out of scope. Retain: the account stays as it is.',
      }),
    ),
    disabledAtSource: Type.Optional(
      oneOf(LEAVING, {
        default: 'Deactivate',
        description:
          'What happens to who is in the source but inactive. Who is inactive and not yet in the target is not created.',
      }),
    ),
    deletedAtSource: Type.Optional(
      oneOf(LEAVING, {
        default: 'Deactivate',
        description: 'What happens to who is absent from a complete read. A failed or partial read removes nobody.',
      }),
    ),
    memberships: Type.Optional(
      oneOf(['Remove', 'Keep'] as const, {
        default: 'Remove',
        description:
          'Memberships of owned teams of who leaves. Remove: in one unit with the deactivation, held or released with it, and remembered.',
      }),
    ),
    deleteAfter: Type.Optional(
      duration({
        atLeast: '1s',
        documentedDefault: 'never',
        description:
          'Time after which the account of who was deactivated is deleted; without it, never. Counts from the confirmed deactivation, and begins anew after a lost state. A change applies to those already deactivated; the guard `delete` counts these deletions. Who comes back earlier gets the same account, later a new one.',
      }),
    ),
    restoreMemberships: Type.Optional(
      flag({
        default: true,
        description:
          'Does who comes back get remembered memberships again of owned teams that no rule computes any more? What rules grant is given in any case.',
      }),
    ),
  },
  { description: 'What happens to people who leave.', defaulted: true },
);

export const DirectorySyncSpecSchema = object(
  {
    id: Type.Optional(
      text({
        maxLength: NAME_MAX_LENGTH,
        pattern: NAME_PATTERN,
        expected: NAME_EXPECTED,
        documentedDefault: 'the name',
        description:
          'Identity in the state store and in ownership marks; keep it when the resource is renamed. Immutable; writing the default out is allowed. Of two resources with one id the newer waits (`IdInUse`).',
      }),
    ),
    adoptFrom: Type.Optional(
      text({
        maxLength: NAME_MAX_LENGTH,
        pattern: NAME_PATTERN,
        expected: NAME_EXPECTED,
        documentedDefault: 'nothing is taken over',
        description:
          'Takes over the links of another `id` in this namespace that no resource uses any more, once, before the first run: with the same source and target all of it, with another source the accounts and teams, with another target nothing. While a resource still uses it, this one waits (`IdInUse`). An id that nothing stands under is an error, unless this resource has people linked already; after the takeover the field changes nothing. Not the own id.',
      }),
    ),
    suspend: Type.Optional(
      flag({ default: false, description: 'No reads and no writes; the status stays and says so.' }),
    ),
    mode: Type.Optional(
      oneOf(['Apply', 'Plan'] as const, {
        default: 'Apply',
        description: 'Plan publishes the plan in the status (Ready reason `Planned`) and writes nothing to the target.',
      }),
    ),
    schedule: Type.Optional(ScheduleSchema),
    settle: Type.Optional(
      duration({
        default: '5s',
        description:
          'Edits of resources within this time are taken together. An edit during a run ends it at the next operation and starts a new one. `0s`: at once.',
      }),
    ),
    source: SourceSchema,
    scope: Type.Optional(ScopeSchema),
    groups: Type.Optional(GroupsSchema),
    mappings: Type.Optional(
      list(reference('AttributeMapping', 'An AttributeMapping.'), {
        maxItems: 16,
        empty: true,
        documentedDefault: 'the preset of the source’s kind',
        description:
          'AttributeMappings, merged in order: a later entry for the same target wins; at most 16. Those of users and those of teams are merged apart. Where none is of users, the preset of the source’s kind makes them, and likewise the teams of groups; the status names it. A `file` has none: it needs a mapping of users, and its groups give their teams name and id.',
      }),
    ),
    target: TargetSchema,
    adoption: Type.Optional(
      oneOf(['OnMatch', 'Never'] as const, {
        default: 'OnMatch',
        description:
          'May an existing account that nobody owns be taken over when a matching attribute finds exactly it? Two candidates, or an account whose `externalId` names somebody else, are a `Conflict` for that person, never a guess. Links rebuilt by equal `externalId` after a lost state are no adoption; with Never they are rebuilt only where that is the source id.',
      }),
    ),
    adoptTeams: Type.Optional(
      flag({
        default: false,
        description:
          'May a rule take over a team of its name that nobody owns and that carries no mark of somebody else? Its members become those of the rule; whom that removes is counted by `guards.removeMembers`. False: such a team is a `Conflict` of the rule.',
      }),
    ),
    deprovisioning: Type.Optional(DeprovisioningSchema),
    guards: Type.Optional(GuardsSchema),
    drift: Type.Optional(
      object(
        {
          policy: Type.Optional(
            oneOf(['Repair', 'Report'] as const, {
              default: 'Repair',
              description:
                'What happens to what was changed by hand. Repair: it is put right, within the guards. Report: it is counted in `status.drift` and left; what the source changes is written all the same, also where somebody changed it by hand.',
            }),
          ),
          verifyEvery: Type.Optional(
            duration({
              default: '24h',
              description:
                'Time after which a run reads the target’s own list to find what was changed there by hand. The pass takes at most half of `limits.requestsPerSecond`, one request at a time. `0s`: only on the first run and on request.',
            }),
          ),
        },
        { description: 'Changes made by hand in the target.', defaulted: true },
      ),
    ),
    limits: Type.Optional(
      object(
        {
          concurrency: Type.Optional(
            whole({
              minimum: 1,
              maximum: 64,
              default: 8,
              description: 'Requests under way at once to the target, and to the source; 1 to 64.',
            }),
          ),
          requestsPerSecond: Type.Optional(
            decimal({
              minimum: 0.01,
              maximum: 10_000,
              documentedDefault: 'no limit',
              description:
                'Most requests per second to the target. For one host and credential the lowest of all resources holds, shared by all.',
            }),
          ),
          sourceRequestsPerSecond: Type.Optional(
            decimal({
              minimum: 0.01,
              maximum: 10_000,
              documentedDefault: 'no limit',
              description:
                'Most requests per second to the source. For one host and credential the lowest of all resources holds, shared by all; a source that is a file makes none.',
            }),
          ),
        },
        { description: 'How hard target and source may be worked.', defaulted: true },
      ),
    ),
    timeouts: Type.Optional(
      object(
        {
          request: Type.Optional(
            duration({
              atLeast: '1s',
              default: '30s',
              description: 'Longest time of one request without a byte; at least 1s.',
            }),
          ),
          run: Type.Optional(
            duration({
              atLeast: '1s',
              default: '12h',
              description:
                'Longest time of one run; at least 1s. It is ended after the operation under way, and the next run goes on.',
            }),
          ),
        },
        { description: 'How long to wait.', defaulted: true },
      ),
    ),
    deletionPolicy: Type.Optional(
      oneOf(['Retain', 'Deactivate', 'Delete'] as const, {
        default: 'Retain',
        description:
          'What deleting this resource does to what it owns. Retain: nothing. Deactivate: the accounts are deactivated, teams stay as they are. Delete: accounts and teams are deleted. No guard judges it; `dirsync plan --delete` shows it first. Protected people are spared, and so is whoever was only recognised again after a lost state. While the resource is suspended, in mode Plan, or another one has its id, it is Retain. A document that vanishes from a local folder is never a deletion.',
      }),
    ),
    historyLimit: Type.Optional(
      whole({
        minimum: 1,
        maximum: 50,
        default: 10,
        description: 'Runs kept in the status; 1 to 50. The state store keeps 90 days.',
      }),
    ),
  },
  {
    description: 'What is wanted: source, scope, mappings, target, and the limits of what may be done without asking.',
    rules: [GROUPS_NEED_SOURCE, SCOPE_NEEDS_SOURCE, MAPPINGS_RULE, APPLICATION_RULE],
  },
);

/** `spec` as it is written: every optional field may be absent. `withDefaults` gives what the engine works with. */
export type DirectorySyncSpec = Static<typeof DirectorySyncSpecSchema>;

export interface DirectorySyncResource {
  readonly apiVersion: typeof GROUP_VERSION;
  readonly kind: 'DirectorySync';
  readonly metadata: ObjectMeta;
  readonly spec: DirectorySyncSpec;
  readonly status?: DirectorySyncStatus;
}
