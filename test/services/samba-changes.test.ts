/** Changes of an Active Directory, as a domain controller of Samba tells them. */

import { Attribute, Change, Control } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { toGuid } from '../../src/sources/ldap/values.ts';
import type { ChangePage, Cursors, Source } from '../../src/sources/source.ts';
import type { SampleGroup, SamplePerson } from '../conformance/source.ts';
import { createSamplePeople } from '../conformance/source.ts';
import { describeChanges } from '../conformance/source-changes.ts';
import { type ConnectOptions, connectLdap } from '../sources/ldap/connect.ts';
import { withSampleIds } from '../sources/ldap/entries.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { AD_BASE, READER, type Samba, SYNCER, startSamba } from './samba.ts';

// A domain controller answers at its own pace.
vi.setConfig({ testTimeout: 600_000 });

const SIGNAL = new AbortController().signal;
const NAMES = ['displayName', 'mail', 'department', 'description', 'manager', 'manager_email'];
const PERSON = ['top', 'person', 'organizationalPerson', 'user'];

let samba: Samba;
let folders = 0;

beforeAll(async () => {
  samba = await startSamba();
}, 900_000);

afterAll(() => samba.stop());

/** A part of the tree of its own. */
async function addFolder(): Promise<string> {
  folders += 1;
  const dn = `OU=Folder ${folders},${AD_BASE}`;
  await samba.client.add(dn, { objectClass: ['top', 'organizationalUnit'] });
  return dn;
}

async function replace(dn: string, values: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const changes = Object.entries(values).map(
    ([type, list]) => new Change({ operation: 'replace', modification: new Attribute({ type, values: [...list] }) }),
  );
  await samba.client.modify(dn, changes);
}

function connect(
  folder: string,
  options: ConnectOptions & { readonly url?: string; readonly as?: typeof READER } = {},
) {
  const { url = samba.url, as = SYNCER, ...rest } = options;
  const bases = { baseDN: AD_BASE, usersBaseDN: folder, groupsBaseDN: folder };
  const network = { ca: samba.authority, timeoutMs: 60_000 };
  return connectLdap({ url, ...as }, { schema: 'ActiveDirectory', now: new Date(), ...bases, network, ...rest });
}

/** As a run asks: for names. */
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

/** People and groups of samples in a folder of their own. */
async function createSamples(folder: string) {
  const ids = new Map<string, string>();
  const number = folders;
  let people: readonly SamplePerson[] = [];
  let groups: readonly SampleGroup[] = [];
  const dnOf = (id: string): string => `CN=${id},${folder}`;
  const toAttributes = ({ active, attributes }: SamplePerson): Record<string, string[]> => ({
    ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, [value]])),
    userAccountControl: [active ? '544' : '514'],
  });
  const toMembers = ({ displayName, members }: SampleGroup): Record<string, string[]> => ({
    displayName: [displayName],
    member: members.map(dnOf),
  });
  const without = (values: Record<string, string[]>): Record<string, string[]> =>
    Object.fromEntries(Object.entries(values).filter(([, list]) => list.length > 0));
  const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

  async function set<T extends { readonly id: string }>(
    before: readonly T[],
    now: readonly T[],
    { objectClass, toValues }: { objectClass: string[]; toValues: (item: T) => Record<string, string[]> },
  ): Promise<void> {
    const known = new Map(before.map((item) => [item.id, item]));
    const left = new Set(now.map(({ id }) => id));
    for (const { id } of before.filter((item) => !left.has(item.id))) await samba.client.del(dnOf(id));
    for (const item of now) {
      const old = known.get(item.id);
      const values = toValues(item);
      const named = { objectClass, sAMAccountName: [`${item.id}.${number}`] };
      if (old === undefined) await samba.client.add(dnOf(item.id), { ...named, ...without(values) });
      else if (!isSame(toValues(old), values)) await replace(dnOf(item.id), values);
    }
  }

  async function change(nowPeople: readonly SamplePerson[], nowGroups: readonly SampleGroup[]): Promise<void> {
    await set(people, nowPeople, { objectClass: PERSON, toValues: toAttributes });
    await set(groups, nowGroups, { objectClass: ['top', 'group'], toValues: toMembers });
    people = nowPeople;
    groups = nowGroups;
    const options = { filter: '(cn=*)', attributes: ['cn', 'objectGUID'], explicitBufferAttributes: ['objectGUID'] };
    const { searchEntries } = await samba.client.search(folder, { ...options, timeLimit: 0 });
    for (const { cn, objectGUID } of searchEntries)
      if (Buffer.isBuffer(objectGUID)) ids.set(toGuid(objectGUID), String(cn));
  }
  return { ids, change, dnOf };
}

describe('source contract: Active Directory of Samba', () => {
  const groups = Array.from(
    { length: 8 },
    (_, index): SampleGroup => ({
      id: `group-${index + 1}`,
      displayName: `Group ${index + 1}, "Zoë"`,
      members: Array.from({ length: index * 3 }, (_each, place) => `person-${place + 1}`),
    }),
  );
  const seed = () => Promise.reject(new Error('there are changes alone'));

  describeChanges(
    {
      seed,
      unsupported: {},
      seedChanges: async (people, sampleGroups) => {
        const folder = await addFolder();
        // On the address of the server, whose certificate has no other.
        const host = new URL(samba.url).hostname;
        const proxy = await startCuttingProxy({ host, port: 636 });
        const samples = await createSamples(folder);
        await samples.change(people, sampleGroups);
        // It is looked at with each request.
        const clock = new Date();
        const source = await connect(folder, { url: `ldaps://${host}:${proxy.port}`, now: clock });
        return {
          source: askForNames(withSampleIds(source, samples.ids)),
          change: samples.change,
          expire: async () => void clock.setTime(clock.getTime() + 3 * 86_400_000),
          truncate: async () => proxy.cutAfter(4_000),
          breakRecord: async (id) => {
            await samba.hideState(samples.dnOf(id));
            await replace(samples.dnOf(id), { title: ['Hidden'], displayName: ['Hidden'] });
          },
          close: async () => proxy.close(),
        };
      },
    },
    { people: createSamplePeople, groups },
  );
});

async function readCursors(source: Source): Promise<Cursors> {
  let users: string | undefined;
  let groups: string | null = null;
  for await (const { end } of source.readUsers(NAMES, SIGNAL)) {
    if (end?.noCursor !== undefined) throw new Error(end.noCursor);
    users = end?.cursor ?? users;
  }
  for await (const { end } of source.readGroups?.([], SIGNAL) ?? []) groups = end?.cursor ?? groups;
  return { users: users ?? '', groups };
}

async function readChanges(source: Source, since: Cursors) {
  const pages: ChangePage[] = [];
  const projection = { users: NAMES, groups: [] };
  for await (const page of source.readChanges?.(since, projection, SIGNAL) ?? []) pages.push(page);
  const changes = pages.flatMap((page) => page.changes);
  const users = changes.flatMap((change) => (change.type === 'user' ? [change.user] : []));
  const members = changes.flatMap((change) => (change.type === 'members' ? [change] : []));
  const joined = members.map(({ group, added }) => [
    group,
    added.map((each) => ('ref' in each ? each.ref : '*')).sort(),
  ]);
  // After a full read what people and groups have changed may be told twice.
  return {
    users: [...new Map(users.map((user) => [user.id, user])).values()],
    removed: [...new Set(changes.flatMap((change) => (change.type === 'userRemoved' ? [change.id] : [])))].toSorted(),
    /** Ids of people by that of the group, as they were added. */
    joined: [...new Map(joined.map((each) => [JSON.stringify(each), each])).values()],
    end: pages.at(-1)?.end?.cursors ?? since,
  };
}

async function idOf(dn: string): Promise<string> {
  const options = { scope: 'base' as const, explicitBufferAttributes: ['objectGUID'], attributes: ['objectGUID'] };
  const { searchEntries } = await samba.client.search(dn, options);
  const guid = searchEntries[0]?.['objectGUID'];
  return Buffer.isBuffer(guid) ? toGuid(guid) : '';
}

async function addPerson(folder: string, name: string, more: Record<string, string> = {}): Promise<string> {
  const dn = `CN=${name},${folder}`;
  const named = { objectClass: PERSON, sAMAccountName: `${name}.${folders}`, userAccountControl: '544' };
  await samba.client.add(dn, { ...named, ...more });
  return dn;
}

async function addGroup(folder: string, name: string, members: readonly string[]): Promise<string> {
  const dn = `CN=${name},${folder}`;
  const named = { objectClass: ['top', 'group'], sAMAccountName: `${name}.${folders}` };
  await samba.client.add(dn, members.length === 0 ? named : { ...named, member: [...members] });
  return dn;
}

describe('changes', () => {
  it('are told to nobody without the right, which is said', async () => {
    const folder = await addFolder();
    await addPerson(folder, 'ada');
    await expect(readCursors(await connect(folder, { as: READER }))).rejects.toThrow(
      'the account has not the right "Replicating Directory Changes"',
    );
  });

  it('of who leaves the base or the filter are removals, and who comes back is in their groups', async () => {
    const [folder, elsewhere] = [await addFolder(), await addFolder()];
    const [ada, bea] = [await addPerson(folder, 'ada'), await addPerson(folder, 'bea')];
    const [idOfAda, idOfBea] = [await idOf(ada), await idOf(bea)];
    const staff = await idOf(await addGroup(folder, 'Staff', [ada, bea]));
    const source = await connect(folder, { userFilter: '(&(objectClass=user)(!(title=Guest)))' });
    const since = await readCursors(source);
    await samba.client.modifyDN(ada, `CN=ada,${elsewhere}`);
    await replace(bea, { title: ['Guest'] });
    const { removed, users, end } = await readChanges(source, since);
    expect([removed, users]).toEqual([[idOfAda, idOfBea].toSorted(), []]);
    await samba.client.modifyDN(`CN=ada,${elsewhere}`, ada);
    await replace(bea, { title: [] });
    const back = await readChanges(source, end);
    expect(back.users.map(({ id }) => id).toSorted()).toEqual([idOfAda, idOfBea].toSorted());
    expect(back.joined).toEqual([[staff, [idOfAda, idOfBea].toSorted()]]);
  });

  it('of a manager who is renamed, has another address or is deleted are those of whom they manage', async () => {
    const folder = await addFolder();
    const boss = await addPerson(folder, 'boss', { mail: 'boss@example.com' });
    const ada = await idOf(await addPerson(folder, 'ada', { manager: boss }));
    const source = await connect(folder);
    let end = await readCursors(source);
    const step = async (run: () => Promise<void>) => {
      await run();
      const told = await readChanges(source, end);
      ({ end } = told);
      return told.users.find(({ id }) => id === ada)?.attributes;
    };
    const chief = `CN=chief,${folder}`;
    expect(await step(() => samba.client.modifyDN(boss, chief))).toMatchObject({ manager: chief });
    const address = { mail: ['chief@example.com'] };
    expect(await step(() => replace(chief, address))).toMatchObject({ manager_email: 'chief@example.com' });
    expect(await step(() => samba.client.del(chief))).not.toHaveProperty('manager');
  });

  it('of the primary group put somebody into it', async () => {
    const folder = await addFolder();
    const ada = await addPerson(folder, 'ada');
    const staff = await addGroup(folder, 'Staff', [ada]);
    const source = await connect(folder);
    const since = await readCursors(source);
    const options = { scope: 'base' as const, attributes: ['primaryGroupToken'] };
    const { searchEntries } = await samba.client.search(staff, options);
    await replace(ada, { primaryGroupID: [String(searchEntries[0]?.['primaryGroupToken'])] });
    const { joined } = await readChanges(source, since);
    expect(joined).toContainEqual([await idOf(staff), [await idOf(ada)]]);
  });

  it('are those of the clock too', async () => {
    const folder = await addFolder();
    const now = new Date();
    const expires = String((BigInt(now.getTime()) + 60_000n + 11_644_473_600_000n) * 10_000n);
    const ada = await idOf(await addPerson(folder, 'ada', { accountExpires: expires }));
    const since = await readCursors(await connect(folder, { now }));
    const later = await connect(folder, { now: new Date(now.getTime() + 120_000) });
    const told = await readChanges(later, since);
    expect(told.users.map(({ id, active }) => [id, active])).toEqual([[ada, false]]);
    expect((await readChanges(later, told.end)).users).toEqual([]);
  });

  it('of who is deleted and restored take away the groups that did not come back', async () => {
    const folder = await addFolder();
    const ada = await addPerson(folder, 'ada');
    const id = await idOf(ada);
    await addGroup(folder, 'Staff', [ada]);
    const source = await connect(folder);
    const since = await readCursors(source);
    await samba.client.del(ada);
    const showDeleted = new Control('1.2.840.113556.1.4.417', { critical: true });
    const deleted = `CN=ada\\0ADEL:${id},CN=Deleted Objects,${AD_BASE}`;
    const changes = [
      new Change({ operation: 'delete', modification: new Attribute({ type: 'isDeleted' }) }),
      new Change({ operation: 'replace', modification: new Attribute({ type: 'distinguishedName', values: [ada] }) }),
    ];
    await samba.client.modify(deleted, changes, [showDeleted]);
    const { removed, users, joined } = await readChanges(source, since);
    expect([removed, users.map((user) => user.id), joined]).toEqual([[id], [id], []]);
  });

  it('cannot be told where a part of the tree is renamed', async () => {
    const folder = await addFolder();
    const inner = `OU=Inner,${folder}`;
    await samba.client.add(inner, { objectClass: ['top', 'organizationalUnit'] });
    await addPerson(inner, 'ada');
    const source = await connect(folder);
    const since = await readCursors(source);
    await samba.client.modifyDN(inner, `OU=Other,${folder}`);
    await expect(readChanges(source, since)).rejects.toMatchObject({ code: 'CursorExpired' });
    onTestFinished(() => source.close());
  });
});
