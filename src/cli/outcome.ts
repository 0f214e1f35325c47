/** What a run came to, in lines for a person. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { PLAN_COUNT_NAMES } from '../api/directory-sync-status.ts';
import { readManifests } from '../local/manifests.ts';
import type { RecordError } from '../model.ts';
import { type CliIo, toPath } from './io.ts';
import { countOperations, formatTally, takeFirst } from './plan-operations.ts';
import { toHost } from './plan-text.ts';
import { printProblems } from './problems.ts';
import type { SyncRun } from './run-sync.ts';
import type { Session } from './session.ts';
import { findErrors } from './validation.ts';
import { formatCount, formatDuration, formatNumber } from './wording.ts';

const ERRORS_SHOWN = 10;

/** True when the run ended before it had done what it was for; then the reason is on standard error. */
export async function printFailure(session: Session, { resource, report }: SyncRun): Promise<boolean> {
  const { io } = session;
  const { name } = resource.metadata;
  if (report.stopped) {
    const done = PLAN_COUNT_NAMES.reduce((sum, count) => sum + (report.applied[count] ?? 0), 0);
    const what =
      done === 0 ? 'nothing was written' : `${formatCount(done, 'operation was', 'operations were')} carried out`;
    io.stderr(`${name}: stopped before it was done: ${what}; the next run goes on\n`);
    return true;
  }
  if (report.failedStep === null) return false;
  const errors = report.reason === 'Invalid' ? await printErrors(session, resource) : 0;
  if (errors > 0) {
    const count = formatCount(errors, 'error');
    io.stderr(`${name}: Invalid: ${count} in ${session.options.filename}, named above; nothing was read or written\n`);
    return true;
  }
  const hint = report.message.startsWith('unexpected ') ? ' (--log-level debug shows it)' : '';
  io.stderr(`${name}: ${report.reason}: ${report.message}${hint}\n`);
  return true;
}

/**
 * Errors of the resources that stall this one, by file and line; those that a schema shows stand on standard error since
 * the folder was read. Returns how many there are.
 */
async function printErrors({ io, options }: Session, resource: DirectorySyncResource): Promise<number> {
  const set = await readManifests(toPath(io, options.filename));
  const { ofSchemas, ofContents } = await findErrors(set, resource);
  await printProblems(io, options.filename, ofContents);
  return ofSchemas.length + ofContents.length;
}

/** The line (or lines) at the end of `apply` and `approve`. */
export async function printOutcome(session: Session, run: SyncRun): Promise<void> {
  const { io, commands } = session;
  const { report, resource } = run;
  const { name } = resource.metadata;
  const line = (text: string): Promise<void> => io.stdout(`${text}\n`);
  if (report.takenOver !== null) await line(`${name}: ${report.takenOver.message}`);
  await line(`${name}: ${await describeDone(run)} (${describeCost(run)})`);
  if (report.held.count > 0) {
    const kinds = Object.entries(report.held.kinds).map(([kind, count]) => `${formatNumber(count)} ${kind}`);
    const operations = formatCount(report.held.count, 'unit waits', 'units wait');
    const of = `${name}: ${operations} for approval (${kinds.join(', ')})`;
    if (report.kind === 'OneUser') return line(`${of}; dirsync plan shows them with their hash`);
    await line(`${of}, hash ${report.held.hash}`);
    if (report.suspicion !== null) await line(`  why:     ${report.suspicion}`);
    await line(`  review:  ${commands.review}`);
    await line(`  approve: ${commands.approve(report.held.hash)}`);
  }
  await printRecordErrors(session, run);
}

async function describeDone({ report, resource, state }: SyncRun): Promise<string> {
  const tally = await countOperations(state, report.runId, ['done']);
  if (tally.total > 0) return formatTally(tally, 'done');
  const { active, teams } = report.links;
  const there = `${formatCount(active, 'person', 'people')} and ${formatCount(teams, 'team')} at ${toHost(resource.spec.target?.scim?.url)}`;
  if (report.held.count > 0 || report.people.failed > 0) return `nothing was changed: ${there}`;
  return `nothing changes: ${there} are as wanted`;
}

function describeCost({ report }: SyncRun): string {
  const { source, target } = report.requests;
  const took = formatDuration(report.finishedAt.getTime() - report.startedAt.getTime());
  return `${formatCount(source + target, 'request')}, ${took}`;
}

async function printRecordErrors({ io }: Session, { report, resource, state }: SyncRun): Promise<void> {
  const { failed } = report.people;
  if (failed === 0) return;
  const errors = async function* (): AsyncGenerator<RecordError> {
    for await (const page of state.journal.errors(report.runId)) yield* page;
  };
  const { first, total } = await takeFirst(errors(), ERRORS_SHOWN);
  io.stderr(`${resource.metadata.name}: ${formatCount(failed, 'record')} failed:\n`);
  for (const { resource: kind, id, code, message } of first) io.stderr(`  ${kind} ${id}: ${message} (${code})\n`);
  if (total > first.length) {
    const rest = formatNumber(total - first.length);
    io.stderr(`  … and ${rest} more: dirsync history ${resource.metadata.name} ${report.runId}\n`);
  }
}

/** An invalid rule stands among the records that failed. */
export function printWarnings(io: Pick<CliIo, 'stderr'>, { report, resource }: SyncRun): void {
  for (const { message, count } of report.warnings.filter(({ reason }) => reason !== 'InvalidRule')) {
    io.stderr(
      `${resource.metadata.name}: warning: ${message}${count === undefined ? '' : ` (${formatNumber(count)})`}\n`,
    );
  }
}
