/**
 * The identity that a platform gives a process, as the webhook of Azure Workload Identity does it in a pod: environment
 * variables, and a file whose token is replaced before it ends.
 * https://azure.github.io/azure-workload-identity/docs/installation/mutating-admission-webhook.html
 */
import { readFile } from 'node:fs/promises';
import { SyncError } from '../errors.ts';
import type { PlatformToken } from '../model.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Null: the platform gives none. The file is read each time.
 * @throws SyncError `ReferenceNotFound` where the file cannot be read
 */
export function createPlatformTokens(env: Environment): () => Promise<PlatformToken | null> {
  const read = (name: string): string | null => {
    const value = env[name]?.trim() ?? '';
    return value === '' ? null : value;
  };
  return async () => {
    const path = read('AZURE_FEDERATED_TOKEN_FILE');
    if (path === null) return null;
    const token = await readToken(path);
    return { token, clientId: read('AZURE_CLIENT_ID'), authorityUrl: read('AZURE_AUTHORITY_HOST') };
  };
}

async function readToken(path: string): Promise<string> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new SyncError('ReferenceNotFound', `the token of the workload identity ${why} (AZURE_FEDERATED_TOKEN_FILE)`, {
      cause,
    });
  };
  const text = await readFile(path, 'utf8').catch((cause: unknown) => refuse('cannot be read', cause));
  const token = text.trim();
  return /^[\x21-\x7e]+$/.test(token) ? token : refuse('is none');
}
