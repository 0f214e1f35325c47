import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServerProcess {
  readonly pid: number;
  /** Sends the signal and waits for the end; SIGKILL follows when the process is still there after 10 s. Does nothing the second time. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** What it ended with by itself; null while it runs, and when a signal ended it. */
  exitCode(): number | null;
}

export interface ServerOptions {
  /** File that gets both outputs, appended. */
  log: string;
  env?: NodeJS.ProcessEnv;
  /** True as soon as the server answers; asked every 50 ms. A rejection counts as not yet. */
  ready: () => Promise<boolean>;
  /** Milliseconds until a server that is not ready is given up. Default 60,000. */
  timeoutMs?: number;
}

/**
 * Starts a server and waits until it is ready; rejects with the end of its log when it ends before or is not ready in time.
 * It never outlives the process that started it, whatever ends that one: a shell waits on a pipe from here and kills the server
 * when the pipe closes.
 */
export async function startServer(file: string, args: string[], options: ServerOptions): Promise<ServerProcess> {
  const log = openSync(options.log, 'a');
  const child = spawn(file, args, { env: options.env ?? process.env, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(child, 'exit').then(
    () => undefined,
    (error: unknown) => error,
  );
  const { pid } = child;
  if (pid === undefined) throw await ended;
  const guard = spawn('sh', ['-c', 'trap "" INT TERM HUP; read -r line; kill -9 "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.once('exit', () => guard.kill('SIGKILL'));

  const server: ServerProcess = {
    pid,
    exitCode: () => child.exitCode,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  while (!(await options.ready().catch(() => false))) {
    const running = child.exitCode === null && child.signalCode === null;
    if (!running || Date.now() > deadline) {
      await server.stop('SIGKILL');
      const tail = (await readFile(options.log, 'utf8')).slice(-2000);
      throw new Error(`${file} ${running ? 'was not ready in time' : 'ended'}:\n${tail}`);
    }
    await Promise.race([delay(50), ended]);
  }
  return server;
}
