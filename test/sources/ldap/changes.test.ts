/** What an Active Directory tells of changes, and what it does not tell and is found out all the same. */
import { expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import { fromGuid } from '../../../src/sources/ldap/values.ts';
import type { ChangePage, Cursors, ReadEnd, Source } from '../../../src/sources/source.ts';
import { createLdapDirectory, type LdapDirectory } from '../../support/ldap-directory.ts';
import {
  type LdapFault,
  type SeenSearch,
  type ServedEntry,
  startLdapServer,
  type Values,
} from '../../support/ldap-server.ts';
import { type ConnectOptions, connectLdap } from './connect.ts';
import { AD_BASE, AD_TREE, toAdGroup, toAdUser, toSampleGuid } from './entries.ts';

const SIGNAL = new AbortController().signal;
const NAMES = ['displayName', 'manager', 'manager_email', 'mail'];
const NOW = new Date('2026-11-22T00:00:00Z');
const RIGHT = 'the account has not the right "Replicating Directory Changes"';
const dnOf = (name: string): string => `CN=${name},CN=Users,${AD_BASE}`;
const at = (entry: ServedEntry, dn: string): ServedEntry => ({ ...entry, dn });
const anOu = (name: string, id = name): ServedEntry => ({
  dn: `OU=${name},${AD_BASE}`,
  attributes: { objectClass: ['organizationalUnit'], objectGUID: [fromGuid(toSampleGuid(id)) ?? ''] },
});

/** 100 ns since 1601. */
const toTicks = (date: Date): string => String((BigInt(date.getTime()) + 11_644_473_600_000n) * 10_000n);

async function open(entries: readonly ServedEntry[], options: ConnectOptions = {}) {
  const server = await startLdapServer();
  onTestFinished(() => server.close());
  const directory = createLdapDirectory(server);
  const set = (now: readonly ServedEntry[]): void => directory.set([...AD_TREE, ...now]);
  set(entries);
  const connect = (now = NOW): Promise<Source> =>
    connectLdap(server, { schema: 'ActiveDirectory', baseDN: AD_BASE, now, ...options });
  return { server, directory, set, connect, source: await connect() };
}

interface Asking {
  readonly users?: readonly string[];
  readonly groups?: boolean;
}

async function readEnds(source: Source, { users = NAMES, groups = false }: Asking = {}): Promise<readonly ReadEnd[]> {
  const ends: (ReadEnd | undefined)[] = [];
  for await (const { end } of source.readUsers(users, SIGNAL)) ends.push(end);
  if (groups) for await (const { end } of source.readGroups?.([], SIGNAL) ?? []) ends.push(end);
  return ends.filter((end) => end !== undefined);
}

async function readCursors(source: Source, asking: Asking = {}): Promise<Cursors> {
  const [users, groups] = await readEnds(source, asking);
  if (typeof users?.cursor !== 'string') throw new Error(`no cursor, for ${users?.noCursor}`);
  return { users: users.cursor, groups: groups?.cursor ?? null };
}

interface Told {
  /** As `user ada`, in the order of the changes. */
  readonly changes: readonly string[];
  readonly pages: readonly ChangePage[];
  readonly end: Cursors;
}

const KNOWN = ['ada', 'bea', 'cyd', 'dan', 'boss', 'Inner', 'Outer', 'Staff', 'Other', 'Printers', 'North'];
const SAMPLES = new Map(KNOWN.map((name) => [toSampleGuid(name), name]));
const nameOf = (id: string): string => SAMPLES.get(id) ?? id;

async function readChanges(source: Source, since: Cursors, { users = NAMES }: Asking = {}): Promise<Told> {
  const pages: ChangePage[] = [];
  const projection = { users, groups: since.groups === null ? null : [] };
  for await (const page of source.readChanges?.(since, projection, SIGNAL) ?? []) pages.push(page);
  const changes = pages.flatMap((page) =>
    page.changes.map((change) => {
      if (change.type === 'user') return `user ${nameOf(change.user.id)}`;
      if (change.type === 'group') return `group ${nameOf(change.group.id)}`;
      if (change.type !== 'members') return `${change.type} ${nameOf(change.id)}`;
      const added = change.added.map((member) => ('ref' in member ? nameOf(member.ref) : '*'));
      return `${nameOf(change.group)} ${change.replaces ? '=' : '+'} ${added.join(' ')}`.trim();
    }),
  );
  const end = pages.at(-1)?.end?.cursors;
  if (end === undefined) throw new Error('there is no end');
  return { changes, pages, end };
}

const toUsers = ({ pages }: Told) =>
  pages.flatMap(({ changes }) => changes.flatMap((change) => (change.type === 'user' ? [change.user] : [])));

async function toError(work: Promise<unknown>): Promise<SyncError> {
  return work.then(
    () => new SyncError('Unknown', 'it answered'),
    (thrown: unknown) => SyncError.from(thrown),
  );
}

const ada = (more: Readonly<Record<string, Values>> = {}) => toAdUser('ada', more);

it('asks twice where nothing has changed, and once more for those who have', async () => {
  const { server, set, source } = await open([ada(), toAdUser('bea')]);
  const since = await readCursors(source);
  const before = server.searches.length;
  const { changes, end } = await readChanges(source, since);
  expect(changes).toEqual([]);
  expect(server.searches.length - before).toBe(2);
  set([ada({ displayName: ['Ada'] }), toAdUser('bea')]);
  const told = await readChanges(source, end);
  expect(told.changes).toEqual(['user ada']);
  expect(toUsers(told)[0]).toMatchObject({ active: true, attributes: { dn: dnOf('ada'), displayName: 'Ada' } });
  expect(server.searches.length - before).toBe(5);
});

it('follows the changes to their end, in as many answers as it takes', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `p${index}`);
  const { directory, set, source } = await open(names.map((name) => toAdUser(name)));
  directory.pageSize = 3;
  const since = await readCursors(source);
  set(names.map((name) => toAdUser(name, { displayName: [name] })));
  const told = await readChanges(source, since);
  expect(toUsers(told).map(({ attributes }) => attributes['displayName'])).toEqual(names);
  expect((await readChanges(source, told.end)).changes).toEqual([]);
});

it('tells nothing of attributes that are not asked for, and keeps nothing back of those that are', async () => {
  const { set, source } = await open([ada({ displayName: ['Ada'] })]);
  const since = await readCursors(source);
  set([ada({ displayName: ['Ada'], title: ['Engineer'] })]);
  expect((await readChanges(source, since)).changes).toEqual([]);
  set([ada()]);
  expect(toUsers(await readChanges(source, since))[0]?.attributes).not.toHaveProperty('displayName');
});

it('removes who is deleted, and who is no longer among those whom a full read lists', async () => {
  const North = anOu('North');
  const filter = '(&(objectClass=user)(!(title=Guest)))';
  const people = [ada(), toAdUser('bea'), toAdUser('cyd')].map((entry) =>
    at(entry, entry.dn.replace('CN=Users', 'OU=North')),
  );
  const [a = ada(), b = ada(), c = ada()] = people;
  const { set, source } = await open([North, ...people], { usersBaseDN: North.dn, userFilter: filter });
  const since = await readCursors(source);
  const guest = { ...a, attributes: { ...a.attributes, title: ['Guest'] } };
  set([North, guest, at(b, dnOf('bea'))]);
  const { changes, end } = await readChanges(source, since);
  expect(changes.toSorted()).toEqual(['userRemoved ada', 'userRemoved bea', 'userRemoved cyd']);
  // Back again, the third by being restored.
  set([North, a, b, c]);
  expect((await readChanges(source, end)).changes).toEqual(['userRemoved cyd', 'user ada', 'user bea', 'user cyd']);
});

it('puts who comes into scope again into the groups of the read that they are in, of which nothing is told', async () => {
  const staff = toAdGroup('Staff', 1100, ['ada', 'Inner']);
  const inner = toAdGroup('Inner', 1101, []);
  const printers = toAdGroup('Printers', 1102, ['ada']);
  const primary = toAdGroup('Other', 1103, []);
  const groups = [staff, inner, primary, { ...printers, attributes: { ...printers.attributes, title: ['Hidden'] } }];
  const options = {
    groupFilter: '(&(objectClass=group)(!(title=Hidden)))',
    userFilter: '(&(objectClass=user)(!(title=Guest)))',
  };
  const { objectSid = [] } = toAdGroup('', 2000, []).attributes;
  const of1103 = { primaryGroupID: ['1103'], objectSid };
  const { set, source } = await open([ada({ title: ['Guest'], ...of1103 }), ...groups], options);
  const since = await readCursors(source, { groups: true });
  set([ada(of1103), ...groups]);
  const { changes } = await readChanges(source, since);
  expect(changes.toSorted()).toEqual(['Other + ada', 'Staff + ada', 'user ada']);
});

it('reads a group whole that has changed: its list to the end, and whose primary group it is', async () => {
  const names = Array.from({ length: 25 }, (_, index) => `p${index}`);
  const people = names.map((name) => toAdUser(name));
  const primary = toAdUser('bea', { primaryGroupID: ['1100'] });
  const { server, set, source } = await open([...people, primary, toAdGroup('Staff', 1100, [])]);
  server.mostValues = 10;
  const since = await readCursors(source, { groups: true });
  set([...people, primary, toAdGroup('Staff', 1100, names)]);
  const { changes, pages } = await readChanges(source, since);
  expect(changes.slice(0, 2)).toEqual(['group Staff', 'Staff =']);
  const members = pages.flatMap((page) => page.changes.flatMap((each) => (each.type === 'members' ? each.added : [])));
  expect(members.map((member) => ('ref' in member ? member.ref : '')).toSorted()).toEqual(
    [...names, 'bea'].map(toSampleGuid).toSorted(),
  );
  expect(pages.flatMap(({ failedGroups }) => failedGroups)).toEqual([]);
});

it('names members by id: a renamed one stays, and a renamed group keeps those above it', async () => {
  const { set, source } = await open([ada(), toAdGroup('Inner', 1100, ['ada']), toAdGroup('Outer', 1101, ['Inner'])]);
  const since = await readCursors(source, { groups: true });
  const renamed = at(toAdGroup('Inner', 1100, ['Ada B']), dnOf('Innermost'));
  set([at(ada(), dnOf('Ada B')), renamed, toAdGroup('Outer', 1101, ['Innermost'])]);
  const { changes } = await readChanges(source, since);
  expect(changes).toEqual(['user ada', 'Inner + ada', 'Outer + Inner', 'group Inner', 'Inner =', 'Inner + ada']);
});

it('removes a group that is deleted or that the filter leaves out', async () => {
  const groupFilter = '(&(objectClass=group)(!(title=Hidden)))';
  const hidden = toAdGroup('Other', 1101, []);
  const { set, source } = await open([toAdGroup('Staff', 1100, []), hidden], { groupFilter });
  const since = await readCursors(source, { groups: true });
  set([{ ...hidden, attributes: { ...hidden.attributes, title: ['Hidden'] } }]);
  const { changes } = await readChanges(source, since);
  expect(changes.filter((change) => change.startsWith('group')).toSorted()).toEqual([
    'groupRemoved Other',
    'groupRemoved Staff',
  ]);
});

it('names those again who name somebody that is renamed, has another address, or is gone', async () => {
  const boss = (name: string, mail: string) => at(toAdUser('boss', { mail: [mail] }), dnOf(name));
  const of = (name: string) => [ada({ manager: [dnOf(name)] }), toAdUser('bea', { manager: [dnOf('ada')] })];
  const { set, source } = await open([boss('boss', 'b@example.com'), ...of('boss')]);
  let { end } = await readChanges(source, await readCursors(source));
  const step = async (now: readonly ServedEntry[]) => {
    set(now);
    const told = await readChanges(source, end);
    ({ end } = told);
    return { changes: told.changes, ada: toUsers(told).find(({ id }) => id === toSampleGuid('ada'))?.attributes };
  };
  expect(await step([boss('chief', 'b@example.com'), ...of('chief')])).toMatchObject({
    changes: ['user boss', 'user ada'],
    ada: { manager: dnOf('chief'), manager_email: 'b@example.com' },
  });
  expect(await step([boss('chief', 'new@example.com'), ...of('chief')])).toMatchObject({
    changes: ['user boss', 'user ada'],
    ada: { manager_email: 'new@example.com' },
  });
  const gone = await step([ada(), toAdUser('bea', { manager: [dnOf('ada')] })]);
  expect(gone.changes).toEqual(['userRemoved boss', 'user ada']);
  expect(gone.ada).not.toHaveProperty('manager');
});

it('reads everybody where it cannot be told who named somebody that is gone', async () => {
  const asking = { users: ['secretary'] };
  const { set, source } = await open([
    ada({ secretary: [dnOf('bea'), dnOf('cyd')] }),
    toAdUser('bea'),
    toAdUser('cyd'),
  ]);
  const since = await readCursors(source, asking);
  set([ada({ secretary: [dnOf('cyd')] }), toAdUser('cyd')]);
  const error = await toError(readChanges(source, since, asking));
  expect(error).toMatchObject({ code: 'CursorExpired', message: expect.stringContaining('secretary') });
});

it('reads everybody when a part of the tree is renamed, and nobody for one that is new or empty of people', async () => {
  const inNorth = at(ada(), `CN=ada,OU=North,${AD_BASE}`);
  const { set, source } = await open([anOu('North'), inNorth]);
  const since = await readCursors(source);
  set([anOu('North'), anOu('South'), inNorth]);
  const { end } = await readChanges(source, since);
  set([anOu('Far North', 'North'), anOu('South'), at(ada(), `CN=ada,OU=Far North,${AD_BASE}`)]);
  expect(await toError(readChanges(source, end))).toMatchObject({
    code: 'CursorExpired',
    message: expect.stringContaining('part of the tree'),
  });
});

it('names those again whose time is up by the clock, or is not after all', async () => {
  const expires = new Date('2026-11-22T06:00:00Z');
  const { connect, source } = await open([ada({ accountExpires: [toTicks(expires)] }), toAdUser('bea')]);
  const later = await connect(new Date('2026-11-22T07:00:00Z'));
  const first = await readChanges(later, await readCursors(source));
  expect(toUsers(first).map(({ id, active }) => [nameOf(id), active])).toEqual([['ada', false]]);
  expect((await readChanges(later, first.end)).changes).toEqual([]);
  const backwards = await readChanges(source, first.end);
  expect(toUsers(backwards).map(({ id, active }) => [nameOf(id), active])).toEqual([['ada', true]]);
});

it('does not go on after two days, for deletions may be forgotten', async () => {
  const { connect, source } = await open([ada()]);
  const since = await readCursors(source);
  const after = async (hours: number) => connect(new Date(NOW.getTime() + hours * 3_600_000));
  expect((await readChanges(await after(47), since)).changes).toEqual([]);
  expect((await toError(readChanges(await after(49), since))).code).toBe('CursorExpired');
});

it('takes nobody for gone while somebody cannot be told apart', async () => {
  const filter = '(&(objectClass=user)(!(title=Guest)))';
  const { server, set, source } = await open([ada(), toAdUser('bea')], { userFilter: filter });
  const since = await readCursors(source);
  set([ada({ title: ['Guest'] }), toAdUser('bea', { displayName: ['Bea'] })]);
  server.fault = ({ filter: text }) => (text.includes('objectguid') ? 'withoutIds' : null);
  const { changes, pages } = await readChanges(source, since);
  expect(changes).toEqual([]);
  expect(pages.flatMap(({ failed }) => failed.map(({ id }) => id))).toEqual([null]);
});

it.each([
  ['what the account may not ask', {}, { mayReplicate: false }, RIGHT],
  ['deletions, which it may not see', {}, { seesDeleted: false }, 'it may not read "CN=Deleted Objects"'],
  [
    'members of a group',
    { userFilter: `(&(objectClass=user)(memberOf=${dnOf('Staff')}))` },
    {},
    'does not tell changes of memberOf',
  ],
  [
    'chains',
    { userFilter: `(&(objectClass=user)(memberOf:1.2.840.113556.1.4.1941:=${dnOf('Staff')}))` },
    {},
    'a filter follows chains',
  ],
  [
    'names of others',
    { userFilter: `(&(objectClass=user)(!(manager=${dnOf('boss')})))` },
    {},
    'does not tell changes of manager',
  ],
  ['what each server knows by itself', {}, { users: ['whenChanged'] }, 'does not tell changes of whenChanged'],
  ['what is computed', {}, { users: ['canonicalName'] }, 'does not tell changes of canonicalName'],
  ['everything', {}, { users: [] }, 'everything is asked for'],
  ['two parts of a forest', { groupsBaseDN: `CN=Configuration,${AD_BASE}` }, {}, 'different naming contexts'],
] as const)(
  'tells no changes of %s, and says why',
  async (_what, options, { users, ...rights }: { users?: readonly string[] } & Partial<LdapDirectory>, why) => {
    const { directory, source } = await open([ada()], options);
    Object.assign(directory, rights);
    const [end] = await readEnds(source, users === undefined ? {} : { users });
    expect(end?.cursor ?? null).toBeNull();
    expect(end?.noCursor).toContain(why);
  },
);

const isFeed = ({ attributes }: SeenSearch): boolean => attributes.includes('isdeleted');

it.each<[LdapFault, string, string]>([
  [{ code: 51 }, 'ReadFailed', 'is busy'],
  [{ code: 3, entries: 1 }, 'ReadIncomplete', 'ends the changes before its end'],
  [{ code: 53 }, 'CursorExpired', 'does not tell changes (result 53)'],
  [{ code: 50 }, 'CursorExpired', RIGHT],
  ['noControl', 'ReadFailed', 'does not say whether there is more of the changes'],
  ['reset', 'ReadFailed', 'the connection'],
  ['garbage', 'ReadFailed', 'no LDAP'],
])('ends with %j in place of changes as %s', async (fault, code, message) => {
  const { server, set, source } = await open([ada()]);
  const since = await readCursors(source);
  set([ada({ displayName: ['Ada'] })]);
  server.fault = (search) => (isFeed(search) ? fault : null);
  expect(await toError(readChanges(source, since))).toMatchObject({ code, message: expect.stringContaining(message) });
});

it('reads everybody though where changes go on cannot be found out', async () => {
  const { server, source } = await open([ada()], { network: { timeoutMs: 2_000 } });
  const isCookie = ({ filter }: SeenSearch): boolean => filter.includes('(isdeleted=TRUE)');
  for (const fault of ['hang', 'reset', { code: 52 }] as const) {
    server.fault = (search) => (isCookie(search) ? fault : null);
    const [end] = await readEnds(source);
    expect(end).toMatchObject({ noCursor: expect.stringContaining('ldap://') });
  }
});

it('is not to be had of other directories', async () => {
  const server = await startLdapServer();
  onTestFinished(() => server.close());
  expect((await connectLdap(server)).readChanges).toBeUndefined();
});
