/**
 * A source directory that does what a test tells it: pages of people, items that failed, attributes that it does not
 * deliver, reads that break off or end early, another tenant. It keeps to the contract in `sources/source.ts` but where the
 * script says otherwise; `endsAfter` and `failsAfter` are what a broken directory does.
 */
import { SyncError } from '../../src/errors.ts';
import {
  type GroupMember,
  type Json,
  NOTHING_OFFERED,
  type SourceOffers,
  type SourceUser,
  type WantedPeople,
} from '../../src/model.ts';
import type {
  ChangeProjection,
  Cursors,
  FailedRecord,
  GroupPage,
  OneUser,
  PhotoAnswer,
  PhotoRequest,
  SourceChange,
  SourceIdentity,
  SourceProvider,
  WantedMembers,
} from '../../src/sources/source.ts';
import { createFeed, readChangePages, type ScriptedFeed } from './scripted-feed.ts';

export type Person = Record<string, Json> & { readonly id: string };

/** A group with names of its members: of people, unless they are those of other groups here. */
export interface ScriptedGroup {
  readonly id: string;
  readonly displayName: string;
  readonly members: readonly string[];
  /** Beside the name, which is always there. */
  readonly attributes?: Readonly<Record<string, Json>>;
}

export interface ScriptedSource {
  /** `active: false` makes somebody inactive; every other key is an attribute. */
  people: readonly Person[];
  /** Records of one page. */
  pageSize: number;
  /** Items that cannot be turned into records; they come with the first page. */
  failed: readonly FailedRecord[];
  /** Null: the directory has no groups. One page each, with the members on a page of their own. */
  groups: readonly ScriptedGroup[] | null;
  /** Groups whose members cannot be read. */
  failedGroups: readonly FailedRecord[];
  /** What happens to the list of groups: it stops without its end, or throws. */
  groupsEnd: 'whole' | 'early' | Error;
  /** Attributes that the read delivers; null: all keys of all people. */
  columns: readonly string[] | null;
  /** Attributes that nobody gets and the end does not name: the token may not read them, the column is gone. */
  unknown: readonly string[];
  /** Source id → attributes that this one record's read did not deliver. */
  unknownOf: ReadonlyMap<string, readonly string[]>;
  /** The read stops after so many pages, as if it were over, without its end: a partial 200. */
  endsAfter: number | null;
  /** The read throws after so many pages. */
  failsAfter: { readonly pages: number; readonly error: Error } | null;
  /** What changes the source tells of; null: it tells of none. */
  feed: ScriptedFeed | null;
  /** The source can be asked for one person. */
  answersOne: boolean;
  /** It can be asked for some people: gives those of all who match, or what a filter of it makes of them. Null: it cannot. */
  matching: ((people: readonly Person[], wanted: WantedPeople) => readonly Person[]) | null;
  /** One entry a read of people in scope: whom it asked for. */
  readonly matchingReads: WantedPeople[];
  /** One entry for each person who was asked for by id. */
  readonly oneReads: string[];
  /** What the directory says that it has besides. */
  offers: SourceOffers;
  /** Source id → photo; the ETag is the text of its bytes. A photo that is an error cannot be read. */
  readonly photos: Map<string, Uint8Array | Error>;
  /** One entry for each photo that was asked for: whose, and with which ETag. */
  readonly photoReads: (readonly [id: string, etag: string | null])[];
  identity: SourceIdentity;
  /** One entry a read: the attributes that it asked for. */
  readonly reads: (readonly string[])[];
  /** One entry a read of groups: whose members it asked for; undefined: everybody's. */
  readonly groupReads: (WantedMembers | undefined)[];
  /** One entry a read of changes: where it goes on from. */
  readonly changeReads: Cursors[];
  /** Asked for its identity, or connected: by a run that may have gone no further. */
  readonly identified: { count: number };
  readonly provider: SourceProvider<unknown>;
}

const NOBODY: SourceIdentity = { tenantId: null, tenantName: null, domains: [] };

/** Nobody, one page, and the key `file`, so that a valid spec can name it. */
export function createScriptedSource(script: Partial<Omit<ScriptedSource, 'provider' | 'reads'>> = {}): ScriptedSource {
  const source: ScriptedSource = {
    people: [],
    pageSize: 100,
    failed: [],
    groups: null,
    failedGroups: [],
    groupsEnd: 'whole',
    columns: null,
    unknown: [],
    unknownOf: new Map(),
    endsAfter: null,
    failsAfter: null,
    feed: null,
    answersOne: false,
    matching: null,
    matchingReads: [],
    oneReads: [],
    offers: NOTHING_OFFERED,
    photos: new Map(),
    photoReads: [],
    identity: NOBODY,
    reads: [],
    groupReads: [],
    changeReads: [],
    identified: { count: 0 },
    ...script,
    provider: {
      name: 'file',
      validate: () => [],
      offers: () => source.offers,
      connect: async () => ({
        identity: async () => {
          source.identified.count += 1;
          return source.identity;
        },
        readUsers: (projection, signal) => {
          source.reads.push(projection);
          return readPages(source, signal);
        },
        ...(source.groups === null
          ? {}
          : {
              readGroups: (_names, signal, wanted) => {
                source.groupReads.push(wanted);
                return readGroupPages(source, signal, wanted);
              },
            }),
        ...(source.feed === null
          ? {}
          : {
              readChanges: (since: Cursors, asked: ChangeProjection, signal: AbortSignal) => {
                source.changeReads.push(since);
                const { feed, pageSize } = source;
                return readChangePages(feed ?? createFeed(), {
                  ...{ pageSize, attributes: toAttributes(source), since, asked, signal },
                  totals: {
                    users: source.people.length + (feed?.failed.length ?? 0),
                    groups: asked.groups === null ? null : (source.groups?.length ?? 0),
                  },
                });
              },
            }),
        ...(source.answersOne
          ? {
              readOne: async (id: string, _names: readonly string[], signal: AbortSignal) => {
                source.oneReads.push(id);
                return toOne(id, source, signal);
              },
            }
          : {}),
        ...(source.matching === null
          ? {}
          : {
              readMatching: (wanted: WantedPeople) => {
                const { matching, people } = source;
                return (signal: AbortSignal) => {
                  source.matchingReads.push(wanted);
                  const some = matching?.(people, wanted) ?? people;
                  return readPages({ ...source, people: some, columns: toAttributes(source) }, signal);
                };
              },
            }),
        ...(source.offers.photos?.bytes === true
          ? {
              readPhoto: async (user: SourceUser, asked: PhotoRequest, signal: AbortSignal) =>
                toPhoto(user, { source, asked, signal }),
            }
          : {}),
        close: async () => undefined,
      }),
    },
  };
  return source;
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new SyncError('Aborted', 'the read was ended');
}

async function* readPages(source: ScriptedSource, signal: AbortSignal): AsyncGenerator<PageOf> {
  const failed = new Set(source.failed.map(({ id }) => id));
  const people = source.people.filter(({ id }) => !failed.has(id));
  const pages = Math.max(1, Math.ceil(people.length / source.pageSize));
  const end = { attributes: toAttributes(source), ...toCursor(source) };
  for (let page = 0; page < pages; page += 1) {
    throwIfAborted(signal);
    if (source.failsAfter?.pages === page) throw source.failsAfter.error;
    if (source.endsAfter === page) return;
    yield {
      users: people.slice(page * source.pageSize, (page + 1) * source.pageSize).map((person) => toUser(person, source)),
      failed: page === 0 ? source.failed : [],
      ...(page === pages - 1 && source.failsAfter?.pages !== pages ? { end } : {}),
    };
  }
  if (source.failsAfter?.pages === pages) throw source.failsAfter.error;
}

/** Of groups whose members are not wanted it gives none, as the contract lets it. */
async function* readGroupPages(
  source: ScriptedSource,
  signal: AbortSignal,
  wanted?: WantedMembers,
): AsyncGenerator<GroupPage> {
  const asked = wanted === undefined ? null : toAsked(source.groups ?? [], wanted);
  const { groups, groupsEnd, failedGroups } = source;
  const unread = new Set(failedGroups.map(({ id }) => id));
  const names = new Set(['displayName']);
  const cursor = toCursor(source);
  for (const { id, displayName, members, attributes } of groups ?? []) {
    throwIfAborted(signal);
    yield { groups: [{ id, displayName, attributes: { displayName, ...attributes } }], members: [], failed: [] };
    for (const name of Object.keys(attributes ?? {})) names.add(name);
    if (unread.has(id) || asked?.has(id) === false) continue;
    const list = members.map((ref): GroupMember => ({ kind: 'Any', ref }));
    yield { groups: [], members: [{ group: id, members: list }], failed: [] };
  }
  if (groupsEnd instanceof Error) throw groupsEnd;
  const end = groupsEnd === 'whole' ? { end: { attributes: [...names], ...cursor } } : {};
  yield { groups: [], members: [], failed: failedGroups, ...end };
}

function toAsked(groups: readonly ScriptedGroup[], { of, nested }: WantedMembers): ReadonlySet<string> {
  const asked = groups.filter(of);
  for (const { members } of nested ? asked : [])
    asked.push(...groups.filter((each) => members.includes(each.id) && !asked.includes(each)));
  return new Set(asked.map(({ id }) => id));
}

function toCursor({ feed }: ScriptedSource): { readonly cursor?: string; readonly noCursor?: string } {
  if (feed === null) return {};
  return feed.untold === null ? { cursor: String(feed.log.length) } : { noCursor: feed.untold };
}

/** The directory is another one now, and its feed tells how it became that: people, then groups with their members. */
export function change(
  source: ScriptedSource,
  { people = source.people, groups = source.groups }: Partial<Pick<ScriptedSource, 'people' | 'groups'>>,
): void {
  const log = [...toPeopleChanges(source, people), ...toGroupChanges(source.groups ?? [], groups ?? [])];
  source.people = people;
  source.groups = groups;
  source.feed?.log.push(...log);
}

function toPeopleChanges(source: ScriptedSource, people: readonly Person[]): readonly SourceChange[] {
  const before = new Map(source.people.map((person) => [person.id, JSON.stringify(person)]));
  const ids = new Set(people.map(({ id }) => id));
  return [
    ...people
      .filter((person) => before.get(person.id) !== JSON.stringify(person))
      .map((person): SourceChange => ({ type: 'user', user: toUser(person, source) })),
    ...[...before.keys()].filter((id) => !ids.has(id)).map((id): SourceChange => ({ type: 'userRemoved', id })),
  ];
}

function toGroupChanges(before: readonly ScriptedGroup[], groups: readonly ScriptedGroup[]): readonly SourceChange[] {
  const known = new Map(before.map((group) => [group.id, group]));
  const ids = new Set(groups.map(({ id }) => id));
  return [
    ...groups.flatMap((group) => toGroupChange(known.get(group.id), group)),
    ...[...known.keys()].filter((id) => !ids.has(id)).map((id): SourceChange => ({ type: 'groupRemoved', id })),
  ];
}

function toGroupChange(before: ScriptedGroup | undefined, group: ScriptedGroup): readonly SourceChange[] {
  const { id, displayName, attributes } = group;
  const isSame =
    JSON.stringify([before?.displayName, before?.attributes]) === JSON.stringify([displayName, attributes]);
  const added = group.members.filter((ref) => before?.members.includes(ref) !== true);
  const removed = (before?.members ?? []).filter((ref) => !group.members.includes(ref));
  const list = added.map((ref): GroupMember => ({ kind: 'Any', ref }));
  return [
    ...(isSame
      ? []
      : [{ type: 'group' as const, group: { id, displayName, attributes: { displayName, ...attributes } } }]),
    ...(added.length + removed.length === 0
      ? []
      : [{ type: 'members' as const, group: id, replaces: false, added: list, removed }]),
  ];
}

function toAttributes({ columns, people, unknown }: ScriptedSource): readonly string[] {
  const attributes = [...new Set(columns ?? people.flatMap((person) => Object.keys(person)))];
  return attributes.filter((name) => !unknown.includes(name));
}

function toOne(id: string, source: ScriptedSource, signal: AbortSignal): OneUser {
  throwIfAborted(signal);
  if (source.failsAfter !== null) throw source.failsAfter.error;
  const failed = source.failed.find((each) => each.id === id);
  if (failed !== undefined) throw new SyncError(failed.code, failed.message);
  const found = source.people.find((person) => person.id === id);
  return { user: found === undefined ? null : toUser(found, source), attributes: toAttributes(source) };
}

interface Asking {
  readonly source: ScriptedSource;
  readonly asked: PhotoRequest;
  readonly signal: AbortSignal;
}

function toPhoto({ id }: SourceUser, { source, asked, signal }: Asking): PhotoAnswer {
  throwIfAborted(signal);
  source.photoReads.push([id, asked.etag]);
  const bytes = source.photos.get(id);
  if (bytes === undefined) return { kind: 'none' };
  if (bytes instanceof Error) throw bytes;
  const etag = Buffer.from(bytes).toString('base64');
  if (etag === asked.etag) return { kind: 'unchanged' };
  return bytes.length > asked.maxBytes
    ? { kind: 'tooLarge', etag, size: bytes.length }
    : { kind: 'photo', etag, bytes };
}

interface PageOf {
  readonly users: readonly SourceUser[];
  readonly failed: readonly FailedRecord[];
  readonly end?: { readonly attributes: readonly string[]; readonly cursor?: string; readonly noCursor?: string };
}

function toUser({ id, active, ...attributes }: Person, source: ScriptedSource): SourceUser {
  const { unknown, unknownOf } = source;
  const own = unknownOf.get(id) ?? [];
  const known = Object.entries({ id, ...attributes }).filter(
    ([name]) => !unknown.includes(name) && !own.includes(name),
  );
  return {
    id,
    active: active !== false,
    attributes: Object.fromEntries(known),
    ...(own.length === 0 ? {} : { unknown: own }),
  };
}
