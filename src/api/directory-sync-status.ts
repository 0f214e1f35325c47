/** What a DirectorySync's status says: counts and ids, never names or mail addresses of people (rule I9). */
import { type Static, type TProperties, Type } from '@sinclair/typebox';
import { ConditionsSchema, ObservedGenerationSchema } from './condition-schema.ts';
import { counts, instant, list, object, oneOf, text, whole } from './schema.ts';

function count(description: string) {
  return Type.Optional(whole({ minimum: 0, maximum: 1_000_000_000, description }));
}

function word(description: string, maxLength = 253) {
  return Type.Optional(text({ minLength: 0, maxLength, description }));
}

function part<P extends TProperties>(properties: P, description: string) {
  return Type.Optional(object(properties, { description }));
}

/** Steps of a run, in order. They are also the states of the machine and the stems of failure reasons. */
export const STEPS = ['load', 'read', 'map', 'observe', 'plan', 'guard', 'apply', 'report'] as const;
export type Step = (typeof STEPS)[number];

/** Counts of a plan. The order is the one of `summarizePlan` and of reports. */
const PLAN_COUNTS = {
  create: count('People to be created.'),
  adopt: count('Existing accounts to be taken over.'),
  recover: count('Links to be rebuilt from the target.'),
  update: count('People to be changed.'),
  rename: count('People whose userName, externalId or mail address is to be changed.'),
  reactivate: count('People to be activated again.'),
  deactivate: count('People to be deactivated.'),
  delete: count('People to be deleted.'),
  createTeams: count('Teams to be created.'),
  updateTeams: count('Teams to be changed.'),
  deleteTeams: count('Teams to be deleted.'),
  addMembers: count('Memberships to be added, counted once per person and team.'),
  removeMembers: count('Memberships to be removed.'),
};

const SampleSchema = object(
  {
    kind: text({ maxLength: 32, description: 'What is done: `create`, `update`, `deactivate`, …' }),
    resource: Type.Optional(oneOf(['User', 'Team'] as const, { description: 'What it is about.' })),
    id: text({ maxLength: 1024, description: 'Source id of the person, or key of the team.' }),
    attributes: list(text({ maxLength: 512, description: 'Path of a changed attribute, without its value.' }), {
      maxItems: 20,
      description: 'What changes, at most 20.',
    }),
  },
  { description: 'One operation.' },
);

const RunSchema = object(
  {
    id: text({ maxLength: 64, description: 'Id of the run, for `dirsync history`.' }),
    kind: oneOf(['Full', 'Delta', 'Verify', 'OneUser'] as const, {
      description:
        'Full: the whole source against what was last applied. Delta: the same by what the source says has changed, or by the people in scope. Verify: against the target’s own list. OneUser: one person alone.',
    }),
    startedAt: instant({ description: 'When it began.' }),
    finishedAt: Type.Optional(instant({ description: 'When it ended.' })),
    outcome: Type.Optional(
      oneOf(['Synced', 'Held', 'Waiting', 'Stalled', 'Failed'] as const, {
        description:
          'How it ended. Held: done but for what guards hold. Waiting: it is tried again by itself. Stalled: a person must act. Failed: done but for records that failed.',
      }),
    ),
    reason: word('Reason of the Ready condition that it led to.', 64),
    requests: part(
      {
        source: count('Requests to the source, retries included; those for an access token are not counted.'),
        target: count('Requests to the target, retries included; those for an access token are not counted.'),
      },
      'What it cost.',
    ),
    applied: Type.Optional(counts({ description: 'Operations carried out, by the names of `status.plan`.' })),
    failures: Type.Optional(
      list(
        object(
          {
            resource: text({ maxLength: 32, description: '`User`, `Team` or `TeamRule`.' }),
            id: text({ maxLength: 1024, description: 'Source id, key of the team, or name of the rule.' }),
            reason: text({ maxLength: 64, description: 'Why, in one word.' }),
          },
          { description: 'A record that failed.' },
        ),
        { maxItems: 10, description: 'Records that failed, at most 10; `dirsync history` has all.' },
      ),
    ),
    approval: part(
      {
        hash: text({ maxLength: 64, description: 'Hash of the held set.' }),
        at: instant({ description: 'When the approval was seen.' }),
        by: word('The annotation and the client that set it, as that calls itself; on the command line nothing.', 256),
      },
      'The approval that released operations in this run.',
    ),
  },
  { description: 'A run, and how it ended.' },
);

export const DirectorySyncStatusSchema = object(
  {
    observedGeneration: ObservedGenerationSchema,
    conditions: ConditionsSchema,
    source: part(
      {
        provider: word('Key under `spec.source`.', 64),
        tenantId: word('Id of the tenant, where the provider has one.'),
        tenantName: word('Name of the organisation.'),
        domains: Type.Optional(
          list(text({ maxLength: 253, description: 'A DNS domain.' }), {
            maxItems: 100,
            description: 'Verified domains, at most 100.',
          }),
        ),
      },
      'Which directory is read.',
    ),
    resolvedGroups: Type.Optional(
      list(
        object(
          {
            name: text({ maxLength: 256, description: 'The entry, as `scope.groups` has it.' }),
            id: text({ maxLength: 1024, description: 'Id of the group that it means.' }),
          },
          { description: 'An entry of `scope.groups`.' },
        ),
        {
          maxItems: 1000,
          description:
            'Which groups `scope.groups` means, where `scope.users` is MembersOfGroups. A name, once found, means the same group whatever that is called later.',
        },
      ),
    ),
    preset: word('The preset that makes the users, where `spec.mappings` names no AttributeMapping for them.', 64),
    teamPreset: word(
      'The preset that makes the teams of groups, where `spec.groups` asks for them and `spec.mappings` names no AttributeMapping for teams.',
      64,
    ),
    target: part(
      { provider: word('Key under `spec.target`.', 64), host: word('Host of the application.') },
      'Which application is written.',
    ),
    credentials: Type.Optional(
      list(
        object(
          {
            kind: oneOf(['Token', 'SourceCredential', 'Authority', 'ServerCertificate'] as const, {
              description:
                'Token: what the Secret of the target holds. SourceCredential: what that of the source holds. Authority: the last certificate of `caRef` to end. ServerCertificate: what the host showed.',
            }),
            host: word('Host with this certificate.'),
            expiresAt: instant({ description: 'When it ends.' }),
          },
          { description: 'Something that ends.' },
        ),
        {
          maxItems: 8,
          description:
            'What target and source are reached with and when it ends, where it says so; the first to end first.',
        },
      ),
    ),
    progress: part(
      {
        step: oneOf(STEPS, { description: 'Step of the run.' }),
        done: count('Records or operations done in this step.'),
        total: count('Of so many, where that is known.'),
        startedAt: instant({ description: 'When the run began.' }),
        estimatedEnd: Type.Optional(
          instant({
            description: 'When the step will end at its present rate, a pause that the other side asks for included.',
          }),
        ),
      },
      'Only while a run lasts; written at most every 10 seconds.',
    ),
    users: part(
      {
        inScope: count('People of the source in scope.'),
        active: count('Owned people who are active in the target.'),
        deactivated: count('Owned people who are deactivated in the target.'),
        conflicts: count('People who could not be matched without guessing; they count as failed too.'),
        failed: count('People whose record failed.'),
        protected: count(
          'People, and memberships of protected teams, for whom something was not done because they are protected.',
        ),
      },
      'People, after the last run.',
    ),
    teams: part(
      { managed: count('Teams that Dirsync owns.'), members: count('Memberships in them.') },
      'Teams, after the last run.',
    ),
    plan: part(
      {
        summary: word('The counts in a few letters, such as `+4 ~11 -1`.', 128),
        ...PLAN_COUNTS,
        samples: Type.Optional(
          list(SampleSchema, { maxItems: 10, description: 'Some of the operations, at most 10.' }),
        ),
      },
      'What the last run planned, held operations included.',
    ),
    held: part(
      {
        count: count(
          'Units that guards keep back: a person (or a member of a team) with one cause each, whatever operations that takes.',
        ),
        hash: word('What to approve: 16 hexadecimal digits over the held operations; empty when there are none.', 64),
        kinds: Type.Optional(counts({ description: 'The same by the guard or reason that keeps them.' })),
      },
      'What waits for approval.',
    ),
    drift: part(
      {
        policy: Type.Optional(
          oneOf(['Repair', 'Report'] as const, {
            description: 'Repair: it was put right, or is held. Report: it was left.',
          }),
        ),
        attributes: count('Values of owned accounts and teams that were changed by hand.'),
        memberships: count('Members that were added to owned teams, or removed from them, by hand.'),
        missing: count('Owned accounts and teams that do not exist any more.'),
        unmanaged: count('Accounts that belong to nobody in the source. They are never touched.'),
        unreadTeams: count(
          'Owned teams whose members the target does not tell: whether these were changed by hand is not known.',
        ),
      },
      'What the last look at the whole target found there.',
    ),
    warnings: Type.Optional(
      list(
        object(
          {
            reason: text({ maxLength: 64, description: 'Which warning, in one word.' }),
            message: text({
              maxLength: 1024,
              description: 'What it is about; names attributes and rules, never people.',
            }),
            count: count('How many records it concerns.'),
          },
          { description: 'Something to look at that stops nothing.' },
        ),
        { maxItems: 20, description: 'Warnings of the last run, at most 20.' },
      ),
    ),
    lastRun: Type.Optional(RunSchema),
    nextRunAt: Type.Optional(instant({ description: 'When the next run is due.' })),
    history: Type.Optional(
      list(RunSchema, { maxItems: 50, description: 'Runs, the newest first, as many as `spec.historyLimit`.' }),
    ),
    lastHandledRequest: word('Value of the annotation `dirsync.dev/requestedAt` that was acted upon.'),
    lastHandledResync: word('Value of the annotation `dirsync.dev/resync` that was acted upon.'),
    lastHandledApproval: word('Value of the annotation `dirsync.dev/approve` that was acted upon.'),
    lastHandledUser: word('Value of the annotation `dirsync.dev/sync-user` that was acted upon.'),
  },
  { description: 'What the controller saw and did.' },
);

export type DirectorySyncStatus = Static<typeof DirectorySyncStatusSchema>;
export type RunStatus = Static<typeof RunSchema>;
export type PlanCount = keyof typeof PLAN_COUNTS;

/** Names of the counts in `status.plan`, in the order in which people read them. */
export const PLAN_COUNT_NAMES = Object.keys(PLAN_COUNTS) as readonly PlanCount[];

const GAINS: readonly PlanCount[] = ['create', 'adopt', 'recover', 'createTeams', 'addMembers'];
const CHANGES: readonly PlanCount[] = ['update', 'rename', 'reactivate', 'updateTeams'];

/** `+4 ~11 -1`: what comes, what changes, what goes; `none` for an empty plan. The PLAN column of `kubectl get`. */
export function summarizePlan(plan: Partial<Record<PlanCount, number>>): string {
  const sums = { '+': 0, '~': 0, '-': 0 };
  for (const name of PLAN_COUNT_NAMES) {
    sums[GAINS.includes(name) ? '+' : CHANGES.includes(name) ? '~' : '-'] += plan[name] ?? 0;
  }
  const words = Object.entries(sums).flatMap(([sign, sum]) => (sum === 0 ? [] : [`${sign}${sum}`]));
  return words.length === 0 ? 'none' : words.join(' ');
}
