/** The source `ldap` against a domain controller of Active Directory: that of Samba. */
import { Attribute, Change } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import type { SourceUser } from '../../src/model.ts';
import type { GroupPage, Source, SourcePage } from '../../src/sources/source.ts';
import { type ConnectOptions, connectLdap } from '../sources/ldap/connect.ts';
import { AD_BASE, READER, type Samba, startSamba } from './samba.ts';

const SIGNAL = new AbortController().signal;
const PEOPLE = `OU=People,${AD_BASE}`;
const GROUPS = `OU=Groups,${AD_BASE}`;
const NOW = new Date('2026-11-22T00:00:00Z');
const COUNT = 2_000;
/** Every so many-th is disabled, has expired, or will. */
const isDisabled = (number: number): boolean => number % 10 === 3;
const hasExpired = (number: number): boolean => number % 50 === 7;
const willExpire = (number: number): boolean => number % 50 === 8;

/** In steps of 100 ns since 1601. */
function toFileTime(date: Date): string {
  return String((BigInt(date.getTime()) + 11_644_473_600_000n) * 10_000n);
}

const toPersonDn = (number: number): string => `CN=Person ${number},${PEOPLE}`;
const toGroupDn = (name: string): string => `CN=${name},${GROUPS}`;

function toPerson(number: number): Record<string, string | string[]> {
  return {
    objectClass: ['top', 'person', 'organizationalPerson', 'user'],
    sAMAccountName: `person-${number}`,
    userPrincipalName: `person-${number}@corp.example`,
    mail: `person.${number}@example.com`,
    displayName: `Person ${number}, Zoë`,
    department: number % 2 === 0 ? 'Finance' : 'Sales',
    // Without a password nobody can be anything but disabled, unless none is needed.
    userAccountControl: isDisabled(number) ? '514' : '544',
    ...(hasExpired(number) ? { accountExpires: toFileTime(new Date('2026-11-21T23:59:59Z')) } : {}),
    ...(willExpire(number) ? { accountExpires: toFileTime(new Date('2026-11-22T00:00:01Z')) } : {}),
    ...(number === 1 ? {} : { manager: toPersonDn(1) }),
  };
}

let samba: Samba;

async function addGroup(name: string, members: readonly string[]): Promise<void> {
  const named = { objectClass: ['top', 'group'], sAMAccountName: name };
  await samba.client.add(toGroupDn(name), members.length === 0 ? named : { ...named, member: [...members] });
}

beforeAll(async () => {
  samba = await startSamba();
  const { client } = samba;
  for (const dn of [PEOPLE, GROUPS]) await client.add(dn, { objectClass: ['top', 'organizationalUnit'] });
  for (let number = 1; number <= COUNT; number += 1) await client.add(toPersonDn(number), toPerson(number));
  const numbers = Array.from({ length: COUNT }, (_, index) => index + 1);
  await addGroup('Everybody', numbers.map(toPersonDn));
  await addGroup('Inner', [2, 3].map(toPersonDn));
  await addGroup('Middle', [toGroupDn('Inner'), toPersonDn(4)]);
  await addGroup('Outer', [toGroupDn('Middle'), toPersonDn(5)]);
  await addGroup('Empty', []);
  await addGroup('Primary', [toPersonDn(6)]);
  // A circle.
  const circle = new Attribute({ type: 'member', values: [toGroupDn('Outer')] });
  await client.modify(toGroupDn('Inner'), new Change({ operation: 'add', modification: circle }));
  await setPrimaryGroup(6, 'Primary');
  await client.add(`CN=PRINTER,${PEOPLE}`, { objectClass: ['top', 'computer'], sAMAccountName: 'PRINTER$' });
  await client.add(toPersonDn(COUNT + 1), toPerson(COUNT + 1));
  await client.del(toPersonDn(COUNT + 1));
}, 900_000);

afterAll(() => samba.stop());

async function setPrimaryGroup(number: number, group: string): Promise<void> {
  const options = { scope: 'base' as const, attributes: ['primaryGroupToken'] };
  const { searchEntries } = await samba.client.search(toGroupDn(group), options);
  const modification = new Attribute({
    type: 'primaryGroupID',
    values: [String(searchEntries[0]?.['primaryGroupToken'])],
  });
  await samba.client.modify(toPersonDn(number), new Change({ operation: 'replace', modification }));
}

function connect(
  options: ConnectOptions = {},
  access: Partial<typeof READER> & { url?: string } = {},
): Promise<Source> {
  const { network, ...rest } = options;
  return connectLdap(
    { url: samba.url, ...READER, ...access },
    {
      ...{ schema: 'ActiveDirectory', baseDN: AD_BASE, now: NOW, usersBaseDN: PEOPLE },
      ...{ network: { ca: samba.authority, timeoutMs: 60_000, ...network }, ...rest },
    },
  );
}

async function readPages(source: Source, names: readonly string[] = ['sAMAccountName']): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers(names, SIGNAL)) pages.push(page);
  return pages;
}

async function readUsers(source: Source, names?: readonly string[]): Promise<readonly SourceUser[]> {
  return (await readPages(source, names)).flatMap(({ users }) => users);
}

const toNumber = ({ attributes }: SourceUser): number => Number(String(attributes['sAMAccountName']).split('-')[1]);

async function readGroups(source: Source): Promise<readonly GroupPage[]> {
  const pages: GroupPage[] = [];
  for await (const page of source.readGroups?.(['cn'], SIGNAL) ?? []) pages.push(page);
  return pages;
}

async function toFailure(work: Promise<unknown>): Promise<SyncError> {
  return work.then(
    () => new SyncError('Unknown', 'it answered'),
    (thrown: unknown) => SyncError.from(thrown),
  );
}

describe('people', () => {
  it('are read in pages: no computers, nobody who was deleted', async () => {
    const pages = await readPages(await connect());
    expect(pages.map(({ users }) => users.length)).toEqual([500, 500, 500, 500, 0]);
    expect(pages.flatMap(({ failed }) => failed)).toEqual([]);
    const numbers = pages.flatMap(({ users }) => users.map(toNumber)).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: COUNT }, (_, index) => index + 1));
  });

  it('come with all that the account sees where all is asked for (S18), and no password', async () => {
    const source = await connect();
    const { projection = [] } = (await source.schema?.(SIGNAL)) ?? {};
    const names = (await readPages(source, projection)).at(-1)?.end?.attributes ?? [];
    for (const name of ['cn', 'department', 'objectSid', 'whenCreated', 'memberOf', 'manager', 'manager_email'])
      expect(names).toContain(name);
    expect(names).not.toContain('unicodePwd');
  });

  it('are active by userAccountControl and accountExpires', async () => {
    for (const [now, isOver] of [
      [NOW, (number: number) => hasExpired(number)],
      [new Date('2026-11-22T00:00:02Z'), (number: number) => hasExpired(number) || willExpire(number)],
    ] as const) {
      const users = await readUsers(await connect({ now }));
      for (const user of users) {
        const number = toNumber(user);
        expect({ number, active: user.active }).toEqual({ number, active: !isDisabled(number) && !isOver(number) });
      }
    }
  });

  it('come with what is asked for, and the mail address of the manager', async () => {
    const users = await readUsers(await connect(), ['sAMAccountName', 'displayName', 'department', 'manager_email']);
    expect(users.find((user) => toNumber(user) === 9)?.attributes).toMatchObject({
      dn: toPersonDn(9),
      displayName: 'Person 9, Zoë',
      department: 'Sales',
      manager: toPersonDn(1),
      manager_email: 'person.1@example.com',
    });
  });

  it('keep their id when they are renamed and moved', async () => {
    const find = async (): Promise<string | undefined> =>
      (await readUsers(await connect({ usersBaseDN: AD_BASE }))).find((user) => toNumber(user) === 10)?.id;
    const before = await find();
    const moved = `CN=Somebody else,CN=Users,${AD_BASE}`;
    await samba.client.modifyDN(toPersonDn(10), moved);
    expect(await find()).toBe(before);
    await samba.client.modifyDN(moved, toPersonDn(10));
    expect(before).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it('are narrowed by a filter with the chain rule', async () => {
    const inOuter = `(memberOf:1.2.840.113556.1.4.1941:=${toGroupDn('Outer')})`;
    const users = await readUsers(await connect({ userFilter: `(&(objectClass=user)${inOuter})` }));
    expect(users.map(toNumber).toSorted()).toEqual([2, 3, 4, 5]);
  });

  it('are asked for one by one; who was deleted is nobody', async () => {
    const source = await connect();
    const [first] = await readUsers(source);
    expect((await source.readOne?.(first?.id ?? '', ['sAMAccountName'], SIGNAL))?.user).toEqual(first);
    const dn = toPersonDn(COUNT + 2);
    await samba.client.add(dn, toPerson(COUNT + 2));
    const added = (await readUsers(source)).find((user) => toNumber(user) === COUNT + 2);
    await samba.client.del(dn);
    expect((await source.readOne?.(added?.id ?? '', ['sAMAccountName'], SIGNAL))?.user).toBeNull();
    expect((await source.readOne?.('nobody', ['sAMAccountName'], SIGNAL))?.user).toBeNull();
  });
});

describe('groups', () => {
  /** Who is in which group, at any depth, as the directory says it and by what was read. */
  async function readMembers(source: Source): Promise<(name: string) => Promise<readonly number[]>> {
    const pages = await readGroups(source);
    const people = new Map((await readUsers(source)).map((user) => [user, toNumber(user)]));
    const names = new Map<string, { readonly group?: string; readonly person?: number }>();
    for (const [user, person] of people) {
      for (const name of [user.id, String(user.attributes['dn']).toLowerCase()]) names.set(name, { person });
    }
    const groups = pages.flatMap((page) => page.groups);
    for (const { id, aliases = [] } of groups) {
      for (const name of [id, ...aliases.map((alias) => alias.toLowerCase())]) names.set(name, { group: id });
    }
    const refs = new Map<string, string[]>();
    for (const { group, members } of pages.flatMap((page) => page.members)) {
      const known = refs.get(group) ?? [];
      refs.set(group, [...known, ...members.flatMap((member) => ('ref' in member ? member.ref.toLowerCase() : []))]);
    }
    const collect = (id: string, seen: Set<string>): readonly number[] => {
      if (seen.has(id)) return [];
      seen.add(id);
      const found = (refs.get(id) ?? []).map((ref) => names.get(ref));
      return found.flatMap(({ group, person } = {}) =>
        person !== undefined ? [person] : group === undefined ? [] : collect(group, seen),
      );
    };
    return async (name) => {
      const id = groups.find(({ displayName }) => displayName === name)?.id ?? '';
      return [...new Set(collect(id, new Set()))].toSorted((a, b) => a - b);
    };
  }

  async function readChain(name: string): Promise<readonly number[]> {
    const filter = `(&(sAMAccountType=805306368)(memberOf:1.2.840.113556.1.4.1941:=${toGroupDn(name)}))`;
    const options = { filter, attributes: ['sAMAccountName'], timeLimit: 0 };
    const { searchEntries } = await samba.client.search(PEOPLE, options);
    return searchEntries
      .map((entry) => Number(String(entry['sAMAccountName']).split('-')[1]))
      .toSorted((a, b) => a - b);
  }

  it('are those of the domain, each once, read whole', async () => {
    const pages = await readGroups(await connect({ groupsBaseDN: GROUPS }));
    const names = pages.flatMap((page) => page.groups.map(({ displayName }) => displayName));
    expect(names.toSorted()).toEqual(['Empty', 'Everybody', 'Inner', 'Middle', 'Outer', 'Primary']);
    expect(pages.flatMap(({ failed }) => failed)).toEqual([]);
  });

  it('have the members that the chain rule finds, in circles too', async () => {
    const members = await readMembers(await connect());
    for (const name of ['Everybody', 'Inner', 'Middle', 'Outer', 'Empty'])
      expect({ name, members: await members(name) }).toEqual({ name, members: await readChain(name) });
    expect(await members('Everybody')).toHaveLength(COUNT);
    expect(await members('Outer')).toEqual([2, 3, 4, 5]);
  });

  it('have those whose primary group they are, whom neither says', async () => {
    const members = await readMembers(await connect());
    expect(await readChain('Primary')).toEqual([]);
    expect(await members('Primary')).toEqual([6]);
    const everybody = Array.from({ length: COUNT }, (_, index) => index + 1);
    // Who has another primary group is a member of the old one by its list.
    expect(await members('Domain Users')).toEqual(everybody);
  });
});

it('photos are sent when the entry has changed', async () => {
  const source = await connect();
  const user = (await readUsers(source)).find((each) => toNumber(each) === 11);
  const look = (etag: string | null) => {
    if (user === undefined) throw new Error('there is no such person');
    return source.readPhoto?.(user, { etag, maxBytes: 10_000 }, SIGNAL);
  };
  expect(await look(null)).toEqual({ kind: 'none' });
  const setPhoto = (bytes: Buffer): Promise<void> => {
    const modification = new Attribute({ type: 'thumbnailPhoto', values: [bytes] });
    return samba.client.modify(toPersonDn(11), new Change({ operation: 'replace', modification }));
  };
  const photo = Buffer.from([0xff, 0xd8, 0xff, 0x00, 0x01]);
  await setPhoto(photo);
  const first = await look(null);
  expect(first).toMatchObject({ kind: 'photo', bytes: photo, etag: expect.stringMatching(/^usn [0-9a-f]{32} \d+$/) });
  const etag = first !== undefined && 'etag' in first ? first.etag : null;
  expect(await look(etag)).toEqual({ kind: 'unchanged' });
  await setPhoto(Buffer.alloc(20_000, 'x'));
  expect(await look(etag)).toEqual({ kind: 'tooLarge', etag: null, size: null });
  await source.close();
});

it('check source counts, compares the clocks, and says which right is missing', async () => {
  const use = { projection: ['mail'], groups: true };
  const findings: string[] = [];
  for await (const { verdict, about, message } of (await connect({ now: new Date() })).inspect?.(use, SIGNAL) ?? [])
    findings.push(`${verdict} ${about}: ${message}`);
  expect(findings).toEqual([
    'ok connection: encrypted',
    'ok credentials: name and password are taken',
    'ok clock: as that of the other side',
    `ok people: ${COUNT} below ${PEOPLE}`,
    expect.stringMatching(/^ok groups: \d+ below DC=corp,DC=example$/),
    expect.stringContaining(
      'warning changes: each run reads everybody, for the account has not the right "Replicating',
    ),
  ]);
});

describe('the connection', () => {
  it('says which domain it is, by its objectGUID', async () => {
    const { tenantId, ...rest } = await (await connect()).identity(SIGNAL);
    expect(rest).toEqual({ tenantName: 'corp.example', domains: ['corp.example'] });
    expect(tenantId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const error = await toFailure((await connect({ schema: 'RFC2307bis' })).identity(SIGNAL));
    expect(error).toMatchObject({ code: 'Invalid', message: expect.stringContaining('is an Active Directory') });
  });

  it('is encrypted by StartTLS, and takes no password before', async () => {
    const url = samba.plainUrl;
    expect(await readUsers(await connect({ startTLS: true }, { url }))).toHaveLength(COUNT);
    const error = await toFailure(readUsers(await connect({}, { url })));
    expect(error).toMatchObject({
      code: 'CredentialsRejected',
      message: expect.stringContaining('takes no password on a connection without encryption'),
    });
  });

  it('is refused where the certificate is not trusted, or the password wrong', async () => {
    expect(await toFailure(readUsers(await connect({ network: { ca: null } })))).toMatchObject({
      code: 'ReadFailed',
      message: expect.stringContaining('cannot be trusted'),
    });
    expect(await toFailure(readUsers(await connect({}, { password: 'wrong' })))).toMatchObject({
      code: 'CredentialsRejected',
      message: expect.stringContaining('the password is wrong'),
    });
  });
});
