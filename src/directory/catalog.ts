/** The resource types that the directory serves and the schemas that it knows for them (RFC 7643 section 6). */

import {
  type AttributeDefinition,
  COMMON_ATTRIBUTES,
  CORE_GROUP,
  CORE_USER,
  createSchemaSet,
  ENTERPRISE_USER,
  findAttribute,
  type SchemaDefinition,
  type SchemaSet,
  URN_GROUP,
  URN_USER,
} from '../scim/schema.ts';

export type ResourceType = 'User' | 'Group';

export interface Catalog {
  readonly schemas: SchemaSet;
  /** Extensions of the type that are known in advance. Others are kept too, but not checked. */
  extensionsOf(type: ResourceType): readonly SchemaDefinition[];
  /** A core or common attribute of the type, without regard to case. */
  findCore(type: ResourceType, name: string): AttributeDefinition | undefined;
  coreNames(type: ResourceType): readonly string[];
}

export const CORE_URNS: Readonly<Record<ResourceType, string>> = { User: URN_USER, Group: URN_GROUP };
export const ENDPOINTS: Readonly<Record<ResourceType, string>> = { User: '/Users', Group: '/Groups' };

/** An extension belongs to groups when its URN ends with `:Group`, else to users. */
export function createCatalog(extra: readonly SchemaDefinition[]): Catalog {
  const schemas = createSchemaSet([CORE_USER, CORE_GROUP, ENTERPRISE_USER, ...extra]);
  const core = { User: toCoreAttributes(schemas, URN_USER), Group: toCoreAttributes(schemas, URN_GROUP) };
  const coreUrns = [URN_USER.toLowerCase(), URN_GROUP.toLowerCase()];
  const extensions = schemas.schemas.filter((each) => !coreUrns.includes(each.id.toLowerCase()));
  return {
    schemas,
    extensionsOf: (type) => extensions.filter((each) => /:group$/i.test(each.id) === (type === 'Group')),
    findCore: (type, name) => core[type].get(name.toLowerCase()) ?? findAttribute(COMMON_ATTRIBUTES, name),
    coreNames: (type) => [...core[type].values()].map((each) => each.name),
  };
}

function toCoreAttributes(schemas: SchemaSet, urn: string): ReadonlyMap<string, AttributeDefinition> {
  const attributes = [...(schemas.find(urn)?.attributes ?? []), ...COMMON_ATTRIBUTES];
  return new Map(attributes.map((each) => [each.name.toLowerCase(), each]));
}
