/** `dirsync sync-user ID`: one person, now. */
import type { Command } from 'commander';
import { finishRun } from './apply.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, toWorstExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { withFolderOptions, withOutput } from './options.ts';
import { isSuspended, runSync, type SyncRun } from './run-sync.ts';
import { type FolderOptions, openSession, selectSyncs } from './session.ts';

export interface SyncUserOptions extends FolderOptions {
  readonly output: 'text' | 'json';
}

export function declareSyncUser(program: Command, context: CommandContext): void {
  const command = program
    .command('sync-user')
    .description('take one person through now, by the same plan and guards; nobody else is touched')
    .argument('<id>', 'source id of the person')
    .argument('[name]', 'one DirectorySync; every one of the folder that knows the person without it');
  withOutput(withFolderOptions(command), ['text', 'json']).action(
    (id: string, name: string | undefined, options: SyncUserOptions) =>
      runCommand(context, () => syncUser(context.io, { id, name }, options)),
  );
}

async function syncUser(
  io: CliIo,
  { id, name }: { id: string; name: string | undefined },
  options: SyncUserOptions,
): Promise<ExitCode> {
  const session = await openSession({ io, options, command: 'sync-user' });
  try {
    const codes: ExitCode[] = [];
    for (const resource of (await selectSyncs(session, name)).filter((each) => !isSuspended(each))) {
      const run = await runSync(session, resource, { user: id });
      if (isUnknown(run)) continue;
      codes.push(await finishRun(session, run, options));
      if (options.output === 'json') await io.stdout('\n');
    }
    if (codes.length > 0) return toWorstExitCode(codes);
    io.stderr(`neither source nor state knows anybody with the source id ${JSON.stringify(id)}; nothing was written\n`);
    return EXIT.failed;
  } finally {
    await session.close();
  }
}

/** Of several DirectorySyncs not each has everybody. */
function isUnknown({ report }: SyncRun): boolean {
  return report.failedStep === null && report.failures[0]?.code === 'NotFound' && report.applied.create === 0;
}
