/** A plan as a person reviews it: who comes, what changes, who leaves and why, team by team. */

import type { AttributeChange, HeldBy, Json, ResourceKind } from '../model.ts';
import { checkResources, toDirectoryOf } from '../reconcile/compile.ts';
import type { Commands } from '../reconcile/status.ts';
import { sourceProviders } from '../sources/registry.ts';
import type { StoredOperation } from '../state/store.ts';
import { countAccounts, formatAccounts } from './accounts.ts';
import type { CliIo } from './io.ts';
import { countOperations, formatTally, type OperationFilter, readOperations, takeFirst } from './plan-operations.ts';
import { type PlanPage, paint, printRest, printTitle, type Sign } from './plan-page.ts';
import { printTeams } from './plan-teams.ts';
import { describePerson, type FindName, formatChange } from './plan-values.ts';
import type { SyncRun } from './run-sync.ts';
import { createStyle } from './style.ts';
import { formatCount } from './wording.ts';

export interface PlanTextOptions {
  /** Every person, every value. */
  readonly all: boolean;
  readonly commands: Commands;
  /** Resources of the folder, to tell references from other values. */
  readonly resources: Parameters<typeof checkResources>[0]['resources'];
}

/** People of a list, and members of a team, that are shown without `--all`. */
const PEOPLE_SHOWN = 20;
const CHANGES_SHOWN = 8;

/** @returns how many operations it shows, held ones included */
export async function printPlan(io: CliIo, run: SyncRun, options: PlanTextOptions): Promise<number> {
  const { total } = await countOperations(run.state, run.report.runId);
  const page: PlanPage = {
    run,
    all: options.all,
    style: createStyle(io),
    findName: createNameFinder(run, options),
    line: (text = '') => io.stdout(`${text}\n`),
  };
  if (run.report.takenOver !== null) await page.line(`${run.resource.metadata.name} ${run.report.takenOver.message}.`);
  if (total > 0) {
    await page.line(page.style.bold(formatHeading(run)));
    for (const section of SECTIONS) await printPeople(page, section);
    await printTeams(page);
    await printHeld(page, options.commands);
  }
  await printErrors(page);
  await printWarnings(page);
  await page.line(total === 0 ? formatNothing(run) : await formatTotals(page));
  const accounts = await countAccounts(run);
  if (accounts !== null && accounts.matched + accounts.ambiguous + accounts.unmanaged > 0)
    await page.line(`Accounts: ${formatAccounts(accounts)}.`);
  return total;
}

function formatHeading({ resource, report, deletion }: SyncRun): string {
  const { namespace, name } = resource.metadata;
  const against = report.kind === 'Verify' ? 'against what the target holds' : 'against what was last applied';
  const how = deletion ? `when it is deleted (deletionPolicy ${resource.spec.deletionPolicy})` : against;
  return `${namespace === 'default' ? name : `${namespace}/${name}`}, ${how}`;
}

interface Section {
  readonly title: string;
  readonly sign: Sign;
  readonly filter: OperationFilter;
  /** What stands behind the name. */
  readonly describe: (operation: StoredOperation) => string;
  readonly withChanges: boolean;
}

const ofPeople = (kind: StoredOperation['kind']): OperationFilter['where'] => {
  return (operation) => operation.resource === 'User' && operation.kind === kind && operation.status !== 'held';
};
const toReason = ({ reason }: StoredOperation): string => reason;

const SECTIONS: readonly Section[] = [
  {
    title: 'Link again',
    sign: '+',
    filter: { phase: 'recover', where: ofPeople('recover') },
    describe: toReason,
    withChanges: true,
  },
  {
    title: 'Create',
    sign: '+',
    filter: { phase: 'people', where: ofPeople('create') },
    describe: describePerson,
    withChanges: false,
  },
  {
    title: 'Take over',
    sign: '+',
    filter: { phase: 'people', where: ofPeople('adopt') },
    describe: toReason,
    withChanges: true,
  },
  {
    title: 'Update',
    sign: '~',
    filter: { phase: 'people', where: ofPeople('update') },
    describe: ({ cause, reason }) => (cause === 'drift' ? reason : ''),
    withChanges: true,
  },
  {
    title: 'Rename',
    sign: '~',
    filter: { phase: 'people', where: ofPeople('rename') },
    describe: ({ cause, reason }) => (cause === 'drift' ? reason : ''),
    withChanges: true,
  },
  {
    title: 'Reactivate',
    sign: '+',
    filter: { phase: 'people', where: ofPeople('reactivate') },
    describe: toReason,
    withChanges: true,
  },
  {
    title: 'Deactivate',
    sign: '-',
    filter: { phase: 'deactivate', where: ofPeople('deactivate') },
    describe: toReason,
    withChanges: false,
  },
  {
    title: 'Delete',
    sign: '-',
    filter: { phase: 'deletePeople', where: ofPeople('delete') },
    describe: toReason,
    withChanges: false,
  },
];

async function printPeople(page: PlanPage, section: Section): Promise<void> {
  const { run, all } = page;
  const operations = readOperations(run.state, run.report.runId, section.filter);
  const { first, total } = await takeFirst(operations, all ? Number.POSITIVE_INFINITY : PEOPLE_SHOWN);
  if (total === 0) return;
  await printTitle(page, section.title, total);
  const width = Math.min(40, Math.max(...first.map(({ name }) => name.length)));
  for (const operation of first) {
    const behind = section.describe(operation);
    const name = behind === '' ? operation.name : `${operation.name.padEnd(width)}  ${page.style.dim(behind)}`;
    await page.line(`  ${paint(page.style, section.sign)} ${name}`);
    if (section.withChanges || all) await printChanges(page, operation.changes);
  }
  await printRest(page, total - first.length);
}

async function printChanges(page: PlanPage, changes: readonly AttributeChange[]): Promise<void> {
  const shown = page.all ? changes : changes.slice(0, CHANGES_SHOWN);
  for (const change of shown) {
    const text = await formatChange(change, { whole: page.all, findName: page.findName });
    await page.line(`      ${text}`);
  }
  if (changes.length > shown.length) {
    await page.line(`      ${page.style.dim(`… and ${changes.length - shown.length} more attributes`)}`);
  }
}

export const WHY_HELD: Readonly<Record<HeldBy, string>> = {
  deactivate: 'more people than guards.deactivate lets go without approval',
  delete: 'more people than guards.delete lets go without approval',
  adopt: 'more accounts than guards.adopt lets be taken over without approval',
  reactivate: 'more people than guards.reactivate lets come back without approval',
  rename: 'more people than guards.rename lets be renamed without approval',
  removeMembers: 'more members of one team than guards.removeMembers lets go without approval',
  deleteTeams: 'more teams than guards.deleteTeams lets be deleted or emptied without approval',
  update: 'more people than guards.update lets be changed in one attribute without approval',
  suspect: 'the read lost too much to be trusted with removals',
  recovered: 'links that were rebuilt from the target remove nothing without approval',
};

const SHOWN_WHEN_HELD: ReadonlySet<StoredOperation['kind']> = new Set(['update', 'rename', 'adopt']);

async function printHeld(page: PlanPage, commands: Commands): Promise<void> {
  const { run, style, line, all } = page;
  const { held, suspicion } = run.report;
  if (held.count === 0) return;
  await printTitle(page, style.yellow('Held back until approved'), held.count);
  for (const [kind, count] of Object.entries(held.kinds)) {
    const why = WHY_HELD[kind as HeldBy];
    const sentence = kind === 'suspect' && suspicion !== null ? `${why}: ${suspicion}` : why;
    await line(`  ${formatCount(count, 'unit')} (${kind}): ${sentence}`);
  }
  const operations = readOperations(run.state, run.report.runId, { status: 'held' });
  const { first, total } = await takeFirst(operations, all ? Number.POSITIVE_INFINITY : PEOPLE_SHOWN);
  for (const operation of first) {
    await line(`  ${style.yellow('!')} ${describeHeld(operation)}`);
    // Who approves must see what is approved; that a deactivation switches off needs no line of its own.
    if (SHOWN_WHEN_HELD.has(operation.kind)) await printChanges(page, operation.changes);
  }
  await printRest(page, total - first.length);
  await line(`  hash ${style.bold(held.hash)}`);
  await line(`  review:  ${commands.review} --all`);
  await line(`  approve: ${commands.approve(held.hash)}`);
}

function describeHeld({ kind, resource, name, member, reason }: StoredOperation): string {
  if (member !== null) {
    return `${kind === 'addMembers' ? `add ${member.name} to` : `take ${member.name} out of`} ${name}: ${reason}`;
  }
  return `${kind} ${resource === 'Team' ? `team ${name}` : name}: ${reason}`;
}

async function printErrors(page: PlanPage): Promise<void> {
  const { run, all, line, style } = page;
  const errors = async function* () {
    for await (const some of run.state.journal.errors(run.report.runId)) yield* some;
  };
  const { first, total } = await takeFirst(errors(), all ? Number.POSITIVE_INFINITY : PEOPLE_SHOWN);
  if (total === 0) return;
  await printTitle(page, style.red('Left out because of errors'), total);
  for (const { resource, id, code, message } of first) {
    await line(`  ${style.red('!')} ${resource} ${id}: ${message} (${code})`);
  }
  await printRest(page, total - first.length);
}

async function printWarnings(page: PlanPage): Promise<void> {
  // An invalid rule stands among the errors.
  const warnings = page.run.report.warnings.filter(({ reason }) => reason !== 'InvalidRule');
  if (warnings.length === 0) return;
  await printTitle(page, 'Warnings', warnings.length);
  for (const { message, count } of warnings) {
    await page.line(`  ${page.style.yellow('!')} ${message}${count === undefined ? '' : ` (${count})`}`);
  }
}

function formatNothing({ report, resource, deletion }: SyncRun): string {
  const { active, teams } = report.links;
  const host = toHost(resource.spec.target?.scim?.url);
  if (deletion)
    return `Deleting it changes nothing at ${host} (deletionPolicy ${resource.spec.deletionPolicy ?? 'Retain'}).`;
  return `Nothing to change: ${formatCount(active, 'person', 'people')} and ${formatCount(teams, 'team')} at ${host} are as wanted.`;
}

export function toHost(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : 'the target';
}

async function formatTotals({ run: { state, report }, style }: PlanPage): Promise<string> {
  const going = formatTally(await countOperations(state, report.runId, ['planned']), 'planned');
  const held = report.held.count > 0 ? `${formatCount(report.held.count, 'unit')} held back` : '';
  return `\n${style.bold('Plan:')} ${[going, held].filter((part) => part !== '').join(', ')}.`;
}

/** Ids of people and teams in the target (and here, of those who are still to be created) → names, for what refers to them. */
function createNameFinder({ resource, state }: SyncRun, { resources }: PlanTextOptions): FindName {
  let kinds: ReadonlyMap<string, ResourceKind | null>;
  try {
    const { mapping, teamMapping } = checkResources(
      { resource, resources },
      { provider: toDirectoryOf(resource, sourceProviders) },
    );
    kinds = new Map([...mapping.paths, ...teamMapping.paths].map(([path, { reference }]) => [path, reference]));
  } catch {
    kinds = new Map();
  }
  let teams: Promise<ReadonlyMap<string, string>> | null = null;
  return async ({ path, reference }: AttributeChange, value: Json) => {
    const kind = kinds.get(path) ?? null;
    if (typeof value !== 'string' || kind === null) return null;
    if (kind === 'Team') {
      teams ??= readTeamNames(state);
      return (await teams).get(value) ?? null;
    }
    const link = reference === undefined ? await state.links.byTarget(value) : await state.links.get(value);
    return link?.name ?? null;
  };
}

/** By key, and by the id in the target. */
async function readTeamNames({ links }: SyncRun['state']): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for await (const page of links.teams())
    for (const { key, targetId, displayName } of page) names.set(key, displayName).set(targetId, displayName);
  return names;
}
