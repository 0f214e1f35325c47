/** A dialect server where a client can reach it: behind the HTTP client without a socket, or behind a port. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Transport } from '../../../src/http/exchange.ts';
import type { DialectRequest, DialectServer } from './server.ts';

/** @param isLost whether the answer to a request, which was carried out, never arrives */
export function toTransport(
  server: DialectServer,
  isLost: (request: DialectRequest) => boolean = () => false,
): Transport {
  return async ({ method, url, headers = {}, body }) => {
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const request = { method, url, headers: lower, ...(body === undefined ? {} : { body }) };
    const response = server.handle(request);
    if (!isLost(request)) return { response };
    return { failure: { what: 'closes the connection without an answer', sent: true, passing: true } };
  };
}

export interface ServedDialect {
  readonly url: string;
  readonly token: string;
  stop(): Promise<void>;
}

export async function serve(server: DialectServer): Promise<ServedDialect> {
  const listener = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
    const {
      status,
      headers: answered,
      body,
    } = server.handle({
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: Object.fromEntries(headers),
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks).toString('utf8') }),
    });
    outgoing.writeHead(status, answered).end(body);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}${server.basePath}`,
    token: server.token,
    async stop() {
      listener.closeAllConnections();
      listener.close();
      await once(listener, 'close');
    },
  };
}
