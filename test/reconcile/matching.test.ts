/**
 * Whose account it is (rule I3), on a brown field: every combination of accounts that have a person's externalId, userName
 * and mail, by whoever owns them. The application is the embedded directory, and all rows of a table are people of one
 * company: what becomes of one says nothing about another.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import { type Directory, startDirectory } from '../../src/directory/server.ts';
import type { Json } from '../../src/model.ts';
import { createConnections } from '../../src/reconcile/connections.ts';
import { scimTarget } from '../../src/targets/scim/index.ts';
import type { OwnMappingSpec } from '../support/builders.ts';
import { type Company, createCompany, type Person } from '../support/company.ts';

const TOKEN = 'sesame';
const MAIL = 'emails[type eq "work"].value';

/** The order of precedence is not that of the entries, and two are functions of what the source says. */
const MAPPING: OwnMappingSpec = {
  attributes: [
    {
      target: MAIL,
      expression: 'IIF(IsPresent([mail]), Append([mail], "@corp.example"), "")',
      matching: { precedence: 3 },
    },
    { target: 'userName', expression: 'Append(ToLower([login]), "@corp.example")', matching: { precedence: 2 } },
    { target: 'externalId', source: 'number', matching: { precedence: 1 } },
    { target: 'title', source: 'title' },
  ],
};

const KEYS = ['externalId', 'userName', 'mail'] as const;
type Key = (typeof KEYS)[number];

/**
 * Who has an account: nobody, another DirectorySync, or a person of ours: one who keeps the values, one who gives them up
 * in this very run, one who has left (and is switched off).
 */
const OWNERS = ['nobody', 'nobody, inactive', 'other', 'other, inactive', 'keeps', 'gives', 'left'] as const;
type Owner = (typeof OWNERS)[number];

interface Account {
  /** What it has of the person's values. */
  readonly keys: readonly Key[];
  readonly owner: Owner;
  /** Where it has not the person's externalId: has it another one? */
  readonly names: 'somebody else' | 'nobody';
}

interface Row {
  readonly accounts: readonly Account[];
}

type Outcome = 'create' | 'adopt' | 'recover' | 'Conflict' | 'held';

function isOwned(account: Account, ...owners: readonly string[]): boolean {
  return owners.includes(account.owner.split(',')[0] ?? '');
}

/** Said once more, in the words of docs/directory-sync.md. */
function expectedOf({ accounts }: Row, adoption: 'OnMatch' | 'Never', guard: 'open' | 'closed'): Outcome {
  const [only, second] = accounts;
  // Whoever wants the same value fails too, and so gives up nothing.
  if (accounts.some((each) => isOwned(each, 'keeps'))) return 'Conflict';
  if (accounts.every((each) => isOwned(each, 'gives'))) return 'create';
  if (only === undefined || second !== undefined || !isOwned(only, 'nobody')) return 'Conflict';
  if (only.keys.includes('externalId')) return 'recover';
  if (only.names === 'somebody else' || adoption === 'Never') return 'Conflict';
  return guard === 'open' ? 'adopt' : 'held';
}

const SUBSETS: readonly (readonly Key[])[] = [1, 2, 3, 4, 5, 6, 7].map((bits) =>
  KEYS.filter((_, index) => (bits >> index) % 2 === 1),
);

function toAccounts(keys: readonly Key[]): readonly Account[] {
  return OWNERS.flatMap((owner): Account[] => {
    const account: Account = { keys, owner, names: 'somebody else' };
    return owner.startsWith('nobody') && !keys.includes('externalId')
      ? [account, { ...account, names: 'nobody' }]
      : [account];
  });
}

function countKey({ accounts }: Row, key: Key): number {
  return accounts.filter(({ keys }) => keys.includes(key)).length;
}

/** No application has one userName twice. */
function isPossible(row: Row): boolean {
  return countKey(row, 'userName') < 2;
}

/** No account, one of every kind, and pairs; those of `keeps` and of who is inactive are among the scattered. */
function toRows(pairs: boolean): readonly Row[] {
  const each = SUBSETS.flatMap(toAccounts);
  const ones = each.map((account): Row => ({ accounts: [account] }));
  const paired = each.filter(({ owner }) => owner !== 'keeps' && !owner.endsWith('inactive'));
  const twos = paired.flatMap((first, index) =>
    paired.slice(index).map((second): Row => ({ accounts: [first, second] })),
  );
  return [{ accounts: [] }, ...ones, ...(pairs ? [...twos, ...toScattered()] : [])].filter(isPossible);
}

/** Every count of candidates by every attribute, each an account of its own: all of one owner, and of them in turn. */
function toScattered(): readonly Row[] {
  const counts = [0, 1, 2].flatMap((e) => [0, 1].flatMap((u) => [0, 1, 2].map((m) => [e, u, m] as const)));
  return counts
    .map((count) => KEYS.flatMap((key, index) => Array.from({ length: count[index] ?? 0 }, () => [key])))
    .filter(({ length }) => length > 2)
    .flatMap((places) => {
      const row = (toOwner: (index: number) => Owner | undefined): Row => ({
        accounts: places.map((keys, index) => ({ keys, owner: toOwner(index) ?? 'nobody', names: 'somebody else' })),
      });
      const uniform = OWNERS.map((owner) => row(() => owner));
      return [...uniform, ...OWNERS.map((_, from) => row((index) => OWNERS[(from + index) % OWNERS.length]))];
    });
}

/** `externalId mail of nobody, userName of left`. */
function describeRow({ accounts }: Row): string {
  const texts = accounts.map(({ keys, owner, names }) => {
    const other = owner.startsWith('nobody') && !keys.includes('externalId') && names === 'somebody else';
    return `${keys.join(' ')} of ${owner}${other ? ' (names somebody else)' : ''}`;
  });
  return texts.length === 0 ? 'no account' : texts.join('; ');
}

/** What a person under test, or the owner of an account of theirs, is called. */
const toId = (row: number): string => `p${row}`;
const toOwnerId = (row: number, index: number): string => `o${row}-${index}`;

/** Whom the source says to have the values of this account. */
function toOwnerPerson({ keys, names }: Account, row: number, index: number): Person {
  const other = `x${row}-${index}`;
  const has = (key: Key, own: string, another: string | null) => (keys.includes(key) ? own : another);
  return {
    id: toOwnerId(row, index),
    number: has('externalId', toId(row), names === 'nobody' ? null : other),
    login: has('userName', `U${row}`, other),
    mail: has('mail', `m${row}`, null),
    title: 'Owner',
  };
}

function toTested(row: number): Person {
  return { id: toId(row), number: toId(row), login: `U${row}`, mail: `m${row}`, title: 'Tested' };
}

interface Result {
  readonly row: Row;
  readonly outcome: string;
  /** Of the error; empty without one. */
  readonly message: string;
  /** Target ids of the row's accounts, and what each had before and after. */
  readonly accounts: readonly { readonly id: string; readonly before: Json; readonly after: Json }[];
  /** What the account of the person has now; null without one. */
  readonly own: Readonly<Record<string, Json>> | null;
  /** The person has an account that was there before. */
  readonly isTaken: boolean;
}

interface World {
  readonly results: readonly Result[];
  /** Of the same people when those have given up their values who do, and how much a third run writes. */
  readonly again: { readonly outcomes: readonly string[]; readonly writes: number };
}

type Resource = Readonly<Record<string, Json>> & { readonly id: string };

async function readAccounts({ url }: Directory): Promise<Map<string, Resource>> {
  const all = new Map<string, Resource>();
  for (let start = 1; ; ) {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${url}/Users?startIndex=${start}&count=1000`, { headers });
    const { Resources = [], totalResults } = (await answer.json()) as { Resources?: Resource[]; totalResults: number };
    for (const { meta: _, ...each } of Resources) all.set(each['id'] as string, each as Resource);
    start += Resources.length;
    if (Resources.length === 0 || start > totalResults) return all;
  }
}

/** By hand: new accounts, and other values for those that are there. */
async function writeAccounts({ url }: Directory, writes: readonly Write[]): Promise<void> {
  for (let from = 0; from < writes.length; from += 100) {
    const answer = await fetch(`${url}/Bulk`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
        Operations: writes
          .slice(from, from + 100)
          .map(({ id, data }, index) =>
            id === null
              ? { method: 'POST', path: '/Users', bulkId: `b${index}`, data }
              : { method: 'PUT', path: `/Users/${id}`, data },
          ),
      }),
    });
    const { Operations } = (await answer.json()) as { Operations: { status: string }[] };
    expect(Operations.filter(({ status }) => !status.startsWith('20'))).toEqual([]);
  }
}

interface Write {
  /** Null: a new one. */
  readonly id: string | null;
  readonly data: object;
}

function toResource({ number, login, mail }: Person, active: boolean): object {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    ...(number === null ? {} : { externalId: number }),
    userName: `${String(login).toLowerCase()}@corp.example`,
    ...(mail === null ? {} : { emails: [{ type: 'work', value: `${mail}@corp.example` }] }),
    title: 'By hand',
    active,
  };
}

const OPEN = { percent: 100 };

async function aWorld(
  rows: readonly Row[],
  { adoption = 'OnMatch', guard = 'open' }: { adoption?: 'OnMatch' | 'Never'; guard?: 'open' | 'closed' } = {},
): Promise<World> {
  const directory = await startDirectory({ file: ':memory:', token: TOKEN });
  const company = await createCompany({
    application: { provider: scimTarget, createHttp: createConnections({ userAgent: 'dirsync/test' }) },
  });
  try {
    return await playWorld(rows, { directory, company, adoption, guard });
  } finally {
    await company.store.close();
    await directory.close();
  }
}

interface Stage {
  readonly directory: Directory;
  readonly company: Company;
  readonly adoption: 'OnMatch' | 'Never';
  readonly guard: 'open' | 'closed';
}

async function playWorld(rows: readonly Row[], { directory, company, adoption, guard }: Stage): Promise<World> {
  const spec: DirectorySyncSpec = {
    ...company.spec,
    target: { scim: { url: directory.url, credentialsRef: { name: 'app' } } },
    adoption,
    guards: {
      deactivate: OPEN,
      reactivate: OPEN,
      rename: OPEN,
      adopt: guard === 'open' ? OPEN : { max: 0 },
      suspiciousDrop: 100,
      maxFailures: 100,
    },
  };
  company.secrets = { token: TOKEN };
  company.mapping = MAPPING;
  company.spec = { ...spec, adoption: 'OnMatch' };
  const owned = (...owners: readonly string[]): { account: Account; person: Person }[] =>
    rows.flatMap(({ accounts }, row) =>
      accounts
        .map((account, index) => ({ account, person: toOwnerPerson(account, row, index) }))
        .filter(({ account }) => isOwned(account, ...owners)),
    );
  const isActive = ({ owner }: Account): boolean => !owner.endsWith('inactive');
  const people = (list: readonly { person: Person }[]): Person[] => list.map(({ person }) => person);
  // No DirectorySync gives two of its people one value: whoever has one that somebody else has got it by hand.
  const plain = (list: readonly { person: Person }[]): Person[] =>
    list.map(({ person: { id } }) => ({ id, number: id, login: id, mail: id, title: 'Owner' }) as Person);
  const succeed = async (): Promise<void> => {
    expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced' });
  };

  company.name = 'other';
  company.people = plain(owned('other'));
  await succeed();
  company.people = owned('other').map(
    ({ account, person }) => ({ ...plain([{ person }])[0], active: isActive(account) }) as Person,
  );
  await succeed();
  const other = company.resource();
  const theirs = await company.state();

  company.name = 'acme';
  company.people = plain(owned('keeps', 'gives', 'left'));
  await succeed();
  company.people = plain(owned('keeps', 'gives'));
  await succeed();

  const ours = await company.state();
  const writes: Write[] = [];
  for (const { account, person } of owned('nobody', 'other', 'keeps', 'gives', 'left')) {
    const link = await (isOwned(account, 'other') ? theirs : ours).links.get(String(person['id']));
    writes.push({ id: link?.targetId ?? null, data: toResource(person, link?.active ?? isActive(account)) });
  }
  await writeAccounts(directory, writes);
  const before = await readAccounts(directory);
  const byName = new Map([...before.values()].map(({ userName, id }) => [userName, id]));

  company.spec = spec;
  const given = owned('gives').map(({ person }) => ({
    ...person,
    number: `${person['id']}-new`,
    login: `${person['id']}-new`,
    mail: `${person['id']}-new`,
  })) as Person[];
  company.people = [...people(owned('keeps')), ...given, ...rows.map((_, row) => toTested(row))];
  // Accounts are looked up one by one, or, where many people have none, found in the list.
  const isLarge = rows.length > 200;
  const look = async () => {
    const report = await company.run({ others: [other], resync: isLarge });
    const outcomes = new Map<string, { outcome: string; message: string }>();
    for (const { id, kind, status } of await company.operations(report))
      if (['create', 'adopt', 'recover'].includes(kind))
        outcomes.set(id, { outcome: status === 'held' ? status : kind, message: '' });
    for (const error of await company.errors(report)) {
      const [, id = '', code = '', message = ''] = /^(\S+) (\w+): (.*)$/s.exec(error) ?? [];
      outcomes.set(id, { outcome: code, message });
    }
    return outcomes;
  };
  const outcomes = await look();
  const after = await readAccounts(directory);
  const { links } = ours;
  const results: Result[] = [];
  for (const [row, each] of rows.entries()) {
    const { outcome, message } = outcomes.get(toId(row)) ?? { outcome: 'nothing', message: '' };
    const link = await links.get(toId(row));
    results.push({
      row: each,
      outcome,
      message,
      accounts: each.accounts.map((account, index) => {
        const login = String(toOwnerPerson(account, row, index)['login']).toLowerCase();
        const id = byName.get(`${login}@corp.example`) ?? '';
        return { id, before: before.get(id) ?? null, after: after.get(id) ?? null };
      }),
      own: link === null ? null : (after.get(link.targetId) ?? null),
      isTaken: link !== null && before.has(link.targetId),
    });
  }
  const second = await look();
  const again = rows.map((_, row) => second.get(toId(row))?.outcome ?? 'nothing');
  const written = directory.counts().writes;
  await look();
  return { results, again: { outcomes: again, writes: directory.counts().writes - written } };
}

/** One line a row, so that a difference names it. */
function toLines(results: readonly Result[], toOutcome: (result: Result) => string): readonly string[] {
  return results.map((result) => `${describeRow(result.row)}: ${toOutcome(result)}`);
}

function checkRows(results: readonly Result[], adoption: 'OnMatch' | 'Never', guard: 'open' | 'closed'): void {
  expect(toLines(results, ({ outcome }) => outcome)).toEqual(
    toLines(results, ({ row }) => expectedOf(row, adoption, guard)),
  );
  // Nobody's account was touched but the one that is the person's now, and those whose owners gave them up.
  const touched = results.filter(({ row, accounts, isTaken }) =>
    accounts.some(({ before, after }, index) => {
      const isFree = row.accounts[index]?.owner === 'gives' || isTaken;
      return !isFree && JSON.stringify(before) !== JSON.stringify(after);
    }),
  );
  expect(touched.map(({ row }) => describeRow(row))).toEqual([]);
  for (const { row, outcome, own, isTaken } of results) {
    const has = ['create', 'adopt', 'recover'].includes(outcome);
    expect([own !== null, isTaken], describeRow(row)).toEqual([has, has && outcome !== 'create']);
    if (own !== null) expect(own, describeRow(row)).toMatchObject({ title: 'Tested', active: true });
  }
}

/** A conflict names whom it is about: people who want the same, or every account and whose it is. */
function checkMessages(results: readonly Result[]): void {
  for (const { row, message, accounts } of results.filter(({ outcome }) => outcome === 'Conflict')) {
    if (row.accounts.some((each) => isOwned(each, 'keeps'))) {
      expect(message, describeRow(row)).toMatch(/has the same value for .*o\d+-\d.*: neither is guessed$/);
    } else if (row.accounts.every((each) => isOwned(each, 'gives', 'left'))) {
      expect(message, describeRow(row)).toMatch(/o\d+-\d/);
    } else {
      for (const { id } of accounts) expect(message, describeRow(row)).toContain(id);
      if (accounts.length === 1 && row.accounts.some((each) => isOwned(each, 'other')))
        expect(message).toContain('belongs to the DirectorySync identity/other');
    }
  }
}

describe('matching on a brown field (I3)', () => {
  const rows = toRows(true);
  let world: World;
  beforeAll(async () => {
    world = await aWorld(rows);
  }, 120_000);

  const groups = Map.groupBy(rows, (row) => KEYS.map((key) => countKey(row, key)).join(' '));
  it.each([...groups.keys()].sort())('%s accounts by externalId, userName and mail', (group) => {
    const results = world.results.filter(({ row }) => groups.get(group)?.includes(row));
    expect(results.length).toBeGreaterThan(0);
    checkRows(results, 'OnMatch', 'open');
    checkMessages(results);
  });

  it('has every combination of no, one and two candidates', () => {
    expect(groups.size).toBe(3 * 2 * 3);
  });

  it('says the same in a second run, but where a value was given up meanwhile, and writes nothing in a third (I2)', () => {
    const again = toLines(world.results, ({ row }) => world.again.outcomes[rows.indexOf(row)] ?? '');
    const expected = toLines(world.results, ({ row, outcome }) => {
      const left = { accounts: row.accounts.filter((each) => !isOwned(each, 'gives')) };
      return outcome === 'Conflict' ? expectedOf(left, 'OnMatch', 'open') : 'nothing';
    });
    expect(again).toEqual(expected);
    expect(world.again.writes).toBe(0);
  });
});

describe('matching where adoptions are not free (I3)', () => {
  it.each([
    ['OnMatch', 'closed'],
    ['Never', 'open'],
  ] as const)(
    'with adoption %s and a guard that is %s',
    async (adoption, guard) => {
      const { results, again } = await aWorld(toRows(false), { adoption, guard });
      checkRows(results, adoption, guard);
      checkMessages(results);
      expect(again.writes).toBe(0);
    },
    120_000,
  );
});
