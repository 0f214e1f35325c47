/** What the service says of itself (RFC 7644 section 4). */

import type { Json } from '../../model.ts';
import { createSchemaSet, fromScimSchemaResource, type SchemaDefinition, type SchemaSet } from '../../scim/schema.ts';
import { type BulkLimits, readBulkLimits } from './bulk.ts';
import { isSuccess, type JsonObject, requireBody, type ScimAnswer, type ScimClient, toScimError } from './client.ts';
import { createPlaces, type PlaceOf, readField, type ScimResource, toCount, toObject } from './convert.ts';
import type { Sight } from './fit.ts';
import { readAnnouncedSight } from './probe-sight.ts';
import type { Profile } from './profiles.ts';

export interface Discovered {
  readonly patch: boolean;
  readonly filter: boolean;
  readonly etag: boolean;
  /** Lists can be paged by cursor only (RFC 9865), so the first page must be asked for with one. */
  readonly cursorOnly: boolean;
  /** Null: changes are sent one by one. */
  readonly bulk: BulkLimits | null;
  /** What it announces that a profile may say otherwise. */
  readonly announced: Sight;
  /** Objects to ask for in one page. */
  readonly pageSize: number;
  /** Null when the service publishes none, or none that can be understood. */
  readonly schemas: SchemaSet | null;
  readonly places: Readonly<Record<ScimResource, PlaceOf>>;
}

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 500;

/**
 * Asks for ServiceProviderConfig and Schemas; what the profile knows better is not believed. A service without them (404, 501, or no JSON object) is taken to support
 * reading, creating, replacing, deleting and a filter with one `eq`, and nothing else. What keeps every request from
 * working throws: no answer, refused credentials, an HTML page where SCIM should be.
 */
export async function discover(client: ScimClient, profile: Profile, signal: AbortSignal): Promise<Discovered> {
  const config = await readOptional(client, '/ServiceProviderConfig', signal);
  const definitions = await readSchemas(client, signal);
  const supports = (feature: string, otherwise: boolean) => {
    const supported = readField(toObject(readField(config ?? {}, feature)) ?? {}, 'supported');
    return supported === undefined ? otherwise : String(supported).toLowerCase() === 'true';
  };
  return {
    patch: profile.patch === 'announced' ? supports('patch', false) : true,
    filter: profile.filters.User === null ? supports('filter', true) : true,
    etag: supports('etag', false),
    cursorOnly: profile.paging === 'announced' ? isCursorOnly(config) : profile.paging === 'cursor',
    announced: readAnnouncedSight(config),
    bulk: profile.bulk === 'announced' ? readBulkLimits(config) : null,
    pageSize: profile.pageSize ?? toPageSize(config),
    schemas: definitions.length > 0 ? createSchemaSet(definitions) : null,
    places: createPlaces(definitions),
  };
}

function isCursorOnly(config: JsonObject | null): boolean {
  const pagination = toObject(readField(config ?? {}, 'pagination')) ?? {};
  return readField(pagination, 'cursor') === true && readField(pagination, 'index') === false;
}

function toPageSize(config: JsonObject | null): number {
  const largest = toCount(readField(toObject(readField(config ?? {}, 'filter')) ?? {}, 'maxResults'));
  return largest === null || largest === 0 ? DEFAULT_PAGE_SIZE : Math.min(largest, MAX_PAGE_SIZE);
}

/** Null when the service does not have it. */
async function readOptional(client: ScimClient, path: string, signal: AbortSignal): Promise<JsonObject | null> {
  const answer = await client.send({ method: 'GET', path }, signal);
  if (isSuccess(answer)) return isBroken(answer) ? requireBody(answer, client.origin) : answer.body;
  if (answer.isHTML && answer.status < 300) throw toScimError(answer, client.origin);
  if (isTemporary(answer)) throw toScimError(answer, client.origin);
  return null;
}

/** JSON that broke off says nothing of what the service has. */
function isBroken({ body, headers, length }: ScimAnswer): boolean {
  return body === null && length > 0 && (headers['content-type'] ?? '').toLowerCase().includes('json');
}

/** Taking an overloaded service for one that cannot PATCH would change how it is written to. */
function isTemporary({ status }: ScimAnswer): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

async function readSchemas(client: ScimClient, signal: AbortSignal): Promise<readonly SchemaDefinition[]> {
  const body = await readOptional(client, '/Schemas', signal);
  const resources = readField(body ?? {}, 'Resources');
  if (!Array.isArray(resources)) return [];
  const total = toCount(readField(body ?? {}, 'totalResults')) ?? resources.length;
  // A part of the schemas would make attributes look as if the service did not have them.
  if (resources.length < total) return [];
  return resources.map((each: Json) => fromScimSchemaResource(each)).filter((each) => each !== null);
}
