/** One operation on a person: the request, and what its success means for the link. */
import { SyncError } from '../../errors.ts';
import type { AttributeChange, Attributes, Json } from '../../model.ts';
import { toRetirementUnit } from '../../plan/retirement.ts';
import { toOwner } from '../../plan/values.ts';
import type { Effect, Link, OperationResult, StoredOperation } from '../../state/store.ts';
import type { TargetObject } from '../../targets/target.ts';
import type { Applying } from './apply.ts';
import { readCounts } from './count.ts';
import { fillPhotos } from './photos.ts';
import { fillReferences } from './references.ts';
import { findCreated } from './settle.ts';
import { toReadPaths } from './shapes.ts';
import { explainTaken } from './taken.ts';

export async function carryOutPerson(
  operation: StoredOperation,
  applying: Applying,
): Promise<readonly OperationResult[]> {
  const effects = await request(operation, applying);
  if (effects === null) return [{ seq: operation.seq, status: 'dropped', effects: [] }];
  const counts = await readCounts(operation, applying.run.state.journal, applying.run.now());
  return [{ seq: operation.seq, status: 'done', effects: [...effects, ...counts] }];
}

/** Null: there is nothing to carry out (any more). */
async function request(operation: StoredOperation, applying: Applying): Promise<readonly Effect[] | null> {
  switch (operation.kind) {
    case 'create':
      return create(operation, applying);
    case 'adopt':
      return adopt(operation, applying);
    case 'recover':
      return [];
    case 'update':
    case 'rename':
    case 'reactivate':
      return update(operation, applying);
    case 'deactivate':
      return deactivate(operation, applying);
    case 'delete':
      return remove(operation, applying);
    case 'addMembers':
    case 'removeMembers':
      return null;
  }
}

async function create(operation: StoredOperation, applying: Applying): Promise<readonly Effect[]> {
  const values = toValues({}, operation.changes);
  const created = await createOnce(operation, values, applying);
  return [{ type: 'putLink', link: toLink(operation, created.id, { applied: values, origin: 'created' }) }];
}

/** A create whose answer was lost is looked up before it is repeated, and repeated once. */
async function createOnce(operation: StoredOperation, values: Attributes, applying: Applying): Promise<TargetObject> {
  const { loaded, signal } = applying;
  try {
    return await loaded.target.createUser(values, signal);
  } catch (thrown) {
    const error = SyncError.from(thrown);
    if (error.code === 'Conflict' && !signal.aborted) throw await explainTaken(operation, applying, error);
    if (!error.outcomeUnknown || signal.aborted) throw error;
    const found = await findCreated(operation, loaded.target, signal).catch(() => {
      // Still not known: the next run asks.
      throw error;
    });
    return found ?? (await loaded.target.createUser(values, signal));
  }
}

async function adopt(operation: StoredOperation, applying: Applying): Promise<readonly Effect[]> {
  const targetId = needTarget(operation);
  const { loaded, run, signal } = applying;
  // Another DirectorySync may have been as fast.
  const owner = await run.state.staging.neighbourOf('User', targetId);
  if (owner !== null) throw new SyncError('Conflict', `the account ${targetId} belongs to ${toOwner(owner)} by now`);
  if (operation.changes.length > 0) await loaded.target.updateUser(targetId, operation.changes, signal);
  // What was there before and what was written: with all of it known, the next run needs no look.
  const observed = await lookAgain(targetId, applying);
  const applied = observed?.attributes ?? toValues({}, operation.changes);
  const link = toLink(operation, targetId, { applied, origin: 'adopted' });
  return [{ type: 'putLink', link: { ...link, dirty: observed === null } }];
}

/** Null: not to be seen now. The account is ours all the same, and the next run looks. */
async function lookAgain(targetId: string, { loaded, signal }: Applying): Promise<TargetObject | null> {
  try {
    return await loaded.target.readUser(targetId, toReadPaths(loaded.mapping), signal);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return null;
  }
}

async function update(operation: StoredOperation, applying: Applying): Promise<readonly Effect[] | null> {
  const { loaded, run, signal } = applying;
  const link = await run.state.links.get(operation.id);
  // In a swap also an account gives way that is only about to be taken over.
  const targetId = link?.targetId ?? (operation.cause === 'swap' ? operation.targetId : null);
  // One in doubt still has the account that is gone: the new one was not made.
  const changes = await fillReferences(operation.changes, run.state.links, {
    isKnown: ({ dirty }) => !dirty,
    held: link?.applied ?? {},
  });
  const sent = targetId === null ? null : await fillPhotos(operation, changes, applying);
  if (targetId === null || sent === null || sent.length === 0) return null;
  await loaded.target.updateUser(targetId, sent, signal);
  return link === null ? [] : [{ type: 'putLink', link: toUpdated(link, operation, changes) }];
}

async function deactivate(operation: StoredOperation, { loaded, run, signal }: Applying): Promise<readonly Effect[]> {
  const targetId = needTarget(operation);
  await loaded.target.deactivateUser(targetId, signal);
  const link = await run.state.links.get(operation.id);
  if (link === null) return [];
  const left = { at: run.now().getTime(), cause: operation.cause, teams: link.left?.teams ?? [] };
  return [{ type: 'putLink', link: { ...toUpdated(link, operation, operation.changes), left } }];
}

/** Null where it turned out in this run that nobody can be deleted: the next one switches off instead. */
async function remove(
  operation: StoredOperation,
  { loaded, observed, signal }: Applying,
): Promise<readonly Effect[] | null> {
  const { deleteUsers, deactivation } = observed.capabilities;
  if (!deleteUsers && deactivation === 'deactivates') return null;
  const targetId = needTarget(operation);
  await loaded.target.deleteUser(targetId, signal);
  return [
    { type: 'dropLink', sourceId: operation.id },
    { type: 'dropMember', targetId },
  ];
}

export function needTarget({ targetId, kind }: StoredOperation): string {
  if (targetId === null) throw new SyncError('Unknown', `an operation of kind ${kind} has no account to work on`);
  return targetId;
}

export function toValues(before: Attributes, changes: readonly AttributeChange[]): Attributes {
  const values: Record<string, Json> = { ...before };
  for (const { path, after } of changes) {
    if (after === undefined) delete values[path];
    else values[path] = after;
  }
  return values;
}

function toLink(
  operation: StoredOperation,
  targetId: string,
  { applied, origin }: Pick<Link, 'applied' | 'origin'>,
): Link {
  return {
    sourceId: operation.id,
    targetId,
    name: operation.name,
    active: applied['active'] !== false,
    applied,
    origin,
    dirty: false,
  };
}

function toUpdated(link: Link, operation: StoredOperation, changes: readonly AttributeChange[]): Link {
  const applied = toValues(link.applied, changes);
  return {
    ...link,
    name: operation.name,
    applied,
    active: applied['active'] === undefined ? link.active : applied['active'] !== false,
    // A value that is taken out says nothing of what else is in doubt.
    dirty: operation.unit === toRetirementUnit(operation.id) && link.dirty,
  };
}
