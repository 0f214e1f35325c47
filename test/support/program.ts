import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

export interface ProgramResult {
  stdout: string;
  stderr: string;
  /** Exit code; 128 and more when a signal ended the program or it did not end in time. */
  code: number;
}

export interface ProgramOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Written to standard input, which is empty otherwise. */
  input?: string;
  /** Milliseconds until the program is killed. Default 60,000. */
  timeoutMs?: number;
}

/** Runs a program to its end. A code other than 0 is a result; only a program that cannot be started rejects. */
export function runProgram(file: string, args: string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // A program that ends before it has read its input closes the pipe; its exit code says what happened.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', reject);
    child.on('close', (code) => resolve({ stdout, stderr, code: code ?? 128 }));
  });
}

/** Runs a program that has to succeed and returns its standard output; the error ends with what the program said last. */
export async function requireSuccess(file: string, args: string[], options: ProgramOptions = {}): Promise<string> {
  const { stdout, stderr, code } = await runProgram(file, args, options);
  if (code !== 0)
    throw new Error(`${file} ${args[0] ?? ''} ended with ${code}: ${(stderr || stdout).trim().slice(-2000)}`);
  return stdout;
}

/** A loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
