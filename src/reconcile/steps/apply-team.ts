/** One operation on a team itself; its members have a file of their own. */
import { SyncError } from '../../errors.ts';
import { toUpdated } from '../../plan/team-values.ts';
import { toOwner } from '../../plan/values.ts';
import type { Effect, OperationResult, StoredOperation, TeamLink } from '../../state/store.ts';
import type { TargetObject } from '../../targets/target.ts';
import type { Applying } from './apply.ts';
import { needTarget, toValues } from './apply-person.ts';
import { toCounts } from './count.ts';
import { fillReferences } from './references.ts';
import { findTeam } from './settle.ts';

export async function carryOutTeam(
  operation: StoredOperation,
  applying: Applying,
): Promise<readonly OperationResult[]> {
  const { seq, kind } = operation;
  if (kind === 'delete') return [{ seq, ...(await remove(operation, applying)) }];
  const effects = await request(operation, applying);
  return [{ seq, status: effects === null ? 'dropped' : 'done', effects: effects ?? [] }];
}

/** Null: there is nothing to carry out (any more). */
async function request(operation: StoredOperation, applying: Applying): Promise<readonly Effect[] | null> {
  switch (operation.kind) {
    case 'create':
      return (await hasMember(operation, applying)) ? create(operation, applying) : null;
    case 'adopt':
      return adopt(operation, applying);
    case 'recover':
      return [];
    case 'update':
      return update(operation, applying);
    default:
      throw new SyncError('Unknown', `an operation of kind ${operation.kind} is none on a team`);
  }
}

async function remove(
  operation: StoredOperation,
  applying: Applying,
): Promise<Pick<OperationResult, 'status' | 'effects'>> {
  const { loaded, run, signal } = applying;
  const { id: key } = operation;
  const targetId = needTarget(operation);
  if (operation.cause !== 'resourceDeleted') {
    // A removal that was held or failed leaves somebody in it: who keeps a team keeps the team's existence.
    if ((await run.state.links.members(key)) > 0) return { status: 'dropped', effects: [] };
    // For whom somebody put in by hand nothing is planned: the next run looks at the team.
    const members = (await loaded.target.readTeam(targetId, signal))?.members ?? [];
    if (members.length > 0) return { status: 'dropped', effects: [{ type: 'markTeamDirty', key }] };
  }
  await loaded.target.deleteTeam(targetId, signal);
  return { status: 'done', effects: [{ type: 'dropTeam', key }, ...toCounts(operation, run.now())] };
}

/** Whoever was to be its first member may have got no account after all: held back, refused, or in doubt. */
async function hasMember({ id }: StoredOperation, { run }: Applying): Promise<boolean> {
  const { links, staging } = run.state;
  for await (const page of staging.memberDifferences(id)) {
    const added = page.filter(({ change }) => change === 'add');
    if (added.some(({ targetId }) => targetId !== null)) return true;
    const known = await links.many(added.flatMap(({ sourceId }) => sourceId ?? []));
    if ([...known.values()].some(({ dirty }) => !dirty)) return true;
  }
  return false;
}

async function create(operation: StoredOperation, applying: Applying): Promise<readonly Effect[]> {
  const created = await createOnce(operation, applying);
  return [{ type: 'putTeam', team: toTeamLink(operation, created.id, 'created') }];
}

/**
 * Its members are those that this run has seen, until the operations on them are done. Which of the wanted values it had
 * before is not known here: the next run looks at it.
 */
async function adopt(operation: StoredOperation, { loaded, run, signal }: Applying): Promise<readonly Effect[]> {
  const targetId = needTarget(operation);
  const owner = await run.state.staging.neighbourOf('Team', targetId);
  if (owner !== null) throw new SyncError('Conflict', `the team ${targetId} belongs to ${toOwner(owner)} by now`);
  if (operation.changes.length > 0) await loaded.target.updateTeam(targetId, operation.changes, signal);
  return [
    { type: 'putTeam', team: { ...toTeamLink(operation, targetId, 'adopted'), dirty: true } },
    { type: 'takeMembers', key: operation.id },
  ];
}

async function createOnce(operation: StoredOperation, { loaded, signal }: Applying): Promise<TargetObject> {
  const values = toValues({}, operation.changes);
  try {
    return await loaded.target.createTeam(values, signal);
  } catch (thrown) {
    const error = SyncError.from(thrown);
    if (!error.outcomeUnknown || signal.aborted) throw error;
    const found = await findTeam(loaded.target, new Map(Object.entries(values)), signal).catch(() => {
      // Still not known: the next run asks.
      throw error;
    });
    return found ?? (await loaded.target.createTeam(values, signal));
  }
}

function toTeamLink(operation: StoredOperation, targetId: string, origin: TeamLink['origin']): TeamLink {
  const link: TeamLink = {
    key: operation.id,
    targetId,
    displayName: operation.name,
    externalId: null,
    applied: {},
    rules: operation.team?.rules ?? [],
    deletionPolicy: operation.team?.deletionPolicy ?? 'Retain',
    origin,
    dirty: false,
  };
  return toUpdated(link, operation.changes);
}

async function update(
  operation: StoredOperation,
  { loaded, run, signal }: Applying,
): Promise<readonly Effect[] | null> {
  const link = await run.state.links.team(operation.id);
  // One that was to be made was not.
  if (link === null && operation.targetId === null) return null;
  const changes = await fillReferences(operation.changes, run.state.links, {
    isKnown: ({ dirty }) => !dirty,
    held: link?.applied ?? {},
  });
  if (changes.length === 0) return null;
  await loaded.target.updateTeam(operation.targetId ?? link?.targetId ?? '', changes, signal);
  return link === null ? [] : [{ type: 'putTeam', team: toUpdated(link, changes) }];
}
