/** read, of the groups: staged as they come, and who belongs to each worked out when people are known too. */
import { SyncError } from '../../errors.ts';
import { KnownAttributes } from '../../mapping/names.ts';
import { isListed } from '../../mapping/scope-groups.ts';
import type { RecordError } from '../../model.ts';
import type { FailedRecord, GroupPage, WantedMembers } from '../../sources/source.ts';
import { getFact } from '../facts.ts';
import type { GroupsRead, Loaded, RunDependencies } from '../run.ts';
import { toMembersAsked } from './asking.ts';

/** Groups and members as they were staged. */
export interface StagedGroups {
  /** Names that the read could deliver. */
  readonly attributes: readonly string[];
  readonly failed: readonly FailedRecord[];
  /** See GroupsRead. */
  readonly members: 'all' | 'scope';
  /** Where the next read goes on; null: nowhere. */
  readonly cursor: string | null;
  /** See `ReadEnd`. */
  readonly noCursor?: string;
}

/** Every group, with its members, or with those that anybody asks for. */
export async function readGroups(
  run: RunDependencies,
  loaded: Loaded,
  projection: readonly string[],
  signal: AbortSignal,
): Promise<StagedGroups> {
  const { state } = run;
  const { source } = loaded;
  const wanted = await toWanted(run, loaded);
  const read = source.readGroups?.(projection, signal, wanted);
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
  const members = wanted === undefined ? 'all' : 'scope';
  const { attributes, cursor = null, noCursor } = end;
  return { failed, attributes, members, cursor, ...(noCursor === undefined ? {} : { noCursor }) };
}

/**
 * Undefined: those of all groups. A mirror must know them all: a later change may put a group of which nobody asked into one
 * of the scope, and says nothing of who is in it.
 */
async function toWanted({ state }: RunDependencies, loaded: Loaded): Promise<WantedMembers | undefined> {
  const { scope } = loaded.spec;
  if (loaded.source.readChanges !== undefined || toMembersAsked(loaded) !== 'scope') return undefined;
  const pins = (await getFact(state.facts, 'scopeGroups')) ?? [];
  return { of: isListed(scope.groups, pins), nested: scope.nestedGroups === 'Flatten' };
}

/**
 * Who belongs to which group, once all of them and all people are staged.
 * @param names which of the names by which people may be referred to the read of the people delivered
 */
export async function resolveGroups(
  { state: { groups } }: RunDependencies,
  { spec }: Pick<Loaded, 'spec'>,
  { attributes, failed, members }: StagedGroups,
  names: 'all' | 'some',
): Promise<GroupsRead> {
  await groups.addFailed(failed.flatMap(({ id }) => (id === null ? [] : [id])));
  const isComplete = failed.every(({ id }) => id !== null);
  if (isComplete) await groups.setComplete();
  const unresolved = await groups.resolve(spec.scope.nestedGroups, isComplete ? names : 'some');
  const known = new KnownAttributes(attributes);
  return { count: await groups.count(), isComplete, members, unresolved, names, known, errors: toErrors(failed) };
}

function toErrors(failed: readonly FailedRecord[]): readonly RecordError[] {
  return failed.map(({ id, code, message }) => ({ resource: 'Team', id: id ?? 'unknown', code, message }));
}
