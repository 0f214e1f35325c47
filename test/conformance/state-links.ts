import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/model.ts';
import type { Effect, Leave, Link, Links, SeenPhoto, TeamLink } from '../../src/state/store.ts';
import { aLink, aTeamLink, collect, numbers } from '../support/state-rows.ts';
import type { OpenStates } from './state.ts';

export function describeLinks(states: OpenStates): void {
  describe('links', () => {
    it('give back what was put, by either id and in bulk', async () => {
      const { links } = await states.directory();
      const ada = aLink('ada', { applied: { userName: 'Ada 👩‍💻', tags: ['a', 'b'], level: 3 }, origin: 'adopted' });
      const bob = aLink('bob', { active: false, origin: 'recovered', dirty: true });
      await links.apply([ada, bob].map((link) => ({ type: 'putLink', link })));

      expect(await links.get('ada')).toEqual(ada);
      expect(await links.byTarget('account-bob')).toEqual(bob);
      expect(await links.get('cyd')).toBeNull();
      expect(await links.byTarget('ada')).toBeNull();
      expect(await links.many(['bob', 'cyd', 'ada', 'ada'])).toEqual(
        new Map([
          ['ada', ada],
          ['bob', bob],
        ]),
      );
      expect(await links.counts()).toEqual({ people: 2, active: 1, teams: 0, members: 0 });
      expect(await collect(links.recovered())).toEqual([bob]);
    });

    it('of people decide whose photos are remembered', async () => {
      const store = await states.store();
      const { links, photos } = await store.directory({ namespace: 'identity', id: 'acme' });
      const seen: SeenPhoto = { sourceId: 'ada', etag: 'e1', hash: 'a1', size: 10 };
      const tooLarge: SeenPhoto = { sourceId: 'bob', etag: 'e2', hash: null, size: null };
      await photos.put([]);
      await photos.put([seen, tooLarge]);
      await photos.put([{ ...seen, etag: 'e3' }]);
      expect(await photos.many(['ada', 'bob', 'cyd'])).toEqual(
        new Map([
          ['ada', { ...seen, etag: 'e3' }],
          ['bob', tooLarge],
        ]),
      );
      const other = await store.directory({ namespace: 'identity', id: 'other' });
      await other.photos.put([{ ...seen, etag: 'e9' }]);
      await links.apply([{ type: 'putLink', link: aLink('ada') }]);
      await photos.purge();
      expect([...(await photos.many(['ada', 'bob'])).keys()]).toEqual(['ada']);
      expect([...(await other.photos.many(['ada'])).keys()]).toEqual(['ada']);
    });

    it('keep long values whole, whether they compress or not', async () => {
      const { links } = await states.directory();
      const cases: Record<string, Json>[] = [
        { text: 'again and again '.repeat(10_000) },
        {
          text: numbers(3_000)
            .map((n) => String.fromCodePoint(0x4e00 + ((n * 7919) % 20_000)))
            .join(''),
        },
        {},
      ];
      for (const [index, applied] of cases.entries()) {
        await links.apply([{ type: 'putLink', link: aLink(`person-${index}`, { applied }) }]);
        expect((await links.get(`person-${index}`))?.applied).toEqual(applied);
      }
    });

    it('a link that is put again is replaced as a whole, whether its values changed or not', async () => {
      const { links } = await states.directory();
      await links.apply([{ type: 'putLink', link: aLink('ada', { dirty: true }) }]);
      const renamed = aLink('ada', { targetId: 'account-9', name: 'countess', active: false, origin: 'adopted' });
      await links.apply([{ type: 'putLink', link: renamed }]);
      expect(await links.get('ada')).toEqual(renamed);
      const changed = { ...renamed, applied: { userName: 'countess@example.com' } };
      await links.apply([{ type: 'putLink', link: changed }]);
      expect(await links.get('ada')).toEqual(changed);
    });

    it('an account has one owner: it changes hands only after the first one let go', async () => {
      const { links } = await states.directory();
      await links.apply([{ type: 'putLink', link: aLink('ada') }]);
      const taken: Effect = { type: 'putLink', link: aLink('bob', { targetId: 'account-ada' }) };
      await expect(links.apply([{ type: 'dropLink', sourceId: 'zoe' }, taken])).rejects.toMatchObject({
        code: 'Conflict',
        message: 'the account account-ada of the target is linked to another person than bob',
      });
      await links.apply([{ type: 'dropLink', sourceId: 'ada' }, taken]);
      expect((await links.byTarget('account-ada'))?.sourceId).toBe('bob');
    });

    it('a renamed team keeps its members; it cannot take the key of another', async () => {
      const { links } = await states.directory();
      await links.apply([
        { type: 'putTeam', team: aTeamLink('Sales') },
        { type: 'putTeam', team: aTeamLink('Finance') },
        { type: 'addMembers', key: 'rule:sales', targetIds: ['1', '2', '2'] },
      ]);
      await expect(links.apply([{ type: 'rekeyTeam', from: 'rule:sales', to: 'rule:finance' }])).rejects.toMatchObject({
        code: 'Conflict',
      });
      await links.apply([{ type: 'rekeyTeam', from: 'rule:sales', to: 'rule:revenue' }]);
      expect(await links.members('rule:revenue')).toBe(2);
      expect(await links.members('rule:sales')).toBe(0);
      expect(await links.team('rule:revenue')).toEqual(aTeamLink('Sales', { key: 'rule:revenue' }));
    });

    it('a team that takes the place of one that is gone has none of its members', async () => {
      const { links } = await states.directory();
      await links.apply([
        { type: 'putTeam', team: aTeamLink('Sales') },
        { type: 'setMembers', key: 'rule:sales', targetIds: ['1', '2'] },
        { type: 'putTeam', team: aTeamLink('Sales', { dirty: true }) },
      ]);
      expect(await links.members('rule:sales')).toBe(2);
      await links.apply([{ type: 'putTeam', team: aTeamLink('Sales', { targetId: 'another' }) }]);
      expect(await links.members('rule:sales')).toBe(0);
    });

    it('an account that does not exist any more leaves the members of every team', async () => {
      const { links } = await states.directory();
      await links.apply([
        { type: 'putTeam', team: aTeamLink('Sales') },
        { type: 'putTeam', team: aTeamLink('Finance') },
        { type: 'setMembers', key: 'rule:sales', targetIds: ['1', '2'] },
        { type: 'setMembers', key: 'rule:finance', targetIds: ['1'] },
        { type: 'dropMember', targetId: '1' },
      ]);
      expect([await links.members('rule:sales'), await links.members('rule:finance')]).toEqual([1, 0]);
    });

    it('D5 D8 lists come in pages of at most 500, once each and in order, while rows are written', async () => {
      const { links } = await states.directory();
      const names = numbers(1_201).map((n) => String(n).padStart(5, '0'));
      await links.apply(names.map((name) => ({ type: 'putLink', link: aLink(name, { dirty: true }) })));
      await links.apply(names.map((name) => ({ type: 'putTeam', team: aTeamLink(name) })));

      const seen: string[] = [];
      for await (const page of links.dirty()) {
        expect(page.length).toBeLessThanOrEqual(500);
        seen.push(...page.map(({ sourceId }) => sourceId));
        // What was dealt with does not come again, and does not push anybody off a page.
        await links.apply(page.map((link) => ({ type: 'putLink', link: { ...link, dirty: false } })));
      }
      expect(seen).toEqual(names);
      expect(await collect(links.dirty())).toEqual([]);
      const teams: string[] = [];
      for await (const page of links.teams()) {
        expect(page.length).toBeLessThanOrEqual(500);
        teams.push(...page.map(({ displayName }) => displayName));
      }
      expect(teams).toEqual(names);
    });

    it('what failed is kept by person and mark, replaced, ended, and purged when it is long over', async () => {
      const { links, backoffs } = await states.directory();
      const backoff = {
        sourceId: 'ada',
        mark: 'm1',
        failures: 1,
        until: 100,
        code: 'TargetRejected',
        message: 'no',
      } as const;
      await links.apply([
        { type: 'backOff', backoff },
        { type: 'backOff', backoff: { ...backoff, failures: 2, until: 200 } },
        { type: 'backOff', backoff: { ...backoff, mark: 'm2' } },
        { type: 'backOff', backoff: { ...backoff, sourceId: 'bob' } },
        { type: 'endBackOff', sourceId: 'bob', mark: 'other' },
      ]);
      expect(await backoffs.many(['ada', 'cyd'])).toEqual(
        new Map([
          [
            'ada',
            [
              { ...backoff, failures: 2, until: 200 },
              { ...backoff, mark: 'm2' },
            ],
          ],
        ]),
      );
      await links.apply([{ type: 'endBackOff', sourceId: 'ada', mark: 'm1' }]);
      await backoffs.purge(101);
      expect(await backoffs.many(['ada', 'bob'])).toEqual(new Map());
      const other = await (await states.store()).directory({ namespace: 'identity', id: 'other' });
      await links.apply([{ type: 'backOff', backoff }]);
      expect(await other.backoffs.many(['ada'])).toEqual(new Map());
    });

    it('D2 any list of effects does to the store what it does to two maps, or nothing', async () => {
      const store = await states.store();
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(anEffect, { maxLength: 6 }), { maxLength: 12 }), async (lists) => {
          const { links } = await store.directory({ namespace: 'identity', id: `round-${++round}` });
          let model: Model = { links: new Map(), teams: new Map() };
          for (const effects of lists) {
            const next = applyToModel(model, effects);
            if (next === null) await expect(links.apply(effects)).rejects.toMatchObject({ code: 'Conflict' });
            else {
              await links.apply(effects);
              model = next;
            }
          }
          expect(await describeStored(links)).toEqual(describeModel(model));
        }),
        { numRuns: 150 },
      );
    });
  });
}

interface Model {
  links: Map<string, Link>;
  teams: Map<string, { team: TeamLink; members: Set<string> }>;
}

const person = fc.constantFrom('ada', 'bob', 'cyd');
const account = fc.constantFrom('1', '2', '3');
const team = fc.constantFrom('Sales', 'Finance', 'Legal');
const key = team.map((name) => aTeamLink(name).key);
const accounts = fc.array(account, { maxLength: 3 });
const anEffect: fc.Arbitrary<Effect> = fc.oneof(
  fc
    .record({
      sourceId: person,
      targetId: account,
      active: fc.boolean(),
      value: fc.constantFrom('a', 'b'.repeat(300)),
      left: fc.constantFrom<Pick<Link, 'left'>>({}, { left: { at: 7, cause: 'outOfScope', teams: [] } }),
    })
    .map(
      ({ sourceId, targetId, active, value, left }): Effect => ({
        type: 'putLink',
        link: aLink(sourceId, { targetId, active, applied: { value }, ...left }),
      }),
    ),
  fc
    .tuple(person, key, fc.constantFrom('remember', 'remember', 'recall'))
    .map(([sourceId, of, type]): Effect => ({ type: type as 'remember', sourceId, key: of, cause: 'deletedAtSource' })),
  person.map((sourceId): Effect => ({ type: 'endLeave', sourceId })),
  person.map((sourceId): Effect => ({ type: 'markDirty', sourceId })),
  person.map((sourceId): Effect => ({ type: 'dropLink', sourceId })),
  fc.tuple(person, person).map(([from, to]): Effect => ({ type: 'rekeyLink', from, to })),
  fc.tuple(team, fc.constantFrom('g1', 'g2', 'g3')).map(
    ([name, targetId]): Effect => ({
      type: 'putTeam',
      team: aTeamLink(name, { targetId }),
    }),
  ),
  fc.tuple(key, key).map(([from, to]): Effect => ({ type: 'rekeyTeam', from, to })),
  key.map((of): Effect => ({ type: 'markTeamDirty', key: of })),
  key.map((of): Effect => ({ type: 'dropTeam', key: of })),
  fc.tuple(key, accounts).map(([of, targetIds]): Effect => ({ type: 'addMembers', key: of, targetIds })),
  fc.tuple(key, accounts).map(([of, targetIds]): Effect => ({ type: 'doubtMembers', key: of, targetIds })),
  fc.tuple(key, accounts).map(([of, targetIds]): Effect => ({ type: 'removeMembers', key: of, targetIds })),
  fc.tuple(key, accounts).map(([of, targetIds]): Effect => ({ type: 'setMembers', key: of, targetIds })),
  account.map((targetId): Effect => ({ type: 'dropMember', targetId })),
);

/** Null where the list must be refused. */
function applyToModel(model: Model, effects: readonly Effect[]): Model | null {
  const next: Model = {
    links: new Map(model.links),
    teams: new Map([...model.teams].map(([of, { team, members }]) => [of, { team, members: new Set(members) }])),
  };
  return effects.every((effect) => applyOne(next, effect)) ? next : null;
}

function applyOne({ links, teams }: Model, effect: Effect): boolean {
  switch (effect.type) {
    case 'putLink': {
      const { link } = effect;
      links.set(link.sourceId, link);
      return [...links.values()].filter(({ targetId }) => targetId === link.targetId).length === 1;
    }
    case 'markDirty': {
      const link = links.get(effect.sourceId);
      if (link !== undefined) links.set(effect.sourceId, { ...link, dirty: true });
      return true;
    }
    case 'dropLink':
      links.delete(effect.sourceId);
      return true;
    case 'dropMember':
      for (const { members } of teams.values()) members.delete(effect.targetId);
      return true;
    case 'remember':
    case 'recall':
    case 'endLeave':
      changeLeave(links, effect);
      return true;
    case 'count':
    case 'takeMembers':
    case 'backOff':
    case 'endBackOff':
      return true;
    case 'rekeyLink':
      return rekeyLink(links, effect);
    case 'rekeyTeam':
      if (teams.has(effect.from)) renameRemembered(links, effect);
      return applyToTeams(teams, effect);
    default:
      return applyToTeams(teams, effect);
  }
}

function changeLeave(
  links: Model['links'],
  effect: Extract<Effect, { type: 'remember' | 'recall' | 'endLeave' }>,
): void {
  const link = links.get(effect.sourceId);
  // Taken out of a team before the account was switched off: no grace counts yet.
  const begun: Leave | null = effect.type === 'remember' ? { at: null, cause: effect.cause, teams: [] } : null;
  const left = link?.left ?? begun;
  if (link !== undefined && left !== null) links.set(effect.sourceId, withLeave(link, left, effect));
}

function rekeyLink(links: Model['links'], { from, to }: Extract<Effect, { type: 'rekeyLink' }>): boolean {
  const link = links.get(from);
  if (link === undefined) return true;
  if (to !== from && links.has(to)) return false;
  links.delete(from);
  links.set(to, { ...link, sourceId: to });
  return true;
}

function renameRemembered(links: Model['links'], { from, to }: Extract<Effect, { type: 'rekeyTeam' }>): void {
  for (const [id, link] of links) {
    if (link.left === undefined) continue;
    const teams = new Set(link.left.teams.map((each) => (each === from ? to : each)));
    links.set(id, { ...link, left: { ...link.left, teams: [...teams].sort() } });
  }
}

function withLeave(
  { left: _before, ...link }: Link,
  left: Leave,
  effect: Extract<Effect, { type: 'remember' | 'recall' | 'endLeave' }>,
): Link {
  if (effect.type === 'endLeave') return link;
  const others = left.teams.filter((key) => key !== effect.key);
  return { ...link, left: { ...left, teams: effect.type === 'recall' ? others : [...others, effect.key].sort() } };
}

function applyToTeams(
  teams: Model['teams'],
  effect: Extract<Effect, { type: `${string}Team${string}` | `${'add' | 'doubt' | 'remove' | 'set'}Members` }>,
): boolean {
  if (effect.type === 'putTeam') {
    const before = teams.get(effect.team.key);
    const members = before?.team.targetId === effect.team.targetId ? before.members : new Set<string>();
    teams.set(effect.team.key, { team: effect.team, members });
    return [...teams.values()].filter(({ team }) => team.targetId === effect.team.targetId).length === 1;
  }
  const from = effect.type === 'rekeyTeam' ? effect.from : effect.key;
  const stored = teams.get(from);
  if (stored === undefined) return true;
  switch (effect.type) {
    case 'rekeyTeam':
      if (effect.from !== effect.to && teams.has(effect.to)) return false;
      teams.delete(effect.from);
      teams.set(effect.to, { ...stored, team: { ...stored.team, key: effect.to } });
      return true;
    case 'markTeamDirty':
      teams.set(from, { ...stored, team: { ...stored.team, dirty: true } });
      return true;
    case 'dropTeam':
      teams.delete(from);
      return true;
    case 'removeMembers':
      for (const id of effect.targetIds) stored.members.delete(id);
      return true;
    default:
      if (effect.type === 'setMembers') stored.members.clear();
      for (const id of effect.targetIds) stored.members.add(id);
      return true;
  }
}

async function describeStored(links: Links): Promise<unknown> {
  const teams = await collect(links.teams());
  return {
    links: await links.many(['ada', 'bob', 'cyd']),
    dirty: (await collect(links.dirty())).map(({ sourceId }) => sourceId),
    teams: await Promise.all(teams.map(async (team) => ({ team, members: await links.members(team.key) }))),
    counts: await links.counts(),
  };
}

function describeModel({ links, teams }: Model): unknown {
  const all = [...links.values()].sort((a, b) => (a.sourceId < b.sourceId ? -1 : 1));
  const sorted = [...teams.values()].sort((a, b) => (a.team.key < b.team.key ? -1 : 1));
  return {
    links: new Map(all.map((link) => [link.sourceId, link])),
    dirty: all.filter(({ dirty }) => dirty).map(({ sourceId }) => sourceId),
    teams: sorted.map(({ team, members }) => ({ team, members: members.size })),
    counts: {
      people: all.length,
      active: all.filter(({ active }) => active).length,
      teams: sorted.length,
      members: sorted.reduce((sum, { members }) => sum + members.size, 0),
    },
  };
}
