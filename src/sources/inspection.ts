/** What `Source.inspect` of several providers have in common: single looks at a directory, and its clock. */
import { SyncError } from '../errors.ts';
import type { HttpResponse } from '../http/client.ts';
import type { SourceFinding } from './source.ts';

export interface Look {
  /** A word or two: `groups`. */
  readonly about: string;
  /** What it found. */
  readonly run: (signal: AbortSignal) => Promise<string>;
}

/** What cannot be read is a finding; what else goes wrong is thrown. */
export async function tryLook({ about, run }: Look, signal: AbortSignal): Promise<SourceFinding> {
  try {
    return { verdict: 'ok', about, message: await run(signal) };
  } catch (thrown) {
    const error = SyncError.from(thrown);
    if (error.code !== 'CredentialsRejected' && error.code !== 'ReadFailed') throw error;
    return { verdict: 'error', about, message: error.message };
  }
}

/** Signed assertions are good for minutes, and those who take them allow about five between the clocks. */
const MOST_SKEW_MS = 60_000;

/** @param now milliseconds since 1970 */
export function compareClocks({ headers }: HttpResponse, now: number): SourceFinding {
  const theirs = Date.parse(headers['date'] ?? '');
  if (Number.isNaN(theirs)) return { verdict: 'ok', about: 'clock', message: 'the other side does not say its time' };
  const seconds = Math.round(Math.abs(now - theirs) / 1000);
  if (seconds * 1000 <= MOST_SKEW_MS) return { verdict: 'ok', about: 'clock', message: 'as that of the other side' };
  const message = `${seconds} seconds away from that of the other side; set this machine's by a time server`;
  return { verdict: 'warning', about: 'clock', message };
}
