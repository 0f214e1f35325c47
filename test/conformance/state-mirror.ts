import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { GroupMember, SourceUser } from '../../src/model.ts';
import type { DirectoryState } from '../../src/state/store.ts';
import { aSourceGroup, aSourceUser, collect, numbers, toHead } from '../support/state-rows.ts';
import type { Child, OpenStates } from './state.ts';

const user = (ref: string): GroupMember => ({ kind: 'User', ref });

/** What a run finds in the scratch space, by id. */
async function readStaged({ staging, groups }: DirectoryState): Promise<{
  users: Record<string, unknown>;
  groups: string[];
  members: Record<string, string[]>;
}> {
  const users = (await collect(staging.users())).map((staged) => staged.user);
  await groups.setComplete();
  await groups.resolve('Flatten');
  const of = await groups.groupsOf(users.map(({ id }) => id));
  return {
    users: Object.fromEntries(users.map(({ id, attributes }) => [id, attributes['mail']]).sort()),
    groups: (await collect(groups.groups())).map(({ group }) => group.id).sort(),
    members: Object.fromEntries([...of].map(([id, names]) => [id, names.map((name) => name.id)])),
  };
}

/** Four people, by whom three groups are filled: one by an alias. */
async function seed(state: DirectoryState): Promise<void> {
  const people = ['ada', 'bob', 'eve', 'kim'].map((id) => aSourceUser(id));
  await state.staging.addUsers(people);
  await state.groups.addAliases(people.map(({ id }) => ({ sourceId: id, names: [`${id}@example.com`] })));
  await state.groups.addGroups(['choir', 'chess', 'clubs'].map((id) => aSourceGroup(id)));
  await state.groups.addMembers([
    { group: 'choir', members: [user('ada'), { kind: 'Any', ref: 'Bob@example.com' }] },
    { group: 'chess', members: [user('ada'), user('eve')] },
    { group: 'clubs', members: [{ kind: 'Group', ref: 'chess' }] },
  ]);
  expect(await state.mirror.replace(toHead(1))).toBe(true);
  await state.staging.clear();
}

export function describeMirror(
  states: OpenStates,
  { place, start }: { readonly place: () => Promise<string>; readonly start: (place: string, work: string) => Child },
): void {
  describe('mirror', () => {
    it('is none before the first complete read, and has what was staged after it', async () => {
      const state = await states.directory();
      expect(await state.mirror.head()).toBeNull();
      await seed(state);
      expect(await state.mirror.head()).toEqual(toHead(1));
      await state.mirror.fill('everything');
      expect(await readStaged(state)).toEqual({
        users: {
          ada: 'ada@example.com',
          bob: 'bob@example.com',
          eve: 'eve@example.com',
          kim: 'kim@example.com',
        },
        groups: ['chess', 'choir', 'clubs'],
        members: { ada: ['chess', 'choir', 'clubs'], bob: ['choir'], eve: ['chess', 'clubs'] },
      });
    });

    it('gives people of whom no change has spoken, and puts them into the scratch space alone', async () => {
      const state = await states.directory();
      await seed(state);
      await state.mirror.stage([
        { type: 'user', user: aSourceUser('new') },
        { type: 'user', user: aSourceUser('eve', { attributes: { mail: 'eve.new@example.com' } }) },
        { type: 'userRemoved', id: 'ada' },
        { type: 'userUnread', id: 'nobody' },
      ]);
      const untouched: string[] = [];
      for await (const page of state.mirror.untouched()) untouched.push(...page.map(({ id }) => id));
      expect(untouched.sort()).toEqual(['bob', 'kim']);
      await state.mirror.fill('people');
      expect(await readStaged(state)).toMatchObject({ groups: [], members: {} });
      expect(Object.keys((await readStaged(state)).users).sort()).toEqual(['bob', 'eve', 'kim', 'new']);
      // Without cursors, and the others' groups are still there.
      const head = { ...toHead(2), cursors: null };
      await state.mirror.update(head);
      await state.staging.clear();
      expect(await state.mirror.head()).toEqual(head);
      await state.mirror.fill('everything');
      expect(Object.keys((await readStaged(state)).users).sort()).toEqual(['bob', 'eve', 'kim', 'new']);
      expect((await readStaged(state)).groups).toEqual(['chess', 'choir', 'clubs']);
    });

    it('gives more people than fit into a page, each once', async () => {
      const state = await states.directory();
      const people = Array.from({ length: 1_203 }, (_, index) => aSourceUser(`p${index}`));
      await state.staging.addUsers(people);
      expect(await state.mirror.replace(toHead(1))).toBe(true);
      await state.staging.clear();
      const ids: string[] = [];
      for await (const page of state.mirror.untouched()) {
        expect(page.length).toBeLessThanOrEqual(500);
        ids.push(...page.map(({ id }) => id));
      }
      expect(ids.sort()).toEqual(people.map(({ id }) => id).sort());
    });

    it('takes changes in their order; what none speaks of is as it was', async () => {
      const state = await states.directory();
      await seed(state);
      const renamed = aSourceUser('eve', { attributes: { mail: 'eve.new@example.com' } });
      await state.mirror.stage([
        { type: 'user', user: aSourceUser('new') },
        { type: 'user', user: aSourceUser('eve', { attributes: { mail: 'never.seen@example.com' } }) },
        { type: 'user', user: renamed },
        { type: 'userRemoved', id: 'ada' },
        { type: 'members', group: 'chess', replaces: false, added: [user('kim'), user('kim')], removed: ['nobody'] },
        { type: 'group', group: aSourceGroup('dance') },
        { type: 'members', group: 'dance', replaces: false, added: [user('new'), user('kim')], removed: [] },
        { type: 'members', group: 'dance', replaces: false, added: [], removed: ['kim'] },
      ]);
      expect([...(await state.mirror.users(['ada', 'eve', 'bob', 'nobody'])).values()].sort(byId)).toEqual([
        aSourceUser('bob'),
        renamed,
      ]);
      await state.groups.addAliases([{ sourceId: 'eve', names: ['eve.new@example.com'] }]);
      await state.mirror.fill('everything');
      const expected = {
        users: {
          bob: 'bob@example.com',
          eve: 'eve.new@example.com',
          kim: 'kim@example.com',
          new: 'new@example.com',
        },
        groups: ['chess', 'choir', 'clubs', 'dance'],
        members: { bob: ['choir'], eve: ['chess', 'clubs'], kim: ['chess', 'clubs'], new: ['dance'] },
      };
      expect(await readStaged(state)).toEqual(expected);
      // Nothing of it is kept until it is said to be good.
      expect(await state.mirror.head()).toEqual(toHead(1));
      await state.mirror.update(toHead(2));
      await state.staging.clear();
      expect(await state.mirror.head()).toEqual(toHead(2));
      await state.mirror.fill('everything');
      expect(await readStaged(state)).toEqual(expected);
    });

    it('keeps nothing of changes that were staged and not taken', async () => {
      const state = await states.directory();
      await seed(state);
      await state.mirror.stage([
        { type: 'userRemoved', id: 'ada' },
        { type: 'groupRemoved', id: 'chess' },
      ]);
      await state.staging.clear();
      await state.mirror.fill('everything');
      expect(await readStaged(state)).toMatchObject({
        users: { ada: 'ada@example.com' },
        members: { ada: ['chess', 'choir', 'clubs'] },
      });
    });

    it('takes who was removed and is back for somebody without groups, and a group for one without members', async () => {
      const state = await states.directory();
      await seed(state);
      await state.mirror.stage([
        { type: 'userRemoved', id: 'ada' },
        { type: 'user', user: aSourceUser('ada', { attributes: { mail: 'back@example.com' } }) },
        { type: 'members', group: 'choir', replaces: false, added: [user('ada')], removed: [] },
        { type: 'groupRemoved', id: 'chess' },
        { type: 'group', group: aSourceGroup('chess') },
      ]);
      await state.mirror.fill('everything');
      const expected = { users: { ada: 'back@example.com' }, members: { ada: ['choir'], bob: ['choir'] } };
      expect(await readStaged(state)).toMatchObject(expected);
      await state.mirror.update(toHead(2));
      await state.staging.clear();
      await state.mirror.fill('everything');
      const { users, members, groups } = await readStaged(state);
      expect({ users, members }).toMatchObject(expected);
      expect(members).toEqual(expected.members);
      expect(groups).toEqual(['chess', 'choir', 'clubs']);
    });

    it('takes members that replace those before, in parts; a record that cannot be read keeps its memberships', async () => {
      const state = await states.directory();
      await seed(state);
      await state.mirror.stage([
        { type: 'members', group: 'chess', replaces: false, added: [user('bob')], removed: [] },
        { type: 'members', group: 'chess', replaces: true, added: [user('kim')], removed: [] },
        { type: 'members', group: 'chess', replaces: false, added: [user('ada')], removed: ['kim'] },
        { type: 'userUnread', id: 'bob' },
      ]);
      await state.mirror.update(toHead(2));
      await state.staging.clear();
      await state.mirror.stage([{ type: 'user', user: aSourceUser('bob') }]);
      await state.groups.addAliases([{ sourceId: 'bob', names: ['bob@example.com'] }]);
      await state.mirror.fill('everything');
      expect((await readStaged(state)).members).toEqual({ ada: ['chess', 'choir', 'clubs'], bob: ['choir'] });
    });

    it('D5 replaces more than a transaction holds, and has nothing left of before', async () => {
      const state = await states.directory();
      const stage = async (ids: readonly number[], of: number): Promise<void> => {
        await state.staging.clear();
        const people = ids.map((n) => aSourceUser(`p${n}`, { attributes: { mail: `${of}.${n}@example.com` } }));
        await state.staging.addUsers(people);
        await state.groups.addAliases(people.map(({ id }) => ({ sourceId: id, names: [id, `${of}${id}`] })));
        await state.groups.addGroups(ids.filter((n) => n % 10 === 0).map((n) => aSourceGroup(`g${n}`)));
        await state.groups.addMembers(
          ids.filter((n) => n % 10 === 0).map((n) => ({ group: `g${n}`, members: [user(`p${n}`), user(`p${n - 1}`)] })),
        );
      };
      await stage(numbers(8_000), 1);
      expect(await state.mirror.replace(toHead(1))).toBe(true);
      const kept = numbers(7_900).filter((n) => n % 4 !== 0);
      await stage(kept, 2);
      expect(await state.mirror.replace(toHead(2))).toBe(true);
      const staged = await readStaged(state);
      await state.staging.clear();
      await state.mirror.fill('everything');
      const filled = await readStaged(state);
      expect(Object.keys(filled.users)).toHaveLength(kept.length);
      expect(filled).toEqual(staged);
      // So many changes at once go the same way.
      await state.staging.clear();
      await state.mirror.stage(kept.slice(0, 5_100).map((n) => ({ type: 'userRemoved', id: `p${n}` })));
      await state.mirror.fill('everything');
      await state.mirror.update(toHead(3));
      await state.staging.clear();
      await state.mirror.fill('everything');
      expect(Object.keys((await readStaged(state)).users)).toHaveLength(kept.length - 5_100);
      expect(await state.mirror.head()).toEqual(toHead(3));
    });

    it('is none where two records have one id', async () => {
      const state = await states.directory();
      await seed(state);
      await state.staging.addUsers([aSourceUser('ada'), aSourceUser('ada')]);
      expect(await state.mirror.replace(toHead(2))).toBe(false);
      expect(await state.mirror.head()).toBeNull();
    });

    it('D3 is that of one directory', async () => {
      const store = await states.store();
      const acme = await store.directory({ namespace: 'identity', id: 'acme' });
      const other = await store.directory({ namespace: 'identity', id: 'other' });
      await seed(other);
      await seed(acme);
      await other.mirror.drop('everything');
      expect([await other.mirror.head(), await acme.mirror.head()]).toEqual([null, toHead(1)]);
      await other.mirror.fill('everything');
      expect(await readStaged(other)).toEqual({ users: {}, groups: [], members: {} });
      await acme.mirror.fill('everything');
      expect(Object.keys((await readStaged(acme)).users)).toHaveLength(4);
    });

    it('is no more when only its head was dropped, and the next read is taken as the first', async () => {
      const state = await states.directory();
      await seed(state);
      await state.mirror.drop('head');
      expect(await state.mirror.head()).toBeNull();
      await state.staging.addUsers([aSourceUser('ada')]);
      await state.mirror.replace(toHead(2));
      await state.staging.clear();
      await state.mirror.fill('everything');
      expect(await readStaged(state)).toEqual({ users: { ada: 'ada@example.com' }, groups: [], members: {} });
    });

    it.each(['replace mirrors', 'update mirrors'])('D10 %s: a kill leaves a whole one or none', async (work) => {
      const where = await place();
      const child = start(where, work);
      let printed = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        printed = Number(line);
        if (printed === 7) setTimeout(() => child.kill('SIGKILL'), 5);
      }
      const store = await states.store(where);
      const state = await store.directory({ namespace: 'identity', id: 'acme' });
      const head = await state.mirror.head();
      if (head === null) {
        expect(work).toBe('replace mirrors');
        return;
      }
      const generation = Number(head.summary['generation']);
      expect(generation).toBeGreaterThanOrEqual(printed);
      await state.mirror.fill('everything');
      const { users } = await readStaged(state);
      expect(new Set(Object.values(users))).toEqual(new Set([`${generation}@example.com`]));
    });
  });
}

function byId(left: SourceUser, right: SourceUser): number {
  return left.id < right.id ? -1 : 1;
}
