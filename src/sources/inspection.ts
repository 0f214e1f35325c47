/** What `Source.inspect` of several providers have in common: single looks at a directory, and its clock. */
import { type ErrorCode, SyncError } from '../errors.ts';
import type { HttpClient, HttpResponse } from '../http/client.ts';
import type { TokenSource } from '../http/token-source.ts';
import type { SourceContext, SourceFinding, SourceUse } from './source.ts';

/** What a look at a source is made with. */
export interface Inspection extends Pick<SourceContext, 'now'> {
  readonly use: SourceUse;
}

export interface Look {
  /** A word or two: `groups`. */
  readonly about: string;
  /** What it found. */
  readonly run: (signal: AbortSignal) => Promise<string>;
}

const CANNOT_BE_READ: ReadonlySet<ErrorCode> = new Set(['CredentialsRejected', 'ReadFailed', 'ReadIncomplete']);

/** What cannot be read is a finding; what else goes wrong is thrown. */
export async function tryLook({ about, run }: Look, signal: AbortSignal): Promise<SourceFinding> {
  try {
    return { verdict: 'ok', about, message: await run(signal) };
  } catch (thrown) {
    const error = SyncError.from(thrown);
    if (!CANNOT_BE_READ.has(error.code)) throw error;
    return { verdict: 'error', about, message: error.message };
  }
}

/** Each by itself, so that each thing that is missing is named. */
export async function* tryLooks(looks: Iterable<Look>, signal: AbortSignal): AsyncGenerator<SourceFinding> {
  for (const look of looks) yield await tryLook(look, signal);
}

/** What a count of a list is told as where the directory gives no totals. */
export const READABLE = 'they can be read';

export interface TokenLook {
  /** What tokens are given for: `the client secret`. */
  readonly name: string;
  readonly tokens: TokenSource;
  /** Asks for a token, whatever there is already. */
  readonly request: (signal: AbortSignal) => Promise<HttpResponse>;
}

/** The clock first: one that is wrong may be why there is no token, which ends the look. */
export async function* lookAtToken(
  { name, tokens, request }: TokenLook,
  { now }: Pick<Inspection, 'now'>,
  signal: AbortSignal,
): AsyncGenerator<SourceFinding> {
  yield compareClocks(await request(signal), now().getTime());
  await tokens.get(signal);
  yield { verdict: 'ok', about: 'credentials', message: `${name} is taken` };
}

export interface ClockWatch {
  /** Sends what it is given, and notes the time of the first answer. */
  readonly http: HttpClient;
  /** Null: nothing has answered. */
  finding(): SourceFinding | null;
}

/** For a directory whose answers are turned into something else before they are looked at. */
export function watchClock({ http, now }: Pick<SourceContext, 'http' | 'now'>): ClockWatch {
  let found: SourceFinding | null = null;
  return {
    http: {
      get sent() {
        return http.sent;
      },
      async send(request) {
        const response = await http.send(request);
        found ??= compareClocks(response, now().getTime());
        return response;
      },
    },
    finding: () => found,
  };
}

/** Signed assertions are good for minutes, and those who take them allow about five between the clocks. */
const MOST_SKEW_MS = 60_000;

/** @param now milliseconds since 1970 */
function compareClocks({ headers }: HttpResponse, now: number): SourceFinding {
  const theirs = Date.parse(headers['date'] ?? '');
  return compareTimes(Number.isNaN(theirs) ? null : theirs, now);
}

/**
 * Both in milliseconds since 1970.
 * @param theirs null: the other side does not say
 */
export function compareTimes(theirs: number | null, now: number): SourceFinding {
  if (theirs === null) return { verdict: 'ok', about: 'clock', message: 'the other side does not say its time' };
  const seconds = Math.round(Math.abs(now - theirs) / 1000);
  if (seconds * 1000 <= MOST_SKEW_MS) return { verdict: 'ok', about: 'clock', message: 'as that of the other side' };
  const message = `${seconds} seconds away from that of the other side; set this machine's by a time server`;
  return { verdict: 'warning', about: 'clock', message };
}
