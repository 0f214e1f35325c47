/** map, of the groups: those that are chosen → teams of this run, with their members who are in scope. */
import type { CompiledMapping } from '../../mapping/compile.ts';
import { createGroupMapper, type GroupMapper } from '../../mapping/group.ts';
import { computeTeamNames, createGroupSelection, type GroupSelection, toGroupTeam } from '../../mapping/groups.ts';
import type { KnownAttributes } from '../../mapping/names.ts';
import { isInScopeGroups, type ScopeGroups } from '../../mapping/scope-groups.ts';
import type { GroupName, RecordError, SourceUser } from '../../model.ts';
import type { StagedGroup } from '../../state/source-groups.ts';
import type { StagedUser } from '../../state/staging.ts';
import { toGroupKey } from '../../team-key.ts';
import type { GroupsRead, Loaded, ReadResult, RunDependencies, Warning } from '../run.ts';
import { nameReferred } from './references.ts';

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
  { groups, scopeGroups }: ReadResult,
): Promise<(page: readonly StagedUser[]) => Promise<readonly StagedUser[]>> {
  if (groups === null) return async (page) => page;
  const partial = await state.groups.partial();
  const named = partial.flatMap(({ id, displayName }) => (displayName === null ? [] : [{ id, displayName }]));
  const isWhole = groups.isComplete && named.length === partial.length;
  return async (page) => {
    if (!isWhole && scopeGroups === null) return page;
    const known = await state.groups.groupsOf(page.map(({ user }) => user.id));
    return page.map(({ user, duplicate }) => {
      const own = known.get(user.id) ?? [];
      const maybe = named.filter(({ id }) => own.every((group) => group.id !== id));
      const all = { groups: own, ...(maybe.length === 0 ? {} : { maybeGroups: maybe }) };
      // Of who is in none of the groups of the scope nobody knows which others they are in.
      const tells = isWhole && (groups.members === 'all' || own.length > 0);
      return { user: { ...user, ...(tells ? all : {}), ...toScoped(own, scopeGroups) }, duplicate };
    });
  };
}

function toScoped(groups: readonly GroupName[], scopeGroups: ScopeGroups | null): Pick<SourceUser, 'inScopeGroups'> {
  const inScopeGroups = scopeGroups === null ? undefined : isInScopeGroups(groups, scopeGroups);
  return inScopeGroups === undefined ? {} : { inScopeGroups };
}

export interface MapGroupsInput {
  readonly loaded: Loaded;
  readonly read: ReadResult;
  /** See GroupMapperOptions. */
  readonly seed: string | null;
  /** The run's moment. */
  readonly now: Date;
}

/** What expressions are told of the tenant. */
export function toTenant({ identity }: Pick<Loaded, 'identity'>): { readonly defaultDomain: string | null } {
  return { defaultDomain: identity.defaultDomain ?? null };
}

/** Once everybody's presence is staged. */
export async function mapGroups(
  run: RunDependencies,
  { loaded, read, seed, now }: MapGroupsInput,
  signal: AbortSignal,
): Promise<MappedGroups> {
  if (read.groups === null || loaded.spec.groups.provision === 'None') return NOTHING;
  const { known } = read.groups;
  const selection = createGroupSelection(loaded.spec.groups, read.scopeGroups?.ids ?? null);
  const mapper = createGroupMapper({ mapping: loaded.teamMapping, known, seed, tenant: toTenant(loaded) });
  const mapping: Mapping = { run, selection, mapper, compiled: loaded.teamMapping, now, signal };
  await nameTeams(mapping);
  const errors = [...read.groups.errors, ...(await stageTeams(mapping))];
  // A run about one person says nothing of groups as such.
  if (run.options.user !== null) return NOTHING;
  const warnings = [
    ...toWarnings(read.groups, selection),
    ...mapper.missingNames.map((name) => toMissingWarning(name, { mapping: loaded.teamMapping, known })),
  ];
  return { errors, warnings };
}

interface Mapping {
  readonly run: RunDependencies;
  readonly selection: GroupSelection;
  readonly mapper: GroupMapper;
  readonly compiled: CompiledMapping;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** Chosen groups that can be told by their id, in the order of the read. */
async function* readChosen({ run, selection, signal }: Mapping): AsyncGenerator<readonly StagedGroup[]> {
  for await (const page of run.state.groups.groups()) {
    signal.throwIfAborted();
    yield page.filter(({ group }) => selection.selects(group));
  }
}

/** First everybody's name, so that those of one name are told apart whatever mappings make of it. */
async function nameTeams(mapping: Mapping): Promise<void> {
  const { run, mapper, now } = mapping;
  for await (const page of readChosen(mapping)) {
    const names: { id: string; name: string }[] = [];
    for (const { group } of page.filter(({ duplicate }) => !duplicate)) {
      const held = await run.state.links.team(toGroupKey(group.id));
      const { team } = mapper.map(group, held, now);
      names.push({ id: group.id, name: team?.displayName ?? held?.displayName ?? group.displayName });
    }
    await run.state.groups.nameTeams(names);
  }
}

async function stageTeams(mapping: Mapping): Promise<readonly RecordError[]> {
  const { run, mapper, compiled, now } = mapping;
  const { staging, groups, links } = run.state;
  const errors: RecordError[] = [];
  for await (const page of readChosen(mapping)) {
    for (const staged of page) {
      if (staged.duplicate) {
        errors.push(toDuplicate(staged));
        continue;
      }
      const { group, namesakes } = staged;
      const mapped = mapper.map(group, await links.team(toGroupKey(group.id)), now);
      errors.push(...mapped.errors);
      if (mapped.team === null) continue;
      const displayName = await toTeamName(run, mapped.team.displayName, { id: group.id, namesakes });
      const { values } = mapped.team;
      const toId = await nameReferred(run, compiled, [values.references]);
      const named = { ...values, references: toId(values.references) };
      const team = toGroupTeam(group, { ...mapped.team, displayName, values: named });
      await staging.addTeams([team]);
      await groups.addMemberships(group.id, team.key);
    }
  }
  return errors;
}

function toDuplicate({ group: { id, position } }: StagedGroup): RecordError {
  const where = position === undefined ? '' : ` (${position})`;
  const message = `two groups have the id ${id}${where}: the team stays as it is`;
  return { resource: 'Team', id, code: 'RecordInvalid', message };
}

/** Alone of its name, a group keeps a suffix that its team was once given. */
async function toTeamName(
  { state }: RunDependencies,
  displayName: string,
  { id, namesakes }: { readonly id: string; readonly namesakes: readonly string[] },
): Promise<string> {
  const before = await Promise.all(
    namesakes.map(async (each) => ({
      id: each,
      held: (await state.links.team(toGroupKey(each)))?.displayName ?? null,
    })),
  );
  return computeTeamNames(displayName, before).get(id) ?? displayName;
}

function toMissingWarning(
  name: string,
  { mapping, known }: { readonly mapping: CompiledMapping; readonly known: KnownAttributes },
): Warning {
  const nearest = known.nearest(name);
  const meant = nearest === null ? '' : ` (did you mean ${JSON.stringify(nearest)}?)`;
  const targets = mapping.entries.filter((entry) => entry.names.includes(name)).map(({ target }) => target);
  const kept = targets.length === 1 ? 'the entry for' : 'the entries for';
  const message = `the read of groups did not deliver ${JSON.stringify(name)}${meant}: ${kept} ${targets.join(', ')} changed no team`;
  return { reason: 'UnknownAttribute', message };
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
