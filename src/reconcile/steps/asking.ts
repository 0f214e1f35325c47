/** read, before it: what is asked of the source, which follows from the scope, the mappings and the rules. */
import { type SourcePath, toAskedName } from '../../expression/paths.ts';
import { ALIAS_ATTRIBUTES, toAliases } from '../../mapping/aliases.ts';
import { toReadNames } from '../../mapping/conditions.ts';
import { listSources } from '../../mapping/names.ts';
import { toRuleReadNames } from '../../mapping/rules.ts';
import type { Json, SourceUser } from '../../model.ts';
import { type ChangeProjection, RECORD_FORM } from '../../sources/source.ts';
import { fingerprint } from '../../state/fingerprint.ts';
import type { Loaded } from '../run.ts';

/** What a read asks for. */
export interface Asking {
  readonly projection: ChangeProjection;
  /** Places in a record whose values are counted. */
  readonly paths: readonly SourcePath[];
  /** The same in the record of a group. */
  readonly groupPaths: readonly SourcePath[];
  /** People are referred to by other names than the id. */
  readonly isReferred: boolean;
  /** The same for reads that say the same of the same people: of one directory, endpoint, scope, projection and form of records. */
  readonly mark: string;
}

export function toAsking(loaded: Loaded): Asking {
  const { spec, identity } = loaded;
  const isReferred = needsAliases(loaded);
  const users = [...new Set([...projectionOf(loaded), ...(isReferred ? ALIAS_ATTRIBUTES : [])])];
  const groupPaths = needsGroups(loaded) ? listGroupPaths(loaded) : null;
  const groups = groupPaths === null ? null : [...new Set(groupPaths.map(toAskedName))];
  const paths = listReadPaths(loaded);
  const mark = fingerprint({
    form: RECORD_FORM,
    source: JSON.stringify([spec.source, identity.tenantId]),
    scope: JSON.stringify(spec.scope),
    users: users.toSorted(),
    groups: groups?.toSorted() ?? null,
    paths: paths.map(({ text }) => text).toSorted() as Json,
    isReferred,
  });
  return { projection: { users, groups }, paths, groupPaths: groupPaths ?? [], isReferred, mark };
}

export function toAliasRow(user: SourceUser): { readonly sourceId: string; readonly names: readonly string[] } {
  return { sourceId: user.id, names: toAliases(user) };
}

/** Somebody or something refers to people by what may be another name than the id. */
function needsAliases(loaded: Loaded): boolean {
  const refers = ({ entries }: Loaded['mapping']): boolean => entries.some(({ reference }) => reference === 'User');
  return needsGroups(loaded) || refers(loaded.mapping) || refers(loaded.teamMapping);
}

/** What mappings, rules and filters read of a person, as they call it. */
export function listReadNames({
  mapping,
  rules,
  scope,
}: Pick<Loaded, 'mapping' | 'rules' | 'scope'>): readonly string[] {
  const ofRules = rules.rules.flatMap((rule) => toRuleReadNames(rule, mapping.names));
  return [...new Set([...mapping.usedNames, ...toReadNames(scope, mapping.names), ...ofRules])];
}

/** The same as places in a record of the source: each once. */
function listReadPaths(loaded: Pick<Loaded, 'mapping' | 'rules' | 'scope'>): readonly SourcePath[] {
  const paths = listReadNames(loaded).flatMap((name) => listSources(name, loaded.mapping.names));
  return [...new Map(paths.map((path) => [path.text, path])).values()];
}

/** Top-level names of attributes that the source is asked for. */
export function projectionOf(loaded: Pick<Loaded, 'mapping' | 'rules' | 'scope'>): readonly string[] {
  return [...new Set(listReadPaths(loaded).map(toAskedName))];
}

function listGroupPaths({ teamMapping: { usedNames, names } }: Loaded): readonly SourcePath[] {
  const paths = usedNames.flatMap((name) => listSources(name, names));
  return [...new Map(paths.map((path) => [path.text, path])).values()];
}

/** Groups become teams, or a mapping, a rule or the scope asks who is in one. */
export function needsGroups(loaded: Pick<Loaded, 'spec' | 'scope' | 'rules' | 'mapping'>): boolean {
  return toMembersAsked(loaded) !== 'none';
}

/** Whose members are asked for; `scope`: those of the groups of the scope, and of no others. */
export function toMembersAsked({
  spec,
  scope,
  rules,
  mapping,
}: Pick<Loaded, 'spec' | 'scope' | 'rules' | 'mapping'>): 'none' | 'scope' | 'all' {
  const isMapped = mapping.entries.some(({ usesGroups }) => usesGroups);
  const isAsked =
    isMapped || scope.needs.groups || rules.rules.some(({ condition }) => condition?.needs.groups === true);
  const { scopeGroups } = scope.needs;
  const { provision } = spec.groups;
  if (isAsked || provision === 'All' || (provision === 'InScope' && !scopeGroups)) return 'all';
  return scopeGroups ? 'scope' : 'none';
}
