import { SyncError } from '../../errors.ts';

/** Bytes that one record may have; a bound on memory, and how a quote that is never closed is noticed. */
export const MAX_RECORD_BYTES = 1024 * 1024;

/**
 * The one way in which a file fails. Whatever is wrong with one row is wrong with the whole read: a file says nothing
 * about which of its rows can be trusted once it breaks its own format.
 * @param label the path as the resource says it, or the ConfigMap's key; never an absolute path
 */
export function toReadFailed(label: string, what: string, cause?: unknown): SyncError {
  return new SyncError('ReadFailed', `cannot read ${label}: ${what}`, cause === undefined ? {} : { cause });
}
