import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { freePort } from '../support/program.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { composeKubeconfig } from './kubeconfig.ts';
import type { Tools } from './tools.ts';

/** etcd and kube-apiserver of this process, and an address through which test processes stop and start the API server. */
export interface OwnServer {
  kubeconfig: string;
  auditLog: string;
  /** Base address that takes POST /stop, /start and /expire. */
  control: string;
  stop(): Promise<void>;
}

/** Everything but what the API server does for itself, which would bury the requests of the controller. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', users: ['system:apiserver'] }, { level: 'Metadata' }],
};

/** Starts etcd, then kube-apiserver, on free loopback ports with all their files in `folder`. */
export async function startOwnServer(folder: string, programs: NonNullable<Tools['servers']>): Promise<OwnServer> {
  const [etcdPort, peerPort, port] = await Promise.all([freePort(), freePort(), freePort()]);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const token = randomBytes(16).toString('hex');
  const files = await writeServerFiles(folder, token);
  const etcd = await startEtcd(programs.etcd, { folder, url: etcdUrl, peerUrl: `http://127.0.0.1:${peerPort}` });

  const startApi = () =>
    startServer(programs.apiserver, apiServerArguments(files, { etcdUrl, port }), {
      log: join(folder, 'apiserver.log'),
      ready: () => isReady(port, files.certificate, token),
      timeoutMs: 120_000,
    });
  let api: ServerProcess;
  try {
    api = await startApi();
  } catch (error) {
    await etcd.stop();
    throw error;
  }
  const commands = {
    stop: () => api.stop('SIGKILL'),
    start: async () => {
      await api.stop('SIGKILL');
      api = await startApi();
    },
    expire: async () => {
      await api.stop('SIGKILL');
      await forgetRevisions(etcdUrl);
      api = await startApi();
    },
  };
  const control = await serveControl(commands);
  const certificate = (await readFile(files.certificate)).toString('base64');
  const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': certificate };
  await writeFile(files.kubeconfig, composeKubeconfig(cluster, token), { mode: 0o600 });
  return {
    kubeconfig: files.kubeconfig,
    auditLog: files.auditLog,
    control: control.url,
    async stop() {
      control.server.close();
      control.server.closeAllConnections();
      // The API server first: without etcd it does not end on SIGTERM.
      await api.stop();
      await etcd.stop();
    },
  };
}

type ServerFiles = Awaited<ReturnType<typeof writeServerFiles>>;

async function writeServerFiles(folder: string, token: string) {
  const files = {
    kubeconfig: join(folder, 'kubeconfig'),
    auditPolicy: join(folder, 'audit-policy.json'),
    auditLog: join(folder, 'audit.log'),
    tokens: join(folder, 'tokens.csv'),
    privateKey: join(folder, 'service-account.key'),
    publicKey: join(folder, 'service-account.pub'),
    certificates: join(folder, 'certificates'),
    certificate: join(folder, 'certificates', 'apiserver.crt'),
  };
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await mkdir(join(folder, 'home'));
  await writeFile(files.auditPolicy, JSON.stringify(AUDIT_POLICY));
  await writeFile(files.tokens, `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  await writeFile(files.privateKey, keys.privateKey, { mode: 0o600 });
  await writeFile(files.publicKey, keys.publicKey);
  return files;
}

function startEtcd(program: string, options: { folder: string; url: string; peerUrl: string }): Promise<ServerProcess> {
  const { folder, url, peerUrl } = options;
  const args = [
    `--data-dir=${join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
  ];
  return startServer(program, args, {
    log: join(folder, 'etcd.log'),
    ready: async () => (await fetch(`${url}/health`)).ok,
  });
}

function apiServerArguments(files: ServerFiles, { etcdUrl, port }: { etcdUrl: string; port: number }): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    // Nothing reaches this server through the Service `kubernetes`, whose endpoint may not be a loopback address.
    '--endpoint-reconciler-type=none',
    `--secure-port=${port}`,
    `--cert-dir=${files.certificates}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${files.privateKey}`,
    `--service-account-key-file=${files.publicKey}`,
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    // Its objects come from the controller manager, which is not here: pods would be refused for lack of them.
    '--disable-admission-plugins=ServiceAccount',
    `--audit-policy-file=${files.auditPolicy}`,
    `--audit-log-path=${files.auditLog}`,
  ];
}

function isReady(port: number, certificate: string, token: string): Promise<boolean> {
  return readFile(certificate).then(
    (ca) =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}` };
        get({ host: '127.0.0.1', port, path: '/readyz', ca, headers, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode === 200);
        }).on('error', reject);
      }),
  );
}

/**
 * Moves etcd's revision on and compacts everything before it. An API server that starts afterwards knows no version that a client
 * has seen; without the write, a client that had seen the very last one would still be served.
 */
async function forgetRevisions(etcdUrl: string): Promise<void> {
  const call = async (path: string, body: object) => {
    const response = await fetch(`${etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd ${path}: ${await response.text()}`);
    return (await response.json()) as { header: { revision: string } };
  };
  const key = Buffer.from('/dirsync-test').toString('base64');
  const { revision } = (await call('put', { key, value: key })).header;
  await call('compaction', { revision, physical: true });
}

async function serveControl(commands: Record<string, () => Promise<void>>): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const command = commands[request.url?.slice(1) ?? ''] ?? (() => Promise.reject(new Error('no such command')));
    command().then(
      () => response.end(),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${port}`, server };
}
