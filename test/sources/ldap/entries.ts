import { hash } from 'node:crypto';
import type { GroupMember } from '../../../src/model.ts';
import { fromGuid } from '../../../src/sources/ldap/values.ts';
import type { FailedRecord, Source, SourceChange, SourcePage } from '../../../src/sources/source.ts';
import type { SampleGroup, SamplePerson } from '../../conformance/source.ts';
import type { ServedEntry, Values } from '../../support/ldap-server.ts';
import { BASE } from './connect.ts';

export const PEOPLE = `ou=People,${BASE}`;
export const GROUPS = `ou=Groups,${BASE}`;

/** A person of RFC 2307bis; the id of a sample is its entryUUID. */
export function toPersonEntry({ id, active, attributes }: SamplePerson): ServedEntry {
  const { department = '', ...rest } = attributes;
  return {
    dn: toPersonDn(id),
    attributes: {
      objectClass: ['top', 'inetOrgPerson'],
      uid: [id],
      ...Object.fromEntries(
        Object.entries({ ...rest, departmentNumber: department }).map(([name, value]) => [name, [value]]),
      ),
      entryUUID: [id],
      ...(active ? {} : { pwdAccountLockedTime: ['000001010000Z'] }),
    },
  };
}

export function toPersonDn(id: string): string {
  return `uid=${id},${PEOPLE}`;
}

export function toGroupEntry({ id, displayName, members }: SampleGroup): ServedEntry {
  const cn = displayName.replaceAll(/[,"]/g, '\\$&');
  return {
    dn: `cn=${cn},${GROUPS}`,
    attributes: {
      objectClass: ['top', members.length === 0 ? 'groupOfMembers' : 'groupOfNames'],
      cn: [displayName],
      entryUUID: [id],
      member: members.map(toPersonDn),
    },
  };
}

/** A few of the attributes that servers know. */
const SCHEMA: ServedEntry = {
  dn: 'cn=Subschema',
  attributes: {
    objectClass: ['subschema'],
    attributeTypes: [
      "( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )",
      "( 2.16.840.1.113730.3.1.241 NAME 'displayName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )",
      "( 2.5.4.12 NAME 'title' SUP name )",
    ],
  },
};

/** The directory itself, so that its base is there whoever is in it. */
export const TREE: readonly ServedEntry[] = [
  { dn: '', attributes: { objectClass: ['top'], namingContexts: [BASE], subschemaSubentry: ['cn=Subschema'] } },
  SCHEMA,
  { dn: BASE, attributes: { objectClass: ['domain'], dc: ['example'] } },
  { dn: PEOPLE, attributes: { objectClass: ['organizationalUnit'], ou: ['People'] } },
  { dn: GROUPS, attributes: { objectClass: ['organizationalUnit'], ou: ['Groups'] } },
];

/** An id of the form that Active Directory gives, always the same for a name. */
export function toSampleGuid(name: string): string {
  return hash('md5', name).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function toGuidValue(name: string): Buffer {
  return fromGuid(toSampleGuid(name)) ?? Buffer.alloc(0);
}

export const AD_BASE = 'DC=corp,DC=example';
const DOMAIN_SID = [0x01, 0x05, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0];

/** `S-1-5-21-1-2-3-<rid>` */
function toSidValue(rid: number): Buffer {
  const last = Buffer.alloc(4);
  last.writeUInt32LE(rid);
  return Buffer.from([...DOMAIN_SID, ...last]);
}

export function toAdUser(name: string, more: Readonly<Record<string, Values>> = {}): ServedEntry {
  return {
    dn: `CN=${name},CN=Users,${AD_BASE}`,
    attributes: {
      objectClass: ['top', 'person', 'organizationalPerson', 'user'],
      objectCategory: ['person'],
      sAMAccountType: ['805306368'],
      sAMAccountName: [name],
      objectGUID: [toGuidValue(name)],
      userAccountControl: ['512'],
      accountExpires: ['9223372036854775807'],
      primaryGroupID: ['513'],
      ...more,
    },
  };
}

export function toAdGroup(name: string, rid: number, members: readonly string[]): ServedEntry {
  return {
    dn: `CN=${name},CN=Users,${AD_BASE}`,
    attributes: {
      objectClass: ['top', 'group'],
      cn: [name],
      objectGUID: [toGuidValue(name)],
      objectSid: [toSidValue(rid)],
      ...(members.length === 0 ? {} : { member: members.map((each) => `CN=${each},CN=Users,${AD_BASE}`) }),
    },
  };
}

const SCHEMA_BASE = `CN=Schema,CN=Configuration,${AD_BASE}`;
/** As the schema of Active Directory has them: flags, syntax, number of the link where it is one, and whether there may be several. */
const AD_ATTRIBUTES: readonly (readonly [
  name: string,
  flags: number,
  syntax: string,
  link?: number,
  isList?: boolean,
])[] = [
  ...['mail', 'displayName', 'department', 'title', 'sAMAccountName'].map((name) => [name, 16, '2.5.5.12'] as const),
  ...['userAccountControl', 'primaryGroupID', 'sAMAccountType'].map((name) => [name, 18, '2.5.5.9'] as const),
  ['accountExpires', 16, '2.5.5.16'],
  ['description', 16, '2.5.5.12', 0, true],
  ['cn', 18, '2.5.5.12'],
  ['objectClass', 18, '2.5.5.2', 0, true],
  ['objectCategory', 18, '2.5.5.1'],
  ['objectGUID', 19, '2.5.5.10'],
  ['objectSid', 18, '2.5.5.17'],
  ['manager', 16, '2.5.5.1', 42],
  ['secretary', 0, '2.5.5.1', 0, true],
  ['member', 18, '2.5.5.1', 2, true],
  ['memberOf', 17, '2.5.5.1', 3, true],
  ['whenChanged', 19, '2.5.5.11'],
  ['canonicalName', 134_217_748, '2.5.5.12', 0, true],
];

function toAttributeSchema([
  name,
  flags,
  syntax,
  link = 0,
  isList = false,
]: (typeof AD_ATTRIBUTES)[number]): ServedEntry {
  return {
    dn: `CN=${name},${SCHEMA_BASE}`,
    attributes: {
      objectClass: ['top', 'attributeSchema'],
      lDAPDisplayName: [name],
      systemFlags: [String(flags)],
      attributeSyntax: [syntax],
      isSingleValued: [isList ? 'FALSE' : 'TRUE'],
      ...(link === 0 ? {} : { linkID: [String(link)] }),
    },
  };
}

export const AD_TREE: readonly ServedEntry[] = [
  {
    dn: '',
    attributes: {
      objectClass: ['top'],
      namingContexts: [AD_BASE, `CN=Configuration,${AD_BASE}`],
      supportedCapabilities: ['1.2.840.113556.1.4.800'],
      schemaNamingContext: [SCHEMA_BASE],
      subschemaSubentry: ['cn=Subschema'],
    },
  },
  SCHEMA,
  { dn: AD_BASE, attributes: { objectClass: ['domainDNS'], objectGUID: [toGuidValue('the domain')] } },
  { dn: `CN=Users,${AD_BASE}`, attributes: { objectClass: ['container'] } },
  {
    dn: `CN=Deleted Objects,${AD_BASE}`,
    attributes: {
      objectClass: ['top', 'container'],
      isDeleted: ['TRUE'],
      objectGUID: [toGuidValue('Deleted Objects')],
    },
  },
  { dn: SCHEMA_BASE, attributes: { objectClass: ['dMD'] } },
  ...AD_ATTRIBUTES.map(toAttributeSchema),
];

/** The same source with ids of samples, where the directory gives ids of its own. */
export function withSampleIds(source: Source, names: ReadonlyMap<string, string>): Source {
  const toSample = (id: string | null): string | null => (id === null ? null : (names.get(id) ?? id));
  const toOwn = new Map([...names].map(([own, name]) => [name, own]));
  const { readOne, readChanges, readMatching, readPhoto } = source;
  const toMember = (member: GroupMember): GroupMember =>
    'ref' in member ? { ...member, ref: toSample(member.ref) ?? '' } : member;
  const toFailed = (failed: readonly FailedRecord[]): readonly FailedRecord[] =>
    failed.map((each) => ({ ...each, id: toSample(each.id) }));
  const toChange = (change: SourceChange): SourceChange => {
    if (change.type === 'user') return { ...change, user: { ...change.user, id: toSample(change.user.id) ?? '' } };
    if (change.type === 'group') return { ...change, group: { ...change.group, id: toSample(change.group.id) ?? '' } };
    if (change.type !== 'members') return { ...change, id: toSample(change.id) ?? '' };
    return { ...change, group: toSample(change.group) ?? '', added: change.added.map(toMember) };
  };
  async function* toPages(pages: AsyncIterable<SourcePage>): AsyncGenerator<SourcePage> {
    for await (const page of pages) {
      const users = page.users.map((user) => ({ ...user, id: toSample(user.id) ?? '' }));
      yield { ...page, users, failed: toFailed(page.failed) };
    }
  }
  return {
    ...source,
    readUsers: (projection, signal) => toPages(source.readUsers(projection, signal)),
    ...(readMatching === undefined
      ? {}
      : {
          readMatching: (wanted, projection) => {
            const read = readMatching(wanted, projection);
            return read === null ? null : (signal) => toPages(read(signal));
          },
        }),
    async *readGroups(projection, signal) {
      for await (const page of source.readGroups?.(projection, signal) ?? []) {
        yield {
          ...page,
          groups: page.groups.map((group) => ({ ...group, id: toSample(group.id) ?? '' })),
          members: page.members.map(({ group, members }) => ({
            group: toSample(group) ?? '',
            members: members.map(toMember),
          })),
          failed: toFailed(page.failed),
        };
      }
    },
    ...(readChanges === undefined
      ? {}
      : {
          async *readChanges(since, projection, signal) {
            for await (const page of readChanges(since, projection, signal)) {
              const { changes, failed, failedGroups } = page;
              yield {
                ...page,
                changes: changes.map(toChange),
                failed: toFailed(failed),
                failedGroups: toFailed(failedGroups),
              };
            }
          },
        }),
    ...(readPhoto && {
      readPhoto: (user, asked, signal) => readPhoto({ ...user, id: toOwn.get(user.id) ?? user.id }, asked, signal),
    }),
    ...(readOne === undefined
      ? {}
      : {
          readOne: async (id, projection, signal) => {
            const { user, ...rest } = await readOne(toOwn.get(id) ?? id, projection, signal);
            return { ...rest, user: user === null ? null : { ...user, id: toSample(user.id) ?? '' } };
          },
        }),
  };
}
