/** The source `ldap` against OpenLDAP, with 2,000 people. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import type { GroupPage, Source, SourcePage } from '../../src/sources/source.ts';
import { createSamplePeople, type SamplePerson } from '../conformance/source.ts';
import { BASE, type ConnectOptions, connectLdap } from '../sources/ldap/connect.ts';
import { toPersonDn, toPersonEntry, toSampleGuid } from '../sources/ldap/entries.ts';
import type { ServedEntry } from '../support/ldap-server.ts';
import { LIMITED, READER, type Slapd, startSlapd } from './slapd.ts';

const SIGNAL = new AbortController().signal;
const PEOPLE = createSamplePeople(2_000);
const uuid = (id: string) => ({ entryUUID: [toSampleGuid(id)] });

function toEntry(person: SamplePerson, index: number): ServedEntry {
  const { dn, attributes } = toPersonEntry(person);
  const names = { cn: [person.id], sn: [`Sample ${index}`], manager: [toPersonDn('person-1')] };
  return { dn, attributes: { ...attributes, objectClass: ['inetOrgPerson'], ...names, ...uuid(person.id) } };
}

function toGroup(id: string, more: ServedEntry['attributes']): ServedEntry {
  return { dn: `cn=${id},ou=Groups,${BASE}`, attributes: { ...more, ...uuid(id) } };
}

let slapd: Slapd;

beforeAll(async () => {
  slapd = await startSlapd([
    ...PEOPLE.map(toEntry),
    toGroup('everybody', { objectClass: ['groupOfNames'], member: PEOPLE.map(({ id }) => toPersonDn(id)) }),
    toGroup('nested', { objectClass: ['groupOfNames'], member: [`cn=everybody,ou=Groups,${BASE}`] }),
    toGroup('posix', { objectClass: ['posixGroup'], gidNumber: ['100'], memberUid: ['person-2'] }),
  ]);
}, 120_000);

afterAll(() => slapd.stop());

const connect = (options: ConnectOptions = {}, access = READER): Promise<Source> =>
  connectLdap({ url: slapd.url, ...access }, options);

async function read(source: Source, names: readonly string[] = ['uid', 'mail', 'displayName']): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers(names, SIGNAL)) pages.push(page);
  return pages;
}

it('reads everybody in pages, with ids, states and the mail address of the manager', async () => {
  const pages = await read(await connect(), ['mail', 'manager_email', 'employeeType']);
  const users = pages.flatMap((page) => page.users);
  expect(pages.map((page) => page.users.length)).toEqual([500, 500, 500, 500]);
  expect(pages.flatMap(({ failed }) => failed)).toEqual([]);
  expect(users.map(({ id, active }) => [id, active])).toEqual(
    PEOPLE.map(({ id, active }) => [toSampleGuid(id), active]),
  );
  expect(users[7]?.attributes).toMatchObject({ mail: 'person.8@example.com', manager_email: 'person.1@example.com' });
  // Known by its schema, although nobody has it.
  expect(pages.at(-1)?.end?.attributes).toContain('employeeType');
});

it('S18 gives all that the account sees, what is operational too, and no password', async () => {
  const source = await connect();
  const { projection = [] } = (await source.schema?.(SIGNAL)) ?? {};
  const names = (await read(source, projection)).at(-1)?.end?.attributes ?? [];
  for (const name of ['cn', 'description', 'entryUUID', 'createTimestamp', 'entryDN', 'manager', 'manager_email'])
    expect(names).toContain(name);
  expect(names).not.toContain('userPassword');
});

it('reads groups with all their members', async () => {
  const pages: GroupPage[] = [];
  for await (const page of (await connect()).readGroups?.([], SIGNAL) ?? []) pages.push(page);
  const members = pages.flatMap((page) => page.members);
  const of = (id: string) => members.filter(({ group }) => group === toSampleGuid(id)).flatMap((each) => each.members);
  expect(pages.flatMap(({ groups }) => groups.map(({ displayName }) => displayName))).toEqual([
    'everybody',
    'nested',
    'posix',
  ]);
  expect(of('everybody')).toHaveLength(2_000);
  expect(of('nested')).toEqual([{ kind: 'Any', ref: `cn=everybody,ou=Groups,${BASE}` }]);
  expect(of('posix')).toEqual([{ kind: 'User', ref: 'person-2' }]);
});

it('takes a list that ends at the size limit for incomplete, in pages too', async () => {
  const error = await read(await connect({}, LIMITED)).catch((thrown: unknown) => SyncError.from(thrown));
  expect(error).toMatchObject({ code: 'ReadIncomplete', message: expect.stringContaining('(result 4)') });
});

it('encrypts by StartTLS, and trusts nobody but the authority that it is given', async () => {
  const trusting = await connect({ startTLS: true, network: { ca: slapd.authority } });
  expect((await read(trusting)).flatMap(({ users }) => users)).toHaveLength(2_000);
  const error = await read(await connect({ startTLS: true })).catch((thrown: unknown) => SyncError.from(thrown));
  expect(error).toMatchObject({ code: 'ReadFailed', message: expect.stringContaining('cannot be trusted') });
});

it('refuses wrong credentials', async () => {
  const error = await read(await connect({}, { ...READER, password: 'wrong' })).catch((thrown: unknown) =>
    SyncError.from(thrown),
  );
  expect(error).toMatchObject({ code: 'CredentialsRejected', message: expect.stringContaining('(result 49)') });
});

it('asks for one person, and knows when there is none', async () => {
  const source = await connect();
  expect((await source.readOne?.(toSampleGuid('person-9'), ['uid'], SIGNAL))?.user?.attributes['uid']).toBe('person-9');
  expect((await source.readOne?.(toSampleGuid('nobody'), ['uid'], SIGNAL))?.user).toBeNull();
  expect((await source.readOne?.('no uuid', ['uid'], SIGNAL))?.user).toBeNull();
});

it('check source counts, and meets the size limit of an account before a run does', async () => {
  const look = async (access = READER): Promise<readonly string[]> => {
    const findings: string[] = [];
    const use = { projection: ['mail'], groups: true };
    for await (const { verdict, about, message } of (await connect({}, access)).inspect?.(use, SIGNAL) ?? [])
      findings.push(`${verdict} ${about}: ${message}`);
    return findings;
  };
  expect(await look()).toEqual([
    expect.stringContaining('warning connection: not encrypted'),
    'ok credentials: name and password are taken',
    'ok clock: the other side does not say its time',
    `ok people: 2000 below ${BASE}`,
    `ok groups: 3 below ${BASE}`,
  ]);
  expect(await look(LIMITED)).toContainEqual(
    expect.stringMatching(/^error people: .* the account may read no more entries \(result 4\); raise its size limit/),
  );
});
