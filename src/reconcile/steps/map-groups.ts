/** map, of the groups: those that are chosen → teams of this run, with their members who are in scope. */
import { computeTeamNames, createGroupSelection, type GroupSelection, toGroupTeam } from '../../mapping/groups.ts';
import type { RecordError } from '../../model.ts';
import type { StagedGroup } from '../../state/source-groups.ts';
import type { StagedUser } from '../../state/staging.ts';
import { toGroupKey } from '../../team-key.ts';
import type { GroupsRead, Loaded, ReadResult, RunDependencies, Warning } from '../run.ts';

export interface MappedGroups {
  readonly errors: readonly RecordError[];
  readonly warnings: readonly Warning[];
}

const NOBODY = 'members of groups name nobody in the read';
const UNREAD = `${NOBODY}, which lacks names that people have: the teams of these groups stay as they are`;

const NOTHING: MappedGroups = { errors: [], warnings: [] };

/** Tells people the groups that they belong to, for conditions that ask; who is not told may be in any (rule I13). */
export async function createGroupLookup(
  { state }: RunDependencies,
  { groups }: ReadResult,
): Promise<(page: readonly StagedUser[]) => Promise<readonly StagedUser[]>> {
  if (groups === null) return async (page) => page;
  const partial = await state.groups.partial();
  const named = partial.flatMap(({ id, displayName }) => (displayName === null ? [] : [{ id, displayName }]));
  const isWhole = groups.isComplete && named.length === partial.length;
  return async (page) => {
    if (!isWhole) return page;
    const known = await state.groups.groupsOf(page.map(({ user }) => user.id));
    return page.map(({ user, duplicate }) => {
      const own = known.get(user.id) ?? [];
      const maybe = named.filter(({ id }) => own.every((group) => group.id !== id));
      return {
        user: { ...user, groups: own, ...(maybe.length === 0 ? {} : { maybeGroups: maybe }) },
        duplicate,
      };
    });
  };
}

/** Once everybody's presence is staged. */
export async function mapGroups(
  run: RunDependencies,
  { loaded, read }: { loaded: Loaded; read: ReadResult },
  signal: AbortSignal,
): Promise<MappedGroups> {
  if (read.groups === null || loaded.spec.groups.provision === 'None') return NOTHING;
  const { staging, groups } = run.state;
  const selection = createGroupSelection(loaded.spec.groups);
  const errors: RecordError[] = [...read.groups.errors];
  for await (const page of groups.groups()) {
    signal.throwIfAborted();
    const chosen = page.filter(({ group, duplicate }) => selection.selects(group) && !duplicate);
    for (const staged of chosen) {
      const team = toGroupTeam(staged.group, await toTeamName(run, staged, selection));
      await staging.addTeams([team]);
      await groups.addMemberships(staged.group.id, team.key);
    }
    errors.push(...page.filter(({ duplicate }) => duplicate).map(toDuplicate));
  }
  // A run about one person says nothing of groups as such.
  return run.options.user === null ? { errors, warnings: toWarnings(read.groups, selection) } : NOTHING;
}

function toDuplicate({ group: { id, position } }: StagedGroup): RecordError {
  const where = position === undefined ? '' : ` (${position})`;
  const message = `two groups have the id ${id}${where}: the team stays as it is`;
  return { resource: 'Team', id, code: 'RecordInvalid', message };
}

/** Alone of its name, a group keeps a suffix that its team was once given. */
async function toTeamName(
  { state }: RunDependencies,
  { group, namesakes }: StagedGroup,
  selection: GroupSelection,
): Promise<string> {
  const { id, displayName } = group;
  const chosen = namesakes.filter((each) => selection.selects({ id: each, displayName }));
  const before = await Promise.all(
    chosen.map(async (each) => ({
      id: each,
      held: (await state.links.team(toGroupKey(each)))?.displayName ?? null,
    })),
  );
  return computeTeamNames(displayName, before).get(id) ?? displayName;
}

function toWarnings({ unresolved, names }: GroupsRead, selection: GroupSelection): readonly Warning[] {
  const missing = selection.unresolved().length;
  return [
    ...(unresolved > 0
      ? [{ reason: 'UnresolvedMember', message: names === 'all' ? NOBODY : UNREAD, count: unresolved }]
      : []),
    ...(missing > 0
      ? [
          {
            reason: 'UnresolvedGroup',
            message: 'entries of groups.include or groups.exclude name no group of the source',
            count: missing,
          },
        ]
      : []),
  ];
}
