import { describe, expect, it } from 'vitest';
import { isProtected, type Protectable } from '../../src/plan/protection.ts';
import { aDesiredUser, aLink } from '../support/builders.ts';

const WORK = 'emails[type eq "work"].value';
const nobody: Protectable = { sourceId: 'P-1', desired: null, link: null };
const link = aLink({
  name: 'Old@example.com',
  applied: { userName: 'Login@example.com', [WORK]: 'Old.Mail@example.com' },
});
const desired = aDesiredUser({
  name: 'New@example.com',
  attributes: { userName: 'Next@example.com', [WORK]: 'New.Mail@example.com' },
});

describe('isProtected', () => {
  it.each<readonly [Protectable, string, string]>([
    [nobody, 'p-1', 'by source id'],
    [{ ...nobody, link }, 'old@example.com', 'by the name that the link remembers'],
    [{ ...nobody, link }, 'login@example.com', 'by the userName that was written'],
    [{ ...nobody, link }, 'old.mail@example.com', 'by the mail address that was written'],
    [{ ...nobody, link, desired }, 'old.mail@example.com', 'also when another one is to be written'],
    [{ ...nobody, link, desired }, 'next@example.com', 'by the userName that is to be written'],
    [{ ...nobody, desired }, 'new.mail@example.com', 'by the mail address that is to be written'],
    [
      { ...nobody, desired: aDesiredUser({ attributes: {}, onCreate: { userName: 'Once@example.com' } }) },
      'once@example.com',
      'by a userName that is written once',
    ],
    [{ ...nobody, account: { userName: 'Admin@example.com' } }, 'admin@example.com', 'by the account to take over'],
  ])('%#: %s, %s', (person, name) => {
    expect(isProtected(person, new Set([name]))).toBe(true);
    expect(isProtected(person, new Set(['somebody@example.com']))).toBe(false);
    expect(isProtected(person, new Set())).toBe(false);
  });
});
