/** Photos of people, which are values of their entries. One connection serves one after another, as it is for those over HTTP. */
import { hash } from 'node:crypto';
import { EqualityFilter } from 'ldapts';
import { SyncError } from '../../errors.ts';
import type { PhotoAnswer, PhotoRequest } from '../source.ts';
import { type Dialect, type LdapConfig, toDialect } from './config.ts';
import { type LdapEntry, readBytes, readTexts, toEntry } from './entry.ts';
import { toAborted, toSearchError } from './failure.ts';
import { isTooLong } from './frames.ts';
import { readRoot } from './identity.ts';
import type { Session } from './session.ts';
import { fromGuid } from './values.ts';

export interface PhotoReader {
  /** @param id of the person */
  read(id: string, asked: PhotoRequest, signal: AbortSignal): Promise<PhotoAnswer>;
  close(): void;
}

/** @param mostBytes of one message: a longer one ends the connection, see `isTooLong` */
export type OpenPhotoSession = (mostBytes: number, signal: AbortSignal) => Promise<Session>;

/** Of an answer beside the photo: names, numbers, a distinguished name. */
const MOST_BESIDE = 8192;
const WHAT = 'a photo';

interface Opened {
  readonly session: Session;
  readonly mostBytes: number;
  readonly marks: Marks;
}

export function createPhotoReader(config: LdapConfig, open: OpenPhotoSession): PhotoReader {
  const dialect = toDialect(config);
  let opened: Opened | null = null;
  /** Ends what is open, whoever waits for it. */
  let stop = new AbortController();

  function close(): void {
    opened?.session.close();
    opened = null;
    stop = new AbortController();
  }

  async function use(maxBytes: number): Promise<Opened> {
    const mostBytes = maxBytes + MOST_BESIDE;
    if (opened?.mostBytes === mostBytes) return opened;
    opened?.session.close();
    const session = await open(mostBytes, stop.signal);
    opened = { session, mostBytes, marks: await readMarks(session, dialect) };
    return opened;
  }

  async function readNext(id: string, asked: PhotoRequest, signal: AbortSignal): Promise<PhotoAnswer> {
    if (signal.aborted) throw toAborted(signal.reason);
    // That of a connection which is made anew meanwhile is another one.
    const ours = stop;
    const onAbort = (): void => ours.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    try {
      const { session, marks } = await use(asked.maxBytes);
      return await readPhoto({ session, marks, config, dialect }, id, asked);
    } catch (thrown) {
      // Whatever it is, the next photo begins anew.
      close();
      const error = SyncError.from(thrown);
      if (isTooLong(error.cause)) return { kind: 'tooLarge', etag: null, size: null };
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** One after another, whoever asks. */
  let last: Promise<unknown> = Promise.resolve();
  return {
    close,
    read: (id, asked, signal) => {
      const next = last.then(() => readNext(id, asked, signal));
      last = next.catch(() => undefined);
      return next;
    },
  };
}

/** What a server says of an entry when it has changed, so that a photo that is the same need not be sent. */
interface Marks {
  /** Null: nothing of the kind is shown. */
  readonly attribute: 'entryCSN' | 'uSNChanged' | null;
  /** What the values count for: those of one controller are no others'. */
  readonly scope: string;
}

async function readMarks(session: Session, { idAttribute }: Dialect): Promise<Marks> {
  if (idAttribute === 'entryUUID') return { attribute: 'entryCSN', scope: 'csn' };
  const [service] = readTexts(await readRoot(session, ['dsServiceName']), 'dsServiceName');
  const query = { scope: 'base', filter: '(objectClass=*)', attributes: ['invocationId'] } as const;
  const answer = service === undefined ? null : await session.search({ ...query, baseDN: service });
  const [entry] = answer?.entries.map(toEntry) ?? [];
  const id = entry === undefined ? null : readBytes(entry, 'invocationId');
  return id === null ? { attribute: null, scope: '' } : { attribute: 'uSNChanged', scope: `usn ${id.toString('hex')}` };
}

/** Null: the server does not say. */
function toMark(entry: LdapEntry, { attribute, scope }: Marks): string | null {
  const [value] = attribute === null ? [] : readTexts(entry, attribute);
  return value === undefined ? null : `${scope} ${value}`;
}

interface Reading {
  readonly session: Session;
  readonly marks: Marks;
  readonly config: LdapConfig;
  readonly dialect: Dialect;
}

async function readPhoto(reading: Reading, id: string, { etag: known, maxBytes }: PhotoRequest): Promise<PhotoAnswer> {
  const { marks, dialect } = reading;
  const ofMark = marks.attribute === null ? [] : [marks.attribute];
  if (marks.attribute !== null && known?.startsWith(`${marks.scope} `) === true) {
    if (toMark(await readEntry(reading, id, ofMark), marks) === known) return { kind: 'unchanged' };
  }
  const entry = await readEntry(reading, id, [...ofMark, ...dialect.photoAttributes]);
  const bytes = choosePhoto(entry, dialect);
  if (bytes === null) return { kind: 'none' };
  const etag = toMark(entry, marks) ?? `sha256 ${hash('sha256', bytes)}`;
  if (etag === known) return { kind: 'unchanged' };
  if (bytes.length > maxBytes) return { kind: 'tooLarge', etag, size: bytes.length };
  return { kind: 'photo', etag, bytes };
}

/** Of several values, which come in any order, always the same one. */
function choosePhoto({ attributes }: LdapEntry, { photoAttributes }: Dialect): Buffer | null {
  for (const name of photoAttributes) {
    const [first] = [...(attributes.get(name.toLowerCase())?.values ?? [])].sort(Buffer.compare);
    if (first !== undefined && first.length > 0) return first;
  }
  return null;
}

async function readEntry(
  { session, config, dialect }: Reading,
  id: string,
  attributes: readonly string[],
): Promise<LdapEntry> {
  const { origin } = session;
  const { idAttribute } = dialect;
  const value = idAttribute === 'objectGUID' ? fromGuid(id) : id;
  if (value === null) throw new SyncError('RecordInvalid', `its id is no ${idAttribute}`);
  const baseDN = config.usersBaseDN ?? config.baseDN;
  const filter = new EqualityFilter({ attribute: idAttribute, value });
  const answer = await session.search({ baseDN, scope: 'sub', filter, attributes });
  if (answer.code !== 0) throw toSearchError(answer, { origin, what: WHAT, baseDN });
  const [entry] = answer.entries.map(toEntry);
  if (entry !== undefined) return entry;
  throw new SyncError('ReadFailed', `${origin} does not show somebody whose photo is asked for`);
}
