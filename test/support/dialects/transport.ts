/** A dialect server behind the HTTP client, without a socket. */
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
