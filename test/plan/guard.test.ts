import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GuardKind } from '../../src/model.ts';
import {
  computeGuard,
  type GuardInput,
  type GuardResult,
  isWithinLimits,
  toFingerprint,
} from '../../src/plan/guard.ts';
import type { Unit } from '../../src/state/store.ts';
import { aGuardInput, aUnit, someUnits } from '../support/builders.ts';

interface Arithmetic {
  readonly max?: number | null;
  readonly percent?: number;
  readonly floor?: number;
  readonly base?: number;
  /** Of this plan. */
  readonly planned: number;
  /** In the window before it. */
  readonly removed?: number;
  readonly because: string;
}

function isWithin({ max = null, percent = 10, floor = 5, base = 100, planned, removed = 0 }: Arithmetic): boolean {
  const limits = { ...aGuardInput().limits, deactivate: { max, percent } };
  const input = { limits, floor, base: () => base, removed: () => removed };
  return isWithinLimits({ kind: 'deactivate', scope: '' }, planned, input);
}

describe('guard arithmetic (I4)', () => {
  it.each<Arithmetic>([
    { planned: 10, because: 'exactly the percentage goes' },
    { planned: 5, base: 10, because: 'up to the floor goes whatever the percentage says' },
    { planned: 5, base: 0, because: 'the floor needs nobody to refer to' },
    { planned: 1, base: 1, because: 'one of one is within the floor' },
    { planned: 100, percent: 100, because: '100 switches the percentage off' },
    { planned: 1000, percent: 100, base: 10, because: 'whatever it would come to' },
    { planned: 50, max: 50, percent: 100, because: 'exactly max goes' },
    { planned: 0, max: 0, because: 'nothing is within everything' },
    { planned: 3, removed: 7, because: 'the window is filled exactly' },
    { planned: 1, base: 200, percent: 0.5, floor: 0, because: 'a part of a percent: one of two hundred' },
    { planned: 5, max: null, percent: 0, because: 'percent 0 leaves the floor' },
  ])('lets $planned go: $because', (arithmetic) => {
    expect(isWithin(arithmetic)).toBe(true);
  });

  it.each<Arithmetic>([
    { planned: 11, because: 'one above the percentage' },
    { planned: 6, base: 59, because: 'one above the floor, and above 10 percent of 59' },
    { planned: 6, base: 0, because: 'one above the floor of nobody' },
    { planned: 51, max: 50, percent: 100, because: 'one above max' },
    { planned: 1, max: 0, percent: 100, because: 'max 0 lets nothing go' },
    { planned: 3, max: 2, because: 'the floor is never above max' },
    { planned: 4, removed: 7, because: 'the window counts, and this plan with it' },
    { planned: 1, removed: 5, base: 10, because: 'the floor is used up by what went before' },
    { planned: 1, floor: 0, percent: 0, because: 'no floor, no percentage' },
    { planned: 2, base: 200, percent: 0.5, floor: 0, because: 'two of two hundred are a whole percent' },
  ])('holds $planned: $because', (arithmetic) => {
    expect(isWithin(arithmetic)).toBe(false);
  });

  it('holds 6 of 60 only above 10 percent, and 5 never', () => {
    expect(isWithin({ planned: 6, base: 60, because: '' })).toBe(true);
    expect(isWithin({ planned: 6, base: 59, because: '' })).toBe(false);
    expect(isWithin({ planned: 5, base: 1, because: '' })).toBe(true);
  });

  it('never lets more go than max, and with less in the window never less', () => {
    const numbers = {
      planned: fc.nat(50),
      removed: fc.nat(50),
      max: fc.option(fc.nat(60)),
      percent: fc.nat(100),
      floor: fc.nat(20),
      base: fc.nat(500),
      because: fc.constant(''),
    };
    fc.assert(
      fc.property(fc.record(numbers), (arithmetic) => {
        const goes = isWithin(arithmetic);
        const { planned, removed, max } = arithmetic;
        if (goes && max !== null) expect(planned + removed).toBeLessThanOrEqual(max);
        if (goes && planned > 0) expect(isWithin({ ...arithmetic, planned: planned - 1 })).toBe(true);
        if (goes && removed > 0) expect(isWithin({ ...arithmetic, removed: removed - 1 })).toBe(true);
      }),
    );
  });
});

describe('the worked examples of docs/guards.md', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/guards.md', import.meta.url)), 'utf8');
  const rows = [...page.matchAll(/^\|(?: *\d* *\|){7} *(?<outcome>goes|held)[^|]*\|$/gm)].map((row) => {
    const [base, percent, floor, max, removed, planned, count] = row[0]
      .split('|')
      .slice(1, 8)
      .map((cell) => (cell.trim() === '' ? null : Number(cell)));
    return { base, percent, floor, max, removed, planned, count, outcome: row.groups?.['outcome'] };
  });

  it('are there', () => expect(rows.length).toBeGreaterThan(8));

  it.each(rows)('$planned of $base, $percent %, floor $floor, max $max, $removed before: $outcome', (row) => {
    const { base, percent, floor, max = null, removed, planned, count, outcome } = row;
    const [people, share, least, before, now] = [base, percent, floor, removed, planned].map((each) => each ?? 0);
    expect(count).toBe((before ?? 0) + (now ?? 0));
    const arithmetic = { base: people, percent: share, floor: least, max, removed: before, planned: now ?? 0 };
    expect(isWithin({ ...arithmetic, because: '' } as Arithmetic)).toBe(outcome === 'goes');
  });
});

/** Names of the units that are held. */
const heldOf = (result: GuardResult): string[] => [...result.held.keys()];

describe('what is held', () => {
  it('is a kind as a whole, and nothing else', () => {
    const result = computeGuard(
      aGuardInput({
        units: [...someUnits(11), ...someUnits(2, { guard: 'delete' }), ...someUnits(3, { guard: null })],
      }),
    );
    expect(result.held).toEqual(new Map(someUnits(11).map(({ unit }) => [unit, 'deactivate'])));
    expect(result.kinds).toEqual({ deactivate: 11 });
    expect(result.subjects).toEqual([{ kind: 'deactivate', scope: '' }]);
    expect(result.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is nothing, with an empty hash, while everything is within its limits', () => {
    expect(computeGuard(aGuardInput({ units: someUnits(10) }))).toMatchObject({
      held: new Map(),
      hash: '',
      kinds: {},
      subjects: [],
      mismatch: false,
    });
  });

  it('is judged for each team by itself', () => {
    const of = (scope: string, count: number): Unit[] =>
      someUnits(count, { guard: 'removeMembers', scope }).map((unit) => ({ ...unit, unit: `${scope}-${unit.unit}` }));
    const result = computeGuard(
      aGuardInput({
        units: [...of('chess', 6), ...of('choir', 6)],
        base: ({ scope }) => (scope === 'chess' ? 11 : 12),
      }),
    );
    expect(heldOf(result)).toEqual(of('chess', 6).map(({ unit }) => unit));
    expect(result.subjects).toEqual([{ kind: 'removeMembers', scope: 'chess' }]);
  });

  it('asks for the window and the base of its own kind', () => {
    const counts: Partial<Record<GuardKind, number>> = { delete: 10 };
    const result = computeGuard(
      aGuardInput({
        units: [...someUnits(1), ...someUnits(1, { guard: 'delete' })],
        removed: ({ kind }) => counts[kind] ?? 0,
      }),
    );
    expect(heldOf(result)).toEqual(['delete-1']);
  });

  it('are removals by way of recovered links, however few (I7)', () => {
    const recovered = aUnit('recovered-1', { recovered: true });
    const result = computeGuard(aGuardInput({ units: [recovered, ...someUnits(10)] }));
    expect(result.held).toEqual(new Map([['recovered-1', 'recovered']]));
    expect(result.kinds).toEqual({ recovered: 1 });
    // It waits for another reason than its number: nothing of its kind is held, and no window stays open for it.
    expect(result.subjects).toEqual([]);
  });

  it('counts against the guard only what no other reason holds', () => {
    const units = [...someUnits(10), aUnit('recovered-1', { recovered: true })];
    expect(computeGuard(aGuardInput({ units })).kinds).toEqual({ recovered: 1 });
    expect(computeGuard(aGuardInput({ units: [...units, aUnit('more')] })).kinds).toEqual({
      recovered: 1,
      deactivate: 11,
    });
  });
});

describe('a unit under several guards', () => {
  const title = { kind: 'update', scope: 'title' } as const;
  const department = { kind: 'update', scope: 'department' } as const;

  it('counts under each of them, and goes when all let it', () => {
    const both = someUnits(8, { guards: [title, department] });
    const more = Array.from({ length: 3 }, (_, index) => aUnit(`more-${index}`, { guards: [department] }));
    expect(computeGuard(aGuardInput({ units: both })).held.size).toBe(0);
    const result = computeGuard(aGuardInput({ units: [...both, ...more] }));
    expect(result.subjects).toEqual([department]);
    expect(result.kinds).toEqual({ update: 11 });
  });

  it('is held once, though two guards hold it', () => {
    const result = computeGuard(aGuardInput({ units: someUnits(11, { guards: [title, department] }) }));
    expect(result.subjects).toEqual([title, department]);
    expect(result.held.size).toBe(11);
    expect(result.kinds).toEqual({ update: 11 });
  });
});

describe('lost teams (I4)', () => {
  /** Teams `team-1` and so on, `leave` of whose members go by other causes than their own departure. */
  const teams = (count: number, leave: number, offset = 0): Unit[] =>
    Array.from({ length: count }, (_, team) =>
      Array.from({ length: leave }, (__, member) =>
        aUnit(`member:team-${team + offset}:p${member}`, { guard: 'removeMembers', scope: `team-${team + offset}` }),
      ),
    ).flat();
  const deletion = (key: string): Unit =>
    aUnit(`team:${key}:delete`, {
      guard: 'deleteTeams',
      lines: [JSON.stringify(['delete', 'Team', key, 't', null, null, 'rule', []])],
    });
  /** A hundred owned teams of four members each. */
  const base: GuardInput['base'] = ({ kind }) => (kind === 'removeMembers' ? 4 : 100);

  it('are counted whether they are deleted, emptied, or lose more than guards.removeMembers lets', () => {
    const deletions = Array.from({ length: 4 }, (_, index) => deletion(`gone-${index}`));
    const units = [...teams(4, 4), ...teams(3, 3, 10), ...deletions];
    const result = computeGuard(aGuardInput({ units, base }));
    expect(result.subjects).toEqual([{ kind: 'deleteTeams', scope: '' }]);
    expect(result.kinds).toEqual({ deleteTeams: 4 * 4 + 3 * 3 + 4 });
    expect(computeGuard(aGuardInput({ units: units.slice(4), base })).held.size).toBe(0);
  });

  it('are not teams that keep as much as guards.removeMembers asks', () => {
    expect(computeGuard(aGuardInput({ units: teams(50, 2), base })).held.size).toBe(0);
  });

  it('are counted once, however they were lost before', () => {
    const units = [...teams(5, 4), ...Array.from({ length: 5 }, (_, index) => deletion(`team-${index}`))];
    const lostTeams = (count: number) => new Set(Array.from({ length: count }, (_, n) => `team:team-${n}:delete`));
    const held = (lost: number) => computeGuard(aGuardInput({ units, base, lostTeams: lostTeams(lost) })).held.size;
    expect([held(5), held(10), held(11)]).toEqual([0, 0, 25]);
  });

  it('count what went in the window: two members yesterday and two today are the whole team', () => {
    const removed: GuardInput['removed'] = ({ kind }) => (kind === 'removeMembers' ? 2 : 0);
    expect(computeGuard(aGuardInput({ units: teams(11, 2), base, removed })).kinds).toEqual({ deleteTeams: 22 });
  });

  it('do not count teams whose removals their own guard holds; their deletion waits with those', () => {
    const many: GuardInput['base'] = ({ kind }) => (kind === 'removeMembers' ? 10 : 100);
    const held = [...teams(20, 10), deletion('team-0')];
    const units = held.map((unit) =>
      unit.unit.startsWith('member:team-0:')
        ? { ...unit, lines: [JSON.stringify(['removeMembers', 'Team', 'team-0', 't', unit.unit])] }
        : unit,
    );
    const result = computeGuard(aGuardInput({ units, base: many }));
    expect(result.kinds).toEqual({ removeMembers: 201 });
    expect(result.subjects.every(({ kind }) => kind === 'removeMembers')).toBe(true);
  });

  it('with percent 100 only who loses everybody', () => {
    const limits = { ...aGuardInput().limits, removeMembers: { max: null, percent: 100 } };
    expect(computeGuard(aGuardInput({ units: teams(11, 3), base, limits })).held.size).toBe(0);
    expect(computeGuard(aGuardInput({ units: teams(11, 4), base, limits })).kinds).toEqual({ deleteTeams: 44 });
  });
});

describe('the deletion of a team that becomes empty', () => {
  const line = (kind: string, key: string) => JSON.stringify([kind, 'Team', key, 't1', null, null, 'rule', []]);
  const leaver = aUnit('leaver', {
    recovered: true,
    lines: ['["deactivate","User","p1"]', line('removeMembers', 'chess')],
  });
  const deletion = (key: string) => aUnit(`${key}-deletion`, { guard: null, lines: [line('delete', key)] });

  it('waits while a removal from it is held, whatever holds that', () => {
    const units = [leaver, deletion('chess'), deletion('choir')];
    const result = computeGuard(aGuardInput({ units }));
    expect(result.held).toEqual(
      new Map([
        ['leaver', 'recovered'],
        ['chess-deletion', 'recovered'],
      ]),
    );
    expect(computeGuard(aGuardInput({ units, approve: result.hash })).held.size).toBe(0);
  });

  it('goes with removals that go', () => {
    const units = [{ ...leaver, recovered: false }, deletion('chess')];
    expect(computeGuard(aGuardInput({ units })).held.size).toBe(0);
  });
});

describe('a suspect read (I1)', () => {
  const removal = aUnit('removal');
  const clearing = aUnit('clearing', { guard: null });
  const adoption = aUnit('adoption', { guard: 'adopt', removal: false });

  it('holds every removal and lets the rest go', () => {
    const result = computeGuard(
      aGuardInput({ units: [removal, clearing, adoption], suspect: { confirmed: new Set() } }),
    );
    expect(result.held).toEqual(
      new Map([
        ['removal', 'suspect'],
        ['clearing', 'suspect'],
      ]),
    );
    expect(result.removals).toEqual([removal, clearing].map(toFingerprint));
  });

  it('leaves to the guards what a second read gives too, and only that', () => {
    const confirmed = new Set([toFingerprint(removal)]);
    const result = computeGuard(aGuardInput({ units: [removal, clearing], suspect: { confirmed } }));
    expect(result.held).toEqual(new Map([['clearing', 'suspect']]));
    const all = someUnits(11);
    const many = computeGuard(aGuardInput({ units: all, suspect: { confirmed: new Set(all.map(toFingerprint)) } }));
    expect(many.kinds).toEqual({ deactivate: 11 });
  });

  it('does not release what is recovered', () => {
    const recovered = aUnit('recovered', { recovered: true });
    const confirmed = new Set([toFingerprint(recovered)]);
    expect(computeGuard(aGuardInput({ units: [recovered], suspect: { confirmed } })).kinds).toEqual({ recovered: 1 });
  });
});

describe('approval (I5)', () => {
  const units = [...someUnits(11), aUnit('recovered-1', { recovered: true })];
  const held = computeGuard(aGuardInput({ units }));

  it('releases the whole held set by its hash, whatever holds it', () => {
    const result = computeGuard(aGuardInput({ units, approve: held.hash }));
    expect(result).toMatchObject({ held: new Map(), hash: '', kinds: {}, subjects: [], mismatch: false });
    expect(result.released).toEqual(new Map(units.map((unit) => [unit.unit, [toFingerprint(unit)]])));
  });

  it.each<readonly [Partial<GuardInput>, string]>([
    [{ units, approve: '0123456789abcdef' }, 'another hash'],
    [{ units: [...units, aUnit('one-more')], approve: held.hash }, 'one more unit in the set'],
    [{ units: units.slice(1), approve: held.hash }, 'one unit less'],
    [{ units: someUnits(3), approve: held.hash }, 'nothing is held any more'],
    [{ units: someUnits(3), approve: '' }, 'an empty hash names nothing'],
  ])('releases nothing and says so: %#, %s', (input) => {
    const without = computeGuard(aGuardInput({ ...input, approve: null }));
    expect(computeGuard(aGuardInput(input))).toEqual({ ...without, mismatch: true });
  });

  it('is spent unit by unit: what was approved and is left goes, and does not count', () => {
    const [first, ...rest] = units;
    if (first === undefined) return;
    const approved = new Set([toFingerprint(first)]);
    const result = computeGuard(aGuardInput({ units: someUnits(11), approved }));
    expect(result.released).toEqual(new Map([[first.unit, [toFingerprint(first)]]]));
    expect(result.held.size).toBe(0);
    expect(computeGuard(aGuardInput({ units: rest, approved })).held.has('recovered-1')).toBe(true);
  });

  it('of a unit that has other values now is none', () => {
    const approved = new Set([toFingerprint(aUnit('recovered-1', { recovered: true }))]);
    const changed = aUnit('recovered-1', { recovered: true, lines: ['another value'] });
    expect(computeGuard(aGuardInput({ units: [changed], approved })).kinds).toEqual({ recovered: 1 });
  });
});

describe('the hash of the held set (I5)', () => {
  const lines = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 });
  const units = fc
    .array(lines, { minLength: 1, maxLength: 8 })
    .map((all) => all.map((some, index) => aUnit(`unit-${index}`, { recovered: true, lines: some })));
  const hashOf = (some: readonly Unit[]): string => computeGuard(aGuardInput({ units: some })).hash;

  it('does not depend on the order of units or lines', () => {
    fc.assert(
      fc.property(units, fc.infiniteStream(fc.nat()), (some, chance) => {
        const shuffle = <T>(list: readonly T[]): T[] =>
          list
            .map((item) => [chance.next().value, item] as const)
            .sort(([a], [b]) => a - b)
            .map(([, item]) => item);
        const other = shuffle(some).map((unit) => ({ ...unit, lines: shuffle(unit.lines) }));
        expect(hashOf(other)).toBe(hashOf(some));
      }),
    );
  });

  it('does not depend on what goes beside it', () => {
    fc.assert(
      fc.property(units, fc.nat(10), (some, going) => {
        expect(hashOf([...some, ...someUnits(going)])).toBe(hashOf(some));
      }),
    );
  });

  it('is another one with one value changed, one unit more or one less', () => {
    fc.assert(
      fc.property(units, fc.string({ minLength: 1 }), (some, value) => {
        const [first, ...rest] = some;
        if (first === undefined || first.lines[0] === value) return;
        const changed = { ...first, lines: [value, ...first.lines.slice(1)] };
        if (some.some((unit) => unit.lines.includes(value))) return;
        expect(hashOf([changed, ...rest])).not.toBe(hashOf(some));
        expect(hashOf([...some, aUnit('more', { recovered: true, lines: [value] })])).not.toBe(hashOf(some));
        expect(hashOf(rest)).not.toBe(hashOf(some));
      }),
    );
  });
});
