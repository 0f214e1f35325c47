/** What `dirsync check source` shows of a directory: the account, the clocks, how many there are, whether it tells changes. */
import { compareTimes, type Inspection, type Look, tryLooks } from '../inspection.ts';
import type { SourceFinding } from '../source.ts';
import { type LdapConfig, toDialect } from './config.ts';
import { readTexts } from './entry.ts';
import { readRoot } from './identity.ts';
import { type Reading, toGroupSearch, toTrackedGroups, toTrackedUsers, toUserSearch } from './read.ts';
import { type PagedSearch, searchPages } from './search.ts';
import type { Session } from './session.ts';
import { type InSession, type Tracked, tryTracking } from './tracking.ts';
import { toTime } from './values.ts';

interface DirectoryInspection extends Inspection {
  readonly config: LdapConfig;
  readonly inSession: InSession;
}

export async function* inspect(inspection: DirectoryInspection, signal: AbortSignal): AsyncGenerator<SourceFinding> {
  const { config, now, inSession } = inspection;
  const theirs = await inSession(signal, async (session) => {
    const [time] = readTexts(await readRoot(session, ['currentTime']), 'currentTime');
    return time === undefined ? null : toTime(time);
  });
  yield toConnection(config);
  yield { verdict: 'ok', about: 'credentials', message: 'name and password are taken' };
  yield compareTimes(theirs, now().getTime());
  yield* tryLooks(listLooks(inspection), signal);
  if (config.schema === 'ActiveDirectory') yield* inspectChanges(inspection, signal);
}

function toConnection({ url, startTLS = false }: LdapConfig): SourceFinding {
  const about = 'connection';
  if (startTLS || url.startsWith('ldaps:')) return { verdict: 'ok', about, message: 'encrypted' };
  const message = 'not encrypted: whoever is on the way reads the password; take ldaps://, or set startTLS';
  return { verdict: 'warning', about, message };
}

/** Whole lists, of ids alone: a directory tells no totals, and its limits only when they are met. */
function listLooks(inspection: DirectoryInspection): readonly Look[] {
  const { config, use } = inspection;
  const dialect = toDialect(config);
  const look = (about: string, search: PagedSearch): Look => {
    const ids = { ...search, attributes: [dialect.idAttribute], controls: [] };
    const count = async (session: Session): Promise<number> => {
      let total = 0;
      for await (const { entries } of searchPages(session, ids)) total += entries.length;
      return total;
    };
    return { about, run: async (signal) => `${await inspection.inSession(signal, count)} below ${search.baseDN}` };
  };
  const asked = { config, projection: use.projection };
  const people = look('people', toUserSearch(asked, dialect));
  return use.groups ? [people, look('groups', { ...toGroupSearch(asked, dialect), pageSize: MOST_IDS })] : [people];
}

/** Of one page. */
const MOST_IDS = 500;

async function* inspectChanges(
  { config, use, now, inSession }: DirectoryInspection,
  signal: AbortSignal,
): AsyncGenerator<SourceFinding> {
  const reading: Omit<Reading, 'session'> = { config, projection: use.projection, now: now() };
  const tracked: readonly Tracked[] = [
    toTrackedUsers(reading),
    ...(use.groups ? [toTrackedGroups({ ...reading, projection: [] })] : []),
  ];
  const about = 'changes';
  for (const each of tracked) {
    const tracking = await tryTracking(inSession, each, signal);
    if (tracking.cursor !== null) continue;
    const message = `each run reads everybody, for ${tracking.why}; see docs/sources/ldap.md, "By changes"`;
    yield { verdict: 'warning', about, message };
    return;
  }
  yield { verdict: 'ok', about, message: 'are told: runs after the first read what has changed' };
}
