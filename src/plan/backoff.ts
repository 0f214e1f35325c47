/**
 * Operations that the target refused are not sent again by every run: each waits by itself, for minutes at first and for
 * a day at most, while everything else of the person goes on. Pure.
 */
import { createHash } from 'node:crypto';
import type { ErrorCode } from '../errors.ts';
import type { Operation, RecordError } from '../model.ts';
import type { PersonState } from '../state/staging.ts';
import type { Backoff, Effect } from '../state/store.ts';
import type { DraftOperation, Planned } from './draft.ts';

const FIRST_MS = 5 * 60_000;
const LONGEST_MS = 24 * 3_600_000;

/** What is tried: another value, or another account, is another try, and has not failed yet. */
export function toBackoffMark({ kind, targetId, changes }: Pick<Operation, 'kind' | 'targetId' | 'changes'>): string {
  const values = changes.map(({ path, after }) => [path, after ?? null]);
  return createHash('sha256')
    .update(JSON.stringify([kind, targetId, values]))
    .digest('hex')
    .slice(0, 16);
}

export interface Failure {
  readonly sourceId: string;
  readonly mark: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** @param before failures of the same operation before this one */
export function toBackoff(failure: Failure, { before, now }: { before: number; now: number }): Backoff {
  const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(before, 20));
  return { ...failure, failures: before + 1, until: now + wait };
}

/** Whoever leaves never waits. */
function mayWait({ kind, resource }: DraftOperation): boolean {
  return resource === 'User' && kind !== 'deactivate' && kind !== 'recover';
}

/** How a person is planned whose operations have failed before. */
export interface Trying {
  /** This person's. */
  readonly backoffs: readonly Backoff[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** By hand: nothing waits. */
  readonly tryAll: boolean;
}

/**
 * Takes out what is still waiting, and names it as the failure that it was. What failed once and is not called for any
 * more is forgotten.
 * @param postponed the deletion that switching off has taken the place of: it is called for
 */
export function withhold(
  planned: Planned,
  { sourceId }: Pick<PersonState, 'sourceId'>,
  { backoffs, now, tryAll, postponed }: Trying & { readonly postponed: Backoff | null },
): Planned {
  if (backoffs.length === 0) return planned;
  const marks = new Set(planned.operations.map(toBackoffMark));
  const waiting = tryAll ? [] : backoffs.filter((each) => marks.has(each.mark) && isWaiting(each, now));
  const waits = (operation: DraftOperation): boolean =>
    mayWait(operation) && waiting.some(({ mark }) => mark === toBackoffMark(operation));
  const isNew = planned.operations.some((operation) => operation.kind === 'create' && waits(operation));
  // Nobody refers to anybody from an account that is not made.
  const operations = planned.operations.filter((operation) => !isNew && !waits(operation));
  const withheld = planned.operations
    .filter(waits)
    .flatMap((operation) => waiting.filter(({ mark }) => mark === toBackoffMark(operation)))
    .concat(postponed ?? []);
  return {
    ...planned,
    operations,
    errors: [...planned.errors, ...[...new Set(withheld)].map((each) => toError(sourceId, each))],
    effects: [...planned.effects, ...backoffs.filter((each) => !marks.has(each.mark) && each !== postponed).map(toEnd)],
  };
}

/**
 * What failed before is tried again, and nobody counts on the name that it would free until it went: what is held would
 * come and go with every try, and no approval would find it.
 */
export function hasFailed(
  operation: Pick<Operation, 'kind' | 'targetId' | 'changes'>,
  backoffs: readonly Backoff[],
): boolean {
  const mark = toBackoffMark(operation);
  return backoffs.some((each) => each.mark === mark);
}

const SWITCHED_OFF = [{ path: 'active', before: true, after: false }] as const;

/**
 * The deletion of an account that failed before, while the account is still on: until it goes, it is at least switched off.
 * Null where that failed too and the deletion's turn has come, and where everything is tried by hand.
 */
export function findFailedDeletion(
  { link, observed }: Pick<PersonState, 'link' | 'observed'>,
  { backoffs, now, tryAll }: Trying,
): Backoff | null {
  if (link === null || backoffs.length === 0 || tryAll) return null;
  const isActive = observed === null ? link.active : observed.attributes['active'] !== false;
  const find = (kind: Operation['kind'], changes: Operation['changes']): Backoff | undefined => {
    const mark = toBackoffMark({ kind, targetId: link.targetId, changes });
    return backoffs.find((each) => each.mark === mark);
  };
  const deletion = find('delete', []);
  if (!isActive || deletion === undefined) return null;
  return find('deactivate', SWITCHED_OFF) !== undefined && !isWaiting(deletion, now) ? null : deletion;
}

/** A clock that was ahead must not make anybody wait for longer than the longest time. */
function isWaiting({ until }: Backoff, now: number): boolean {
  return now < until && until - now <= LONGEST_MS;
}

function toError(id: string, { code, message, failures, until }: Backoff): RecordError {
  const times = failures === 1 ? 'once' : `${failures} times`;
  const next = new Date(until).toISOString().replace(/\.\d+Z$/, 'Z');
  return { resource: 'User', id, code, message: `${message} (failed ${times}; tried again after ${next}, or by hand)` };
}

function toEnd({ sourceId, mark }: Backoff): Effect {
  return { type: 'endBackOff', sourceId, mark };
}
