/** What kubelet and Prometheus ask: `/healthz`, `/readyz`, `/metrics`. */

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SyncError } from '../errors.ts';
import type { Metrics } from './metrics.ts';

export interface HealthServer {
  /** `http://host:port`, with the port that was found for port 0. */
  readonly url: string;
  close(): Promise<void>;
}

export interface HealthOptions {
  /** `host:port`, `:port` for every address, or `[::1]:port`. */
  readonly listen: string;
  /** True when requests may come; otherwise one line that says what is waited for. */
  readonly ready: () => true | string;
  readonly metrics: Pick<Metrics, 'expose' | 'contentType'>;
}

/** Throws SyncError `Invalid` when the address cannot be understood or listened on. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const { host, port } = parseListen(options.listen);
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response, options).catch(() => respond(response, 500, 'the metrics cannot be read\n'));
  });
  server.listen(port, host);
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code ?? 'no code';
    throw new SyncError('Invalid', `cannot listen on ${options.listen} (${why}); choose another address`, { cause });
  });
  return { url: toUrl(server), close: () => closeServer(server) };
}

function parseListen(listen: string): { host: string | undefined; port: number } {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]]*)):(?<port>\d{1,5})$/.exec(listen);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > 65_535) {
    throw new SyncError('Invalid', `"${listen}" is no address to listen on; write host:port, such as 0.0.0.0:8080`);
  }
  const host = match.groups?.['v6'] ?? match.groups?.['host'];
  return { host: host === '' ? undefined : host, port };
}

async function answer(url: string, response: ServerResponse, options: HealthOptions): Promise<void> {
  const [path] = url.split('?');
  if (path === '/healthz') {
    respond(response, 200, 'ok\n');
  } else if (path === '/readyz') {
    const ready = options.ready();
    respond(response, ready === true ? 200 : 503, ready === true ? 'ok\n' : `${ready}\n`);
  } else if (path === '/metrics') {
    respond(response, 200, await options.metrics.expose(), options.metrics.contentType);
  } else {
    respond(response, 404, 'there are /healthz, /readyz and /metrics\n');
  }
}

function respond(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function toUrl(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
  return `http://${family === 'IPv6' && host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  if (server.listening) await once(server, 'close');
}
