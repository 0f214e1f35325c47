/** read, of the groups: staged as they come, and who belongs to each worked out when people are known too. */
import { SyncError } from '../../errors.ts';
import { KnownAttributes } from '../../mapping/names.ts';
import type { RecordError } from '../../model.ts';
import type { FailedRecord, GroupPage } from '../../sources/source.ts';
import type { GroupsRead, Loaded, RunDependencies } from '../run.ts';

/** Groups and members as they were staged. */
export interface StagedGroups {
  /** Names that the read could deliver. */
  readonly attributes: readonly string[];
  readonly failed: readonly FailedRecord[];
  /** Where the next read goes on; null: nowhere. */
  readonly cursor: string | null;
}

/** Every group, with its members. */
export async function readGroups(
  { state }: RunDependencies,
  { source }: Pick<Loaded, 'source'>,
  projection: readonly string[],
  signal: AbortSignal,
): Promise<StagedGroups> {
  const read = source.readGroups?.(projection, signal);
  if (read === undefined)
    throw new SyncError('Invalid', 'the source has no groups, and spec.groups, a rule or the scope asks for them');
  const failed: FailedRecord[] = [];
  let end: GroupPage['end'];
  for await (const page of read) {
    signal.throwIfAborted();
    await state.groups.addGroups(page.groups);
    await state.groups.addMembers(page.members);
    failed.push(...page.failed);
    end ??= page.end;
  }
  if (end === undefined) throw new SyncError('ReadIncomplete', 'the source ended before its last page of groups');
  return { failed, attributes: end.attributes, cursor: end.cursor ?? null };
}

/**
 * Who belongs to which group, once all of them and all people are staged.
 * @param names which of the names by which people may be referred to the read of the people delivered
 */
export async function resolveGroups(
  { state: { groups } }: RunDependencies,
  { spec }: Pick<Loaded, 'spec'>,
  { attributes, failed }: StagedGroups,
  names: 'all' | 'some',
): Promise<GroupsRead> {
  await groups.addFailed(failed.flatMap(({ id }) => (id === null ? [] : [id])));
  const isComplete = failed.every(({ id }) => id !== null);
  if (isComplete) await groups.setComplete();
  const unresolved = await groups.resolve(spec.scope.nestedGroups, isComplete ? names : 'some');
  const known = new KnownAttributes(attributes);
  return { count: await groups.count(), isComplete, unresolved, names, known, errors: toErrors(failed) };
}

function toErrors(failed: readonly FailedRecord[]): readonly RecordError[] {
  return failed.map(({ id, code, message }) => ({ resource: 'Team', id: id ?? 'unknown', code, message }));
}
