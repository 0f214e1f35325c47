/** CustomAttributes as the mapping sees them: what they are called, what they hold, and where they live in the target. */
import type { CustomAttributeResource } from '../api/custom-attribute.ts';
import { SyncError } from '../errors.ts';
import { parseScimPath, resolveScimPath } from '../scim/path.ts';
import {
  type AttributeDefinition,
  CORE_USER,
  createSchemaSet,
  ENTERPRISE_USER,
  type SchemaDefinition,
  type SchemaSet,
  toAttributeDefinition,
  URN_USER,
} from '../scim/schema.ts';
import type { MappingProblem } from './problem.ts';

export interface CustomAttribute {
  /** As used in mappings, rules and expressions. */
  readonly name: string;
  /** Name of the resource, for messages. */
  readonly resource: string;
  readonly definition: AttributeDefinition;
  /** Canonical path in the target; null: the attribute exists for mappings and rules only. */
  readonly path: string | null;
  readonly separator: string | null;
  readonly onEmpty: 'Keep' | 'Clear';
}

export interface CustomAttributeSet {
  readonly byName: ReadonlyMap<string, CustomAttribute>;
  /** RFC 7643's user schemas and the extensions that CustomAttributes add. */
  readonly schemas: SchemaSet;
}

const EXTENSION_URN = /^urn:(?:[^:]+:)+2\.0:User:([A-Za-z][A-Za-z0-9_-]*)$/;

/** Those of `resources` that apply to the DirectorySync of this name. */
export function compileCustomAttributes(
  resources: readonly CustomAttributeResource[],
  directorySync: string,
  problems: MappingProblem[],
): CustomAttributeSet {
  const byName = new Map<string, CustomAttribute>();
  const extensions: SchemaDefinition[] = [];
  const pending: { readonly resource: CustomAttributeResource; readonly custom: CustomAttribute }[] = [];
  for (const resource of resources) {
    const { directorySyncs = 'All' } = resource.spec;
    if (directorySyncs !== 'All' && !directorySyncs.names.includes(directorySync)) continue;
    const custom = toCustomAttribute(resource);
    const other = byName.get(custom.name);
    if (other !== undefined) {
      problems.push(
        problemOf(
          resource,
          '/spec/name',
          `the name ${JSON.stringify(custom.name)} is already used by CustomAttribute ${other.resource}`,
        ),
      );
      continue;
    }
    byName.set(custom.name, custom);
    pending.push({ resource, custom });
    const { path } = resource.spec;
    const attribute = path === undefined ? undefined : EXTENSION_URN.exec(path)?.[1];
    if (path !== undefined && attribute !== undefined && !isKnownSchema(path)) {
      const id = path.slice(0, path.lastIndexOf(':'));
      extensions.push({ id, name: id, description: '', attributes: [{ ...custom.definition, name: attribute }] });
    }
  }
  const schemas = createSchemaSet([CORE_USER, ENTERPRISE_USER, ...extensions]);
  for (const { resource, custom } of pending) {
    byName.set(custom.name, { ...custom, path: resolvePath(resource, schemas, problems) });
  }
  return { byName, schemas };
}

function isKnownSchema(path: string): boolean {
  const urn = path.slice(0, path.lastIndexOf(':')).toLowerCase();
  return urn === URN_USER.toLowerCase() || urn === ENTERPRISE_USER.id.toLowerCase();
}

function toCustomAttribute(resource: CustomAttributeResource): CustomAttribute {
  const { spec, metadata } = resource;
  const name = spec.name ?? metadata.name.replaceAll('-', '_');
  return {
    name,
    resource: metadata.name,
    definition: toAttributeDefinition(name, spec.type ?? 'String', '', {
      multiValued: spec.multiValued ?? false,
      caseExact: spec.caseExact ?? false,
      canonicalValues: spec.canonicalValues ?? [],
    }),
    path: null,
    separator: spec.separator ?? null,
    onEmpty: spec.onEmpty ?? 'Keep',
  };
}

function resolvePath(resource: CustomAttributeResource, schemas: SchemaSet, problems: MappingProblem[]): string | null {
  const { path } = resource.spec;
  if (path === undefined) return null;
  try {
    if (path.toLowerCase().startsWith('urn:') && !isKnownSchema(path) && !EXTENSION_URN.test(path)) {
      throw new SyncError(
        'Invalid',
        `${JSON.stringify(path)} is no extension attribute; write ${toSuggestedUrn(resource)}`,
      );
    }
    return resolveScimPath(parseScimPath(path), schemas, 'User').text;
  } catch (thrown) {
    problems.push(problemOf(resource, '/spec/path', SyncError.from(thrown).message));
    return null;
  }
}

function toSuggestedUrn({ spec, metadata }: CustomAttributeResource): string {
  const words = (spec.path ?? '').split(':').filter((word) => /^[A-Za-z][A-Za-z0-9_.-]*$/.test(word));
  const organisation = words.find(
    (word) => !['urn', 'ietf', 'params', 'scim', 'schemas', 'extension', 'User', 'core'].includes(word),
  );
  const attribute = words.length > 1 ? words.at(-1) : undefined;
  return `urn:ietf:params:scim:schemas:extension:${organisation ?? 'acme'}:2.0:User:${attribute ?? metadata.name.replaceAll('-', '_')}`;
}

function problemOf(resource: CustomAttributeResource, pointer: string, message: string): MappingProblem {
  return { severity: 'error', kind: 'CustomAttribute', name: resource.metadata.name, pointer, message };
}
