import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProgramOptions, type ProgramResult, requireSuccess, runProgram } from '../support/program.ts';
import { composeKubeconfig } from './kubeconfig.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';
import { resolveTools, type Tools } from './tools.ts';

/** What a test may do with the API server. Programs run with a home folder of their own, so nothing of the user's takes part. */
export interface Cluster {
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:<port>`; the same after a restart. */
  readonly server: string;
  /** Own folder of this cluster, removed when it stops; for files that tests hand to kubectl, helm or the controller. */
  readonly folder: string;
  /** Runs kubectl; `as` impersonates a user (`system:serviceaccount:<namespace>:<name>`). A failure is a result, not a rejection. */
  kubectl(args: string[], options?: RunOptions & { as?: string }): Promise<ProgramResult>;
  helm(args: string[], options?: RunOptions): Promise<ProgramResult>;
  /** Path of a kubeconfig with a token of an existing service account, valid for one hour, and that namespace as default. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
  /** Every request answered so far, oldest first. A watch has two events: ResponseStarted when it opens and ResponseComplete when it ends. */
  auditEvents(): Promise<AuditEvent[]>;
  /** Ends the API server as a crash does (SIGKILL) and waits for it; etcd and its data stay. */
  stopApiServer(): Promise<void>;
  /** Starts it again on the same port with the same data and waits until it is ready. */
  startApiServer(): Promise<void>;
  /**
   * Makes every resourceVersion seen so far too old: open watches break off, and one that resumes from such a version is answered
   * with an ERROR event whose code is 410. Restarts the API server (about 3 s), because its watch cache would still know the past.
   */
  expireWatches(): Promise<void>;
}

type RunOptions = Pick<ProgramOptions, 'input' | 'timeoutMs' | 'cwd'>;

/** The part of audit.k8s.io/v1 Event (level Metadata) that tests look at. */
export interface AuditEvent {
  stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  verb: string;
  requestURI: string;
  user: { username: string; groups?: string[] };
  impersonatedUser?: { username: string };
  objectRef?: { apiGroup?: string; resource: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code: number };
  userAgent?: string;
  requestReceivedTimestamp: string;
}

/** What another process needs to use a cluster: plain data, handed from the global setup to the tests. */
export interface ClusterAddress {
  kubeconfig: string;
  server: string;
  folder: string;
  kubectl: string;
  helm: string;
  /** Audit log and address of the server's control; both missing for a cluster that was there before. */
  own?: { auditLog: string; control: string };
}

/** A cluster of this process's own: `stop` ends the API server, then etcd, and removes the folder. */
export interface RunningCluster extends Cluster {
  readonly address: ClusterAddress;
  stop(): Promise<void>;
}

/** Starts etcd and kube-apiserver, or takes the cluster of DIRSYNC_TEST_KUBECONFIG. The caller stops it. */
export async function startCluster(options: { tools?: Tools } = {}): Promise<RunningCluster> {
  const tools = options.tools ?? (await resolveTools());
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-cluster-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const programs = { folder, kubectl: tools.kubectl, helm: tools.helm };
  let own: OwnServer | undefined;
  try {
    own = tools.servers && (await startOwnServer(folder, tools.servers));
    const kubeconfig = own?.kubeconfig ?? process.env['DIRSYNC_TEST_KUBECONFIG'] ?? '';
    const server = (await readCluster(programs, kubeconfig)).server;
    const address = {
      ...programs,
      kubeconfig,
      server,
      ...(own && { own: { auditLog: own.auditLog, control: own.control } }),
    };
    return {
      ...connectCluster(address),
      address,
      async stop() {
        await own?.stop();
        await remove();
      },
    };
  } catch (error) {
    await own?.stop();
    await remove();
    throw error;
  }
}

/** Uses a cluster that another process started. */
export function connectCluster(address: ClusterAddress): Cluster {
  const { kubeconfig, server, folder, own } = address;
  const env = homeEnvironment(folder, kubeconfig);
  const requireOwn = () => {
    if (!own) throw new Error('this needs a server that the tests started: unset DIRSYNC_TEST_KUBECONFIG');
    return own;
  };
  const control = async (command: string) => {
    const response = await fetch(`${requireOwn().control}/${command}`, { method: 'POST' });
    if (!response.ok) throw new Error(`${command}: ${await response.text()}`);
  };
  return {
    kubeconfig,
    server,
    folder,
    kubectl: (args, { as, ...options } = {}) =>
      runProgram(address.kubectl, as ? [`--as=${as}`, ...args] : args, { ...options, env }),
    helm: (args, options) => runProgram(address.helm, args, { ...options, env }),
    serviceAccountKubeconfig: (namespace, name) => writeServiceAccountKubeconfig(address, namespace, name),
    async auditEvents() {
      const lines = (await readFile(requireOwn().auditLog, 'utf8')).split('\n');
      // The last piece is empty, or a line that is being written.
      return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEvent);
    },
    stopApiServer: () => control('stop'),
    startApiServer: () => control('start'),
    expireWatches: () => control('expire'),
  };
}

function homeEnvironment(folder: string, kubeconfig: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: join(folder, 'home'), KUBECONFIG: kubeconfig };
}

type Programs = Pick<ClusterAddress, 'folder' | 'kubectl'>;

async function readCluster(programs: Programs, kubeconfig: string): Promise<{ server: string }> {
  const env = homeEnvironment(programs.folder, kubeconfig);
  const view = await requireSuccess(programs.kubectl, ['config', 'view', '--flatten', '--minify', '-o', 'json'], {
    env,
  });
  return (JSON.parse(view) as { clusters: [{ cluster: { server: string } }] }).clusters[0].cluster;
}

async function writeServiceAccountKubeconfig(
  address: ClusterAddress,
  namespace: string,
  name: string,
): Promise<string> {
  const env = homeEnvironment(address.folder, address.kubeconfig);
  const token = await requireSuccess(address.kubectl, ['create', 'token', name, '-n', namespace, '--duration=1h'], {
    env,
  });
  const path = join(address.folder, `${namespace}-${name}.kubeconfig`);
  const cluster = await readCluster(address, address.kubeconfig);
  await writeFile(path, composeKubeconfig(cluster, token.trim(), namespace), { mode: 0o600 });
  return path;
}
