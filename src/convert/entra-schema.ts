/** A synchronization schema of Microsoft Graph → a DirectorySync, its AttributeMappings and CustomAttributes. Pure. */
import type { AttributeEntry, AttributeMappingResource } from '../api/attribute-mapping.ts';
import type { CustomAttributeResource } from '../api/custom-attribute.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { GROUP_VERSION } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import { compileExpression } from '../expression/compiler.ts';
import { ENTERPRISE_USER, URN_USER } from '../scim/schema.ts';
import type { Conversion, ConversionNote } from './conversion.ts';
import { type Naming, renameAttributes, toSourceName } from './entra-names.ts';
import { convertFilters } from './scoping-filters.ts';
import { toExpressionText } from './source-text.ts';
import { type AttributeMapping, type ObjectMapping, readSynchronizationSchema } from './synchronization-schema.ts';

export interface EntraSchemaOptions {
  /** Of the DirectorySync, and what names of the other resources begin with. */
  readonly name: string;
  readonly naming: Naming;
  /** Of the application. */
  readonly url: string;
}

type Report = (kind: ConversionNote['kind'], about: string, message: string) => void;

/**
 * Expressions are carried over word for word, but for names of attributes where those of Graph are asked for. What the
 * result means in a DirectorySync is not checked here: an entry may still be one that this project refuses.
 * @param text JSON
 * @throws SyncError `Invalid` for what is no such schema, or has no mapping of users out of Entra
 */
export function convertEntraSchema(text: string, options: EntraSchemaOptions): Conversion {
  const notes: ConversionNote[] = [];
  const report: Report = (kind, about, message) => notes.push({ kind, about, message });
  const outbound = readSynchronizationSchema(text).filter((mapping) => isOutbound(mapping, report));
  const users = pick(outbound, 'User', report);
  const groups = pick(outbound, 'Group', report);
  for (const { sourceObject, targetObject } of outbound.filter(({ sourceObject }) => !KINDS.has(sourceObject)))
    report('lost', sourceObject, `objects of this kind are not synchronized (they become ${targetObject} there)`);
  if (users === null)
    throw new SyncError('Invalid', 'the schema has no enabled mapping of users from Entra to an application');
  const context: Context = { ...options, report };
  const customAttributes = toCustomAttributes(users, context);
  return {
    directorySync: toDirectorySync({ users, groups }, context),
    mappings: [toUserMapping(users, context), ...(groups === null ? [] : [toTeamMapping(groups, context)])],
    customAttributes,
    notes,
  };
}

const KINDS: ReadonlySet<string> = new Set(['User', 'Group']);

interface Context extends EntraSchemaOptions {
  readonly report: Report;
}

/** Schemas of other jobs bring people into Entra, from personnel systems. */
function isOutbound({ sourceDirectory, name, sourceObject }: ObjectMapping, report: Report): boolean {
  if (sourceDirectory === '' || /azure active directory|entra/i.test(sourceDirectory)) return true;
  report('lost', sourceObject, `${JSON.stringify(name)} reads ${JSON.stringify(sourceDirectory)}, which is not Entra`);
  return false;
}

function pick(mappings: readonly ObjectMapping[], kind: 'User' | 'Group', report: Report): ObjectMapping | null {
  const all = mappings.filter(({ sourceObject }) => sourceObject === kind);
  for (const { name } of all.filter(({ enabled }) => !enabled))
    report('lost', kind, `${JSON.stringify(name)} is switched off`);
  const [first, ...more] = all.filter(({ enabled }) => enabled);
  for (const { name } of more)
    report('lost', kind, `${JSON.stringify(name)}: only the first mapping of a kind is converted`);
  return first ?? null;
}

function toUserMapping(users: ObjectMapping, context: Context): AttributeMappingResource {
  const precedences = toPrecedences(users);
  const attributes = users.attributes.flatMap((mapping) => toEntry(mapping, { kind: 'User', precedences, context }));
  return toMappingResource('User', attributes, context);
}

function toMappingResource(
  resource: 'User' | 'Team',
  attributes: readonly AttributeEntry[],
  { name }: Context,
): AttributeMappingResource {
  const suffix = resource === 'User' ? 'users' : 'teams';
  return {
    apiVersion: GROUP_VERSION,
    kind: 'AttributeMapping',
    metadata: { name: `${name}-${suffix}` },
    spec: { resource, attributes: [...attributes] },
  } as AttributeMappingResource;
}

/** Target → place among the matching attributes, from 1: priorities need not be distinct there. */
function toPrecedences({ attributes }: ObjectMapping): ReadonlyMap<string, number> {
  const matching = attributes
    .filter(({ matchingPriority }) => matchingPriority > 0)
    .toSorted((a, b) => a.matchingPriority - b.matchingPriority);
  return new Map(matching.map(({ target }, index) => [target, index + 1]));
}

interface EntryContext {
  readonly kind: 'User' | 'Group';
  readonly precedences: ReadonlyMap<string, number>;
  readonly context: Context;
}

function toEntry(mapping: AttributeMapping, { kind, precedences, context }: EntryContext): readonly AttributeEntry[] {
  const { target, defaultValue } = mapping;
  const about = `${kind} ${target}`;
  const { report } = context;
  const value = toValue(mapping, about, context);
  if (value === null) return [];
  if (Object.keys(value).length === 0 && defaultValue === null) {
    report('lost', about, 'it has neither a source nor a default');
    return [];
  }
  const precedence = precedences.get(target);
  const entry: AttributeEntry = {
    target,
    ...value,
    ...(defaultValue === null || 'constant' in value ? {} : { default: defaultValue }),
    ...toApply(mapping, about, report),
    ...(precedence === undefined ? {} : { matching: { precedence } }),
  };
  if (mapping.flowBehavior === 'FlowAlways')
    report(
      'changed',
      about,
      'FlowAlways: values are written when they differ; drift.policy Repair mends what was changed by hand',
    );
  return [entry];
}

type EntryValue = Pick<AttributeEntry, 'source' | 'expression' | 'constant'>;

/** Null: it cannot be carried over. */
function toValue(
  { source }: AttributeMapping,
  about: string,
  { naming, report }: Pick<Context, 'naming' | 'report'>,
): EntryValue | null {
  if (source === null) return {};
  if (source.type === 'Constant') return { constant: source.name };
  if (source.type === 'Attribute') return { source: toSourceName(source.name, naming) };
  const written = toExpressionText(source);
  try {
    compileExpression(written);
  } catch (thrown) {
    report('lost', about, `${SyncError.from(thrown).message}: ${written}`);
    return null;
  }
  return { expression: renameAttributes(written, naming) };
}

const FLOW_NOTES: ReadonlyMap<string, string> = new Map([
  [
    'AttributeAddOnly',
    'AttributeAddOnly: written when the account is made; one that is there and has no value does not get it later',
  ],
  ['ValueAddOnly', 'ValueAddOnly: a value is changed and never removed; there it is never replaced either'],
  ['MultiValueAddOnly', 'MultiValueAddOnly: the whole list is written; values that were added by hand do not stay'],
]);

function toApply({ flowType }: AttributeMapping, about: string, report: Report): Pick<AttributeEntry, 'apply'> {
  const note = FLOW_NOTES.get(flowType);
  if (note !== undefined) report('changed', about, note);
  return flowType === 'ObjectAddOnly' || flowType === 'AttributeAddOnly' ? { apply: 'OnCreate' } : {};
}

/** Members follow the group, and a team is found by its mark and name: nothing of that is an entry. */
function toTeamMapping(groups: ObjectMapping, context: Context): AttributeMappingResource {
  const { report } = context;
  const matching = groups.attributes.filter(({ matchingPriority }) => matchingPriority > 0);
  for (const { target } of matching.filter((each) => each.target !== 'externalId'))
    report(
      'changed',
      `Group ${target}`,
      'teams are not matched by it: one of the same name is taken over with adoptTeams',
    );
  const attributes = groups.attributes
    .filter(({ target }) => target !== 'members')
    .flatMap((mapping) => toEntry(mapping, { kind: 'Group', precedences: new Map(), context }))
    // The id of a group has one name, whatever its record calls it.
    .map((entry) => (entry.source === 'objectId' ? { ...entry, source: 'id' } : entry));
  return toMappingResource('Team', attributes, context);
}

const EXTENSION = /^urn:(?:[^:]+:)*([^:]+):2\.0:User:([A-Za-z][A-Za-z0-9_-]*)$/;
const KNOWN_URNS: ReadonlySet<string> = new Set([URN_USER.toLowerCase(), ENTERPRISE_USER.id.toLowerCase()]);
const TYPES: ReadonlySet<string> = new Set(['String', 'Boolean', 'Integer', 'DateTime', 'Reference', 'Binary']);

/** Attributes of an extension of the application's own must be declared, with their type. */
function toCustomAttributes(
  { attributes, definitions }: ObjectMapping,
  { name: prefix }: Context,
): CustomAttributeResource[] {
  return attributes.flatMap(({ target }) => {
    const [, extension = '', attribute = ''] = EXTENSION.exec(target) ?? [];
    if (attribute === '' || KNOWN_URNS.has(target.slice(0, target.lastIndexOf(':')).toLowerCase())) return [];
    const { type = 'String', multivalued = false, caseExact = false } = definitions.get(target) ?? {};
    // With the name of the extension, so that it hides no attribute of the source that is called the same.
    const name = `${extension}_${attribute}`.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');
    return [
      {
        apiVersion: GROUP_VERSION,
        kind: 'CustomAttribute',
        metadata: { name: toResourceName(`${prefix}-${extension}-${attribute}`) },
        spec: {
          name,
          type: TYPES.has(type) ? type : 'String',
          ...(type === 'Reference' ? { references: { resource: 'User' } } : {}),
          ...(multivalued ? { multiValued: true } : {}),
          ...(caseExact ? { caseExact: true } : {}),
          path: target,
        },
      } as CustomAttributeResource,
    ];
  });
}

/** Letters, digits and hyphens, as Kubernetes wants names. */
export function toResourceName(text: string): string {
  const name = text
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'application' : name.slice(0, 63).replace(/-+$/, '');
}

interface Sides {
  readonly users: ObjectMapping;
  readonly groups: ObjectMapping | null;
}

/** `mode: Plan`: what the portal did until now is compared before anything is written. */
function toDirectorySync({ users, groups }: Sides, context: Context): DirectorySyncResource {
  const { name, naming, url } = context;
  reportFlows(users, 'User', context.report);
  if (groups !== null) {
    reportFlows(groups, 'Group', context.report);
    if (groups.scope.some(({ clauses }) => clauses.length > 0))
      context.report(
        'lost',
        'Group',
        'scoping filters of groups; groups.include and groups.exclude take names and ids',
      );
  }
  const ofGroups = groups === null ? {} : { groups: { path: 'groups.json' } };
  return {
    apiVersion: GROUP_VERSION,
    kind: 'DirectorySync',
    metadata: { name },
    spec: {
      mode: 'Plan',
      source: {
        file: {
          users: { path: 'people.json' },
          ...ofGroups,
          ...(naming === 'portal' ? { idAttribute: 'objectId' } : {}),
        },
      },
      ...toScope(users, context),
      ...(groups === null ? {} : { groups: { provision: 'InScope' } }),
      mappings: [{ name: `${name}-users` }, ...(groups === null ? [] : [{ name: `${name}-teams` }])],
      target: { scim: { url, credentialsRef: { name: `${name}-app` } } },
    },
  } as DirectorySyncResource;
}

/** Nobody is in scope until a person has put the filters right: without any, everybody would be. */
const NOBODY = 'false';

function toScope({ scope }: ObjectMapping, { naming, report }: Context): Pick<DirectorySyncResource['spec'], 'scope'> {
  const { filters, cel, lost } = convertFilters(scope, naming);
  for (const message of lost) report('lost', 'User scope', message);
  const isEmpty = filters.length === 0 && cel === null;
  if (isEmpty && lost.length === 0) return {};
  if (isEmpty) {
    report('changed', 'User scope', "no filter is left: cel: 'false' keeps everybody out until you write one");
    return { scope: { cel: NOBODY } };
  }
  return {
    scope: {
      ...(filters.length === 0 ? {} : { filters: filters.map((group) => [...group]) }),
      ...(cel === null ? {} : { cel }),
    },
  };
}

/** Which changes the portal was told to make. */
function reportFlows({ flowTypes, otherFilters }: ObjectMapping, kind: 'User' | 'Group', report: Report): void {
  for (const name of otherFilters) report('lost', `${kind} scope`, `${name}: early filters have no counterpart`);
  if (!flowTypes.has('Add'))
    report('lost', kind, 'Create is switched off there: accounts that nobody has yet will be made');
  if (!flowTypes.has('Update'))
    report('lost', kind, 'Update is switched off there: write apply: OnCreate in every entry');
  if (kind === 'User' && flowTypes.has('Delete'))
    report(
      'changed',
      kind,
      'who is gone is deactivated; there the account is deleted 30 days later: deprovisioning.deleteAfter: 720h does that',
    );
}
