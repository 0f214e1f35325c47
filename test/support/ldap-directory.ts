/** What makes the LDAP server of tests an Active Directory that tells what changes: its journal, and the ids in its names. */
import { BerWriter, Control, BerReader as Reader } from 'ldapts';
import { toGuid } from '../../src/sources/ldap/values.ts';
import type { Matches } from './ldap-filter.ts';
import type { LdapServer, ServedEntry, Values } from './ldap-server.ts';

export const DIR_SYNC = '1.2.840.113556.1.4.841';
export const EXTENDED_DN = '1.2.840.113556.1.4.529';

export interface LdapDirectory {
  /** The server has these entries now, and no others. As in a real one, what is gone is in nobody's list any more, of which nothing is told. */
  set(entries: readonly ServedEntry[]): void;
  /** No cookie that was given so far is taken any more. */
  expire(): void;
  /** Has the account the right to ask for changes? */
  mayReplicate: boolean;
  /** Does it see what is deleted? */
  seesDeleted: boolean;
  /** Entries of one answer; the rest comes with the next one. */
  pageSize: number;
  /** What it answers to the control with this value. */
  tell(since: Buffer, search: { readonly attributes: readonly string[]; readonly matches: Matches }): Told;
  /** With the ids of entries before their names. */
  extend(entry: ServedEntry): ServedEntry;
}

interface Told {
  readonly code: number;
  readonly entries: readonly ServedEntry[];
  readonly control: Control | null;
}

interface Tracked {
  readonly entry: ServedEntry;
  readonly isDeleted: boolean;
  /** When each attribute was changed last, by names in small letters. */
  readonly changed: ReadonlyMap<string, number>;
}

export function createLdapDirectory(server: LdapServer): LdapDirectory {
  const journal = new Map<string, Tracked>();
  let now = 0;
  let oldest = 0;
  /** Ids by names in small letters. */
  let ids: ReadonlyMap<string, string> = new Map();

  function set(entries: readonly ServedEntry[]): void {
    now += 1;
    const before = ids;
    ids = new Map(
      entries.flatMap((entry) => (toId(entry) === null ? [] : [[entry.dn.toLowerCase(), toId(entry) ?? '']])),
    );
    const present = new Set(ids.values());
    for (const entry of entries) {
      const id = toId(entry);
      if (id !== null) journal.set(id, follow(journal.get(id), entry, { now, before, ids }));
    }
    for (const [id, tracked] of journal) {
      if (present.has(id) || tracked.isDeleted) continue;
      const changed = new Map([...tracked.changed, ['isdeleted', now], ['name', now]] as const);
      journal.set(id, { ...tracked, isDeleted: true, changed });
    }
    server.entries = withBackLinks(entries);
  }

  function tell(since: Buffer, { attributes, matches }: Parameters<LdapDirectory['tell']>[1]): Told {
    if (!directory.mayReplicate) return { code: 50, entries: [], control: null };
    const cookie = parseCookie(since);
    const { from, to = now, done } = cookie ?? { from: -1, done: 0 };
    if (cookie === null || (from !== 0 && from < oldest)) return { code: 12, entries: [], control: null };
    const found = [...journal.values()].flatMap((tracked) => {
      if (!matches(tracked.entry) || (!directory.seesDeleted && isGone(tracked))) return [];
      const told = attributes.filter((name) => isBetween(tracked.changed.get(name), from, to));
      return told.length === 0 ? [] : [toTold(tracked, told)];
    });
    const entries = found.slice(done, done + directory.pageSize);
    const end = done + entries.length;
    const isMore = end < found.length;
    const next = isMore ? { from, to, done: end } : { from: to, done: 0 };
    return { code: 0, entries, control: new DirSyncAnswer(isMore, Buffer.from(JSON.stringify(next))) };
  }

  function extend({ dn, attributes }: ServedEntry): ServedEntry {
    const name = (value: string): string => {
      const id = ids.get(value.toLowerCase());
      return id === undefined ? value : `<GUID=${id}>;<SID=S-1-5-21-1>;${value}`;
    };
    const toNamed = (values: Values): Values =>
      values.map((value) => (typeof value === 'string' ? name(value) : value));
    return {
      dn: name(dn),
      attributes: Object.fromEntries(Object.entries(attributes).map(([key, values]) => [key, toNamed(values)])),
    };
  }

  const directory: LdapDirectory = {
    ...{ set, tell, extend, mayReplicate: true, seesDeleted: true, pageSize: 40 },
    expire: () => {
      now += 1;
      oldest = now;
    },
  };
  server.directory = directory;
  return directory;
}

/** The container of what is deleted is so itself. */
function isGone({ entry, isDeleted }: Pick<Tracked, 'entry' | 'isDeleted'>): boolean {
  return isDeleted || entry.attributes['isDeleted']?.[0] === 'TRUE';
}

function isBetween(at: number | undefined, from: number, to: number): boolean {
  return at !== undefined && at > from && at <= to;
}

function toId({ attributes }: ServedEntry): string | null {
  const [guid] = attributes['objectGUID'] ?? [];
  return Buffer.isBuffer(guid) ? toGuid(guid) : null;
}

interface Moment {
  readonly now: number;
  /** Ids by name, then and now. */
  readonly before: ReadonlyMap<string, string>;
  readonly ids: ReadonlyMap<string, string>;
}

function follow(known: Tracked | undefined, entry: ServedEntry, moment: Moment): Tracked {
  const names = [...new Set([...Object.keys(entry.attributes), ...Object.keys(known?.entry.attributes ?? {})])];
  const isOther = (name: string): boolean =>
    known === undefined ||
    toState(known.entry, name, moment.before, moment) !== toState(entry, name, moment.ids, moment);
  const others = names.filter(isOther).map((name) => name.toLowerCase());
  if (known === undefined || known.isDeleted || known.entry.dn !== entry.dn) others.push('name');
  if (known?.isDeleted === true) others.push('isdeleted');
  const changed = new Map([...(known?.changed ?? []), ...others.map((name) => [name, moment.now] as const)]);
  return { entry, isDeleted: false, changed };
}

/** Links are links to entries, whatever these are called; those to what is gone are gone, and nobody says so. */
function toState(
  { attributes }: ServedEntry,
  name: string,
  names: ReadonlyMap<string, string>,
  { ids }: Moment,
): string {
  const present = new Set(ids.values());
  const states = (attributes[name] ?? []).flatMap((value) => {
    const id = typeof value === 'string' ? names.get(value.toLowerCase()) : undefined;
    if (id !== undefined) return present.has(id) ? [id] : [];
    return [Buffer.from(value as string).toString('hex')];
  });
  return JSON.stringify(states.toSorted());
}

/** `memberOf`, which is what `member` of others says. */
function withBackLinks(entries: readonly ServedEntry[]): readonly ServedEntry[] {
  const groups = new Map<string, string[]>();
  for (const { dn, attributes } of entries) {
    for (const member of attributes['member'] ?? []) {
      const name = String(member).toLowerCase();
      groups.set(name, [...(groups.get(name) ?? []), dn]);
    }
  }
  return entries.map((entry) => {
    const memberOf = groups.get(entry.dn.toLowerCase());
    return memberOf === undefined ? entry : { ...entry, attributes: { ...entry.attributes, memberOf } };
  });
}

function toTold({ entry, isDeleted }: Tracked, told: readonly string[]): ServedEntry {
  const { objectGUID = [] } = entry.attributes;
  const id = toId(entry) ?? '';
  const values = (name: string): Values => {
    if (name === 'isdeleted') return isGone({ entry, isDeleted }) ? ['TRUE'] : [];
    if (name === 'name') return [entry.dn];
    return Object.entries(entry.attributes).find(([each]) => each.toLowerCase() === name)?.[1] ?? [];
  };
  return {
    dn: isDeleted ? entry.dn.replace(/^([^,]+),.*?(?=,DC=)/, `$1\\0ADEL:${id},CN=Deleted Objects`) : entry.dn,
    attributes: { objectGUID, instanceType: ['4'], ...Object.fromEntries(told.map((name) => [name, values(name)])) },
  };
}

interface Cookie {
  readonly from: number;
  /** Where an answer of several parts ends. */
  readonly to?: number;
  readonly done: number;
}

/** Null: it is none. */
function parseCookie(value: Buffer): Cookie | null {
  const reader = new Reader(value);
  reader.readSequence();
  reader.readInt();
  reader.readInt();
  const cookie = reader.readString(4, true) ?? Buffer.alloc(0);
  try {
    return cookie.length === 0 ? { from: 0, done: 0 } : (JSON.parse(cookie.toString('utf8')) as Cookie);
  } catch {
    return null;
  }
}

class DirSyncAnswer extends Control {
  readonly #isMore: boolean;
  readonly #cookie: Buffer;

  constructor(isMore: boolean, cookie: Buffer) {
    super(DIR_SYNC);
    this.#isMore = isMore;
    this.#cookie = cookie;
  }

  protected override writeControl(writer: BerWriter): void {
    const value = new BerWriter();
    value.startSequence();
    value.writeInt(this.#isMore ? 1 : 0);
    value.writeInt(0);
    value.writeBuffer(this.#cookie, 4);
    value.endSequence();
    writer.writeBuffer(value.buffer, 4);
  }
}
