/** The config block `spec.source.workos`, and what the Secret must hold. */
import type { WorkosSource } from '../../api/providers.ts';
import { SyncError } from '../../errors.ts';

export type WorkosConfig = WorkosSource;

const DEFAULT_API_URL = 'https://api.workos.com';

/** Problems that can be seen offline, one sentence each. */
export function validateConfig({ apiUrl = DEFAULT_API_URL }: WorkosConfig): readonly string[] {
  return URL.canParse(apiUrl)
    ? []
    : ['source.workos.apiUrl is no URL; leave it out, or write one such as https://api.workos.com'];
}

/** The root, without a slash at its end. */
export function toBaseUrl({ apiUrl = DEFAULT_API_URL }: WorkosConfig): string {
  return apiUrl.replace(/\/+$/, '');
}

/**
 * The `Authorization` header. A line end behind the key is left out, as files of Secrets often have one.
 * @throws SyncError `ReferenceNotFound` where the key is missing; `Invalid` for one that no header can carry
 */
export function toAuthorization(secrets: Readonly<Record<string, string>>, where: string): string {
  const apiKey = Object.hasOwn(secrets, 'apiKey') ? (secrets['apiKey'] ?? '').replace(/[\r\n]+$/, '') : '';
  if (apiKey === '') {
    const keys = Object.keys(secrets).toSorted().slice(0, 10).join(', ');
    const message = `${where} must have the key "apiKey"; it has ${keys === '' ? 'no keys' : keys}`;
    throw new SyncError('ReferenceNotFound', message);
  }
  if (/^[\x21-\x7e]+$/.test(apiKey)) return `Bearer ${apiKey}`;
  const message = `the key "apiKey" of ${where} has blanks, line ends or other characters that no header can carry`;
  throw new SyncError('Invalid', message);
}
