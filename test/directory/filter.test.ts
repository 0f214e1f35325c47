import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCatalog } from '../../src/directory/catalog.ts';
import { isMatch, parseResourceFilter } from '../../src/directory/filter.ts';
import { toSqlCondition } from '../../src/directory/filter-sql.ts';
import { openStore } from '../../src/directory/store.ts';
import type { Json } from '../../src/model.ts';
import { URN_ENTERPRISE_USER, URN_USER } from '../../src/scim/schema.ts';
import { openTestDirectory } from './directory-client.ts';

const CATALOG = createCatalog([]);
const USER: { readonly [key: string]: Json } = {
  schemas: [URN_USER, URN_ENTERPRISE_USER],
  id: '2819c223',
  externalId: 'E-7',
  userName: 'bjensen',
  name: { familyName: "O'Malley" },
  title: 'Say "hi" \\ bye',
  userType: 'Employee',
  active: true,
  emails: [
    { type: 'work', value: 'bjensen@example.com' },
    { type: 'home', value: 'babs@jensen.org' },
  ],
  [URN_ENTERPRISE_USER]: { department: 'A', manager: { value: 'M7' } },
  'urn:example:unknown:1.5:User': { Level: 'Gold', rank: -3 },
  meta: { resourceType: 'User', lastModified: '2011-05-13T04:42:34Z', version: 'W/"1"' },
};

describe('filters', () => {
  it.each([
    // RFC 7644 section 3.4.2.2, figure 2
    ['userName eq "bjensen"', true],
    ['name.familyName co "O\'Malley"', true],
    ['userName sw "J"', false],
    [`${URN_USER}:userName sw "B"`, true],
    ['title pr', true],
    ['nickName pr', false],
    ['meta.lastModified gt "2011-05-13T04:42:33Z"', true],
    ['meta.lastModified ge "2011-05-13T06:42:34+02:00"', true],
    ['meta.lastModified lt "2011-05-13T04:42:34Z"', false],
    ['meta.lastModified le "2011-05-13T04:42:34Z"', true],
    ['title pr and userType eq "Employee"', true],
    ['title pr or userType eq "Intern"', true],
    [`schemas eq "${URN_ENTERPRISE_USER}"`, true],
    ['userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', true],
    ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', false],
    ['userType eq "Employee" and (emails.type eq "work")', true],
    ['userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', true],
    ['emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]', true],
    // one entry must fulfil all that stands in the brackets
    ['emails[type eq "home" and value co "@example.com"]', false],
    // names, operators and what is not caseExact have no case; externalId has
    ['USERNAME EQ "BJensen" AND Title PR', true],
    ['externalId eq "e-7"', false],
    ['externalId eq "E-7"', true],
    // and binds tighter than or
    ['userType eq "Employee" or userType eq "x" and nickName pr', true],
    ['(userType eq "Employee" or userType eq "x") and nickName pr', false],
    // absent, null and ne
    ['nickName ne "x"', true],
    ['nickName eq null', true],
    ['title eq null', false],
    ['title ne null', true],
    ['active eq true', true],
    ['active ne true', false],
    ['active eq false', false],
    // JSON's escapes
    ['title eq "Say \\"hi\\" \\\\ bye"', true],
    ['userName eq "\\u0062jensen"', true],
    ['title eq "(not [a] filter)"', false],
    // extensions
    [`${URN_ENTERPRISE_USER}:department eq "a"`, true],
    [`${URN_ENTERPRISE_USER}:manager eq "m7"`, true],
    [`${URN_ENTERPRISE_USER}:manager.value eq "m7"`, true],
    ['urn:example:unknown:1.5:User:level eq "gold"', true],
    ['urn:example:unknown:1.5:User:rank lt -2 and title pr', true],
    ['urn:example:unknown:1.5:User:rank eq "-3"', false],
    ['urn:example:unknown:1.5:User:other pr', false],
  ])('%s is %s', (text, expected) => {
    expect(isMatch(parseResourceFilter(text, 'User', CATALOG), USER)).toBe(expected);
  });

  it.each([
    ['', 'nothing'],
    ['userName', 'no operator'],
    ['userName eq bjensen', 'no quotes'],
    ['userName eq "a', 'an open quote'],
    ['userName eq "\\q"', 'an escape that JSON does not have'],
    ['userName like "a"', 'an unknown operator'],
    ['(userName eq "a"', 'an open parenthesis'],
    ['userName eq "a")', 'a parenthesis too many'],
    ['userNam eq "a"', 'an unknown attribute'],
    ['name.first eq "a"', 'an unknown sub-attribute'],
    ['emails[kind eq "a"]', 'an unknown sub-attribute of an entry'],
    ['emails[type eq "work"].value eq "a"', 'a form that the grammar does not have'],
    ['userName eq 7', 'a number for a string'],
    ['active eq "true"', 'a string for a boolean'],
    ['active gt true', 'booleans have no order (section 3.4.2.2)'],
    ['name eq "x"', 'a complex value'],
    ['password eq "x"', 'a password must not be guessed by filters'],
    [`${'('.repeat(40_000)}`, 'too long'],
    [`${'not ('.repeat(500)}userName pr${')'.repeat(500)}`, 'too deep'],
    ['('.repeat(16_000), 'deeper than the stack'],
    ['__proto__ pr', 'no name of an attribute'],
  ])('%j is refused: %s', (text) => {
    const parse = () => parseResourceFilter(text, 'User', CATALOG);
    expect(parse).toThrow(expect.objectContaining({ status: 400, scimType: 'invalidFilter' }));
  });
});

/** The steps by which SQLite would find the resources. */
async function explain(sql: string, parameters: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'directory-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'directory.db');
  openStore(file).close();
  using database = new DatabaseSync(file);
  const query = database.prepare(`EXPLAIN QUERY PLAN SELECT seq FROM resources WHERE +type = 'User' AND (${sql})`);
  return query.all(...parameters).map((row) => String(row['detail']));
}

describe('filters in the index', () => {
  const people = [
    { userName: 'Ada@example.com', externalId: 'e1', displayName: 'Ada', title: 'Countess' },
    { userName: 'bob@example.com', externalId: 'e2', displayName: 'Bob' },
    { userName: 'cyd@example.com', displayName: 'Bob', title: 'Countess' },
  ];

  it.each([
    ['userName eq "ADA@example.com"', [0]],
    ['externalId eq "e1"', [0]],
    ['externalId eq "E1"', []],
    ['displayName eq "bob"', [1, 2]],
    ['displayName eq "bob" and title eq "countess"', [2]],
    ['userName eq "ada@example.com" or externalId eq "e2"', [0, 1]],
    ['userName eq "ada@example.com" or title eq "countess"', [0, 2]],
    ['not (externalId eq "e1")', [1, 2]],
    ['not (externalId eq "e1" or displayName eq "ada")', [1, 2]],
    ['displayName eq "bob" and not (externalId eq "e2")', [2]],
    ['externalId eq null', [2]],
    ['id eq "nobody"', []],
  ])('%s finds %j', async (filter, expected) => {
    const directory = await openTestDirectory();
    const ids: string[] = [];
    for (const each of people) ids.push(await directory.addUser(each));
    const { body } = await directory.call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    expect(body.Resources.map((each: { id: string }) => ids.indexOf(each.id))).toEqual(expected);
    expect(body.totalResults).toBe(expected.length);
  });

  it.each([
    ['userName eq "a"', 'User', true],
    ['id eq "a" and externalId eq "b"', 'User', true],
    ['not (userName eq "a")', 'User', true],
    ['groups.value eq "g"', 'User', true],
    ['groups[value eq "g"]', 'User', true],
    ['userName eq "a" and active eq true', 'User', false],
    ['members eq "m"', 'Group', true],
    ['members.value eq "m"', 'Group', true],
    ['members[value eq "m"]', 'Group', true],
    ['displayName eq "Team"', 'Group', true],
  ] as const)('%s of a %s is answered by an index, exactly: %s', async (text, type, exact) => {
    const condition = toSqlCondition(parseResourceFilter(text, type, CATALOG), type);
    expect(condition).toMatchObject({ exact });
    if (text.startsWith('not')) return;
    const plan = await explain(condition?.sql ?? '', condition?.parameters ?? []);
    expect(plan.filter((step) => /\bSCAN\b/.test(step))).toEqual([]);
  });

  it.each([
    'title eq "x"',
    'userName sw "a"',
    'userName eq "a" or title eq "x"',
    'not (title eq "x")',
    'not (userName eq "a" and title pr)',
  ])('%s is not', (text) => {
    expect(toSqlCondition(parseResourceFilter(text, 'User', CATALOG), 'User')).toBeNull();
  });
});
