/**
 * The connection to the Kubernetes API server. client-node's KubeConfig gives address, trust and credentials (kubeconfig,
 * exec plugins, OIDC, proxies, the rotating token of a service account); the requests are sent here, because its watch has one
 * timeout for connecting and for silence, drops lines that it cannot parse and cannot be ended while it connects, and because its
 * generated API opens a new TLS connection for every request.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { SyncError } from '../errors.ts';
import { computeBackoff, parseRetryAfter } from '../http/backoff.ts';
import { systemTiming, type Timing } from '../http/timing.ts';
import { isRecord } from './object.ts';
import { sleepUntilAborted } from './pause.ts';

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Path under the server's address, for example `/api/v1/namespaces/identity/secrets/acme`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON; that of a PATCH as a JSON merge patch (RFC 7396). */
  readonly body?: unknown;
  readonly accept?: string;
  /** What the request is about, as messages name it: `Secret identity/acme`. */
  readonly about: string;
  readonly signal?: AbortSignal;
  /** How often it may be sent, 5 by default. Every request of this folder may be repeated without harm. */
  readonly attempts?: number;
}

/** An answer of any status. `body` is undefined when it is no JSON object. */
export interface KubeResponse {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** Milliseconds that the server asked to wait (Retry-After). */
  readonly retryAfterMs?: number;
}

export interface KubeClient {
  /** Throws SyncError, to be tried again later, when no whole answer came; an answer of any status is returned. */
  send(request: KubeRequest): Promise<KubeResponse>;
  /**
   * The lines of a stream, until the server ends it. Throws SyncError when it answers with anything but 200, when the connection
   * breaks or its last line is incomplete, and when no byte came for `idleMs`.
   */
  lines(request: KubeRequest, idleMs: number): AsyncGenerator<string, void, void>;
  /** Closes every connection; what is under way fails. */
  close(): void;
}

export interface KubeClientOptions {
  readonly kubeConfig: KubeConfig;
  /** For a whole answer; for a stream, until it begins. 30 seconds by default. */
  readonly timeoutMs?: number;
  readonly timing?: Timing;
  /** Once aborted nothing is tried again; what is being sent ends by itself. */
  readonly closing?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_ATTEMPTS = 5;
/** A server that asks for more is asked again anyway: the loop above has its own backoff. */
const LONGEST_WAIT_MS = 60_000;
/** The largest object that etcd takes is far below; more is no watch event. */
const LONGEST_LINE = 32 * 1024 * 1024;
const USER_AGENT = 'dirsync-controller';

/**
 * Reads the kubeconfig of KUBECONFIG, else `~/.kube/config`, else that of the service account in a pod.
 * @throws SyncError `Invalid` when there is none or it cannot be read
 */
export function loadKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (cause) {
    throw new SyncError('Invalid', 'the kubeconfig cannot be read; check the file that KUBECONFIG names', { cause });
  }
  if (config.getCurrentCluster() === null) {
    throw new SyncError('Invalid', 'the kubeconfig has no current context; run kubectl config use-context NAME');
  }
  // The library's last resort, which nobody ever means.
  if (config.getCurrentCluster()?.server === 'http://localhost:8080') {
    throw new SyncError('Invalid', 'no cluster is configured: set KUBECONFIG, or run in a pod with a service account');
  }
  return config;
}

/** @throws SyncError `Invalid` when the kubeconfig names no cluster, or one over plain http without saying that it may */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const timing = options.timing ?? systemTiming;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const connection = createConnection(options.kubeConfig);

  async function sendOnce(request: KubeRequest): Promise<KubeResponse> {
    const limit = createLimit(timeoutMs, request.signal);
    try {
      const response = await connection.open(request, limit.signal);
      return toResponse(response, await readText(response), timing.now());
    } catch (thrown) {
      throw toConnectionError(thrown, request, limit.expired());
    } finally {
      limit.end();
    }
  }

  /** Waits; false when the outcome stands. */
  async function maySendAgain(
    outcome: KubeResponse | SyncError,
    { signal, attempts = DEFAULT_ATTEMPTS }: KubeRequest,
    failures: number,
  ): Promise<boolean> {
    const wait = computeWait(outcome, computeBackoff(failures, timing.random));
    const ends = AbortSignal.any([options.closing, signal].filter((one) => one !== undefined));
    if (wait === null || failures >= attempts || ends.aborted) return false;
    await sleepUntilAborted(timing, wait, ends);
    return !ends.aborted;
  }

  async function send(request: KubeRequest): Promise<KubeResponse> {
    for (let failures = 1; ; failures += 1) {
      const outcome = await sendOnce(request).catch(SyncError.from);
      if (await maySendAgain(outcome, request, failures)) continue;
      if (outcome instanceof SyncError) throw outcome;
      return outcome;
    }
  }

  async function* lines(request: KubeRequest, idleMs: number): AsyncGenerator<string, void, void> {
    const limit = createLimit(timeoutMs, request.signal);
    try {
      const response = await connection.open(request, limit.signal);
      if (response.statusCode !== 200) {
        const answer = toResponse(response, await readText(response), timing.now());
        throw toAnswerError(answer, request.about);
      }
      limit.restart(idleMs);
      yield* toLines(response, () => limit.restart(idleMs));
    } catch (thrown) {
      throw toConnectionError(thrown, request, limit.expired());
    } finally {
      limit.end();
    }
  }

  return {
    send,
    lines,
    close: () => connection.end(),
  };
}

interface Connection {
  open(request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage>;
  end(): void;
}

function createConnection(kubeConfig: KubeConfig): Connection {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new SyncError('Invalid', 'the kubeconfig names no cluster');
  const server = new URL(cluster.server);
  const plain = server.protocol === 'http:';
  if (plain && cluster.skipTLSVerify !== true) {
    const advice = 'write https, or insecure-skip-tls-verify: true when the network may read the token';
    throw new SyncError('Invalid', `the kubeconfig has an API server over plain http; ${advice}`);
  }
  const pool = plain ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true });

  async function toOptions(request: KubeRequest, body: string | undefined): Promise<RequestOptions> {
    const options: RequestOptions = {};
    await kubeConfig.applyToHTTPSOptions(options);
    return {
      ...options,
      // The library's own agent opens a connection for every request; it is needed for its proxies only.
      agent: cluster?.proxyUrl === undefined ? pool : options.agent,
      protocol: server.protocol,
      hostname: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port === '' ? null : server.port,
      path: toPath(server, request),
      method: request.method,
      headers: {
        ...options.headers,
        accept: request.accept ?? 'application/json',
        'user-agent': USER_AGENT,
        ...(body === undefined ? {} : toBodyHeaders(request.method, body)),
      },
    };
  }

  return {
    async open(request, signal) {
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const options = await toOptions(request, body);
      signal.throwIfAborted();
      const sent = (plain ? httpRequest : httpsRequest)({ ...options, signal });
      return waitForResponse(sent, body);
    },
    end: () => pool.destroy(),
  };
}

function toPath(server: URL, { path, query }: KubeRequest): string {
  const search = new URLSearchParams(query).toString();
  return `${server.pathname.replace(/\/$/, '')}${path}${search === '' ? '' : `?${search}`}`;
}

function toBodyHeaders(method: KubeRequest['method'], body: string): Record<string, string | number> {
  return {
    'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    'content-length': Buffer.byteLength(body),
  };
}

function waitForResponse(sent: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    // Stays in place after the answer began: an error without a listener would end the process.
    sent.on('error', reject);
    sent.once('socket', (socket) => socket.setKeepAlive(true, DEFAULT_TIMEOUT_MS));
    sent.end(body);
  });
}

interface Limit {
  readonly signal: AbortSignal;
  /** Counts again from now, with another length. */
  restart(ms: number): void;
  expired(): boolean;
  end(): void;
}

function createLimit(ms: number, outer: AbortSignal | undefined): Limit {
  const controller = new AbortController();
  let expired = false;
  let timer: NodeJS.Timeout | undefined;
  const restart = (next: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      expired = true;
      controller.abort();
    }, next);
  };
  restart(ms);
  return {
    signal: outer === undefined ? controller.signal : AbortSignal.any([outer, controller.signal]),
    restart,
    expired: () => expired,
    end: () => {
      clearTimeout(timer);
      // Also ends a stream whose reader went away before its end.
      controller.abort();
    },
  };
}

async function* toLines(response: IncomingMessage, onData: () => void): AsyncGenerator<string, void, void> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    onData();
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new SyncError('Unknown', 'the Kubernetes API server sent a line without end');
    yield* parts.filter((part) => part.trim() !== '');
  }
  if (rest.trim() !== '')
    throw new SyncError('Unknown', 'the Kubernetes API server ended a watch in the middle of a line');
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

function toResponse(response: IncomingMessage, text: string, now: number): KubeResponse {
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], now);
  return {
    status: response.statusCode ?? 0,
    body: parseObject(text),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Milliseconds until another try makes sense, null when the outcome stands. */
function computeWait(outcome: KubeResponse | SyncError, backoffMs: number): number | null {
  if (outcome instanceof SyncError) return outcome.code === 'Aborted' ? null : backoffMs;
  const { status, retryAfterMs = 0 } = outcome;
  if (status !== 429 && status < 500) return null;
  return Math.min(LONGEST_WAIT_MS, Math.max(backoffMs, retryAfterMs));
}

/** Safe words for what the network threw: its code says enough, its message would name addresses. */
function toConnectionError(thrown: unknown, { about, signal }: KubeRequest, expired: boolean): SyncError {
  if (thrown instanceof SyncError) return thrown;
  if (signal?.aborted) return new SyncError('Aborted', 'the request was ended before it was done', { cause: thrown });
  const code = isRecord(thrown) && typeof thrown['code'] === 'string' ? ` (${thrown['code']})` : '';
  const why = expired ? 'does not answer in time' : `cannot be reached${code}`;
  return new SyncError('Unknown', `the Kubernetes API server ${why}; it was asked for ${about}`, { cause: thrown });
}

/**
 * The error for an answer that the caller has no use for. All are tried again: rights are granted, CRDs installed and servers
 * repaired while the controller runs. 410 (the version asked for is too old) says so by asking for no wait at all.
 */
export function toAnswerError({ status, body, retryAfterMs }: KubeResponse, about: string): SyncError {
  const cause = body ?? { status };
  const wait = retryAfterMs === undefined ? {} : { retry: { afterMs: Math.min(retryAfterMs, LONGEST_WAIT_MS) } };
  switch (status) {
    case 401:
      return new SyncError(
        'Unknown',
        `the Kubernetes API server does not know who asks for ${about}; check the token`,
        { cause },
      );
    case 403:
      return new SyncError(
        'Unknown',
        `the controller's account may not use ${about}; its Role or ClusterRole lacks it`,
        { cause },
      );
    case 404:
      return new SyncError('Unknown', `the Kubernetes API server does not know ${about}; install the CRDs`, { cause });
    case 410:
      return new SyncError('Unknown', `the version of ${about} is too old to follow`, { cause, retry: { afterMs: 0 } });
    default:
      return new SyncError('Unknown', `the Kubernetes API server answered ${status} for ${about}`, { cause, ...wait });
  }
}
