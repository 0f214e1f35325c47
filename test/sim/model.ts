/** The company that the simulator plays: people at the source, and the resources that say what is to become of them. */
import type { AttributeMappingResource } from '../../src/api/attribute-mapping.ts';
import type { DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';

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
  mapping: AttributeMappingResource['spec'];
  rules: Record<string, TeamRuleSpec>;
}

export interface Company {
  /** In the source now. */
  readonly people: Employee[];
  /** Who has left the source, the latest last. */
  readonly gone: Employee[];
  readonly manifests: Manifests;
  /** People made so far, for the next id. */
  made: number;
}

export const NAMESPACE = 'identity';
export const SYNC = 'acme';
export const MAIL_DOMAIN = 'corp.example';
export const DEPARTMENT = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department';
export const MANAGER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager';

const DEPARTMENTS = ['Sales', 'Research', 'Support'] as const;
const TITLES = ['Engineer', 'Lead', 'Principal', 'Clerk'] as const;
const CLUBS = ['Chess', 'Go', 'Choir'] as const;
/** Names that a rule's team may be given; nobody else's team has one of them. */
const TEAM_NAMES = {
  sales: ['Sales People', 'Field Sales', 'Revenue'],
  research: ['Research People', 'Laboratory', 'Science'],
} as const;

export const isClub = (name: string): boolean => CLUBS.some((club) => club.toLowerCase() === name.toLowerCase());

type Policy = 'Deactivate' | 'Delete' | 'Retain';
const POLICIES: readonly Policy[] = ['Deactivate', 'Delete', 'Retain'];

/** Whatever happens at the source or in Git. Numbers choose people and values, modulo how many there are. */
export type CompanyStep =
  | { readonly do: 'hire'; readonly n: number }
  | { readonly do: 'move' | 'promote' | 'manager' | 'clubs' | 'rename'; readonly who: number; readonly value: number }
  | { readonly do: 'swap' | 'rotate'; readonly who: number; readonly other: number }
  | {
      readonly do: 'leave' | 'return' | 'disable' | 'enable' | 'scope' | 'blank' | 'rehire' | 'recycle';
      readonly who: number;
    }
  | { readonly do: 'manifest'; readonly what: ManifestEdit; readonly value: number };

export const MANIFEST_EDITS = [
  'scope',
  'outOfScope',
  'disabledAtSource',
  'deletedAtSource',
  'memberships',
  'deactivateGuard',
  'deleteGuard',
  'removeMembersGuard',
  'adoptGuard',
  'reactivateGuard',
  'renameGuard',
  'deleteTeamsGuard',
  'deleteAfter',
  'restoreMemberships',
  'drift',
  'maxFailures',
  'floor',
  'protectedUsers',
  'adoption',
  'concurrency',
  'ruleMatch',
  'ruleName',
  'ruleSuspend',
  'ruleWhenEmpty',
  'ruleRemove',
  'ruleInclude',
  'clubsRule',
  'titleEntry',
  'departmentEntry',
  'clearTitle',
  'planMode',
] as const;
export type ManifestEdit = (typeof MANIFEST_EDITS)[number];

export function createCompany(size: number): Company {
  const company: Company = {
    people: [],
    gone: [],
    made: 0,
    manifests: {
      spec: {
        source: { file: { users: { path: 'people.csv' } } },
        scope: { filters: [[{ attribute: 'scope', operator: 'Equals', value: 'in' }]] },
        mappings: [{ name: 'users' }],
        target: { scim: { url: 'https://app.example.com/scim/v2', credentialsRef: { name: 'app' } } },
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
        ],
      },
      rules: {
        sales: toMatchRule('Sales People', ['Sales']),
        research: toMatchRule('Research People', ['Research']),
        clubs: { directorySyncRef: { name: SYNC }, teamsFrom: { attributes: ['clubs'] } },
      },
    },
  };
  for (let n = 0; n < size; n += 1) hire(company, n * 7);
  return company;
}

function toMatchRule(displayName: string, values: string[]): TeamRuleSpec {
  return {
    directorySyncRef: { name: SYNC },
    team: { displayName },
    match: [{ attribute: 'department', operator: 'In', values }],
  };
}

function hire(company: Company, n: number): Employee {
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

function toMail(name: string): string {
  return `${name}@${MAIL_DOMAIN}`;
}

function toClubs(n: number): string | null {
  const some = CLUBS.filter((_, index) => ((n >> index) & 1) === 1);
  return some.length === 0 ? null : some.join(';');
}

/** Nothing happens where there is nobody that it could happen to. */
export function takeStep(company: Company, step: CompanyStep): void {
  switch (step.do) {
    case 'hire':
      hire(company, step.n);
      return;
    case 'manifest':
      editManifests(company, step.what, step.value);
      return;
    case 'swap':
    case 'rotate':
      exchangeMails(company, step);
      return;
    case 'return': {
      const back = take(company.gone, step.who);
      if (back !== undefined) company.people.push({ ...back, active: true });
      return;
    }
    case 'recycle': {
      const mail = at(company.gone, step.who)?.mail;
      if (mail !== undefined) hire(company, step.who).mail = mail;
      return;
    }
    case 'leave':
    case 'rehire': {
      const left = take(company.people, step.who);
      if (left === undefined) return;
      company.gone.push(left);
      if (step.do === 'rehire') hire(company, step.who).mail = left.mail;
      return;
    }
    default: {
      const person = at(company.people, step.who);
      if (person !== undefined) change(company, person, step);
    }
  }
}

type Change = Exclude<
  CompanyStep,
  { readonly do: 'hire' | 'manifest' | 'swap' | 'rotate' | 'leave' | 'return' | 'rehire' | 'recycle' }
>;

function change(company: Company, person: Employee, step: Change): void {
  const value = 'value' in step ? step.value : 0;
  switch (step.do) {
    case 'move':
      person.department = [...DEPARTMENTS, null][value % 4] ?? null;
      return;
    case 'promote':
      person.title = [...TITLES, null][value % 5] ?? null;
      return;
    case 'manager':
      person.manager = at(company.people, value)?.id ?? null;
      return;
    case 'clubs':
      person.clubs = toClubs(value);
      return;
    case 'rename':
      person.mail = toMail(value % 4 === 0 ? person.id.toUpperCase() : `${person.id}.${value % 4}`);
      return;
    case 'blank':
      person.mail = person.mail === null ? toMail(person.id) : null;
      return;
    case 'scope':
      person.scope = person.scope === 'in' ? 'out' : 'in';
      return;
    case 'disable':
    case 'enable':
      person.active = step.do === 'enable';
  }
}

/** Two people swap their mail addresses, or three pass theirs on in a ring. */
function exchangeMails({ people }: Company, { do: kind, who, other }: CompanyStep & { do: 'swap' | 'rotate' }): void {
  const some = [...new Set([at(people, who), at(people, other), at(people, who + other)])];
  const ring = some.filter((each) => each !== undefined).slice(0, kind === 'swap' ? 2 : 3);
  const mails = ring.map(({ mail }) => mail);
  ring.forEach((person, index) => {
    person.mail = mails[(index + 1) % mails.length] ?? null;
  });
}

function at<T>(list: readonly T[], n: number): T | undefined {
  return list.length === 0 ? undefined : list[n % list.length];
}

function take<T>(list: T[], n: number): T | undefined {
  return list.length === 0 ? undefined : list.splice(n % list.length, 1)[0];
}

const PERCENTS = [10, 34, 50, 100] as const;

const EDITS: Readonly<Record<ManifestEdit, (company: Company, value: number) => void>> = {
  scope: ({ manifests }, value) => {
    const filters = [[{ attribute: 'scope', operator: 'Equals' as const, value: 'in' }]];
    manifests.spec = { ...manifests.spec, scope: { filters: value % 2 === 0 ? filters : [] } };
  },
  outOfScope: toPolicyEdit('outOfScope'),
  disabledAtSource: toPolicyEdit('disabledAtSource'),
  deletedAtSource: toPolicyEdit('deletedAtSource'),
  memberships: ({ manifests }, value) => {
    const { deprovisioning } = manifests.spec;
    const memberships = value % 2 === 0 ? 'Remove' : 'Keep';
    manifests.spec = { ...manifests.spec, deprovisioning: { ...deprovisioning, memberships } };
  },
  deactivateGuard: toGuardEdit('deactivate'),
  deleteGuard: toGuardEdit('delete'),
  removeMembersGuard: toGuardEdit('removeMembers'),
  adoptGuard: toGuardEdit('adopt'),
  reactivateGuard: toGuardEdit('reactivate'),
  renameGuard: toGuardEdit('rename'),
  deleteTeamsGuard: toGuardEdit('deleteTeams'),
  deleteAfter: ({ manifests }, value) => {
    const { deleteAfter: _before, ...deprovisioning } = manifests.spec.deprovisioning ?? {};
    const deleteAfter = ['1h', '30h'][value % 3];
    manifests.spec = {
      ...manifests.spec,
      deprovisioning: { ...deprovisioning, ...(deleteAfter === undefined ? {} : { deleteAfter }) },
    };
  },
  restoreMemberships: ({ manifests }, value) => {
    const { deprovisioning } = manifests.spec;
    manifests.spec = { ...manifests.spec, deprovisioning: { ...deprovisioning, restoreMemberships: value % 2 === 0 } };
  },
  drift: ({ manifests }, value) => {
    const policy = value % 2 === 0 ? 'Report' : 'Repair';
    manifests.spec = { ...manifests.spec, drift: { policy, verifyEvery: ['1h', '24h', '0s'][value % 3] ?? '24h' } };
  },
  maxFailures: ({ manifests }, value) => {
    const { guards } = manifests.spec;
    manifests.spec = { ...manifests.spec, guards: { ...guards, maxFailures: [10, 20, 100][value % 3] ?? 20 } };
  },
  floor: ({ manifests }, value) => {
    manifests.spec = { ...manifests.spec, guards: { ...manifests.spec.guards, floor: value % 3 } };
  },
  protectedUsers: (company, value) => {
    const { spec } = company.manifests;
    const id = at(company.people, value)?.id;
    const protectedUsers = value % 3 === 0 || id === undefined ? [] : [id];
    company.manifests.spec = { ...spec, guards: { ...spec.guards, protectedUsers } };
  },
  adoption: ({ manifests }, value) => {
    manifests.spec = { ...manifests.spec, adoption: value % 2 === 0 ? 'OnMatch' : 'Never' };
  },
  concurrency: ({ manifests }, value) => {
    manifests.spec = { ...manifests.spec, limits: { concurrency: 1 + (value % 4) } };
  },
  ruleMatch: toRuleEdit((rule, _name, value) => ({
    ...rule,
    match: [{ attribute: 'department', operator: 'In', values: DEPARTMENTS.filter((_, n) => (value >> n) % 2 === 0) }],
  })),
  ruleName: toRuleEdit((rule, name, value) => {
    const names = TEAM_NAMES[name];
    return { ...rule, team: { displayName: names[value % names.length] ?? names[0] } };
  }),
  ruleSuspend: toRuleEdit((rule) => ({ ...rule, suspend: rule.suspend !== true })),
  ruleWhenEmpty: toRuleEdit((rule, _name, value) => ({ ...rule, whenEmpty: value % 2 === 0 ? 'Delete' : 'Retain' })),
  ruleRemove: ({ manifests }, value) => {
    const name = toRuleName(value);
    const { [name]: before, ...others } = manifests.rules;
    manifests.rules =
      before === undefined ? { ...others, [name]: toMatchRule(TEAM_NAMES[name][0], ['Sales']) } : others;
  },
  ruleInclude: (company, value) => {
    const id = at(company.people, value)?.id;
    const change = toRuleEdit((rule) => ({ ...rule, include: id === undefined || value % 3 === 0 ? [] : [id] }));
    change(company, value);
  },
  clubsRule: ({ manifests }, value) => {
    const { clubs, ...others } = manifests.rules;
    const rule = { directorySyncRef: { name: SYNC }, teamsFrom: { attributes: ['clubs'] } };
    const deletionPolicy = (['Retain', 'Empty', 'Delete'] as const)[value % 3] ?? 'Retain';
    manifests.rules = clubs === undefined ? { ...others, clubs: { ...rule, deletionPolicy } } : others;
  },
  titleEntry: toEntryEdit({ target: 'title', source: 'title', onEmpty: 'Clear' }),
  departmentEntry: toEntryEdit({ target: DEPARTMENT, source: 'department' }),
  clearTitle: ({ manifests }, value) => {
    const onEmpty = value % 2 === 0 ? 'Clear' : 'Keep';
    const attributes = manifests.mapping.attributes.map((each) =>
      each.target === 'title' ? { ...each, onEmpty } : each,
    );
    manifests.mapping = { ...manifests.mapping, attributes } as Manifests['mapping'];
  },
  planMode: ({ manifests }, value) => {
    manifests.spec = { ...manifests.spec, mode: value % 3 === 0 ? 'Plan' : 'Apply' };
  },
};

function editManifests(company: Company, what: ManifestEdit, value: number): void {
  EDITS[what](company, value);
}

function toPolicyEdit(departure: 'outOfScope' | 'disabledAtSource' | 'deletedAtSource') {
  return ({ manifests }: Company, value: number): void => {
    const { deprovisioning } = manifests.spec;
    const policy = POLICIES[value % POLICIES.length] ?? 'Deactivate';
    manifests.spec = { ...manifests.spec, deprovisioning: { ...deprovisioning, [departure]: policy } };
  };
}

type GuardName = 'deactivate' | 'delete' | 'removeMembers' | 'adopt' | 'reactivate' | 'rename' | 'deleteTeams';

function toGuardEdit(kind: GuardName) {
  return ({ manifests }: Company, value: number): void => {
    const max = [0, 1, 2, -1][(value >> 2) % 4] ?? -1;
    const guard = { percent: PERCENTS[value % 4] ?? 10, max };
    manifests.spec = { ...manifests.spec, guards: { ...manifests.spec.guards, [kind]: guard } };
  };
}

type RuleName = keyof typeof TEAM_NAMES;

function toRuleName(value: number): RuleName {
  return value % 2 === 0 ? 'sales' : 'research';
}

/** The rule that the number chooses, where it is there. */
function toRuleEdit(edit: (rule: TeamRuleSpec, name: RuleName, value: number) => TeamRuleSpec) {
  return ({ manifests }: Company, value: number): void => {
    const name = toRuleName(value);
    const rule = manifests.rules[name];
    if (rule !== undefined) manifests.rules = { ...manifests.rules, [name]: edit(rule, name, value >> 1) };
  };
}

/** A mapping's entry is taken out, or put back. */
function toEntryEdit(entry: Manifests['mapping']['attributes'][number]) {
  return ({ manifests }: Company): void => {
    const others = manifests.mapping.attributes.filter(({ target }) => target !== entry.target);
    const attributes = others.length < manifests.mapping.attributes.length ? others : [...others, entry];
    manifests.mapping = { ...manifests.mapping, attributes };
  };
}
