/** What `dirsync check source` shows of a tenant: the token, the clocks, each permission, how many there are. */
import { type Inspection, type Look, lookAtToken, READABLE, tryLooks } from '../inspection.ts';
import type { SourceFinding, SourceUse } from '../source.ts';
import { type GraphRequest, VERSION } from './client.ts';
import { ROLES } from './properties.ts';
import type { Reading } from './read.ts';
import { readApplication } from './roles.ts';

export async function* inspect(
  reading: Reading,
  { use, now }: Inspection,
  signal: AbortSignal,
): AsyncGenerator<SourceFinding> {
  yield* lookAtToken(reading.client.credential, { now }, signal);
  yield* tryLooks(listLooks(reading, use), signal);
}

/** One for each thing that a run reads: so each permission that is missing is named by itself. */
function listLooks({ client, config }: Reading, { projection, groups }: SourceUse): readonly Look[] {
  const count = (request: GraphRequest): Look['run'] => {
    const query = { $select: 'id', $top: '1', $count: 'true' };
    // Counts are not up to the second, and are given only to whoever takes that.
    const headers = { consistencylevel: 'eventual' };
    return async (signal) => {
      const { '@odata.count': total = null } = await client.get({ ...request, query, headers }, signal);
      return typeof total === 'number' ? `${total} in the tenant` : READABLE;
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
