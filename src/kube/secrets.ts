/** Secrets and ConfigMaps, read by name at each use: nothing of their contents is kept in memory between runs. */
import { formatReference } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import { type KubeClient, type KubeResponse, toAnswerError } from './client.ts';
import { isRecord } from './object.ts';
import { toObjectPath } from './paths.ts';

/**
 * Values by key, as text; a byte sequence that is no UTF-8 is not preserved.
 * @throws SyncError `ReferenceNotFound` when there is no such Secret; any other failure is to be tried again
 */
export async function readSecret(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  const body = await readByName(client, { kind: 'Secret', namespace, name });
  return Object.fromEntries(
    Object.entries(toTexts(body['data'])).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}

export interface ConfigMapKey {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

/** @throws SyncError `ReferenceNotFound` when the ConfigMap or the key is missing; any other failure is to be tried again */
export async function readConfigMapKey(
  client: KubeClient,
  { namespace, name, key }: ConfigMapKey,
): Promise<Uint8Array> {
  const body = await readByName(client, { kind: 'ConfigMap', namespace, name });
  const texts = toTexts(body['data']);
  const bytes = toTexts(body['binaryData']);
  const [text, base64] = [texts[key], bytes[key]];
  if (text !== undefined) return Buffer.from(text, 'utf8');
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  const about = formatReference({ kind: 'ConfigMap', namespace, name });
  const keys = Object.keys({ ...texts, ...bytes });
  const there = keys.length === 0 ? 'it is empty' : `it has ${keys.toSorted().slice(0, 10).join(', ')}`;
  throw new SyncError('ReferenceNotFound', `${about} has no key "${key}"; ${there}`);
}

interface Named {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
}

async function readByName(client: KubeClient, named: Named): Promise<Readonly<Record<string, unknown>>> {
  const about = formatReference(named);
  const response = await client.send({ method: 'GET', path: toObjectPath(named), about });
  if (response.status === 404) {
    throw new SyncError(
      'ReferenceNotFound',
      `${about} does not exist; create it in the namespace ${named.namespace}, or correct the name`,
    );
  }
  if (response.status !== 200 || response.body === undefined) throw withoutContents(response, about);
  return response.body;
}

/** The body of an answer for a Secret may hold its values, which must not reach a log as the cause of an error. */
function withoutContents({ status }: KubeResponse, about: string): SyncError {
  return toAnswerError({ status, body: undefined }, about);
}

/** Own string entries only, and on an object without prototype, so that no key of a person's choice finds an inherited one. */
function toTexts(value: unknown): Record<string, string> {
  const texts: Record<string, string> = Object.create(null);
  if (!isRecord(value)) return texts;
  for (const [key, entry] of Object.entries(value)) if (typeof entry === 'string') texts[key] = entry;
  return texts;
}
