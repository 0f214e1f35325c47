import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSourcePath, readSourcePath } from '../../src/expression/paths.ts';
import {
  type AttributeNode,
  createAttributeTally,
  filterAttributes,
  listPaths,
  listUnfilled,
} from '../../src/mapping/attribute-tree.ts';
import { isEmptyValue } from '../../src/mapping/coerce.ts';
import type { Json } from '../../src/model.ts';

type Fields = Readonly<Record<string, Json>>;

function toTree(records: readonly Fields[], names: readonly string[] = []) {
  const tally = createAttributeTally();
  for (const record of records) tally.addRecord(record);
  tally.addNames(names);
  return tally.toTree(new Set(['tier']));
}

/** `path: types, people, sample`, those inside of others too. */
function toLines(nodes: readonly AttributeNode[]): readonly string[] {
  return nodes.flatMap(({ path, types, people, sample, attributes }) => [
    `${path}: ${[types.join(' or '), people, sample].join(', ')}`,
    ...toLines(attributes),
  ]);
}

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

describe('the tree of attributes', () => {
  it('has types, how many people have a value, and the form of one', () => {
    const { attributes, isCut } = toTree([
      { name: 'Ada Byron', active: true, level: 7, share: 0.5, hired: '2026-01-31T09:00:00Z', since: '2026-01-31' },
      { name: 'Zoë', active: false, level: 'B2', share: null, hired: '' },
      { name: [], level: 3 },
    ]);
    expect(toLines(attributes)).toEqual([
      'active: Boolean, 2, true',
      'hired: DateTime, 1, 9999-99-99T99:99:99Z',
      'level: Integer or String, 3, 9',
      'name: String, 2, Aaa Aaaaa',
      'share: Decimal, 1, 9.9',
      'since: String, 1, 9999-99-99',
    ]);
    expect(isCut).toBe(false);
  });

  it('has what is in objects, and in extensions behind their URN', () => {
    const { attributes } = toTree([
      { name: { givenName: 'Ada', familyName: null }, [ENTERPRISE]: { department: 'R&D', manager: { value: '42' } } },
      { name: { givenName: null }, 'urn:acme:tier': 'gold' },
    ]);
    expect(toLines(attributes)).toEqual([
      'name: Complex, 1, ',
      'name.familyName: , 0, ',
      'name.givenName: String, 1, Aaa',
      'urn:acme:tier: String, 1, aaaa',
      `${ENTERPRISE}: Complex, 1, `,
      `${ENTERPRISE}:department: String, 1, A&A`,
      `${ENTERPRISE}:manager: Complex, 1, `,
      `${ENTERPRISE}:manager.value: String, 1, 99`,
    ]);
    expect(listUnfilled(attributes)).toEqual(['name.familyName']);
  });

  it('reads an entry of a list by its type, the one that is marked as primary, or the first one', () => {
    const { attributes } = toTree([
      {
        emails: [
          { type: 'work', value: 'a', primary: true },
          { type: 'Home', value: 'b' },
        ],
        phones: [
          { type: 'work', value: '1' },
          { type: 'work', value: '2' },
        ],
        tags: ['x', 'y'],
        places: [{ city: 'York' }],
      },
      { emails: [{ type: 'home', value: 'c' }], tags: 'z' },
    ]);
    expect(toLines(attributes)).toEqual([
      'emails: list of Complex, 2, ',
      'emails[primary]: Complex, 2, ',
      'emails[primary].primary: Boolean, 1, true',
      'emails[primary].type: String, 2, aaaa',
      'emails[primary].value: String, 2, a',
      'emails[type eq "work"]: Complex, 1, ',
      'emails[type eq "work"].primary: Boolean, 1, true',
      'emails[type eq "work"].type: String, 1, aaaa',
      'emails[type eq "work"].value: String, 1, a',
      'emails[type eq "Home"]: Complex, 2, ',
      'emails[type eq "Home"].type: String, 2, Aaaa',
      'emails[type eq "Home"].value: String, 2, a',
      'phones: list of Complex, 1, ',
      'phones[type eq "work"]: Complex, 1, ',
      'phones[type eq "work"].type: String, 1, aaaa',
      'phones[type eq "work"].value: String, 1, 9',
      'places: list of Complex, 1, ',
      'places[0]: Complex, 1, ',
      'places[0].city: String, 1, Aaaa',
      'tags: list of String or String, 2, a',
      'tags[0]: String, 2, a',
    ]);
  });

  it('says whose name it is where a CustomAttribute has the same one', () => {
    expect(listPaths(toTree([{ tier: { tier: 'x' } }]).attributes)).toEqual(['source:tier', 'tier.tier']);
  });

  it('writes name by name what would be read as another name', () => {
    const { attributes } = toTree([
      { a: { b: { c: 'x' } }, 'a.b': null, 'x.y.z': '1', x: { y: { z: '' } }, 'urn:a:b': '', 'urn:a': { b: 'x' } },
    ]);
    expect(listPaths(attributes)).toEqual([
      'a',
      'a["b"]',
      'a["b"].c',
      '["a.b"]',
      'urn:a',
      'urn:a["b"]',
      'urn:a:b',
      'x',
      'x.y',
      'x.y["z"]',
      '["x.y.z"]',
    ]);
  });

  it('takes types that are data for no types', () => {
    const entries = Array.from({ length: 13 }, (_, index) => ({ type: `person-${index}`, value: 'x' }));
    const paths = listPaths(toTree([{ members: entries }]).attributes);
    expect(paths).toEqual(['members', 'members[0]', 'members[0].type', 'members[0].value']);
  });

  it('knows names that a read could deliver and nobody has a value of', () => {
    const names = ['id', 'name', 'name.givenName', 'a.b', ENTERPRISE, `${ENTERPRISE}.department`];
    const { attributes } = toTree([{ id: '1' }], names);
    expect(listPaths(attributes)).toEqual([
      '["a.b"]',
      'id',
      'name',
      'name.givenName',
      ENTERPRISE,
      `${ENTERPRISE}:department`,
    ]);
    expect(listUnfilled(attributes)).toEqual(['["a.b"]', 'name', ENTERPRISE]);
  });

  it('does not grow with the records', () => {
    const tally = createAttributeTally();
    for (let index = 0; index < 12_000; index += 1) tally.addRecord({ [`name${index}`]: 'x', id: 'y' });
    const { attributes, isCut } = tally.toTree(new Set());
    expect(attributes.length).toBe(10_000);
    expect(attributes.find(({ path }) => path === 'id')?.people).toBe(12_000);
    expect(isCut).toBe(true);
    const deep = Array.from({ length: 200 }).reduce<Json>((inner) => ({ x: inner }), 'end');
    expect(listPaths(toTree([{ deep }]).attributes).length).toBeLessThanOrEqual(33);
  });

  it('gives nothing of a value away but its form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const [node] = toTree([{ a: text }]).attributes;
        expect(node?.sample ?? '').toMatch(/^[Aa9 -/:-@[-`{-~]*(?:T[\d:.]*Z?|…)?$/u);
      }),
    );
  });

  const name = fc.oneof(
    fc.constantFrom(
      'a',
      'b',
      'c',
      'a.b',
      'b.c',
      'urn:a',
      'urn:a:b',
      'type',
      'primary',
      'value',
      'x y',
      'source:a',
      'q"t',
      'b]',
      'back\\slash',
    ),
    fc.constant(ENTERPRISE),
  );
  const { fields } = fc.letrec<{ value: Json; fields: Fields }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json>('work', 'home', 'a"b', '', null, true, 'true', 3),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('fields'),
    ),
    fields: fc.dictionary(name, tie('value'), { maxKeys: 8, noNullPrototype: true }),
  }));

  it('names each attribute by a path that leads to it', () => {
    fc.assert(
      fc.property(fields, (record) => {
        const check = (nodes: readonly AttributeNode[]): void => {
          for (const { path, people, attributes } of nodes) {
            const value = readSourcePath(parseSourcePath(path.replace(/^source:/, '')), record);
            const isFilled = !isEmptyValue(value) && hasValue(value);
            expect([path, isFilled]).toEqual([path, people === 1]);
            check(attributes);
          }
        };
        check(toTree([record]).attributes);
      }),
      { numRuns: 500 },
    );
  });
});

/** An object has a value where something in it has. */
function hasValue(value: Json): boolean {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return !isEmptyValue(value);
  return Object.values(value).some(hasValue);
}

it('attributes are found by a part of their path, with what they are in and what is in them', () => {
  const { attributes } = toTree([{ name: { Tier: 'x', other: 'y' }, tier: { level: 1 }, id: '1' }]);
  expect(listPaths(filterAttributes(attributes, 'TIER'))).toEqual(['name', 'name.Tier', 'source:tier', 'tier.level']);
  expect(filterAttributes(attributes, 'nothing')).toEqual([]);
});
