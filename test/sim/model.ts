/** The company that the simulator plays: people at the source, and the resources that say what is to become of them. */

import type { CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import type { DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import type { OwnMappingSpec } from '../support/builders.ts';
import { type CustomName, type Feature, toCustom, toFeatureEntries } from './features.ts';
import type { Feed } from './feed.ts';
import { found, type Group } from './groups.ts';
import { type ProfileName, toProfileEntries } from './profiles.ts';
import type { ScopeFilter } from './scope-filter.ts';
import { TEAM_ENTRIES, type TeamValueName, toTeamCustom } from './team-values.ts';

/** One person as the source has them now. */
export interface Employee {
  readonly id: string;
  mail: string | null;
  title: string | null;
  department: string | null;
  manager: string | null;
  /** Names of clubs, joined by `;`. */
  clubs: string | null;
  scope: 'in' | 'out';
  active: boolean;
}

export interface Manifests {
  spec: DirectorySyncSpec;
  mapping: OwnMappingSpec;
  rules: Record<string, TeamRuleSpec>;
  /** Absent: there is no CustomAttribute of people. */
  custom?: CustomAttributeSpec;
  /** Absent: teams of groups have name and mark alone. */
  teamMapping?: OwnMappingSpec;
  /** CustomAttributes of groups, by name. */
  teamCustoms?: Partial<Record<TeamValueName, CustomAttributeSpec>>;
}

export interface Company {
  /** In the source now. */
  readonly people: Employee[];
  /** Who has left the source, the latest last. */
  readonly gone: Employee[];
  readonly manifests: Manifests;
  /** People made so far, for the next id. */
  made: number;
  /** In the order in which the source tells them. */
  readonly groups: Group[];
  readonly groupsGone: Group[];
  /** The source names managers by their mail addresses, not by their ids. */
  readonly namesByMail: boolean;
  /** What the source has told so far; null: it tells no changes. */
  readonly feed: Feed | null;
  /** It can be asked for the people in scope alone; null: it cannot. */
  readonly filter: ScopeFilter | null;
  /** Accounts to which somebody gave a value by hand since nothing is written there, by what the checkers call the path. */
  readonly customByHand: Record<CustomName, Set<string>>;
  /** Paths of which a run has written down that values may be there. */
  readonly customWritten: Set<CustomName>;
  /** Teams of groups were marked in another way at some time. */
  marksMoved: boolean;
  /** Groups made so far; none: the source has no groups at all. */
  groupsMade: number;
}

export const NAMESPACE = 'identity';
export const SYNC = 'acme';
/** The id that takes over from the one which is the name. */
export const NEXT_ID = `${SYNC}-2`;
export const MAIL_DOMAIN = 'corp.example';
export const DEPARTMENT = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department';
export const MANAGER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager';

export const DEPARTMENTS = ['Sales', 'Research', 'Support'] as const;
export const TITLES = ['Engineer', 'Lead', 'Principal', 'Clerk'] as const;
const CLUBS = ['Chess', 'Go', 'Choir'] as const;
/** Names that a rule's team may be given; nobody else's team has one of them. */
export const TEAM_NAMES = {
  sales: ['Sales People', 'Field Sales', 'Revenue'],
  research: ['Research People', 'Laboratory', 'Science'],
} as const;

export const isClub = (name: string): boolean => CLUBS.some((club) => club.toLowerCase() === name.toLowerCase());

function toSyncId({ spec }: Pick<Manifests, 'spec'>): string {
  return spec.id ?? SYNC;
}

/** Where its state stands, and where it stood before. */
export function toStateKeys(manifests: Pick<Manifests, 'spec'>): readonly { namespace: string; id: string }[] {
  return [...new Set([toSyncId(manifests), SYNC])].map((id) => ({ namespace: NAMESPACE, id }));
}

export function toStateKey(manifests: Pick<Manifests, 'spec'>): { namespace: string; id: string } {
  return { namespace: NAMESPACE, id: toSyncId(manifests) };
}

/** The mark of a team, for the id that the DirectorySync has. */
export function toMark(manifests: Pick<Manifests, 'spec'>, name: string): string {
  return `dirsync:${NAMESPACE}/${toSyncId(manifests)}:${name}`;
}

/** The name in the mark of a team, under whichever of its ids; null for one that is not marked. */
export function toMarkedName(externalId: string | null): string | null {
  const mark = [SYNC, NEXT_ID].map((id) => `dirsync:${NAMESPACE}/${id}:`).find((each) => externalId?.startsWith(each));
  return mark === undefined || externalId === null ? null : externalId.slice(mark.length);
}

export interface Beginning {
  readonly size: number;
  /** How many groups the source has; none: it cannot be asked for them. */
  readonly groups?: number | undefined;
  /** What its mapping has beyond the plain one. */
  readonly features?: readonly Feature[] | undefined;
  /** Of the application that it uses. */
  readonly profile?: ProfileName | undefined;
}

export function createCompany({ size, groups = 0, features = [], profile }: Beginning): Company {
  const company: Company = {
    people: [],
    gone: [],
    made: 0,
    groups: [],
    groupsGone: [],
    groupsMade: 0,
    namesByMail: features.includes('managersByMail'),
    filter: features.includes('scopeReads') && !features.includes('feed') ? { told: null, out: new Set() } : null,
    feed: features.includes('feed') ? { told: [], namesGone: !features.includes('countedFeed') } : null,
    customByHand: { tier: new Set(), grade: new Set() },
    customWritten: new Set(),
    marksMoved: false,
    manifests: {
      spec: {
        source: { file: { users: { path: 'people.csv' } } },
        scope: { filters: [[{ attribute: 'scope', operator: 'Equals', value: 'in' }]] },
        mappings: [{ name: 'users' }],
        target: {
          scim: {
            url: 'https://app.example.com/scim/v2',
            credentialsRef: { name: 'app' },
            ...(profile === undefined ? {} : { profile }),
          },
        },
        guards: { floor: 1, deactivate: { percent: 34 }, delete: { percent: 34 } },
        limits: { concurrency: 3 },
      },
      mapping: {
        attributes: [
          { target: 'userName', source: 'mail', matching: { precedence: 1 }, required: true },
          { target: 'externalId', source: 'id', matching: { precedence: 2 } },
          { target: 'title', source: 'title', onEmpty: 'Clear' },
          { target: DEPARTMENT, source: 'department' },
          { target: MANAGER, source: 'manager' },
          ...toProfileEntries(profile),
          ...toFeatureEntries(features),
        ],
      },
      rules: {
        sales: toMatchRule('Sales People', ['Sales']),
        research: toMatchRule('Research People', ['Research']),
        clubs: { directorySyncRef: { name: SYNC }, teamsFrom: { attributes: ['clubs'] } },
      },
      ...(features.includes('custom') ? { custom: toCustom('tier') } : {}),
    },
  };
  for (let n = 0; n < size; n += 1) hire(company, n * 7);
  if (features.includes('teamValues')) mapTeams(company.manifests);
  if (groups > 0) {
    const { spec } = company.manifests;
    const source = { file: { users: { path: 'people.csv' }, groups: { path: 'groups.json' } } };
    company.manifests.spec = { ...spec, source, groups: { provision: 'All' } };
    for (let n = 0; n < groups; n += 1) found(company, 37 * (n + size));
  }
  return company;
}

function mapTeams(manifests: Manifests): void {
  manifests.spec = { ...manifests.spec, mappings: [{ name: 'users' }, { name: 'teams' }] };
  manifests.teamMapping = { resource: 'Team', attributes: [...TEAM_ENTRIES] };
  manifests.teamCustoms = { purpose: toTeamCustom('purpose'), site: toTeamCustom('site') };
}

export function toMatchRule(displayName: string, values: string[]): TeamRuleSpec {
  return {
    directorySyncRef: { name: SYNC },
    team: { displayName },
    match: [{ attribute: 'department', operator: 'In', values }],
  };
}

export function hire(company: Company, n: number): Employee {
  company.made += 1;
  const id = `p${company.made}`;
  const person: Employee = {
    id,
    mail: toMail(company.made % 5 === 0 ? id.toUpperCase() : id),
    title: TITLES[n % TITLES.length] ?? null,
    department: DEPARTMENTS[n % DEPARTMENTS.length] ?? null,
    manager: company.people[n % (company.people.length || 1)]?.id ?? null,
    clubs: toClubs(n),
    scope: 'in',
    active: true,
  };
  company.people.push(person);
  return person;
}

/** As the source names the manager: in the letters of the address, or in capitals. */
export function toManagerName({ manager }: Employee, { people, gone, namesByMail }: Company): string | null {
  const mail = [...people, ...gone].find(({ id }) => id === manager)?.mail ?? null;
  if (manager === null || mail === null || !namesByMail) return manager;
  return /[02468]$/.test(manager) ? mail.toUpperCase() : mail;
}

export function toMail(name: string): string {
  return `${name}@${MAIL_DOMAIN}`;
}

export function toClubs(n: number): string | null {
  const some = CLUBS.filter((_, index) => ((n >> index) & 1) === 1);
  return some.length === 0 ? null : some.join(';');
}

export function at<T>(list: readonly T[], n: number): T | undefined {
  return list.length === 0 ? undefined : list[n % list.length];
}
