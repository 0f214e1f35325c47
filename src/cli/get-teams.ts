/** `dirsync get teams`: the teams that Dirsync owns, as the state file knows them. */
import { stringify } from 'yaml';
import { SyncError } from '../errors.ts';
import type { StateStore, TeamLink } from '../state/store.ts';
import { toComparableName, toGroupId } from '../team-key.ts';
import type { CliIo } from './io.ts';
import { createStatusStore } from './status-store.ts';
import { formatTable } from './table.ts';

/** One team, as `-o json` prints it. */
interface ShownTeam {
  /** `<namespace>/<id>`. */
  readonly directorySync: string;
  readonly name: string;
  readonly members: number;
  /** TeamRules that made it; none for the team of a group. */
  readonly rules: readonly string[];
  /** Id of the group that it is made of; null for a team of rules. */
  readonly group: string | null;
  readonly targetId: string;
  /** The mark that it was given; null where the application keeps none. */
  readonly externalId: string | null;
}

export interface GetTeamsOptions {
  readonly output: 'text' | 'wide' | 'json' | 'yaml';
  /** Only those without members. */
  readonly empty: boolean;
}

/** @param name of one team, trimmed and without case; undefined: all */
export async function getTeams(
  io: Pick<CliIo, 'stdout' | 'stderr'>,
  store: StateStore,
  { name, output, empty }: GetTeamsOptions & { readonly name: string | undefined },
): Promise<void> {
  const all = await readTeams(store);
  const named = name === undefined ? all : all.filter((team) => toComparableName(team.name) === toComparableName(name));
  if (name !== undefined && named.length === 0)
    throw new SyncError('ReferenceNotFound', `the state file knows no team ${JSON.stringify(name)}`);
  const shown = empty ? named.filter(({ members }) => members === 0) : named;
  if (output === 'json') await io.stdout(`${JSON.stringify({ teams: shown }, null, 2)}\n`);
  else if (output === 'yaml') await io.stdout(stringify({ teams: shown }));
  else if (shown.length > 0) await io.stdout(formatTeams(shown, output === 'wide'));
  if (shown.length === 0) io.stderr(empty ? 'no team is empty\n' : 'no teams are managed yet\n');
}

/** By DirectorySync, then by name. */
async function readTeams(store: StateStore): Promise<readonly ShownTeam[]> {
  const teams: ShownTeam[] = [];
  for (const key of await createStatusStore(store).directories()) {
    const { links } = await store.directory(key);
    const directorySync = `${key.namespace}/${key.id}`;
    for await (const page of links.teams())
      for (const team of page) teams.push(toShown(team, { directorySync, members: await links.members(team.key) }));
  }
  return teams.sort((a, b) => a.directorySync.localeCompare(b.directorySync) || a.name.localeCompare(b.name));
}

function toShown(
  { key, displayName, rules, targetId, externalId }: TeamLink,
  { directorySync, members }: Pick<ShownTeam, 'directorySync' | 'members'>,
): ShownTeam {
  return { directorySync, name: displayName, members, rules, group: toGroupId(key), targetId, externalId };
}

function formatTeams(teams: readonly ShownTeam[], wide: boolean): string {
  const isMixed = new Set(teams.map(({ directorySync }) => directorySync)).size > 1;
  const heading = [
    ...(isMixed ? ['DIRECTORYSYNC'] : []),
    ...['NAME', 'MEMBERS', 'MADE BY'],
    ...(wide ? ['ID', 'EXTERNALID'] : []),
  ];
  const rows = teams.map(({ directorySync, name, members, rules, group, targetId, externalId }) => [
    ...(isMixed ? [directorySync] : []),
    ...[name, String(members), group === null ? `rule ${rules.join(', ')}` : `group ${group}`],
    ...(wide ? [targetId, externalId ?? ''] : []),
  ]);
  return formatTable([heading, ...rows]);
}
