/** What the directory says of itself (RFC 7644 section 4, RFC 7643 sections 5 to 7, RFC 9865 section 4). */

import type { Json } from '../model.ts';
import {
  type SchemaDefinition,
  toScimSchemaResource,
  URN_LIST_RESPONSE,
  URN_RESOURCE_TYPE,
  URN_SERVICE_PROVIDER_CONFIG,
} from '../scim/schema.ts';
import { type Catalog, CORE_URNS, ENDPOINTS, type ResourceType } from './catalog.ts';
import { Refusal } from './refusal.ts';
import { SERVICE_SCHEMAS } from './service-schemas.ts';

export interface DiscoveryContext {
  readonly catalog: Catalog;
  readonly baseUrl: string;
  readonly defaultPageSize: number;
  readonly maxPageSize: number;
  readonly cursorTimeoutSeconds: number;
  /** Of a bulk request. */
  readonly maxOperations: number;
  /** Bytes of a body. */
  readonly maxPayloadSize: number;
  readonly hasToken: boolean;
}

export function toServiceProviderConfig(context: DiscoveryContext): Json {
  const { baseUrl, defaultPageSize, maxPageSize, cursorTimeoutSeconds, maxOperations, maxPayloadSize, hasToken } =
    context;
  const bearer = {
    type: 'oauthbearertoken',
    name: 'Bearer token',
    description: 'A token in the header Authorization, as RFC 6750 has it',
    specUri: 'https://www.rfc-editor.org/info/rfc6750',
    primary: true,
  };
  return {
    schemas: [URN_SERVICE_PROVIDER_CONFIG],
    patch: { supported: true },
    bulk: { supported: true, maxOperations, maxPayloadSize },
    filter: { supported: true, maxResults: maxPageSize },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize,
      maxPageSize,
      cursorTimeout: cursorTimeoutSeconds,
    },
    authenticationSchemes: hasToken ? [bearer] : [],
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  };
}

/** All resource types, or the one of this name. Refuses with 404. */
export function toResourceTypes(name: string | null, context: DiscoveryContext): Json {
  const all = (['User', 'Group'] as const).map((type) => toResourceType(type, context));
  if (name === null) return toListResponse(all);
  return all.find((each) => each['id'] === name) ?? failMissing(`resource type ${JSON.stringify(name)}`);
}

function toResourceType(type: ResourceType, { catalog, baseUrl }: DiscoveryContext): Record<string, Json> {
  return {
    schemas: [URN_RESOURCE_TYPE],
    id: type,
    name: type,
    description: type === 'User' ? 'User account' : 'Group of users',
    endpoint: ENDPOINTS[type],
    schema: CORE_URNS[type],
    schemaExtensions: catalog.extensionsOf(type).map(({ id }) => ({ schema: id, required: false })),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${type}` },
  };
}

/** All schemas, or the one of this URN. Refuses with 404. */
export function toSchemas(urn: string | null, context: DiscoveryContext): Json {
  const all = [...context.catalog.schemas.schemas, ...SERVICE_SCHEMAS];
  if (urn === null) return toListResponse(all.map((each) => toSchema(each, context)));
  const schema = all.find((each) => each.id.toLowerCase() === urn.toLowerCase());
  return schema === undefined ? failMissing(`schema ${JSON.stringify(urn)}`) : toSchema(schema, context);
}

function toSchema(schema: SchemaDefinition, { baseUrl }: DiscoveryContext): Json {
  const meta = { resourceType: 'Schema', location: `${baseUrl}/Schemas/${schema.id}` };
  return { ...toScimSchemaResource(schema), meta };
}

function toListResponse(resources: readonly Json[]): Json {
  return {
    schemas: [URN_LIST_RESPONSE],
    totalResults: resources.length,
    itemsPerPage: resources.length,
    startIndex: 1,
    Resources: resources,
  };
}

function failMissing(what: string): never {
  throw new Refusal(404, `there is no ${what}`);
}
