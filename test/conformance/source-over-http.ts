/**
 * The rules of `src/sources/source.ts` for providers that ask a directory over HTTP, page by page; the numbers are theirs.
 * Beside `describeSource`, which every source passes: here the directory and all that stands before it break in every way
 * that we know. A harness runs the directory's interface in this process.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient } from '../../src/http/client.ts';
import type { SourceUser } from '../../src/model.ts';
import type { GroupPage, Source, SourcePage } from '../../src/sources/source.ts';
import { createManualTiming, type ManualTiming } from '../support/manual-timing.ts';
import type { Fault, SeenRequest } from '../support/scripted-server.ts';
import {
  breakPage,
  createPeople,
  type HttpSourceHarness,
  NAMELESS,
  type RunningDirectory,
  toPages,
} from './http-directory.ts';
import type { SampleGroup, SamplePerson } from './source.ts';
import { describeSourceFailures } from './source-failures.ts';
import { describePage } from './source-pages.ts';

/** How long an attempt may go without a byte, in the cases that hang. */
const HANG_MS = 60;
/** S5 */
const ABORT_MS = 1_000;

const toIds = (people: readonly { readonly id: string }[]): string[] => people.map(({ id }) => id);

export function describeHttpSource(name: string, harness: HttpSourceHarness): void {
  describeSourceFailures(name, harness);
  describe(`source contract over HTTP: ${name}`, () => {
    const closing: (() => Promise<void> | void)[] = [];

    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close();
    });

    /** A directory with these people, and a connection to it whose waits take no time. */
    async function open(
      people: readonly SamplePerson[],
      options: { readonly credentials?: 'wrong'; readonly timeoutMs?: number } = {},
    ): Promise<{ directory: RunningDirectory; source: Source; timing: ManualTiming }> {
      const directory = await harness.start();
      closing.push(() => directory.server.close());
      directory.layOut(toPages(people));
      directory.declare?.(people.length);
      const timing = createManualTiming();
      const budget = createBudgets(timing).join('directory', '', { requestsPerSecond: null, concurrency: 8 });
      const http = createHttpClient({
        userAgent: 'dirsync/test',
        unavailable: 'ReadFailed',
        budget,
        timeoutMs: options.timeoutMs ?? 10_000,
        concurrency: 8,
        timing,
      });
      closing.push(() => http.close());
      return { directory, source: await directory.connect(http, options.credentials), timing };
    }

    describePage(name, harness.unsupported);

    it.each([0, 1, 999, 1_000, 25_000])('S1 delivers %i people, each once, and then its end', async (count) => {
      const people = createPeople(count);
      const { source } = await open(people);
      const ids: string[] = [];
      let ends = 0;
      for await (const page of source.readUsers([], new AbortController().signal)) {
        expect(ends).toBe(0);
        if (page.end !== undefined) ends += 1;
        expect(page.users.length).toBeLessThanOrEqual(1_000);
        expect(page.failed).toEqual([]);
        ids.push(...toIds(page.users));
      }
      expect(ends).toBe(1);
      expect(ids).toEqual(toIds(people));
    });

    it('S1 goes on behind empty pages', async () => {
      const people = createPeople(250);
      const { directory, source } = await open(people);
      const [first = [], second = [], third = []] = toPages(people);
      directory.layOut([[], first, [], [], second, third, []]);
      expect(toIds(await readUsers(source))).toEqual(toIds(people));
    });

    it('S1 throws when a page is not to be had any more', async () => {
      const { directory, source } = await open(createPeople(500));
      for (const status of [400, 404, 410]) {
        breakPage(directory, 3, { status, body: { message: 'Unknown page.' } });
        expect(['ReadFailed', 'ReadIncomplete']).toContain((await readToFailure(source)).code);
      }
    });

    it('S2 reports an item without an id, and delivers the others', async () => {
      const people = createPeople(250);
      const { directory, source } = await open(people);
      directory.layOut(toPages([...people.slice(0, 120), NAMELESS, ...people.slice(120)]));
      const pages = await readPages(source);
      expect(pages.flatMap((page) => page.failed.map(({ id }) => id))).toEqual([null]);
      expect(toIds(pages.flatMap((page) => page.users))).toEqual(toIds(people));
    });

    it('S5 reaches the socket', async () => {
      const { directory, source } = await open(createPeople(500));
      const controller = new AbortController();
      breakPage(directory, 2, 'hang', { onFault: () => void setImmediate(() => controller.abort()) });
      const begun = Date.now();
      expect((await readToFailure(source, controller.signal)).code).toBe('Aborted');
      expect(Date.now() - begun).toBeLessThan(ABORT_MS);
      await expect.poll(() => directory.server.givenUp()).toBe(1);
    });

    it('S6 reads whole after a read that failed', async () => {
      const people = createPeople(500);
      const { directory, source } = await open(people);
      breakPage(directory, 2, 'half');
      await readToFailure(source);
      directory.server.fault = () => null;
      expect(toIds(await readUsers(source))).toEqual(toIds(people));
    });

    it('S8 delivers somebody who is edited between two pages once', async () => {
      const people = createPeople(500);
      const { directory, source } = await open(people);
      const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
      const first = await pages.next();
      const edited = people.map((person) => ({ ...person, attributes: { ...person.attributes, department: 'Sales' } }));
      directory.layOut(toPages(edited));
      const rest = await collect({ [Symbol.asyncIterator]: () => pages });
      const users = [first.value as SourcePage, ...rest].flatMap((page) => page.users);
      expect(toIds(users)).toEqual(toIds(people));
    });

    it('S11 throws when a page comes twice, whatever asks for it', async () => {
      const people = createPeople(400);
      const { directory, source } = await open(people);
      const [first = [], second = [], , fourth = []] = toPages(people);
      directory.layOut([first, second, second, fourth]);
      expect(['ReadFailed', 'ReadIncomplete']).toContain((await readToFailure(source)).code);
    });

    it('S11 throws when a page names one that came before, and does not go round', async () => {
      const { directory, source } = await open(createPeople(500));
      directory.layOut(toPages(createPeople(500)), { 3: 1 });
      expect(['ReadFailed', 'ReadIncomplete']).toContain((await readToFailure(source)).code);
      expect(directory.server.requests.filter(directory.isForPeople).length).toBeLessThan(10);
      // Pages without anything on them go round too.
      directory.layOut([[], [], []], { 2: 1 });
      expect(['ReadFailed', 'ReadIncomplete']).toContain((await readToFailure(source)).code);
    });

    declared('totals', 'S11 throws when the list has fewer people than the directory says', async () => {
      const people = createPeople(500);
      const { directory, source } = await open(people);
      directory.layOut(toPages(people.slice(0, 400)));
      expect((await readToFailure(source)).code).toBe('ReadIncomplete');
      directory.declare?.(400);
      expect(await readUsers(source)).toHaveLength(400);
    });

    declared('tokens', 'S12 goes on with a fresh token when one ends in the middle', async () => {
      const people = createPeople(500);
      const { directory, source } = await open(people);
      let pages = 0;
      directory.server.fault = (request) => {
        if (directory.isForPeople(request)) pages += 1;
        if (pages === 3) directory.expireTokens?.();
        return null;
      };
      expect(toIds(await readUsers(source))).toEqual(toIds(people));
    });

    it('S12 throws CredentialsRejected for wrong credentials, and asks no more', async () => {
      const { directory, source } = await open(createPeople(500), { credentials: 'wrong' });
      expect((await readToFailure(source)).code).toBe('CredentialsRejected');
      expect(directory.server.requests.filter(directory.isForPeople).length).toBeLessThanOrEqual(1);
    });

    it.each([401, 403])('S12 throws CredentialsRejected when the directory says %i in the middle', async (status) => {
      const { directory, source } = await open(createPeople(500));
      breakPage(directory, 3, { status, body: { message: 'No.' } });
      const failure = await readToFailure(source);
      expect(failure).toMatchObject({ code: 'CredentialsRejected', scope: 'run' });
    });

    it('S12 waits as long as a 429 asks, and goes on', async () => {
      const people = createPeople(500);
      const { directory, source, timing } = await open(people);
      breakPage(directory, 3, { status: 429, headers: { 'retry-after': '17' }, body: 'Ratelimited' }, { times: 2 });
      expect(toIds(await readUsers(source))).toEqual(toIds(people));
      expect(timing.waits.filter((ms) => ms >= 17_000)).toHaveLength(2);
    });

    it('S12 waits longer and longer where a 429 does not say how long', async () => {
      const people = createPeople(500);
      const { directory, source, timing } = await open(people);
      breakPage(directory, 3, { status: 429, body: 'Ratelimited' }, { times: 2 });
      expect(toIds(await readUsers(source))).toEqual(toIds(people));
      expect(timing.waits).toEqual([expect.any(Number), expect.any(Number)]);
      expect(timing.waits[1]).toBeGreaterThan(timing.waits[0] ?? 0);
    });

    it('S12 ends with the wait that a 429 asks for when it is too long', async () => {
      const { directory, source } = await open(createPeople(500));
      breakPage(directory, 3, { status: 429, headers: { 'retry-after': '1800' }, body: 'Ratelimited' });
      expect(await readToFailure(source)).toMatchObject({ code: 'ReadFailed', retry: { afterMs: 1_800_000 } });
    });

    const PASSING: Readonly<Record<string, Fault>> = {
      'answers with 500': { status: 500, body: { message: 'Oops.' } },
      'answers with 503': { status: 503, body: { message: 'Later.' } },
      'breaks off in the middle of a body': 'reset',
    };

    it.each(Object.entries(PASSING))('S12 asks again for a page when the directory %s', async (_what, fault) => {
      const people = createPeople(500);
      const { directory, source } = await open(people);
      breakPage(directory, 3, fault, { times: 1 });
      expect(toIds(await readUsers(source))).toEqual(toIds(people));
    });

    const LASTING: Readonly<Record<string, Fault>> = {
      ...PASSING,
      'answers with 429': { status: 429, body: 'Ratelimited' },
      'answers with a page of HTML': 'html',
      'answers with half of the data': 'half',
      'answers with something else': { status: 200, body: { hello: 'world' } },
      'answers with nothing': { status: 200, body: null },
      'answers with an error of HTML': { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>' },
      hangs: 'hang',
    };

    it.each(Object.entries(LASTING).flatMap(([what, fault]) => [1, 3, 5].map((page) => ({ what, fault, page }))))(
      'S12 throws when the directory $what, for page $page',
      async ({ fault, page }) => {
        const { directory, source } = await open(createPeople(500), { timeoutMs: fault === 'hang' ? HANG_MS : 10_000 });
        breakPage(directory, page, fault);
        const failure = await readToFailure(source);
        expect(['ReadFailed', 'ReadIncomplete']).toContain(failure.code);
        expect(failure.scope).toBe('run');
        expect(failure.retry).not.toBe('never');
        for (const secret of [...directory.secrets, 'example.com', 'Person 1'])
          expect(failure.message).not.toContain(secret);
      },
    );

    it('S12 throws when the directory is away', async () => {
      const { directory, source } = await open(createPeople(1));
      await directory.server.close();
      expect((await readToFailure(source)).code).toBe('ReadFailed');
    });

    const groups: readonly SampleGroup[] = Array.from({ length: 5 }, (_, index) => ({
      id: `group-${index + 1}`,
      displayName: `Group ${index + 1}`,
      members: toIds(createPeople(index * 60)),
    }));

    declared('groups', 'S9 delivers groups with all pages of their members', async () => {
      const { directory, source } = await open(createPeople(300));
      directory.setGroups?.(groups);
      const pages = await readGroupPages(source);
      expect(toIds(pages.flatMap((page) => page.groups))).toEqual(toIds(groups));
      for (const { id, members } of groups) expect(toMembers(pages, id)).toEqual([...members].sort());
    });

    declared('groups', 'S9 names the one group whose members cannot be had', async () => {
      const { directory, source } = await open(createPeople(300));
      directory.setGroups?.(groups);
      for (const fault of [{ status: 404, body: {} }, { status: 500, body: {} }, 'half', 'html'] as const) {
        directory.server.fault = (request) => (directory.isForMembers?.(request, 'group-3') === true ? fault : null);
        const pages = await readGroupPages(source);
        expect(pages.flatMap((page) => page.failed.map(({ id }) => id))).toEqual(['group-3']);
        expect(toMembers(pages, 'group-4')).toEqual([...(groups[3]?.members ?? [])].sort());
        expect(pages.at(-1)?.end).toBeDefined();
      }
    });

    declared('groups', 'S9 throws when it is not one group that cannot be read', async () => {
      const { directory, source } = await open(createPeople(300));
      directory.setGroups?.(groups);
      const isForMembers = (request: SeenRequest): boolean =>
        groups.some(({ id }) => directory.isForMembers?.(request, id) === true);
      for (const [fault, code] of [
        [{ status: 500, body: {} }, 'ReadFailed'],
        [{ status: 401, body: {} }, 'CredentialsRejected'],
      ] as const) {
        directory.server.fault = (request) => (isForMembers(request) ? fault : null);
        expect((await toFailure(source.readGroups?.([], new AbortController().signal))).code).toBe(code);
      }
    });

    /** The case; or, where the harness says that the directory has nothing of the kind, that it does not. */
    function declared(feature: 'totals' | 'tokens' | 'groups', title: string, run: () => Promise<void>): void {
      const reason = harness.unsupported[feature];
      if (reason === undefined) {
        it(title, run);
        return;
      }
      it(`${title.split(' ')[0]} ${feature}: ${reason}`, async () => {
        const { directory } = await open([]);
        const method = { totals: directory.declare, tokens: directory.expireTokens, groups: directory.setGroups }[
          feature
        ];
        expect(reason).not.toBe('');
        expect(method).toBeUndefined();
      });
    }
  });
}

async function collect<Page>(pages: AsyncIterable<Page>): Promise<Page[]> {
  const all: Page[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

/** A whole read. */
async function readPages(source: Source): Promise<SourcePage[]> {
  const pages = await collect(source.readUsers([], new AbortController().signal));
  expect(pages.map((page) => page.end !== undefined)).toEqual(pages.map((_, index) => index === pages.length - 1));
  return pages;
}

async function readUsers(source: Source): Promise<SourceUser[]> {
  const pages = await readPages(source);
  expect(pages.flatMap((page) => page.failed)).toEqual([]);
  return pages.flatMap((page) => page.users);
}

function readGroupPages(source: Source): Promise<GroupPage[]> {
  return collect(source.readGroups?.([], new AbortController().signal) ?? toNothing());
}

async function* toNothing(): AsyncGenerator<GroupPage> {}

function toMembers(pages: readonly GroupPage[], id: string): readonly string[] {
  const parts = pages.flatMap((page) => page.members).filter(({ group }) => group === id);
  return parts.flatMap(({ members }) => members.map((member) => ('ref' in member ? member.ref : member.kind))).sort();
}

function readToFailure(source: Source, signal = new AbortController().signal): Promise<SyncError> {
  return toFailure(source.readUsers([], signal));
}

/** The error that ends the read; one that ends in any other way fails the test. */
async function toFailure(pages: AsyncIterable<SourcePage | GroupPage> = toNothing()): Promise<SyncError> {
  try {
    for await (const page of pages) expect(page.end, 'a read that must fail says that it is complete').toBeUndefined();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SyncError);
    if (thrown instanceof SyncError) return thrown;
    throw thrown;
  }
  throw new Error('the read ended without an error and without `end`');
}
