/** The part of `source.ts` for directories that can be asked for some of their people: rule S21. */
import { expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { parseSourcePath, toAskedName } from '../../src/expression/paths.ts';
import type { WantedPeople } from '../../src/model.ts';
import type { Source, SourcePage } from '../../src/sources/source.ts';
import type { SamplePerson, SeededSource, SourceHarness } from './source.ts';

const NEVER = new AbortController().signal;
const PEOPLE = 700;
/** Signs that mean something in one language of filters or another. */
const NOBODY = 'Nobody\'s \\ "(*)';

export interface Samples {
  readonly people: (count: number) => readonly SamplePerson[];
  /** What everybody of them has. */
  readonly names: readonly string[];
}

export function describeMatching(harness: SourceHarness, { people, names }: Samples): void {
  const { toName = (name) => name, unsupported } = harness;
  const { toWanted = (department) => [[{ path: toName('department'), values: [department] }]] } = harness;
  const projection = names.map((name) => toAskedName(parseSourcePath(toName(name))));

  const withPeople = (title: string, count: number, run: (seeded: SeededSource) => Promise<void>): void => {
    it(title, async () => {
      const seeded = await harness.seed(people(count));
      try {
        await run(seeded);
      } finally {
        await seeded.close();
      }
    });
  };

  const { S21: reason } = unsupported;
  if (reason !== undefined) {
    withPeople(`S21 is declared unsupported: ${reason}`, 1, async ({ source }) => {
      expect(reason).not.toBe('');
      expect(source.readMatching).toBeUndefined();
    });
    return;
  }

  const ask = (source: Source, wanted: WantedPeople, signal = NEVER): AsyncIterable<SourcePage> => {
    const read = source.readMatching?.(wanted, projection) ?? null;
    if (read === null) throw new Error('the source cannot be asked for these people');
    return read(signal);
  };

  withPeople('S21 gives the people of a filter as a read of everybody does', PEOPLE, async ({ source }) => {
    const everybody = new Map((await readUsers(source.readUsers(projection, NEVER))).map((user) => [user.id, user]));
    const pages = await readPages(ask(source, toWanted('Sales')));
    expect(pages.map(({ end }) => end !== undefined)).toEqual(pages.map((_, page) => page === pages.length - 1));
    expect(pages.at(-1)?.end?.attributes).toEqual(expect.arrayContaining(names.map(toName)));
    const users = pages.flatMap((page) => page.users);
    const wanted = people(PEOPLE).filter(({ attributes }) => attributes['department'] === 'Sales');
    expect(users.map(({ id }) => id).toSorted()).toEqual(wanted.map(({ id }) => id).toSorted());
    for (const user of users) expect(user).toEqual(everybody.get(user.id));
  });

  withPeople(
    'S21 gives nobody, and its end, where nobody passes, whatever signs a value has',
    20,
    async ({ source }) => {
      const pages = await readPages(ask(source, toWanted(NOBODY)));
      expect(pages.flatMap((page) => page.users)).toEqual([]);
      expect(pages.at(-1)?.end).toBeDefined();
    },
  );

  withPeople('S21 S1 throws when the directory is not there', 20, async (seeded) => {
    await seeded.remove();
    expect((await toFailure(ask(seeded.source, toWanted('Sales')))).scope).toBe('run');
  });

  withPeople('S21 S5 throws when it is aborted', 20, async ({ source }) => {
    expect((await toFailure(ask(source, toWanted('Sales'), AbortSignal.abort()))).code).toBe('Aborted');
  });

  withPeople('S21 is not asked for what could be named in no filter', 1, async ({ source }) => {
    expect(source.readMatching?.([[{ path: 'no name at all', values: ['x'] }]], projection)).toBeNull();
  });
}

async function readPages(pages: AsyncIterable<SourcePage>): Promise<SourcePage[]> {
  const all: SourcePage[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

async function readUsers(pages: AsyncIterable<SourcePage>): Promise<SourcePage['users'][number][]> {
  return (await readPages(pages)).flatMap((page) => page.users);
}

async function toFailure(pages: AsyncIterable<SourcePage>): Promise<SyncError> {
  const thrown = await readPages(pages).then(
    () => new Error('it ended without an error'),
    (error: unknown) => error,
  );
  if (thrown instanceof SyncError) return thrown;
  throw thrown;
}
