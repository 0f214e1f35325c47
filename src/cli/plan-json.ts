/** A plan as JSON, written while it is read: the fields of `status.plan`, what is held, errors, and every operation. */
import { summarizePlan } from '../api/directory-sync-status.ts';
import type { AttributeChange, Json, ResourceKind } from '../model.ts';
import type { DirectoryState, StoredOperation } from '../state/store.ts';
import { countAccounts, readUnmanaged } from './accounts.ts';
import type { CliIo } from './io.ts';
import { readOperations } from './plan-operations.ts';
import { toShownValue } from './plan-values.ts';
import type { SyncRun } from './run-sync.ts';

export async function printPlanJson(io: Pick<CliIo, 'stdout'>, run: SyncRun): Promise<void> {
  const { resource, report, state, deletion } = run;
  const accounts = await countAccounts(run);
  const { namespace, name } = resource.metadata;
  const { plan, samples, held, warnings, reason, message, runId, takenOver } = report;
  const head = {
    directorySync: `${namespace}/${name}`,
    run: runId,
    ...(deletion ? { deletionPolicy: resource.spec.deletionPolicy ?? 'Retain' } : {}),
    reason,
    message,
    ...(plan === null ? {} : { summary: summarizePlan(plan), ...plan, samples, held }),
    ...(accounts === null ? {} : { accounts }),
    ...(takenOver === null ? {} : { takenOver: takenOver.message }),
    warnings,
  };
  await io.stdout(JSON.stringify(head, null, 2).slice(0, -2));
  if (plan === null) {
    await io.stdout('\n}');
    return;
  }
  const errors = async function* () {
    for await (const page of state.journal.errors(runId)) yield* page;
  };
  await printList(io, 'errors', errors());
  const unmanaged = async function* () {
    for await (const { targetId, name: userName } of readUnmanaged(run)) yield { targetId, name: userName };
  };
  if (accounts !== null) await printList(io, 'unmanaged', unmanaged());
  const operations = async function* () {
    for await (const operation of readOperations(state, runId)) yield await toShownOperation(operation, state);
  };
  await printList(io, 'operations', operations());
  await io.stdout('\n}');
}

/** One item a line. */
export async function printList(io: Pick<CliIo, 'stdout'>, name: string, items: AsyncIterable<unknown>): Promise<void> {
  await io.stdout(`,\n  ${JSON.stringify(name)}: [`);
  let batch: string[] = [];
  let isFirst = true;
  for await (const item of items) {
    batch.push(`${isFirst ? '' : ','}\n    ${JSON.stringify(item)}`);
    isFirst = false;
    if (batch.length >= 500) {
      await io.stdout(batch.join(''));
      batch = [];
    }
  }
  await io.stdout(`${batch.join('')}${isFirst ? '' : '\n  '}]`);
}

/** An operation as it is printed; an id that the target has not given yet is `new:` and the id here. */
export async function toShownOperation(
  { kind, resource, id, targetId, name, member, changes, ...rest }: StoredOperation,
  state: Pick<DirectoryState, 'links'>,
) {
  const { cause, reason, unit, held } = rest;
  const who = member === null ? null : { ...member, targetId: member.targetId ?? toPlaceholder(member.sourceId) };
  const shown = { kind, resource, id, targetId: targetId ?? toPlaceholder(id), name, member: who };
  const shownChanges = await Promise.all(changes.map((change) => toShownChange(change, state)));
  return { ...shown, changes: shownChanges, cause, reason, unit, held };
}

async function toShownChange(change: AttributeChange, state: Pick<DirectoryState, 'links'>): Promise<AttributeChange> {
  const { path, reference } = change;
  const [before, after] = [toShownValue(change, change.before), toShownValue(change, change.after)];
  const sides = { path, ...(before === undefined ? {} : { before }) };
  if (after === undefined) return sides;
  if (reference === undefined) return { ...sides, after };
  // Of a list some are there already: it is written as a whole when the others are too.
  const toId = async (id: Json): Promise<string> =>
    (await findTargetId(reference, String(id), state)) ?? toPlaceholder(String(id));
  return { ...sides, after: Array.isArray(after) ? await Promise.all(after.map(toId)) : await toId(after) };
}

async function findTargetId(
  resource: ResourceKind,
  id: string,
  { links }: Pick<DirectoryState, 'links'>,
): Promise<string | null> {
  const link = await (resource === 'User' ? links.get(id) : links.team(id));
  return link?.targetId ?? null;
}

/** Stands for the id that the target will give. */
function toPlaceholder(id: string | null): string {
  return `new:${id ?? ''}`;
}

/** One resource is an object, several are `{"items": […]}`. */
export async function printItems<T>(
  io: Pick<CliIo, 'stdout'>,
  items: readonly T[],
  print: (item: T) => Promise<void>,
): Promise<void> {
  const [only] = items;
  if (items.length === 1 && only !== undefined) {
    await print(only);
    await io.stdout('\n');
    return;
  }
  await io.stdout('{"items": [\n');
  for (const [index, item] of items.entries()) {
    if (index > 0) await io.stdout(',\n');
    await print(item);
  }
  await io.stdout('\n]}\n');
}
