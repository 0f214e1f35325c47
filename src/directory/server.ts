/**
 * The embedded SCIM 2.0 directory: a service provider of RFC 7643 and 7644 in one SQLite file, to try Dirsync on and to
 * test it with. `docs/directory.md` says what it supports.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import type { SchemaDefinition } from '../scim/schema.ts';
import { createCatalog } from './catalog.ts';
import { Refusal, toBadRequest, toErrorBody } from './refusal.ts';
import { answerRequest, isWrite, type ScimAnswer, type Service } from './routes.ts';
import { openStore } from './store.ts';

/** A request as `onRequest` sees it. */
export interface ObservedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Null until it is answered. */
  readonly status: number | null;
  readonly phase: 'received' | 'answered';
}

export interface DirectoryOptions {
  /** The SQLite file, made when missing; `:memory:` keeps nothing. */
  readonly file: string;
  /** The bearer token that every request must carry; null lets everybody in. */
  readonly token: string | null;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default `/scim/v2`. */
  readonly basePath?: string;
  /** Extensions whose attributes are checked, beside the enterprise user. Others are kept unchecked. */
  readonly schemas?: readonly SchemaDefinition[];
  /** The most resources of a page; default 1,000. A page has 100 when the client does not say. */
  readonly pageSize?: number;
  /** Characters of a group's displayName; default 256. */
  readonly maxNameLength?: number;
  /**
   * Awaited before a request is carried out, its body read, and again after its answer was handed to the socket. When
   * it throws the connection is broken off.
   */
  readonly onRequest?: (request: ObservedRequest) => void | Promise<void>;
  /** Told of what was answered with 500, whose body says nothing of the reason. */
  readonly onError?: (error: unknown) => void;
}

export interface RequestCounts {
  /** Requests received, refused ones too. */
  readonly byMethod: Readonly<Record<string, number>>;
  /** Those of POST, PUT, PATCH and DELETE that could change something (not `/.search`). */
  readonly writes: number;
}

export interface Directory {
  /** URL of the service with its base path, without a slash at the end. */
  readonly url: string;
  /** Takes no new requests, lets those under way end (10 s at most), closes the file. */
  close(): Promise<void>;
  counts(): RequestCounts;
}

const MAX_BODY_BYTES = 1024 * 1024;
/** A body over the limit is read up to here, so that its sender gets to see the 413, and then cut off. */
const MAX_DRAINED_BYTES = 16 * MAX_BODY_BYTES;
const CLOSE_TIMEOUT_MS = 10_000;
/** Longer than clients keep an idle connection: whoever closes first must be the one who sends next. */
const KEEP_ALIVE_MS = 65_000;
const MEDIA_TYPE = 'application/scim+json; charset=utf-8';

/** Throws SyncError StateUnavailable or StateLocked for the file, Invalid for the address. */
export async function startDirectory(options: DirectoryOptions): Promise<Directory> {
  const host = options.host ?? '127.0.0.1';
  const basePath = `/${(options.basePath ?? '/scim/v2').replace(/^\/+|\/+$/g, '')}`.replace(/^\/$/, '');
  const store = openStore(options.file);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  try {
    await listen(server, host, options.port ?? 0);
  } catch (error) {
    store.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}${basePath}`;
  const maxPageSize = options.pageSize ?? 1000;
  const service: Service = {
    store,
    catalog: createCatalog(options.schemas ?? []),
    baseUrl: url,
    defaultPageSize: Math.min(100, maxPageSize),
    maxPageSize,
    maxNameLength: options.maxNameLength ?? 256,
    hasToken: options.token !== null,
    readClock: () => new Date(),
  };
  const counter = createCounter();
  const context = { service, counter, basePath, options, isAllowed: createTokenCheck(options.token) };
  server.on('request', (request, response) => {
    // A busy connection does not end by itself when the server closes.
    const finish = () => (server.listening ? undefined : server.closeIdleConnections());
    void handle(request, response, context).finally(finish);
  });
  return { url, counts: counter.read, close: () => close(server, () => store.close()) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : (error.code ?? error.message);
      reject(new SyncError('Invalid', `cannot listen on ${host} port ${port}: ${reason}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server, release: () => void): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
    server.close(() => {
      clearTimeout(timer);
      release();
      resolve();
    });
  });
}

interface Counter {
  add(method: string, write: boolean): void;
  read(): RequestCounts;
}

function createCounter(): Counter {
  const byMethod: Record<string, number> = {};
  let writes = 0;
  return {
    add(method, write) {
      byMethod[method] = (byMethod[method] ?? 0) + 1;
      if (write) writes += 1;
    },
    read: () => ({ byMethod: { ...byMethod }, writes }),
  };
}

interface HandlerContext {
  readonly service: Service;
  readonly counter: Counter;
  readonly basePath: string;
  readonly options: DirectoryOptions;
  readonly isAllowed: (authorization: string | undefined) => boolean;
}

/** Never rejects. */
async function handle(request: IncomingMessage, response: ServerResponse, context: HandlerContext): Promise<void> {
  const method = request.method ?? '';
  const path = request.url ?? '/';
  const target = parseTarget(path, context.basePath);
  context.counter.add(method, target !== null && isWrite(method, target.segments));
  try {
    const answer = await computeAnswer({ request, method, path, target }, context);
    await send(response, answer);
    await context.options.onRequest?.({ method, path, status: answer.status, phase: 'answered' });
  } catch {
    // The client broke off, or the hook has thrown to break the connection: nobody is left to answer.
    request.socket.destroy();
  }
}

interface Target {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Null for a path outside the service, or one whose escapes are broken. */
function parseTarget(path: string, basePath: string): Target | null {
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

interface Received {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly target: Target | null;
}

async function computeAnswer(
  { request, method, path, target }: Received,
  context: HandlerContext,
): Promise<ScimAnswer> {
  const body = await readBytes(request);
  await context.options.onRequest?.({ method, path, status: null, phase: 'received' });
  try {
    if (!context.isAllowed(request.headers.authorization)) throw toUnauthorized();
    if (target === null) throw new Refusal(404, 'there is nothing at this path');
    const { segments, query } = target;
    const ifMatch = request.headers['if-match'] ?? null;
    const ifNoneMatch = request.headers['if-none-match'] ?? null;
    const readBody = () => parseBody(body, request.headers['content-type']);
    return answerRequest({ method, segments, query, ifMatch, ifNoneMatch, readBody }, context.service);
  } catch (error) {
    return toErrorAnswer(error, context);
  }
}

/** Null for a body over the limit. */
async function readBytes(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_DRAINED_BYTES) throw new Error('the body is far over the limit');
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}

function parseBody(body: Buffer | null, mediaType: string | undefined): Json {
  if (body === null) throw new Refusal(413, `a body takes at most ${MAX_BODY_BYTES} bytes`);
  if (mediaType !== undefined && !/^application\/(?:scim\+)?json\b/i.test(mediaType)) {
    throw new Refusal(415, 'the body must be application/scim+json or application/json');
  }
  try {
    return JSON.parse(body.toString('utf8'));
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

function toErrorAnswer(error: unknown, { options }: HandlerContext): ScimAnswer {
  if (error instanceof Refusal) {
    const { status, message, scimType, headers } = error;
    return { status, headers, body: toErrorBody(status, message, scimType) };
  }
  options.onError?.(error);
  return { status: 500, headers: {}, body: toErrorBody(500, 'unexpected error inside the directory') };
}

/** Resolves when the answer is out of our hands: written, or its connection gone. */
function send(response: ServerResponse, { status, headers, body }: ScimAnswer): Promise<void> {
  return new Promise((resolve) => {
    // Whoever asked may be gone by now: then nothing is left that could be waited for.
    if (response.closed) resolve();
    response.once('finish', resolve).once('close', resolve);
    if (body === null) {
      response.writeHead(status, headers).end();
      return;
    }
    const text = Buffer.from(JSON.stringify(body));
    response.writeHead(status, { ...headers, 'Content-Type': MEDIA_TYPE, 'Content-Length': text.length }).end(text);
  });
}
