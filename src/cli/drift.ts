/** `dirsync drift`: what was changed by hand in the target. Reads, and writes nothing. */
import type { Command } from 'commander';
import { withDefaults } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { Finding } from '../state/store.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, toWorstExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { withFolderOptions, withOutput } from './options.ts';
import { printFailure } from './outcome.ts';
import { printItems, printList } from './plan-json.ts';
import { toHost } from './plan-text.ts';
import { formatValue, shortenPath } from './plan-values.ts';
import { isSuspended, runSync, type SyncRun } from './run-sync.ts';
import { type FolderOptions, openSession, type Session, selectSyncs } from './session.ts';
import { createStyle } from './style.ts';
import { formatCount, formatNumber } from './wording.ts';

export interface DriftOptions extends FolderOptions {
  readonly output: 'text' | 'json';
  readonly detailedExitcode?: boolean;
}

export function declareDrift(program: Command, context: CommandContext): void {
  const command = program
    .command('drift')
    .description('read the whole target, and print what was changed there by hand; nothing is written')
    .argument('[name]', 'one DirectorySync; all of the folder without it')
    .option('--detailed-exitcode', 'end with 2 when something was changed by hand');
  withOutput(withFolderOptions(command), ['text', 'json']).action((name: string | undefined, options: DriftOptions) =>
    runCommand(context, () => drift(context.io, name, options)),
  );
}

async function drift(io: CliIo, name: string | undefined, options: DriftOptions): Promise<ExitCode> {
  const session = await openSession({ io, options, command: 'drift' });
  try {
    const syncs = await selectSyncs(session, name);
    const codes: ExitCode[] = [];
    const one = async (resource: DirectorySyncResource): Promise<void> => {
      codes.push(await driftOne(session, resource, options));
    };
    if (options.output === 'json') await printItems(io, syncs, one);
    else for (const resource of syncs) await one(resource);
    if (codes.includes(EXIT.failed)) return EXIT.failed;
    return codes.includes(EXIT.changesPending) ? EXIT.changesPending : toWorstExitCode(codes);
  } finally {
    await session.close();
  }
}

async function driftOne(session: Session, resource: DirectorySyncResource, options: DriftOptions): Promise<ExitCode> {
  const { io } = session;
  if (isSuspended(resource)) {
    io.stderr(`${resource.metadata.name} is suspended: nothing was read or written\n`);
    if (options.output === 'json') await io.stdout(JSON.stringify({ directorySync: toFullName(resource) }));
    return EXIT.done;
  }
  const run = await runSync(session, resource, { planOnly: true, resync: true, findings: true });
  const isFailed = await printFailure(session, run);
  if (!isFailed && run.report.drift?.unreadTeams) printUnread(io, run, run.report.drift.unreadTeams);
  if (options.output === 'json') await printJson(io, run);
  else if (!isFailed) await printText(io, run);
  if (isFailed) return EXIT.failed;
  return options.detailedExitcode === true && countChanged(run) > 0 ? EXIT.changesPending : EXIT.done;
}

function toFullName({ metadata }: DirectorySyncResource): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function printUnread(io: CliIo, { resource }: SyncRun, count: number): void {
  const teams = formatCount(count, 'team');
  io.stderr(
    `${resource.metadata.name}: warning: the target does not tell the members of ${teams}: whether they were changed is not known\n`,
  );
}

function countChanged({ report }: SyncRun): number {
  const { attributes = 0, memberships = 0, missing = 0 } = report.drift ?? {};
  return attributes + memberships + missing;
}

async function* readFindings({ state, report }: SyncRun): AsyncGenerator<Finding> {
  for await (const page of state.journal.findings(report.runId)) yield* page;
}

async function printJson(io: CliIo, run: SyncRun): Promise<void> {
  const { resource, report } = run;
  const { runId, reason, message } = report;
  const isFailed = report.failedStep !== null || report.stopped;
  const head = {
    directorySync: toFullName(resource),
    run: runId,
    ...(isFailed ? { reason, message } : { policy: withDefaults(resource).drift.policy, drift: report.drift }),
  };
  await io.stdout(JSON.stringify(head, null, 2).slice(0, -2));
  if (!isFailed) await printList(io, 'findings', readFindings(run));
  await io.stdout('\n}');
}

async function printText(io: CliIo, run: SyncRun): Promise<void> {
  const { resource, report } = run;
  const line = (text = ''): Promise<void> => io.stdout(`${text}\n`);
  const { name } = resource.metadata;
  if (report.links.people + report.links.teams === 0) return line(`${name}: nothing is managed yet`);
  const style = createStyle(io);
  let last = '';
  for await (const finding of readFindings(run)) {
    const heading = toHeading(finding);
    if (heading !== last) await line(`${style.bold(heading)}`);
    last = heading;
    await line(`  ${describeFinding(finding)}`);
  }
  if (last !== '') await line();
  await line(`${name}: ${describeCounts(run)}`);
}

function toHeading({ kind, resource, id, name }: Finding): string {
  if (kind === 'unmanaged') return 'Accounts that belong to nobody';
  return resource === 'Team' ? `Team ${name}` : `${name} (${id})`;
}

function describeFinding({ kind, resource, name, targetId, attribute, member }: Finding): string {
  if (kind === 'unmanaged') return `? ${name} (${targetId})`;
  if (attribute !== null) {
    const { path, applied, found } = attribute;
    return `~ ${shortenPath(path)}: ${formatValue(applied, true)} → ${formatValue(found, true)}`;
  }
  if (member !== null) {
    const who = member.sourceId === null ? `${member.name}, whom Dirsync does not know,` : member.name;
    return `${member.change === 'added' ? '+' : '-'} ${who} was ${member.change}`;
  }
  return `- the ${resource === 'Team' ? 'team' : 'account'} ${targetId} does not exist any more`;
}

function describeCounts(run: SyncRun): string {
  const { report, resource } = run;
  const { attributes = 0, memberships = 0, missing = 0, unmanaged = 0 } = report.drift ?? {};
  const { people, active, teams } = report.links;
  // Who is away has an account that was looked at too.
  const away = people === active ? '' : ` (${formatNumber(people - active)} deactivated)`;
  const where = `${formatCount(people, 'person', 'people')}${away} and ${formatCount(teams, 'team')} at ${toHost(resource.spec.target?.scim?.url)}`;
  const stranger =
    unmanaged === 0
      ? ''
      : `; ${formatCount(unmanaged, 'account belongs to nobody and stays', 'accounts belong to nobody and stay')}`;
  if (countChanged(run) === 0) return `no drift: ${where} are as they were applied${stranger}`;
  const counts = [
    [attributes, 'value', 'values'],
    [memberships, 'membership', 'memberships'],
    [missing, 'account or team gone', 'accounts or teams gone'],
  ] as const;
  const words = counts.filter(([count]) => count > 0).map(([count, one, many]) => formatCount(count, one, many));
  const repairs = withDefaults(resource).drift.policy === 'Repair';
  const next = repairs ? 'the next look repairs them' : 'they stay, for drift.policy is Report';
  return `drift among ${where}: ${words.join(', ')}; ${next}${stranger}`;
}
