/** What follows from a profile: for an attribute, for a value, and for what a DirectorySync wants. Pure. */
import { SyncError } from '../../errors.ts';
import type { Attributes, Json, ResourceKind } from '../../model.ts';
import { ENTRA_USER } from '../../scim/entra-user.ts';
import { parseScimPath, printScimPath, type ScimPath } from '../../scim/path.ts';
import { type AttributeBehaviour, PLAIN_ATTRIBUTE, type TargetProblem, type TargetUse } from '../target.ts';
import type { ScimConfig } from './config.ts';
import { isEmpty } from './convert.ts';
import { PROFILES, type Profile } from './profiles.ts';

export function getProfile({ profile }: ScimConfig): Profile {
  return PROFILES[profile ?? 'Standard'];
}

/** Asked for every value of every person. */
const BEHAVIOURS = new WeakMap<Profile, Map<string, AttributeBehaviour>>();

export function toBehaviour(profile: Profile, kind: ResourceKind, path: string): AttributeBehaviour {
  const known = BEHAVIOURS.get(profile) ?? new Map<string, AttributeBehaviour>();
  BEHAVIOURS.set(profile, known);
  const key = `${kind} ${path}`;
  const behaviour = known.get(key) ?? computeBehaviour(profile, kind, path);
  known.set(key, behaviour);
  return behaviour;
}

function computeBehaviour(profile: Profile, kind: ResourceKind, path: string): AttributeBehaviour {
  const facts = profile.attributes[kind === 'User' ? 'User' : 'Group'];
  const parsed = parseScimPath(path);
  const has = (names: readonly string[]): boolean => names.some((name) => isAt(parsed, name));
  const isRefused = has(facts.never) || (facts.taken !== null && !has(facts.taken));
  const isFixed = facts.onCreate === 'all' || has(facts.onCreate);
  const writes = isRefused ? 'never' : isFixed ? 'onCreate' : PLAIN_ATTRIBUTE.writes;
  const shows = has(facts.hidden) || isRefused ? 'never' : has(facts.rewritten) ? 'otherwise' : PLAIN_ATTRIBUTE.shows;
  const maxLength = kind === 'User' ? profile.maxLength[path] : undefined;
  return { writes, shows, ...(maxLength === undefined ? {} : { maxLength }) };
}

/** `emails` and `name.givenName` as profiles write them: without URN and filter. */
function isAt({ attribute, sub }: ScimPath, name: string): boolean {
  const [top, part] = name.toLowerCase().split('.');
  return top === attribute.toLowerCase() && (part === undefined || part === sub?.toLowerCase());
}

/** Of a search: `emails.value` for `emails[type eq "work"].value`. Null: the application does not search by it. */
export function toFilterName(profile: Profile, kind: 'User' | 'Group', path: ScimPath): string | null {
  const name = printScimPath({ ...path, filter: null });
  const names = profile.filters[kind];
  return names === null ? name : (names[name] ?? null);
}

/** Throws `RecordInvalid` for what the application is known to refuse, so that it is not asked (T10). */
export function assertValues(profile: Profile, values: Attributes): void {
  for (const [path, value] of Object.entries(values)) {
    const limit = profile.maxLength[path];
    if (limit !== undefined && typeof value === 'string' && value.length > limit)
      throw new SyncError('RecordInvalid', `${path} has ${value.length} characters; the target takes ${limit}`);
    const found = findForbidden(value, `${profile.forbiddenCharacters}${profile.forbiddenIn[path] ?? ''}`);
    if (found === null) continue;
    throw new SyncError(
      'RecordInvalid',
      `${path} has the character ${JSON.stringify(found)}, which the target refuses`,
    );
  }
}

function findForbidden(value: Json, characters: string): string | null {
  if (characters === '') return null;
  if (typeof value === 'string') return [...value].find((each) => characters.includes(each)) ?? null;
  const parts: readonly Json[] = typeof value === 'object' && value !== null ? Object.values(value) : [];
  for (const part of parts) {
    const found = findForbidden(part, characters);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Of the paths of a preset: what the application never takes, of a list with one entry all entries but the first, and the
 * extension of Entra ID wherever it is not required.
 */
export function listLeftOut(profile: Profile, paths: readonly string[], resource: ResourceKind): readonly string[] {
  const first = new Map<string, string>();
  return paths.filter((path) => {
    if (path !== 'active' && toBehaviour(profile, resource, path).writes === 'never') return true;
    const parsed = parseScimPath(path);
    if (isOfEntra(parsed) && !profile.required.includes(parsed.attribute)) return true;
    if (profile.multiValued === 'many' || parsed.filter === null) return false;
    const entry = printScimPath({ ...parsed, sub: null });
    const kept = first.get(parsed.attribute) ?? entry;
    first.set(parsed.attribute, kept);
    return kept !== entry;
  });
}

function isOfEntra({ urn }: ScimPath): boolean {
  return urn?.toLowerCase() === ENTRA_USER.id.toLowerCase();
}

/** Throws `RecordInvalid` when a new user lacks what the application asks of every one. */
export function assertRequired({ required }: Profile, values: Attributes): void {
  const given = Object.entries(values).filter(([, value]) => !isEmpty(value));
  const missing = required.filter((name) => !given.some(([path]) => isAt(parseScimPath(path), name)));
  if (missing.length === 0) return;
  throw new SyncError(
    'RecordInvalid',
    `${missing.join(' and ')} has no value, which the target requires of a new user`,
  );
}

/** In the order in which a person would mend them. */
export function checkUse(config: ScimConfig, use: TargetUse): readonly TargetProblem[] {
  const profile = getProfile(config);
  const name = config.profile ?? 'Standard';
  return [
    ...checkRequired(profile, name, use),
    ...checkLists(profile, name, use),
    ...checkWrites(profile, name, use),
    ...checkTeamWrites(profile, name, use),
    ...checkTeams(profile, name, use),
    ...checkDeletion(profile, name, use),
  ];
}

type Check = (profile: Profile, name: string, use: TargetUse) => readonly TargetProblem[];

/** A mapping without any entry for it would fail for everybody. */
const checkRequired: Check = ({ required }, name, { userPaths }) => {
  const missing = required.filter((each) => !userPaths.some((path) => isAt(parseScimPath(path), each)));
  if (missing.length === 0) return [];
  const message = `the profile ${name} requires ${missing.join(', ')} of every new user, and no entry of the mappings writes it`;
  return [{ severity: 'error', message }];
};

const checkLists: Check = ({ multiValued }, name, { userPaths }) => {
  if (multiValued === 'many') return [];
  const entries = userPaths.map((path) => parseScimPath(path)).filter(({ filter }) => filter !== null);
  const lists = Map.groupBy(entries, (path) => path.attribute);
  return [...lists].flatMap(([list, paths]): TargetProblem[] => {
    const places = new Set(paths.map((path) => printScimPath({ ...path, sub: null })));
    if (places.size < 2) return [];
    const message = `the profile ${name} takes one entry of ${list}, and the mappings write ${[...places].join(' and ')}; leave one out`;
    return [{ severity: 'error', message }];
  });
};

const checkWrites: Check = (profile, name, { userPaths }) => {
  const of = (writes: AttributeBehaviour['writes']): readonly string[] =>
    userPaths.filter((path) => path !== 'active' && toBehaviour(profile, 'User', path).writes === writes);
  const warn = (paths: readonly string[], what: string): TargetProblem[] =>
    paths.length === 0 ? [] : [{ severity: 'warning', message: `the profile ${name} ${what}: ${paths.join(', ')}` }];
  return [
    ...warn(of('never'), 'does not take these attributes, which are left out'),
    ...warn(of('onCreate'), 'takes these attributes only when an account is made, so later changes are not sent'),
  ];
};

const checkTeamWrites: Check = (profile, name, { teamPaths }) => {
  const never = teamPaths.filter((path) => toBehaviour(profile, 'Team', path).writes === 'never');
  if (never.length === 0 || profile.groups === 'none') return [];
  const message = `the profile ${name} does not take these attributes of teams, which are left out: ${never.join(', ')}`;
  return [{ severity: 'warning', message }];
};

const checkTeams: Check = ({ groups, renameGroup }, name, { teams }) => {
  if (!teams) return [];
  const message = (what: string): TargetProblem => ({ severity: 'warning', message: `the profile ${name} ${what}` });
  if (groups === 'none') return [message('has no groups: TeamRules cannot be carried out there')];
  const filled =
    groups === 'updateOnly' ? [message('lets no groups be made: TeamRules fill those that are there')] : [];
  return renameGroup ? filled : [...filled, message('lets no groups be renamed: teams keep the name they began with')];
};

const checkDeletion: Check = ({ deleteUser, activeFalse }, name, { deletes }) => {
  if (activeFalse === 'removes') {
    const message = `in the profile ${name} whoever is switched off is removed: Deactivate is carried out, and guarded, as Delete`;
    return [{ severity: 'warning', message }];
  }
  if (!deletes || deleteUser !== 'deactivates') return [];
  const message = `the profile ${name} deletes no accounts: the policy Delete is carried out as Deactivate`;
  return [{ severity: 'warning', message }];
};
