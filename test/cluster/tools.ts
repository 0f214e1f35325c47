import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { cached, findCached } from '../support/build-cache.ts';
import { requireSuccess, runProgram } from '../support/program.ts';
import { resolveHelm } from './helm.ts';

/** Paths of the programs that the cluster suite runs. */
export interface Tools {
  /** Both are missing when an existing cluster is used (DIRSYNC_TEST_KUBECONFIG): no server is started then. */
  servers?: { apiserver: string; etcd: string };
  kubectl: string;
  helm: string;
}

/** What `kubectl version` says of a server that is built here. */
export const KUBERNETES_VERSION = 'v1.36.3';

const MODULE = import.meta.dirname;
const OLDEST_GO = [1, 26] as const;
const VERSION_PACKAGE = 'k8s.io/component-base/version';
const LINK_FLAGS = [
  '-s -w',
  `-X ${VERSION_PACKAGE}.gitVersion=${KUBERNETES_VERSION}`,
  `-X ${VERSION_PACKAGE}.gitMajor=1`,
  `-X ${VERSION_PACKAGE}.gitMinor=36`,
].join(' ');
const BUILD_FLAGS = ['-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags', LINK_FLAGS];

/**
 * Finds or builds what the suite needs, in this order: the cluster of DIRSYNC_TEST_KUBECONFIG (kubectl from PATH, else built), the
 * folder KUBEBUILDER_ASSETS, or everything built from Go modules, once per content of go.sum. Rejects with a message of one line that
 * says what is missing: a suite that cannot run has failed.
 */
export async function resolveTools(env: NodeJS.ProcessEnv = process.env): Promise<Tools> {
  if (env['DIRSYNC_TEST_KUBECONFIG']) {
    if (!existsSync(env['DIRSYNC_TEST_KUBECONFIG'])) throw new Error('DIRSYNC_TEST_KUBECONFIG names no file');
    const kubectl = findInPath('kubectl', env) ?? (await buildFromModules(env)).kubectl;
    return { kubectl, helm: await resolveHelm() };
  }
  const { apiserver, etcd, kubectl } = env['KUBEBUILDER_ASSETS']
    ? findAssets(env['KUBEBUILDER_ASSETS'])
    : await buildFromModules(env);
  return { servers: { apiserver, etcd }, kubectl, helm: await resolveHelm() };
}

interface Built {
  apiserver: string;
  etcd: string;
  kubectl: string;
}

function builtIn(folder: string): Built {
  return { apiserver: join(folder, 'kube-apiserver'), etcd: join(folder, 'etcd'), kubectl: join(folder, 'kubectl') };
}

function findAssets(folder: string): Built {
  const built = builtIn(folder);
  const missing = Object.values(built).filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`KUBEBUILDER_ASSETS lacks ${missing.join(', ')}`);
  return built;
}

async function buildFromModules(env: NodeJS.ProcessEnv): Promise<Built> {
  const hash = createHash('sha256').update(JSON.stringify([BUILD_FLAGS, process.platform, process.arch]));
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(MODULE, file)));
  const name = `kubernetes-${KUBERNETES_VERSION}-${hash.digest('hex').slice(0, 12)}`;
  const found = findCached(name);
  if (found) return builtIn(found);
  await requireGo(env);
  const folder = await cached(name, async (folder) => {
    await goBuild(folder, 'kube-apiserver and kubectl (about 4 minutes the first time)', [
      'k8s.io/kubernetes/cmd/kube-apiserver',
      'k8s.io/kubernetes/cmd/kubectl',
    ]);
    await goBuild(join(folder, 'etcd'), 'etcd', ['go.etcd.io/etcd/server/v3']);
  });
  return builtIn(folder);
}

async function goBuild(output: string, what: string, packages: string[]): Promise<void> {
  process.stderr.write(`test:cluster: building ${what}\n`);
  const started = Date.now();
  await requireSuccess('go', ['build', ...BUILD_FLAGS, '-o', output, ...packages], {
    cwd: MODULE,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    timeoutMs: 40 * 60_000,
  });
  process.stderr.write(`test:cluster: built in ${Math.round((Date.now() - started) / 1000)} s\n`);
}

async function requireGo(env: NodeJS.ProcessEnv): Promise<void> {
  const others = 'or set KUBEBUILDER_ASSETS or DIRSYNC_TEST_KUBECONFIG';
  const wanted = OLDEST_GO.join('.');
  const go = findInPath('go', env);
  if (!go) throw new Error(`Go is not in PATH: install Go ${wanted} or later, ${others}`);
  const { stdout } = await runProgram(go, ['env', 'GOVERSION'], { cwd: '/', env });
  const [, major = '0', minor = '0'] = /^go(\d+)\.(\d+)/.exec(stdout) ?? [];
  const newEnough = Number(major) > OLDEST_GO[0] || (Number(major) === OLDEST_GO[0] && Number(minor) >= OLDEST_GO[1]);
  if (!newEnough)
    throw new Error(
      `Go ${wanted} or later is needed and ${stdout.trim() || 'no version'} was found: update it, ${others}`,
    );
}

function findInPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
