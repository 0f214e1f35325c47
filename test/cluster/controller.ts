import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/program.ts';
import { startServer } from '../support/server-process.ts';
import type { Cluster } from './cluster.ts';
import type { WatchProxy } from './watch-proxy.ts';

const ROOT = join(import.meta.dirname, '../..');
const SYSTEM_NAMESPACE = 'dirsync-system';
/** Of `config/rbac`: all that the controller under test may do. */
const SERVICE_ACCOUNT = 'dirsync-controller';
/** As the audit log names it. */
export const CONTROLLER_USER = `system:serviceaccount:${SYSTEM_NAMESPACE}:${SERVICE_ACCOUNT}`;

/** The real program as a process of its own, with the token of its service account. */
export interface Controller {
  /** Base address of /healthz, /readyz and /metrics. */
  readonly url: string;
  /** Everything that this process and those before it on the same state said. */
  log(): Promise<string>;
  /** SIGTERM. Resolves with its exit code; null when it had to be killed. */
  stop(): Promise<number | null>;
  /** SIGKILL, as a node that dies. */
  kill(): Promise<void>;
}

export interface ControllerOptions {
  /** Namespaces to follow: a cluster that was there before may hold resources of somebody else. */
  readonly namespaces: readonly string[];
  /** File name in the cluster's folder, of the state and (with `.log`) of the log. The same one again: a restart. */
  readonly state: string;
  /** False: returns when the process runs, without waiting for /readyz. */
  readonly ready?: boolean;
  /** Leads it to the API server by another way. */
  readonly through?: WatchProxy;
}

/** `kubectl apply -k config/default`. Nothing runs the Deployment's pod here, so the process below takes its place. */
export async function installDirsync(cluster: Cluster): Promise<void> {
  const { code, stderr } = await cluster.kubectl(['apply', '-k', join(ROOT, 'config/default')]);
  if (code !== 0) throw new Error(stderr);
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
}

export async function startController(
  cluster: Cluster,
  { namespaces, state, ready = true, through }: ControllerOptions,
): Promise<Controller> {
  const listen = `127.0.0.1:${await freePort()}`;
  const url = `http://${listen}`;
  const file = join(cluster.folder, state);
  const args = [
    'controller',
    '--state',
    file,
    '--listen',
    listen,
    '--log-level',
    'debug',
    '--namespace',
    ...namespaces,
  ];
  const kubeconfig = await getCredentials(cluster);
  const server = await startServer(process.execPath, [join(ROOT, 'bin/dirsync.js'), ...args], {
    log: `${file}.log`,
    env: {
      PATH: process.env['PATH'],
      HOME: join(cluster.folder, 'home'),
      KUBECONFIG: (await through?.toKubeconfig(kubeconfig)) ?? kubeconfig,
    },
    ready: async () => (await fetch(`${url}${ready ? '/readyz' : '/healthz'}`)).ok,
    timeoutMs: 30_000,
  });
  return {
    url,
    log: () => readFile(`${file}.log`, 'utf8'),
    async stop() {
      await server.stop();
      return server.exitCode();
    },
    kill: () => server.stop('SIGKILL'),
  };
}

const credentials = new WeakMap<Cluster, Promise<string>>();

/** Made once: the API server may be away when the next controller starts. */
function getCredentials(cluster: Cluster): Promise<string> {
  const known = credentials.get(cluster) ?? cluster.serviceAccountKubeconfig(SYSTEM_NAMESPACE, SERVICE_ACCOUNT);
  credentials.set(cluster, known);
  return known;
}
