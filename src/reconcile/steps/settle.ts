/**
 * What was begun and not finished when an earlier run died is settled by asking the target (rule I6). Nothing unsent of
 * an old plan is ever sent; this run plans anew.
 */
import { SyncError } from '../../errors.ts';
import { type AttributeChange, isInherited, type Json } from '../../model.ts';
import { isSameValue } from '../../plan/diff.ts';
import { toMemory } from '../../plan/leave.ts';
import type { Effect, OperationResult, StoredOperation } from '../../state/store.ts';
import type { Target, TargetObject } from '../../targets/target.ts';
import type { RunDependencies } from '../run.ts';
import { readCounts, toCounts } from './count.ts';
import { fillReferences } from './references.ts';

export async function settleBegun(run: RunDependencies, target: Target, signal: AbortSignal): Promise<void> {
  const asking: Asking = { run, target, signal, teams: new Map() };
  for await (const page of run.state.journal.unsettled()) {
    for (const operation of page) {
      signal.throwIfAborted();
      const { status, effects } = await ask(operation, asking);
      await run.state.journal.settle(operation.runId, [{ seq: operation.seq, status, effects }]);
    }
  }
}

interface Asking {
  readonly run: RunDependencies;
  readonly target: Target;
  readonly signal: AbortSignal;
  /** Members of the team that was asked for last, by target id; nobody where it is gone, null where none are shown. */
  readonly teams: Map<string, ReadonlySet<string> | null>;
}

type Answer = Pick<OperationResult, 'status' | 'effects'>;

function ask(operation: StoredOperation, asking: Asking): Promise<Answer> | Answer {
  if (operation.kind === 'recover') return { status: 'done', effects: [] };
  if (operation.resource === 'Team') return askTeam(operation, asking);
  if (operation.kind === 'create') return askCreated(operation, asking);
  return askPerson(operation, asking);
}

/** An account found after a create that was written down as begun is ours. */
async function askCreated(operation: StoredOperation, { run, target, signal }: Asking): Promise<Answer> {
  const found = await findCreated(operation, target, signal);
  if (found === null) return { status: 'dropped', effects: [] };
  // One that has the same userName and belongs to somebody else: our request was refused, or never arrived.
  const owner = await run.state.links.byTarget(found.id);
  if (owner !== null && owner.sourceId !== operation.id) return { status: 'dropped', effects: [] };
  if ((await run.state.staging.neighbourOf('User', found.id)) !== null) return { status: 'dropped', effects: [] };
  return { status: 'done', effects: [toCreatedLink(operation, found)] };
}

/** Null when the request never arrived. Also asked by apply before a create is repeated. */
export async function findCreated(
  operation: Pick<StoredOperation, 'changes'>,
  target: Target,
  signal: AbortSignal,
): Promise<TargetObject | null> {
  const values = new Map(operation.changes.map(({ path, after }) => [path, after]));
  const externalId = values.get('externalId');
  const isOurs = ({ attributes }: TargetObject): boolean =>
    externalId === undefined || (attributes['externalId'] ?? externalId) === externalId;
  for (const path of ['externalId', 'userName']) {
    const value = values.get(path);
    if (value === undefined) continue;
    const ours = (await search(target, { path, value }, signal)).find(isOurs);
    if (ours !== undefined) return ours;
  }
  return null;
}

const SEARCHED = ['externalId', 'userName', 'active'];

/** By the list where the target does not search by this attribute, or for this value. */
async function search(
  target: Target,
  query: { path: string; value: Json },
  signal: AbortSignal,
): Promise<readonly TargetObject[]> {
  try {
    return await target.findUsers(query, SEARCHED, signal);
  } catch (thrown) {
    if (SyncError.from(thrown).scope !== 'record') throw thrown;
  }
  const found: TargetObject[] = [];
  for await (const page of target.listUsers(SEARCHED, signal)) {
    found.push(...page.objects.filter((each) => isSameValue(each.attributes[query.path], query.value, false)));
  }
  return found;
}

function toCreatedLink(operation: StoredOperation, found: TargetObject): Effect {
  const active = found.attributes['active'] !== false;
  return {
    type: 'putLink',
    link: {
      sourceId: operation.id,
      targetId: found.id,
      name: operation.name,
      active,
      applied: {},
      origin: isInherited(operation.id) ? 'inherited' : 'created',
      dirty: true,
    },
  };
}

/** What was asked of an account is compared by the plan of this run; here only what guards count is told. */
async function askPerson(operation: StoredOperation, asking: Asking): Promise<Answer> {
  const { id, targetId, kind } = operation;
  if (targetId === null) return { status: 'dropped', effects: [] };
  const paths = new Set(['active', ...operation.changes.map(({ path }) => path)]);
  const now = await asking.target.readUser(targetId, [...paths], asking.signal);
  const count = await readCounts(operation, asking.run.state.journal, asking.run.now());
  if (now === null) {
    const gone: Effect[] = [
      { type: 'dropLink', sourceId: id },
      { type: 'dropMember', targetId },
    ];
    return { status: 'done', effects: [...gone, ...(kind === 'delete' ? count : [])] };
  }
  if (kind === 'adopt') {
    if (!isCarriedOut(operation.changes, now)) return { status: 'dropped', effects: [] };
    const link = {
      sourceId: id,
      targetId,
      name: operation.name,
      active: now.attributes['active'] !== false,
      applied: {},
      origin: isInherited(id) ? 'inherited' : 'adopted',
      dirty: true,
    } as const;
    return { status: 'done', effects: [{ type: 'putLink', link }, ...count] };
  }
  const went =
    kind !== 'delete' &&
    isCarriedOut(
      await fillReferences(operation.changes, asking.run.state.links, { isKnown: () => true, held: {} }),
      now,
    );
  return { status: 'done', effects: [{ type: 'markDirty', sourceId: id }, ...(went ? count : [])] };
}

/**
 * A request is carried out whole or not at all: one value that is there now says that it arrived. Another spelling of what
 * was there before says nothing, unless there is nothing else to go by.
 */
function isCarriedOut(changes: readonly AttributeChange[], now: TargetObject): boolean {
  const telling = changes.filter(({ before, after }) => !isSameValue(before, after, false));
  const isThere = ({ path, after }: AttributeChange, caseExact: boolean): boolean =>
    isSameValue(now.attributes[path], after, caseExact);
  if (telling.length === 0) return changes.length === 0 || changes.some((change) => isThere(change, true));
  return telling.some((change) => isThere(change, false));
}

/** Taken over when it carries our mark: then its members are looked at like those of any team in doubt. */
async function askAdoptedTeam(operation: StoredOperation, { target, signal }: Asking): Promise<Answer> {
  const found = operation.targetId === null ? null : await target.readTeam(operation.targetId, signal);
  const mark = textOf(operation.changes.find(({ path }) => path === 'externalId')?.after);
  if (found === null || (mark !== null && found.attributes['externalId'] !== mark))
    return { status: 'dropped', effects: [] };
  const team = {
    key: operation.id,
    targetId: found.id,
    displayName: operation.name,
    externalId: mark,
    applied: {},
    rules: operation.team?.rules ?? [],
    deletionPolicy: operation.team?.deletionPolicy ?? 'Retain',
    origin: 'adopted',
    dirty: true,
  } as const;
  return { status: 'done', effects: [{ type: 'putTeam', team }] };
}

async function askTeam(operation: StoredOperation, asking: Asking): Promise<Answer> {
  const { target, signal } = asking;
  const { id, kind, targetId, changes } = operation;
  if (kind === 'create') {
    const values = new Map(changes.map(({ path, after }) => [path, after]));
    const found = targetId === null ? await findTeam(target, values, signal) : await target.readTeam(targetId, signal);
    if (found === null) return { status: 'dropped', effects: [] };
    const team = {
      key: id,
      targetId: found.id,
      displayName: operation.name,
      externalId: textOf(values.get('externalId')),
      applied: {},
      rules: operation.team?.rules ?? [],
      deletionPolicy: operation.team?.deletionPolicy ?? 'Retain',
      origin: 'created',
      dirty: true,
    } as const;
    return { status: 'done', effects: [{ type: 'putTeam', team }] };
  }
  if (kind === 'adopt') return askAdoptedTeam(operation, asking);
  if (operation.member !== null) return askMember(operation, asking);
  const went = operation.guards.length > 0 && kind === 'delete' && (await isGone(operation, asking));
  const more = went ? toCounts(operation, asking.run.now()) : [];
  return { status: 'done', effects: [{ type: 'markTeamDirty', key: id }, ...more] };
}

async function isGone({ targetId }: StoredOperation, { target, signal }: Asking): Promise<boolean> {
  return targetId !== null && (await target.readTeam(targetId, signal)) === null;
}

/** Of removals only what has gone counts: what has not is planned again, and would count twice. */
async function askMember(operation: StoredOperation, asking: Asking): Promise<Answer> {
  const { id: key, kind } = operation;
  const look: Effect = { type: 'markTeamDirty', key };
  const account = await findMember(operation, asking);
  if (account === null) return { status: 'done', effects: [look] };
  const members = await readMembers(account.teamId, asking);
  if (members === null)
    return { status: 'done', effects: [look, { type: 'doubtMembers', key, targetIds: [account.id] }] };
  const went = kind === 'removeMembers' && !members.has(account.id);
  const more = went ? [...toMemory(operation), ...toCounts(operation, asking.run.now())] : [];
  return { status: 'done', effects: [look, ...more] };
}

/** The account that was to be added or removed; null where there was none yet, or no team, so that nothing was sent. */
async function findMember(
  { id, targetId, member }: StoredOperation,
  { run }: Asking,
): Promise<{ readonly id: string; readonly teamId: string } | null> {
  const teamId = targetId ?? (await run.state.links.team(id))?.targetId;
  if (member === null || teamId === undefined) return null;
  const account = member.targetId ?? (await run.state.links.get(member.sourceId ?? ''))?.targetId;
  return account === undefined ? null : { id: account, teamId };
}

/** Null: the target does not show them. */
async function readMembers(teamId: string, { target, signal, teams }: Asking): Promise<ReadonlySet<string> | null> {
  if (!teams.has(teamId)) {
    // One team at a time, as operations come: they may be large.
    teams.clear();
    const team = await target.readTeam(teamId, signal);
    const members = team === null ? [] : team.members;
    teams.set(teamId, members === null ? null : new Set(members));
  }
  return teams.get(teamId) ?? null;
}

export async function findTeam(
  target: Target,
  values: ReadonlyMap<string, unknown>,
  signal: AbortSignal,
): Promise<TargetObject | null> {
  const mark = textOf(values.get('externalId'));
  const name = textOf(values.get('displayName'));
  if (mark !== null) {
    const [marked] = await searchTeams(target, { path: 'externalId', value: mark }, signal);
    if (marked !== undefined) return marked;
  }
  if (name === null) return null;
  const named = await searchTeams(target, { path: 'displayName', value: name }, signal);
  // A server that keeps no externalId for teams leaves only the name to go by.
  return named.find((team) => (team.attributes['externalId'] ?? mark) === mark) ?? null;
}

/** By the list where the target does not search by this attribute. */
async function searchTeams(
  target: Target,
  query: { path: 'displayName' | 'externalId'; value: string },
  signal: AbortSignal,
): Promise<readonly TargetObject[]> {
  try {
    return await target.findTeams(query, signal);
  } catch (thrown) {
    if (SyncError.from(thrown).scope !== 'record') throw thrown;
  }
  const found: TargetObject[] = [];
  for await (const page of target.listTeams(signal)) {
    found.push(...page.objects.filter((each) => isSameValue(each.attributes[query.path], query.value, true)));
  }
  return found;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
