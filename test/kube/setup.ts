import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { ResourceChange, ResourceHost } from '../../src/api/host.ts';
import type { SyncError } from '../../src/errors.ts';
import type { Timing } from '../../src/http/timing.ts';
import { createKubeHost, type KubeHostOptions } from '../../src/kube/host.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { FakeApiServer } from './api-server.ts';

export const SYNCS = '/apis/dirsync.dev/v1alpha1/directorysyncs';
export const RULES = '/apis/dirsync.dev/v1alpha1/teamrules';
export const SECRETS = '/api/v1/secrets';
export const CONFIG_MAPS = '/api/v1/configmaps';
export const ACME = { kind: 'DirectorySync', namespace: 'identity', name: 'acme' } as const;

export function aSync(name: string, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'DirectorySync',
    metadata: { name, namespace: 'identity', generation: 1, ...metadata },
    spec: { mappings: [] },
  };
}

/** Waits pass at once; what was asked for is written down. The clock moves by what was slept and by hand. */
export class TestTiming implements Timing {
  readonly sleeps: number[] = [];
  time = Date.UTC(2026, 0, 1);
  now = (): number => this.time;
  elapsed = (): number => this.time;
  random = (): number => 0.5;
  sleep = async (ms: number): Promise<void> => {
    this.sleeps.push(ms);
    this.time += ms;
    await new Promise((resolve) => setImmediate(resolve));
  };
}

export interface Scene {
  readonly api: FakeApiServer;
  readonly host: ResourceHost;
  readonly timing: TestTiming;
  readonly warnings: { readonly message: string; readonly reason: string; readonly waitMs: number | undefined }[];
  readonly changes: ResourceChange[];
  readonly controller: AbortController;
  /** Starts and waits until every list is watched. */
  start(): Promise<void>;
  /** Resolves with all changes once there are so many. */
  untilChanges(count: number): Promise<ResourceChange[]>;
}

export async function aScene(options: Partial<KubeHostOptions> = {}): Promise<Scene> {
  const api = await new FakeApiServer().start();
  const timing = new TestTiming();
  const warnings: Scene['warnings'] = [];
  const changes: ResourceChange[] = [];
  const arrived = new EventTarget();
  const controller = new AbortController();
  const log = {
    info: () => undefined,
    warn: (fields: { err: SyncError; waitMs?: number }, message: string) =>
      warnings.push({ message, reason: fields.err.message, waitMs: fields.waitMs }),
  } as unknown as KubeHostOptions['log'];
  const host = createKubeHost({ kubeConfig: api.kubeConfig, log, timing, instance: 'pod-1', ...options });
  onTestFinished(async () => {
    controller.abort();
    await host.close();
    await api.stop();
  });
  return {
    api,
    host,
    timing,
    warnings,
    changes,
    controller,
    async start() {
      await host.start((change) => {
        changes.push(change);
        arrived.dispatchEvent(new Event('change'));
      }, controller.signal);
      await api.until(() => api.seen.filter((request) => request.query.get('watch') === 'true').length >= 6);
    },
    async untilChanges(count) {
      while (changes.length < count) await once(arrived as never, 'change');
      return changes;
    },
  };
}
