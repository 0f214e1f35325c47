/** Wiring of the controller: the loop over a cluster's resources. */
import type { DirectorySyncResource } from './api/directory-sync.ts';
import { ANNOTATIONS } from './api/metadata.ts';
import { createPlatformTokens } from './http/platform-token.ts';
import { createKubeHost } from './kube/host.ts';
import { createConnections } from './reconcile/connections.ts';
import { createEngine } from './reconcile/engine.ts';
import { createLoop } from './reconcile/loop.ts';
import type { Commands } from './reconcile/status.ts';
import { sourceProviders } from './sources/registry.ts';
import { openSqliteStore } from './state/sqlite/store.ts';
import { targetProviders } from './targets/registry.ts';
import { startHealthServer } from './telemetry/health.ts';
import { createLogger, type LogLevel } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';

export interface ControllerOptions {
  /** Path of the state file. */
  readonly state: string;
  /** Empty: all of them. */
  readonly namespaces: readonly string[];
  /** Folders whose files sources may read. */
  readonly allowPaths: readonly string[];
  /** Namespaces whose resources may use the workload identity of the controller. */
  readonly identityNamespaces: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `host:port` of probes and metrics. */
  readonly listen: string;
  readonly logLevel: LogLevel;
  readonly version: string;
  /** Ends the runs under way at their next operation. */
  readonly stopping: AbortSignal;
  /** Cuts requests under way. */
  readonly hard: AbortSignal;
}

/** Runs until `stopping` aborts. Throws SyncError when the state store or the kubeconfig cannot be used. */
export async function runController(options: ControllerOptions): Promise<void> {
  const log = createLogger({ level: options.logLevel });
  const metrics = createMetrics();
  const store = await openSqliteStore(options.state);
  const { namespaces, allowPaths } = options;
  const workloadIdentity = { read: createPlatformTokens(options.env), namespaces: options.identityNamespaces };
  const host = createKubeHost({ log, namespaces, allowPaths, workloadIdentity });
  const engine = createEngine({
    host,
    store,
    providers: { sources: sourceProviders, targets: targetProviders },
    createHttp: createConnections({ userAgent: `dirsync/${options.version}`, metrics }),
    now: () => new Date(),
    log,
    holder: `dirsync controller (process ${process.pid})`,
  });
  const loop = createLoop({ host, engine, store, log, metrics, commands: toCommands });
  const ready = (): true | string => (options.stopping.aborted ? 'the controller is stopping' : loop.ready());
  const health = await startHealthServer({ listen: options.listen, ready, metrics });
  log.info({ url: health.url }, 'controller started');
  try {
    await loop.run(options.stopping, options.hard);
  } finally {
    await host.close();
    await health.close();
    await store.close();
    log.info('controller stopped');
  }
}

function toCommands({ metadata }: DirectorySyncResource): Commands {
  const { namespace, name } = metadata;
  return {
    review: `kubectl get directorysync ${name} -n ${namespace} -o yaml.`,
    approve: (hash) =>
      `kubectl annotate directorysync ${name} -n ${namespace} --overwrite ${ANNOTATIONS.approve}=${hash}`,
  };
}
