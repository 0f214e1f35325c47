/** What a command may touch of its surroundings, so that every command can run inside a test. */

import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';

export interface CliIo {
  /** Results. Resolves when the reader may be given more. */
  stdout(text: string): Promise<void>;
  /** Everything else. */
  stderr(text: string): void;
  /** The answer to a question of one line; empty at the end of the input. */
  ask(question: string): Promise<string>;
  readonly isTTY: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Characters of a line of the terminal; null where there is none. */
  columns(): number | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Who types, for the history. */
  readonly user: string;
  readonly now: () => Date;
  /** The first signal: what is under way is ended and written down. */
  readonly stopping: AbortSignal;
  /** The second one: requests under way are cut. */
  readonly hard: AbortSignal;
}

/** A path as typed, where it is meant to lie: tests have another working directory than their process. */
export function toPath(io: Pick<CliIo, 'cwd'>, path: string): string {
  return io.cwd === process.cwd() ? path : resolve(io.cwd, path);
}

/** Connects a command to this process: its streams and its signals. */
export function createProcessIo(): CliIo {
  const stopping = new AbortController();
  const hard = new AbortController();
  let stdoutOpen = true;
  // Whoever reads may stop early (`| head`); what was begun goes on.
  process.stdout.on('error', () => {
    stdoutOpen = false;
  });
  process.stderr.on('error', () => undefined);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) hard.abort();
      stopping.abort();
    });
  }
  return {
    stdout: (text) => (stdoutOpen ? write(text) : Promise.resolve()),
    stderr: (text) => process.stderr.write(text),
    ask: (question) => ask(question, stopping.signal),
    isTTY: { stdin: process.stdin.isTTY, stdout: process.stdout.isTTY, stderr: process.stderr.isTTY },
    columns: () => process.stdout.columns ?? process.stderr.columns ?? null,
    env: process.env,
    cwd: process.cwd(),
    user: readUser(),
    now: () => new Date(),
    stopping: stopping.signal,
    hard: hard.signal,
  };
}

function write(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return await Promise.race([lines.question(question, { signal }).catch(() => ''), ended]);
  } finally {
    lines.close();
  }
}

/** A container's user may have no name. */
function readUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
