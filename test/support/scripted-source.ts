/**
 * A source directory that does what a test tells it: pages of people, items that failed, attributes that it does not
 * deliver, reads that break off or end early, another tenant. It keeps to the contract in `sources/source.ts` but where the
 * script says otherwise; `endsAfter` and `failsAfter` are what a broken directory does.
 */
import type { Json, SourceUser } from '../../src/model.ts';
import type { FailedRecord, OneUser, SourceIdentity, SourceProvider } from '../../src/sources/source.ts';

export type Person = Record<string, Json> & { readonly id: string };

export interface ScriptedGroup {
  readonly name: string;
  /** Source ids. */
  readonly members: readonly string[];
  /** Its members cannot be read: anybody may be in it, so nobody's `groups` are known whole. */
  readonly fails?: boolean;
}

export interface ScriptedSource {
  /** `active: false` makes somebody inactive; every other key is an attribute. */
  people: readonly Person[];
  /** Records of one page. */
  pageSize: number;
  /** Items that cannot be turned into records; they come with the first page. */
  failed: readonly FailedRecord[];
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
  /** Told as the attribute `groups` of everybody, a list of names; null: it has none. */
  groups: readonly ScriptedGroup[] | null;
  /** The source can be asked for one person. */
  answersOne: boolean;
  identity: SourceIdentity;
  /** One entry a read: the attributes that it asked for. */
  readonly reads: (readonly string[])[];
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
    columns: null,
    unknown: [],
    unknownOf: new Map(),
    groups: null,
    endsAfter: null,
    failsAfter: null,
    answersOne: false,
    identity: NOBODY,
    reads: [],
    identified: { count: 0 },
    ...script,
    provider: {
      name: 'file',
      validate: () => [],
      connect: async () => ({
        identity: async () => {
          source.identified.count += 1;
          return source.identity;
        },
        readUsers: (projection, signal) => {
          source.reads.push(projection);
          return readPages(source, signal);
        },
        ...(source.answersOne ? { readOne: async (id: string) => toOne(id, source) } : {}),
        close: async () => undefined,
      }),
    },
  };
  return source;
}

async function* readPages(source: ScriptedSource, signal: AbortSignal): AsyncGenerator<PageOf> {
  const users = source.people.map((person) => toUser(person, source));
  const pages = Math.max(1, Math.ceil(users.length / source.pageSize));
  const end = { attributes: toAttributes(source) };
  for (let page = 0; page < pages; page += 1) {
    signal.throwIfAborted();
    if (source.failsAfter?.pages === page) throw source.failsAfter.error;
    if (source.endsAfter === page) return;
    yield {
      users: users.slice(page * source.pageSize, (page + 1) * source.pageSize),
      failed: page === 0 ? source.failed : [],
      ...(page === pages - 1 && source.failsAfter?.pages !== pages ? { end } : {}),
    };
  }
  if (source.failsAfter?.pages === pages) throw source.failsAfter.error;
}

function toAttributes({ columns, people, unknown, groups }: ScriptedSource): readonly string[] {
  const attributes = new Set(columns ?? people.flatMap((person) => Object.keys(person)));
  if (groups?.every(({ fails }) => fails !== true) === true) attributes.add('groups');
  return [...attributes].filter((name) => !unknown.includes(name));
}

function toGroups(id: string, { groups }: ScriptedSource): Readonly<Record<string, Json>> {
  if (groups === null || groups.some(({ fails }) => fails === true)) return {};
  return { groups: groups.filter(({ members }) => members.includes(id)).map(({ name }) => name) };
}

function toOne(id: string, source: ScriptedSource): OneUser {
  const found = source.people.find((person) => person.id === id);
  return { user: found === undefined ? null : toUser(found, source), attributes: toAttributes(source) };
}

interface PageOf {
  readonly users: readonly SourceUser[];
  readonly failed: readonly FailedRecord[];
  readonly end?: { readonly attributes: readonly string[] };
}

function toUser({ id, active, ...attributes }: Person, source: ScriptedSource): SourceUser {
  const { unknown, unknownOf } = source;
  const own = unknownOf.get(id) ?? [];
  const known = Object.entries({ id, ...attributes, ...toGroups(id, source) }).filter(
    ([name]) => !unknown.includes(name) && !own.includes(name),
  );
  return {
    id,
    active: active !== false,
    attributes: Object.fromEntries(known),
    ...(own.length === 0 ? {} : { unknown: own }),
  };
}
