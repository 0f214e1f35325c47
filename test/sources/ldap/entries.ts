import { hash } from 'node:crypto';
import { fromGuid } from '../../../src/sources/ldap/values.ts';
import type { Source } from '../../../src/sources/source.ts';
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

export const AD_TREE: readonly ServedEntry[] = [
  {
    dn: '',
    attributes: {
      objectClass: ['top'],
      namingContexts: [AD_BASE, `CN=Configuration,${AD_BASE}`],
      supportedCapabilities: ['1.2.840.113556.1.4.800'],
      subschemaSubentry: ['cn=Subschema'],
    },
  },
  SCHEMA,
  { dn: AD_BASE, attributes: { objectClass: ['domainDNS'], objectGUID: [toGuidValue('the domain')] } },
  { dn: `CN=Users,${AD_BASE}`, attributes: { objectClass: ['container'] } },
];

/** The same source with ids of samples, where the directory gives ids of its own. */
export function withSampleIds(source: Source, names: ReadonlyMap<string, string>): Source {
  const toSample = (id: string | null): string | null => (id === null ? null : (names.get(id) ?? id));
  const toOwn = new Map([...names].map(([own, name]) => [name, own]));
  const { readOne } = source;
  return {
    ...source,
    async *readUsers(projection, signal) {
      for await (const page of source.readUsers(projection, signal)) {
        const users = page.users.map((user) => ({ ...user, id: toSample(user.id) ?? '' }));
        yield { ...page, users, failed: page.failed.map((each) => ({ ...each, id: toSample(each.id) })) };
      }
    },
    async *readGroups(projection, signal) {
      for await (const page of source.readGroups?.(projection, signal) ?? []) {
        yield {
          ...page,
          groups: page.groups.map((group) => ({ ...group, id: toSample(group.id) ?? '' })),
          members: page.members.map((each) => ({ ...each, group: toSample(each.group) ?? '' })),
          failed: page.failed.map((each) => ({ ...each, id: toSample(each.id) })),
        };
      }
    },
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
