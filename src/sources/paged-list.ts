/**
 * A list that a directory gives in pages, each of which names the next one: followed to its end, or not taken for whole
 * (rules S1 and S11 of `source.ts`). All providers that are asked over HTTP read their lists by it.
 */
import { hash } from 'node:crypto';
import { SyncError } from '../errors.ts';

/** One page as the provider understood it. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  /** What asks for the next page, never looked into; null: this is the last one. */
  readonly next: string | null;
}

/** For messages. */
export interface ListName {
  /** Scheme and host. */
  readonly origin: string;
  /** `the list of people` */
  readonly what: string;
}

export interface PagedList<Item> extends ListName {
  /** @param cursor null: the first page. Throws what ends the read. */
  readonly readPage: (cursor: string | null) => Promise<ListPage<Item>>;
  /** What tells an item from others of the list, as its id. */
  readonly toKey: (item: Item) => string;
}

export interface PageOfList<Item> {
  readonly items: readonly Item[];
  /** Only the last page has it: how many items there were in all. */
  readonly total?: number;
}

/** Pages without anything on them, one after another: some filters make a few. */
const MOST_EMPTY_PAGES = 1000;

/**
 * Every page once; only the last one has a `total`. Nothing of a page is kept but 32 bytes.
 * @throws SyncError `ReadFailed` for a page that came before, by what asks for it or by what is on it, and for pages
 *   without anything on them that do not end
 */
export async function* readPagedList<Item>(list: PagedList<Item>): AsyncGenerator<PageOfList<Item>> {
  const seen = new Set<string>();
  let total = 0;
  let emptyPages = 0;
  for (let cursor: string | null = null; ; ) {
    const { items, next }: ListPage<Item> = await list.readPage(cursor);
    total += items.length;
    emptyPages = items.length === 0 ? emptyPages + 1 : 0;
    const isAgain = items.length > 0 && isSeen(seen, `page ${JSON.stringify(items.map(list.toKey))}`);
    if (isAgain || (next !== null && isSeen(seen, `next ${next}`))) throw toBroken(list, 'the same page twice');
    if (emptyPages > MOST_EMPTY_PAGES) throw toBroken(list, `more than ${MOST_EMPTY_PAGES} empty pages on end`);
    yield next === null ? { items, total } : { items };
    if (next === null) return;
    cursor = next;
  }
}

/** Also notes it. */
function isSeen(seen: Set<string>, mark: string): boolean {
  const digest = hash('sha256', mark, 'base64url').slice(0, 22);
  if (seen.has(digest)) return true;
  seen.add(digest);
  return false;
}

function toBroken({ origin, what }: ListName, message: string): SyncError {
  return new SyncError(
    'ReadFailed',
    `${origin} gives ${message} in ${what}; what is missing in it is not taken for gone`,
  );
}

/**
 * Compares a list that came to its end with how many the directory says there are.
 * @throws SyncError `ReadIncomplete` where the list has fewer
 */
export function checkTotal(
  { origin, what }: ListName,
  { read, declared }: { readonly read: number; readonly declared: number },
): void {
  if (read >= declared) return;
  throw new SyncError('ReadIncomplete', `${origin} says that there are ${declared} in ${what}, and gives ${read}`);
}
