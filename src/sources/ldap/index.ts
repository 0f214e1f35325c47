import { NOTHING_OFFERED } from '../../model.ts';
import type { Source, SourceContext, SourceProvider } from '../source.ts';
import { readChangePages } from './changes.ts';
import { type LdapConfig, toCredentials, toDialect, toDirectory, validateConfig } from './config.ts';
import { toScopeFilter } from './filter.ts';
import { readIdentity } from './identity.ts';
import { inspect } from './inspect.ts';
import { createPhotoReader } from './photo.ts';
import {
  ALL_ATTRIBUTES,
  type Reading,
  readGroupPages,
  readOneUser,
  readUserPages,
  toTrackedGroups,
  toTrackedUsers,
} from './read.ts';
import { type Endpoint, openSession, type Session } from './session.ts';
import { type Tracked, type Tracking, tryTracking } from './tracking.ts';

/** An LDAP server, or a domain controller of Active Directory. Each read has a connection of its own. */
export const ldapSource: SourceProvider<LdapConfig> = {
  name: 'ldap',
  directory: toDirectory,
  validate: validateConfig,
  offers: () => ({ ...NOTHING_OFFERED, photos: { url: null, bytes: true, needs: null } }),
  connect: async (config, context): Promise<Source> => {
    const endpoint = toEndpoint(config, context);
    const toReading = (session: Session, projection: readonly string[]): Reading => ({
      ...{ session, config, projection, now: context.now() },
    });
    const inSession = async <T>(signal: AbortSignal, run: (session: Session) => Promise<T>): Promise<T> => {
      const session = await openSession(endpoint, signal);
      try {
        return await run(session);
      } finally {
        session.close();
      }
    };
    const pagesOf = async function* <Page>(
      signal: AbortSignal,
      read: (session: Session) => AsyncIterable<Page>,
    ): AsyncGenerator<Page> {
      const session = await openSession(endpoint, signal);
      try {
        yield* read(session);
      } finally {
        session.close();
      }
    };
    const track = async (tracked: Tracked, signal: AbortSignal): Promise<Tracking | null> =>
      config.schema === 'ActiveDirectory' ? await tryTracking(inSession, tracked, signal) : null;
    const photos = createPhotoReader(config, (mostBytes, signal) => openSession({ ...endpoint, mostBytes }, signal));
    const { schema } = config;
    return {
      identity: (signal) => inSession(signal, (session) => readIdentity(session, config)),
      schema: async () => ({ projection: ALL_ATTRIBUTES, findings: [] }),
      inspect: (use, signal) => inspect({ config, use, now: context.now, inSession }, signal),
      readUsers: async function* (projection, signal) {
        const tracking = await track(toTrackedUsers({ config, projection, now: context.now() }), signal);
        yield* pagesOf(signal, (session) => readUserPages(toReading(session, projection), tracking));
      },
      readGroups: async function* (projection, signal) {
        const tracking = await track(toTrackedGroups({ config, projection, now: context.now() }), signal);
        yield* pagesOf(signal, (session) => readGroupPages(toReading(session, projection), tracking));
      },
      ...(schema === 'ActiveDirectory' && {
        readChanges: (since, { users, groups }, signal) =>
          pagesOf(signal, (session) => readChangePages(toReading(session, users), { since, groups })),
      }),
      readMatching: (wanted, projection) => {
        const filter = toScopeFilter(wanted, toDialect(config).userFilter);
        if (filter === null) return null;
        return (signal) => pagesOf(signal, (session) => readUserPages(toReading(session, projection), null, filter));
      },
      readOne: (id, projection, signal) =>
        inSession(signal, (session) => readOneUser(toReading(session, projection), id)),
      readPhoto: ({ id }, asked, signal) => photos.read(id, asked, signal),
      close: async () => photos.close(),
    };
  },
};

function toEndpoint(config: LdapConfig, { secrets, where, network }: SourceContext): Endpoint {
  const { url, startTLS = false } = config;
  return { url, startTLS, credentials: toCredentials(secrets, where), where, ...network };
}
