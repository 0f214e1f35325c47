/** `dirsync explain USER`: scope, mappings, match, teams and action for one person, step by step. Writes nothing. */
import type { Command } from 'commander';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { createWitness, type Testimony } from '../reconcile/witness.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, toWorstExitCode } from './exit-code.ts';
import { type Explanation, explain } from './explanation.ts';
import { printExplanation, toExplanationJson } from './explanation-text.ts';
import type { CliIo } from './io.ts';
import { withFolderOptions, withOutput } from './options.ts';
import { printFailure } from './outcome.ts';
import { isSuspended, runSync, type SyncRun } from './run-sync.ts';
import { type FolderOptions, openSession, type Session, selectSyncs } from './session.ts';
import { formatCount } from './wording.ts';

export interface ExplainOptions extends FolderOptions {
  readonly output: 'text' | 'json';
}

export function declareExplain(program: Command, context: CommandContext): void {
  const command = program
    .command('explain')
    .description('why one person is, or is not, at the target: step by step; nothing is written')
    .argument('<user>', 'source id, userName or mail address')
    .argument('[name]', 'one DirectorySync; every one of the folder that knows the person without it');
  withOutput(withFolderOptions(command), ['text', 'json']).action(
    (user: string, name: string | undefined, options: ExplainOptions) =>
      runCommand(context, () => explainUser(context.io, { user, name }, options)),
  );
}

/** Whom a DirectorySync does not know is not said there, as long as another one knows them. */
async function explainUser(
  io: CliIo,
  { user, name }: { readonly user: string; readonly name: string | undefined },
  options: ExplainOptions,
): Promise<ExitCode> {
  const session = await openSession({ io, options, command: 'explain' });
  try {
    const answers: Answer[] = [];
    for (const resource of await selectSyncs(session, name)) answers.push(await ask(session, resource, user));
    await print(io, answers, options);
    const known = answers.filter(({ code }) => code !== null);
    if (known.length === 0) for (const { unknown } of answers) io.stderr(`${unknown}\n`);
    return known.length === 0 ? EXIT.failed : toWorstExitCode(known.map(({ code }) => code as ExitCode));
  } finally {
    await session.close();
  }
}

interface Answer {
  readonly run: SyncRun | null;
  readonly explanation: Explanation | null;
  /** Null: this DirectorySync does not know the person. */
  readonly code: ExitCode | null;
  /** Said when none does. */
  readonly unknown: string;
}

const CODES: Readonly<Record<Explanation['result']['state'], ExitCode>> = {
  InSync: EXIT.done,
  Pending: EXIT.done,
  Held: EXIT.held,
  Failed: EXIT.recordsFailed,
  Undecided: EXIT.done,
  OutOfScope: EXIT.done,
  Inactive: EXIT.done,
  Gone: EXIT.done,
  Protected: EXIT.done,
  Drifted: EXIT.done,
};

async function ask(session: Session, resource: DirectorySyncResource, user: string): Promise<Answer> {
  const { name } = resource.metadata;
  const nothing = { run: null, explanation: null, unknown: '' };
  if (isSuspended(resource)) {
    session.io.stderr(`${name} is suspended: nothing was read or written\n`);
    return { ...nothing, code: EXIT.done };
  }
  const witness = createWitness(user);
  // What waits after a failure is told as it stands: nobody asks for another try.
  const run = await runSync(session, resource, { planOnly: true, tryAll: false, witness });
  if (await printFailure(session, run)) return { ...nothing, code: EXIT.failed };
  const [testimony, ...others] = witness.testimonies();
  if (testimony === undefined)
    return { ...nothing, code: null, unknown: describeUnknown(name, user, witness.records()) };
  if (others.length > 0) {
    session.io.stderr(`${describeSeveral(name, user, [testimony, ...others])}\n`);
    return { ...nothing, code: EXIT.failed };
  }
  const explanation = await explain({ run, testimony, approve: session.commands.approve });
  return { ...nothing, run, explanation, code: CODES[explanation.result.state] };
}

function describeUnknown(name: string, user: string, records: number): string {
  const read = `the read of the source is complete and has ${formatCount(records, 'person', 'people')}`;
  return `${name}: nobody has the source id, userName or mail address ${JSON.stringify(user)}: ${read}, and no account is linked to such a person`;
}

function describeSeveral(name: string, user: string, testimonies: readonly Testimony[]): string {
  const ids = testimonies.map(({ sourceId }) => sourceId).join(', ');
  return `${name}: ${JSON.stringify(user)} names ${testimonies.length} people (source ids ${ids}); give one of the ids`;
}

async function print(io: CliIo, answers: readonly Answer[], { output }: ExplainOptions): Promise<void> {
  const told = answers.flatMap(({ run, explanation }) =>
    run === null || explanation === null ? [] : [{ run, explanation }],
  );
  if (output === 'json') {
    if (told.length === 0) return;
    const items = await Promise.all(told.map(({ run, explanation }) => toExplanationJson(run, explanation)));
    await io.stdout(`${JSON.stringify(items.length === 1 ? items[0] : { items }, null, 2)}\n`);
    return;
  }
  for (const [index, { run, explanation }] of told.entries()) {
    if (index > 0) await io.stdout('\n');
    await printExplanation(io, run, explanation);
  }
}
