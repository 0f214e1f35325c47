/** `dirsync approve HASH`: releases a held set, at once. */
import type { Command } from 'commander';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { finishRun } from './apply.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { parseHash, withFolderOptions, withOutput } from './options.ts';
import { isSuspended, readStatus, runSync } from './run-sync.ts';
import { type FolderOptions, openSession, type Session, selectSyncs } from './session.ts';

export interface ApproveOptions extends FolderOptions {
  readonly output: 'text' | 'json';
}

export function declareApprove(program: Command, context: CommandContext): void {
  const command = program
    .command('approve')
    .description('release the held set with this hash, at once, on whichever DirectorySync holds it')
    .argument('<hash>', 'as plan and apply print it', parseHash);
  withOutput(withFolderOptions(command), ['text', 'json']).action((hash: string, options: ApproveOptions) =>
    runCommand(context, () => approve(context.io, hash, options)),
  );
}

async function approve(io: CliIo, hash: string, options: ApproveOptions): Promise<ExitCode> {
  const session = await openSession({ io, options, command: 'approve' });
  try {
    const syncs = (await selectSyncs(session, undefined)).filter((resource) => !isSuspended(resource));
    for (const resource of sortByHolder(session, syncs, hash)) {
      const run = await runSync(session, resource, { approve: hash, approvedBy: io.user });
      if (run.report.reason === 'ApprovalMismatch') {
        io.stderr(`${resource.metadata.name}: ${run.report.message}\n`);
        continue;
      }
      const code = await finishRun(session, run, options);
      if (options.output === 'json') await io.stdout('\n');
      return code;
    }
    io.stderr(`${hash} names nothing that is held; nothing was written\n`);
    return EXIT.failed;
  } finally {
    await session.close();
  }
}

/** Whoever said that it holds this set comes first; a set that only a plan has shown is looked for in all. */
function sortByHolder(
  session: Session,
  syncs: readonly DirectorySyncResource[],
  hash: string,
): readonly DirectorySyncResource[] {
  const holds = (resource: DirectorySyncResource): boolean => readStatus(session, resource)?.held?.hash === hash;
  const holders = syncs.filter(holds);
  return holders.length > 0 ? holders : syncs;
}
