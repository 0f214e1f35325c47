/** read, of `scope.groups`: which groups they are, once all groups are staged, and what of them is not known whole. */
import { SyncError } from '../../errors.ts';
import { createScopeGroupsSearch, type ScopeGroups } from '../../mapping/scope-groups.ts';
import type { RecordError } from '../../model.ts';
import { getFact, putFact } from '../facts.ts';
import type { Loaded, ReadResult, RunDependencies } from '../run.ts';
import { maySay } from './read-ways.ts';

/**
 * Null: the scope takes people by no group.
 * @throws SyncError `ReadFailed` where an entry means no group, or two: an empty scope would be everybody's leaving (rule I1)
 */
export async function findScopeGroups(
  run: RunDependencies,
  { spec: { scope } }: Pick<Loaded, 'spec'>,
  { suspicion }: Pick<ReadResult, 'suspicion'>,
): Promise<ScopeGroups | null> {
  const { facts, groups } = run.state;
  const pins = await getFact(facts, 'scopeGroups');
  if (scope.users !== 'MembersOfGroups') {
    if (pins !== null && maySay(run)) await putFact(facts, 'scopeGroups', null);
    return null;
  }
  const search = createScopeGroupsSearch(scope.groups, { pins: pins ?? [], afresh: run.options.resync });
  for await (const page of groups.groups()) for (const { group } of page) search.see(group);
  // One that could not be read is there.
  const partial = await groups.partial();
  for (const group of partial) search.see(group);
  const { found, problems } = search.result();
  if (problems.length > 0) throw new SyncError('ReadFailed', toMessage(problems));
  if (suspicion === null && maySay(run)) await putFact(facts, 'scopeGroups', found);
  const ids = new Set(found.map(({ id }) => id));
  const unread = partial.map(({ id }) => id).filter((id) => ids.has(id));
  // Who is meant by a name that two people have must not lose their account by it.
  const unclear = await groups.ambiguous([...ids], scope.nestedGroups);
  return { groups: found, ids, partial: [...new Set([...unread, ...unclear])] };
}

function toMessage([first, ...others]: readonly string[]): string {
  const rest = others.length === 0 ? '' : ` (${others.length} more of its entries mean none)`;
  return `scope.groups: nobody is changed, for ${first}${rest}`;
}

const PARTIAL =
  'its members are not known whole, for something in it could not be read or has a name that several have: whoever is not known to belong to a group of scope.groups stays as they are';

/** Groups of the scope that could not be read whole. Where groups become teams, what could not be read is told with these. */
export function toScopeErrors(
  { options }: RunDependencies,
  { spec }: Pick<Loaded, 'spec'>,
  { groups, scopeGroups }: Pick<ReadResult, 'groups' | 'scopeGroups'>,
): readonly RecordError[] {
  const { partial = [] } = scopeGroups ?? {};
  if (options.user !== null || partial.length === 0) return [];
  const errors = groups?.errors ?? [];
  // Why a group is not known whole may be told of one that is in it.
  const told = spec.groups.provision === 'None' ? errors : [];
  const untold = partial.filter((id) => errors.every((error) => error.id !== id));
  return [
    ...told,
    ...untold.map((id): RecordError => ({ resource: 'Team', id, code: 'RecordInvalid', message: PARTIAL })),
  ];
}
