import { expect, it } from 'vitest';
import type { WantedPeople } from '../../../src/model.ts';
import { toScopeFilter } from '../../../src/sources/scim/filter.ts';

const URN = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

it.each<[string, WantedPeople, string | null]>([
  ['one value', [[{ path: 'title', values: ['Lead'] }]], 'title eq "Lead"'],
  [
    'several lists, values and kinds of them',
    [
      [
        { path: `${URN}:department`, values: ['Sales', 'R&D "East"'] },
        { path: 'active', values: [true] },
      ],
      [{ path: 'name.familyName', values: [7] }],
    ],
    `(${URN}:department eq "Sales" or ${URN}:department eq "R&D \\"East\\"") and active eq true or name.familyName eq 7`,
  ],
  [
    'what can be named alone',
    [
      [
        { path: 'no name', values: ['x'] },
        { path: 'title', values: ['Lead'] },
      ],
    ],
    'title eq "Lead"',
  ],
  ['nothing that can be named', [[{ path: 'a.b.c', values: ['x'] }]], null],
  ['2,000 characters', [[{ path: 'title', values: ['x'.repeat(2000 - 'title eq ""'.length)] }]], expect.anything()],
  ['one more', [[{ path: 'title', values: ['x'.repeat(2001 - 'title eq ""'.length)] }]], null],
])('a filter of SCIM says %s', (_what, wanted, filter) => {
  expect(toScopeFilter(wanted)).toEqual(filter);
});
