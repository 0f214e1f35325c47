/**
 * Rule I6 for a takeover: the process dies at every call of the state store in turn, and the run after it ends where an
 * unkilled one would have.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { openSqliteStore } from '../../src/state/sqlite/store.ts';
import type { DirectoryState, StateStore } from '../../src/state/store.ts';
import { aCompanyOf, type Company, type CompanyRequest, createCompany } from '../support/company.ts';

/** Calls of the store that are still answered; every later one fails, as nothing does any more after a kill. */
interface Life {
  calls: number;
}

function dieAfter(store: StateStore, life: Life): StateStore {
  return {
    ...store,
    directory: async (key) => toMortal(await store.directory(key), life),
    copy: async (keys) => dieAfter(await store.copy(keys), life),
  };
}

function toMortal(state: DirectoryState, life: Life): DirectoryState {
  const parts = Object.entries(state).map(([name, part]) => [name, toMortalPart(part, life)] as const);
  return Object.fromEntries(parts) as unknown as DirectoryState;
}

function toMortalPart<Part extends object>(part: Part, life: Life): Part {
  return new Proxy(part, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member === 'object' && member !== null) return toMortalPart(member, life);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        life.calls -= 1;
        if (life.calls < 0) throw new SyncError('Aborted', 'the process was killed');
        return member.apply(target, args);
      };
    },
  });
}

type Change = (company: Company) => void;

const toTenantB: Change = (company) => {
  company.source.identity = { tenantId: 'tenant-b', tenantName: 'Acme B', domains: [] };
  company.people = company.people
    .slice(0, 3)
    .map((person) => ({ ...person, id: String(person['id']).replace('p', 'q') }));
};

/** A company of four under the id `acme`, of whom one has left; the file of its state, and what the target holds. */
async function prepare(folder: string): Promise<Company> {
  const company = await createCompany({ file: join(folder, 'state.db') });
  company.source.identity = { tenantId: 'tenant-a', tenantName: 'Acme', domains: [] };
  company.rules = {
    research: {
      directorySyncRef: { name: 'acme' },
      team: { displayName: 'Research' },
      match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
    },
  };
  company.people = aCompanyOf(5);
  await company.run();
  company.people = aCompanyOf(4);
  await company.run();
  await company.store.close();
  return company;
}

const everythingAt = ({ target }: Company): unknown => ({
  users: [...target.users.values()].map(({ id, attributes }) => [id, attributes]),
  teams: [...target.teams.values()].map(({ id, attributes, members }) => [id, attributes, [...members].sort()]),
});

async function describeEnd(company: Company): Promise<unknown> {
  const { links, ledger } = await company.state();
  const people = await Promise.all(['p1', 'p4', 'q1', 'q3'].map((id) => links.get(id)));
  return {
    target: everythingAt(company),
    counts: await links.counts(),
    people: people.map((link) => [link?.sourceId, link?.targetId, link?.origin]),
    removals: await ledger.removals(0),
  };
}

/** Runs until nothing is left to do but what waits. */
async function finish(company: Company, store: StateStore): Promise<unknown> {
  company.store = store;
  await company.run();
  company.target.writes.length = 0;
  await company.run();
  expect(company.target.writes).toEqual([]);
  return describeEnd(company);
}

interface Case {
  readonly what: string;
  readonly change: Change;
  readonly request: CompanyRequest;
  /** Calls between two kills: a plan writes little that lasts. */
  readonly stride: number;
}

describe.each<Case>([
  { what: 'the same source and target', change: () => undefined, request: {}, stride: 2 },
  { what: 'another source', change: toTenantB, request: {}, stride: 1 },
  { what: 'another source, looked at by a plan', change: toTenantB, request: { planOnly: true }, stride: 6 },
])('a takeover with $what', ({ change, request, stride }) => {
  it('is killed at any moment: the next run ends as if it had not been (I6)', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dirsync-takeover-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const company = await prepare(folder);
    const file = join(folder, 'state.db');
    await copyFile(file, `${file}.before`);
    change(company);
    company.spec = { ...company.spec, id: 'acme-2', adoptFrom: 'acme' };
    const before = structuredClone({ users: [...company.target.users], teams: [...company.target.teams] });
    const begin = async (): Promise<StateStore> => {
      await copyFile(`${file}.before`, file);
      company.target.users.clear();
      company.target.teams.clear();
      for (const [id, user] of structuredClone(before.users)) company.target.users.set(id, user);
      for (const [id, team] of structuredClone(before.teams)) company.target.teams.set(id, team);
      return openSqliteStore(file);
    };
    const unkilled = await begin();
    const wanted = await finish(company, unkilled);
    await unkilled.close();
    let kills = 0;
    for (let calls = 1; ; calls += stride) {
      const store = await begin();
      const life = { calls };
      company.store = dieAfter(store, life);
      await company.run(request);
      const isKilled = life.calls < 0;
      if (isKilled) kills += 1;
      expect(await finish(company, store), `killed at call ${calls}`).toEqual(wanted);
      await store.close();
      if (!isKilled) break;
    }
    expect(kills * stride).toBeGreaterThan(40);
  });
});
