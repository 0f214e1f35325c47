/** What source and target are reached with, read by name at each run: Secrets and authorities. Nothing of it is kept between runs. */
import type { ResolvedTarget } from '../api/defaults.ts';
import type { ResourceHost } from '../api/host.ts';
import { formatReference } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import { toCredentialKey } from '../http/budget.ts';
import { readExpiries } from '../http/trust.ts';
import type { TargetProvider } from '../targets/target.ts';
import type { ExpiryLog } from './expiry.ts';

export interface Credentials {
  readonly secrets: Readonly<Record<string, string>>;
  /** What the Secret is called in messages. */
  readonly where: string;
  /** Authorities in PEM that are trusted beside the system's; null without any. */
  readonly ca: string | null;
  /** Tells credentials apart without being one. */
  readonly key: string;
}

export interface CredentialsInput {
  readonly host: Pick<ResourceHost, 'readSecret' | 'readConfigMap'>;
  readonly namespace: string;
  readonly target: ResolvedTarget;
  readonly provider: TargetProvider<unknown>;
}

/**
 * @param expiries is told what is known to end
 * @throws SyncError `ReferenceNotFound` for what is missing; `Invalid` for authorities without a certificate
 */
export async function readCredentials(input: CredentialsInput, expiries: ExpiryLog): Promise<Credentials> {
  const { host, namespace, target, provider } = input;
  const read = await readSecrets({ host, namespace, name: target.config.credentialsRef.name });
  const { caRef } = target.config;
  const ca = caRef === undefined ? null : await readAuthorities({ host, namespace, caRef }, expiries);
  const expiresAt = provider.expiresAt?.(read.secrets) ?? null;
  if (expiresAt !== null) expiries.note({ kind: 'Token', host: null, expiresAt });
  return { ...read, ca };
}

/** @throws SyncError `ReferenceNotFound` where there is no such Secret */
export async function readSecrets({
  host,
  namespace,
  name,
}: Pick<CredentialsInput, 'host' | 'namespace'> & { readonly name: string }): Promise<Omit<Credentials, 'ca'>> {
  const secrets = await host.readSecret(namespace, name);
  return { secrets, where: formatReference({ kind: 'Secret', namespace, name }), key: toCredentialKey(secrets) };
}

export interface AuthoritiesInput extends Pick<CredentialsInput, 'host' | 'namespace'> {
  readonly caRef: NonNullable<ResolvedTarget['config']['caRef']>;
}

/**
 * Certificates of authorities in PEM, their end told to `expiries`.
 * @throws SyncError `ReferenceNotFound` for what is missing; `Invalid` where there is no certificate
 */
export async function readAuthorities(input: AuthoritiesInput, expiries: ExpiryLog): Promise<string> {
  const pem = await readPem(input);
  const ends = readExpiries(pem);
  if (ends === null || ends.length === 0) {
    const what = ends === null ? 'has a certificate that cannot be read' : 'has no certificate';
    const hint = 'put PEM there that begins with -----BEGIN CERTIFICATE-----';
    throw new SyncError('Invalid', `${describe(input)} ${what}; ${hint}`);
  }
  // While an authority is replaced the old one stands beside the new one: nothing fails before the last has ended.
  expiries.note({ kind: 'Authority', host: null, expiresAt: Math.max(...ends) });
  return pem;
}

function describe({ namespace, caRef: { kind, name, key } }: AuthoritiesInput): string {
  return `${formatReference({ kind, namespace, name })}, key "${key}" (caRef)`;
}

async function readPem(input: AuthoritiesInput): Promise<string> {
  const { host, namespace, caRef } = input;
  const { kind, name, key } = caRef;
  if (kind === 'ConfigMap') return Buffer.from(await host.readConfigMap(namespace, name, key)).toString('utf8');
  const values = await host.readSecret(namespace, name);
  const value = Object.hasOwn(values, key) ? values[key] : undefined;
  if (value !== undefined) return value;
  const keys = Object.keys(values).toSorted().slice(0, 10);
  const there = keys.length === 0 ? 'it is empty' : `it has ${keys.join(', ')}`;
  throw new SyncError('ReferenceNotFound', `${describe(input)} does not exist; ${there}`);
}
