/** Secrets and ConfigMaps of a folder, and Secrets as files for whoever keeps them out of Git. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatReference, type ResourceReference } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import type { DataManifest, Manifest, ManifestSet } from './manifests.ts';

/** Kubernetes' limit for a whole Secret. */
const MAX_SECRET_BYTES = 1024 * 1024;

/**
 * The values of a Secret by key: the files `<secretsDir>/<name>/<key>` where that folder exists, else the Secret of the
 * manifests. A line end at the end of a file is no part of the value; the manifests' values are taken as they are.
 * @param secretsDir what `--secrets` names; null without it
 * @throws SyncError `ReferenceNotFound` that says where to put it
 */
export async function readLocalSecret(
  set: ManifestSet,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  secretsDir: string | null,
): Promise<Readonly<Record<string, string>>> {
  const files = secretsDir === null ? null : await readSecretFiles(secretsDir, name);
  if (files !== null) return files;
  const manifest = findData(set.secrets, { kind: 'Secret', namespace, name });
  if (manifest !== null) {
    return Object.fromEntries(
      Object.entries(manifest.resource.entries).map(([key, bytes]) => [key, Buffer.from(bytes).toString('utf8')]),
    );
  }
  const folder = join(secretsDir ?? 'DIR', name);
  throw new SyncError(
    'ReferenceNotFound',
    `Secret ${namespace}/${name} is missing: put it among the manifests, or one file per key into ${folder} (--secrets ${secretsDir ?? 'DIR'})`,
  );
}

async function readSecretFiles(secretsDir: string, name: string): Promise<Record<string, string> | null> {
  const folder = join(secretsDir, name);
  const names = await readdir(folder).catch(() => null);
  if (names === null) return null;
  const values: Record<string, string> = {};
  // A mounted Secret keeps its files behind links and in folders that begin with a dot.
  for (const key of names.filter((each) => !each.startsWith('.')).sort()) {
    const path = join(folder, key);
    const info = await stat(path);
    if (!info.isFile()) continue;
    if (info.size > MAX_SECRET_BYTES) throw new SyncError('Invalid', `${path} is larger than a Secret may be (1 MiB)`);
    values[key] = (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  }
  return values;
}

/**
 * The bytes of a key of a ConfigMap of the manifests.
 * @throws SyncError `ReferenceNotFound` naming the ConfigMap, or the key and the ones there are
 */
export function readLocalConfigMap(
  set: ManifestSet,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  key: string,
): Uint8Array {
  const manifest = findData(set.configMaps, { kind: 'ConfigMap', namespace, name });
  if (manifest === null) {
    throw new SyncError('ReferenceNotFound', `ConfigMap ${namespace}/${name} is missing among the manifests`);
  }
  const bytes = Object.hasOwn(manifest.resource.entries, key) ? manifest.resource.entries[key] : undefined;
  if (bytes === undefined) {
    const keys = Object.keys(manifest.resource.entries);
    const found = keys.length === 0 ? 'it has none' : `it has ${keys.join(', ')}`;
    throw new SyncError('ReferenceNotFound', `ConfigMap ${namespace}/${name} has no key "${key}"; ${found}`);
  }
  return bytes;
}

/** What is wrong with a Secret that must have all keys of one of several sets; null when it has. Names keys, no values. */
export function explainMissingKeys(
  reference: ResourceReference,
  values: Readonly<Record<string, unknown>>,
  alternatives: readonly (readonly string[])[],
): string | null {
  if (alternatives.some((keys) => keys.every((key) => Object.hasOwn(values, key)))) return null;
  const wanted = alternatives.map((keys) => keys.join(' and ')).join(', or ');
  const keys = Object.keys(values);
  return `${formatReference(reference)} needs ${wanted}; it has ${keys.length === 0 ? 'no keys' : keys.join(', ')}`;
}

function findData(
  list: readonly Manifest<DataManifest>[],
  reference: ResourceReference,
): Manifest<DataManifest> | null {
  const name = formatReference(reference);
  return list.find((manifest) => formatReference(manifest.reference) === name) ?? null;
}
