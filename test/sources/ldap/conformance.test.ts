import type { Source } from '../../../src/sources/source.ts';
import {
  describeSizes,
  describeSource,
  type SampleGroup,
  type SamplePerson,
  type SeededPhotos,
  type SourceHarness,
} from '../../conformance/source.ts';
import { createLdapDirectory } from '../../support/ldap-directory.ts';
import { type LdapServer, type ServedEntry, startLdapServer } from '../../support/ldap-server.ts';
import { connectLdap } from './connect.ts';
import {
  AD_BASE,
  AD_TREE,
  TREE,
  toAdGroup,
  toAdUser,
  toGroupEntry,
  toPersonDn,
  toPersonEntry,
  toSampleGuid,
  withSampleIds,
} from './entries.ts';

const UNSUPPORTED = { S8: 'its pages are no snapshot: who is edited meanwhile is there once, as before or as after' };

/** One more attribute of this entry. */
function addTo(server: LdapServer, isMeant: (entry: ServedEntry) => boolean, more: ServedEntry['attributes']): void {
  server.entries = server.entries.map((entry) =>
    isMeant(entry) ? { ...entry, attributes: { ...entry.attributes, ...more } } : entry,
  );
}

async function startTree(entries: readonly ServedEntry[]): Promise<LdapServer> {
  const server = await startLdapServer();
  server.entries = [...TREE, ...entries];
  return server;
}

/** A directory whose entries have photos in this attribute. */
function withPhotos(server: LdapServer, source: Source, attribute: string, toDn: (id: string) => string): SeededPhotos {
  return {
    source,
    setPhoto: async (id, bytes) =>
      addTo(server, ({ dn }) => dn === toDn(id), { [attribute]: bytes === null ? [] : [Buffer.from(bytes)] }),
    breakPhoto: async () => {
      server.fault = ({ attributes }) => (attributes.includes(attribute.toLowerCase()) ? { code: 80 } : null);
    },
    close: async () => {
      await source.close();
      await server.close();
    },
  };
}

const LDAP: SourceHarness = {
  unsupported: UNSUPPORTED,
  seedPhotos: async (people) => {
    const server = await startTree(people.map(toPersonEntry));
    return withPhotos(server, await connectLdap(server), 'jpegPhoto', toPersonDn);
  },
  toName: (name) => (name === 'department' ? 'departmentNumber' : name),
  toRef: toPersonDn,
  seedGroups: async (people, groups) => {
    const server = await startTree([...people.map(toPersonEntry), ...groups.map(toGroupEntry)]);
    return {
      source: await connectLdap(server),
      truncate: async () => {
        server.fault = ({ filter }) =>
          filter.includes('posixgroup') || filter.includes('posixGroup') ? 'reset' : null;
      },
      breakGroup: async (id) => {
        server.entries = server.entries.map((entry) => {
          const { member: _hidden, ...shown } = entry.attributes;
          return entry.attributes['entryUUID']?.[0] === id ? { ...entry, attributes: shown } : entry;
        });
      },
      close: server.close,
    };
  },
  seed: async (people) => {
    const server = await startTree(people.map(toPersonEntry));
    return {
      source: await connectLdap(server),
      truncate: async () => {
        server.fault = ({ page }) => (page === 2 ? 'reset' : null);
      },
      remove: server.close,
      // Of an attribute that comes in part the rest is not to be had.
      breakRecord: async (id) => {
        server.mostValues = 2;
        addTo(server, ({ dn }) => dn === toPersonDn(id), { description: ['one', 'two', 'three'] });
        server.fault = ({ attributes }) => (attributes[0] === 'description;range=2-*' ? { code: 80 } : null);
      },
      close: server.close,
    };
  },
};

function toUserOfAd({ id, active, attributes }: SamplePerson): ServedEntry {
  return toAdUser(id, {
    ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, [value]])),
    userAccountControl: [active ? '512' : '514'],
  });
}

function toGroupOfAd({ id, displayName, members }: SampleGroup): ServedEntry {
  const group = toAdGroup(id, 1100 + Number(id.replace('group-', '').replace('new', '99')), members);
  return { ...group, attributes: { ...group.attributes, displayName: [displayName] } };
}

async function startAd(people: readonly SamplePerson[], groups: readonly SampleGroup[] = []) {
  const server = await startLdapServer();
  server.mostValues = 10;
  server.sameCookie = true;
  const directory = createLdapDirectory(server);
  directory.set([...AD_TREE, ...people.map(toUserOfAd), ...groups.map(toGroupOfAd)]);
  const source = await connectLdap(server, { schema: 'ActiveDirectory', baseDN: AD_BASE });
  const ids = [...people, ...groups, { id: 'person-new' }, { id: 'group-new' }];
  const samples = new Map(ids.map(({ id }) => [toSampleGuid(id), id] as const));
  return { server, directory, source: withSampleIds(source, samples) };
}

const NAMES = ['mail', 'displayName', 'department', 'description'];

/** As a run asks: of everything that there is no changes are told. */
function askForNames(source: Source): Source {
  const { readChanges, readUsers } = source;
  return {
    ...source,
    readUsers: (_everything, signal) => readUsers(NAMES, signal),
    ...(readChanges && {
      readChanges: (since, { groups }, signal) => readChanges(since, { users: NAMES, groups }, signal),
    }),
  };
}

const toUserDn = (id: string): string => `CN=${id},CN=Users,${AD_BASE}`;

const ACTIVE_DIRECTORY: SourceHarness = {
  unsupported: UNSUPPORTED,
  seedPhotos: async (people) => {
    const { server, source } = await startAd(people);
    return withPhotos(server, source, 'thumbnailPhoto', toUserDn);
  },
  seedGroups: async (people, groups) => {
    const { server, source } = await startAd(people, groups);
    return {
      source,
      truncate: async () => {
        server.fault = ({ filter }) => (/objectclass=group\b/i.test(filter) ? { code: 4, entries: 10 } : null);
      },
      breakGroup: async (id) => {
        server.fault = ({ baseDN }) => (baseDN.startsWith(`CN=${id},`) ? { code: 80 } : null);
      },
      close: server.close,
    };
  },
  seed: async (people) => {
    const { server, source } = await startAd(people);
    return {
      source,
      truncate: async () => {
        server.fault = ({ page }) => (page === 3 ? { code: 4, entries: 100 } : null);
      },
      remove: server.close,
      breakRecord: async (id) => addTo(server, ({ dn }) => dn.startsWith(`CN=${id},`), { userAccountControl: [] }),
      close: server.close,
    };
  },
  seedChanges: async (people, groups) => {
    const { server, directory, source } = await startAd(people, groups);
    let broken = '';
    const toUser = (person: SamplePerson): ServedEntry => {
      const { dn, attributes } = toUserOfAd(person);
      return { dn, attributes: person.id === broken ? { ...attributes, userAccountControl: [] } : attributes };
    };
    return {
      source: askForNames(source),
      change: async (now, nowGroups) => directory.set([...AD_TREE, ...now.map(toUser), ...nowGroups.map(toGroupOfAd)]),
      expire: async () => directory.expire(),
      truncate: async () => {
        server.fault = ({ attributes }) => (attributes.includes('isdeleted') ? 'reset' : null);
      },
      breakRecord: async (id) => {
        broken = id;
      },
      close: server.close,
    };
  },
};

for (const [name, harness] of Object.entries({ LDAP, 'Active Directory': ACTIVE_DIRECTORY })) {
  describeSource(name, harness);
  describeSizes(name, harness);
}
