import { describe, expect, it } from 'vitest';
import type { AttributeChange } from '../../src/model.ts';
import { splitChanges, toChangeGuards } from '../../src/plan/changes.ts';
import { MANAGER, SHAPES } from '../support/builders.ts';

const MAIL = 'emails[type eq "work"].value';
const activation: AttributeChange = { path: 'active', before: false, after: true };
const rename: AttributeChange = { path: 'userName', before: 'ada@example.com', after: 'byron@example.com' };
const title: AttributeChange = { path: 'title', before: 'Clerk', after: 'Baker' };
const cleared: AttributeChange = { path: 'nickName', before: 'Al' };

const unitsOf = (changes: readonly AttributeChange[], suspect = false): string[] =>
  splitChanges(changes, { suspect }).map(({ unit, changes: some }) => `${unit} ${some.map(({ path }) => path).join()}`);

describe('splitChanges', () => {
  it('keeps apart what different guards may hold', () => {
    expect(splitChanges([activation, cleared, title, rename], { suspect: false })).toEqual([
      { kind: 'reactivate', unit: 'return', changes: [activation] },
      { kind: 'rename', unit: 'rename', changes: [rename] },
      { kind: 'update', unit: 'update', changes: [cleared, title] },
    ]);
    expect(splitChanges([], { suspect: false })).toEqual([]);
  });

  it('lets what a suspect read clears wait alone, names too (I1)', () => {
    const lost: AttributeChange = { path: MAIL, before: 'ada@example.com' };
    expect(unitsOf([cleared, lost, rename, title], true)).toEqual([
      'rename userName',
      'update title',
      `clear nickName,${MAIL}`,
    ]);
    expect(unitsOf([lost, rename, title])).toEqual([`rename ${MAIL},userName`, 'update title']);
  });

  it('takes a name that is filled for the first time for an update', () => {
    expect(unitsOf([{ path: 'externalId', after: 'p1' }])).toEqual(['update externalId']);
    expect(unitsOf([{ path: 'externalId', before: 'p0', after: 'p1' }])).toEqual(['rename externalId']);
  });
});

describe('toChangeGuards', () => {
  const guardsOf = (changes: readonly AttributeChange[], countUpdates = true): string[] =>
    toChangeGuards(changes, { countUpdates, shapes: SHAPES }).map(({ kind, scope }) => `${kind} ${scope}`.trim());

  it('counts each attribute by itself, a name only as a rename and activity only as a return', () => {
    expect(guardsOf([activation])).toEqual(['reactivate']);
    expect(guardsOf([rename, { path: MAIL, before: 'a@example.com', after: 'b@example.com' }])).toEqual(['rename']);
    expect(guardsOf([title, cleared])).toEqual(['update title', 'update nickName']);
  });

  it('counts no update while guards.update limits nothing', () => {
    expect(guardsOf([title, cleared], false)).toEqual([]);
    expect(guardsOf([rename], false)).toEqual(['rename']);
  });

  it('counts nothing for the end of a swap: its beginning was counted', () => {
    expect(
      guardsOf([{ path: 'userName', before: 'dirsync-0123456789ab@corp.example', after: 'ada@corp.example' }]),
    ).toEqual([]);
  });

  it('counts a reference that is replaced, not one that is made', () => {
    expect(guardsOf([{ path: MANAGER, before: 'u1', after: 'u2' }])).toEqual([`update ${MANAGER}`]);
    expect(guardsOf([{ path: MANAGER, after: 'u2' }])).toEqual([]);
    expect(guardsOf([{ path: 'title', after: 'Baker' }])).toEqual(['update title']);
  });
});
