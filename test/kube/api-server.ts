/** An API server for tests: objects in memory, list (with pages), watch, get, create, replace, merge patch, and faults on demand. */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubeObject } from '../../src/kube/object.ts';

export const TOKEN = 'secret-token-of-the-controller';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly authorization: string;
  readonly body: Record<string, unknown> | undefined;
}

/** Returns true when it took the request over. */
export type Fault = (request: SeenRequest, response: ServerResponse) => boolean;

interface OpenWatch {
  readonly path: string;
  readonly response: ServerResponse;
}

export class FakeApiServer {
  readonly seen: SeenRequest[] = [];
  readonly faults: Fault[] = [];
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #objects = new Map<string, KubeObject>();
  readonly #watches = new Set<OpenWatch>();
  #server: Server | undefined;
  #port = 0;
  #version = 100;

  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
    this.#watches.clear();
  }

  get kubeConfig(): KubeConfig {
    const config = new KubeConfig();
    const server = `http://127.0.0.1:${this.#port}/prefix`;
    config.loadFromClusterAndUser({ name: 'fake', server, skipTLSVerify: true }, { name: 'controller', token: TOKEN });
    return config;
  }

  /** Creates or changes an object as somebody else would, and tells the watches of it. */
  put(collection: string, object: KubeObject): KubeObject {
    const key = toObjectKey(collection, object.metadata.namespace, object.metadata.name);
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    return this.#store(key, object, type);
  }

  remove(collection: string, namespace: string, name: string): void {
    const key = toObjectKey(collection, namespace, name);
    const object = this.#objects.get(key);
    if (object === undefined) throw new Error(`no ${key}`);
    this.#objects.delete(key);
    this.#version += 1;
    this.#broadcast(key, { type: 'DELETED', object: withVersion(object, this.#version) });
  }

  get(collection: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(toObjectKey(collection, namespace, name));
  }

  /** Names of the collection, for counting. */
  names(collection: string): string[] {
    return [...this.#objects]
      .filter(([key]) => key.startsWith(`${collection}/`))
      .map(([, object]) => object.metadata.name);
  }

  /** Sends a raw line to every open watch of the path. */
  sendLine(path: string, line: string): void {
    for (const watch of this.#watches) if (watch.path === path) watch.response.write(line);
  }

  endWatches(path: string): void {
    for (const watch of this.#watches) if (watch.path === path) watch.response.end();
  }

  cutWatches(path: string): void {
    for (const watch of this.#watches) if (watch.path === path) watch.response.destroy();
  }

  watchCount(path: string): number {
    return [...this.#watches].filter((watch) => watch.path === path).length;
  }

  requests(method: string, path: string): SeenRequest[] {
    return this.seen.filter((request) => request.method === method && request.path === path);
  }

  /** Resolves when the condition holds, checked after every request and every opened watch. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#events, 'progress');
  }

  #store(key: string, object: KubeObject, type: string): KubeObject {
    this.#version += 1;
    const stored = withVersion(object, this.#version);
    this.#objects.set(key, stored);
    this.#broadcast(key, { type, object: stored });
    return stored;
  }

  #broadcast(key: string, event: unknown): void {
    for (const watch of this.#watches) {
      if (belongsTo(key, watch.path)) watch.response.write(`${JSON.stringify(event)}\n`);
    }
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    this.seen.push(request);
    const fault = this.faults.findIndex((candidate) => candidate(request, response));
    if (fault >= 0) this.faults.splice(fault, 1);
    else if (request.query.get('watch') === 'true') this.#watch(request, response);
    else reply(response, ...this.#answer(request));
    this.#events.emit('progress');
  }

  #watch(request: SeenRequest, response: ServerResponse): void {
    const watch = { path: request.path, response };
    this.#watches.add(watch);
    response.once('close', () => {
      this.#watches.delete(watch);
      this.#events.emit('progress');
    });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    // What happened between the list and this watch would be replayed; the tests put nothing in between.
  }

  #answer(request: SeenRequest): Answer {
    const status = request.path.endsWith('/status');
    const key = status ? request.path.slice(0, -'/status'.length) : request.path;
    if (request.method === 'GET' && !this.#objects.has(key)) return this.#list(request);
    if (request.method === 'POST') return this.#create(request);
    const stored = this.#objects.get(key);
    if (stored === undefined) return failed(404);
    if (request.method === 'GET') return [200, stored];
    const sent = request.body as KubeObject | undefined;
    const version = sent?.metadata?.resourceVersion;
    if (version !== undefined && version !== stored.metadata.resourceVersion) return failed(409);
    const next = status ? { ...stored, status: sent?.['status'] } : (mergePatch(stored, sent) as KubeObject);
    return [200, this.#store(key, next, 'MODIFIED')];
  }

  #list(request: SeenRequest): Answer {
    const items = [...this.#objects].filter(([key]) => belongsTo(key, request.path)).map(([, object]) => object);
    if (items.length === 0 && !isCollection(request.path)) return failed(404);
    const from = Number(request.query.get('continue') ?? 0);
    const limit = Number(request.query.get('limit') ?? items.length);
    const more = from + limit < items.length ? { continue: String(from + limit) } : {};
    const metadata = { resourceVersion: String(this.#version), ...more };
    return [200, { kind: 'List', metadata, items: items.slice(from, from + limit) }];
  }

  #create(request: SeenRequest): Answer {
    const object = request.body as unknown as KubeObject;
    const key = `${request.path}/${object.metadata.name}`;
    return this.#objects.has(key) ? failed(409) : [201, this.#store(key, object, 'ADDED')];
  }
}

type Answer = readonly [status: number, body: unknown];

function failed(code: number): Answer {
  return [code, { kind: 'Status', code }];
}

/** A fault that answers the first request that fits with a status and a body. */
export function answering(
  fits: (request: SeenRequest) => boolean,
  status: number,
  body: unknown = { kind: 'Status', code: status },
): Fault {
  return (request, response) => {
    if (!fits(request)) return false;
    reply(response, status, body);
    return true;
  };
}

export function reply(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}

async function readRequest(incoming: IncomingMessage): Promise<SeenRequest> {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
  return {
    method: incoming.method ?? '',
    path: url.pathname.replace(/^\/prefix/, ''),
    query: url.searchParams,
    accept: incoming.headers.accept ?? '',
    contentType: incoming.headers['content-type'] ?? '',
    authorization: incoming.headers.authorization ?? '',
    body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
  };
}

/** `/apis/dirsync.dev/v1alpha1/directorysyncs` and a namespace to the path of an object. */
function toObjectKey(collection: string, namespace: string | undefined, name: string): string {
  const at = collection.lastIndexOf('/');
  return `${collection.slice(0, at)}/namespaces/${namespace}${collection.slice(at)}/${name}`;
}

function belongsTo(key: string, path: string): boolean {
  const collection = key.slice(0, key.lastIndexOf('/'));
  return collection === path || collection.replace(/\/namespaces\/[^/]+/, '') === path;
}

function isCollection(path: string): boolean {
  return /\/(directorysyncs|attributemappings|teamrules|customattributes|secrets|configmaps|events)$/.test(path);
}

function withVersion(object: KubeObject, version: number): KubeObject {
  return {
    ...object,
    metadata: { uid: `uid-${object.metadata.name}`, ...object.metadata, resourceVersion: String(version) },
  };
}

/** RFC 7396. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown>) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key] ?? {}, value);
  }
  return result;
}
