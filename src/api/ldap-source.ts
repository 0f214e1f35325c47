/** Configuration of the source `ldap`. */
import { Type } from '@sinclair/typebox';
import { authorities } from './provider-fields.ts';
import { type SchemaRule, toFields } from './rules.ts';
import { flag, type Of, object, oneOf, reference, text, whole } from './schema.ts';
import { isLoopbackHost } from './urls.ts';

/** Plain LDAP would show the password to everybody on the way; StartTLS makes of it an encrypted connection. */
const ldapEncryptedRule: SchemaRule = {
  name: 'ldapEncrypted',
  message:
    'url must begin with ldaps, or startTLS be true; a connection that stays plain to a host other than loopback needs allowHTTP: true',
  cel: "self.url.startsWith('ldaps://') || (has(self.startTLS) && self.startTLS) || (has(self.allowHTTP) && self.allowHTTP) || self.url.matches('^ldap://(localhost|127(\\\\.[0-9]{1,3}){3}|\\\\[::1\\\\])(:[0-9]+)?/?$')",
  holds: (value) => {
    const { url, startTLS, allowHTTP } = toFields(value) ?? {};
    if (typeof url !== 'string' || startTLS === true || allowHTTP === true || !URL.canParse(url)) return true;
    const { protocol, hostname } = new URL(url);
    return protocol !== 'ldap:' || isLoopbackHost(hostname);
  },
};

const LDAP_SCHEMAS = ['RFC2307', 'RFC2307bis', 'ActiveDirectory'] as const;

function distinguishedName(description: string, documentedDefault?: string) {
  return text({
    maxLength: 1024,
    pattern: '^[^=,]+=.+$',
    expected: 'a distinguished name, as ou=people,dc=example,dc=com',
    description,
    ...(documentedDefault === undefined ? {} : { documentedDefault }),
  });
}

function searchFilter(whose: string) {
  return text({
    maxLength: 4096,
    pattern: '^\\(.+\\)$',
    expected: 'a filter in parentheses, as (objectClass=inetOrgPerson)',
    documentedDefault: 'by `schema`',
    description: `Filter (RFC 4515) of the entries that are ${whose}, instead of the default one.`,
  });
}

export const LdapSourceSchema = object(
  {
    url: text({
      maxLength: 2048,
      pattern: '^ldaps?://[^\\s/?#@]+/?$',
      expected: 'ldaps://HOST, or ldap://HOST with startTLS, and nothing behind the host but a port',
      description: 'Server, as `ldaps://dc1.corp.example` or, with `startTLS`, `ldap://ldap.example.com`.',
    }),
    startTLS: Type.Optional(
      flag({
        default: false,
        description: 'Encrypt the connection to an `ldap://` URL by StartTLS before anything else is sent.',
      }),
    ),
    baseDN: distinguishedName(
      'Entry below which people and groups are looked for, with all that is below it. Fixed is the naming context that it lies in: another one is `EndpointChanged` once people are linked.',
    ),
    usersBaseDN: Type.Optional(distinguishedName('Entry below which people are looked for.', 'baseDN')),
    groupsBaseDN: Type.Optional(distinguishedName('Entry below which groups are looked for.', 'baseDN')),
    schema: oneOf(LDAP_SCHEMAS, {
      description:
        'What the directory calls people, groups, ids and states: ActiveDirectory (also of Samba), RFC2307 (posixAccount, and posixGroup with memberUid) or RFC2307bis (inetOrgPerson, and groupOfNames or groupOfUniqueNames with DNs).',
    }),
    userFilter: Type.Optional(searchFilter('people')),
    groupFilter: Type.Optional(searchFilter('groups')),
    pageSize: Type.Optional(
      whole({ minimum: 1, maximum: 1000, default: 500, description: 'Entries that one request asks for.' }),
    ),
    caRef: Type.Optional(authorities('directory')),
    credentialsRef: reference('Secret', 'Secret with `bindDN` and `password`. It is read at each run.'),
    allowHTTP: Type.Optional(
      flag({
        default: false,
        description:
          'Take an `ldap://` URL without `startTLS` for a host other than loopback. The password and people then travel readable for everybody on the way.',
      }),
    ),
  },
  { description: 'People and groups of an LDAP server or of Active Directory.', rules: [ldapEncryptedRule] },
);
export type LdapSource = Of<typeof LdapSourceSchema>;
