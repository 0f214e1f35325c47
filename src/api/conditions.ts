/** The kinds of condition, and which of them stand beside which reason of `Ready`. */
import type { ConditionStatus } from './condition-schema.ts';
import type { Kind } from './metadata.ts';
import {
  CREDENTIALS_EXPIRING_REASONS,
  DEGRADED_REASONS,
  DELETING_REASONS,
  HELD_REASONS,
  READY_REASONS,
  RECONCILING_REASONS,
  type ReadyReason,
  SOURCE_READ_REASONS,
  SUSPECT_REASONS,
  VALID_REASONS,
} from './reasons.ts';

/** Kinds of condition. */
export const CONDITION_TYPES = {
  /** True: the last run ended with nothing left to do but what its reason names. On DirectorySync and TeamRule always. */
  Ready: 'Ready',
  /** True: the resource compiles. On AttributeMapping and CustomAttribute always. */
  Valid: 'Valid',
  /** Stands only while true: work on a new spec is under way, or a failure is tried again by itself (kstatus). */
  Reconciling: 'Reconciling',
  /** Stands only while true: nothing goes on until a person acts (kstatus). */
  Stalled: 'Stalled',
  /** True: the last read of the source arrived whole. */
  SourceRead: 'SourceRead',
  /** True: operations wait for approval. */
  Held: 'Held',
  /** True: records failed. */
  Degraded: 'Degraded',
  /** True: the last read lost too much to be trusted with removals. */
  Suspect: 'Suspect',
  /** Stands only while true: a CustomAttribute under deletion, whose values are still to be removed from people. */
  Deleting: 'Deleting',
  /** True: a credential or certificate ends within 30 days, or has ended. */
  CredentialsExpiring: 'CredentialsExpiring',
} as const;
export type ConditionType = keyof typeof CONDITION_TYPES;

/** The reasons that each kind of condition may give. `Stalled` repeats the reason of `Ready` or `Valid`. */
export const REASONS_BY_TYPE: Readonly<Record<ConditionType, Readonly<Record<string, string>>>> = {
  Ready: READY_REASONS,
  Valid: VALID_REASONS,
  Reconciling: RECONCILING_REASONS,
  Stalled: READY_REASONS,
  SourceRead: SOURCE_READ_REASONS,
  Held: HELD_REASONS,
  Degraded: DEGRADED_REASONS,
  Suspect: SUSPECT_REASONS,
  Deleting: DELETING_REASONS,
  CredentialsExpiring: CREDENTIALS_EXPIRING_REASONS,
};

/** The condition that says of a kind whether all is well, and that is always there. */
export const MAIN_CONDITION: Readonly<Record<Kind, 'Ready' | 'Valid'>> = {
  DirectorySync: 'Ready',
  TeamRule: 'Ready',
  AttributeMapping: 'Valid',
  CustomAttribute: 'Valid',
};

/** Conditions that exist only while they are true. */
export const ONLY_WHILE_TRUE: ReadonlySet<string> = new Set(['Reconciling', 'Stalled', 'Deleting']);

/** What must stand beside a reason of `Ready`. */
export interface Situation {
  /** Status of `Ready`; `AsBefore` keeps the one of the last run. */
  readonly ready: ConditionStatus | 'AsBefore';
  /** `Reconciling`: tried again by itself. `Stalled`: a person must act. Null: neither. */
  readonly progress: 'Reconciling' | 'Stalled' | null;
  /** Conditions that must have these statuses. */
  readonly others?: Readonly<Partial<Record<ConditionType, ConditionStatus>>>;
  /** Exit code of the CLI; docs/cli.md lists them. */
  readonly exit: 0 | 1 | 3 | 4;
}

const done = (exit: 0 | 3 | 4, others: Situation['others'] = {}): Situation => ({
  ready: 'True',
  progress: null,
  others,
  exit,
});
const retried = (others: Situation['others'] = {}, exit: 1 | 3 = 1): Situation => ({
  ready: 'False',
  progress: 'Reconciling',
  others,
  exit,
});
const stalled: Situation = { ready: 'False', progress: 'Stalled', exit: 1 };

/** The table of conditions, one row a reason: report writes by it, `checkKstatus` checks by it, the CLI exits by it. */
export const SITUATIONS: Readonly<Record<ReadyReason, Situation>> = {
  Synced: done(0),
  SyncedWithHeld: done(3, { Held: 'True' }),
  SyncedWithErrors: done(4, { Degraded: 'True' }),
  Planned: done(0),
  Progressing: { ready: 'Unknown', progress: 'Reconciling', exit: 1 },
  Suspended: { ready: 'AsBefore', progress: null, exit: 0 },
  Completed: { ready: 'AsBefore', progress: null, exit: 0 },
  ReadFailed: retried({ SourceRead: 'False' }),
  ReadIncomplete: retried({ SourceRead: 'False' }),
  ReadSuspect: retried({ Suspect: 'True', Held: 'True', SourceRead: 'True' }, 3),
  TooManyFailures: retried({ Degraded: 'True' }),
  StateUnavailable: retried(),
  TargetUnavailable: retried(),
  CredentialsRejected: stalled,
  Invalid: stalled,
  ReferenceNotFound: retried(),
  EndpointChanged: stalled,
  IdInUse: stalled,
  ApprovalMismatch: stalled,
  Conflict: retried(),
  LoadFailed: retried(),
  MapFailed: retried(),
  ObserveFailed: retried(),
  PlanFailed: retried(),
  GuardFailed: retried(),
  ApplyFailed: retried(),
  ReportFailed: retried(),
};
