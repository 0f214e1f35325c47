/**
 * The part of `source.ts` for directories that tell what changes: rules S14 to S17 and S20. Changes are carried out here over a full
 * read by code of its own, and must come to what another full read says; where the numbers say that somebody is gone, everybody
 * is read.
 */
import { expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import type { GroupMember, SourceUser } from '../../src/model.ts';
import type { ChangePage, ChangesEnd, Cursors, Source, SourceChange } from '../../src/sources/source.ts';
import type { SampleGroup, SamplePerson, SeededChanges, SourceHarness } from './source.ts';

const MOST_CHANGES_OF_A_PAGE = 1_000;
const PEOPLE = 150;
const NEVER = new AbortController().signal;

export interface Samples {
  readonly people: (count: number) => readonly SamplePerson[];
  readonly groups: readonly SampleGroup[];
}

export function describeChanges(harness: SourceHarness, samples: Samples): void {
  const { seedChanges } = harness;
  if (seedChanges === undefined) {
    it('S14 tells no changes', async () => {
      const seeded = await harness.seed(samples.people(1));
      try {
        expect(seeded.source.readChanges).toBeUndefined();
      } finally {
        await seeded.close();
      }
    });
    return;
  }

  const people = samples.people(PEOPLE);
  const groups = samples.groups.slice(0, 8);
  const edited = people.slice(5).map((person, index) => (index % 9 === 0 ? rename(person) : person));
  const joined = { ...rename(person0(people)), id: 'person-new' };
  /** Nobody is a member who is not there. */
  const among = (all: readonly SampleGroup[], present: readonly SamplePerson[]): readonly SampleGroup[] => {
    const ids = new Set(present.map(({ id }) => id));
    return all.map((group) => ({ ...group, members: group.members.filter((id) => ids.has(id)) }));
  };
  const fewer = among(groups, edited);
  const others: readonly SampleGroup[] = [
    { id: 'group-3', displayName: 'Renamed', members: ['person-7', 'person-new', 'person-150'] },
    ...fewer.slice(3),
    { id: 'group-new', displayName: 'New', members: ['person-new'] },
  ];

  const tells = (title: string, run: (seeded: SeededChanges) => Promise<void>): void => {
    it(title, async () => {
      const seeded = await seedChanges(people, groups);
      try {
        await run(seeded);
      } finally {
        await seeded.close();
      }
    });
  };

  tells('S14 S17 tells what has changed: with it a full read is what another one says', async (seeded) => {
    const { source } = seeded;
    const directory = await readWhole(source);
    await seeded.change([...edited, joined], others);
    const { end, pages } = await follow(source, directory);
    expect(toPlain(directory)).toEqual(toPlain(await readWhole(source)));
    expect(pages.map((page) => page.end !== undefined)).toEqual(pages.map((_, index) => index === pages.length - 1));
    for (const { changes } of pages) expect(changes.length).toBeLessThanOrEqual(MOST_CHANGES_OF_A_PAGE);
    expect(pages.flatMap(({ failed, failedGroups }) => [...failed, ...failedGroups])).toEqual([]);
    // From the new cursors there is nothing more to tell that would change anything, and then what comes next.
    const again = await follow(source, directory, end);
    await seeded.change(people, groups);
    await follow(source, directory, again.end);
    expect(toPlain(directory)).toEqual(toPlain(await readWhole(source)));
  });

  tells('S14 tells again what was told, and it comes to the same', async (seeded) => {
    const { source } = seeded;
    const directory = await readWhole(source);
    const { cursors } = directory;
    await seeded.change(edited, fewer);
    await seeded.change([...people, joined], others);
    const once = (await readChanges(source, cursors)).pages.flatMap(({ changes }) => changes);
    carryOut(directory, once);
    await follow(source, directory, cursors);
    expect(toPlain(directory)).toEqual(toPlain(await readWhole(source)));
  });

  tells('S14 tells what changed while everybody was read', async (seeded) => {
    const { source } = seeded;
    const reading = source.readUsers([], NEVER)[Symbol.asyncIterator]();
    const first = await reading.next();
    await seeded.change([...edited, joined], fewer);
    const pages = [first.value];
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) pages.push(next.value);
    const directory = await readWhole(source);
    const users = pages.at(-1)?.end?.cursor ?? '';
    directory.users = new Map(pages.flatMap((page) => page?.users ?? []).map((user: SourceUser) => [user.id, user]));
    await follow(source, directory, { users, groups: directory.cursors.groups });
    expect(toPlain(directory)).toEqual(toPlain(await readWhole(source)));
  });

  tells('S14 tells nothing of groups to whom does not ask, and each by itself', async (seeded) => {
    const { source } = seeded;
    const { cursors } = await readWhole(source);
    await seeded.change([...edited, joined], others);
    const { pages, end } = await readChanges(source, { users: cursors.users, groups: null });
    expect(pages.flatMap(({ changes }) => changes.filter(({ type }) => !type.startsWith('user')))).toEqual([]);
    expect(end.groups).toBeNull();
  });

  tells('S14 S1 throws when the list of changes ends early, and when it is aborted', async (seeded) => {
    const { source } = seeded;
    const { cursors } = await readWhole(source);
    await seeded.change([...edited, joined], others);
    expect((await toFailure(readChanges(source, cursors, AbortSignal.abort()))).code).toBe('Aborted');
    await seeded.truncate();
    const { code, scope } = await toFailure(readChanges(source, cursors));
    expect(['ReadFailed', 'ReadIncomplete']).toContain(code);
    expect(scope).toBe('run');
  });

  tells(
    'S15 throws CursorExpired for what it does not go on from any more, and for what never was a cursor',
    async (seeded) => {
      const { source } = seeded;
      const { cursors } = await readWhole(source);
      await seeded.change([...edited, joined], others);
      await seeded.expire();
      expect((await toFailure(readChanges(source, cursors))).code).toBe('CursorExpired');
      const junk = { users: 'no+cursor/=', groups: 'no+cursor/=' };
      expect((await toFailure(readChanges(source, junk))).code).toBe('CursorExpired');
      // A full read goes on where it ended.
      const directory = await readWhole(source);
      await seeded.change(people, groups);
      await follow(source, directory);
      expect(toPlain(directory)).toEqual(toPlain(await readWhole(source)));
    },
  );

  tells('S16 puts who was removed and is there again into those groups alone that it names since', async (seeded) => {
    const { source } = seeded;
    const directory = await readWhole(source);
    const gone = 'person-3';
    const without = groups.map((group) => ({ ...group, members: group.members.filter((id) => id !== gone) }));
    await seeded.change(
      people.filter(({ id }) => id !== gone),
      without,
    );
    const back = groups.map((group, index) => (group.id === 'group-8' ? group : (without[index] ?? group)));
    await seeded.change([...people.filter(({ id }) => id !== gone), ...people.filter(({ id }) => id === gone)], back);
    await follow(source, directory);
    expect(toPlain(directory)).toEqual(toPlain(await readWhole(source)));
    expect([...(directory.members.get('group-8') ?? [])]).toContain(gone);
    expect([...(directory.members.get('group-4') ?? [])]).not.toContain(gone);
  });

  tells(
    harness.countsGone === true
      ? 'S20 S16 says how many there are, and who is gone by that alone'
      : 'S20 S16 names who is gone, and has no other word on it',
    async (seeded) => {
      const { source } = seeded;
      const { cursors } = await readWhole(source);
      const same = await readChanges(source, cursors);
      const all = { users: people.length, groups: groups.length };
      expect(same.totals).toEqual(harness.countsGone === true ? all : undefined);
      const gone = ['person-3', 'group-4'];
      const left = people.filter(({ id }) => id !== 'person-3');
      await seeded.change(
        left,
        among(
          groups.filter(({ id }) => id !== 'group-4'),
          left,
        ),
      );
      const { pages, totals } = await readChanges(source, cursors);
      const named = pages.flatMap(({ changes }) =>
        changes.flatMap((each) => (each.type === 'userRemoved' || each.type === 'groupRemoved' ? [each.id] : [])),
      );
      if (harness.countsGone !== true) {
        expect(totals).toBeUndefined();
        expect([...new Set(named)].sort()).toEqual(gone.sort());
        return;
      }
      expect(named).toEqual([]);
      expect(totals).toEqual({ users: all.users - 1, groups: all.groups - 1 });
      const ofPeople = await readChanges(source, { ...cursors, groups: null });
      expect(ofPeople.totals).toEqual({ users: all.users - 1, groups: null });
    },
  );

  tells('S17 S2 names an item of the list that cannot be read, and tells the others', async (seeded) => {
    const { source } = seeded;
    const { cursors } = await readWhole(source);
    await seeded.breakRecord('person-9');
    await seeded.change(
      people.map((person) => (person.id === 'person-11' ? rename(person) : person)),
      groups,
    );
    const { pages } = await readChanges(source, cursors);
    const failed = pages.flatMap((page) => page.failed);
    expect(failed.map(({ id }) => id ?? 'person-9')).toContain('person-9');
    const named = pages.flatMap(({ changes }) => changes.flatMap((each) => (each.type === 'user' ? each.user.id : [])));
    expect(named).toContain('person-11');
    expect(named).not.toContain('person-9');
  });
}

function person0([first]: readonly SamplePerson[]): SamplePerson {
  if (first === undefined) throw new Error('there is nobody');
  return first;
}

function rename(person: SamplePerson): SamplePerson {
  const attributes = { ...person.attributes, displayName: 'Renamed', department: 'Legal' };
  return { ...person, active: !person.active, attributes };
}

interface ReadChanges {
  readonly pages: readonly ChangePage[];
  readonly end: Cursors;
  readonly totals: ChangesEnd['totals'];
}

interface Directory {
  users: Map<string, SourceUser>;
  groups: Map<string, string>;
  members: Map<string, Set<string>>;
  readonly cursors: Cursors;
}

const toRef = (member: GroupMember): string => ('ref' in member ? member.ref : '*');

async function readWhole(source: Source): Promise<Directory> {
  const users = new Map<string, SourceUser>();
  const members = new Map<string, Set<string>>();
  const groups = new Map<string, string>();
  let cursor: string | null = null;
  let groupCursor: string | null = null;
  for await (const page of source.readUsers([], NEVER)) {
    for (const user of page.users) users.set(user.id, user);
    cursor = page.end?.cursor ?? cursor;
  }
  for await (const page of source.readGroups?.([], NEVER) ?? []) {
    for (const { id, displayName } of page.groups) groups.set(id, displayName);
    for (const { group, members: some } of page.members)
      members.set(group, new Set([...(members.get(group) ?? []), ...some.map(toRef)]));
    groupCursor = page.end?.cursor ?? groupCursor;
  }
  if (cursor === null) throw new Error('the full read gives no cursor');
  return { users, groups, members, cursors: { users: cursor, groups: groupCursor } };
}

async function readChanges(source: Source, since: Cursors, signal = NEVER): Promise<ReadChanges> {
  const pages: ChangePage[] = [];
  const projection = { users: [], groups: since.groups === null ? null : [] };
  for await (const page of source.readChanges?.(since, projection, signal) ?? []) pages.push(page);
  const { cursors: end, totals } = pages.at(-1)?.end ?? {};
  if (end === undefined) throw new Error('the list of changes has no end');
  return { pages, end, totals };
}

/** Carries them out, as an engine does that believes the numbers (S20). */
async function follow(source: Source, directory: Directory, since: Cursors = directory.cursors): Promise<ReadChanges> {
  const read = await readChanges(source, since);
  for (const page of read.pages) carryOut(directory, page.changes);
  const { users, groups } = read.totals ?? {};
  const isCounted = (users ?? directory.users.size) === directory.users.size;
  if (isCounted && (groups ?? directory.groups.size) === directory.groups.size) return read;
  const whole = await readWhole(source);
  directory.users = whole.users;
  directory.groups = whole.groups;
  directory.members = whole.members;
  return { ...read, end: whole.cursors };
}

function carryOut(directory: Directory, changes: readonly SourceChange[]): void {
  for (const change of changes) carryOutOne(directory, change);
}

function carryOutOne({ users, groups, members }: Directory, change: SourceChange): void {
  switch (change.type) {
    case 'user':
      users.set(change.user.id, keep(change, users.get(change.user.id)));
      return;
    case 'group':
      groups.set(change.group.id, change.group.displayName);
      return;
    case 'members':
      members.set(change.group, toMembers(change, members.get(change.group)));
      return;
    case 'userRemoved':
    case 'groupRemoved':
      (change.type === 'userRemoved' ? users : groups).delete(change.id);
      if (change.type === 'groupRemoved') members.delete(change.id);
      for (const some of members.values()) some.delete(change.id);
  }
}

function toMembers(
  { replaces, added, removed }: Extract<SourceChange, { readonly type: 'members' }>,
  before: ReadonlySet<string> = new Set(),
): Set<string> {
  const some = new Set(replaces ? [] : before);
  for (const ref of removed) some.delete(ref);
  for (const member of added) some.add(toRef(member));
  return some;
}

function keep(
  { user, keeps = [] }: Extract<SourceChange, { readonly type: 'user' }>,
  before: SourceUser | undefined,
): SourceUser {
  const kept = keeps.flatMap((name) =>
    before?.attributes[name] === undefined ? [] : [[name, before.attributes[name]]],
  );
  return { ...user, attributes: { ...user.attributes, ...Object.fromEntries(kept) } };
}

/** To be compared: without positions, and without groups that have nobody. */
function toPlain({ users, groups, members }: Directory): unknown {
  const sorted = <T>(entries: Iterable<readonly [string, T]>): (readonly [string, T])[] =>
    [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    users: sorted(users).map(([id, { active, attributes }]) => [id, active, sorted(Object.entries(attributes))]),
    groups: sorted(groups),
    members: sorted(members)
      .map(([id, some]) => [id, [...some].sort()] as const)
      .filter(([id, some]) => groups.has(id) && some.length > 0),
  };
}

async function toFailure(work: Promise<unknown>): Promise<SyncError> {
  const thrown = await work.then(
    () => new Error('it answered'),
    (error: unknown) => error,
  );
  if (thrown instanceof SyncError) return thrown;
  throw thrown;
}
