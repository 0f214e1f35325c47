import { describe, expect, it } from 'vitest';
import type { MatchKey, MemberDifference } from '../../src/state/staging.ts';
import type { DirectoryState } from '../../src/state/store.ts';
import {
  aDesiredTeam,
  aDesiredUser,
  aGroup,
  aLink,
  anAccount,
  aSourceUser,
  aTeamLink,
  collect,
  numbers,
} from '../support/state-rows.ts';
import type { OpenStates } from './state.ts';

export function describeStaging(states: OpenStates): void {
  describe('staging', () => {
    it('gives source records back in the order of the read and marks those that share an id', async () => {
      const { staging } = await states.directory();
      const users = ['zoe', 'ada', 'bob', 'ada'].map((id, index) => aSourceUser(id, { position: `row ${index}` }));
      await staging.addUsers(users.slice(0, 2));
      await staging.addUsers(users.slice(2));
      expect(await collect(staging.users())).toEqual(users.map((user) => ({ user, duplicate: user.id === 'ada' })));
      expect(await staging.countUsers()).toBe(4);
    });

    it('names who wants what somebody else has, and by what it becomes free', async () => {
      const { staging } = await states.directory();
      const name = { path: 'userName', key: 'ada' };
      await staging.addNames([
        { ...name, role: 'has', sourceId: 'ada', seq: 0 },
        { ...name, role: 'frees', sourceId: 'ada', seq: 4 },
        { ...name, role: 'wants', sourceId: 'bob', seq: 2 },
        { ...name, role: 'wants', sourceId: 'ada', seq: 3 },
        { path: 'externalId', key: 'e1', role: 'has', sourceId: 'cyd', seq: 0 },
        { path: 'externalId', key: 'e1', role: 'wants', sourceId: 'bob', seq: 2 },
        { path: 'externalId', key: 'ada', role: 'wants', sourceId: 'bob', seq: 2 },
      ]);
      expect(await collect(staging.contentions())).toEqual([
        { seq: 2, sourceId: 'bob', path: 'externalId', holder: 'cyd', freedBy: null },
        { seq: 2, sourceId: 'bob', path: 'userName', holder: 'ada', freedBy: 4 },
      ]);
      await staging.clear();
      expect(await collect(staging.contentions())).toEqual([]);
    });

    it('D5 counts on no name that is freed by what failed before, but where accounts of ours exchange names', async () => {
      const { staging } = await states.directory();
      const move = (sourceId: string, seq: number, from: string, to: string) =>
        [
          { path: 'userName', key: from, role: 'has', sourceId, seq: 0 },
          { path: 'userName', key: from, role: 'frees', sourceId, seq },
          { path: 'userName', key: to, role: 'wants', sourceId, seq },
        ] as const;
      const doubts = { path: 'userName', role: 'doubts' } as const;
      await staging.addNames([
        ...move('ada', 1, 'a', 'x'),
        { ...doubts, key: 'x', sourceId: 'ada', seq: 1 },
        ...move('bob', 2, 'b', 'a'),
        ...move('cyd', 3, 'c', 'd'),
        { ...doubts, key: 'd', sourceId: 'cyd', seq: 3 },
        ...move('dan', 4, 'd', 'c'),
      ]);
      expect(await collect(staging.contentions())).toEqual([
        { seq: 2, sourceId: 'bob', path: 'userName', holder: 'ada', freedBy: null },
        { seq: 3, sourceId: 'cyd', path: 'userName', holder: 'dan', freedBy: 4 },
        { seq: 4, sourceId: 'dan', path: 'userName', holder: 'cyd', freedBy: 3 },
      ]);
    });

    it('tells whether a value was seen, and lets one person alone claim it', async () => {
      const { staging } = await states.directory();
      const [ada, bob] = ['ada', 'bob'].map((key) => ({ path: 'nickName', key })) as [MatchKey, MatchKey];
      await staging.addObservedUsers([{ object: anAccount('a1'), keys: [ada] }]);
      expect([await staging.isObserved(ada), await staging.isObserved(bob)]).toEqual([true, false]);
      expect(await staging.isObserved({ ...ada, path: 'userName' })).toBe(false);
      expect(await staging.claim(bob, 'p1')).toBe(true);
      expect(await staging.claim(bob, 'p2')).toBe(false);
      expect(await staging.claim(bob, 'p1')).toBe(true);
      await staging.clear();
      expect(await staging.isObserved(ada)).toBe(false);
      expect(await staging.claim(bob, 'p2')).toBe(true);
    });

    it('D5 gives contentions in pages, each once', async () => {
      const { staging } = await states.directory();
      const all = numbers(1_201).map((n) => ({ path: 'userName', key: `k${n}` }));
      await staging.addNames(all.map((each, n) => ({ ...each, role: 'has', sourceId: `old-${n}`, seq: 0 })));
      await staging.addNames(all.map((each, n) => ({ ...each, role: 'wants', sourceId: `new-${n}`, seq: n + 1 })));
      const found = await collect(staging.contentions());
      expect(found.map(({ seq }) => seq)).toEqual(numbers(1_201));
    });

    it('is empty after clear, whatever was in it', async () => {
      const state = await states.directory();
      await fill(state);
      await state.staging.clear();
      expect(await state.staging.countUsers()).toBe(0);
      expect(await collect(state.staging.people())).toEqual([
        {
          sourceId: 'ada',
          desired: null,
          link: aLink('ada'),
          observed: null,
          gone: false,
          candidates: [],
          contestedBy: null,
        },
      ]);
      expect(await collect(state.staging.teams())).toMatchObject([
        { key: 'rule:sales', desired: null, observed: null, gone: false, desiredMembers: 0 },
      ]);
      expect(await state.staging.countUnmanaged()).toBe(0);
      expect(await state.staging.presences(['ada'])).toEqual(new Map());
      await fill(state);
      expect(await state.staging.countUsers()).toBe(1);
    });

    it('D5 D8 people come in pages, the order of the read first and then the rest by id, while they are observed', async () => {
      const { staging, links } = await states.directory();
      const names = numbers(1_201).map((n) => `${(n * 7919) % 1201}`);
      await staging.addDesired(names.map((name) => ({ desired: aDesiredUser(name), keys: [] })));
      const left = numbers(501).map((n) => `left-${String(n).padStart(4, '0')}`);
      await links.apply([...left, ...names.slice(0, 600)].map((name) => ({ type: 'putLink', link: aLink(name) })));

      const seen: string[] = [];
      for await (const page of staging.people()) {
        expect(page.length).toBeLessThanOrEqual(500);
        seen.push(...page.map(({ sourceId }) => sourceId));
        await staging.addObservedUsers(
          page.map(({ sourceId }) => ({ object: anAccount(`account-${sourceId}`), keys: [] })),
        );
      }
      expect(seen).toEqual([...names, ...left]);
    });

    it('gives one person alone, in the read, linked or both, and nobody for an unknown id', async () => {
      const { staging, links } = await states.directory();
      await links.apply(['ada', 'bob'].map((name) => ({ type: 'putLink', link: aLink(name) })));
      await staging.addDesired(['bob', 'cyd'].map((name) => ({ desired: aDesiredUser(name), keys: [] })));
      const one = async (id: string): Promise<unknown[]> =>
        (await collect(staging.people(id))).map(({ sourceId, desired, link }) => [
          sourceId,
          desired !== null,
          link !== null,
        ]);
      expect(await one('ada')).toEqual([['ada', false, true]]);
      expect(await one('bob')).toEqual([['bob', true, true]]);
      expect(await one('cyd')).toEqual([['cyd', true, false]]);
      expect(await one('dan')).toEqual([]);
    });

    it('gives those without an account alone, as they are among all, past pages of people who have one', async () => {
      const { staging, links } = await states.directory();
      const names = numbers(1_201).map((n) => `p-${String(n).padStart(4, '0')}`);
      const keys = (name: string) => [mail(name)];
      await staging.addDesired(names.map((name) => ({ desired: aDesiredUser(name), keys: keys(name) })));
      const linked = [...names.filter((name) => name !== 'p-0600' && name !== 'p-1200'), 'left-1', 'left-2'];
      await links.apply(linked.map((name) => ({ type: 'putLink', link: aLink(name) })));
      await staging.addObservedUsers([{ object: anAccount('found'), keys: keys('p-0600') }]);
      await staging.addMissing({ users: ['account-p-0003', 'account-left-2'] });
      const open = await collect(staging.withoutAccount());
      expect(open.map(({ sourceId }) => sourceId)).toEqual(['p-0003', 'p-0600', 'p-1200', 'left-2']);
      expect(open[1]?.candidates.map(({ object }) => object.id)).toEqual(['found']);
      const all = await collect(staging.people());
      expect(open).toEqual(all.filter(({ link, gone }) => link === null || gone));
      for (const id of ['p-0003', 'p-0004', 'p-0600', 'left-1', 'left-2', 'nobody']) {
        const one = await collect(staging.people(id));
        expect(await collect(staging.withoutAccount(id))).toEqual(
          one.filter(({ link, gone }) => link === null || gone),
        );
      }
    });

    it('a person is what was read, what is linked and what was observed at the link', async () => {
      const { staging, links } = await states.directory();
      await links.apply([
        { type: 'putLink', link: aLink('ada') },
        { type: 'putLink', link: aLink('bob') },
      ]);
      await staging.addDesired([
        { desired: aDesiredUser('cyd', { presence: 'outOfScope' }), keys: [] },
        { desired: aDesiredUser('ada', { references: { manager: 'bob' } }), keys: [] },
      ]);
      await staging.addObservedUsers([{ object: anAccount('account-bob', { version: 'W/"1"' }), keys: [] }]);
      const none = { desired: null, link: null, observed: null, gone: false, candidates: [], contestedBy: null };
      expect(await collect(staging.people())).toEqual([
        { ...none, sourceId: 'cyd', desired: aDesiredUser('cyd', { presence: 'outOfScope' }) },
        {
          ...none,
          sourceId: 'ada',
          desired: aDesiredUser('ada', { references: { manager: 'bob' } }),
          link: aLink('ada'),
        },
        { ...none, sourceId: 'bob', link: aLink('bob'), observed: anAccount('account-bob', { version: 'W/"1"' }) },
      ]);
      expect(await staging.presences(['ada', 'bob', 'cyd'])).toEqual(
        new Map([
          ['ada', 'present'],
          ['cyd', 'outOfScope'],
        ]),
      );
    });

    it('what is said again of a person replaces what was said, in its old place', async () => {
      const { staging } = await states.directory();
      await staging.addDesired([
        { desired: aDesiredUser('ada'), keys: [mail('old')] },
        { desired: aDesiredUser('bob'), keys: [mail('bob')] },
      ]);
      await staging.addDesired([{ desired: aDesiredUser('ada', { presence: 'undecided' }), keys: [mail('new')] }]);
      await staging.addObservedUsers([
        { object: anAccount('1'), keys: [mail('old')] },
        { object: anAccount('2'), keys: [mail('gone')] },
      ]);
      await staging.addObservedUsers([{ object: anAccount('2', { version: '2' }), keys: [mail('new')] }]);
      const [ada, bob] = await collect(staging.people());
      expect([ada?.sourceId, bob?.sourceId]).toEqual(['ada', 'bob']);
      expect(ada?.desired?.presence).toBe('undecided');
      expect(ada?.candidates).toEqual([
        { object: anAccount('2', { version: '2' }), path: 'emails', linkedTo: null, neighbour: null },
      ]);
    });

    describe('an account is gone', () => {
      it.each<{ because: string; look: (state: DirectoryState) => Promise<void>; gone: boolean }>([
        { because: 'not when nobody looked', look: async () => {}, gone: false },
        {
          because: 'when it was looked for and not found',
          look: ({ staging }) => staging.addMissing({ users: ['account-ada'] }),
          gone: true,
        },
        {
          because: 'when the whole list was read and it was not in it',
          look: ({ staging }) => staging.setComplete('User'),
          gone: true,
        },
        {
          because: 'not when the list of teams was read',
          look: async ({ staging }) => {
            await staging.setComplete('Team');
            await staging.addMissing({ teams: ['account-ada'] });
          },
          gone: false,
        },
        {
          because: 'when it was seen before and then not found',
          look: async ({ staging }) => {
            await staging.addObservedUsers([{ object: anAccount('account-ada'), keys: [mail('ada')] }]);
            await staging.addMissing({ users: ['account-ada'] });
          },
          gone: true,
        },
        {
          because: 'not when it was missed before and then seen',
          look: async ({ staging }) => {
            await staging.addMissing({ users: ['account-ada'] });
            await staging.addObservedUsers([{ object: anAccount('account-ada'), keys: [mail('ada')] }]);
            await staging.setComplete('User');
          },
          gone: false,
        },
      ])('$because', async ({ look, gone }) => {
        const state = await states.directory();
        await state.links.apply([{ type: 'putLink', link: aLink('ada') }]);
        await state.staging.addDesired([{ desired: aDesiredUser('ada'), keys: [mail('ada')] }]);
        await state.staging.addObservedUsers([{ object: anAccount('other'), keys: [mail('ada')] }]);
        await look(state);
        const [ada] = await collect(state.staging.people());
        expect(ada?.gone).toBe(gone);
        expect(
          ada?.candidates.map(({ object }) => object.id),
          'candidates come with being gone',
        ).toEqual(gone ? ['other'] : []);
      });
    });

    it('candidates are accounts with a value of the person, in the order of precedence, with their owners', async () => {
      const { staging, links } = await states.directory();
      await links.apply([{ type: 'putLink', link: aLink('bob', { targetId: '3' }) }]);
      await staging.addDesired([
        { desired: aDesiredUser('ada'), keys: [{ path: 'externalId', key: 'ada' }, mail('ada')] },
        { desired: aDesiredUser('bob'), keys: [mail('ada')] },
        { desired: aDesiredUser('cyd'), keys: [] },
      ]);
      await staging.addObservedUsers([
        { object: anAccount('1'), keys: [mail('ada')] },
        { object: anAccount('2'), keys: [mail('ada'), { path: 'externalId', key: 'ada' }] },
        { object: anAccount('3'), keys: [mail('ada')] },
        { object: anAccount('4'), keys: [{ path: 'userName', key: 'ada' }] },
      ]);
      const [ada, bob, cyd] = await collect(staging.people());
      expect(ada?.candidates.map(({ object, path, linkedTo }) => [object.id, path, linkedTo])).toEqual([
        ['2', 'externalId', null],
        ['1', 'emails', null],
        ['2', 'emails', null],
        ['3', 'emails', 'bob'],
      ]);
      expect([bob?.candidates, cyd?.candidates]).toEqual([[], []]);
      expect(await staging.countUnmanaged(), 'only 4 belongs to nobody').toBe(1);
    });

    it('D3 tells of neighbours whose accounts and teams they are, the oldest first, and nothing else', async () => {
      const store = await states.store();
      const keys = ['old', 'acme', 'new', 'far'].map((id) => ({ namespace: 'identity', id }));
      const [old, acme, young, far] = await Promise.all(keys.map((key) => store.directory(key)));
      for (const [index, each] of [old, acme, young, far].entries()) {
        await each?.links.apply([
          { type: 'putLink', link: aLink(`p${index}`, { targetId: 'shared' }) },
          { type: 'putTeam', team: aTeamLink('Sales', { targetId: `team-${index}` }) },
        ]);
      }
      await young?.links.apply([{ type: 'putLink', link: aLink('theirs', { targetId: '2' }) }]);
      if (acme === undefined) throw new Error('no directory');
      const { staging } = acme;
      await staging.addDesired([{ desired: aDesiredUser('ada'), keys: [mail('ada')] }]);
      await staging.addTeams([aDesiredTeam('Sales')]);
      const seen = () =>
        staging.addObservedUsers(
          ['2', '3', '4'].map((id) => ({ object: anAccount(id), keys: id < '4' ? [mail('ada')] : [] })),
        );
      await seen();
      await staging.addObservedTeams(['team-0', 'team-2', 'team-3'].map((id) => aGroup(id, 'Sales')));

      const look = async () => {
        const people = await collect(staging.people());
        const [sales] = await collect(staging.teams());
        const owners = (list: readonly { object: { id: string }; neighbour: { id: string } | null }[] = []) =>
          list.map(({ object, neighbour }) => `${object.id} ${neighbour?.id ?? ''}`.trim());
        return {
          candidates: owners(people[0]?.candidates),
          contested: people.map(({ contestedBy }) => contestedBy?.id ?? null),
          teams: owners(sales?.candidates),
          unmanaged: (await collect(staging.unmanaged())).map(({ id }) => id),
        };
      };
      const alone = { candidates: ['2', '3'], contested: [null, null], teams: ['team-0', 'team-2', 'team-3'] };
      expect(await look()).toEqual({ ...alone, unmanaged: ['4'] });
      await staging.setNeighbours([...keys.slice(0, 3), { namespace: 'identity', id: 'unknown' }]);
      expect(await look()).toEqual({
        candidates: ['2 new', '3'],
        contested: [null, 'old'],
        teams: ['team-0 old', 'team-2 new', 'team-3'],
        unmanaged: ['4'],
      });
      expect(await staging.neighbourOf('User', 'shared')).toEqual(keys[0]);
      expect(await staging.neighbourOf('Team', 'team-2')).toEqual(keys[2]);
      expect(await staging.neighbourOf('Team', 'team-3')).toBeNull();
      await young?.links.apply([{ type: 'putLink', link: aLink('late', { targetId: '4' }) }]);
      expect(await look(), 'as it is now, not as it was').toMatchObject({ unmanaged: [] });
      await staging.setNeighbours([]);
      expect(await look()).toEqual({ ...alone, unmanaged: ['4'] });
    });

    it('a value that half the target shares gives ten candidates and not all', async () => {
      const { staging } = await states.directory();
      await staging.addDesired([{ desired: aDesiredUser('ada'), keys: [mail('info')] }]);
      await staging.addObservedUsers(numbers(50).map((n) => ({ object: anAccount(String(n)), keys: [mail('info')] })));
      expect((await collect(staging.people()))[0]?.candidates).toHaveLength(10);
    });

    it('unmanaged accounts are those that neither a link nor a candidate explains', async () => {
      const { staging, links } = await states.directory();
      await links.apply([{ type: 'putLink', link: aLink('ada') }]);
      await staging.addDesired([
        { desired: aDesiredUser('ada'), keys: [mail('ada')] },
        { desired: aDesiredUser('bob'), keys: [mail('bob')] },
      ]);
      const seen = (id: string, ...names: string[]) => ({ object: anAccount(id), keys: names.map(mail) });
      await staging.addObservedUsers([
        seen('account-ada'),
        seen('2', 'ada'),
        seen('3', 'bob'),
        seen('4', 'eve'),
        seen('5'),
      ]);
      expect(await staging.countUnmanaged(), 'a second account of a linked person is nobody’s').toBe(3);
      expect((await collect(staging.unmanaged())).map(({ id }) => id)).toEqual(['2', '4', '5']);
    });

    it('collisions name those present or linked who share a value, at most ten at once, sorted', async () => {
      const { staging, links } = await states.directory();
      await links.apply([{ type: 'putLink', link: aLink('left') }]);
      const row = (id: string, keys: MatchKey[], presence: 'present' | 'outOfScope' = 'present') => ({
        desired: aDesiredUser(id, { presence }),
        keys,
      });
      await staging.addDesired([
        row('bob', [mail('same')]),
        row('ada', [mail('same'), { path: 'userName', key: 'ada' }]),
        row('cyd', [mail('cyd'), { path: 'userName', key: 'same' }]),
        row('dee', [mail('left')]),
        row('left', [mail('left')], 'outOfScope'),
        row('eve', [mail('eve')]),
        row('out', [mail('eve')], 'outOfScope'),
        row('fay', [mail('fay'), mail('fay')]),
        ...numbers(12).map((n) => row(`many-${String(n).padStart(2, '0')}`, [mail('zz')])),
      ]);
      expect(await collect(staging.collisions())).toEqual([
        { path: 'emails', sourceIds: ['dee', 'left'] },
        { path: 'emails', sourceIds: ['ada', 'bob'] },
        { path: 'emails', sourceIds: numbers(10).map((n) => `many-${String(n).padStart(2, '0')}`) },
        { path: 'emails', sourceIds: ['many-01', 'many-11', 'many-12'] },
      ]);
    });

    it('collisions come in pages', async () => {
      const { staging } = await states.directory();
      await staging.addDesired(
        numbers(1_400).map((n) => ({ desired: aDesiredUser(`person-${n}`), keys: [mail(String(n % 700))] })),
      );
      let found = 0;
      for await (const page of staging.collisions()) {
        expect(page.length).toBeLessThanOrEqual(500);
        found += page.length;
      }
      expect(found).toBe(700);
    });
  });

  describe('staged teams', () => {
    it('a team of several rules has all their names, the first display name, and ends as gently as any of them says', async () => {
      const { staging } = await states.directory();
      await staging.addTeams([
        aDesiredTeam('Sales', { rules: ['b'], whenEmpty: 'Delete', deletionPolicy: 'Delete' }),
        aDesiredTeam('SALES', { rules: ['a', 'b'], whenEmpty: 'Delete', deletionPolicy: 'Empty' }),
      ]);
      await staging.addTeams([aDesiredTeam('sales', { rules: ['c'], whenEmpty: 'Retain', deletionPolicy: 'Delete' })]);
      const [team] = await collect(staging.teams());
      expect(team?.desired).toEqual(
        aDesiredTeam('Sales', { rules: ['a', 'b', 'c'], whenEmpty: 'Retain', deletionPolicy: 'Empty' }),
      );
    });

    it('D5 desired and linked teams come in pages by key, with what was observed', async () => {
      const { staging, links } = await states.directory();
      const names = numbers(801).map((n) => String(n).padStart(4, '0'));
      await staging.addTeams(names.slice(0, 501).map((name) => aDesiredTeam(name)));
      await links.apply(names.slice(400).map((name) => ({ type: 'putTeam', team: aTeamLink(name) })));
      await staging.addObservedTeams([aGroup('group-0450', '0450', { members: ['1', '2'] })]);
      await staging.addMemberships([
        { team: 'rule:0001', sourceId: 'ada', keep: false },
        { team: 'rule:0001', sourceId: 'bob', keep: true },
      ]);
      const teams = [];
      for await (const page of staging.teams()) {
        expect(page.length).toBeLessThanOrEqual(500);
        teams.push(...page);
      }
      expect(teams.map(({ key }) => key)).toEqual(names.map((name) => `rule:${name}`));
      expect(teams[0]).toMatchObject({ link: null, desiredMembers: 1 });
      expect(teams[449]).toMatchObject({ desired: { displayName: '0450' }, link: aTeamLink('0450') });
      expect(teams[449]?.observed).toEqual(aGroup('group-0450', '0450'));
      expect(teams[800]).toMatchObject({ desired: null, link: aTeamLink('0801') });
    });

    it('candidates have the mark or, trimmed and without case, the name; the mark comes first', async () => {
      const { staging, links } = await states.directory();
      await links.apply([
        { type: 'putTeam', team: aTeamLink('Finance', { targetId: '4' }) },
        { type: 'putTeam', team: aTeamLink('Sales', { targetId: '5' }) },
      ]);
      await staging.addTeams([aDesiredTeam('Sales')]);
      await staging.addObservedTeams([
        aGroup('1', '  sALES '),
        aGroup('2', 'Old name', {
          attributes: { displayName: 'Old name', externalId: aDesiredTeam('Sales').externalId },
          members: ['1'],
        }),
        aGroup('3', 'Sales East'),
        aGroup('4', 'Sales'),
        aGroup('5', 'Sales'),
      ]);
      const sales = (await collect(staging.teams())).find(({ key }) => key === 'rule:sales');
      expect(sales?.candidates.map(({ object, linkedTo }) => [object.id, linkedTo, object.members])).toEqual([
        ['2', null, null],
        ['1', null, null],
        ['4', 'rule:finance', null],
      ]);
    });

    it('a team is gone when it was looked for and not found, or the whole list was read', async () => {
      const { staging, links } = await states.directory();
      await links.apply(['A', 'B', 'C'].map((name) => ({ type: 'putTeam', team: aTeamLink(name) })));
      await staging.addObservedTeams([aGroup('group-b', 'B')]);
      await staging.addMissing({ teams: ['group-a'] });
      const gone = async () => (await collect(staging.teams())).map((team) => team.gone);
      expect(await gone()).toEqual([true, false, false]);
      await staging.setComplete('User');
      expect(await gone()).toEqual([true, false, false]);
      await staging.setComplete('Team');
      expect(await gone()).toEqual([true, false, true]);
    });
  });

  describe('differences of members', () => {
    it('against the stored members: additions first, by source id, then those to be removed', async () => {
      const state = await states.directory();
      await fillSales(state);
      expect(await differences(state)).toEqual([
        'add gus → ? gus@example.com present',
        'add ida → account-ida ida@example.com outOfScope',
        'add kim → ? kim null',
        'remove bob → account-bob bob@example.com present',
        'remove zed → account-zed zed@example.com null',
        'remove ? → stranger stranger null',
      ]);
    });

    it('against the observed members where they were read, and not where only the team was', async () => {
      const state = await states.directory();
      await fillSales(state);
      const stored = await differences(state);
      await state.staging.addObservedTeams([aGroup('group-sales', 'Sales')]);
      expect(await differences(state)).toEqual(stored);
      await state.staging.addObservedTeams([aGroup('group-sales', 'Sales', { members: ['account-ida', 'hand-made'] })]);
      const observed = [
        'add ada → account-ada ada@example.com present',
        'add gus → ? gus@example.com present',
        'add kim → ? kim null',
        'remove ? → hand-made hand-made null',
      ];
      expect(await differences(state)).toEqual(observed);
      await state.staging.addObservedTeams([aGroup('group-sales', 'Sales')]);
      expect(await differences(state), 'members that were read stay known').toEqual(observed);
    });

    it('members in doubt are added where they are wanted and removed where they are not', async () => {
      const state = await states.directory();
      await fillSales(state);
      const doubted = ['account-ada', 'account-bob', 'account-kim'];
      await state.links.apply([{ type: 'doubtMembers', key: 'rule:sales', targetIds: doubted }]);
      const rows = await collect(state.staging.memberDifferences('rule:sales'));
      const toDoubted = rows.filter(({ targetId }) => doubted.includes(targetId ?? ''));
      expect(toDoubted.map(({ change, targetId, byHand }) => [change, targetId, byHand])).toEqual([
        ['add', 'account-ada', false],
        ['remove', 'account-bob', false],
        ['remove', 'account-kim', false],
      ]);
      await state.links.apply([{ type: 'addMembers', key: 'rule:sales', targetIds: ['account-ada'] }]);
      const after = await collect(state.staging.memberDifferences('rule:sales'));
      expect(after.filter(({ targetId }) => targetId === 'account-ada')).toEqual([]);
      await state.links.apply([{ type: 'doubtMembers', key: 'rule:sales', targetIds: ['account-ada'] }]);
      await state.staging.addObservedTeams([aGroup('group-sales', 'Sales', { members: ['account-ada'] })]);
      expect(
        (await collect(state.staging.memberDifferences('rule:sales'))).filter(({ sourceId }) => sourceId === 'ada'),
        'who is seen is no longer in doubt',
      ).toEqual([]);
    });

    it('made by hand are those in which the stored members disagree with the target', async () => {
      const state = await states.directory();
      await fillSales(state);
      const byHand = async () => {
        const rows = await collect(state.staging.memberDifferences('rule:sales'));
        return rows.filter((row) => row.byHand).map(({ change, targetId }) => `${change} ${targetId}`);
      };
      expect(await byHand(), 'nothing was read').toEqual([]);
      const stored = await state.links.members('rule:sales');
      expect(await state.staging.countMembers('rule:sales')).toEqual({ all: stored, sure: stored });
      await state.staging.addObservedTeams([aGroup('group-sales', 'Sales', { members: ['account-bob', 'hand-made'] })]);
      // Bob and Zed were members, and nobody asked for it: who is still there was not put there by hand.
      expect(await byHand()).toEqual(['add account-ada', 'remove hand-made']);
      expect(await state.staging.countMembers('rule:sales')).toEqual({ all: 2, sure: 2 });
      await state.staging.addMissing({ users: ['account-ada'] });
      expect(await byHand(), 'an account that is gone left by itself').toEqual(['remove hand-made']);
    });

    it('against another team of the target, where that one is taken over', async () => {
      const { staging } = await states.directory();
      await staging.addDesired([{ desired: aDesiredUser('ada'), keys: [] }]);
      await staging.addMemberships([{ team: 'rule:sales', sourceId: 'ada', keep: false }]);
      await staging.addObservedTeams([aGroup('found', 'Sales', { members: ['1'] })]);
      expect(await staging.countMembers('rule:sales')).toEqual({ all: 0, sure: 0 });
      expect(await staging.countMembers('rule:sales', 'found')).toEqual({ all: 1, sure: 1 });
      const rows = await collect(staging.memberDifferences('rule:sales', 'found'));
      expect(rows.map(({ change, targetId }) => [change, targetId])).toEqual([
        ['add', null],
        ['remove', '1'],
      ]);
    });

    it('a team that is gone has nobody', async () => {
      const state = await states.directory();
      await fillSales(state);
      await state.staging.addMissing({ teams: ['group-sales'] });
      expect((await differences(state)).filter((line) => line.startsWith('remove'))).toEqual([]);
      expect(await differences(state)).toContain('add ada → account-ada ada@example.com present');
    });

    it('a person whose account is gone is added again, without an id', async () => {
      const state = await states.directory();
      await fillSales(state);
      await state.staging.addMissing({ users: ['account-ada'] });
      expect(await differences(state)).toContain('add ada → ? ada@example.com present');
      expect(await differences(state)).not.toContain('remove ada → account-ada ada@example.com present');
    });

    it('a plain row wins over one that keeps', async () => {
      for (const order of [
        [true, false],
        [false, true],
      ]) {
        const state = await states.directory();
        await state.staging.addDesired([{ desired: aDesiredUser('ada'), keys: [] }]);
        for (const keep of order) await state.staging.addMemberships([{ team: 'rule:sales', sourceId: 'ada', keep }]);
        expect(await differences(state)).toEqual(['add ada → ? ada@example.com present']);
      }
    });

    it('D5 D8 a large team comes in pages and as it was when it was asked for, while its members change', async () => {
      const { staging, links } = await states.directory();
      const accounts = numbers(1_100).map((n) => `account-${n}`);
      await links.apply([
        { type: 'putTeam', team: aTeamLink('Sales') },
        { type: 'setMembers', key: 'rule:sales', targetIds: accounts },
      ]);
      const seen: (string | null)[] = [];
      for await (const page of staging.memberDifferences('rule:sales')) {
        expect(page.length).toBeLessThanOrEqual(500);
        seen.push(...page.map(({ targetId }) => targetId));
        const targetIds = page.map(({ targetId }) => targetId ?? '');
        await links.apply([{ type: 'removeMembers', key: 'rule:sales', targetIds }]);
      }
      expect(seen).toEqual([...accounts].sort());
      expect(await links.members('rule:sales')).toBe(0);
    });

    it('two teams may be read side by side, and one given up half way', async () => {
      const { staging, links } = await states.directory();
      for (const name of ['A', 'B']) {
        await links.apply([
          { type: 'putTeam', team: aTeamLink(name) },
          { type: 'setMembers', key: aTeamLink(name).key, targetIds: numbers(600).map((n) => `${name}-${n}`) },
        ]);
      }
      const first = staging.memberDifferences('rule:a')[Symbol.asyncIterator]();
      await first.next();
      for await (const page of staging.memberDifferences('rule:b')) {
        expect(page.every(({ targetId }) => targetId?.startsWith('B-'))).toBe(true);
        break;
      }
      expect((await first.next()).value).toHaveLength(100);
      expect(await collect(staging.memberDifferences('rule:b'))).toHaveLength(600);
    });

    it('stored members become the observed ones, where they were read', async () => {
      const { staging, links } = await states.directory();
      await links.apply([
        { type: 'putTeam', team: aTeamLink('Sales') },
        { type: 'setMembers', key: 'rule:sales', targetIds: ['1'] },
        { type: 'takeMembers', key: 'rule:sales' },
      ]);
      expect(await links.members('rule:sales'), 'nothing was read').toBe(1);
      await staging.addObservedTeams([aGroup('group-sales', 'Sales')]);
      await links.apply([{ type: 'takeMembers', key: 'rule:sales' }]);
      expect(await links.members('rule:sales'), 'the team was read without members').toBe(1);
      await staging.addObservedTeams([aGroup('group-sales', 'Sales', { members: ['2', '3', '4'] })]);
      await links.apply([{ type: 'takeMembers', key: 'rule:sales' }]);
      expect(await links.members('rule:sales')).toBe(3);
      expect(await collect(staging.memberDifferences('rule:sales'))).toHaveLength(3);
      await links.apply([{ type: 'putLink', link: aLink('ada') }]);
      await staging.addMissing({ users: ['account-ada'] });
      await staging.addObservedTeams([aGroup('group-sales', 'Sales', { members: ['2', '3', '4', 'account-ada'] })]);
      await links.apply([{ type: 'takeMembers', key: 'rule:sales' }]);
      expect(await links.members('rule:sales'), 'an account that is gone is no member').toBe(3);
    });
  });
}

function mail(name: string): MatchKey {
  return { path: 'emails', key: `${name}@example.com` };
}

async function fill({ staging, links }: DirectoryState): Promise<void> {
  await links.apply([
    { type: 'putLink', link: aLink('ada') },
    { type: 'putTeam', team: aTeamLink('Sales') },
  ]);
  await staging.addUsers([aSourceUser('ada')]);
  await staging.addDesired([{ desired: aDesiredUser('ada'), keys: [mail('ada')] }]);
  await staging.addTeams([aDesiredTeam('Sales')]);
  await staging.addMemberships([{ team: 'rule:sales', sourceId: 'ada', keep: false }]);
  await staging.addObservedUsers([{ object: anAccount('stranger'), keys: [mail('stranger')] }]);
  await staging.addObservedTeams([aGroup('group-sales', 'Sales', { members: ['1'] })]);
  await staging.addMissing({ users: ['account-ada'], teams: ['gone'] });
  await staging.setComplete('User');
  await staging.setComplete('Team');
}

/** One team with everybody who may be told apart in it. */
async function fillSales({ staging, links }: DirectoryState): Promise<void> {
  const linked = ['ada', 'bob', 'cyd', 'dee', 'eve', 'fay', 'ida', 'zed'];
  await links.apply([
    ...linked.map((id) => ({ type: 'putLink' as const, link: aLink(id) })),
    { type: 'putTeam', team: aTeamLink('Sales') },
    {
      type: 'setMembers',
      key: 'rule:sales',
      // ada stays; bob has no membership any more; cyd and dee are kept or undecided; zed left the source.
      targetIds: ['account-ada', 'account-bob', 'account-cyd', 'account-dee', 'account-zed', 'stranger'],
    },
  ]);
  await staging.addDesired(
    [
      aDesiredUser('ada'),
      aDesiredUser('bob'),
      aDesiredUser('cyd'),
      aDesiredUser('dee', { presence: 'undecided' }),
      aDesiredUser('eve'),
      aDesiredUser('fay', { presence: 'undecided' }),
      aDesiredUser('gus'),
      aDesiredUser('ida', { presence: 'outOfScope' }),
    ].map((desired) => ({ desired, keys: [] })),
  );
  const row = (sourceId: string, keep = false) => ({ team: 'rule:sales', sourceId, keep });
  await staging.addMemberships([
    row('kim'),
    row('ida'),
    row('gus'),
    row('fay'),
    row('eve', true),
    row('cyd', true),
    row('ada'),
    { team: 'rule:other', sourceId: 'bob', keep: false },
  ]);
}

async function differences({ staging }: DirectoryState): Promise<string[]> {
  return (await collect(staging.memberDifferences('rule:sales'))).map(toLine);
}

function toLine({ change, sourceId, targetId, name, presence }: MemberDifference): string {
  return `${change} ${sourceId ?? '?'} → ${targetId ?? '?'} ${name} ${presence}`;
}
