/**
 * What every source directory must do: the rules S1 to S10 and S13 to S21 of `src/sources/source.ts`; the numbers are theirs. Those that are
 * asked over HTTP pass `source-over-http.ts` besides. A provider's test calls `describeSource` with a harness that fills its directory with people and breaks it. A rule that a provider
 * cannot show is declared with the reason; a harness that is silent about it fails.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { parseSourcePath, readSourcePath, toAskedName } from '../../src/expression/paths.ts';
import type { Json, SourceUser, WantedPeople } from '../../src/model.ts';
import type {
  GroupPage,
  OneUser,
  PhotoAnswer,
  Source,
  SourcePage,
  SourceSchema,
  WantedMembers,
} from '../../src/sources/source.ts';
import { describeChanges } from './source-changes.ts';
import { describeMatching } from './source-matching.ts';
import { describePage } from './source-pages.ts';

export interface SamplePerson {
  readonly id: string;
  readonly active: boolean;
  /** Top-level text attributes, the same names for everybody. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A directory with people in it. The optional methods are needed unless their rule is declared unsupported. */
export interface SeededSource {
  readonly source: Source;
  /** S1: makes the next read end too early, in the middle of a record or page. */
  truncate(): Promise<void>;
  /** S1: makes the directory go away. */
  remove(): Promise<void>;
  /** S2: makes this one person unreadable and leaves the others. */
  breakRecord?(id: string): Promise<void>;
  /** S8: changes the directory; called while a read is under way. */
  change?(): Promise<void>;
  close(): Promise<void>;
}

export interface SampleGroup {
  readonly id: string;
  readonly displayName: string;
  /** Ids of people. */
  readonly members: readonly string[];
}

/** A directory with people and groups in it. */
export interface SeededGroups {
  readonly source: Source;
  /** Makes the next list of groups end too early. */
  truncate(): Promise<void>;
  /** Makes the members of this one group unreadable and leaves the others. */
  breakGroup?(id: string): Promise<void>;
  close(): Promise<void>;
}

/** A directory with people and photos of them. */
export interface SeededPhotos {
  readonly source: Source;
  /** Null takes the photo away. */
  setPhoto(id: string, bytes: Uint8Array | null): Promise<void>;
  /** Makes the photo of this one person unreadable. */
  breakPhoto(id: string): Promise<void>;
  close(): Promise<void>;
}

/** A directory with people and groups in it that tells what changes. */
export interface SeededChanges {
  readonly source: Source;
  /** The directory has these people and groups now, and no others. */
  change(people: readonly SamplePerson[], groups: readonly SampleGroup[]): Promise<void>;
  /** No cursor that was given so far is taken any more. */
  expire(): Promise<void>;
  /** Makes the next list of changes end too early; there are some. */
  truncate(): Promise<void>;
  /** The changes of this one person come as something that is no record. */
  breakRecord(id: string): Promise<void>;
  close(): Promise<void>;
}

export interface SourceHarness {
  /** Where the provider has an attribute of a sample: by its own name unless it says otherwise, as `custom_attributes.mail`. */
  readonly toName?: (name: string) => string;
  /** How a group names the person of this id among its members: by the id unless it says otherwise. */
  readonly toRef?: (id: string) => string;
  /** People of a directory, unless a case says otherwise; 1,500 where nothing is said. */
  readonly people?: number;
  seed(people: readonly SamplePerson[]): Promise<SeededSource>;
  /** Needed unless S9 is declared unsupported. */
  seedGroups?(people: readonly SamplePerson[], groups: readonly SampleGroup[]): Promise<SeededGroups>;
  /** Needed unless S13 is declared unsupported. */
  seedPhotos?(people: readonly SamplePerson[]): Promise<SeededPhotos>;
  /** S21: what a filter makes of the department, where `toName` is not the attribute that is filtered by. */
  readonly toWanted?: (department: string) => WantedPeople;
  /** S20: the changes do not name who is gone, and say how many there are. */
  readonly countsGone?: true;
  /** Needed where the source has `readChanges`, which S14 to S17 and S20 are about. */
  seedChanges?(people: readonly SamplePerson[], groups: readonly SampleGroup[]): Promise<SeededChanges>;
  /** Rules that the provider cannot show, with the reason. */
  readonly unsupported: Readonly<Partial<Record<'S2' | 'S8' | 'S9' | 'S9 one group' | 'S10' | 'S13' | 'S21', string>>>;
}

const MOST_PEOPLE = 1_500;
const MOST_USERS_OF_A_PAGE = 1_000;
const MOST_NAMES = 10_000;
/** S5: how long an abort may take. */
const ABORT_MS = 1_000;

/** Invented people with rows long enough that a directory of them is more than one buffer. */
export function createSamplePeople(count: number): SamplePerson[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `person-${index + 1}`,
    active: index % 7 !== 3,
    attributes: {
      mail: `person.${index + 1}@example.com`,
      displayName: `Person ${index + 1}, "Zoë"`,
      department: index % 2 === 0 ? 'Finance' : 'Sales',
      description: `${index}`.padStart(200, '·'),
    },
  }));
}

export function describeSource(name: string, harness: SourceHarness): void {
  describe(`source contract: ${name}`, () => {
    describeMatching(harness, { people: createSamplePeople, names: SAMPLE_NAMES });
    const opened: SeededSource[] = [];
    const { toName = (attribute) => attribute, toRef = (id) => id, people: PEOPLE = MOST_PEOPLE } = harness;
    const projection = SAMPLE_NAMES.map((name) => toAskedName(parseSourcePath(toName(name))));

    async function seed(people = createSamplePeople(PEOPLE)): Promise<SeededSource> {
      const seeded = await harness.seed(people);
      opened.push(seeded);
      return { ...seeded, source: askFor(seeded.source, projection) };
    }

    /** Runs the case, or checks that the declaration and the harness agree that there is none. */
    function supports(
      rule: 'S2' | 'S8',
      method: 'breakRecord' | 'change',
      title: string,
      run: () => Promise<void>,
    ): void {
      const reason = harness.unsupported[rule];
      if (reason === undefined) {
        it(`${rule} ${title}`, run);
        return;
      }
      it(`${rule} is declared unsupported: ${reason}`, async () => {
        expect(reason).not.toBe('');
        expect((await seed())[method]).toBeUndefined();
      });
    }

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close()));
    });

    it('S1 is complete with a page that has `end`, and only the last one has it', async () => {
      const people = createSamplePeople(PEOPLE);
      const { source } = await seed(people);
      const pages = await readPages(source);
      expect(pages.map((page) => page.end !== undefined)).toEqual(pages.map((_, index) => index === pages.length - 1));
      const users = pages.flatMap((page) => page.users);
      expect(toIds(users)).toEqual(toIds(people));
      const byId = new Map(users.map((user) => [user.id, user]));
      expect(people.map(({ id }) => byId.get(id)?.active)).toEqual(people.map((person) => person.active));
      for (const person of [people[0], people.at(-1)])
        expect(pickNamed(byId.get(person?.id ?? ''), toName)).toEqual(person?.attributes);
    });

    it('S1 throws when the read ends before its last page', async () => {
      const seeded = await seed();
      await seeded.truncate();
      const failure = await readToFailure(seeded.source);
      expect(['ReadFailed', 'ReadIncomplete']).toContain(failure.code);
      expect(failure.scope).toBe('run');
    });

    it('S1 throws when the directory is not there, and never says that nobody is in it', async () => {
      const seeded = await seed();
      await seeded.remove();
      expect((await readToFailure(seeded.source)).scope).toBe('run');
    });

    supports(
      'S2',
      'breakRecord',
      'reports an item that cannot be read as failed, and delivers the others',
      async () => {
        const people = createSamplePeople(PEOPLE);
        const seeded = await seed(people);
        const broken = people[PEOPLE / 2]?.id ?? '';
        await seeded.breakRecord?.(broken);
        const pages = await readPages(seeded.source);
        expect(pages.flatMap((page) => page.failed)).toHaveLength(1);
        expect(pages.flatMap((page) => page.failed.map((each) => each.id ?? broken))).toEqual([broken]);
        const ids = toIds(pages.flatMap((page) => page.users));
        expect(ids).toEqual(toIds(people).filter((id) => id !== broken));
      },
    );

    it('S3 gives one person the same id in every read, whatever else changes', async () => {
      const people = createSamplePeople(20);
      const changed = people.toReversed().map((person) => ({
        ...person,
        active: !person.active,
        attributes: { ...person.attributes, mail: `new.${person.attributes['mail']}`, displayName: 'Renamed' },
      }));
      const before = await readUsers((await seed(people)).source);
      const after = await readUsers((await seed(changed)).source);
      expect(before.map((user) => user.id)).not.toContain('');
      expect(after.map((user) => user.id).toSorted()).toEqual(before.map((user) => user.id).toSorted());
      expect(new Set(before.map((user) => user.id)).size).toBe(people.length);
    });

    it('S4 names every attribute that the read could deliver, and none that it could not', async () => {
      const { source } = await seed();
      const pages = await readPages(source);
      const names = pages.at(-1)?.end?.attributes ?? [];
      const delivered = new Set(pages.flatMap((page) => page.users.flatMap((user) => Object.keys(user.attributes))));
      expect(names).toEqual(expect.arrayContaining([...delivered]));
      expect(names).toEqual(expect.arrayContaining(['mail', 'displayName', 'department'].map(toName)));
      expect(names).not.toContain('attributeThatNobodyHas');
      expect(new Set(names).size).toBe(names.length);
      expect(names.length).toBeLessThanOrEqual(MOST_NAMES);
    });

    it('S18 delivers all that there is to whoever asks for what is listed', async () => {
      const seeded = await harness.seed(createSamplePeople(20));
      opened.push(seeded);
      const { source } = seeded;
      const { projection: listed, findings } = (await source.schema?.(new AbortController().signal)) ?? EVERYTHING;
      expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
      const pages = await readPages(askFor(source, listed));
      expect(pages.at(-1)?.end?.attributes).toEqual(expect.arrayContaining(SAMPLE_NAMES.map(toName)));
      const [user] = pages.flatMap(({ users }) => users);
      expect(Object.values(pickNamed(user, toName))).not.toContain(null);
    });

    it('S5 throws at once when it is aborted before the first page', async () => {
      const { source } = await seed();
      const failure = await within(ABORT_MS, readToFailure(source, AbortSignal.abort()));
      expect(failure.code).toBe('Aborted');
    });

    it('S5 throws within a second when it is aborted between two pages', async () => {
      const { source } = await seed();
      const controller = new AbortController();
      const pages = source.readUsers([], controller.signal)[Symbol.asyncIterator]();
      expect((await pages.next()).done).toBe(false);
      controller.abort();
      const rest = { [Symbol.asyncIterator]: () => pages };
      expect((await within(ABORT_MS, toFailure(rest))).code).toBe('Aborted');
    });

    it('S6 lets two reads at once alone, and a third after one that was left', async () => {
      const people = createSamplePeople(PEOPLE);
      const { source } = await seed(people);
      const left = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
      await left.next();
      const [first, second] = await Promise.all([readUsers(source), readUsers(source)]);
      await left.return?.();
      const third = await readUsers(source);
      for (const users of [first, second, third]) expect(toIds(users)).toEqual(toIds(people));
    });

    it('S7 bounds its pages and does not hold them', async () => {
      const { source } = await seed();
      const collectGarbage = exposeGarbageCollector();
      const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
      const first = await toWeakReference(pages);
      let largest = 0;
      let held = true;
      for (let next = await pages.next(); next.done !== true; next = await pages.next()) {
        largest = Math.max(largest, next.value.users.length);
        // A turn of the event loop lets go of what a weak reference itself keeps until the end of the job.
        await new Promise((resolve) => setImmediate(resolve));
        collectGarbage();
        if (next.value.end === undefined) held = first.deref() !== undefined;
      }
      expect(held).toBe(false);
      expect(largest).toBeLessThanOrEqual(MOST_USERS_OF_A_PAGE);
    });

    supports('S8', 'change', 'throws when the directory changes while it is read', async () => {
      const seeded = await seed();
      const pages = seeded.source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
      expect((await pages.next()).done).toBe(false);
      await seeded.change?.();
      const failure = await toFailure({ [Symbol.asyncIterator]: () => pages });
      expect(['ReadFailed', 'ReadIncomplete']).toContain(failure.code);
    });

    const groups = Array.from(
      { length: 40 },
      (_, index): SampleGroup => ({
        id: `group-${index + 1}`,
        displayName: `Group ${index + 1}, "Zoë"`,
        members: Array.from({ length: index * 3 }, (_each, place) => `person-${place + 1}`),
      }),
    );

    /** S9: the case with a directory that has groups; else that there are none is declared. */
    function hasGroups(title: string, run: (seeded: SeededGroups) => Promise<void>): void {
      if (harness.unsupported.S9 !== undefined) return;
      it(`S9 ${title}`, async () => {
        if (harness.seedGroups === undefined) throw new Error('S9 is neither shown nor declared unsupported');
        const seeded = await harness.seedGroups(createSamplePeople(150), groups);
        try {
          await run(seeded);
        } finally {
          await seeded.close();
        }
      });
    }

    hasGroups('lists every group once with all its members, and only the last page has `end`', async ({ source }) => {
      const pages = await readGroupPages(source);
      expect(pages.map((page) => page.end !== undefined)).toEqual(pages.map((_, index) => index === pages.length - 1));
      const listed = pages.flatMap((page) => page.groups);
      expect(listed.map(({ id, displayName }) => `${id} ${displayName}`).sort()).toEqual(
        groups.map(({ id, displayName }) => `${id} ${displayName}`).sort(),
      );
      expect(pages.flatMap((page) => page.failed)).toEqual([]);
      for (const { id, members } of groups) expect(toMembers(pages, id)).toEqual(members.map(toRef).sort());
    });

    hasGroups('S19 lists every group, and the members of those that are wanted, others or not', async ({ source }) => {
      const [some, rest] = [groups.slice(4, 7), groups.slice(7)];
      const of = ({ id }: { readonly id: string }) => some.some((each) => each.id === id);
      const pages = await readGroupPages(source, { wanted: { of, nested: true } });
      expect(pages.flatMap((page) => page.groups.map(({ id }) => id)).sort()).toEqual(
        groups.map(({ id }) => id).sort(),
      );
      expect(pages.map((page) => page.end !== undefined)).toEqual(pages.map((_, at) => at === pages.length - 1));
      expect(pages.flatMap(({ failed }) => failed)).toEqual([]);
      for (const { id, members } of some) expect(toMembers(pages, id)).toEqual(members.map(toRef).sort());
      for (const { id, members } of rest) {
        const told = toMembers(pages, id);
        expect([[], members.map(toRef).sort()]).toContainEqual(told);
      }
    });

    hasGroups('throws when the list of groups ends early, and when it is aborted', async ({ source, truncate }) => {
      expect((await toRejection(readGroupPages(source, { signal: AbortSignal.abort() }))).code).toBe('Aborted');
      await truncate();
      const failed = await toRejection(readGroupPages(source));
      expect(['ReadFailed', 'ReadIncomplete']).toContain(failed.code);
    });

    if (harness.unsupported['S9 one group'] === undefined) {
      hasGroups(
        'names a group whose members cannot be read, and delivers the others',
        async ({ source, breakGroup }) => {
          await breakGroup?.('group-7');
          const pages = await readGroupPages(source);
          expect(pages.flatMap((page) => page.failed.map(({ id }) => id))).toEqual(['group-7']);
          expect(pages.at(-1)?.end).toBeDefined();
          expect(toMembers(pages, 'group-8')).toEqual((groups[7]?.members ?? []).map(toRef).sort());
        },
      );
    }

    /** S10: the case with a source that can be asked for one; else that there is none is declared. */
    function asksForOne(title: string, run: (seeded: SeededSource, readOne: ReadOne) => Promise<void>): void {
      const reason = harness.unsupported.S10;
      if (reason !== undefined) return;
      it(`S10 ${title}`, async () => {
        const seeded = await seed();
        const { source } = seeded;
        expect(source.readOne).toBeDefined();
        await run(seeded, async (id, signal = new AbortController().signal) => source.readOne?.(id, [], signal));
      });
    }

    asksForOne('says of one person what the read of everybody says', async ({ source }, readOne) => {
      const pages = await readPages(source);
      const users = pages.flatMap((page) => page.users);
      for (const user of [users[0], users[PEOPLE / 2], users.at(-1)]) {
        const { position: _where, ...whole } = user as SourceUser;
        const one = await readOne(whole.id);
        expect(one?.user).toMatchObject(whole);
        expect([...(one?.attributes ?? [])].sort()).toEqual([...(pages.at(-1)?.end?.attributes ?? [])].sort());
      }
    });

    asksForOne('says null of an id that nobody has', async (_seeded, readOne) => {
      expect((await readOne('nobody-has-this'))?.user).toBeNull();
    });

    asksForOne('throws when the directory is not there, and when it is aborted', async ({ remove }, readOne) => {
      expect((await toRejection(readOne('person-1', AbortSignal.abort()))).code).toBe('Aborted');
      await remove();
      expect((await toRejection(readOne('person-1'))).scope).toBe('run');
    });

    asksForOne('throws for a person who is there and cannot be read', async ({ breakRecord }, readOne) => {
      await breakRecord?.('person-7');
      expect((await toRejection(readOne('person-7'))).code).not.toBe('NotFound');
    });

    it.each(
      Object.entries({ S9: harness.unsupported.S9, 'S9 one group': harness.unsupported['S9 one group'] }).flatMap(
        ([rule, reason]) => (reason === undefined ? [] : [[rule, reason]]),
      ),
    )('%s is declared unsupported: %s', async (rule) => {
      const seeded = await harness.seedGroups?.([], []);
      await seeded?.close();
      expect(rule === 'S9' ? seeded : seeded?.breakGroup).toBeUndefined();
    });

    if (harness.unsupported.S10 !== undefined) {
      it(`S10 is declared unsupported: ${harness.unsupported.S10}`, async () => {
        expect((await seed(createSamplePeople(1))).source.readOne).toBeUndefined();
      });
    }

    /** S13: the case with a directory that has photos; else that there are none is declared. */
    function hasPhotos(title: string, run: (seeded: SeededPhotos) => Promise<void>): void {
      const reason = harness.unsupported.S13;
      if (reason !== undefined) return;
      it(`S13 ${title}`, async () => {
        if (harness.seedPhotos === undefined) throw new Error('S13 is neither shown nor declared unsupported');
        const seeded = await harness.seedPhotos(createSamplePeople(3));
        try {
          await run(seeded);
        } finally {
          await seeded.close();
        }
      });
    }

    hasPhotos('gives the photo as it is now, and only another one when it has changed', async (seeded) => {
      const look = lookAt(seeded.source);
      expect(await look('person-1', null)).toEqual({ kind: 'none' });
      await seeded.setPhoto('person-1', toPhoto('first'));
      const first = await look('person-1', null);
      expect(first).toMatchObject({ kind: 'photo', bytes: toPhoto('first') });
      const etag = 'etag' in first ? first.etag : null;
      expect((await look('person-1', etag)).kind).toBe(etag === null ? 'photo' : 'unchanged');
      await seeded.setPhoto('person-1', toPhoto('second'));
      expect(await look('person-1', etag)).toMatchObject({ kind: 'photo', bytes: toPhoto('second') });
      expect(await look('person-2', etag)).toEqual({ kind: 'none' });
      await seeded.setPhoto('person-1', null);
      expect(await look('person-1', etag)).toEqual({ kind: 'none' });
    });

    hasPhotos('gives nothing of what is too large', async ({ source, setPhoto }) => {
      await setPhoto('person-1', toPhoto('large'));
      const answer = await lookAt(source)('person-1', null, { maxBytes: toPhoto('large').length - 1 });
      expect(answer.kind).toBe('tooLarge');
      expect(answer).not.toHaveProperty('bytes');
      expect((await lookAt(source)('person-1', null, { maxBytes: toPhoto('large').length })).kind).toBe('photo');
    });

    hasPhotos('throws for a photo that cannot be read, and when it is aborted', async (seeded) => {
      await seeded.setPhoto('person-1', toPhoto('first'));
      const aborted = lookAt(seeded.source)('person-1', null, { signal: AbortSignal.abort() });
      expect((await toRejection(aborted)).code).toBe('Aborted');
      await seeded.breakPhoto('person-1');
      await toRejection(lookAt(seeded.source)('person-1', null));
    });

    if (harness.unsupported.S13 !== undefined) {
      it(`S13 is declared unsupported: ${harness.unsupported.S13}`, async () => {
        expect((await seed(createSamplePeople(1))).source.readPhoto).toBeUndefined();
      });
    }

    describeChanges(harness, { people: createSamplePeople, groups });

    describePage(name, harness.unsupported);

    it('says which directory it is, and can be closed twice', async () => {
      const { source } = await seed(createSamplePeople(1));
      const identity = await source.identity(new AbortController().signal);
      const { defaultDomain: _offered, ...rest } = identity;
      expect(Object.keys(rest).toSorted()).toEqual(['domains', 'tenantId', 'tenantName']);
      await source.close();
      await source.close();
    });
  });
}

const SIZES = [0, 1, 999, 1_000, 25_000];
const SIZES_TIMEOUT_MS = 120_000;

/**
 * S1 over sizes, for sources that are not asked over HTTP: those have it in `source-over-http.ts`.
 * @param nobody what becomes of a directory without people; `fails`: nothing tells it from the half of one
 */
export function describeSizes(
  name: string,
  harness: Pick<SourceHarness, 'seed'>,
  nobody: 'isRead' | 'fails' = 'isRead',
): void {
  const title = `S1 ${name} delivers %i people, each once, and then its end`;
  it.each(SIZES)(title, { timeout: SIZES_TIMEOUT_MS }, async (count) => {
    const people = createSamplePeople(count);
    const seeded = await harness.seed(people);
    try {
      if (count === 0 && nobody === 'fails') {
        expect((await readToFailure(seeded.source)).code).toBe('ReadFailed');
        return;
      }
      const pages = await readPages(seeded.source);
      expect(pages.map((page) => page.end !== undefined)).toEqual(pages.map((_, index) => index === pages.length - 1));
      expect(pages.flatMap((page) => page.failed)).toEqual([]);
      expect(toIds(pages.flatMap((page) => page.users))).toEqual(toIds(people));
    } finally {
      await seeded.close();
    }
  });
}

const SAMPLE_NAMES = ['mail', 'displayName', 'department', 'description'];

/** The source as a run asks it: for what is mapped. */
function askFor(source: Source, projection: readonly string[]): Source {
  const { readOne } = source;
  const asking: Pick<Source, 'readUsers' | 'readOne'> = {
    readUsers: (_nothing, signal) => source.readUsers(projection, signal),
    ...(readOne === undefined ? {} : { readOne: (id, _nothing, signal) => readOne(id, projection, signal) }),
  };
  return { ...source, ...asking };
}

/** Without `schema` every read gives all. */
const EVERYTHING: SourceSchema = { projection: [], findings: [] };

/** In one order: no directory has to keep that of its people. */
function toIds(records: readonly { readonly id: string }[]): readonly string[] {
  return records.map(({ id }) => id).sort();
}

/** The attributes of samples, as the record has them. */
function pickNamed(user: SourceUser | undefined, toName: (name: string) => string): Record<string, Json> {
  return Object.fromEntries(
    SAMPLE_NAMES.map((name) => [name, readSourcePath(parseSourcePath(toName(name)), user?.attributes ?? {})]),
  );
}

/** A photo of a person as a read has them. */
function lookAt(source: Source) {
  return async (
    id: string,
    etag: string | null,
    { maxBytes = 10_000, signal = new AbortController().signal } = {},
  ): Promise<PhotoAnswer> => {
    const user = (await readUsers(source)).find((each) => each.id === id);
    if (user === undefined || source.readPhoto === undefined) throw new Error(`there is no photo to be read of ${id}`);
    return await source.readPhoto(user, { etag, maxBytes }, signal);
  };
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function toPhoto(text: string): Buffer {
  return Buffer.concat([Buffer.from(PNG), Buffer.from(text.repeat(50))]);
}

type ReadOne = (id: string, signal?: AbortSignal) => Promise<OneUser | undefined>;

async function toRejection(work: Promise<unknown>): Promise<SyncError> {
  const thrown = await work.then(
    () => new Error('it answered'),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SyncError);
  return SyncError.from(thrown);
}

interface GroupReading {
  readonly signal?: AbortSignal;
  readonly wanted?: WantedMembers;
}

async function readGroupPages(
  source: Source,
  { signal = new AbortController().signal, wanted }: GroupReading = {},
): Promise<GroupPage[]> {
  const pages: GroupPage[] = [];
  for await (const page of source.readGroups?.([], signal, wanted) ?? []) pages.push(page);
  return pages;
}

function toMembers(pages: readonly GroupPage[], id: string): readonly string[] {
  const parts = pages.flatMap((page) => page.members).filter(({ group }) => group === id);
  return parts.flatMap(({ members }) => members.map((member) => ('ref' in member ? member.ref : member.kind))).sort();
}

async function readPages(source: Source): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers([], new AbortController().signal)) pages.push(page);
  return pages;
}

async function readUsers(source: Source): Promise<SourceUser[]> {
  return (await readPages(source)).flatMap((page) => page.users);
}

function readToFailure(source: Source, signal = new AbortController().signal): Promise<SyncError> {
  return toFailure(source.readUsers([], signal));
}

/** The error that ends the read; a read that ends in any other way fails the test. */
async function toFailure(pages: AsyncIterable<SourcePage>): Promise<SyncError> {
  try {
    for await (const page of pages) expect(page.end, 'a read that must fail says that it is complete').toBeUndefined();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SyncError);
    if (thrown instanceof SyncError) return thrown;
    throw thrown;
  }
  throw new Error('the read ended without an error and without `end`');
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function toWeakReference(pages: AsyncIterator<SourcePage>): Promise<WeakRef<object>> {
  const { value } = await pages.next();
  const attributes: unknown = value?.users[0]?.attributes;
  if (typeof attributes !== 'object' || attributes === null) throw new Error('the first page has nobody');
  return new WeakRef(attributes);
}

function exposeGarbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
