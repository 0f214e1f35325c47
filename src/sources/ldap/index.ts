import type { Source, SourceContext, SourceProvider } from '../source.ts';
import { type LdapConfig, toCredentials, toDirectory, validateConfig } from './config.ts';
import { readIdentity } from './identity.ts';
import { ALL_ATTRIBUTES, type Reading, readGroupPages, readOneUser, readUserPages } from './read.ts';
import { type Endpoint, openSession, type Session } from './session.ts';

/** An LDAP server, or a domain controller of Active Directory. Each read has a connection of its own. */
export const ldapSource: SourceProvider<LdapConfig> = {
  name: 'ldap',
  directory: toDirectory,
  validate: validateConfig,
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
    return {
      identity: (signal) => inSession(signal, (session) => readIdentity(session, config)),
      schema: async () => ({ projection: ALL_ATTRIBUTES, findings: [] }),
      readUsers: (projection, signal) => pagesOf(signal, (session) => readUserPages(toReading(session, projection))),
      readGroups: (projection, signal) => pagesOf(signal, (session) => readGroupPages(toReading(session, projection))),
      readOne: (id, projection, signal) =>
        inSession(signal, (session) => readOneUser(toReading(session, projection), id)),
      close: async () => undefined,
    };
  },
};

function toEndpoint(config: LdapConfig, { secrets, where, network }: SourceContext): Endpoint {
  const { url, startTLS = false } = config;
  return { url, startTLS, credentials: toCredentials(secrets, where), where, ...network };
}
