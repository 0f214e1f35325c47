/** The feed of changes of a scripted source: all of them from its beginning, and what goes wrong with it. */
import { SyncError } from '../../src/errors.ts';
import type {
  ChangePage,
  ChangeProjection,
  ChangesEnd,
  Cursors,
  FailedRecord,
  SourceChange,
} from '../../src/sources/source.ts';

/** What has changed since the directory began; a cursor is a place in it. */
export interface ScriptedFeed {
  readonly log: SourceChange[];
  /** Cursors before this place have expired. */
  oldest: number;
  /** It does not name who is gone, and says how many there are (S20). */
  countsGone: boolean;
  /** Why nobody is told of changes; null: whoever reads everybody gets a cursor. */
  untold: string | null;
  /** People and groups who come as unreadable, with the last page. */
  failed: readonly FailedRecord[];
  failedGroups: readonly FailedRecord[];
  /** The feed stops after so many pages, without its end; or throws. */
  endsAfter: number | null;
  failsAfter: { readonly pages: number; readonly error: Error } | null;
  /** Called before each page, with its number. */
  paging: (page: number) => void;
}

export function createFeed(): ScriptedFeed {
  return {
    log: [],
    oldest: 0,
    countsGone: false,
    untold: null,
    failed: [],
    failedGroups: [],
    endsAfter: null,
    failsAfter: null,
    paging: () => undefined,
  };
}

export interface Since {
  readonly pageSize: number;
  readonly attributes: readonly string[];
  /** How many people and groups there are. */
  readonly totals: NonNullable<ChangesEnd['totals']>;
  readonly since: Cursors;
  readonly asked: ChangeProjection;
  readonly signal: AbortSignal;
}

/** Of two cursors the older one counts: what came between them comes again. */
export async function* readChangePages(feed: ScriptedFeed, asking: Since): AsyncGenerator<ChangePage> {
  const { pageSize, since, asked, signal } = asking;
  const from = Math.min(Number(since.users), Number(since.groups ?? since.users));
  const to = feed.log.length;
  const told = feed.log.slice(from).filter(({ type }) => asked.groups !== null || type.startsWith('user'));
  const changes = feed.countsGone ? told.filter(({ type }) => type !== 'userRemoved' && type !== 'groupRemoved') : told;
  const pages = Math.max(1, Math.ceil(changes.length / pageSize));
  for (let page = 0; page < pages; page += 1) {
    feed.paging(page);
    if (signal.aborted) throw new SyncError('Aborted', 'the read was ended');
    // NaN of what is no place at all is not at or behind it either.
    if (!(from >= feed.oldest)) throw new SyncError('CursorExpired', 'it is too long ago');
    if (feed.failsAfter?.pages === page) throw feed.failsAfter.error;
    if (feed.endsAfter === page) return;
    const part = { changes: changes.slice(page * pageSize, (page + 1) * pageSize), failed: [], failedGroups: [] };
    yield page === pages - 1 ? { ...part, ...toLast(feed, asking, String(to)) } : part;
  }
}

function toLast(
  { failed, failedGroups, countsGone }: ScriptedFeed,
  { attributes, asked, totals }: Since,
  cursor: string,
): Pick<ChangePage, 'failed' | 'failedGroups' | 'end'> {
  const cursors = { users: cursor, groups: asked.groups === null ? null : cursor };
  const end = { attributes, groupAttributes: ['displayName'], cursors };
  return { failed, failedGroups, end: countsGone ? { ...end, totals } : end };
}
