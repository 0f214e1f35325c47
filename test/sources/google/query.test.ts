import { expect, it } from 'vitest';
import type { WantedPeople } from '../../../src/model.ts';
import { toScopeQuery } from '../../../src/sources/google/query.ts';

it.each<[string, WantedPeople, string | null]>([
  ['a unit', [[{ path: 'orgUnitPath', values: ['/Sales'] }]], "orgUnitPath='/Sales'"],
  [
    'several values, with signs that mean something',
    [
      [
        { path: 'customSchemas.Sample.grade', values: ["it's \\ 7"] },
        { path: 'suspended', values: [false] },
        { path: 'archived', values: [false] },
        { path: 'primaryEmail', values: ['mei@corp.example'] },
      ],
    ],
    "Sample.grade='it\\'s \\\\ 7' isSuspended=false isArchived=false email='mei@corp.example'",
  ],
  [
    'what can be searched alone',
    [
      [
        { path: 'organizations', values: ['x'] },
        { path: 'isAdmin', values: [true] },
      ],
    ],
    'isAdmin=true',
  ],
  [
    'nothing of one of several values',
    [
      [
        { path: 'orgUnitPath', values: ['/Sales', '/Support'] },
        { path: 'isAdmin', values: [false] },
      ],
    ],
    'isAdmin=false',
  ],
  ['nothing of several lists', [[{ path: 'isAdmin', values: [true] }], [{ path: 'suspended', values: [true] }]], null],
  ['nothing that is no flag', [[{ path: 'suspended', values: ['no'] }]], null],
  ['nothing that is no text', [[{ path: 'orgUnitPath', values: [true] }]], null],
  ['nothing of a schema that could be no name', [[{ path: "customSchemas.S ample.x='y", values: ['x'] }]], null],
])('a query of Google says %s', (_what, wanted, query) => {
  expect(toScopeQuery(wanted)).toEqual(query);
});
