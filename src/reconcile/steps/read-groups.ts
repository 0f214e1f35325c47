/** read, of the groups: staged as they come, and who belongs to each worked out when people are known too. */
import { SyncError } from '../../errors.ts';
import { toAskedName } from '../../expression/paths.ts';
import { KnownAttributes, listSources } from '../../mapping/names.ts';
import type { RecordError } from '../../model.ts';
import type { GroupPage } from '../../sources/source.ts';
import type { GroupsRead, Loaded, RunDependencies } from '../run.ts';

/**
 * Null: nothing of this run needs groups.
 * @param names which of the names by which people may be referred to the read of the people delivered
 */
export async function readGroups(
  run: RunDependencies,
  { loaded, names }: { readonly loaded: Loaded; readonly names: 'all' | 'some' },
  signal: AbortSignal,
): Promise<GroupsRead | null> {
  if (!needsGroups(loaded)) return null;
  const { groups } = run.state;
  const read = loaded.source.readGroups?.(toGroupProjection(loaded), signal);
  if (read === undefined)
    throw new SyncError('Invalid', 'the source has no groups, and spec.groups, a rule or the scope asks for them');
  const failed: GroupPage['failed'][number][] = [];
  let end: GroupPage['end'];
  for await (const page of read) {
    signal.throwIfAborted();
    await groups.addGroups(page.groups);
    await groups.addMembers(page.members);
    await groups.addFailed(page.failed.flatMap(({ id }) => (id === null ? [] : [id])));
    failed.push(...page.failed);
    end ??= page.end;
  }
  if (end === undefined) throw new SyncError('ReadIncomplete', 'the source ended before its last page of groups');
  const isComplete = failed.every(({ id }) => id !== null);
  if (isComplete) await groups.setComplete();
  const unresolved = await groups.resolve(loaded.spec.scope.nestedGroups, isComplete ? names : 'some');
  const known = new KnownAttributes(end.attributes);
  return { count: await groups.count(), isComplete, unresolved, names, known, errors: toErrors(failed) };
}

function toGroupProjection({ teamMapping: { usedNames, names } }: Loaded): readonly string[] {
  return [...new Set(usedNames.flatMap((name) => listSources(name, names)).map(toAskedName))];
}

/** Groups become teams, or a mapping, a rule or the scope asks who is in one. */
export function needsGroups({
  spec,
  scope,
  rules,
  mapping,
}: Pick<Loaded, 'spec' | 'scope' | 'rules' | 'mapping'>): boolean {
  const isMapped = mapping.entries.some(({ usesGroups }) => usesGroups);
  const isAsked =
    isMapped || scope.needs.groups || rules.rules.some(({ condition }) => condition?.needs.groups === true);
  return isAsked || spec.groups.provision !== 'None';
}

function toErrors(failed: GroupPage['failed']): readonly RecordError[] {
  return failed.map(({ id, code, message }) => ({ resource: 'Team', id: id ?? 'unknown', code, message }));
}
