import { expect, it } from 'vitest';
import type { WantedPeople } from '../../../src/model.ts';
import { toScopeFilter } from '../../../src/sources/ldap/filter.ts';

it.each<[string, WantedPeople, string | undefined]>([
  ['one value', [[{ path: 'title', values: ['Lead'] }]], '(&(objectClass=person)(|(&(|(title=Lead)))))'],
  [
    'several lists and values, with signs that mean something',
    [
      [
        { path: 'ou', values: ['Sales', 'R*(D)\\'] },
        { path: 'pwdReset', values: [false] },
      ],
      [{ path: 'employeeNumber', values: [7] }],
    ],
    '(&(objectClass=person)(|(&(|(ou=Sales)(ou=R\\2a\\28D\\29\\5c))(|(pwdReset=FALSE)))(&(|(employeeNumber=7)))))',
  ],
  [
    'what entries have alone',
    [
      [
        { path: 'manager_email', values: ['x'] },
        { path: 'title', values: ['Lead'] },
      ],
    ],
    '(&(objectClass=person)(|(&(|(title=Lead)))))',
  ],
  ['the name of an entry', [[{ path: 'dn', values: ['cn=x'] }]], undefined],
  ['what is no name', [[{ path: 'no name', values: ['x'] }]], undefined],
])('a filter of LDAP says %s', (_what, wanted, filter) => {
  expect(toScopeFilter(wanted, '(objectClass=person)')?.toString()).toEqual(filter);
});
