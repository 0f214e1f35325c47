import nock from 'nock';
import { SyncError } from '../../src/errors.ts';
import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient, type PooledHttpClient } from '../../src/http/client.ts';
import type { Transport } from '../../src/http/exchange.ts';
import type { Json } from '../../src/model.ts';
import type { ScimConfig } from '../../src/targets/scim/config.ts';
import { scimTarget } from '../../src/targets/scim/index.ts';
import type { Target, TargetObject, TargetPage } from '../../src/targets/target.ts';
import { createManualTiming } from './manual-timing.ts';

const ORIGIN = 'https://app.example.com';
export const NEVER = new AbortController().signal;

const KEPT = { fate: 'kept', weight: 2 };
/** What tests of single requests write was watched before, so that no look comes between. */
const WATCHED = { showsMembers: true, attributes: { 'User title': KEPT, 'User displayName': KEPT } };

export interface WiredTarget {
  readonly target: Target;
  readonly http: PooledHttpClient;
}

/** The SCIM target at an address that nock answers; waits between attempts take no time. */
export async function aWiredTarget(
  secrets: Record<string, string> = { token: 't' },
  more: Partial<ScimConfig> = {},
  memory: Json = WATCHED,
): Promise<WiredTarget> {
  const http = aClient();
  const config = { url: `${ORIGIN}/scim/v2/`, credentialsRef: { name: 'acme-app' }, ...more };
  return { target: await scimTarget.connect(config, { secrets, http, memory }), http };
}

/** Over the network that nock stands in for, or as told; waits take no time. */
export function aClient(transport?: Transport): PooledHttpClient {
  const timing = createManualTiming();
  return createHttpClient({
    userAgent: 'dirsync/test',
    unavailable: 'TargetUnavailable',
    budget: createBudgets(timing).join('app.example.com', 'key', { requestsPerSecond: null, concurrency: 4 }),
    timeoutMs: 5_000,
    concurrency: 4,
    timing,
    ...(transport === undefined ? {} : { transport }),
  });
}

/** What nock answers at the base URL. */
export function aWire(): nock.Scope {
  return nock(`${ORIGIN}/scim/v2`);
}

const FULL = { patch: { supported: true }, filter: { supported: true, maxResults: 2 }, etag: { supported: true } };

/** Answers discovery: pages of two, PATCH, filters and versions, unless told otherwise. */
export function aDiscovery(config: Json | null = FULL, schemas: Json | null = null): nock.Scope {
  const scope = aWire();
  if (config === null) scope.get('/ServiceProviderConfig').reply(404);
  else scope.get('/ServiceProviderConfig').reply(200, config as nock.Body);
  if (schemas === null) scope.get('/Schemas').reply(404);
  else scope.get('/Schemas').reply(200, schemas as nock.Body);
  return scope;
}

export async function collect<T extends TargetObject>(pages: AsyncIterable<TargetPage<T>>): Promise<TargetPage<T>[]> {
  const all: TargetPage<T>[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

export async function failureOf(promise: Promise<unknown>): Promise<SyncError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof SyncError)) throw new Error(`no SyncError but ${String(thrown)}`);
  return thrown;
}
