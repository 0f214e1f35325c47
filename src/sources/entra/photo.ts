/** Photos of people: what Graph says of one first, and its bytes only where it is another one. */
import { SyncError } from '../../errors.ts';
import type { PhotoAnswer, PhotoRequest } from '../source.ts';
import { type GraphClient, VERSION } from './client.ts';

/** What Graph shows in place of a photo that is not there. */
const PLACEHOLDER = '1x1';

/**
 * The largest that there is. Its ETag is taken from what was said before the bytes came: where the photo was changed in
 * between the next look reads it again.
 */
export async function readPhoto(
  client: GraphClient,
  userId: string,
  { etag: known, maxBytes }: PhotoRequest,
  signal: AbortSignal,
): Promise<PhotoAnswer> {
  const path = `${VERSION}/users/${encodeURIComponent(userId)}/photo`;
  const about = await client.find({ path, what: 'a photo' }, signal);
  if (about === null || about['id'] === PLACEHOLDER) return { kind: 'none' };
  const mark = about['@odata.mediaEtag'];
  const etag = typeof mark === 'string' && mark !== '' ? mark : null;
  if (etag !== null && etag === known) return { kind: 'unchanged' };
  const headers = { accept: '*/*' };
  const bytes = await client.findBytes({ path: `${path}/$value`, headers, what: 'a photo' }, maxBytes, signal);
  if (bytes === null) throw new SyncError('ReadFailed', `${client.origin} says that there is a photo, and gives none`);
  return bytes === 'tooLarge' ? { kind: 'tooLarge', etag, size: null } : { kind: 'photo', etag, bytes };
}
