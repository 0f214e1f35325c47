import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached } from '../support/build-cache.ts';
import { freePort, requireSuccess, runProgram } from '../support/program.ts';
import { startServer } from '../support/server-process.ts';

/** A SCIM server from PyPI that nobody of this project wrote. It keeps its resources in memory. */
const SCIM2_SERVER = ['scim2-server==0.8.3'];

/** A test suite for SCIM servers, and the client that it stands on, of the same authors; the parts that decide on results. */
export const SCIM2_TESTER = [
  'scim2-tester==0.5.2',
  'scim2-client[httpx2]==0.13.2',
  'scim2-models==0.12.3',
  'httpx2==2.16.2',
  'pydantic==2.14.4',
];

export interface Scim2Server {
  /** Base address without a slash at the end, `http://127.0.0.1:<port>/v2`. */
  readonly url: string;
  /** The one bearer token that it takes. */
  readonly token: string;
  stop(): Promise<void>;
}

/** Starts an empty scim2-server on a free loopback port; the caller stops it. */
export async function startScim2Server(): Promise<Scim2Server> {
  const python = await resolvePython(SCIM2_SERVER);
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-scim2-'));
  const token = randomBytes(16).toString('hex');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/v2`;
  const args = ['-m', 'scim2_server.testserver.cli', '--port', String(port), '--bearer-token', token];
  const authorization = `Bearer ${token}`;
  const server = await startServer(python, args, {
    log: join(folder, 'log'),
    ready: async () => (await fetch(`${url}/ServiceProviderConfig`, { headers: { authorization } })).ok,
  });
  return {
    url,
    token,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Python of a virtual environment that has these packages, made the first time and then kept. Programs in it are run as modules: the
 * scripts in its `bin` name the folder where it was made. Rejects with one line that says what is missing.
 */
export async function resolvePython(requirements: readonly string[]): Promise<string> {
  const version = await readPythonVersion();
  const name = `${requirements.join('-')}-${version}`.replaceAll(/[^\w.]+/g, '-').toLowerCase();
  const folder = await cached(name, async (folder) => {
    const venv = await runProgram('python3', ['-m', 'venv', folder]);
    if (venv.code !== 0) throw new Error('test:services: python3 -m venv does not work: install python3-venv');
    await requireSuccess(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...requirements], {
      timeoutMs: 300_000,
    });
  });
  return join(folder, 'bin/python');
}

/** Rejects with one line when there is none. */
export async function readPythonVersion(): Promise<string> {
  const version = await runProgram('python3', ['--version']).catch(() => undefined);
  if (version?.code !== 0) throw new Error('test:services: python3 is not in PATH: install Python 3.11 or later');
  return version.stdout.trim();
}
