import type { LdapConfig } from '../../../src/sources/ldap/config.ts';
import { ldapSource } from '../../../src/sources/ldap/index.ts';
import type { NetworkOptions, Source } from '../../../src/sources/source.ts';
import { createTestClient, NO_FILES, NO_NETWORK } from '../http-client.ts';

export interface LdapAccess {
  readonly url: string;
  readonly bindDN?: string;
  readonly password?: string;
}

export interface ConnectOptions extends Partial<Omit<LdapConfig, 'url'>> {
  readonly network?: Partial<NetworkOptions>;
  readonly now?: Date;
}

export const BASE = 'dc=example,dc=com';

/** As a run connects, to a directory of RFC 2307bis below `BASE` where nothing else is said. */
export function connectLdap({ url, bindDN, password }: LdapAccess, options: ConnectOptions = {}): Promise<Source> {
  const { network, now = new Date('2026-11-22T00:00:00Z'), ...config } = options;
  return ldapSource.connect(
    { url, baseDN: BASE, schema: 'RFC2307bis', credentialsRef: { name: 'acme-ldap' }, ...config },
    {
      secrets: { ...(bindDN === undefined ? {} : { bindDN }), ...(password === undefined ? {} : { password }) },
      where: 'Secret default/acme-ldap',
      files: NO_FILES,
      http: createTestClient(),
      network: { ...NO_NETWORK, ...network },
      now: () => now,
    },
  );
}
