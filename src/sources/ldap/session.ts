/** A connection to an LDAP server on which somebody is known by name. It is never made anew: what is lost ends the read. */
import { once } from 'node:events';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectEncrypted } from 'node:tls';
import {
  BindRequest,
  type Control,
  ExtendedRequest,
  type Filter,
  FilterParser,
  type SearchEntry,
  SearchRequest,
  UnbindRequest,
} from 'ldapts';
import { SyncError } from '../../errors.ts';
import { toSecureContext } from '../../http/trust.ts';
import type { NetworkOptions } from '../source.ts';
import type { BindCredentials } from './config.ts';
import { toAborted, toBindError, toTlsError, toUnreachable } from './failure.ts';
import { createWire, type Wire } from './wire.ts';

const START_TLS = '1.3.6.1.4.1.1466.20037';
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'ldap:': 389, 'ldaps:': 636 };

export interface Endpoint extends NetworkOptions {
  readonly url: string;
  readonly startTLS: boolean;
  readonly credentials: BindCredentials;
  /** What the Secret is called in messages. */
  readonly where: string;
  /** Of one message; what any may have where nothing is said. */
  readonly mostBytes?: number;
}

export interface SearchQuery {
  readonly baseDN: string;
  readonly scope: 'base' | 'sub';
  /** Text of RFC 4515, or made already where values are bytes. */
  readonly filter: string | Filter;
  readonly attributes: readonly string[];
  readonly controls?: readonly Control[];
}

/** What a server answers to one search, whatever its result is. */
export interface SearchAnswer {
  readonly entries: readonly SearchEntry[];
  /** URLs of other servers for parts of the tree that it has not. */
  readonly references: readonly string[];
  /** RFC 4511 appendix A. */
  readonly code: number;
  /** Of the server, for its administrator; may name entries. */
  readonly diagnostic: string;
  readonly controls: readonly Control[];
}

export interface Session {
  /** `ldaps://dc1.corp.example`, for messages. */
  readonly origin: string;
  search(query: SearchQuery): Promise<SearchAnswer>;
  close(): void;
}

/**
 * Connected, encrypted and bound.
 * @param signal ends the connection, and whatever waits on it throws
 * @throws SyncError `CredentialsRejected`, `ReadFailed`, `Aborted`
 */
export async function openSession(endpoint: Endpoint, signal: AbortSignal): Promise<Session> {
  const origin = toOrigin(endpoint.url);
  const wire = await openWire(endpoint, origin, signal);
  const onAbort = (): void => wire.end(toAborted(signal.reason));
  signal.addEventListener('abort', onAbort);
  const close = (): void => {
    signal.removeEventListener('abort', onAbort);
    wire.tell((messageId) => new UnbindRequest({ messageId }));
    wire.end(new SyncError('ReadFailed', 'the connection was closed'));
  };
  try {
    if (signal.aborted) onAbort();
    await inTurn(endpoint, signal, () => bind(wire, endpoint, origin));
  } catch (thrown) {
    close();
    throw thrown;
  }
  return { origin, search: (query) => inTurn(endpoint, signal, () => search(wire, query)), close };
}

/** In the budget that everything has which asks this server with these credentials (rule I11). */
async function inTurn<T>({ url, begin }: Endpoint, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  const end = await begin?.(url, signal);
  try {
    return await ask();
  } finally {
    end?.();
  }
}

/** Without a slash at its end. */
function toOrigin(url: string): string {
  return url.replace(/\/+$/, '');
}

async function openWire(endpoint: Endpoint, origin: string, signal: AbortSignal): Promise<Wire> {
  const { url, startTLS, timeoutMs, mostBytes } = endpoint;
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const limits = { signal, timeout: AbortSignal.timeout(timeoutMs) };
  if (signal.aborted) throw toAborted(signal.reason);
  const address = { host, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port) };
  const encrypt = async (over: { readonly socket: Socket } | { readonly port: number }): Promise<Socket> => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const trust = endpoint.ca === null ? {} : { secureContext: toSecureContext(endpoint.ca) };
    // The name on the certificate is compared with `host`; without it with "localhost".
    const encrypted = connectEncrypted({ host, ...over, ...servername, ...trust });
    await opened(encrypted, 'secureConnect', limits, (cause) => toTlsError(origin, cause));
    return encrypted;
  };
  const wireOver = (socket: Socket): Wire =>
    createWire({ socket, origin, timeoutMs, ...(mostBytes === undefined ? {} : { mostBytes }) });
  if (protocol === 'ldaps:') return wireOver(await encrypt(address));
  const plain = connectPlain(address);
  await opened(plain, 'connect', limits, (cause) => toUnreachable(origin, cause));
  const wire = wireOver(plain);
  if (!startTLS) return wire;
  const { result } = await wire.send((messageId) => new ExtendedRequest({ messageId, oid: START_TLS }));
  if (result.status !== 0) {
    const error = new SyncError('ReadFailed', `${origin} has no StartTLS (result ${result.status}); take ldaps://`);
    wire.end(error);
    throw error;
  }
  return wireOver(await encrypt({ socket: wire.release() }));
}

/** Waits for the event. Whatever comes first instead destroys the socket. */
async function opened(
  socket: Socket,
  event: string,
  { signal, timeout }: { readonly signal: AbortSignal; readonly timeout: AbortSignal },
  toError: (cause: unknown) => SyncError,
): Promise<void> {
  try {
    await once(socket, event, { signal: AbortSignal.any([signal, timeout]) });
  } catch (thrown) {
    socket.on('error', () => undefined);
    socket.destroy();
    if (signal.aborted) throw toAborted(signal.reason);
    throw toError(timeout.aborted ? timeout.reason : thrown);
  }
}

async function bind(wire: Wire, { credentials, where }: Endpoint, origin: string): Promise<void> {
  const { bindDN: dn, password } = credentials;
  const { result } = await wire.send((messageId) => new BindRequest({ messageId, dn, password }));
  if (result.status !== 0) throw toBindError({ code: result.status, diagnostic: result.errorMessage }, origin, where);
}

async function search(wire: Wire, query: SearchQuery): Promise<SearchAnswer> {
  const { baseDN, scope, attributes, controls = [] } = query;
  const filter = typeof query.filter === 'string' ? FilterParser.parseString(query.filter) : query.filter;
  const { result, entries, references } = await wire.send(
    (messageId) =>
      // Limits of zero are none: how long a search may take is the server's to say, and how long we wait is ours.
      new SearchRequest({
        ...{ messageId, baseDN, scope, filter },
        ...{ attributes: [...attributes], controls: [...controls], sizeLimit: 0, timeLimit: 0 },
      }),
  );
  const { status: code, errorMessage: diagnostic, controls: answered = [] } = result;
  return { entries, references, code, diagnostic, controls: answered };
}
