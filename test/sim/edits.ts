/** What somebody may change in the manifests. Numbers choose values, modulo how many there are. */
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import {
  CHOSEN_ENTRY,
  CUSTOM_ENTRY,
  CUSTOM_NAMES,
  CUSTOM_PATHS,
  type Feature,
  ONCE_ENTRY,
  toCustom,
} from './features.ts';
import { GROUP_RULE, groupsOf } from './groups.ts';
import {
  at,
  type Company,
  DEPARTMENT,
  DEPARTMENTS,
  type Manifests,
  NEXT_ID,
  SYNC,
  TEAM_NAMES,
  toMatchRule,
} from './model.ts';
import { CODE_ENTRY, PURPOSE_ENTRY, SITE_ENTRY, toTeamCustom } from './team-values.ts';

type Policy = 'Deactivate' | 'Delete' | 'Retain';
const POLICIES: readonly Policy[] = ['Deactivate', 'Delete', 'Retain'];

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
  'protectedTeams',
  'adoptTeams',
  'updateGuard',
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
  'moveId',
] as const;

/** Of a company that has groups. */
export const GROUP_EDITS = [
  'provision',
  'includeGroups',
  'excludeGroups',
  'groupsGone',
  'nestedGroups',
  'groupRule',
] as const;
/** Of a company whose scope takes people by groups. */
export const SCOPE_EDIT = 'scopeGroups';
/** Of a company whose mapping has more than the plain one. */
export const FEATURE_EDITS = {
  onCreate: ['onceEntry'],
  chosen: ['chosenEntry'],
  custom: ['customGone', 'customGone', 'customPath', 'customEmpty', 'customEntry'],
  teamValues: ['purposeGone', 'purposeEntry', 'purposeEmpty', 'siteEntry', 'codeEntry', 'codeEntry'],
} as const satisfies Partial<Readonly<Record<Feature, readonly [string, ...string[]]>>>;
export type ManifestEdit =
  | (typeof MANIFEST_EDITS)[number]
  | (typeof GROUP_EDITS)[number]
  | typeof SCOPE_EDIT
  | (typeof FEATURE_EDITS)[keyof typeof FEATURE_EDITS][number];

const PERCENTS = [10, 34, 50, 100] as const;

const EDITS: Readonly<Record<ManifestEdit, (company: Company, value: number) => void>> = {
  scope: ({ manifests }, value) => {
    const filters = [[{ attribute: 'scope', operator: 'Equals' as const, value: 'in' }]];
    const { scope } = manifests.spec;
    manifests.spec = { ...manifests.spec, scope: { ...scope, filters: value % 2 === 0 ? filters : [] } };
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
  protectedTeams: ({ manifests }, value) => {
    const names = [TEAM_NAMES.sales[0], TEAM_NAMES.research[0], 'Chess', 'Go', 'Guild'];
    const protectedTeams = value % 3 === 0 ? [] : names.filter((_, n) => ((value >> n) & 1) === 1);
    const guards = { ...manifests.spec.guards, protectedTeams, keepAtLeast: value % 4 };
    manifests.spec = { ...manifests.spec, guards };
  },
  adoptTeams: ({ manifests }, value) => {
    manifests.spec = { ...manifests.spec, adoptTeams: value % 2 === 0 };
  },
  updateGuard: toGuardEdit('update'),
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
  onceEntry: toEntryEdit(ONCE_ENTRY),
  chosenEntry: toEntryEdit(CHOSEN_ENTRY),
  // With the entry that writes it; or both are there again.
  customGone: (company, value) => {
    const { manifests } = company;
    const { custom } = manifests;
    const attributes = manifests.mapping.attributes.filter(({ target }) => target !== CUSTOM_ENTRY.target);
    retire(company);
    if (custom === undefined) manifests.custom = toCustom(CUSTOM_NAMES[value % 2] ?? 'tier');
    else delete manifests.custom;
    manifests.mapping = {
      ...manifests.mapping,
      attributes: custom === undefined ? [...attributes, CUSTOM_ENTRY] : attributes,
    };
  },
  customPath: (company) => {
    const { custom } = company.manifests;
    if (custom === undefined) return;
    retire(company);
    company.manifests.custom = toCustom(custom.path === CUSTOM_PATHS.tier ? 'grade' : 'tier');
  },
  customEmpty: toEmptyEdit(CUSTOM_ENTRY.target),
  customEntry: (company) => {
    if (company.manifests.custom !== undefined) toEntryEdit(CUSTOM_ENTRY)(company);
  },
  purposeGone: ({ manifests }) => {
    const { teamMapping, teamCustoms } = manifests;
    if (teamMapping === undefined || teamCustoms === undefined) return;
    const { purpose, ...others } = teamCustoms;
    const attributes = teamMapping.attributes.filter(({ target }) => target !== PURPOSE_ENTRY.target);
    manifests.teamCustoms = purpose === undefined ? { ...others, purpose: toTeamCustom('purpose') } : others;
    manifests.teamMapping = {
      ...teamMapping,
      attributes: purpose === undefined ? [...attributes, PURPOSE_ENTRY] : attributes,
    };
  },
  purposeEntry: (company) => {
    if (company.manifests.teamCustoms?.purpose !== undefined) toEntryEdit(PURPOSE_ENTRY, 'teamMapping')(company);
  },
  purposeEmpty: toEmptyEdit(PURPOSE_ENTRY.target, 'teamMapping'),
  siteEntry: toEntryEdit(SITE_ENTRY, 'teamMapping'),
  codeEntry: (company) => {
    company.marksMoved = true;
    toEntryEdit(CODE_ENTRY, 'teamMapping')(company);
  },
  clearTitle: toEmptyEdit('title'),
  planMode: ({ manifests }, value) => {
    manifests.spec = { ...manifests.spec, mode: value % 3 === 0 ? 'Plan' : 'Apply' };
  },
  moveId: ({ manifests }) => {
    if (manifests.spec.id === undefined) manifests.spec = { ...manifests.spec, id: NEXT_ID, adoptFrom: SYNC };
  },
  provision: toGroupsEdit((_company, value) => ({
    provision: (['None', 'All', 'InScope'] as const)[value % 3] ?? 'All',
  })),
  includeGroups: toGroupsEdit((company, value) => ({ include: value % 2 === 0 ? [] : toSomeGroups(company, value) })),
  excludeGroups: toGroupsEdit((company, value) => ({ exclude: value % 2 === 0 ? [] : toSomeGroups(company, value) })),
  groupsGone: toGroupsEdit((_company, value) => ({
    deletedAtSource: (['Retain', 'Empty', 'Delete'] as const)[value % 3] ?? 'Empty',
  })),
  nestedGroups: ({ manifests }, value) => {
    const { scope } = manifests.spec;
    const nestedGroups = value % 2 === 0 ? 'Flatten' : 'DirectOnly';
    manifests.spec = { ...manifests.spec, scope: { ...scope, nestedGroups } };
  },
  scopeGroups: (company, value) => {
    const { groups, groupsGone, manifests } = company;
    if (groupsOf(company) === null) return;
    const { users: _users, groups: _groups, ...scope } = manifests.spec.scope ?? {};
    const some = [...groups, ...groupsGone].filter((_, n) => ((value >> n) & 1) === 1).map(({ id }) => id);
    const byGroups = some.length === 0 ? {} : { users: 'MembersOfGroups' as const, groups: some };
    manifests.spec = { ...manifests.spec, scope: { ...scope, ...byGroups } };
  },
  groupRule: (company, value) => {
    const { manifests } = company;
    const [name] = groupsOf(company) === null ? [] : toSomeGroups(company, value);
    const { [GROUP_RULE]: _before, ...others } = manifests.rules;
    const match = [{ operator: 'IsMemberOf' as const, value: name ?? '' }];
    const rule: TeamRuleSpec = { directorySyncRef: { name: SYNC }, team: { displayName: 'Inner Circle' }, match };
    manifests.rules = name === undefined || value % 4 === 0 ? others : { ...others, [GROUP_RULE]: rule };
  },
};

type Groups = NonNullable<Manifests['spec']['groups']>;

/** Nothing where the source has no groups. */
function toGroupsEdit(edit: (company: Company, value: number) => Groups) {
  return (company: Company, value: number): void => {
    const { manifests } = company;
    if (groupsOf(company) === null) return;
    manifests.spec = { ...manifests.spec, groups: { ...manifests.spec.groups, ...edit(company, value >> 1) } };
  };
}

/** One of them by its name, in whatever case, or its id; whether it is there now or not. */
function toSomeGroups({ groups, groupsGone }: Company, value: number): string[] {
  const group = at([...groups, ...groupsGone], value >> 2);
  if (group === undefined) return [];
  return [value % 3 === 0 ? group.id : group.name.trim().toUpperCase()];
}

export function editManifests(company: Company, what: ManifestEdit, value: number): void {
  EDITS[what](company, value);
}

function toPolicyEdit(departure: 'outOfScope' | 'disabledAtSource' | 'deletedAtSource') {
  return ({ manifests }: Company, value: number): void => {
    const { deprovisioning } = manifests.spec;
    const policy = POLICIES[value % POLICIES.length] ?? 'Deactivate';
    manifests.spec = { ...manifests.spec, deprovisioning: { ...deprovisioning, [departure]: policy } };
  };
}

type GuardName =
  | 'deactivate'
  | 'delete'
  | 'removeMembers'
  | 'adopt'
  | 'reactivate'
  | 'rename'
  | 'deleteTeams'
  | 'update';

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

/** The runs remove what is there now, whoever gave it, where one of them knew the path. */
function retire({ customByHand, customWritten, manifests }: Company): void {
  for (const name of CUSTOM_NAMES)
    if (manifests.custom?.path === CUSTOM_PATHS[name] && customWritten.has(name)) customByHand[name].clear();
  customWritten.clear();
}

type MappingName = 'mapping' | 'teamMapping';

/** What becomes of the target's value where the source has none. */
function toEmptyEdit(path: string, of: MappingName = 'mapping') {
  return ({ manifests }: Company, value: number): void => {
    const mapping = manifests[of];
    if (mapping === undefined) return;
    const onEmpty = value % 2 === 0 ? 'Clear' : 'Keep';
    const attributes = mapping.attributes.map((each) => (each.target === path ? { ...each, onEmpty } : each));
    manifests[of] = { ...mapping, attributes } as Manifests['mapping'];
  };
}

/** A mapping's entry is taken out, or put back. */
function toEntryEdit(entry: Manifests['mapping']['attributes'][number], of: MappingName = 'mapping') {
  return ({ manifests }: Company): void => {
    const mapping = manifests[of];
    if (mapping === undefined) return;
    const others = mapping.attributes.filter(({ target }) => target !== entry.target);
    const attributes = others.length < mapping.attributes.length ? others : [...others, entry];
    manifests[of] = { ...mapping, attributes };
  };
}
