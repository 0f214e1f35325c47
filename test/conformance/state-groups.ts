import { describe, expect, it } from 'vitest';
import type { GroupMember } from '../../src/model.ts';
import type { DirectoryState } from '../../src/state/store.ts';
import { aDesiredTeam, aDesiredUser, aSourceGroup, aSourceUser, collect, numbers } from '../support/state-rows.ts';
import type { OpenStates } from './state.ts';

const user = (ref: string): GroupMember => ({ kind: 'User', ref });
const group = (ref: string): GroupMember => ({ kind: 'Group', ref });
const any = (ref: string): GroupMember => ({ kind: 'Any', ref });

async function addGroups(
  { groups }: DirectoryState,
  members: Readonly<Record<string, readonly GroupMember[]>>,
): Promise<void> {
  await groups.addGroups(Object.keys(members).map((id) => aSourceGroup(id)));
  await groups.addMembers(Object.entries(members).map(([id, list]) => ({ group: id, members: list })));
}

/** Ids of everybody's groups, by person. */
async function readGroups({ groups }: DirectoryState, people: readonly string[]): Promise<Record<string, string[]>> {
  const found = await groups.groupsOf(people);
  return Object.fromEntries([...found].map(([person, names]) => [person, names.map(({ id }) => id)]));
}

export function describeGroups(states: OpenStates): void {
  describe('source groups', () => {
    it('count those that could not be read, and each once', async () => {
      const { groups } = await states.directory();
      const row = (id: string) => ({ id, displayName: id, attributes: {} });
      await groups.addGroups([row('a'), row('b'), row('b')]);
      await groups.addFailed(['b', 'c']);
      expect(await groups.count()).toBe(3);
    });

    it('D5 gives groups back in the order of the read, in pages, and marks those that share an id', async () => {
      const { groups } = await states.directory();
      const many = numbers(1_201).map((n) => aSourceGroup(`g${(n * 7919) % 1201}`));
      await groups.addGroups(many.slice(0, 700));
      await groups.addGroups(many.slice(700));
      const staged = await collect(groups.groups());
      expect(staged.map(({ group: { id } }) => id)).toEqual(many.map(({ id }) => id));
      expect(staged[0]).toEqual({ group: many[0], duplicate: false, partial: false, namesakes: [] });
      expect(await groups.count()).toBe(1_201);
      await groups.addGroups([aSourceGroup('g5', { displayName: 'Again' })]);
      const all = await collect(groups.groups());
      const of = (id: string) => all.filter((each) => each.group.id === id);
      expect(of('g5').map(({ duplicate }) => duplicate)).toEqual([true, true]);
    });

    it('tells groups whose teams are to have one name, in the order of the read, while it is read', async () => {
      const { groups } = await states.directory();
      await groups.addGroups(numbers(600).map((n) => aSourceGroup(`g${n}`)));
      for await (const page of groups.groups()) {
        const named = page.map(({ group: { id } }) => ({ id, name: id === 'g600' ? ' G7 ' : id }));
        await groups.nameTeams(named.filter(({ id }) => id !== 'g5'));
      }
      await groups.nameTeams([{ id: 'g8', name: 'ｇ7'.normalize('NFKC') }]);
      const all = await collect(groups.groups());
      const of = (id: string) => all.find((each) => each.group.id === id)?.namesakes;
      expect([of('g7'), of('g8'), of('g600')]).toEqual(Array(3).fill(['g7', 'g8', 'g600']));
      expect([of('g5'), of('g9')]).toEqual([[], ['g9']]);
    });

    it('resolves groups in groups by id, else by an alias that one group alone has, without case', async () => {
      const state = await states.directory();
      await state.staging.addUsers(['ada', 'bob'].map((id) => aSourceUser(id)));
      await state.groups.addGroups([
        aSourceGroup('top'),
        aSourceGroup('g1', { aliases: ['CN=Ünits,DC=corp', 'cn=twice'] }),
        aSourceGroup('g2', { aliases: ['CN=Twice'] }),
        aSourceGroup('cn=twice'),
      ]);
      await state.groups.addMembers([
        { group: 'top', members: [any('cn=ünits,dc=Corp'), any('CN=TWICE'), any('cn=nobody'), user('ada')] },
        { group: 'g1', members: [user('bob'), group('cn=twice')] },
        { group: 'cn=twice', members: [any('TOP')] },
      ]);
      await state.groups.setComplete();
      expect(await state.groups.resolve('Flatten')).toBe(3);
      expect(await readGroups(state, ['ada', 'bob'])).toEqual({ ada: ['top'], bob: ['g1', 'top'] });
    });

    it('resolves members by id, else by an alias that one person alone has, without case', async () => {
      const state = await states.directory();
      await state.staging.addUsers(['ada', 'bob', 'eve', 'ADA'].map((id) => aSourceUser(id)));
      await state.groups.addAliases([
        { sourceId: 'bob', names: ['Bob@Example.com', 'shared@example.com', 'ada', 'Ünal'] },
        { sourceId: 'eve', names: ['shared@example.com'] },
      ]);
      await addGroups(state, {
        byId: [user('ada')],
        byAlias: [any('BOB@example.com')],
        byUmlaut: [any('ünal')],
        byShared: [any('shared@example.com')],
        byNobody: [user('zoe'), user('eve'), user('eve')],
      });
      expect(await state.groups.resolve('Flatten')).toBe(2);
      expect(await readGroups(state, ['ada', 'bob', 'eve', 'ADA'])).toEqual({
        ada: ['byId'],
        bob: ['byAlias', 'byUmlaut'],
        eve: ['byNobody'],
      });
      const named = await state.groups.people(['ada', 'BOB@example.com', 'shared@example.com', 'zoe']);
      expect(named).toEqual(
        new Map([
          ['ada', 'ada'],
          ['BOB@example.com', 'bob'],
        ]),
      );
    });

    it('I13 tells groups with a member by a name that several have, nested ones as they are counted', async () => {
      const state = await states.directory();
      await state.staging.addUsers(['ada', 'bob', 'eve', 'shared@id.example'].map((id) => aSourceUser(id)));
      await state.groups.addAliases([
        { sourceId: 'ada', names: ['Shared@Example.com', 'shared@id.example'] },
        { sourceId: 'bob', names: ['shared@example.com', 'shared@id.example'] },
      ]);
      await state.groups.addGroups([
        ...['byShared', 'above', 'byUser', 'byOther', 'byGroup'].map((id) => aSourceGroup(id)),
        aSourceGroup('g1', { aliases: ['cn=twice'] }),
        aSourceGroup('g2', { aliases: ['CN=Twice'] }),
      ]);
      await state.groups.addMembers([
        { group: 'byShared', members: [any('ada'), any('SHARED@example.com')] },
        { group: 'above', members: [group('byShared'), user('eve')] },
        // An id goes before a name, and whom nobody knows is nobody's double.
        { group: 'byUser', members: [user('shared@id.example'), user('nobody@example.com')] },
        { group: 'byOther', members: [group('shared@example.com')] },
        { group: 'byGroup', members: [any('cn=twice')] },
      ]);
      await state.groups.resolve('Flatten');
      const asked = ['above', 'byGroup', 'byOther', 'byShared', 'byUser', 'nothing'];
      expect(await state.groups.ambiguous(asked, 'Flatten')).toEqual(['above', 'byGroup', 'byShared']);
      expect(await state.groups.ambiguous(asked, 'DirectOnly')).toEqual(['byGroup', 'byShared']);
      expect(await state.groups.ambiguous([], 'Flatten')).toEqual([]);
    });

    it('flattens groups in groups, cycles and all, or takes direct members alone', async () => {
      const nested = {
        all: [group('eng'), user('zoe')],
        eng: [any('ops'), any('ada'), group('eng')],
        ops: [group('all'), user('bob')],
        alone: [user('ada')],
      };
      const flat = await states.directory();
      const direct = await states.directory();
      for (const state of [flat, direct]) {
        await state.staging.addUsers(['ada', 'bob', 'zoe'].map((id) => aSourceUser(id)));
        await addGroups(state, nested);
      }
      expect(await flat.groups.resolve('Flatten')).toBe(0);
      expect(await readGroups(flat, ['ada', 'bob', 'zoe'])).toEqual({
        ada: ['all', 'alone', 'eng', 'ops'],
        bob: ['all', 'eng', 'ops'],
        zoe: ['all', 'eng', 'ops'],
      });
      expect(await direct.groups.resolve('DirectOnly')).toBe(0);
      expect(await readGroups(direct, ['ada', 'bob', 'zoe'])).toEqual({
        ada: ['alone', 'eng'],
        bob: ['ops'],
        zoe: ['all'],
      });
    });

    it('a member that means everybody is everybody of the read, in groups above it too', async () => {
      const state = await states.directory();
      await state.staging.addUsers(['ada', 'bob'].map((id) => aSourceUser(id)));
      await addGroups(state, { top: [group('customer')], customer: [{ kind: 'Everyone' }] });
      expect(await state.groups.resolve('Flatten')).toBe(0);
      expect(await readGroups(state, ['ada', 'bob'])).toEqual({ ada: ['customer', 'top'], bob: ['customer', 'top'] });
    });

    it('I8 a group that failed makes the groups above it partial, and no other', async () => {
      const state = await states.directory();
      await state.staging.addUsers([aSourceUser('ada')]);
      await addGroups(state, { top: [group('middle'), user('ada')], middle: [group('broken')], other: [user('ada')] });
      await state.groups.addFailed(['broken', 'half']);
      await state.groups.addGroups([aSourceGroup('half')]);
      await state.groups.resolve('Flatten');
      expect(await state.groups.partial()).toEqual([
        { id: 'broken', displayName: null },
        ...['half', 'middle', 'top'].map((id) => ({ id, displayName: id })),
      ]);
      const staged = await collect(state.groups.groups());
      expect(staged.map(({ group: { id }, partial }) => [id, partial])).toEqual([
        ['top', true],
        ['middle', true],
        ['other', false],
        ['half', true],
      ]);
      expect(await readGroups(state, ['ada'])).toEqual({ ada: ['other', 'top'] });
    });

    it('I13 where not all names were read, a group with a reference that names nobody is partial', async () => {
      const state = await states.directory();
      await state.staging.addUsers([aSourceUser('ada')]);
      await addGroups(state, { top: [group('middle')], middle: [any('zoe@example.com')], other: [user('ada')] });
      expect(await state.groups.resolve('Flatten', 'some')).toBe(1);
      expect((await state.groups.partial()).map(({ id }) => id)).toEqual(['middle', 'top']);
    });

    it('puts those of a group who are present into a team', async () => {
      const state = await states.directory();
      const { staging, groups } = state;
      await staging.addUsers(['ada', 'bob', 'eve'].map((id) => aSourceUser(id)));
      await addGroups(state, { eng: ['ada', 'bob', 'eve'].map(user) });
      await groups.resolve('Flatten');
      await staging.addDesired([
        { desired: aDesiredUser('ada'), keys: [] },
        { desired: aDesiredUser('bob', { presence: 'outOfScope' }), keys: [] },
        { desired: aDesiredUser('eve'), keys: [] },
      ]);
      const team = aDesiredTeam('Eng');
      await staging.addTeams([team]);
      await staging.addMemberships([{ team: team.key, sourceId: 'eve', keep: true }]);
      await groups.addMemberships('eng', team.key);
      expect(await collect(staging.memberDifferences(team.key))).toMatchObject([
        { change: 'add', sourceId: 'ada' },
        { change: 'add', sourceId: 'eve' },
      ]);
    });

    it('is empty after clear, and says nothing of another directory', async () => {
      const store = await states.store();
      const [acme, other] = [
        await store.directory({ namespace: 'identity', id: 'acme' }),
        await store.directory({ namespace: 'identity', id: 'other' }),
      ];
      for (const state of [acme, other]) {
        await state.staging.addUsers([aSourceUser('ada')]);
        await state.groups.addAliases([{ sourceId: 'ada', names: ['first'] }]);
        await addGroups(state, { eng: [user('ada'), group('broken')] });
        await state.groups.addFailed(['broken']);
        await state.groups.resolve('Flatten');
      }
      await acme.staging.clear();
      expect(await acme.groups.count()).toBe(0);
      expect(await collect(acme.groups.groups())).toEqual([]);
      expect(await readGroups(acme, ['ada'])).toEqual({});
      expect(await acme.groups.partial()).toEqual([]);
      expect(await acme.groups.people(['first', 'ada'])).toEqual(new Map());
      expect(await readGroups(other, ['ada'])).toEqual({ ada: ['eng'] });
      expect((await other.groups.partial()).map(({ id }) => id)).toEqual(['broken', 'eng']);
      await other.staging.clear();
      expect(await readGroups(other, ['ada'])).toEqual({});
      expect(await other.groups.people(['first'])).toEqual(new Map());
    });
  });
}
