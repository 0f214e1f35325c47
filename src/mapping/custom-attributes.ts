/** CustomAttributes as the mapping sees them: what they are called, what they hold, and where they live in the target. */
import type { CustomAttributeResource, PredefinedName } from '../api/custom-attribute.ts';
import { SyncError } from '../errors.ts';
import type { Json, ResourceKind } from '../model.ts';
import { ENTRA_USER } from '../scim/entra-user.ts';
import {
  type AttributeDefinition,
  CORE_GROUP,
  CORE_USER,
  createSchemaSet,
  ENTERPRISE_USER,
  type SchemaDefinition,
  type SchemaSet,
  toAttributeDefinition,
  URN_GROUP,
  URN_USER,
} from '../scim/schema.ts';
import { PREDEFINED } from './catalog.ts';
import type { MappingProblem } from './problem.ts';
import { resolveTargetPath, type TargetPlace } from './target-path.ts';

export interface CustomAttribute {
  /** As used in mappings, rules and expressions. */
  readonly name: string;
  /** Name of the resource, for messages. */
  readonly resource: string;
  readonly definition: AttributeDefinition;
  /** Canonical path in the target; null: it is wrong, which is a problem of its own. */
  readonly path: string | null;
  readonly separator: string | null;
  readonly onEmpty: 'Keep' | 'Clear';
  /** What the value refers to; null: to nothing. */
  readonly reference: ResourceKind | null;
  /** No account is made without a value. */
  readonly required: boolean;
  /** The predefined attribute that it takes where no entry says otherwise. */
  readonly predefined: PredefinedName | null;
  /** Under deletion: rules and expressions still read it, and nothing is written. */
  readonly leaving: boolean;
}

export interface CustomAttributeSet {
  readonly byName: ReadonlyMap<string, CustomAttribute>;
  /**
   * By canonical path; those whose path is wrong are missing, and so is one under deletion whose path stays a path of
   * something else.
   */
  readonly byPath: ReadonlyMap<string, CustomAttribute>;
  /** Those under deletion, also where another one has their name now. */
  readonly leaving: readonly CustomAttribute[];
  /** RFC 7643's schemas of the resource and the extensions that CustomAttributes add. */
  readonly schemas: SchemaSet;
  /** What they are attributes of. */
  readonly resource: ResourceKind;
}

const EXTENSION_URN = /^urn:(?:[^:]+:)+2\.0:(?:User|Group):([A-Za-z][A-Za-z0-9_-]*)$/;

/** RFC 7643 gives groups no description; applications that have one publish it. */
const GROUP: SchemaDefinition = {
  ...CORE_GROUP,
  attributes: [
    ...CORE_GROUP.attributes,
    toAttributeDefinition('description', 'String', 'What the group is for.', { caseExact: true }),
  ],
};

const CORE: Readonly<Record<ResourceKind, readonly SchemaDefinition[]>> = {
  User: [CORE_USER, ENTERPRISE_USER, ENTRA_USER],
  Team: [GROUP],
};

/** Of a group is what lives in a schema of groups; everything else, whatever is wrong with it, is of a user. */
function toResourceKind({ spec: { path } }: CustomAttributeResource): ResourceKind {
  return /^urn:.*:Group:[^:]*$/is.test(path) ? 'Team' : 'User';
}

function appliesTo({ spec: { directorySyncs = 'All' } }: CustomAttributeResource, directorySync: string): boolean {
  return directorySyncs === 'All' || directorySyncs.names.includes(directorySync);
}

/**
 * Those of `resources` that apply to the DirectorySync of this name, and are of users or of teams. One under deletion gives
 * way to another of its name or path, and what is wrong with it is no problem any more.
 */
export function compileCustomAttributes(
  resources: readonly CustomAttributeResource[],
  directorySync: string,
  problems: MappingProblem[],
  kind: ResourceKind = 'User',
): CustomAttributeSet {
  const byName = new Map<string, CustomAttribute>();
  const applying = resources.filter((each) => toResourceKind(each) === kind && appliesTo(each, directorySync));
  const ordered = [...applying.filter(isStaying), ...applying.filter((each) => !isStaying(each))];
  const pending = ordered.flatMap((resource): Pending[] => {
    const custom = toCustomAttribute(resource);
    const problem = custom.leaving ? null : findProblem(resource, kind, byName.get(custom.name));
    if (problem !== null) {
      problems.push(problem);
      return [];
    }
    if (!byName.has(custom.name)) byName.set(custom.name, custom);
    return [{ resource, custom }];
  });
  const schemas = createSchemaSet([...CORE[kind], ...toExtensions(pending)]);
  const owners = new Map<string, string>();
  const leaving: CustomAttribute[] = [];
  for (const { resource, custom } of pending) {
    const place = resolvePlace({ resource, custom, owners, kind }, schemas, custom.leaving ? [] : problems);
    // A core attribute has parts of its own, by which a Complex value is converted.
    const { subAttributes } = place?.definition ?? custom.definition;
    const placed = { ...custom, path: place?.path ?? null, definition: { ...custom.definition, subAttributes } };
    if (byName.get(custom.name) === custom) byName.set(custom.name, placed);
    if (custom.leaving) leaving.push(placed);
  }
  const placed = [...byName.values()].flatMap((custom) =>
    custom.path === null || (custom.leaving && isOfStandard(custom.path)) ? [] : [[custom.path, custom] as const],
  );
  return { byName, byPath: new Map(placed), leaving, schemas, resource: kind };
}

interface Pending {
  readonly resource: CustomAttributeResource;
  readonly custom: CustomAttribute;
}

/** @param other who has the name already */
function findProblem(
  resource: CustomAttributeResource,
  kind: ResourceKind,
  other: CustomAttribute | undefined,
): MappingProblem | null {
  if (kind === 'Team' && resource.spec.predefined !== undefined)
    return problemOf(resource, '/spec/predefined', 'a group has no predefined attributes; leave it out');
  if (other === undefined) return null;
  const message = `the name ${JSON.stringify(other.name)} is already used by CustomAttribute ${other.resource}`;
  return problemOf(resource, '/spec/name', message);
}

/** Of two with one path the first says what stands there: the second is wrong, or under deletion. */
function toExtensions(pending: readonly Pending[]): readonly SchemaDefinition[] {
  const extensions = new Map<string, SchemaDefinition>();
  for (const { resource, custom } of pending) {
    const { path } = resource.spec;
    const attribute = EXTENSION_URN.exec(path)?.[1];
    if (attribute === undefined || isKnownSchema(path) || extensions.has(path)) continue;
    const id = path.slice(0, path.lastIndexOf(':'));
    const attributes = [{ ...custom.definition, name: attribute }];
    extensions.set(path, { id, name: id, description: '', attributes });
  }
  return [...extensions.values()];
}

function isStaying({ metadata }: CustomAttributeResource): boolean {
  return metadata.deletionTimestamp === undefined;
}

/**
 * The first of the values that the attribute may not have; undefined when all are fine. Only CustomAttributes bind to
 * their list: those of RFC 7643 are suggestions (section 7).
 */
export function findForeignValue({ definition }: CustomAttribute, value: Json): Json | undefined {
  const { canonicalValues, caseExact } = definition;
  if (canonicalValues.length === 0) return undefined;
  const fold = (text: Json): string => (caseExact ? String(text) : String(text).toLowerCase());
  const known = new Set(canonicalValues.map(fold));
  return [value].flat().find((each) => !known.has(fold(each as Json))) as Json | undefined;
}

/** A text becomes a list where the attribute has a separator. */
export function splitValue(custom: CustomAttribute | null, value: Json): Json {
  const separator = custom?.separator ?? null;
  if (separator === null || typeof value !== 'string') return value;
  return value.split(separator).map((part) => part.trim());
}

/** It stays a target path when no CustomAttribute names it any more. */
function isOfStandard(path: string): boolean {
  return !path.toLowerCase().startsWith('urn:') || isKnownSchema(path);
}

function isKnownSchema(path: string): boolean {
  const urn = path.slice(0, path.lastIndexOf(':')).toLowerCase();
  return [URN_USER, URN_GROUP, ENTERPRISE_USER.id].some((known) => known.toLowerCase() === urn);
}

function toCustomAttribute(resource: CustomAttributeResource): CustomAttribute {
  const { spec, metadata } = resource;
  const { predefined = null } = spec;
  const name = predefined ?? spec.name ?? metadata.name.replaceAll('-', '_');
  // The API server fills in the defaults of type and multiValued: they are not the user's word.
  const { type, multiValued } = predefined === null ? spec : PREDEFINED[predefined];
  return {
    name,
    resource: metadata.name,
    definition: toAttributeDefinition(name, type ?? 'String', '', {
      multiValued: multiValued ?? false,
      caseExact: spec.caseExact ?? false,
      canonicalValues: spec.canonicalValues ?? [],
      referenceTypes: spec.references === undefined ? [] : [spec.references.resource],
    }),
    path: null,
    separator: spec.separator ?? null,
    onEmpty: spec.onEmpty ?? 'Keep',
    reference: spec.references?.resource ?? null,
    required: spec.required === true && isStaying(resource),
    predefined,
    leaving: !isStaying(resource),
  };
}

interface Placing {
  readonly resource: CustomAttributeResource;
  readonly custom: CustomAttribute;
  readonly kind: ResourceKind;
  /** Path → CustomAttribute that has it already. */
  readonly owners: Map<string, string>;
}

function resolvePlace(
  { resource, custom, owners, kind }: Placing,
  schemas: SchemaSet,
  problems: MappingProblem[],
): TargetPlace | null {
  const { path } = resource.spec;
  try {
    if (path.toLowerCase().startsWith('urn:') && !isKnownSchema(path) && !EXTENSION_URN.test(path)) {
      throw new SyncError(
        'Invalid',
        `${JSON.stringify(path)} is no extension attribute; write ${toSuggestedUrn(resource)}`,
      );
    }
    const place = resolveTargetPath(path, schemas, {
      wholeLists: custom.definition.type === 'Complex',
      resource: kind,
    });
    const owner = owners.get(place.path);
    if (owner !== undefined) {
      throw new SyncError('Invalid', `${JSON.stringify(path)} is already the path of CustomAttribute ${owner}`);
    }
    owners.set(place.path, resource.metadata.name);
    checkShape(path, custom, place);
    return place;
  } catch (thrown) {
    problems.push(problemOf(resource, '/spec/path', SyncError.from(thrown).message));
    return null;
  }
}

/** A core attribute has a type of its own, and the application would refuse another one. */
function checkShape(path: string, { definition, reference }: CustomAttribute, place: TargetPlace): void {
  if (place.reference !== null) {
    if (reference === place.reference && definition.multiValued === place.multiValued) return;
    throw new SyncError(
      'Invalid',
      `${JSON.stringify(path)} refers to one person; map it by its path, or say type: Reference with references: {resource: User}`,
    );
  }
  const shapeOf = (type: string, multiValued: boolean): string => (multiValued ? `a list of ${type}` : `one ${type}`);
  const wanted = shapeOf(place.definition.type, place.multiValued);
  const given = shapeOf(definition.type, definition.multiValued);
  if (wanted === given) return;
  throw new SyncError('Invalid', `${JSON.stringify(path)} holds ${wanted}, and the CustomAttribute says ${given}`);
}

function toSuggestedUrn({ spec, metadata }: CustomAttributeResource): string {
  const words = spec.path.split(':').filter((word) => /^[A-Za-z][A-Za-z0-9_.-]*$/.test(word));
  const organisation = words.find(
    (word) => !['urn', 'ietf', 'params', 'scim', 'schemas', 'extension', 'User', 'core'].includes(word),
  );
  const attribute = words.length > 1 ? words.at(-1) : undefined;
  return `urn:ietf:params:scim:schemas:extension:${organisation ?? 'acme'}:2.0:User:${attribute ?? metadata.name.replaceAll('-', '_')}`;
}

function problemOf(resource: CustomAttributeResource, pointer: string, message: string): MappingProblem {
  return { severity: 'error', kind: 'CustomAttribute', name: resource.metadata.name, pointer, message };
}
