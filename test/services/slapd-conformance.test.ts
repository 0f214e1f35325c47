/** The rules of sources over OpenLDAP: each case has a slapd of its own. */
import { Attribute, Change, Client } from 'ldapts';
import { vi } from 'vitest';
import type { PhotoAnswer, Source } from '../../src/sources/source.ts';
import { describeSource, type SampleGroup, type SamplePerson } from '../conformance/source.ts';
import { connectLdap } from '../sources/ldap/connect.ts';
import { GROUPS, toPersonDn, toPersonEntry, toSampleGuid, withSampleIds } from '../sources/ldap/entries.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import type { ServedEntry } from '../support/ldap-server.ts';
import { HIDDEN, READER, startSlapd, WRITER } from './slapd.ts';

vi.setConfig({ testTimeout: 300_000 });

function toPerson(person: SamplePerson): ServedEntry {
  const { dn, attributes } = toPersonEntry(person);
  const named = { cn: [person.id], sn: [person.id], entryUUID: [toSampleGuid(person.id)] };
  return { dn, attributes: { ...attributes, objectClass: ['inetOrgPerson'], ...named } };
}

const toGroupDn = (id: string): string => `ou=${id},${GROUPS}`;

/** One with nobody is of a class that needs nobody. */
function toGroup({ id, displayName, members }: SampleGroup, index: number): ServedEntry {
  const named = { ou: [id], cn: [displayName], entryUUID: [toSampleGuid(id)] };
  const empty = { objectClass: ['posixGroup', 'extensibleObject'], gidNumber: [String(5000 + index)] };
  const full = { objectClass: ['groupOfNames'], member: members.map(toPersonDn) };
  return { dn: toGroupDn(id), attributes: { ...named, ...(members.length === 0 ? empty : full) } };
}

async function start(people: readonly SamplePerson[], groups: readonly SampleGroup[] = []) {
  const slapd = await startSlapd([...people.map(toPerson), ...groups.map(toGroup)]);
  const { hostname, port } = new URL(slapd.url);
  const proxy = await startCuttingProxy({ host: hostname, port: Number(port) });
  const source = await connectLdap({ url: `ldap://${hostname}:${proxy.port}`, ...READER });
  const ids = new Map([...people, ...groups].map(({ id }) => [toSampleGuid(id), id]));
  async function replace(dn: string, type: string, values: Buffer[] | string[]): Promise<void> {
    const client = new Client({ url: slapd.url, timeout: 60_000 });
    try {
      await client.bind(WRITER.bindDN, WRITER.password);
      const modification = new Attribute({ type, values });
      await client.modify(dn, new Change({ operation: 'replace', modification }));
    } finally {
      await client.unbind();
    }
  }
  return {
    ...{ slapd, proxy, replace },
    source: withSampleIds(source, ids),
    close: async () => {
      await source.close();
      proxy.close();
      await slapd.stop();
    },
  };
}

/** What slapd takes for a photo begins so. */
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);

/** Samples are photos of another kind. */
function withoutHeader(source: Source): Source {
  const { readPhoto } = source;
  return {
    ...source,
    ...(readPhoto && {
      readPhoto: async (user, asked, signal): Promise<PhotoAnswer> => {
        const answer = await readPhoto(user, { ...asked, maxBytes: asked.maxBytes + JPEG.length }, signal);
        return answer.kind === 'photo' ? { ...answer, bytes: answer.bytes.subarray(JPEG.length) } : answer;
      },
    }),
  };
}

describeSource('OpenLDAP', {
  unsupported: { S8: 'its pages are no snapshot: who is edited meanwhile is there once, as before or as after' },
  toName: (name) => (name === 'department' ? 'departmentNumber' : name),
  toRef: toPersonDn,
  seed: async (people) => {
    const { slapd, proxy, replace, source, close } = await start(people);
    return {
      ...{ source, close },
      // In the middle of a page.
      truncate: async () => proxy.cutAfter(50_000),
      remove: () => slapd.stop(),
      breakRecord: (id) => replace(toPersonDn(id), 'businessCategory', [HIDDEN.id]),
    };
  },
  seedGroups: async (people, groups) => {
    const { proxy, replace, source, close } = await start(people, groups);
    return {
      ...{ source, close },
      truncate: async () => proxy.cutAfter(5_000),
      breakGroup: (id) => replace(toGroupDn(id), 'businessCategory', [HIDDEN.members]),
    };
  },
  seedPhotos: async (people) => {
    const { slapd, replace, source, close } = await start(people);
    return {
      source: withoutHeader(source),
      close,
      setPhoto: (id, bytes) =>
        replace(toPersonDn(id), 'jpegPhoto', bytes === null ? [] : [Buffer.concat([JPEG, bytes])]),
      breakPhoto: () => slapd.stop(),
    };
  },
});
