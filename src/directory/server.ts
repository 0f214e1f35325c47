/**
 * The embedded SCIM 2.0 directory: a service provider of RFC 7643 and 7644 in one SQLite file, to try Dirsync on and to
 * test it with. `docs/directory.md` says what it supports.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SyncError } from '../errors.ts';
import { countWrites } from './routes.ts';
import {
  type DirectoryRequest,
  type DirectoryResponse,
  type DirectoryService,
  MAX_BODY_BYTES,
  openService,
  parseTarget,
  type ServiceOptions,
} from './service.ts';

/** A request as `onRequest` sees it. */
export interface ObservedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Null until it is answered. */
  readonly status: number | null;
  readonly phase: 'received' | 'answered';
}

export interface DirectoryOptions extends ServiceOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default `/scim/v2`. */
  readonly basePath?: string;
  /**
   * Awaited before a request is carried out, its body read, and again after its answer was handed to the socket. When
   * it throws the connection is broken off.
   */
  readonly onRequest?: (request: ObservedRequest) => void | Promise<void>;
}

export interface RequestCounts {
  /** Requests received, refused ones too. */
  readonly byMethod: Readonly<Record<string, number>>;
  /** Changes asked for by POST, PUT, PATCH and DELETE (not `/.search`); of a bulk request each of its operations. */
  readonly writes: number;
}

export interface Directory {
  /** URL of the service with its base path, without a slash at the end. */
  readonly url: string;
  /** Takes no new requests, lets those under way end (10 s at most), closes the file. */
  close(): Promise<void>;
  counts(): RequestCounts;
}

/** A body over the limit is read up to here, so that its sender gets to see the 413, and then cut off. */
const MAX_DRAINED_BYTES = 16 * MAX_BODY_BYTES;
const CLOSE_TIMEOUT_MS = 10_000;
/** Longer than clients keep an idle connection: whoever closes first must be the one who sends next. */
const KEEP_ALIVE_MS = 65_000;

/** Throws SyncError StateUnavailable or StateLocked for the file, Invalid for the address. */
export async function startDirectory(options: DirectoryOptions): Promise<Directory> {
  const host = options.host ?? '127.0.0.1';
  const basePath = `/${(options.basePath ?? '/scim/v2').replace(/^\/+|\/+$/g, '')}`.replace(/^\/$/, '');
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  await listen(server, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}${basePath}`;
  const directory = openOrClose(url, options, server);
  const counter = createCounter();
  const context: HandlerContext = { directory, counter, basePath, onRequest: options.onRequest };
  server.on('request', (request, response) => {
    // A busy connection does not end by itself when the server closes.
    const finish = () => (server.listening ? undefined : server.closeIdleConnections());
    void handle(request, response, context).finally(finish);
  });
  return { url, counts: counter.read, close: () => close(server, directory.close) };
}

/** In the same step as the server began to listen: no request can come before its handler. */
function openOrClose(url: string, options: ServiceOptions, server: Server): DirectoryService {
  try {
    return openService(url, options);
  } catch (error) {
    server.close();
    throw error;
  }
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
  add(method: string): void;
  addWrites(count: number): void;
  read(): RequestCounts;
}

function createCounter(): Counter {
  const byMethod: Record<string, number> = {};
  let writes = 0;
  return {
    add(method) {
      byMethod[method] = (byMethod[method] ?? 0) + 1;
    },
    addWrites(count) {
      writes += count;
    },
    read: () => ({ byMethod: { ...byMethod }, writes }),
  };
}

interface HandlerContext {
  readonly directory: DirectoryService;
  readonly counter: Counter;
  readonly basePath: string;
  readonly onRequest: DirectoryOptions['onRequest'];
}

/** Never rejects. */
async function handle(request: IncomingMessage, response: ServerResponse, context: HandlerContext): Promise<void> {
  const method = request.method ?? '';
  const path = request.url ?? '/';
  const target = parseTarget(path, context.basePath);
  context.counter.add(method);
  try {
    const body = await readText(request);
    context.counter.addWrites(target === null ? 0 : countWrites(method, target.segments, body));
    await context.onRequest?.({ method, path, status: null, phase: 'received' });
    const answer = await context.directory.handle({ method, path, headers: toHeaders(request), body });
    await send(response, answer);
    await context.onRequest?.({ method, path, status: answer.status, phase: 'answered' });
  } catch {
    // The client broke off, or the hook has thrown to break the connection: nobody is left to answer.
    request.socket.destroy();
  }
}

/** Null for a body over the limit. */
async function readText(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_DRAINED_BYTES) throw new Error('the body is far over the limit');
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString('utf8');
}

/** The one header that node gives as a list, `set-cookie`, belongs to no request. */
function toHeaders({ headers }: IncomingMessage): DirectoryRequest['headers'] {
  return headers as DirectoryRequest['headers'];
}

/** Resolves when the answer is out of our hands: written, or its connection gone. */
function send(response: ServerResponse, { status, headers, body }: DirectoryResponse): Promise<void> {
  return new Promise((resolve) => {
    // Whoever asked may be gone by now: then nothing is left that could be waited for.
    if (response.closed) resolve();
    response.once('finish', resolve).once('close', resolve);
    response.writeHead(status, headers).end(body ?? undefined);
  });
}
