/**
 * The rules T1 to T9 of src/targets/target.ts as tests, for every provider and every application that it can be shown
 * with. A harness says what its application cannot do; that is expected to fail, and printed.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient, type HttpClient, type HttpRequest } from '../../src/http/client.ts';
import type { Transport } from '../../src/http/exchange.ts';
import type { AttributeChange, Attributes } from '../../src/model.ts';
import type { Target, TargetObject, TargetPage } from '../../src/targets/target.ts';
import { startRawServer } from '../support/raw-server.ts';

export interface RunningTarget {
  /** A connection of its own; `url` takes the place of the application's, `credentials: 'wrong'` is refused by it. */
  connect(http: HttpClient, options?: { url?: string; credentials?: 'wrong' }): Promise<Target>;
  /** How requests reach it; over the network by default. */
  readonly transport?: Transport;
  stop(): Promise<void>;
}

/** What an application may lack without the provider being at fault. */
export type TargetFeature =
  | 'taken userName is refused'
  | 'search by userName'
  | 'userNames of any form'
  | 'texts with any character'
  | 'every attribute is kept'
  | 'values can be changed'
  | 'several entries in a list'
  | 'switching off keeps the account'
  | 'deletion of users'
  | 'teams'
  | 'teams keep their name as it is written'
  | 'marks of teams are found'
  | 'renaming of teams'
  | 'members are shown'
  | 'filters in paths'
  | 'enterprise attributes'
  | 'search without case'
  | 'search by externalId'
  | 'search for quotes'
  | 'search by mail address'
  | 'gone objects are told from others';

export interface TargetHarness {
  /** Starts an application without users and teams. */
  start(): Promise<RunningTarget>;
  /** How many users it takes to fill more than one page. */
  readonly manyUsers: number;
  /** What every user of it must have beside userName, externalId and active. */
  readonly required?: Attributes;
  readonly toUserName?: (count: number) => string;
  /** Features that this application does not have, each with the reason. */
  readonly unsupported: Partial<Record<TargetFeature, string>>;
}

const NEVER = new AbortController().signal;
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const MOBILE = 'phoneNumbers[type eq "mobile"].value';
const WORK_MAIL = 'emails[type eq "work"].value';
const PATHS = [
  'userName',
  'externalId',
  'displayName',
  'active',
  'title',
  'name.givenName',
  'name.familyName',
  WORK_MAIL,
  MOBILE,
  'phoneNumbers[type eq "work"].value',
  'addresses[type eq "work"].streetAddress',
  'addresses[type eq "work"].locality',
  `${ENTERPRISE}:department`,
  `${ENTERPRISE}:employeeNumber`,
  `${ENTERPRISE}:manager.value`,
];

interface Recorded {
  readonly http: HttpClient;
  readonly requests: HttpRequest[];
}

function aRecordedClient({ transport }: Pick<RunningTarget, 'transport'> = {}): Recorded {
  const requests: HttpRequest[] = [];
  const limits = { requestsPerSecond: null, concurrency: 8 };
  const client = createHttpClient({
    userAgent: 'dirsync/test',
    unavailable: 'TargetUnavailable',
    budget: createBudgets().join('target', 'key', limits),
    // Longer than a test may take: nothing here may end by running into it.
    timeoutMs: 60_000,
    concurrency: 8,
    ...(transport === undefined ? {} : { transport }),
  });
  const http: HttpClient = {
    send(request) {
      requests.push(request);
      return client.send(request);
    },
    get sent() {
      return client.sent;
    },
  };
  return { http, requests };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'no error',
    (thrown: unknown) => SyncError.from(thrown).code,
  );
}

async function collect<T extends TargetObject>(pages: AsyncIterable<TargetPage<T>>): Promise<TargetPage<T>[]> {
  const all: TargetPage<T>[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

function toChunks(ids: readonly string[], size: number): string[][] {
  const chunks: string[][] = [];
  for (let at = 0; at < ids.length; at += size) chunks.push(ids.slice(at, at + size));
  return chunks;
}

let serial = 0;

function aTeam(): Attributes {
  serial += 1;
  return { displayName: `Team ${serial}`, externalId: `dirsync:test/acme:team ${serial}` };
}

export function describeTarget(name: string, harness: TargetHarness): void {
  const { required = {}, toUserName = (count) => `user${count}@corp.example` } = harness;
  const aUser = (attributes: Attributes = {}): Attributes => {
    serial += 1;
    return { userName: toUserName(serial), externalId: `ext-${serial}`, active: true, ...required, ...attributes };
  };
  const test = (title: string, body: () => Promise<void>, ...features: readonly TargetFeature[]) => {
    const reason = features.map((feature) => harness.unsupported[feature]).find((each) => each !== undefined);
    if (reason === undefined) it(title, body);
    else it.fails(`${title} — NOT SUPPORTED by ${name}: ${reason}`, body);
  };

  describe(`target conformance: ${name}`, () => {
    let running: RunningTarget;
    let target: Target;
    let recorded: Recorded;
    beforeAll(async () => {
      running = await harness.start();
      recorded = aRecordedClient(running);
      target = await running.connect(recorded.http);
    });
    afterAll(async () => {
      await target?.close();
      await running?.stop();
    });

    const create = async (attributes: Attributes = aUser()) => (await target.createUser(attributes, NEVER)).id;
    const read = async (id: string) =>
      (await target.readUser(id, [...new Set([...PATHS, ...Object.keys(required)])], NEVER))?.attributes;
    const update = (id: string, ...changes: AttributeChange[]) => target.updateUser(id, changes, NEVER);
    /** In requests of the size and kind that are taken. */
    const change = async (id: string, { add = [], remove = [] }: { add?: string[]; remove?: string[] }) => {
      const { membersPerRequest, memberChanges } = await target.capabilities(NEVER);
      if (memberChanges.mixed && add.length + remove.length <= membersPerRequest)
        return await target.changeMembers(id, { add, remove }, NEVER);
      for (const some of toChunks(remove, memberChanges.remove))
        await target.changeMembers(id, { add: [], remove: some }, NEVER);
      for (const some of toChunks(add, memberChanges.add))
        await target.changeMembers(id, { add: some, remove: [] }, NEVER);
    };
    const writes = (): number => recorded.requests.filter(({ method }) => method !== 'GET').length;
    const largestAddition = async (): Promise<number> => {
      const { membersPerRequest, memberChanges } = await target.capabilities(NEVER);
      return Math.min(membersPerRequest, memberChanges.add);
    };
    const members = async (id: string) => [...((await target.readTeam(id, NEVER))?.members ?? [])].sort();

    describe('T1 lists', () => {
      test('T1 deliver every user once, over several pages, and say which page is the last', async () => {
        const ids = new Set<string>();
        for (let count = 0; count < harness.manyUsers; count += 1) ids.add(await create());
        const pages = await collect(target.listUsers(['userName'], NEVER));
        const listed = pages.flatMap((page) => page.objects.map((each) => each.id));
        expect(pages.length).toBeGreaterThan(1);
        expect(pages.map((page) => page.last)).toEqual(pages.map((_, index) => index === pages.length - 1));
        expect(new Set(listed).size).toBe(listed.length);
        expect([...ids].filter((id) => !listed.includes(id))).toEqual([]);
        expect(pages[0]?.objects[0]?.attributes['userName']).toContain('user');
      });

      test(
        'T1 deliver teams with all their members, and empty teams',
        async () => {
          const people = await Promise.all([create(), create(), create()]);
          const full = await target.createTeam(aTeam(), NEVER);
          const empty = await target.createTeam(aTeam(), NEVER);
          await change(full.id, { add: people });
          const teams = (await collect(target.listTeams(NEVER))).flatMap((page) => page.objects);
          expect([...(teams.find((each) => each.id === full.id)?.members ?? [])].sort()).toEqual([...people].sort());
          expect(teams.find((each) => each.id === empty.id)?.members).toEqual([]);
        },
        'teams',
        'members are shown',
      );
    });

    describe('T2 what comes is what was asked for', () => {
      test(
        'T2 a user is found by userName',
        async () => {
          const id = await create(aUser({ userName: 'Grace.Hopper@corp.example' }));
          const query = { path: 'userName', value: 'Grace.Hopper@corp.example' };
          const found = await target.findUsers(query, ['userName'], NEVER);
          expect(found).toMatchObject([{ id, attributes: { userName: 'Grace.Hopper@corp.example' } }]);
        },
        'search by userName',
        'userNames of any form',
      );

      test(
        'T2 a user is found by userName, whatever its case',
        async () => {
          const id = await create(aUser({ userName: 'Jean.Sammet@corp.example' }));
          const found = await target.findUsers({ path: 'userName', value: 'JEAN.sammet@CORP.example' }, [], NEVER);
          expect(found.map((each) => each.id)).toEqual([id]);
        },
        'search without case',
        'search by userName',
        'userNames of any form',
      );

      test(
        'T2 a user is found by externalId, exactly',
        async () => {
          const id = await create(aUser({ externalId: 'AbC-1' }));
          const find = async (value: string) => await target.findUsers({ path: 'externalId', value }, [], NEVER);
          expect((await find('AbC-1')).map((each) => each.id)).toEqual([id]);
          expect(await find('abc-1')).toEqual([]);
        },
        'search by externalId',
      );

      test(
        'T2 a user is found by the mail address of one type and not by that of another',
        async () => {
          const id = await create(aUser({ [WORK_MAIL]: 'm1@corp.example' }));
          await create(aUser({ 'emails[type eq "home"].value': 'm2@corp.example' }));
          const find = async (value: string) => await target.findUsers({ path: WORK_MAIL, value }, [], NEVER);
          expect((await find('m1@corp.example')).map((each) => each.id)).toEqual([id]);
          expect(await find('m2@corp.example')).toEqual([]);
        },
        'search by mail address',
      );

      test(
        'T2 values with characters that URLs and other alphabets bring are found',
        async () => {
          for (const userName of ['a+b&c=d%20e?f#g@corp.example', "o'neil@corp.example", 'Łukasz 名前@corp.example']) {
            const id = await create(aUser({ userName }));
            const found = await target.findUsers({ path: 'userName', value: userName }, [], NEVER);
            expect(found.map((each) => each.id)).toEqual([id]);
          }
        },
        'search by userName',
        'userNames of any form',
        'texts with any character',
      );

      test(
        'T2 values with quotes and backslashes are found',
        async () => {
          const userName = 'ada "the first" \\byron@corp.example';
          const id = await create(aUser({ userName }));
          const found = await target.findUsers({ path: 'userName', value: userName }, [], NEVER);
          expect(found.map((each) => each.id)).toEqual([id]);
        },
        'search for quotes',
        'search by userName',
        'userNames of any form',
      );

      test(
        'T2 nobody is found for a value that nobody has, and no team',
        async () => {
          expect(await target.findUsers({ path: 'userName', value: 'nobody@corp.example' }, [], NEVER)).toEqual([]);
          expect(await target.findTeams({ path: 'displayName', value: 'No such team' }, NEVER)).toEqual([]);
        },
        'search by userName',
      );

      test(
        'T2 a team is found by its name, without members',
        async () => {
          const attributes = aTeam();
          const { id } = await target.createTeam(attributes, NEVER);
          const value = String(attributes['displayName']);
          const found = await target.findTeams({ path: 'displayName', value }, NEVER);
          expect(found).toMatchObject([{ id, members: null, attributes: { displayName: value } }]);
        },
        'teams',
        'teams keep their name as it is written',
      );

      test(
        'T2 a team is found by its mark',
        async () => {
          const attributes = aTeam();
          const { id } = await target.createTeam(attributes, NEVER);
          const value = String(attributes['externalId']);
          expect(await target.findTeams({ path: 'externalId', value }, NEVER)).toMatchObject([{ id, attributes }]);
        },
        'marks of teams are found',
        'teams',
      );

      test('T2 an id that does not exist is null', async () => {
        expect(await target.readUser('00000000-0000-4000-8000-000000000000', PATHS, NEVER)).toBeNull();
        expect(await target.readTeam('00000000-0000-4000-8000-000000000000', NEVER)).toBeNull();
      });
    });

    describe('T3 creating', () => {
      test(
        'T3 what was created is returned, and read back with every kind of attribute',
        async () => {
          const attributes = aUser({
            displayName: 'Ada Byron',
            'name.givenName': 'Ada',
            'name.familyName': 'Byron',
            [WORK_MAIL]: 'ada@corp.example',
            'emails[type eq "work"].primary': true,
            [MOBILE]: '+44 20 0000 0001',
            'addresses[type eq "work"].streetAddress': '1 Example Street',
          });
          const created = await target.createUser(attributes, NEVER);
          // An application that answers without a body says nothing.
          expect([attributes, {}]).toContainEqual(created.attributes);
          expect((await target.readUser(created.id, Object.keys(attributes), NEVER))?.attributes).toEqual(attributes);
        },
        'every attribute is kept',
      );

      test(
        'T3 the same for enterprise attributes, and for the manager',
        async () => {
          const manager = await create();
          const attributes = { [`${ENTERPRISE}:department`]: 'Research', [`${ENTERPRISE}:manager.value`]: manager };
          const id = await create(aUser(attributes));
          expect(await read(id)).toMatchObject(attributes);
        },
        'enterprise attributes',
      );

      test(
        'T3 a taken userName is a Conflict, whatever its case',
        async () => {
          await create(aUser({ userName: 'taken@corp.example' }));
          const again = target.createUser(aUser({ userName: 'TAKEN@corp.example' }), NEVER);
          expect(await codeOf(again)).toBe('Conflict');
        },
        'taken userName is refused',
      );

      test('T3 a create whose answer is lost is not repeated, and its outcome is unknown', async () => {
        let posts = 0;
        const server = await startRawServer((socket, _count, head) => {
          if (!head.startsWith('POST')) return socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
          posts += 1;
          return socket.resetAndDestroy();
        });
        const lost = await running.connect(aRecordedClient().http, { url: server.url });
        await expect(lost.createUser(aUser(), NEVER)).rejects.toMatchObject({
          code: 'TargetUnavailable',
          outcomeUnknown: true,
        });
        expect(posts).toBe(1);
        await server.close();
      });
    });

    describe('T4 updating', () => {
      test(
        'T4 changes values of every form and leaves all others alone',
        async () => {
          const before = {
            displayName: 'Ada Byron',
            'name.givenName': 'Ada',
            'name.familyName': 'Byron',
            [WORK_MAIL]: 'ada@corp.example',
            [MOBILE]: '+44 20 0000 0001',
          };
          const user = aUser(before);
          const id = await create({ ...user, title: 'Analyst' });
          await update(
            id,
            { path: 'displayName', before: 'Ada Byron', after: 'Ada Lovelace' },
            { path: 'name.familyName', before: 'Byron', after: 'Lovelace' },
            { path: WORK_MAIL, before: 'ada@corp.example', after: 'lovelace@corp.example' },
            { path: 'addresses[type eq "work"].locality', after: 'Belfast' },
            { path: 'addresses[type eq "work"].streetAddress', after: '1 Example Street' },
            { path: 'title', before: 'Analyst' },
          );
          expect(await read(id)).toEqual({
            ...user,
            displayName: 'Ada Lovelace',
            'name.familyName': 'Lovelace',
            [WORK_MAIL]: 'lovelace@corp.example',
            'addresses[type eq "work"].locality': 'Belfast',
            'addresses[type eq "work"].streetAddress': '1 Example Street',
          });
        },
        'values can be changed',
      );

      test(
        'T4 a new entry of a list stands beside the others; its removal leaves them',
        async () => {
          const user = aUser({ 'phoneNumbers[type eq "work"].value': '+44 20 0000 0002' });
          const id = await create(user);
          await update(id, { path: MOBILE, after: '+44 20 0000 0003' });
          expect(await read(id)).toEqual({ ...user, [MOBILE]: '+44 20 0000 0003' });
          await update(id, { path: MOBILE, before: '+44 20 0000 0003' });
          expect(await read(id)).toEqual(user);
          const list = await target.readUser(id, ['phoneNumbers'], NEVER);
          expect(list?.attributes['phoneNumbers']).toHaveLength(1);
        },
        'several entries in a list',
        'values can be changed',
      );

      test(
        'T4 a new part of an entry that exists makes no second entry',
        async () => {
          const user = aUser({ 'addresses[type eq "work"].streetAddress': '1 Example Street' });
          const id = await create(user);
          await update(id, { path: 'addresses[type eq "work"].locality', after: 'Belfast' });
          expect(await read(id)).toEqual({ ...user, 'addresses[type eq "work"].locality': 'Belfast' });
          const list = await target.readUser(id, ['addresses'], NEVER);
          expect(list?.attributes['addresses']).toHaveLength(1);
        },
        'values can be changed',
      );

      test(
        'T4 the first name of somebody without a name',
        async () => {
          const user = aUser();
          const id = await create(user);
          await update(id, { path: 'name.givenName', after: 'Ada' });
          expect(await read(id)).toEqual({ ...user, 'name.givenName': 'Ada' });
        },
        'values can be changed',
      );

      test(
        'T4 enterprise attributes and the manager come, change and go',
        async () => {
          const [first, second] = [await create(), await create()];
          const user = aUser();
          const id = await create(user);
          const department = `${ENTERPRISE}:department`;
          const manager = `${ENTERPRISE}:manager.value`;
          await update(id, { path: department, after: 'Research' }, { path: manager, after: first });
          expect(await read(id)).toEqual({ ...user, [department]: 'Research', [manager]: first });
          await update(id, { path: manager, before: first, after: second });
          expect(await read(id)).toEqual({ ...user, [department]: 'Research', [manager]: second });
          await update(id, { path: manager, before: second }, { path: department, before: 'Research' });
          expect(await read(id)).toEqual(user);
        },
        'enterprise attributes',
        'values can be changed',
      );

      test(
        'T4 a value that is not there any more can be changed and removed all the same',
        async () => {
          const user = aUser({ 'phoneNumbers[type eq "work"].value': '+44 20 0000 0004' });
          const id = await create(user);
          await update(id, { path: MOBILE, before: '+44 20 0000 0005', after: '+44 20 0000 0006' });
          const known = (await read(id))?.[MOBILE];
          // Services that ignore a filter without a match change nothing; none may end with an error or a second entry.
          expect([undefined, '+44 20 0000 0006']).toContain(known);
          await update(id, { path: 'addresses[type eq "work"].locality', before: 'Belfast' });
          await update(id, { path: 'title', before: 'Analyst' });
          expect(await read(id)).toMatchObject(user);
        },
        'values can be changed',
      );

      test(
        'T4 without a change there is no request',
        async () => {
          const id = await create();
          const team = await target.createTeam(aTeam(), NEVER);
          const count = recorded.requests.length;
          await update(id);
          await target.updateTeam(team.id, [], NEVER);
          await target.changeMembers(team.id, { add: [], remove: [] }, NEVER);
          expect(recorded.requests.length).toBe(count);
        },
        'teams',
      );

      test(
        'T4 deactivating is a change of active and of nothing else',
        async () => {
          const user = aUser({ title: 'Analyst' });
          const id = await create(user);
          await target.deactivateUser(id, NEVER);
          expect(await read(id)).toEqual({ ...user, active: false });
          await update(id, { path: 'active', before: false, after: true });
          expect(await read(id)).toEqual(user);
        },
        'switching off keeps the account',
        'values can be changed',
      );

      test(
        'T4 a team is renamed and keeps its members',
        async () => {
          const person = await create();
          const attributes = aTeam();
          const { id } = await target.createTeam(attributes, NEVER);
          await target.changeMembers(id, { add: [person], remove: [] }, NEVER);
          const change = { path: 'displayName', before: attributes['displayName'] ?? '', after: 'Renamed' };
          await target.updateTeam(id, [change], NEVER);
          expect(await target.readTeam(id, NEVER)).toMatchObject({
            attributes: { ...attributes, displayName: 'Renamed' },
            members: [person],
          });
        },
        'renaming of teams',
        'teams',
        'members are shown',
        'teams keep their name as it is written',
      );
    });

    describe('T5 what is gone', () => {
      test(
        'T5 deleting it again is success',
        async () => {
          const id = await create();
          const team = await target.createTeam(aTeam(), NEVER);
          for (let count = 0; count < 2; count += 1) {
            await target.deleteUser(id, NEVER);
            await target.deleteTeam(team.id, NEVER);
          }
          expect(await target.readUser(id, [], NEVER)).toBeNull();
          expect(await target.readTeam(team.id, NEVER)).toBeNull();
        },
        'deletion of users',
        'teams',
      );

      test(
        'T5 changing it is NotFound',
        async () => {
          const id = await create();
          const person = await create();
          const team = await target.createTeam(aTeam(), NEVER);
          await target.deleteUser(id, NEVER);
          await target.deleteTeam(team.id, NEVER);
          const change = { path: 'displayName', before: 'a', after: 'b' };
          expect(await codeOf(update(id, change))).toBe('NotFound');
          expect(await codeOf(update(id, { path: MOBILE, after: '+44 20 0000 0007' }))).toBe('NotFound');
          expect(await codeOf(target.deactivateUser(id, NEVER))).toBe('NotFound');
          expect(await codeOf(target.updateTeam(team.id, [change], NEVER))).toBe('NotFound');
          expect(await codeOf(target.changeMembers(team.id, { add: [person], remove: [] }, NEVER))).toBe('NotFound');
        },
        'gone objects are told from others',
        'values can be changed',
        'deletion of users',
        'teams',
      );
    });

    describe('T6 members', () => {
      test(
        'T6 come and go by name, and only those named',
        async () => {
          const [a, b, c] = await Promise.all([create(), create(), create()]);
          const { id } = await target.createTeam(aTeam(), NEVER);
          await change(id, { add: [a, b], remove: [] });
          await change(id, { add: [c], remove: [a] });
          expect(await members(id)).toEqual([b, c].sort());
          const removals = recorded.requests
            .filter((each) => each.method === 'PATCH' && each.url.includes('/Groups/'))
            .flatMap((each): { op: string; path: string }[] => JSON.parse(each.body ?? '{}').Operations)
            .filter((each) => each.op === 'remove');
          expect(removals.map((each) => each.path.toLowerCase())).toContain(`members[value eq "${a}"]`);
          expect(removals.filter((each) => !/^members\[value eq "[^"]+"\]$/.test(each.path))).toEqual([]);
        },
        'teams',
        'members are shown',
        'filters in paths',
      );

      test(
        'T6 a second time is no change: added stay, removed stay away',
        async () => {
          const [a, b, c] = await Promise.all([create(), create(), create()]);
          const { id } = await target.createTeam(aTeam(), NEVER);
          for (let count = 0; count < 2; count += 1) {
            await change(id, { add: [a, b], remove: [] });
            expect(await members(id)).toEqual([a, b].sort());
          }
          for (let count = 0; count < 2; count += 1) {
            await change(id, { add: [c], remove: [a] });
            expect(await members(id)).toEqual([b, c].sort());
          }
          await change(id, { add: [], remove: [b, c] });
          expect(await members(id)).toEqual([]);
        },
        'teams',
        'members are shown',
      );

      test(
        'T6 two hundred, in as few requests as are taken',
        async () => {
          const people = await Promise.all(Array.from({ length: 200 }, () => create()));
          const { id } = await target.createTeam(aTeam(), NEVER);
          const before = writes();
          await change(id, { add: people, remove: [] });
          expect(writes()).toBe(before + Math.ceil(200 / (await largestAddition())));
          expect(await members(id)).toEqual([...people].sort());
        },
        'teams',
        'members are shown',
      );
    });

    test('T7 refused credentials end everything: no further request', async () => {
      const { http, requests } = aRecordedClient(running);
      const refused = await running.connect(http, { credentials: 'wrong' });
      expect(await codeOf(refused.findUsers({ path: 'userName', value: 'x' }, [], NEVER))).toBe('CredentialsRejected');
      const count = requests.length;
      expect(await codeOf(refused.createUser(aUser(), NEVER))).toBe('CredentialsRejected');
      expect(await codeOf(collect(refused.listTeams(NEVER)))).toBe('CredentialsRejected');
      expect(requests.length).toBe(count);
    });

    test(
      'T7 a change that is refused for one object (403) is about that object: the others go on',
      async () => {
        const [spared, other] = [await create(), await create()];
        const { http } = aRecordedClient(running);
        const isSpared = ({ method, url }: HttpRequest): boolean =>
          method !== 'GET' && new URL(url).pathname.endsWith(`/Users/${encodeURIComponent(spared)}`);
        const refusing: HttpClient = {
          send: async (request) =>
            isSpared(request) ? { status: 403, headers: {}, body: '', mayBeDone: false } : http.send(request),
          get sent() {
            return http.sent;
          },
        };
        const connection = await running.connect(refusing);
        const rename = (id: string, after: string) =>
          connection.updateUser(id, [{ path: 'displayName', before: 'Ada', after }], NEVER);
        await rename(other, 'Zoë');
        expect(await codeOf(rename(spared, 'Zoë'))).toBe('TargetRejected');
        await rename(other, 'Zoë Byron');
        expect((await read(other))?.['displayName']).toBe('Zoë Byron');
        await connection.close();
      },
      'values can be changed',
    );

    test('T8 an abort closes the connection of a request under way', async () => {
      const controller = new AbortController();
      let closed: () => void = () => undefined;
      const whenClosed = new Promise<void>((resolve) => {
        closed = resolve;
      });
      const server = await startRawServer((socket) => {
        socket.once('close', closed);
        controller.abort();
      });
      const silent = await running.connect(aRecordedClient().http, { url: server.url });
      expect(await codeOf(collect(silent.listUsers([], controller.signal)))).toBe('Aborted');
      await whenClosed;
      await server.close();
    });

    describe('T9 what is equal', () => {
      test(
        'T9 nothing, null and an empty list are one state, which is no change and shown as absent',
        async () => {
          const user = aUser();
          const id = await create({ ...user, title: '', 'phoneNumbers[type eq "work"].value': '' });
          const count = recorded.requests.length;
          await update(id, { path: 'title', after: null }, { path: 'emails', before: [] }, { path: MOBILE, after: '' });
          expect(recorded.requests.length).toBe(count);
          await update(id, { path: 'title', after: 'Analyst' });
          await update(id, { path: 'title', before: 'Analyst', after: null });
          expect(await read(id)).toEqual(user);
        },
        'values can be changed',
      );
    });
  });
}
