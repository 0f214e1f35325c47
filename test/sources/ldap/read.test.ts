/** What is read of entries, of either kind of directory. */
import { expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { SourceUser } from '../../../src/model.ts';
import type { GroupPage, Source, SourcePage } from '../../../src/sources/source.ts';
import { type ServedEntry, startLdapServer, type Values } from '../../support/ldap-server.ts';
import { BASE, type ConnectOptions, connectLdap } from './connect.ts';
import { AD_BASE, AD_TREE, GROUPS, PEOPLE, TREE, toAdGroup, toAdUser, toSampleGuid } from './entries.ts';

const SIGNAL = new AbortController().signal;

async function open(entries: readonly ServedEntry[], options: ConnectOptions = {}) {
  const server = await startLdapServer();
  onTestFinished(() => server.close());
  server.entries = entries;
  return { server, source: await connectLdap(server, options) };
}

const openLdap = (entries: readonly ServedEntry[], options: ConnectOptions = {}) =>
  open([...TREE, ...entries], options);
const openAd = (entries: readonly ServedEntry[], options: ConnectOptions = {}) =>
  open([...AD_TREE, ...entries], { schema: 'ActiveDirectory', baseDN: AD_BASE, ...options });

function aPerson(uid: string, more: Readonly<Record<string, Values>> = {}): ServedEntry {
  const attributes = {
    objectClass: ['inetOrgPerson', 'posixAccount'],
    uid: [uid],
    entryUUID: [`uuid-${uid}`],
    ...more,
  };
  return { dn: `uid=${uid},${PEOPLE}`, attributes };
}

function aGroup(cn: string, more: Readonly<Record<string, Values>>): ServedEntry {
  return { dn: `cn=${cn},${GROUPS}`, attributes: { cn: [cn], entryUUID: [`uuid-${cn}`], ...more } };
}

async function readPages(source: Source, projection: readonly string[] = []): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers(projection, SIGNAL)) pages.push(page);
  return pages;
}

async function readUsers(source: Source, projection: readonly string[] = []): Promise<SourceUser[]> {
  const pages = await readPages(source, projection);
  expect(pages.flatMap(({ failed }) => failed)).toEqual([]);
  return pages.flatMap(({ users }) => users);
}

async function readGroups(source: Source): Promise<{ pages: GroupPage[]; members: Record<string, string[]> }> {
  const pages: GroupPage[] = [];
  for await (const page of source.readGroups?.([], SIGNAL) ?? []) pages.push(page);
  const members: Record<string, string[]> = {};
  for (const { group, members: list } of pages.flatMap((page) => page.members)) {
    members[group] = [
      ...(members[group] ?? []),
      ...list.map((each) => ('ref' in each ? `${each.kind} ${each.ref}` : each.kind)),
    ];
  }
  return { pages, members };
}

it('gives one value as text, several as a list, bytes in base64 and ids in their text form', async () => {
  const photo = Buffer.from([0xff, 0xd8, 0xff]);
  const { source } = await openAd([
    toAdUser('ada', {
      mail: ['ada@corp.example'],
      proxyAddresses: ['SMTP:ada@corp.example', 'smtp:a@corp.example'],
      objectSid: [Buffer.from('010500000000000515000000010000000200000003000000e9030000', 'hex')],
      thumbnailPhoto: [photo],
      odd: [Buffer.from([0xc3, 0x28])],
    }),
  ]);
  const [user] = await readUsers(source);
  expect(user?.id).toBe(toSampleGuid('ada'));
  expect(user?.attributes).toMatchObject({
    objectGUID: toSampleGuid('ada'),
    objectSid: 'S-1-5-21-1-2-3-1001',
    mail: 'ada@corp.example',
    proxyAddresses: ['SMTP:ada@corp.example', 'smtp:a@corp.example'],
    thumbnailPhoto: photo.toString('base64'),
    odd: 'wyg=',
    dn: `CN=ada,CN=Users,${AD_BASE}`,
  });
});

it('asks for what mappings use, for ids and for what tells the state, and for nothing else', async () => {
  const { server, source } = await openLdap([aPerson('ada', { givenName: ['Ada'], sn: ['L'], title: ['Agent'] })]);
  const pages = await readPages(source, ['givenname', 'sn', 'dn', 'custom_attributes', 'entryUUID']);
  expect(server.searches.at(-1)?.attributes.toSorted()).toEqual([
    ...['entryuuid', 'givenname', 'nsaccountlock', 'pwdaccountlockedtime', 'sn'],
  ]);
  // By the name that the mapping has, whatever the server calls it.
  expect(pages[0]?.users[0]?.attributes).toEqual({
    dn: `uid=ada,${PEOPLE}`,
    givenname: 'Ada',
    sn: 'L',
    entryUUID: 'uuid-ada',
  });
  expect(pages.at(-1)?.end?.attributes).toContain('givenname');
  expect(pages.at(-1)?.end?.attributes).not.toContain('title');
});

it('takes what the server knows for nobody’s where nobody has it, and what it does not know for unknown', async () => {
  const { server, source } = await openLdap([aPerson('ada')]);
  server.mostValues = 2;
  const pages = await readPages(source, ['commonname', 'TITLE', 'title;lang-de', 'manager_email', 'shoeSize']);
  expect(pages.at(-1)?.end?.attributes.toSorted()).toEqual([
    'TITLE',
    'commonname',
    'dn',
    'entryUUID',
    'manager_email',
    'nsAccountLock',
    'pwdAccountLockedTime',
    'title;lang-de',
  ]);
  server.fault = ({ baseDN }) => (baseDN === 'cn=Subschema' ? { code: 50 } : null);
  const hidden = await readPages(source, ['title']);
  expect(hidden.at(-1)?.end?.attributes).not.toContain('title');
});

it('never delivers a password, whoever asks', async () => {
  const { source } = await openLdap([aPerson('ada', { userPassword: ['{SSHA}x'], unicodePwd: ['x'] })]);
  for (const projection of [[], ['userPassword', 'unicodePwd', 'uid']]) {
    const [user] = await readUsers(source, projection);
    expect(JSON.stringify(user)).not.toMatch(/password|SSHA|unicodePwd/i);
  }
});

it('takes an account for inactive that is disabled or has expired, by the clock of the run alone', async () => {
  const ticks = (time: string) => [String((BigInt(Date.parse(time)) + 11_644_473_600_000n) * 10_000n)];
  const people = [
    toAdUser('plain'),
    toAdUser('disabled', { userAccountControl: ['514'] }),
    toAdUser('ends', { accountExpires: ticks('2026-12-01T00:00:00Z') }),
    toAdUser('never', { accountExpires: ['0'] }),
    toAdUser('new', { userAccountControl: ['546'] }),
    toAdUser('forever', { userAccountControl: ['66048'] }),
  ];
  const states = async (now: string) => {
    const { source } = await openAd(people, { now: new Date(now) });
    return (await readUsers(source)).map(({ active }) => active);
  };
  expect(await states('2026-11-30T23:59:59Z')).toEqual([true, false, true, true, false, true]);
  expect(await states('2026-12-01T00:00:00Z')).toEqual([true, false, false, true, false, true]);
});

it('does not know whether somebody without a readable state is active', async () => {
  const { source } = await openAd([
    toAdUser('hidden', { userAccountControl: [] }),
    toAdUser('odd', { accountExpires: ['tomorrow'] }),
    toAdUser('ada'),
  ]);
  const pages = await readPages(source);
  expect(pages.flatMap(({ users }) => users.map(({ id }) => id))).toEqual([toSampleGuid('ada')]);
  expect(pages.flatMap(({ failed }) => failed)).toEqual([
    {
      id: toSampleGuid('hidden'),
      code: 'RecordInvalid',
      message: 'it shows no userAccountControl, so that nobody knows whether it is active',
    },
    { id: toSampleGuid('odd'), code: 'RecordInvalid', message: 'its accountExpires is no time' },
  ]);
});

it('takes an account of LDAP for inactive that is locked for good, and no other', async () => {
  const { source } = await openLdap([
    aPerson('plain'),
    aPerson('locked', { pwdAccountLockedTime: ['000001010000Z'] }),
    aPerson('for a while', { pwdAccountLockedTime: ['20261122063241Z'] }),
    aPerson('lock', { nsAccountLock: ['TRUE'] }),
    aPerson('no lock', { nsAccountLock: ['false'] }),
  ]);
  expect((await readUsers(source)).map(({ active }) => active)).toEqual([true, false, true, false, true]);
});

it('leaves out computers, contacts and trusts of Active Directory', async () => {
  const { source } = await openAd([
    toAdUser('ada'),
    toAdUser('trust$', { sAMAccountType: ['805306370'] }),
    toAdUser('pc$', { objectCategory: ['computer'], sAMAccountType: ['805306369'] }),
    { ...toAdUser('contact'), attributes: { objectClass: ['contact'], objectCategory: ['person'] } },
  ]);
  expect((await readUsers(source)).map(({ id }) => id)).toEqual([toSampleGuid('ada')]);
});

it('reads with the filters and below the entries that the resource names', async () => {
  const { server, source } = await openLdap([aPerson('ada'), aPerson('bob', { o: ['Guests'] })], {
    userFilter: '(&(objectClass=inetOrgPerson)(!(o=Guests)))',
    usersBaseDN: PEOPLE,
    groupsBaseDN: GROUPS,
    groupFilter: '(objectClass=team)',
    pageSize: 7,
  });
  expect((await readUsers(source)).map(({ id }) => id)).toEqual(['uuid-ada']);
  await readGroups(source);
  expect(server.searches.map(({ baseDN, pageSize }) => [baseDN, pageSize])).toEqual([
    [PEOPLE, 7],
    [GROUPS, 7],
  ]);
  expect(server.searches[1]?.filter).toBe('(objectclass=team)');
});

it('finds the mail address of managers, out of scope or below another entry too, each once', async () => {
  const { server, source } = await openLdap(
    [
      aPerson('ada', { mail: ['ada@example.com'], manager: [`UID=Boss, OU=Leads,${BASE}`] }),
      aPerson('bob', { manager: [`uid=boss,ou=Leads,${BASE}`] }),
      aPerson('eve', { manager: [`uid=gone,${PEOPLE}`] }),
      aPerson('sam', { manager: [`uid=mute,ou=Leads,${BASE}`] }),
      {
        dn: `uid=boss,ou=Leads,${BASE}`,
        attributes: { objectClass: ['person'], mail: ['boss@example.com', 'b@example.com'] },
      },
      { dn: `uid=mute,ou=Leads,${BASE}`, attributes: { objectClass: ['person'] } },
    ],
    { usersBaseDN: PEOPLE, pageSize: 1 },
  );
  const users = await readUsers(source, ['manager_email']);
  expect(users.map(({ attributes }) => attributes['manager_email'])).toEqual([
    ...['boss@example.com', 'boss@example.com', undefined, undefined],
  ]);
  expect(users.map(({ attributes }) => attributes['manager'])).toContain(`UID=Boss,OU=Leads,${BASE}`);
  expect(server.searches.filter(({ attributes }) => attributes[0] === 'mail')).toHaveLength(3);
  expect(server.connections()).toBe(1);
});

it('lists members by whichever attribute a group has, and groups by their distinguished names', async () => {
  const { source } = await openLdap([
    aGroup('names', {
      objectClass: ['groupOfNames'],
      member: [`uid=ada,${PEOPLE}`, `CN=Inner, ${GROUPS}`, 'cn=nobody'],
    }),
    aGroup('unique', { objectClass: ['groupOfUniqueNames'], uniqueMember: [`uid=ada,${PEOPLE}#'0101'B`] }),
    aGroup('posix', { objectClass: ['posixGroup'], memberUid: ['ada', 'Bob'] }),
    aGroup('inner', { objectClass: ['groupOfMembers'] }),
  ]);
  const { pages, members } = await readGroups(source);
  expect(members).toEqual({
    'uuid-names': [`Any uid=ada,${PEOPLE}`, `Any CN=Inner,${GROUPS}`, 'Any cn=nobody'],
    'uuid-unique': [`Any uid=ada,${PEOPLE}`],
    'uuid-posix': ['User ada', 'User Bob'],
  });
  const groups = pages.flatMap((page) => page.groups);
  expect(groups.map(({ id, displayName, aliases }) => [id, displayName, aliases])).toEqual(
    ['names', 'unique', 'posix', 'inner'].map((cn) => [`uuid-${cn}`, cn, [`cn=${cn},${GROUPS}`]]),
  );
  expect(JSON.stringify(groups)).not.toContain('nobody');
});

it('takes a group that must have members and shows none for one that cannot be read', async () => {
  const { source } = await openLdap([
    aGroup('hidden', { objectClass: ['groupOfNames'] }),
    aGroup('empty', { objectClass: ['posixGroup'] }),
  ]);
  const { pages } = await readGroups(source);
  expect(pages.flatMap(({ failed }) => failed)).toEqual([
    {
      id: 'uuid-hidden',
      code: 'RecordInvalid',
      message: 'its members cannot be read: it has some, and the account may not see them',
    },
  ]);
});

it('counts people to their primary group, which no list of members names', async () => {
  const { source } = await openLdap(
    [
      aPerson('ada', { gidNumber: ['100'] }),
      aPerson('bob', { gidNumber: ['100'] }),
      aPerson('eve', { gidNumber: ['7'] }),
      aGroup('users', { objectClass: ['posixGroup'], gidNumber: ['100'], memberUid: ['eve'] }),
    ],
    { schema: 'RFC2307' },
  );
  expect((await readGroups(source)).members).toEqual({ 'uuid-users': ['User eve', 'User uuid-ada', 'User uuid-bob'] });
});

it('counts people of Active Directory to their primary group by its SID', async () => {
  const builtin = { ...toAdGroup('Administrators', 513, []) };
  const people = [toAdUser('ada'), toAdUser('bob', { primaryGroupID: ['1200'] })];
  const { source } = await openAd([
    ...people,
    toAdGroup('Domain Users', 513, []),
    toAdGroup('Staff', 1200, ['ada']),
    {
      ...builtin,
      attributes: { ...builtin.attributes, objectSid: [Buffer.from('01020000000000052000000001020000', 'hex')] },
    },
  ]);
  expect((await readGroups(source)).members).toEqual({
    [toSampleGuid('Domain Users')]: [`User ${toSampleGuid('ada')}`],
    [toSampleGuid('Staff')]: [`Any CN=ada,CN=Users,${AD_BASE}`, `User ${toSampleGuid('bob')}`],
  });
});

it('asks about nobody of Domain Users where that group is not read', async () => {
  const { server, source } = await openAd([toAdUser('ada'), toAdGroup('Staff', 1200, [])]);
  await readGroups(source);
  expect(server.searches.at(-1)?.filter).toContain('(!(primarygroupid=513))');
});

it('reads the rest of members that come in part', async () => {
  const people = Array.from({ length: 47 }, (_, index) => `person-${index}`);
  const { server, source } = await openAd([toAdGroup('Staff', 1200, people)]);
  server.mostValues = 10;
  const { members } = await readGroups(source);
  expect(members[toSampleGuid('Staff')]).toEqual(people.map((name) => `Any CN=${name},CN=Users,${AD_BASE}`));
  expect(server.searches.flatMap(({ attributes }) => attributes.filter((name) => name.includes('range')))).toEqual(
    [10, 20, 30, 40].map((start) => `member;range=${start}-*`),
  );
});

it('names a group whose rest is not to be had, and delivers the others', async () => {
  const { server, source } = await openAd([
    toAdGroup('Large', 1200, ['a', 'b', 'c', 'd', 'e']),
    toAdGroup('Small', 1201, ['a', 'b']),
  ]);
  server.mostValues = 2;
  server.fault = ({ attributes }) => (attributes[0] === 'member;range=4-*' ? { code: 32 } : null);
  const { pages, members } = await readGroups(source);
  expect(pages.flatMap(({ failed }) => failed.map(({ id }) => id))).toEqual([toSampleGuid('Large')]);
  expect(Object.keys(members)).toEqual([toSampleGuid('Small')]);
});

it('asks for one person by the id', async () => {
  const { server, source } = await openAd([toAdUser('ada'), toAdUser('bob')]);
  const found = await source.readOne?.(toSampleGuid('bob'), ['sAMAccountName'], SIGNAL);
  expect(found?.user?.attributes['sAMAccountName']).toBe('bob');
  expect(await source.readOne?.('no guid', [], SIGNAL)).toMatchObject({ user: null });
  expect(server.searches.filter(({ page }) => page > 0)).toHaveLength(1);
  server.entries = [...AD_TREE, toAdUser('bob'), { ...toAdUser('bob'), dn: `CN=twin,CN=Users,${AD_BASE}` }];
  await expect(source.readOne?.(toSampleGuid('bob'), [], SIGNAL)).rejects.toThrow(
    'more than one entry has this objectGUID',
  );
});

it('says which directory it is', async () => {
  const ad = await openAd([]);
  expect(await ad.source.identity(SIGNAL)).toEqual({
    tenantId: toSampleGuid('the domain'),
    tenantName: 'corp.example',
    domains: ['corp.example'],
  });
  const ldap = await openLdap([], { baseDN: `OU=People,  ${BASE}` });
  expect(await ldap.source.identity(SIGNAL)).toEqual({
    tenantId: BASE,
    tenantName: 'example.com',
    domains: ['example.com'],
  });
});

it('refuses a schema that is not that of the server', async () => {
  const ldap = await openLdap([], { schema: 'ActiveDirectory' });
  const message = (source: Source) =>
    source.identity(SIGNAL).then(
      () => '',
      (error: unknown) => SyncError.from(error).message,
    );
  expect(await message(ldap.source)).toContain('write another one than source.ldap.schema: ActiveDirectory');
  const ad = await openAd([], { schema: 'RFC2307' });
  expect(await message(ad.source)).toContain('write source.ldap.schema: ActiveDirectory');
});

it('reports entries without an id, of which nothing can be said', async () => {
  const { source } = await openLdap([aPerson('ada', { entryUUID: [] }), aPerson('bob')]);
  const pages = await readPages(source);
  expect(pages.flatMap(({ failed }) => failed)).toEqual([
    {
      id: null,
      code: 'RecordInvalid',
      message: 'an entry shows no entryUUID; check schema, and what the account may read',
    },
  ]);
});
