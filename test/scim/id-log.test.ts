import { expect, it } from 'vitest';
import { createIdLog } from '../../src/scim/id-log.ts';

it('tells what is new from what came in this pass and in an earlier one', () => {
  const log = createIdLog();
  expect(['a', 'b', 'a'].map((id) => log.note(id, 1))).toEqual(['new', 'new', 'repeated']);
  expect(['b', 'c', 'b', 'a'].map((id) => log.note(id, 2))).toEqual(['again', 'new', 'repeated', 'again']);
});

it('tells ids apart by case, and as many as there are', () => {
  const log = createIdLog();
  const ids = Array.from({ length: 5_000 }, (_, count) => [`id-${count}`, `ID-${count}`]).flat();
  expect(new Set(ids.map((id) => log.note(id, 1)))).toEqual(new Set(['new']));
  expect(new Set(ids.map((id) => log.note(id, 1)))).toEqual(new Set(['repeated']));
  expect(new Set(ids.map((id) => log.note(id, 2)))).toEqual(new Set(['again']));
});
