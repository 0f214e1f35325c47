/** Which operation a request asks for, and its answer: RFC 7644 table 1, apart from sockets. */

import type { Json } from '../model.ts';
import { answerBulk } from './bulk.ts';
import { countOperations } from './bulk-request.ts';
import type { ResourceType } from './catalog.ts';
import { type DiscoveryContext, toResourceTypes, toSchemas, toServiceProviderConfig } from './discovery.ts';
import {
  fromQuery,
  fromSearchRequest,
  type ListParameters,
  type PageLimits,
  toListRequest,
} from './list-parameters.ts';
import { listResources } from './listing.ts';
import { type Projection, parseProjection } from './projection.ts';
import { Refusal } from './refusal.ts';
import {
  createResource,
  deleteResource,
  isTagListed,
  patchResource,
  type ResourceContext,
  readResource,
  replaceResource,
  toEntityTag,
  toLocation,
  toRepresentation,
} from './resources.ts';
import type { DirectoryStore } from './store.ts';

export interface ScimRequest {
  readonly method: string;
  /** Under the base path, decoded: `['Users', '<id>']`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly ifMatch: string | null;
  readonly ifNoneMatch: string | null;
  /** False when nobody sees the body of a change's answer: it is then not made. */
  readonly showsResource: boolean;
  /** The body as JSON; refuses with 400 when it is none. */
  readBody(): Json;
}

export interface ScimAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for none. */
  readonly body: Json | null;
}

export interface Service extends DiscoveryContext, PageLimits {
  readonly store: DirectoryStore;
  readonly maxNameLength: number;
  readonly lenient: boolean;
  makeId(): string;
}

const TYPES: Readonly<Record<string, ResourceType>> = { users: 'User', groups: 'Group' };

/** How many changes the request asks for: what the directory counts as writes. */
export function countWrites(method: string, segments: readonly string[], body: string | null): number {
  if (!['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) || segments.at(-1) === '.search') return 0;
  return segments.length === 1 && segments[0]?.toLowerCase() === 'bulk' ? countOperations(body) : 1;
}

/** Throws Refusal. */
export function answerRequest(request: ScimRequest, service: Service): ScimAnswer {
  const [first = '', second, ...rest] = request.segments;
  const name = first.toLowerCase();
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (rest.length > 0) throw toNotFound();
  if (type !== undefined) return answerResource(request, second ?? null, toContext(type, service), service);
  if (name === '' || name === '.search') return answerRoot(request, second ?? null, service);
  if (name === 'me') throw new Refusal(501, `/${first} is not supported`);
  if (name === 'bulk' && second === undefined) return answerBulkRequest(request, service);
  return answerDiscovery(request, name, second ?? null, service);
}

function answerBulkRequest(request: ScimRequest, service: Service): ScimAnswer {
  assertMethod(request.method, ['POST']);
  return answerBulk(request.readBody(), service, answerRequest);
}

function toContext(type: ResourceType, service: Service): ResourceContext {
  const { catalog, maxNameLength, lenient, store, baseUrl, makeId } = service;
  return { type, catalog, maxNameLength, lenient, store, baseUrl, makeId };
}

/** Queries over users and groups together (RFC 7644 sections 3.4.2.1 and 3.4.3). */
function answerRoot(request: ScimRequest, id: string | null, service: Service): ScimAnswer {
  if (id !== null) throw toNotFound();
  const isSearch = request.segments.length > 0;
  assertMethod(request.method, isSearch ? ['POST'] : ['GET']);
  const contexts = (['User', 'Group'] as const).map((type) => toContext(type, service));
  const parameters = isSearch ? fromSearchRequest(request.readBody()) : fromQuery(request.query);
  return toListAnswer(parameters, contexts, service);
}

function toNotFound(): Refusal {
  return new Refusal(404, 'there is nothing at this path');
}

function answerDiscovery(request: ScimRequest, name: string, id: string | null, service: Service): ScimAnswer {
  const read = findDiscovery(name, id, service);
  if (read === null) throw toNotFound();
  assertMethod(request.method, ['GET']);
  // A client that filters here would take what is left for the whole truth (RFC 7644 section 4).
  if (request.query.has('filter')) throw new Refusal(403, 'what the service says of itself cannot be filtered');
  return { status: 200, headers: {}, body: read() };
}

function findDiscovery(name: string, id: string | null, service: Service): (() => Json) | null {
  switch (name) {
    case 'serviceproviderconfig':
      return id === null ? () => toServiceProviderConfig(service) : null;
    case 'resourcetypes':
      return () => toResourceTypes(id, service);
    case 'schemas':
      return () => toSchemas(id, service);
    default:
      return null;
  }
}

function assertMethod(method: string, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  const all = allowed.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
  throw new Refusal(405, `${method} is not possible here`, { headers: { Allow: all.join(', ') } });
}

function answerResource(
  request: ScimRequest,
  id: string | null,
  context: ResourceContext,
  service: Service,
): ScimAnswer {
  if (id === null) return answerCollection(request, context, service);
  if (id === '.search') {
    assertMethod(request.method, ['POST']);
    return toListAnswer(fromSearchRequest(request.readBody()), [context], service);
  }
  assertMethod(request.method, ['GET', 'PUT', 'PATCH', 'DELETE']);
  if (request.method === 'GET') return answerRead(request, id, context);
  if (request.method === 'DELETE') {
    deleteResource({ id, ifMatch: request.ifMatch, now: service.readClock() }, context);
    return { status: 204, headers: {}, body: null };
  }
  return answerChange(request, id, context, service);
}

function answerCollection(request: ScimRequest, context: ResourceContext, service: Service): ScimAnswer {
  assertMethod(request.method, ['GET', 'POST']);
  if (request.method === 'GET') return toListAnswer(fromQuery(request.query), [context], service);
  const projection = toProjection(request.query, context);
  const made = createResource(request.readBody(), service.readClock(), context);
  const headers = { Location: toLocation(made, context.baseUrl), ETag: toEntityTag(made) };
  return { status: 201, headers, body: request.showsResource ? toRepresentation(made, projection, context) : null };
}

function answerRead(request: ScimRequest, id: string, context: ResourceContext): ScimAnswer {
  const projection = toProjection(request.query, context);
  const found = readResource(id, context);
  const headers = { ETag: toEntityTag(found) };
  if (request.ifNoneMatch !== null && isTagListed(found, request.ifNoneMatch))
    return { status: 304, headers, body: null };
  return { status: 200, headers, body: toRepresentation(found, projection, context) };
}

function answerChange(request: ScimRequest, id: string, context: ResourceContext, service: Service): ScimAnswer {
  const projection = toProjection(request.query, context);
  const change = { id, input: request.readBody(), ifMatch: request.ifMatch, now: service.readClock() };
  const changed = request.method === 'PUT' ? replaceResource(change, context) : patchResource(change, context);
  if (isSilent(request, context.type)) return { status: 204, headers: { ETag: toEntityTag(changed) }, body: null };
  const headers = { ETag: toEntityTag(changed), Location: toLocation(changed, context.baseUrl) };
  return { status: 200, headers, body: request.showsResource ? toRepresentation(changed, projection, context) : null };
}

/** A group may be large and its PATCH small: without a projection it is answered without a body. */
function isSilent(request: ScimRequest, type: ResourceType): boolean {
  const asks = request.query.has('attributes') || request.query.has('excludedAttributes');
  return request.method === 'PATCH' && type === 'Group' && !asks;
}

function toProjection(query: URLSearchParams, { type, catalog }: ResourceContext): Projection {
  return parseProjection(fromQuery(query), type, catalog);
}

function toListAnswer(parameters: ListParameters, contexts: readonly ResourceContext[], service: Service): ScimAnswer {
  const types = contexts.map(({ type }) => type);
  return { status: 200, headers: {}, body: listResources(toListRequest(parameters, types, service), contexts) };
}
