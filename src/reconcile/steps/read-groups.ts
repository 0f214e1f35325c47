/** read, of the groups: staged as they come, and who belongs to each worked out when people are known too. */
import { SyncError } from '../../errors.ts';
import type { RecordError } from '../../model.ts';
import type { GroupPage } from '../../sources/source.ts';
import type { GroupsRead, Loaded, RunDependencies } from '../run.ts';

/** Null: nothing of this run needs groups. */
export async function readGroups(
  run: RunDependencies,
  loaded: Loaded,
  signal: AbortSignal,
): Promise<GroupsRead | null> {
  if (!needsGroups(loaded)) return null;
  const { groups } = run.state;
  const read = loaded.source.readGroups?.([], signal);
  if (read === undefined) throw new SyncError('Invalid', 'the source has no groups, and spec.groups asks for them');
  const failed: GroupPage['failed'][number][] = [];
  let isWhole = false;
  for await (const page of read) {
    signal.throwIfAborted();
    await groups.addGroups(page.groups);
    await groups.addMembers(page.members);
    await groups.addFailed(page.failed.flatMap(({ id }) => (id === null ? [] : [id])));
    failed.push(...page.failed);
    isWhole ||= page.end !== undefined;
  }
  if (!isWhole) throw new SyncError('ReadIncomplete', 'the source ended before its last page of groups');
  if (failed.every(({ id }) => id !== null)) await groups.setComplete();
  const unresolved = await groups.resolve(loaded.spec.scope.nestedGroups);
  return { count: await groups.count(), unresolved, errors: toErrors(failed) };
}

export function needsGroups({ spec }: Pick<Loaded, 'spec'>): boolean {
  return spec.groups.provision !== 'None';
}

function toErrors(failed: GroupPage['failed']): readonly RecordError[] {
  return failed.map(({ id, code, message }) => ({ resource: 'Team', id: id ?? 'unknown', code, message }));
}
