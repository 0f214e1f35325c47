/** Connections to source and target as a spec says, with what they are reached with. Nothing is asked of either yet. */
import type { ResolvedDirectorySyncSpec } from '../api/defaults.ts';
import type { ResourceRef } from '../api/host.ts';
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import type { NetworkOptions, Source, SourceProvider } from '../sources/source.ts';
import type { Target, TargetProvider } from '../targets/target.ts';
import { type Credentials, readAuthorities, readCredentials, readSecrets } from './credentials.ts';
import type { ExpiryLog } from './expiry.ts';
import type { HttpClientNeeds, Providers, RunDependencies, RunHttpClient } from './run.ts';

export type Opening = Pick<RunDependencies, 'host' | 'resource' | 'providers' | 'createHttp' | 'onPause' | 'now'>;

export function findProviders(
  { sources, targets }: Providers,
  spec: ResolvedDirectorySyncSpec,
): { source: SourceProvider<unknown>; target: TargetProvider<unknown> } {
  const [source, target] = [sources.get(spec.source.provider), targets.get(spec.target.provider)];
  if (source === undefined || target === undefined) throw new SyncError('Invalid', 'this build has no such provider');
  return { source, target };
}

/** Throws `Invalid` for the first thing that is wrong with the providers' own blocks, as far as can be told offline. */
export function checkConfigs(providers: Providers, spec: ResolvedDirectorySyncSpec): void {
  const { source, target } = findProviders(providers, spec);
  const [problem] = [...source.validate(spec.source.config), ...target.validate(spec.target.config)];
  if (problem !== undefined) throw new SyncError('Invalid', problem);
}

function toOwner({ resource: { metadata } }: Opening): ResourceRef {
  return { kind: 'DirectorySync', namespace: metadata.namespace ?? 'default', name: metadata.name };
}

export interface OpenTarget {
  readonly target: Target;
  readonly http: RunHttpClient;
}

export interface TargetNeeds {
  /** See TargetContext. */
  readonly teamPaths: readonly string[];
  /** What an earlier connection observed. */
  readonly memory: Json;
  /** Who asks for a fresh look does not want old observations either. */
  readonly afresh: boolean;
  /** Is told what is known to end, certificates as connections are made. */
  readonly expiries: ExpiryLog;
  /** Gets the client as soon as it is made, so that a failure can close it. */
  readonly opened: RunHttpClient[];
}

export async function openTarget(
  opening: Opening,
  spec: ResolvedDirectorySyncSpec,
  { teamPaths, memory, afresh, expiries, opened }: TargetNeeds,
): Promise<OpenTarget> {
  const provider = findProviders(opening.providers, spec).target;
  const { namespace } = toOwner(opening);
  const input = { host: opening.host, namespace, target: spec.target, provider };
  const { secrets, where, ca, key } = await readCredentials(input, expiries);
  const onCertificate: HttpClientNeeds['onCertificate'] = (host, expiresAt) =>
    expiries.note({ kind: 'ServerCertificate', host, expiresAt });
  const { onPause, now } = opening;
  const http = opening.createHttp({ side: 'target', credential: key, spec, ca, onCertificate, onPause });
  opened.push(http);
  const target = await provider.connect(spec.target.config, {
    ...{ secrets, where, http, teamPaths, memory, afresh, now },
  });
  return { target, http };
}

export async function openSource(
  opening: Opening,
  spec: ResolvedDirectorySyncSpec,
  { expiries, opened }: Pick<TargetNeeds, 'expiries' | 'opened'>,
): Promise<{ readonly source: Source; readonly http: RunHttpClient }> {
  const { host, onPause } = opening;
  const provider = findProviders(opening.providers, spec).source;
  const owner = toOwner(opening);
  const { secrets, where, key } = await readSourceSecrets(opening, spec);
  const expiresAt = provider.expiresAt?.(secrets) ?? null;
  if (expiresAt !== null) expiries.note({ kind: 'SourceCredential', host: null, expiresAt });
  const { config } = spec.source;
  const ca = await readSourceAuthorities(opening, config, expiries);
  const http = opening.createHttp({
    side: 'source',
    credential: key,
    spec: withSourceLimit(spec, provider),
    ca,
    onCertificate: () => undefined,
    onPause,
  });
  opened.push(http);
  const files = {
    resolvePath: (path: string): string => host.resolvePath(owner, path),
    readConfigMap: (name: string, key: string): Promise<Uint8Array> => host.readConfigMap(owner.namespace, name, key),
    readSecret: (name: string) => readSecrets({ host, namespace: owner.namespace, name }),
  };
  const begin: NetworkOptions['begin'] = (url, signal) => http.begin(url, signal);
  const network = { ca, timeoutMs: spec.timeouts.requestMs, begin };
  const { nestedGroups } = spec.scope;
  const source = await provider.connect(config, {
    ...{ secrets, where, files, http, network, nestedGroups },
    readPlatformToken: async () => (await host.readPlatformToken?.(owner)) ?? null,
    now: opening.now,
  });
  return { source, http };
}

/** A file's places have credentials of their own, which they read by themselves; those of a workload identity are the platform's. */
async function readSourceSecrets(
  opening: Opening,
  { source: { config } }: ResolvedDirectorySyncSpec,
): Promise<Pick<Credentials, 'secrets' | 'where' | 'key'>> {
  if (!('credentialsRef' in config) || config.credentialsRef === undefined) return { secrets: {}, where: '', key: '' };
  return readSecrets({ host: opening.host, namespace: toOwner(opening).namespace, name: config.credentialsRef.name });
}

/** Null: the source names no authorities of its own. */
async function readSourceAuthorities(
  opening: Opening,
  config: ResolvedDirectorySyncSpec['source']['config'],
  expiries: ExpiryLog,
): Promise<string | null> {
  if (!('caRef' in config) || config.caRef === undefined) return null;
  const { namespace } = toOwner(opening);
  return await readAuthorities({ host: opening.host, namespace, caRef: config.caRef }, expiries);
}

/** The lower of what the directory is known to take and what the spec says. */
function withSourceLimit(
  spec: ResolvedDirectorySyncSpec,
  { requestsPerSecond }: SourceProvider<unknown>,
): ResolvedDirectorySyncSpec {
  const own = spec.limits.sourceRequestsPerSecond;
  if (requestsPerSecond === undefined || (own !== null && own <= requestsPerSecond)) return spec;
  return { ...spec, limits: { ...spec.limits, sourceRequestsPerSecond: requestsPerSecond } };
}
