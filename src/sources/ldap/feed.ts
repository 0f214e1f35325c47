/** What Active Directory tells of changes in a naming context, by the DirSync control. */
import { SyncError } from '../../errors.ts';
import { readPagedList } from '../paged-list.ts';
import { DirSyncControl } from './controls.ts';
import { type LdapEntry, readBytes, readTexts, toEntry } from './entry.ts';
import { isForbidden, isTemporary, toSearchError } from './failure.ts';
import type { Session } from './session.ts';
import { toGuid } from './values.ts';

/** One entry that has changed, whatever it is. */
export interface FeedItem {
  readonly id: string;
  /** As it is now. */
  readonly dn: string;
  readonly isDeleted: boolean;
  /** It was deleted, and is there again. */
  readonly isRestored: boolean;
  /** Known before by another name, or elsewhere. */
  readonly isRenamed: boolean;
  /** Names of attributes that are other ones now, in small letters. */
  readonly changed: ReadonlySet<string>;
}

export interface FeedPage {
  readonly items: readonly FeedItem[];
  /** What comes after the page, in base64. */
  readonly cookie: string;
}

export interface Feed {
  readonly context: string;
  /** In base64; empty: from the beginning. */
  readonly cookie: string;
  /** Attributes of which a change is told. */
  readonly watched: readonly string[];
  readonly filter: string;
}

/** Attributes by which it can be told what a change is. */
export const ALWAYS_WATCHED = ['objectGUID', 'objectClass', 'name', 'isDeleted'];
const WHAT = 'the changes';

/**
 * At least one page.
 * @throws SyncError `CursorExpired` where the server does not tell, or not from there
 */
export async function* readFeed(session: Session, feed: Feed): AsyncGenerator<FeedPage> {
  const { origin } = session;
  let { cookie } = feed;
  let number = 0;
  const readPage = async () => {
    const answer = await ask(session, feed, cookie);
    cookie = answer.cookie;
    number += 1;
    // A server may give the same cookie with each page: only what is on a page tells that it came before.
    return { items: answer.entries, next: answer.isMore ? `${number} ${cookie}` : null };
  };
  const list = readPagedList({ origin, what: WHAT, readPage, toKey: ({ dn }: LdapEntry) => dn });
  for await (const { items } of list)
    yield { items: items.map(toItem).filter(({ changed }) => changed.size > 0), cookie };
}

async function ask(
  session: Session,
  { context, watched, filter }: Feed,
  cookie: string,
): Promise<{ readonly entries: readonly LdapEntry[]; readonly cookie: string; readonly isMore: boolean }> {
  const { origin } = session;
  const control = new DirSyncControl(Buffer.from(cookie, 'base64'));
  const query = { baseDN: context, scope: 'sub', filter, attributes: watched, controls: [control] } as const;
  const result = await session.search(query);
  if (isForbidden(result))
    throw new SyncError('CursorExpired', 'the account has not the right "Replicating Directory Changes"');
  if (isTemporary(result)) throw toSearchError(result, { origin, what: WHAT, baseDN: context });
  if (result.code !== 0)
    throw new SyncError('CursorExpired', `${origin} does not tell changes (result ${result.code})`);
  if (control.answer === null)
    throw new SyncError('ReadFailed', `${origin} does not say whether there is more of ${WHAT}`);
  const { answer } = control;
  return { entries: result.entries.map(toEntry), cookie: answer.cookie.toString('base64'), isMore: answer.isMore };
}

/** They come with every entry, whether they have changed or not. */
const UNASKED = ['objectguid', 'instancetype', 'parentguid'];

function toItem(entry: LdapEntry): FeedItem {
  const guid = readBytes(entry, 'objectGUID');
  if (guid?.length !== 16) throw new SyncError('CursorExpired', 'a change does not say of what it is');
  const names = [...entry.attributes.keys()].map((name) => name.split(';')[0] ?? '');
  const changed = new Set(names.filter((name) => !UNASKED.includes(name)));
  const isDeleted = readTexts(entry, 'isDeleted').some((value) => value.toUpperCase() === 'TRUE');
  // The class of an entry changes when it comes into being, and hardly ever after.
  const isRenamed = !isDeleted && changed.has('name') && !changed.has('objectclass');
  const isRestored = !isDeleted && changed.has('isdeleted');
  return { id: toGuid(guid), dn: entry.dn, isDeleted, isRestored, isRenamed, changed };
}
