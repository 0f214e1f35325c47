/** What the core may ask of this application, from its profile, its own word and what was seen of it. */
import { type SchemaSet, URN_GROUP } from '../../scim/schema.ts';
import type { AttributeBehaviour, TargetCapabilities, TargetLimitation, TargetProblem } from '../target.ts';
import { compareWithProfile } from './fit.ts';
import { toBehaviour } from './profile-rules.ts';
import type { Connection } from './read.ts';

export function toCapabilities(connection: Connection): TargetCapabilities {
  const { discovered, profile, seen } = connection;
  const { members, activeFalse, deleteUser, groups, renameGroup } = profile;
  return {
    patch: discovered.patch && !seen.patchRefused,
    filter: discovered.filter,
    etag: discovered.etag,
    schemas: discovered.schemas,
    contradictions: ({ teams }) => toContradictions(connection, teams),
    get changesTogether() {
      const announced = discovered.bulk?.operations ?? 1;
      return Math.max(1, Math.min(announced, seen.bulkOperations ?? announced));
    },
    membersPerRequest: Math.min(members.total, seen.membersPerRequest ?? members.total),
    memberChanges: { add: members.add, remove: members.remove, mixed: members.mixed },
    deactivation: activeFalse,
    get deleteUsers() {
      return deleteUser !== 'deactivates' && !seen.deletionRefused;
    },
    teams: groups,
    renameTeams: renameGroup,
    get tellsMembers() {
      return profile.readMembers === 'byFilter' || seen.showsMembers === true;
    },
    readsMembers: groups !== 'none' && seen.showsMembers !== false,
    maxTeamNameLength: profile.maxLength['Group.displayName'] ?? null,
    attribute: (kind, path) => {
      // RFC 7643 gives groups none: whoever has it publishes it.
      if (kind === 'Team' && path === 'description' && !describesGroups(discovered.schemas)) return NEVER_WRITTEN;
      return combine(toBehaviour(profile, kind, path), seen.behaviour(kind, path));
    },
    limitations: () => toLimitations(connection),
  };
}

const NEVER_WRITTEN: AttributeBehaviour = { writes: 'never', shows: 'exactly' };

function describesGroups(schemas: SchemaSet | null): boolean {
  const description = schemas?.find(URN_GROUP)?.attributes.find(({ name }) => name.toLowerCase() === 'description');
  return description !== undefined && description.mutability !== 'readOnly';
}

function toContradictions({ discovered, profile }: Connection, teams: boolean): readonly TargetProblem[] {
  return compareWithProfile(discovered.announced, profile, { teams }).flatMap(({ verdict, message }) =>
    verdict === 'ok'
      ? []
      : [{ severity: verdict, message: `the profile does not fit the target: ${message}; see dirsync check target` }],
  );
}

/** What the profile says of an attribute was not watched; of all others what was seen counts. */
function combine(said: AttributeBehaviour, observed: AttributeBehaviour | null): AttributeBehaviour {
  if (observed === null) return said;
  return {
    ...said,
    writes: said.writes === 'always' ? observed.writes : said.writes,
    shows: said.shows === 'exactly' ? observed.shows : said.shows,
  };
}

function toLimitations({ seen, profile }: Connection): readonly TargetLimitation[] {
  const limitations: TargetLimitation[] = [];
  if (seen.showsMembers === false) {
    const message = 'the target does not show the members of its teams: changes made there by hand are not seen';
    limitations.push({ reason: 'MembersNotShown', message });
  }
  if (seen.removesByValue === false) {
    const message =
      'the target empties a team of which one member is removed in the old form of Entra: they were put back, and its members are written whole from now on';
    limitations.push({ reason: 'MembersRemovedWhole', message });
  }
  if (seen.deletionRefused && profile.activeFalse === 'deactivates') {
    const message = 'the target refuses to delete accounts: the policy Delete is carried out as Deactivate';
    limitations.push({ reason: 'DeletionRefused', message });
  }
  for (const { kind, path, fate } of seen.remarkable()) {
    const message = SAID[fate](kind === 'User' ? path : `${path} of teams`);
    limitations.push({ reason: 'AttributeNotKept', message });
  }
  return limitations;
}

const SAID: Readonly<Record<'kept' | 'otherCase' | 'otherwise' | 'dropped', (path: string) => string>> = {
  kept: (path) => `the target keeps ${path}`,
  otherCase: (path) => `the target changes the case of ${path}: a change of case alone is not mended`,
  otherwise: (path) => `the target keeps ${path} in a form of its own: changes made there by hand are not seen`,
  dropped: (path) => `the target does not keep ${path}: it is no longer written, until somebody has a value there`,
};
