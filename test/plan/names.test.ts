import { describe, expect, it } from 'vitest';
import type { AttributeChange, OperationKind } from '../../src/model.ts';
import { isTemporary, toNames, toTemporary } from '../../src/plan/names.ts';
import { aLink, aPersonState, SHAPES } from '../support/builders.ts';

const linked = aPersonState({ link: aLink() });
const names = (kind: OperationKind, changes: AttributeChange[] = [], person = linked, failed = false): string[] =>
  toNames(person, [{ seq: 7, kind, resource: 'User', changes }], { shapes: SHAPES, hasFailed: () => failed }).map(
    ({ role, path, key, seq }) => `${role} ${path} ${key}${seq === 0 ? '' : ` ${seq}`}`,
  );
const HAS = ['has userName p1@example.com', 'has externalId p1'];
const rename = { path: 'userName', before: 'p1@example.com', after: 'New@example.com' };

describe('the names of a person', () => {
  it.each<readonly [OperationKind, AttributeChange[], string[], string]>([
    ['update', [], HAS, 'an account has its values'],
    [
      'update',
      [rename],
      [...HAS, 'wants userName new@example.com 7', 'frees userName p1@example.com 7'],
      'without regard to case where the attribute has none',
    ],
    ['update', [{ ...rename, after: 'P1@example.com' }], HAS, 'another spelling is the same value'],
    ['update', [{ path: 'title', after: 'Clerk' }], HAS, 'a title is nobody’s own'],
    [
      'update',
      [{ path: 'externalId', before: 'p1', after: 'e1' }],
      [...HAS, 'frees externalId p1 7'],
      'what only tells accounts apart is given up, and waits for nobody',
    ],
    ['delete', [], [...HAS, 'frees userName p1@example.com 7', 'frees externalId p1 7'], 'a deletion frees everything'],
    ['deactivate', [{ path: 'active', before: true, after: false }], HAS, 'who is deactivated keeps it'],
  ])('of %s with %j are %j: %s', (kind, changes, expected) => {
    expect(names(kind, changes)).toEqual(expected);
  });

  it('of somebody new are wanted, those by which accounts are matched among them', () => {
    const changes = [
      { path: 'userName', after: 'p1@example.com' },
      { path: 'externalId', after: 'p1' },
    ];
    expect(names('create', changes, aPersonState())).toEqual([
      'wants userName p1@example.com 7',
      'wants externalId p1 7',
    ]);
  });

  it('that an operation wants in vain so far are doubted, and a deletion that was refused frees none', () => {
    expect(names('rename', [rename], linked, true)).toEqual([
      ...HAS,
      'wants userName new@example.com 7',
      'doubts userName new@example.com 7',
      'frees userName p1@example.com 7',
    ]);
    expect(names('delete', [], linked, true)).toEqual(HAS);
  });

  it('of an account that is taken over are its old ones too', () => {
    expect(names('adopt', [rename], aPersonState())).toEqual([
      'wants userName new@example.com 7',
      'frees userName p1@example.com 7',
      'has userName p1@example.com',
    ]);
  });

  it('are what the target was seen to hold, and none where the account is gone', () => {
    const observed = { id: 'u1', version: null, attributes: { userName: 'Seen@example.com' } };
    expect(names('update', [], { ...linked, observed })).toEqual(['has userName seen@example.com']);
    expect(names('update', [], { ...linked, gone: true })).toEqual([]);
  });
});

describe('a temporary value', () => {
  it('is the same in every run, of the form of the old one, and known again', () => {
    const before = 'ada@corp.example';
    const value = toTemporary('p1', { path: 'userName', before });
    expect(value).toMatch(/^dirsync-[0-9a-f]{12}@corp\.example$/);
    expect(toTemporary('p1', { path: 'userName', before })).toBe(value);
    expect(toTemporary('p2', { path: 'userName', before })).not.toBe(value);
    expect(toTemporary('p1', { path: 'userName', before: 'ada' })).toMatch(/^dirsync-[0-9a-f]{12}$/);
    const short = toTemporary('p1', { path: 'userName', before }, 20);
    expect(short).toMatch(/^dirsync-[0-9a-f]{12}$/);
    expect(isTemporary(short)).toBe(true);
    expect(toTemporary('p1', { path: 'userName', before }, value.length)).toBe(value);
    expect([value, before, 'dirsync-admin', undefined].map(isTemporary)).toEqual([true, false, false, false]);
  });
});
