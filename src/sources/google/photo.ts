/** Photos of people. The record of a person tells whether there is one, and whether it is another one. */
import { SyncError } from '../../errors.ts';
import type { SourceUser } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import type { PhotoAnswer, PhotoRequest } from '../source.ts';
import type { GoogleClient } from './client.ts';
import { PHOTO_ETAG, PHOTO_URL } from './fields.ts';

/** Of an answer beside the photo itself: names, numbers, blanks. */
const MOST_BESIDE = 4096;

/**
 * The ETag is the one of the record, which was read before the bytes: where the photo was changed in between the next
 * look reads it again. A record that was read without it leaves it to the answer.
 */
export async function readPhoto(
  client: GoogleClient,
  user: SourceUser,
  { etag: known, maxBytes }: PhotoRequest,
  signal: AbortSignal,
): Promise<PhotoAnswer> {
  const said = toText(user.attributes[PHOTO_ETAG]);
  if (said !== null && said === known) return { kind: 'unchanged' };
  // Both were asked for, and there is neither.
  if (user.attributes[PHOTO_ETAG] === null && user.attributes[PHOTO_URL] === null) return { kind: 'none' };
  const path = `/users/${encodeURIComponent(user.id)}/photos/thumbnail`;
  const mostBytes = Math.ceil(maxBytes / 3) * 4 + MOST_BESIDE;
  const answer = await client.findBytes({ path, what: 'a photo' }, mostBytes, signal);
  if (answer === null) return { kind: 'none' };
  if (answer === 'tooLarge') return { kind: 'tooLarge', etag: said, size: null };
  const photo = parsePhoto(answer);
  if (photo === null || photo.id !== user.id)
    throw new SyncError('ReadFailed', `${client.origin} answers the request for a photo with something else`);
  const { bytes } = photo;
  const etag = said ?? photo.etag;
  if (etag !== null && etag === known) return { kind: 'unchanged' };
  if (bytes.length > maxBytes) return { kind: 'tooLarge', etag, size: bytes.length };
  return { kind: 'photo', etag, bytes };
}

interface Photo {
  readonly id: unknown;
  readonly etag: string | null;
  readonly bytes: Uint8Array;
}

/** Web-safe Base64 (RFC 4648 section 5), with `.` or `*` where the standard fills up with `=`. */
const WEB_SAFE = /^[A-Za-z0-9_-]+[.*=]{0,2}$/;

/** Null: it is none. */
function parsePhoto(answer: Uint8Array): Photo | null {
  const value = parse(Buffer.from(answer).toString('utf8'));
  const { id, etag, photoData } = isObject(value) ? value : {};
  if (typeof photoData !== 'string' || !WEB_SAFE.test(photoData)) return null;
  return { id, etag: toText(etag), bytes: Buffer.from(photoData.replace(/[.*=]+$/, ''), 'base64url') };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function toText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
