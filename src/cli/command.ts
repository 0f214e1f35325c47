/** How a command's function becomes an exit code, whatever it throws. */
import { SyncError } from '../errors.ts';
import { EXIT, type ExitCode, UsageError } from './exit-code.ts';
import type { CliIo } from './io.ts';

export interface CommandContext {
  readonly io: CliIo;
  /** Told once, by the command that ran. */
  finish(code: ExitCode): void;
}

export async function runCommand({ io, finish }: CommandContext, run: () => Promise<ExitCode>): Promise<void> {
  try {
    finish(await run());
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      io.stderr(`dirsync: ${thrown.message}\n`);
      finish(EXIT.wrongUsage);
      return;
    }
    const { code, message, cause } = SyncError.from(thrown);
    if (code === 'Unknown' && cause instanceof Error) io.stderr(`${cause.stack ?? cause.message}\n`);
    io.stderr(`dirsync: ${message}\n`);
    finish(EXIT.failed);
  }
}
