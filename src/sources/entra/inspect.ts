/** What `dirsync check source` shows of a tenant: the token, the clocks, each permission, how many there are. */
import { SyncError } from '../../errors.ts';
import type { HttpResponse } from '../../http/client.ts';
import type { SourceFinding, SourceUse } from '../source.ts';
import { type GraphRequest, VERSION } from './client.ts';
import { ROLES } from './properties.ts';
import type { Reading } from './read.ts';
import { readApplication } from './roles.ts';

interface Inspection {
  readonly use: SourceUse;
  readonly now: () => Date;
}

export async function* inspect(
  reading: Reading,
  { use, now }: Inspection,
  signal: AbortSignal,
): AsyncGenerator<SourceFinding> {
  const { credential } = reading.client;
  await credential.tokens.get(signal);
  const answer = await credential.request(signal);
  yield { verdict: 'ok', about: 'credentials', message: `${credential.name} is taken` };
  yield compareClocks(answer, now().getTime());
  for (const look of listLooks(reading, use)) yield await tryLook(look, signal);
}

/** Assertions are good for minutes, and Entra allows five minutes between the clocks. */
const MOST_SKEW_MS = 60_000;

function compareClocks({ headers }: HttpResponse, now: number): SourceFinding {
  const theirs = Date.parse(headers['date'] ?? '');
  if (Number.isNaN(theirs)) return { verdict: 'ok', about: 'clock', message: 'the other side does not say its time' };
  const seconds = Math.round(Math.abs(now - theirs) / 1000);
  if (seconds * 1000 <= MOST_SKEW_MS) return { verdict: 'ok', about: 'clock', message: 'as that of the other side' };
  const message = `${seconds} seconds away from that of the other side; set this machine's by a time server`;
  return { verdict: 'warning', about: 'clock', message };
}

interface Look {
  readonly about: string;
  /** What it found. */
  readonly run: (signal: AbortSignal) => Promise<string>;
}

/** One for each thing that a run reads: so each permission that is missing is named by itself. */
function listLooks({ client, config }: Reading, { projection, groups }: SourceUse): readonly Look[] {
  const count = (request: GraphRequest): Look['run'] => {
    const query = { $select: 'id', $top: '1', $count: 'true' };
    // Counts are not up to the second, and are given only to whoever takes that.
    const headers = { consistencylevel: 'eventual' };
    return async (signal) => {
      const { '@odata.count': total = null } = await client.get({ ...request, query, headers }, signal);
      return typeof total === 'number' ? `${total} in the tenant` : 'they can be read';
    };
  };
  const looks: Look[] = [
    { about: 'people', run: count({ path: `${VERSION}/users`, what: 'the list of people' }) },
    ...(groups ? [{ about: 'groups', run: count({ path: `${VERSION}/groups`, what: 'the list of groups' }) }] : []),
  ];
  const { applicationId } = config;
  if (applicationId === undefined || !projection.includes(ROLES)) return looks;
  const run: Look['run'] = async (signal) => {
    const { displayName, roles } = await readApplication(client, applicationId, signal);
    return `${displayName}, ${roles.size - 1} roles`;
  };
  return [...looks, { about: 'application', run }];
}

async function tryLook({ about, run }: Look, signal: AbortSignal): Promise<SourceFinding> {
  try {
    return { verdict: 'ok', about, message: await run(signal) };
  } catch (thrown) {
    const error = SyncError.from(thrown);
    if (error.code !== 'CredentialsRejected' && error.code !== 'ReadFailed') throw error;
    return { verdict: 'error', about, message: error.message };
  }
}
