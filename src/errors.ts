/**
 * Every way in which a run or one record of it can fail. Closed on purpose: status reasons, metrics and retry policy
 * switch over it, so a new failure needs a decision here and not a new string somewhere else.
 */
export type ErrorCode =
  /** The resources are wrong in themselves: schema, expression, type, path. The owner must edit them. */
  | 'Invalid'
  /** A resource, Secret, ConfigMap or key that is named does not exist (yet). */
  | 'ReferenceNotFound'
  /** The source could not be read, or said something that cannot be trusted. Removes nothing. */
  | 'ReadFailed'
  /** The source's read ended before its last page. Removes nothing. */
  | 'ReadIncomplete'
  /** The source does not know any more where the last read ended: the engine reads everything, and no run ends with it. */
  | 'CursorExpired'
  /** The target does not answer, throttles, or answers with something that is no SCIM (an HTML page, half a body). */
  | 'TargetUnavailable'
  /** 401 or 403: retrying with the same secret cannot help and may lock the account. */
  | 'CredentialsRejected'
  /** The target (or the source) is another one than the links were made with. */
  | 'EndpointChanged'
  /** Another resource has the same `spec.id` in this namespace. */
  | 'IdInUse'
  /** Too many operations of one run failed. */
  | 'TooManyFailures'
  /** The state store cannot be opened, read or written. */
  | 'StateUnavailable'
  /** Another process holds the state store of this directory. */
  | 'StateLocked'
  /** `--approve` or the annotation named a hash that is not the one of the held set. */
  | 'ApprovalMismatch'
  /** One record: two accounts answer, or the account belongs to somebody else. Never guessed. */
  | 'Conflict'
  /** One record: its values break a type, a required attribute, or a limit of the target. */
  | 'RecordInvalid'
  /** One record: the target refused the request for it. */
  | 'TargetRejected'
  /** One object of the target is not there any more (404). */
  | 'NotFound'
  /** A precondition failed (412): somebody else changed the object; read it again. */
  | 'PreconditionFailed'
  /** The run was ended on purpose: shutdown, edit of a resource, `timeouts.run`. */
  | 'Aborted'
  /** Anything not foreseen. Retried, because a terminal state must be chosen explicitly. */
  | 'Unknown';

/** `never`: a person must act first. `backoff`: the work queue tries again. `afterMs`: the other side named the wait. */
export type RetryPolicy = 'never' | 'backoff' | { readonly afterMs: number };

/** What an error ends: one record (the others go on) or the whole run. */
export type ErrorScope = 'record' | 'run';

export interface SyncErrorOptions {
  readonly retry?: RetryPolicy;
  readonly scope?: ErrorScope;
  /** The request may have been carried out although no answer came: ask before it is repeated. */
  readonly outcomeUnknown?: boolean;
  /** The private reason: goes to debug logs only, may hold anything. */
  readonly cause?: unknown;
}

const TERMINAL: ReadonlySet<ErrorCode> = new Set([
  'Invalid',
  'CredentialsRejected',
  'EndpointChanged',
  'IdInUse',
  'ApprovalMismatch',
]);

const OF_A_RECORD: ReadonlySet<ErrorCode> = new Set([
  'Conflict',
  'RecordInvalid',
  'TargetRejected',
  'NotFound',
  'PreconditionFailed',
]);

/**
 * The one error class. `message` is shown to people in conditions, events and on the terminal, so it must be stable
 * (no request ids, no times) and hold neither secrets nor names or mail addresses of people; ids of records are fine.
 * What may not be shown belongs into `cause`.
 */
export class SyncError extends Error {
  override readonly name = 'SyncError';
  readonly code: ErrorCode;
  readonly retry: RetryPolicy;
  readonly scope: ErrorScope;
  readonly outcomeUnknown: boolean;

  constructor(code: ErrorCode, message: string, options: SyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? (TERMINAL.has(code) ? 'never' : 'backoff');
    this.scope = options.scope ?? (OF_A_RECORD.has(code) ? 'record' : 'run');
    this.outcomeUnknown = options.outcomeUnknown ?? false;
  }

  /** The same error of a write that may have been carried out, in part or whole. */
  static ofUnknownOutcome(thrown: unknown): SyncError {
    const { code, message, retry, scope } = SyncError.from(thrown);
    return new SyncError(code, message, { retry, scope, outcomeUnknown: true, cause: thrown });
  }

  /** Total: whatever was thrown becomes a SyncError. An abort is recognised; the rest is `Unknown` and retried. */
  static from(thrown: unknown): SyncError {
    if (thrown instanceof SyncError) return thrown;
    if (thrown instanceof Error && (thrown.name === 'AbortError' || thrown.name === 'TimeoutError')) {
      return new SyncError('Aborted', 'the run was ended before it was done', { cause: thrown });
    }
    const name = thrown instanceof Error ? thrown.name : typeof thrown;
    return new SyncError('Unknown', `unexpected ${name}; the log has the details`, { cause: thrown });
  }
}
