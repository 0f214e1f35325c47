/**
 * Every reason that a condition or a Kubernetes Event may give, and when it surfaces. Closed on purpose: people alert on
 * these words. `docs/conditions.md` lists the same set; a test compares the two.
 */
import type { ErrorCode } from '../errors.ts';
import type { Step } from './directory-sync-status.ts';

/** Reasons of `Ready`. */
export const READY_REASONS = {
  /** Surfaces when the last run ended with nothing left to do. */
  Synced: 'Synced',
  /** Surfaces when all is done but for what guards hold; `Held` names the counts, the hash and the commands. */
  SyncedWithHeld: 'SyncedWithHeld',
  /** Surfaces when some records failed (or conflict) and the rest is done; units may be held beside them. */
  SyncedWithErrors: 'SyncedWithErrors',
  /** Surfaces when `mode: Plan` has published a plan and written nothing. */
  Planned: 'Planned',
  /** Surfaces when the spec or an annotation changed and no run has ended since. */
  Progressing: 'Progressing',
  /** Surfaces while `suspend` is true; the status stays the one of the last run. */
  Suspended: 'Suspended',
  /** Surfaces when `schedule.once` has run for this generation. */
  Completed: 'Completed',
  /** Surfaces when the source could not be read or cannot be trusted. Nothing was removed. */
  ReadFailed: 'ReadFailed',
  /** Surfaces when the source's read ended before its last page. Nothing was removed. */
  ReadIncomplete: 'ReadIncomplete',
  /** Surfaces when a read lost more than `guards.suspiciousDrop`: all was applied but removals, which are held. */
  ReadSuspect: 'ReadSuspect',
  /** Surfaces when too many operations of one run failed, and the run was stopped. */
  TooManyFailures: 'TooManyFailures',
  /** Surfaces when the state store cannot be opened, read or written, or another process holds it. */
  StateUnavailable: 'StateUnavailable',
  /** Surfaces when the target does not answer, throttles, or answers with something that is no SCIM. */
  TargetUnavailable: 'TargetUnavailable',
  /** Surfaces when the source or target refuses the credentials; only one probe each schedule is sent until they change. */
  CredentialsRejected: 'CredentialsRejected',
  /** Surfaces when a resource is wrong in itself: schema, expression, type or path. Its owner must edit it. */
  Invalid: 'Invalid',
  /** Surfaces when a resource, Secret, ConfigMap or key that is named does not exist (yet). */
  ReferenceNotFound: 'ReferenceNotFound',
  /** Surfaces when source or target is another one than the links were made with; a move needs a new `spec.id`. */
  EndpointChanged: 'EndpointChanged',
  /** Surfaces on the newer one of two resources with one `spec.id` in a namespace. */
  IdInUse: 'IdInUse',
  /** Surfaces when an approval named a hash that is not the one of the held set. Nothing was released. */
  ApprovalMismatch: 'ApprovalMismatch',
  /**
   * Surfaces on a TeamRule whose team is held by somebody else: a team of that name which Dirsync does not own. Also where
   * the application has no groups, or does not let this one be made or renamed.
   */
  Conflict: 'Conflict',
  /** Surfaces when the step `load` failed for a reason that has no word of its own. */
  LoadFailed: 'LoadFailed',
  /** Surfaces when the step `map` failed for a reason that has no word of its own. */
  MapFailed: 'MapFailed',
  /** Surfaces when the step `observe` failed for a reason that has no word of its own. */
  ObserveFailed: 'ObserveFailed',
  /** Surfaces when the step `plan` failed for a reason that has no word of its own. */
  PlanFailed: 'PlanFailed',
  /** Surfaces when the step `guard` failed for a reason that has no word of its own. */
  GuardFailed: 'GuardFailed',
  /** Surfaces when the step `apply` failed for a reason that has no word of its own. */
  ApplyFailed: 'ApplyFailed',
  /** Surfaces when the step `report` failed for a reason that has no word of its own. */
  ReportFailed: 'ReportFailed',
} as const;
export type ReadyReason = keyof typeof READY_REASONS;

/** Reasons of `Valid`, the condition of AttributeMappings and CustomAttributes. */
export const VALID_REASONS = {
  /** Surfaces when the resource compiles for every DirectorySync that uses it. */
  Valid: 'Valid',
  /** Surfaces when it does not; the DirectorySyncs that use it are stalled. */
  Invalid: 'Invalid',
} as const;

/** Reasons of `Reconciling`. */
export const RECONCILING_REASONS = {
  /** Surfaces while a run works on a spec that no run has ended for. */
  Progressing: 'Progressing',
  /** Surfaces when the last run failed and will be tried again by itself. */
  ProgressingWithRetry: 'ProgressingWithRetry',
} as const;

/** Reasons of `SourceRead`. */
export const SOURCE_READ_REASONS = {
  /** Surfaces when the last read arrived whole. */
  ReadComplete: 'ReadComplete',
  /** Surfaces when it failed. */
  ReadFailed: 'ReadFailed',
  /** Surfaces when it ended before its last page. */
  ReadIncomplete: 'ReadIncomplete',
} as const;

/** Reasons of `Held`. */
export const HELD_REASONS = {
  /** Surfaces when a plan removes (or takes over) more than `guards` allow. */
  GuardLimit: 'GuardLimit',
  /** Surfaces when removals wait because the read lost too much. */
  ReadSuspect: 'ReadSuspect',
  /** Surfaces when removals wait because their links were rebuilt from the target. */
  LinksRecovered: 'LinksRecovered',
  /** Surfaces, with status False, when nothing is held. */
  NothingHeld: 'NothingHeld',
} as const;

/** Reasons of `Degraded`. */
export const DEGRADED_REASONS = {
  /** Surfaces when records failed; the history names them by id. */
  RecordErrors: 'RecordErrors',
  /** Surfaces when so many failed that the run was stopped. */
  TooManyFailures: 'TooManyFailures',
  /** Surfaces, with status False, when none failed. */
  NoErrors: 'NoErrors',
} as const;

/** Reasons of `Suspect`. */
export const SUSPECT_REASONS = {
  /** Surfaces when the read lost more people or values than `guards.suspiciousDrop`, or everybody. */
  SuspiciousDrop: 'SuspiciousDrop',
  /** Surfaces, with status False, when the read is trusted. */
  ReadTrusted: 'ReadTrusted',
} as const;

/** Reasons of `Deleting`, the condition of a CustomAttribute under deletion. The first that is true of a DirectorySync. */
export const DELETING_REASONS = {
  /** Surfaces when a run that should remove its values fails, or single removals do. */
  RemovalFailing: 'RemovalFailing',
  /** Surfaces when removals wait for approval. */
  ValuesHeld: 'ValuesHeld',
  /** Surfaces when a DirectorySync whose people have values is suspended, or has `mode: Plan`. */
  SyncSuspended: 'SyncSuspended',
  /** Surfaces while a run removes its values, or the run that will is still to come. */
  RemovingValues: 'RemovingValues',
} as const;
export type DeletingReason = keyof typeof DELETING_REASONS;

/** Reasons of `CredentialsExpiring`: what ends first. */
export const CREDENTIALS_EXPIRING_REASONS = {
  /** Surfaces when the token of the Secret says that it ends within 30 days, or has ended. */
  TokenExpiring: 'TokenExpiring',
  /** Surfaces when the certificate or token that the Secret of the source holds does. */
  SourceCredentialExpiring: 'SourceCredentialExpiring',
  /** Surfaces when the last certificate of `caRef` does. */
  AuthorityExpiring: 'AuthorityExpiring',
  /** Surfaces when the certificate that a host shows does. */
  ServerCertificateExpiring: 'ServerCertificateExpiring',
  /** Surfaces, with status False, when nothing that is known to expire does so within 30 days. */
  NothingExpiring: 'NothingExpiring',
} as const;
export type CredentialsExpiringReason = keyof typeof CREDENTIALS_EXPIRING_REASONS;

/** Reasons of Kubernetes Events on the resource; never one a person. A failure's event has the reason of `Ready`. */
export const EVENT_REASONS = {
  /** Surfaces when a run changed something and ended well. */
  Synced: 'Synced',
  /** Surfaces when a run failed. */
  Failed: 'Failed',
  /** Surfaces when the held set is a new one. */
  Held: 'Held',
  /** Surfaces when an approval released the held set. */
  Released: 'Released',
  /** Surfaces when links were rebuilt from the target. */
  Recovered: 'Recovered',
  /** Surfaces when what stood under `adoptFrom` was taken over. */
  TakenOver: 'TakenOver',
  /** Surfaces when a CustomAttribute is deleted and its values begin to be removed. */
  Deleting: 'Deleting',
  /** Surfaces when the deletion of a CustomAttribute waits for a DirectorySync that is suspended or writes nothing. */
  Suspended: 'Suspended',
  /** Surfaces when the values of a deleted CustomAttribute are gone, and the resource goes. */
  Deleted: 'Deleted',
  /** Surfaces when a deleted CustomAttribute goes with its values left where they are. */
  Abandoned: 'Abandoned',
  /** Surfaces 30, 7 and 1 day before a credential or certificate ends, and when it has ended. */
  CredentialsExpiring: 'CredentialsExpiring',
} as const;
export type EventReason = keyof typeof EVENT_REASONS;

const STEP_REASONS: Readonly<Record<Step, ReadyReason>> = {
  load: 'LoadFailed',
  read: 'ReadFailed',
  map: 'MapFailed',
  observe: 'ObserveFailed',
  plan: 'PlanFailed',
  guard: 'GuardFailed',
  apply: 'ApplyFailed',
  report: 'ReportFailed',
};

/** The reason of `Ready` when a step ended a run with this code. Codes of single records end a run only as `<Step>Failed`. */
export function toReadyReason(code: ErrorCode, step: Step): ReadyReason {
  switch (code) {
    case 'Invalid':
    case 'ReferenceNotFound':
    case 'ReadFailed':
    case 'ReadIncomplete':
    case 'TargetUnavailable':
    case 'CredentialsRejected':
    case 'EndpointChanged':
    case 'IdInUse':
    case 'TooManyFailures':
    case 'StateUnavailable':
    case 'ApprovalMismatch':
      return code;
    case 'StateLocked':
      return 'StateUnavailable';
    case 'CursorExpired':
    case 'Conflict':
    case 'RecordInvalid':
    case 'TargetRejected':
    case 'NotFound':
    case 'PreconditionFailed':
    case 'Aborted':
    case 'Unknown':
      return STEP_REASONS[step];
  }
}
