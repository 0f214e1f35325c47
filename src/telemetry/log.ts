/** The log: JSON lines for operators, on standard error. Whoever uses Dirsync must not need it. */

import { type DestinationStream, type Logger, destination as openDestination, pino } from 'pino';
import { SyncError } from '../errors.ts';

export type { Logger };

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/**
 * Keys whose values are never printed, at the top of a line and one and two levels below it: secrets, and what says
 * something of a person (rule I9). It is a net for mistakes; callers log ids and counts.
 */
const HIDDEN_KEYS = [
  'authorization',
  'password',
  'passphrase',
  'privateKey',
  'secret',
  'secrets',
  'token',
  'headers',
  'body',
  'attributes',
  'onCreate',
  'defaults',
  'changes',
  'before',
  'after',
  'value',
  'values',
  'userName',
  'displayName',
  'email',
  'user',
] as const;

/**
 * Lines are found again by the fields that a run gives to `logger.child`: `directorySync` (namespace/name), `run` (its
 * id) and `step`. `destination` takes the place of standard error.
 */
export function createLogger(options: { level: LogLevel; destination?: DestinationStream }): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: HIDDEN_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[hidden]' },
      serializers: { err: toLoggedError, error: toLoggedError },
    },
    options.destination ?? openDestination({ dest: 2, sync: true }),
  );
}

/** What of an error may stand in a log: no text but that of a SyncError, for other texts hold whatever they met. */
interface LoggedError {
  readonly code: string;
  readonly message: string;
  readonly scope: string;
  readonly outcomeUnknown: boolean;
  readonly stack: readonly string[];
  readonly causes: readonly LoggedCause[];
}

interface LoggedCause {
  readonly name: string;
  readonly code: string | null;
  readonly stack: readonly string[];
}

/** A chain of causes longer than this is a loop, or nobody reads it. */
const MAX_CAUSES = 5;

function toLoggedError(thrown: unknown): LoggedError {
  const error = SyncError.from(thrown);
  const causes: LoggedCause[] = [];
  for (let cause = error.cause; cause !== undefined && causes.length < MAX_CAUSES; cause = readCause(cause)) {
    causes.push(toLoggedCause(cause));
  }
  return {
    code: error.code,
    message: error.message,
    scope: error.scope,
    outcomeUnknown: error.outcomeUnknown,
    stack: toFrames(error),
    causes,
  };
}

function readCause(value: unknown): unknown {
  return value instanceof Error ? value.cause : undefined;
}

function toLoggedCause(cause: unknown): LoggedCause {
  if (!(cause instanceof Error)) return { name: typeof cause, code: null, stack: [] };
  const { code } = cause as NodeJS.ErrnoException;
  return { name: cause.name, code: typeof code === 'string' ? code : null, stack: toFrames(cause) };
}

/** The places of a stack without its first lines, which repeat the message. */
function toFrames(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n').map((line) => line.trim());
  return lines.filter((line) => /^at .*:\d+:\d+\)?$/.test(line)).map((line) => line.slice(3));
}
