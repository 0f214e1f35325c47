/** The config block `spec.source.ldap`, what the Secret must hold, and what each schema calls things. */
import { FilterParser } from 'ldapts';
import type { LdapSource } from '../../api/ldap-source.ts';
import { SyncError } from '../../errors.ts';

export type LdapConfig = LdapSource;

/** What directories of one schema have in common. */
export interface Dialect {
  readonly idAttribute: 'entryUUID' | 'objectGUID';
  readonly userFilter: string;
  readonly groupFilter: string;
  /** Asked for by name beside what mappings read. */
  readonly userAttributes: readonly string[];
  readonly groupAttributes: readonly string[];
  /** Those of groups that are not their members. */
  readonly groupNames: readonly string[];
  /** Attribute of users with the number of their primary group, whose members do not name them. */
  readonly primaryGroup: 'gidNumber' | 'primaryGroupID';
  /** Of people; the first that there is. */
  readonly photoAttributes: readonly string[];
}

/** Both say when somebody may not sign in for good: 389 Directory Server, and the password policy of OpenLDAP. */
const LOCKS = ['nsAccountLock', 'pwdAccountLockedTime'];
const GROUP = ['entryUUID', 'objectClass', 'cn', 'gidNumber'];
/** By whichever a group has. */
const MEMBERS = ['member', 'uniqueMember', 'memberUid'];
const DIRECTORY_GROUP = ['objectGUID', 'objectSid', 'cn', 'displayName'];
const GROUP_FILTER =
  '(|(objectClass=posixGroup)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers))';

const DIALECTS: Readonly<Record<LdapConfig['schema'], Dialect>> = {
  RFC2307: {
    idAttribute: 'entryUUID',
    userFilter: '(objectClass=posixAccount)',
    groupFilter: GROUP_FILTER,
    userAttributes: ['entryUUID', ...LOCKS],
    groupAttributes: [...GROUP, ...MEMBERS],
    groupNames: GROUP,
    primaryGroup: 'gidNumber',
    photoAttributes: ['jpegPhoto'],
  },
  RFC2307bis: {
    idAttribute: 'entryUUID',
    userFilter: '(objectClass=inetOrgPerson)',
    groupFilter: GROUP_FILTER,
    userAttributes: ['entryUUID', ...LOCKS],
    groupAttributes: [...GROUP, ...MEMBERS],
    groupNames: GROUP,
    primaryGroup: 'gidNumber',
    photoAttributes: ['jpegPhoto'],
  },
  ActiveDirectory: {
    idAttribute: 'objectGUID',
    // The last part leaves out the accounts of trusts, which are users of the category person too.
    userFilter: '(&(objectCategory=person)(objectClass=user)(sAMAccountType=805306368))',
    groupFilter: '(objectClass=group)',
    userAttributes: ['objectGUID', 'userAccountControl', 'accountExpires'],
    groupAttributes: [...DIRECTORY_GROUP, 'member'],
    groupNames: DIRECTORY_GROUP,
    primaryGroup: 'primaryGroupID',
    photoAttributes: ['thumbnailPhoto', 'jpegPhoto'],
  },
};

export function toDialect({ schema, userFilter, groupFilter }: LdapConfig): Dialect {
  const dialect = DIALECTS[schema];
  return {
    ...dialect,
    userFilter: userFilter ?? dialect.userFilter,
    groupFilter: groupFilter ?? dialect.groupFilter,
  };
}

/** The columns of the tables of names that the records go by. */
export function toDirectory({ schema }: LdapConfig): 'activeDirectory' | 'ldap' {
  return schema === 'ActiveDirectory' ? 'activeDirectory' : 'ldap';
}

/** Ports of the global catalogue, plain and encrypted. */
const CATALOGUE_PORTS = ['3268', '3269'];

/** Problems that can be seen offline, one sentence each. */
export function validateConfig(config: LdapConfig): readonly string[] {
  const { url, startTLS = false, userFilter, groupFilter } = config;
  if (!URL.canParse(url)) return ['source.ldap.url is no URL; write one such as ldaps://dc1.corp.example'];
  const problems: string[] = [];
  if (startTLS && new URL(url).protocol === 'ldaps:')
    problems.push('source.ldap.startTLS is for a url that begins with ldap://; leave one of them out');
  if (CATALOGUE_PORTS.includes(new URL(url).port))
    problems.push(
      'source.ldap.url is the global catalogue, which has neither all attributes nor the members of all groups; take port 636',
    );
  for (const [field, filter] of Object.entries({ userFilter, groupFilter })) {
    if (filter !== undefined && !isFilter(filter))
      problems.push(`source.ldap.${field} is no filter; write one such as (objectClass=inetOrgPerson)`);
  }
  return problems;
}

function isFilter(text: string): boolean {
  try {
    FilterParser.parseString(text);
    return true;
  } catch {
    return false;
  }
}

export interface BindCredentials {
  readonly bindDN: string;
  readonly password: string;
}

/**
 * A line end behind a value is left out, as files of Secrets often have one.
 * @throws SyncError `ReferenceNotFound` where a key is missing or empty: a server takes an empty password for nobody's
 *   (RFC 4513 section 5.1.2), and shows what everybody may see
 */
export function toCredentials(secrets: Readonly<Record<string, string>>, where: string): BindCredentials {
  const read = (key: string): string => {
    const value = Object.hasOwn(secrets, key) ? (secrets[key] ?? '').replace(/[\r\n]+$/, '') : '';
    if (value !== '') return value;
    const keys = Object.keys(secrets).toSorted().slice(0, 10).join(', ');
    const message = `${where} must have the keys "bindDN" and "password", neither of them empty; it has ${keys === '' ? 'no keys' : keys}`;
    throw new SyncError('ReferenceNotFound', message);
  };
  return { bindDN: read('bindDN'), password: read('password') };
}
