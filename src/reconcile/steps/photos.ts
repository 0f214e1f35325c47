/**
 * Photos of people: looked at when the person is known to stay, known again by the ETag of the source, compared by their
 * hash, and read once more when they are written. The bytes are held for one request and stand nowhere else: not in the
 * plan, not in the state, in no message.
 */
import { createHash } from 'node:crypto';
import { SyncError } from '../../errors.ts';
import type { CompiledEntry } from '../../mapping/entry.ts';
import type { MappedPerson } from '../../mapping/person.ts';
import { readMediaType } from '../../mapping/photo.ts';
import type { AttributeChange, RecordError } from '../../model.ts';
import type { PhotoAnswer } from '../../sources/source.ts';
import type { SeenPhoto, StoredOperation } from '../../state/store.ts';
import type { Loaded, RunDependencies, Warning } from '../run.ts';

/** In a row: then the source is not asked for more photos in this run. */
const MOST_FAILURES = 10;

/** What a look at one photo came to. */
type Look =
  | { readonly kind: 'none' }
  | { readonly kind: 'seen'; readonly hash: string | null; readonly size: number | null; readonly etag: string | null }
  /** The record, or the photo, is wrong. */
  | { readonly kind: 'wrong'; readonly message: string }
  /** It cannot be told now (rule I13). */
  | { readonly kind: 'unknown' };

/** Of one run. Requests for photos have a budget of their own: one at a time, at most half of what the source may be asked. */
export class PhotoLooks {
  readonly #run: RunDependencies;
  readonly #loaded: Loaded;
  #unknown = 0;
  #failures = 0;

  constructor(run: RunDependencies, loaded: Loaded) {
    this.#run = run;
    this.#loaded = loaded;
  }

  /** The people with what must be there of their photos; what is not known, or wrong, stays as it is. */
  async look(people: readonly MappedPerson[], signal: AbortSignal): Promise<readonly MappedPerson[]> {
    const asked = people.filter((person) => this.#isAsked(person)).map(({ view }) => view.user.id);
    if (asked.length === 0) return people;
    const { photos } = this.#run.state;
    const known = await photos.many(asked);
    const seen: SeenPhoto[] = [];
    const end = this.#loaded.http.source.beginPass();
    try {
      const looked: MappedPerson[] = [];
      for (const person of people) {
        signal.throwIfAborted();
        const { id } = person.view.user;
        const look = this.#isAsked(person) ? await this.#lookAt(person, known.get(id) ?? null, signal) : null;
        if (look?.kind === 'seen' && look.etag !== null) seen.push(toSeen(id, look.etag, look));
        looked.push(look === null ? person : withLook(person, look));
      }
      return looked;
    } finally {
      end();
      await photos.put(seen);
    }
  }

  warnings(): readonly Warning[] {
    if (this.#unknown === 0) return [];
    const message = 'people whose photo could not be read: it stays as it is in the application';
    return [{ reason: 'UnknownPhoto', message, count: this.#unknown }];
  }

  #isAsked({ photos, view }: MappedPerson): boolean {
    const { user } = this.#run.options;
    return photos.length > 0 && (user === null || user === view.user.id);
  }

  async #lookAt({ view, photos }: MappedPerson, known: SeenPhoto | null, signal: AbortSignal): Promise<Look> {
    const maxBytes = Math.max(...photos.map(({ photo }) => photo?.maxBytes ?? 0));
    // Of one that was too large the size alone is known: a larger limit asks for it again.
    const isUsable = known !== null && (known.hash !== null || (known.size ?? 0) > maxBytes);
    if (this.#failures >= MOST_FAILURES) return this.#fail();
    try {
      const etag = isUsable ? known.etag : null;
      const answer = await this.#loaded.source.readPhoto?.(view.user, { etag, maxBytes }, signal);
      this.#failures = 0;
      if (answer === undefined) return this.#fail();
      if (answer.kind !== 'unchanged') return toLook(answer);
      return known === null ? this.#fail() : { kind: 'seen', ...known };
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const error = SyncError.from(thrown);
      if (error.code === 'RecordInvalid') return { kind: 'wrong', message: error.message };
      this.#run.log.debug({ err: error }, 'a photo could not be read');
      this.#failures += 1;
      return this.#fail();
    }
  }

  #fail(): Look {
    this.#unknown += 1;
    return { kind: 'unknown' };
  }
}

function toLook(answer: Exclude<PhotoAnswer, { readonly kind: 'unchanged' }>): Look {
  switch (answer.kind) {
    case 'none':
      return { kind: 'none' };
    case 'tooLarge':
      return { kind: 'seen', hash: null, size: answer.size, etag: answer.etag };
    case 'photo': {
      const { bytes, etag } = answer;
      if (readMediaType(bytes) === null) return { kind: 'wrong', message: NO_PHOTO };
      return { kind: 'seen', hash: computeHash(bytes), size: bytes.length, etag };
    }
  }
}

const NO_PHOTO = 'the photo is neither JPEG, PNG, GIF nor WebP';

function toSeen(sourceId: string, etag: string, { hash, size }: Pick<SeenPhoto, 'hash' | 'size'>): SeenPhoto {
  return { sourceId, etag, hash, size };
}

function withLook(person: MappedPerson, look: Look): MappedPerson {
  const { desired, photos, errors } = person;
  const marks: Record<string, string | null> = {};
  const wrong: RecordError[] = [];
  for (const entry of photos) {
    const judged = judge(entry, look);
    if ('message' in judged) {
      const message = `attribute ${JSON.stringify(entry.target)}: ${judged.message}`;
      wrong.push({ resource: 'User', id: desired.sourceId, code: 'RecordInvalid', message });
    } else if (entry.path !== null && judged.mark !== undefined) marks[entry.path] = judged.mark;
  }
  return { ...person, desired: { ...desired, photos: marks }, errors: [...errors, ...wrong] };
}

/** The mark of the photo that must be there; null: none; undefined: whichever is there. Or what is wrong. */
function judge(
  { photo, onEmpty }: CompiledEntry,
  look: Look,
): { readonly mark: string | null | undefined } | { readonly message: string } {
  const maxBytes = photo?.maxBytes ?? 0;
  switch (look.kind) {
    case 'unknown':
      return { mark: undefined };
    case 'wrong':
      return { message: look.message };
    case 'none':
      return { mark: onEmpty === 'Clear' ? null : undefined };
    case 'seen':
      return look.hash === null || (look.size ?? 0) > maxBytes
        ? { message: toTooLarge(look.size, maxBytes) }
        : { mark: toMark(look.hash) };
  }
}

function toTooLarge(size: number | null, maxBytes: number): string {
  const is = size === null ? 'is larger' : `has ${size} bytes`;
  return `the photo ${is}; at most ${maxBytes} are written (photo.maxBytes)`;
}

/** Stands for the photo in plan and state. */
function toMark(hash: string): string {
  return `sha256:${hash}`;
}

function computeHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The changes with the photo in the place of its mark, as `data:` URLs (RFC 2397). Null: the photo is another one by now,
 * or gone; the next run plans anew.
 * @throws SyncError of this record where the photo cannot be read
 */
export async function fillPhotos(
  { id }: Pick<StoredOperation, 'id'>,
  changes: readonly AttributeChange[],
  { run, loaded, signal }: { readonly run: RunDependencies; readonly loaded: Loaded; readonly signal: AbortSignal },
): Promise<readonly AttributeChange[] | null> {
  const marks = new Set(changes.filter(({ photo }) => photo === true).map(({ after }) => after));
  if (marks.size === 0) return changes;
  const bytes = await readAgain(id, { run, loaded, signal });
  if (bytes === null || !marks.has(toMark(computeHash(bytes))) || marks.size > 1) return null;
  const url = `data:${readMediaType(bytes) ?? ''};base64,${Buffer.from(bytes).toString('base64')}`;
  return changes.map((change) => (change.photo === true ? { ...change, after: url } : change));
}

async function readAgain(
  id: string,
  { run, loaded, signal }: { readonly run: RunDependencies; readonly loaded: Loaded; readonly signal: AbortSignal },
): Promise<Uint8Array | null> {
  const user = await run.state.staging.user(id);
  if (user === null) return null;
  const maxBytes = Math.max(...loaded.mapping.entries.map(({ photo }) => photo?.maxBytes ?? 0));
  const end = loaded.http.source.beginPass();
  try {
    const answer = await loaded.source.readPhoto?.(user, { etag: null, maxBytes }, signal);
    return answer?.kind === 'photo' ? answer.bytes : null;
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const { code, message } = SyncError.from(thrown);
    // Nothing was sent, and nothing else waits for it.
    throw new SyncError(code, message, { scope: 'record', cause: thrown });
  } finally {
    end();
  }
}
