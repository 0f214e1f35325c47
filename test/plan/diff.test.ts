import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttributeChange, Attributes, Json } from '../../src/model.ts';
import { diffValues, isClearing, isHeld, isSameValue, isUnassigned, type PathShape } from '../../src/plan/diff.ts';
import { DEPARTMENT, MANAGER, SHAPES } from '../support/builders.ts';

const desire = (attributes: Attributes, clear: string[] = [], references: Record<string, string> = {}) => ({
  attributes,
  clear,
  references,
});

/** What the target holds after the changes. */
function applyChanges(current: Attributes, changes: readonly AttributeChange[]): Record<string, Json> {
  const values: Record<string, Json> = { ...current };
  for (const { path, after } of changes) {
    if (after === undefined) delete values[path];
    else values[path] = after;
  }
  return values;
}

const LIST: PathShape = {
  caseExact: false,
  multiValued: true,
  reference: null,
  matching: false,
  required: false,
  unique: false,
};

describe('isSameValue', () => {
  it.each<readonly [Json | undefined, Json | undefined, boolean, string]>([
    ['Sales', 'sales', true, 'case does not matter'],
    [null, '', true, 'unassigned is one state'],
    [undefined, [], true, 'however it is written'],
    ['', 'a', false, 'a value is none of it'],
    [7, '7', true, 'a number and its text'],
    [7, '07', false, 'another text'],
    [true, 'True', true, 'a boolean and its word'],
    [true, false, false, 'the other one'],
    [['a', 'b'], ['B', 'a'], true, 'lists without order'],
    [['a', 'a'], ['a'], true, 'and without repetition'],
    [['a'], 'a', true, 'a value is a list of one'],
    [['a'], ['a', 'b'], false, 'a longer list'],
    ['2026-03-01T09:00:00Z', '2026-03-01T10:00:00.000+01:00', true, 'date-times by the instant'],
    ['2026-03-01T09:00:00Z', '2026-03-01T09:00:01Z', false, 'another instant'],
    ['2026-99-01T09:00:00Z', '2026-98-01T09:00:00Z', false, 'what only looks like a date-time is text'],
    ['Zoë', 'Zoë', true, 'an accent however it is written'],
    [{ a: 1, b: 'X' }, { B: 'x', A: '1' }, true, 'objects by their parts, in any order'],
    [{ a: 1 }, { a: 1, b: null, $ref: 'https://example.com/Users/1' }, true, 'what a server adds is no difference'],
    [{ a: 1 }, { a: 1, primary: false }, true, 'nor that it is not the primary one'],
    [{ a: 1 }, { a: 1, primary: true }, false, 'but that it is'],
    [{ a: 1 }, { a: 1, b: 2 }, false, 'another part'],
    [[{ a: 1 }, { a: 2 }], [{ a: '2' }, { a: 1 }], true, 'lists of them without order'],
  ])('%j and %j: %s, %s', (left, right, expected) => {
    expect(isSameValue(left, right, false)).toBe(expected);
    expect(isSameValue(right, left, false)).toBe(expected);
  });

  it.each<readonly [Json, Json, boolean]>([
    ['Sales', 'sales', false],
    ['True', 'true', false],
    [true, 'TRUE', true],
    [['a', 'B'], ['B', 'a'], true],
  ])('%j and %j with case: %s', (left, right, expected) => {
    expect(isSameValue(left, right, true)).toBe(expected);
  });
});

describe('diffValues', () => {
  it.each<readonly [Parameters<typeof diffValues>[0], Attributes, readonly AttributeChange[], string]>([
    [desire({ title: 'Boss' }), {}, [{ path: 'title', after: 'Boss' }], 'a new value has nothing before'],
    [desire({ title: 'Boss' }), { title: '' }, [{ path: 'title', after: 'Boss' }], 'empty text is nothing'],
    [
      desire({ title: 'Boss' }),
      { title: 'Clerk' },
      [{ path: 'title', before: 'Clerk', after: 'Boss' }],
      'another value',
    ],
    [desire({ title: 'BOSS' }), { title: 'Boss' }, [], 'the same but for case'],
    [
      desire({ externalId: 'P1' }),
      { externalId: 'p1' },
      [{ path: 'externalId', before: 'p1', after: 'P1' }],
      'case counts where the schema says so',
    ],
    [desire({ x: 'A' }), { x: 'a' }, [{ path: 'x', before: 'a', after: 'A' }], 'a path without a shape is exact'],
    [desire({}, ['title']), { title: 'Boss' }, [{ path: 'title', before: 'Boss' }], 'clearing has nothing after'],
    [desire({}, ['title']), { title: '' }, [], 'what is empty is not cleared'],
    [desire({}), { title: 'Boss' }, [], 'what is not spoken of stays'],
    [
      desire({}, [], { [MANAGER]: 'u2' }),
      { [MANAGER]: 'u1' },
      [{ path: MANAGER, before: 'u1', after: 'u2' }],
      'a reference',
    ],
    [
      desire({ title: 'a', [DEPARTMENT]: 'b', active: true }),
      {},
      [
        { path: 'active', after: true },
        { path: 'title', after: 'a' },
        { path: DEPARTMENT, after: 'b' },
      ],
      'sorted by path',
    ],
  ])('%j from %j: %#, %s', (desired, current, changes) => {
    expect(diffValues(desired, current, SHAPES)).toEqual(changes);
  });

  it.each<readonly [Json, Json, Json | null, string]>([
    [[{ value: 'a' }], [], [{ value: 'a' }], 'a first one'],
    [[{ value: 'b' }], [{ value: 'a' }], [{ value: 'a' }, { value: 'b' }], 'another one, and what is there stays'],
    [[{ value: 'A', display: 'All' }], [{ value: 'a' }, { value: 'b' }], null, 'one that is there, by its value'],
    [[], [{ value: 'a' }], null, 'none'],
    [['b', 'a'], ['a'], ['a', 'b'], 'entries that are texts'],
  ])('adds %j to %j: %#, %s', (wanted, held, after) => {
    const shape: PathShape = { ...LIST, adds: true };
    const changes = diffValues(desire({ roles: wanted }), { roles: held }, new Map([['roles', shape]]));
    const before = isUnassigned(held) ? {} : { before: held };
    expect(changes).toEqual(after === null ? [] : [{ path: 'roles', ...before, after, adds: true }]);
    expect(isHeld(held, wanted, shape)).toBe(after === null);
  });

  it.each<readonly [string, string, string, boolean, string]>([
    ['Ada', 'ada', 'ada', true, 'the source was mended: what we wrote is spelled otherwise'],
    ['Ada', 'ada', 'Ada', false, 'the target has a spelling of its own of what we wrote'],
    ['Ada', 'Ada', 'ada', false, 'the target has the new spelling already'],
  ])('%s at %s, written as %s: %#, %s', (after, before, sent, isChange) => {
    const changes = diffValues(desire({ title: after }), { title: before }, SHAPES, { title: sent });
    expect(changes).toEqual(isChange ? [{ path: 'title', before, after }] : []);
  });
});

describe('changes', () => {
  const path = fc.constantFrom('userName', 'externalId', 'active', 'title', 'nickName', DEPARTMENT);
  const value = fc.oneof(
    fc.constantFrom<Json>('a', 'A', 'b', 'true', true, false, 7, '7', '2026-03-01T09:00:00Z'),
    fc.array(fc.constantFrom<Json>('a', 'b', 'B'), { minLength: 1, maxLength: 3 }),
  );
  const values = fc.dictionary(path, value);
  const shapes: ReadonlyMap<string, PathShape> = SHAPES;

  it('make the target hold what is wanted, and then there are none (I2)', () => {
    fc.assert(
      fc.property(values, values, fc.array(path), values, (attributes, current, cleared, sent) => {
        const clear = cleared.filter((each) => attributes[each] === undefined);
        const desired = desire(attributes, clear);
        const after = applyChanges(current, diffValues(desired, current, shapes, sent));
        for (const [each, wanted] of Object.entries(attributes))
          expect(isSameValue(after[each], wanted, shapes.get(each)?.caseExact ?? true)).toBe(true);
        for (const each of clear) expect(isUnassigned(after[each])).toBe(true);
        expect(diffValues(desired, after, shapes, { ...sent, ...attributes })).toEqual([]);
      }),
    );
  });

  it('name no path twice, and say truly what is there before', () => {
    fc.assert(
      fc.property(values, values, fc.array(path), (attributes, current, clear) => {
        const changes = diffValues(
          desire(
            attributes,
            clear.filter((each) => attributes[each] === undefined),
          ),
          current,
          shapes,
        );
        expect(new Set(changes.map((change) => change.path)).size).toBe(new Set(changes).size);
        for (const change of changes) expect(change.before).toEqual(current[change.path]);
      }),
    );
  });

  it('clear when they have nothing after', () => {
    expect(isClearing({ path: 'title', before: 'x' })).toBe(true);
    expect(isClearing({ path: 'active', before: true, after: false })).toBe(false);
  });
});
