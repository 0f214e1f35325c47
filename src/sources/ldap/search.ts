/** Searches in pages (RFC 2696), to their end or not taken for whole (rules S1 and S11 of `source.ts`). */
import { type Control, type Filter, PagedResultsControl } from 'ldapts';
import { SyncError } from '../../errors.ts';
import { readPagedList } from '../paged-list.ts';
import { isServicePartition } from './dn.ts';
import { type LdapEntry, toEntry } from './entry.ts';
import { isPageTooLarge, type SearchContext, toReferenceError, toSearchError } from './failure.ts';
import type { SearchAnswer, Session } from './session.ts';

export interface PagedSearch {
  readonly baseDN: string;
  readonly filter: string | Filter;
  readonly attributes: readonly string[];
  readonly pageSize: number;
  /** Beside that for pages. */
  readonly controls?: readonly Control[];
  /** For messages: `the list of people`. */
  readonly what: string;
}

export interface EntryPage {
  readonly entries: readonly LdapEntry[];
  readonly isLast: boolean;
}

/** What any server gives that gives pages at all. */
const SMALL_PAGE = 100;

/**
 * Every page, those without entries too: a server may come to the end of its time before it has found anything.
 * @throws SyncError `ReadIncomplete` where a limit ends the search, or a part of the tree is elsewhere
 */
export async function* searchPages(session: Session, search: PagedSearch): AsyncGenerator<EntryPage> {
  const { origin } = session;
  const context: SearchContext = { origin, what: search.what, baseDN: search.baseDN };
  let { pageSize } = search;
  let number = 0;
  const ask = (cookie: Buffer): Promise<SearchAnswer> => {
    const control = new PagedResultsControl({ critical: true, value: { size: pageSize, cookie } });
    const { baseDN, filter, attributes, controls = [] } = search;
    return session.search({ baseDN, scope: 'sub', filter, attributes, controls: [control, ...controls] });
  };
  const readPage = async (cursor: string | null) => {
    const cookie = Buffer.from(cursor?.split(' ')[1] ?? '', 'base64');
    let answer = await ask(cookie);
    if (cursor === null && isPageTooLarge(answer) && answer.entries.length === 0 && pageSize > SMALL_PAGE) {
      pageSize = SMALL_PAGE;
      answer = await ask(cookie);
    }
    checkWhole(answer, context);
    const next = readCookie(answer, context);
    number += 1;
    // A server may give the same cookie with each page (Samba does): only what is on a page tells that it came before.
    return { items: answer.entries.map(toEntry), next: next === null ? null : `${number} ${next}` };
  };
  const list = readPagedList({ origin, what: search.what, readPage, toKey: ({ dn }: LdapEntry) => dn });
  for await (const { items, total } of list) yield { entries: items, isLast: total !== undefined };
}

/** @throws SyncError where the answer is not all that there is to say */
function checkWhole(answer: SearchAnswer, context: SearchContext): void {
  if (answer.code !== 0) throw toSearchError(answer, context);
  for (const url of answer.references) {
    const dn = toReferredDn(url);
    if (!isServicePartition(dn)) throw toReferenceError(dn, context);
  }
}

/** `ldap://corp.example/CN=Configuration,DC=corp,DC=example` → its distinguished name (RFC 4516). */
function toReferredDn(url: string): string {
  const [, path = ''] = /^ldaps?:\/\/[^/]*\/([^?]*)/i.exec(url) ?? [];
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** In base64; null: this was the last page. One that does not say so is not taken for the last one. */
function readCookie({ controls }: SearchAnswer, { origin, what }: SearchContext): string | null {
  const paged = controls.find((control) => control instanceof PagedResultsControl);
  if (paged?.value === undefined)
    throw new SyncError('ReadFailed', `${origin} does not say whether there is more of ${what}`);
  const { cookie } = paged.value;
  return cookie === undefined || cookie.length === 0 ? null : cookie.toString('base64');
}

/**
 * The rest of attributes that came in part, as `member;range=0-1499` (MS-ADTS 3.1.1.3.1.3.3): an attribute of that name is
 * there too, and empty.
 * @throws SyncError `ReadFailed` where the rest is not to be had
 */
export async function completeRanges(
  session: Session,
  entry: LdapEntry,
  { what, controls = [] }: RangeName,
): Promise<LdapEntry> {
  const whole = new Map(entry.attributes);
  for (const [key, first] of entry.attributes) {
    const range = parseRange(first.name);
    if (range === null) continue;
    whole.delete(key);
    const values = [...first.values];
    for (let { end } = range; end !== null; ) {
      const part = await readRange(session, { dn: entry.dn, name: range.name, start: end + 1, what, controls });
      if (part.end !== null && part.end <= end) throw toUnfinished(session.origin, what);
      values.push(...part.values);
      end = part.end;
    }
    whole.set(range.name.toLowerCase(), { name: range.name, values });
  }
  return { dn: entry.dn, attributes: whole };
}

interface Range {
  readonly name: string;
  /** Null: the last value is among them. */
  readonly end: number | null;
}

function parseRange(name: string): Range | null {
  const [, plain, end] = /^(.+);range=\d+-(\d+|\*)$/i.exec(name) ?? [];
  return plain === undefined ? null : { name: plain, end: end === '*' ? null : Number(end) };
}

interface RangeName {
  /** For messages. */
  readonly what: string;
  /** Those that the entry was asked for with. */
  readonly controls?: readonly Control[];
}

interface RangeOf extends Required<RangeName> {
  readonly dn: string;
  readonly name: string;
  readonly start: number;
}

async function readRange(
  session: Session,
  { dn, name, start, what, controls }: RangeOf,
): Promise<{ readonly values: readonly Buffer[]; readonly end: number | null }> {
  const attributes = [`${name};range=${start}-*`];
  const answer = await session.search({ baseDN: dn, scope: 'base', filter: '(objectClass=*)', attributes, controls });
  const [entry] = answer.entries.map(toEntry);
  if (answer.code !== 0 || entry === undefined) throw toUnfinished(session.origin, what);
  for (const part of entry.attributes.values()) {
    const range = parseRange(part.name);
    if (range?.name.toLowerCase() === name.toLowerCase()) return { values: part.values, end: range.end };
  }
  throw toUnfinished(session.origin, what);
}

function toUnfinished(origin: string, what: string): SyncError {
  return new SyncError('ReadFailed', `${origin} gives a part of ${what} and not the rest`);
}
