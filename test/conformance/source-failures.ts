/**
 * What a run makes of a directory over HTTP that breaks: the condition says what it is, nobody is removed, and the next
 * run without a fault goes on as if nothing had been.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient } from '../../src/http/client.ts';
import type { SourceProvider } from '../../src/sources/source.ts';
import { type Company, createCompany } from '../support/company.ts';
import { createManualTiming } from '../support/manual-timing.ts';
import type { Fault } from '../support/scripted-server.ts';
import {
  breakPage,
  createPeople,
  type HttpSourceHarness,
  NAMELESS,
  type RunningDirectory,
  toPages,
} from './http-directory.ts';
import type { SamplePerson } from './source.ts';

const COUNT = 250;
/** How long an attempt may go without a byte. */
const HANG_MS = 60;

const LATER: Fault = { status: 429, headers: { 'retry-after': '3600' }, body: 'Ratelimited' };

/** Of page 2 of three, and the reasons that `Ready` may have then. */
const PAGE_FAULTS: Readonly<Record<string, readonly [Fault, readonly string[]]>> = {
  'says 401': [{ status: 401, body: { message: 'No.' } }, ['CredentialsRejected']],
  'says 403': [{ status: 403, body: { message: 'No.' } }, ['CredentialsRejected']],
  'says 404': [{ status: 404, body: { message: 'Unknown page.' } }, ['ReadFailed', 'ReadIncomplete']],
  'says 410': [{ status: 410, body: { message: 'Gone.' } }, ['ReadFailed', 'ReadIncomplete']],
  'says 429 for an hour': [LATER, ['ReadFailed']],
  'says 429 without saying how long': [{ status: 429, body: 'Ratelimited' }, ['ReadFailed']],
  'says 500': [{ status: 500, body: { message: 'Oops.' } }, ['ReadFailed']],
  'says 502 in HTML': [{ status: 502, headers: { 'content-type': 'text/html' }, body: '<html>' }, ['ReadFailed']],
  'breaks off in the middle of a body': ['reset', ['ReadFailed']],
  'gives half a body': ['half', ['ReadFailed']],
  'gives a page of HTML': ['html', ['ReadFailed']],
  'gives something else': [{ status: 200, body: { hello: 'world' } }, ['ReadFailed', 'ReadIncomplete']],
  'gives nothing': [{ status: 200, body: null }, ['ReadFailed', 'ReadIncomplete']],
  hangs: ['hang', ['ReadFailed']],
};

/** Of the list itself. */
const LIST_FAULTS: Readonly<
  Record<string, readonly [(directory: RunningDirectory, people: readonly SamplePerson[]) => void, readonly string[]]>
> = {
  'leaves out half of its people': [
    (directory, people) => directory.layOut(toPages(people.slice(0, COUNT / 2))),
    ['ReadSuspect', 'ReadIncomplete'],
  ],
  'has nobody': [(directory) => directory.layOut([[]]), ['ReadSuspect', 'ReadIncomplete']],
  'gives a page twice': [
    (directory, people) => {
      const [first = [], second = []] = toPages(people);
      directory.layOut([first, second, second]);
    },
    ['ReadFailed', 'ReadIncomplete'],
  ],
  'goes round': [(directory, people) => directory.layOut(toPages(people), { 2: 1 }), ['ReadFailed', 'ReadIncomplete']],
  'shows somebody without an id in place of one': [
    (directory, people) => directory.layOut(toPages([...people.slice(1), NAMELESS])),
    ['SyncedWithErrors'],
  ],
};

/** A company whose source is the directory, converged once. */
async function converge(harness: HttpSourceHarness): Promise<{ company: Company; directory: RunningDirectory }> {
  const directory = await harness.start();
  const timing = createManualTiming();
  const http = createHttpClient({
    userAgent: 'dirsync/test',
    unavailable: 'ReadFailed',
    budget: createBudgets(timing).join('directory', '', { requestsPerSecond: null, concurrency: 8 }),
    timeoutMs: HANG_MS * 10,
    concurrency: 8,
    timing,
  });
  const provider: SourceProvider<unknown> = {
    name: 'file',
    validate: () => [],
    connect: () => directory.connect(http),
  };
  const company = await createCompany({ source: provider });
  onTestFinished(async () => {
    http.close();
    await company.store.close();
    await directory.server.close();
  });
  company.mapping = {
    attributes: [
      { target: 'userName', expression: 'Join("", [standard:idp_id], "@example.com")', matching: { precedence: 1 } },
      { target: 'externalId', source: 'standard:idp_id' },
    ],
  };
  return { company, directory };
}

export function describeSourceFailures(name: string, harness: HttpSourceHarness): void {
  describe(`a run over a directory that breaks: ${name}`, () => {
    it('says what it is, removes nobody, and goes on when it is over (I1)', { timeout: 120_000 }, async () => {
      const { company, directory } = await converge(harness);
      const people = createPeople(COUNT).map((person) => ({ ...person, active: true }));
      const mend = (): void => {
        directory.server.fault = () => null;
        directory.layOut(toPages(people));
        directory.declare?.(people.length);
      };
      mend();
      expect(await company.run()).toMatchObject({ reason: 'Synced', applied: { create: COUNT } });
      company.target.writes.length = 0;
      const expectHarmless = async (what: string, reasons: readonly string[]): Promise<void> => {
        // A whole read, where changes alone could be read too.
        const { reason } = await company.run({ resync: true });
        expect(reasons, what).toContain(reason);
        expect(company.target.writes, what).toEqual([]);
        mend();
        expect(await company.run({ resync: true }), `after it ${what}`).toMatchObject({ reason: 'Synced' });
        expect(company.target.writes, `after it ${what}`).toEqual([]);
      };
      for (const [what, [fault, reasons]] of Object.entries(PAGE_FAULTS)) {
        breakPage(directory, 2, fault);
        await expectHarmless(what, reasons);
      }
      for (const [what, [lay, reasons]] of Object.entries(LIST_FAULTS)) {
        lay(directory, people);
        await expectHarmless(what, reasons);
      }
    });
  });
}
