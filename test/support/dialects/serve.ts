/** A dialect server where a client can reach it: behind the HTTP client without a socket, or behind a port. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Transport } from '../../../src/http/exchange.ts';
import type { DialectServer } from './server.ts';

/** An answer that `intercept` throws is a lost one. */
export function toTransport(server: DialectServer): Transport {
  return async ({ method, url, headers = {}, body }) => {
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    return { response: server.handle({ method, url, headers: lower, ...(body === undefined ? {} : { body }) }) };
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
