/** The part of a plan's page that goes team by team. */
import type { StoredOperation } from '../state/store.ts';
import { readOperations } from './plan-operations.ts';
import { type PlanPage, paint, printRest, printTitle } from './plan-page.ts';
import { formatChange } from './plan-values.ts';
import { formatNumber } from './wording.ts';

const TEAMS_SHOWN = 30;
const NAMES_SHOWN = 10;

interface Member {
  readonly name: string;
  readonly reason: string;
}

/** What the plan does to one team; of long lists only the first names are kept. */
interface TeamChanges {
  readonly name: string;
  /** Operations on the team itself. */
  readonly own: StoredOperation[];
  readonly join: Member[];
  readonly leave: Member[];
  joining: number;
  leaving: number;
}

export async function printTeams(page: PlanPage): Promise<void> {
  const { all } = page;
  const limit = all ? Number.POSITIVE_INFINITY : TEAMS_SHOWN;
  const total = await countTeams(page);
  if (total === 0) return;
  await printTitle(page, 'Teams', total);
  let shown = 0;
  for await (const team of readTeams(page)) {
    if (shown >= limit) break;
    shown += 1;
    await printTeam(page, team);
  }
  await printRest(page, total - shown);
}

const isOfTeam = ({ resource, status }: StoredOperation): boolean => resource === 'Team' && status !== 'held';

async function countTeams({ run }: PlanPage): Promise<number> {
  let total = 0;
  let last = '';
  for await (const { id } of readOperations(run.state, run.report.runId, { where: isOfTeam })) {
    if (id !== last) total += 1;
    last = id;
  }
  return total;
}

/** Operations of one team follow each other in the plan. */
async function* readTeams({ run, all }: PlanPage): AsyncGenerator<TeamChanges> {
  const kept = all ? Number.POSITIVE_INFINITY : NAMES_SHOWN;
  let key = '';
  let team: TeamChanges | null = null;
  for await (const operation of readOperations(run.state, run.report.runId, { where: isOfTeam })) {
    if (operation.id !== key) {
      if (team !== null) yield team;
      key = operation.id;
      team = { name: operation.name, own: [], join: [], leave: [], joining: 0, leaving: 0 };
    }
    if (team !== null) add(team, operation, kept);
  }
  if (team !== null) yield team;
}

function add(team: TeamChanges, operation: StoredOperation, kept: number): void {
  const { member, kind, reason } = operation;
  if (member === null) {
    team.own.push(operation);
    return;
  }
  const joins = kind === 'addMembers';
  const list = joins ? team.join : team.leave;
  if (joins) team.joining += 1;
  else team.leaving += 1;
  if (list.length < kept) list.push({ name: member.name, reason });
}

async function printTeam(page: PlanPage, team: TeamChanges): Promise<void> {
  const { line, style, all, findName } = page;
  const kinds = new Set(team.own.map(({ kind }) => kind));
  const sign = kinds.has('create') ? '+' : kinds.has('delete') ? '-' : '~';
  await line(`  ${paint(style, sign)} ${team.name}  ${style.dim(describeTeam(team, kinds))}`);
  for (const { kind, changes } of team.own) {
    if (kind !== 'update' && kind !== 'recover') continue;
    for (const change of changes) await line(`      ${await formatChange(change, { whole: all, findName })}`);
  }
  await printJoiners(page, team);
  for (const { name, reason } of team.leave) await line(`      ${paint(style, '-')} ${name}  ${style.dim(reason)}`);
  await printRest(page, team.leaving - team.leave.length, '        ');
}

function describeTeam({ joining, leaving }: TeamChanges, kinds: ReadonlySet<string>): string {
  const words = [
    ...(kinds.has('create') ? ['new'] : []),
    ...(kinds.has('adopt') ? ['taken over'] : []),
    ...(kinds.has('recover') ? ['linked again'] : []),
    ...(kinds.has('delete') ? ['deleted'] : []),
    ...(joining > 0 ? [`${formatNumber(joining)} ${joining === 1 ? 'joins' : 'join'}`] : []),
    ...(leaving > 0 ? [`${formatNumber(leaving)} ${leaving === 1 ? 'leaves' : 'leave'}`] : []),
  ];
  return words.join(', ');
}

/** Joiners of one rule need no reason each. */
async function printJoiners(page: PlanPage, { join, joining }: TeamChanges): Promise<void> {
  const { line, style } = page;
  for (const { name } of join) await line(`      ${paint(style, '+')} ${name}`);
  await printRest(page, joining - join.length, '        ');
}
