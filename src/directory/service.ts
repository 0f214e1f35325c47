/**
 * The embedded SCIM 2.0 directory apart from sockets: a request goes in, its answer comes out. The HTTP server stands on
 * it, and whoever needs no socket calls it.
 */

import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Json } from '../model.ts';
import type { SchemaDefinition } from '../scim/schema.ts';
import { createCatalog } from './catalog.ts';
import { Refusal, toBadRequest, toErrorBody } from './refusal.ts';
import { answerRequest, type ScimAnswer, type Service } from './routes.ts';
import { openStore } from './store.ts';

export interface ServiceOptions {
  /** The SQLite file, made when missing; `:memory:` keeps nothing. */
  readonly file: string;
  /** The bearer token that every request must carry; null lets everybody in. */
  readonly token: string | null;
  /** Extensions whose attributes are checked, beside the enterprise user. Others are kept unchecked. */
  readonly schemas?: readonly SchemaDefinition[];
  /** The most resources of a page; default 1,000. A page has 100 when the client does not say. */
  readonly pageSize?: number;
  /** The most operations of a bulk request; default 1,000. */
  readonly maxOperations?: number;
  /** How long a cursor is good for; default 3,600. */
  readonly cursorTimeoutSeconds?: number;
  /** Characters of a group's displayName; default 256. */
  readonly maxNameLength?: number;
  /**
   * Whether it understands what some clients, Entra ID among them, send beside the RFC; default false: it is refused.
   * `docs/directory.md` lists it.
   */
  readonly lenient?: boolean;
  /** Told of what was answered with 500, whose body says nothing of the reason. */
  readonly onError?: (error: unknown) => void;
  /** What times of resources are taken from; the machine's clock without it. */
  readonly readClock?: () => Date;
  /** Gives the id of each new resource, in lower case and never twice; random UUIDs without it. */
  readonly makeId?: () => string;
}

export interface DirectoryRequest {
  readonly method: string;
  /** As in a request line: the path with its query, `/scim/v2/Users?count=1`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Empty for none, null for one that was over `MAX_BODY_BYTES`. */
  readonly body: string | null;
}

export interface DirectoryResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; null for none. */
  readonly body: string | null;
}

export interface DirectoryService {
  /**
   * Never rejects. The request is carried out before this returns, in one synchronous step: requests cannot overtake
   * each other, and only the answer is late.
   */
  handle(request: DirectoryRequest): Promise<DirectoryResponse>;
  /** Closes the file. */
  close(): void;
}

export const MAX_BODY_BYTES = 1024 * 1024;
const MEDIA_TYPE = 'application/scim+json; charset=utf-8';

interface HandlerContext {
  readonly service: Service;
  readonly basePath: string;
  readonly onError: ((error: unknown) => void) | undefined;
  readonly isAllowed: (authorization: string | undefined) => boolean;
}

/**
 * A directory whose URL is `url`: locations begin with it, and its path is the base path of requests. Throws SyncError
 * StateUnavailable or StateLocked for the file.
 */
export function openService(url: string, options: ServiceOptions): DirectoryService {
  const store = openStore(options.file);
  const baseUrl = url.replace(/\/+$/, '');
  const maxPageSize = options.pageSize ?? 1000;
  const service: Service = {
    store,
    catalog: createCatalog(options.schemas ?? []),
    baseUrl,
    defaultPageSize: Math.min(100, maxPageSize),
    maxPageSize,
    cursorTimeoutSeconds: options.cursorTimeoutSeconds ?? 3600,
    maxNameLength: options.maxNameLength ?? 256,
    maxOperations: options.maxOperations ?? 1000,
    maxPayloadSize: MAX_BODY_BYTES,
    lenient: options.lenient ?? false,
    hasToken: options.token !== null,
    readClock: options.readClock ?? (() => new Date()),
    makeId: options.makeId ?? randomUUID,
  };
  const basePath = new URL(baseUrl).pathname.replace(/^\/$/, '');
  const { onError } = options;
  const context: HandlerContext = { service, basePath, onError, isAllowed: createTokenCheck(options.token) };
  return { handle: (request) => Promise.resolve(answer(request, context)), close: () => store.close() };
}

/** HEAD is GET without the body (RFC 9110 section 9.3.2). */
function answer(request: DirectoryRequest, context: HandlerContext): DirectoryResponse {
  const isHead = request.method === 'HEAD';
  const { status, headers, body } = computeAnswer(isHead ? { ...request, method: 'GET' } : request, context);
  if (body === null) return { status, headers, body: null };
  const text = JSON.stringify(body);
  const described = { ...headers, 'Content-Type': MEDIA_TYPE, 'Content-Length': String(Buffer.byteLength(text)) };
  return { status, headers: described, body: isHead ? null : text };
}

function computeAnswer({ method, path, headers, body }: DirectoryRequest, context: HandlerContext): ScimAnswer {
  try {
    if (!context.isAllowed(headers['authorization'])) throw toUnauthorized();
    const target = parseTarget(path, context.basePath);
    if (target === null) throw new Refusal(404, 'there is nothing at this path');
    const { segments, query } = target;
    const ifMatch = headers['if-match'] ?? null;
    const ifNoneMatch = headers['if-none-match'] ?? null;
    const readBody = () => parseBody(body, headers['content-type']);
    const request = { method, segments, query, ifMatch, ifNoneMatch, showsResource: true, readBody };
    return answerRequest(request, context.service);
  } catch (error) {
    return toErrorAnswer(error, context);
  }
}

interface Target {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Null for a path outside the service, or one whose escapes are broken. */
export function parseTarget(path: string, basePath: string): Target | null {
  const [pathname = '', ...search] = path.split('?');
  if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) return null;
  try {
    const segments = pathname
      .slice(basePath.length)
      .split('/')
      .filter((each) => each !== '');
    return { segments: segments.map(decodeURIComponent), query: new URLSearchParams(search.join('?')) };
  } catch {
    return null;
  }
}

function parseBody(body: string | null, mediaType: string | undefined): Json {
  if (body === null || Buffer.byteLength(body) > MAX_BODY_BYTES) {
    throw new Refusal(413, `a body takes at most ${MAX_BODY_BYTES} bytes (maxPayloadSize)`);
  }
  if (mediaType !== undefined && !/^application\/(?:scim\+)?json\b/i.test(mediaType)) {
    throw new Refusal(415, 'the body must be application/scim+json or application/json');
  }
  try {
    return JSON.parse(body);
  } catch {
    throw toBadRequest('invalidSyntax', 'the body is no JSON');
  }
}

function toUnauthorized(): Refusal {
  return new Refusal(401, 'the bearer token is missing or wrong', {
    headers: { 'WWW-Authenticate': 'Bearer realm="SCIM"' },
  });
}

/** Compares hashes, so that the time it takes says nothing of the token. */
function createTokenCheck(token: string | null): HandlerContext['isAllowed'] {
  if (token === null) return () => true;
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const expected = hash(token);
  return (authorization = '') => timingSafeEqual(hash(/^Bearer +(.*)$/i.exec(authorization)?.[1] ?? ''), expected);
}

function toErrorAnswer(error: unknown, { onError }: HandlerContext): ScimAnswer {
  if (error instanceof Refusal) {
    const { status, message, scimType, headers } = error;
    return { status, headers, body: toErrorBody(status, message, scimType) };
  }
  onError?.(error);
  return { status: 500, headers: {}, body: toErrorBody(500, 'unexpected error inside the directory') };
}
