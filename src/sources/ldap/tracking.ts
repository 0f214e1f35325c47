/** Which changes an Active Directory tells at all, which its schema says; and where they go on from (rule S14 of `source.ts`). */
import {
  AndFilter,
  ApproximateFilter,
  EqualityFilter,
  ExtensibleFilter,
  type Filter,
  FilterParser,
  GreaterThanEqualsFilter,
  LessThanEqualsFilter,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
} from 'ldapts';
import { SyncError } from '../../errors.ts';
import type { LdapConfig } from './config.ts';
import type { LdapCursor } from './cursor.ts';
import { readTexts } from './entry.ts';
import { ALWAYS_WATCHED, readFeed } from './feed.ts';
import { readContext, readRoot } from './identity.ts';
import { searchPages } from './search.ts';
import type { Session } from './session.ts';

export type Tracking = { readonly cursor: LdapCursor } | { readonly cursor: null; readonly why: string };

export interface Tracked {
  readonly config: LdapConfig;
  /** Names that are asked for; null: everything that there is. */
  readonly asked: readonly string[] | null;
  /** By which entries are chosen. */
  readonly filter: string;
  readonly now: Date;
}

/** Runs it on a connection of its own. */
export type InSession = <T>(signal: AbortSignal, run: (session: Session) => Promise<T>) => Promise<T>;

/** On a connection of its own: what goes wrong with it is not wrong with the list that is read next. */
export async function tryTracking(inSession: InSession, tracked: Tracked, signal: AbortSignal): Promise<Tracking> {
  try {
    return await inSession(signal, (session) => readTracking(session, tracked));
  } catch (thrown) {
    const { code, message } = SyncError.from(thrown);
    if (code === 'ReadFailed' || code === 'ReadIncomplete' || code === 'CursorExpired')
      return { cursor: null, why: message };
    throw thrown;
  }
}

/**
 * Taken before the first page of a full read.
 * @returns why there is none, as the end of a sentence that begins with "for"
 */
async function readTracking(session: Session, { config, asked, filter, now }: Tracked): Promise<Tracking> {
  const { baseDN, usersBaseDN = baseDN, groupsBaseDN = baseDN } = config;
  const none = (why: string): Tracking => ({ cursor: null, why });
  if (asked === null) return none('everything is asked for');
  const context = await readContext(session, usersBaseDN);
  if (context !== (await readContext(session, groupsBaseDN)))
    return none('people and groups lie in different naming contexts');
  const chosenBy = listAttributes(FilterParser.parseString(filter));
  if (chosenBy === null) return none('a filter follows chains or distinguished names, whose changes are not told');
  const known = await readKnown(session, [...asked, ...chosenBy]);
  if (known === null) return none('the account may not read the schema of the directory');
  const untold = known.filter((each) => each.isUntold || (each.isReference && isIn(chosenBy, each.name)));
  const [first] = untold.map(({ name }) => name).toSorted();
  if (first !== undefined) return none(`Active Directory does not tell changes of ${first}, which is asked for`);
  const watched = [...new Set([...ALWAYS_WATCHED, ...known.map(({ name }) => name)])];
  const references = known.filter(
    ({ isReference, name }) => isReference && isIn(asked, name) && !isIn(GROUP_LINKS, name),
  );
  const cookie = await readCookie(session, context);
  if (typeof cookie !== 'string') return none(cookie.why);
  return { cursor: { context, cookie, at: now.getTime(), watched, references: references.map(toReference) } };
}

/** Members are read anew with each group that changes. */
const GROUP_LINKS = ['member'];

function toReference({ name, isList }: Known): { readonly name: string; readonly isList: boolean } {
  return { name, isList };
}

function isIn(names: readonly string[], name: string): boolean {
  return names.some((each) => each.toLowerCase() === name.toLowerCase());
}

/**
 * The cookie is wanted, and hardly an entry: the container of those that are deleted, which is deleted itself, is in every
 * Active Directory. An account that does not see it is told of no deletions, and would never hear of leavers.
 */
const DELETED = '(&(isDeleted=TRUE)(objectClass=container))';
const BLIND = 'the account is told of no deletions: it may not read "CN=Deleted Objects"';

async function readCookie(session: Session, context: string): Promise<string | { readonly why: string }> {
  let cookie = '';
  let seesDeleted = false;
  const feed = { context, cookie, watched: ['objectGUID', 'isDeleted'], filter: DELETED };
  for await (const page of readFeed(session, feed)) {
    cookie = page.cookie;
    seesDeleted ||= page.items.some(({ isDeleted }) => isDeleted);
  }
  return seesDeleted ? cookie : { why: BLIND };
}

interface Known {
  readonly name: string;
  /** Its changes are told by no server: it is computed, or each server has a value of its own. */
  readonly isUntold: boolean;
  /** Its values are distinguished names. */
  readonly isReference: boolean;
  readonly isList: boolean;
}

/** ATTR_NOT_REPLICATED and ATTR_IS_CONSTRUCTED (MS-ADTS section 2.2.10). */
const UNTOLD = 0x1 | 0x4;
/** Distinguished names (section 3.1.1.2.2.2.1). */
const DN_SYNTAXES = ['2.5.5.1', '2.5.5.7', '2.5.5.14'];
/** Those that change with the name of the entry alone, which is watched, or never, or mean a class. */
const TOLD_OTHERWISE = ['distinguishedname', 'objectguid', 'objectcategory'];

/** Names that the schema has; the rest has nobody. Null: it shows none. */
async function readKnown(session: Session, names: readonly string[]): Promise<readonly Known[] | null> {
  const [baseDN] = readTexts(await readRoot(session, ['schemaNamingContext']), 'schemaNamingContext');
  if (baseDN === undefined) return null;
  const wanted = [...new Set(names.map((name) => name.toLowerCase().split(';')[0] ?? ''))];
  const known: Known[] = [];
  for (let from = 0; from < wanted.length; from += MOST_IN_FILTER) {
    const some = wanted.slice(from, from + MOST_IN_FILTER);
    const filters = some.map((value) => new EqualityFilter({ attribute: 'lDAPDisplayName', value }));
    const isAttribute = new EqualityFilter({ attribute: 'objectClass', value: 'attributeSchema' });
    const search = {
      baseDN,
      filter: new AndFilter({ filters: [isAttribute, new OrFilter({ filters })] }),
      attributes: ['lDAPDisplayName', 'systemFlags', 'linkID', 'attributeSyntax', 'isSingleValued'],
      pageSize: MOST_IN_FILTER,
      what: 'the schema',
    };
    for await (const { entries } of searchPages(session, search)) known.push(...entries.map(toKnown));
  }
  return known.length === 0 ? null : known;
}

const MOST_IN_FILTER = 100;

function toKnown(entry: Parameters<typeof readTexts>[0]): Known {
  const [name = '', flags = '0', link = '0', syntax = '', single = ''] = [
    ...['lDAPDisplayName', 'systemFlags', 'linkID', 'attributeSyntax', 'isSingleValued'],
  ].map((attribute) => readTexts(entry, attribute)[0]);
  const isOther = TOLD_OTHERWISE.includes(name.toLowerCase());
  // The odd half of a link is what others say.
  const isUntold = (Number(flags) & UNTOLD) !== 0 || Number(link) % 2 === 1;
  return {
    name,
    isUntold: isUntold && !isOther,
    isReference: DN_SYNTAXES.includes(syntax) && !isOther,
    isList: single.toUpperCase() !== 'TRUE',
  };
}

/** Names of the attributes that decide; null: it does not depend on attributes of the entry alone. */
function listAttributes(filter: Filter): readonly string[] | null {
  if (filter instanceof AndFilter || filter instanceof OrFilter) return listAll(filter.filters);
  if (filter instanceof NotFilter) return listAttributes(filter.filter);
  if (filter instanceof ExtensibleFilter) {
    const isPlain = filter.matchType !== '' && !filter.dnAttributes && BITS.includes(filter.rule);
    return isPlain ? [filter.matchType] : null;
  }
  const isPlain = PLAIN.some((type) => filter instanceof type);
  return isPlain ? [(filter as PresenceFilter).attribute] : null;
}

const PLAIN = [
  EqualityFilter,
  PresenceFilter,
  SubstringFilter,
  GreaterThanEqualsFilter,
  LessThanEqualsFilter,
  ApproximateFilter,
];
/** Bits of a number: all, or any of them (MS-ADTS section 3.1.1.3.4.4). */
const BITS = ['1.2.840.113556.1.4.803', '1.2.840.113556.1.4.804'];

function listAll(filters: readonly Filter[]): readonly string[] | null {
  const lists = filters.map(listAttributes);
  return lists.every((list) => list !== null) ? lists.flat() : null;
}
