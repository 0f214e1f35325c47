import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import nock from 'nock';
import { afterEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { createBudgets } from '../../src/http/budget.ts';
import {
  createHttpClient,
  type HttpClientOptions,
  type HttpRequest,
  type PooledHttpClient,
} from '../../src/http/client.ts';
import type { Transport } from '../../src/http/exchange.ts';
import { createCertificate } from '../support/certificates.ts';
import { createManualTiming, type ManualTiming } from '../support/manual-timing.ts';
import { type RawServer, startRawServer } from '../support/raw-server.ts';

const ORIGIN = 'https://app.example.com';
const NEVER = new AbortController().signal;
const clients: PooledHttpClient[] = [];
const servers: RawServer[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) await server.close();
});

function aClient(options: Partial<HttpClientOptions> = {}): { client: PooledHttpClient; timing: ManualTiming } {
  const timing = createManualTiming();
  const budget = createBudgets(timing).join('app.example.com', 'key', { requestsPerSecond: null, concurrency: 8 });
  const client = createHttpClient({
    userAgent: 'dirsync/test',
    unavailable: 'TargetUnavailable',
    budget,
    timeoutMs: 5_000,
    concurrency: 8,
    timing,
    ...options,
  });
  clients.push(client);
  return { client, timing };
}

function aRequest(request: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', url: `${ORIGIN}/scim/v2/Users?filter=secret`, repeatable: false, signal: NEVER, ...request };
}

async function aRawServer(answer: Parameters<typeof startRawServer>[0]): Promise<RawServer> {
  const server = await startRawServer(answer);
  servers.push(server);
  return server;
}

async function aServer(server: Server): Promise<{ url: string }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  servers.push({ url, connections: [], close: async () => void server.close() });
  return { url };
}

async function failureOf(promise: Promise<unknown>): Promise<SyncError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof SyncError)) throw new Error(`no SyncError but ${String(thrown)}`);
  return thrown;
}

/** Key and certificate of 127.0.0.1, signed by itself, for 100 years. */
const PEM = readFileSync(new URL('../fixtures/http/self-signed.pem', import.meta.url), 'utf8');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';

describe('a request', () => {
  it('carries the headers of the client and its own, and asks for no compression', async () => {
    const scope = nock(ORIGIN, {
      reqheaders: {
        'user-agent': 'dirsync/test',
        authorization: 'Bearer t',
        accept: 'application/scim+json',
        'accept-encoding': 'identity',
      },
    })
      .post('/scim/v2/Users', { userName: 'ärger' })
      .reply(201, '{"id":"1"}', { ETag: 'W/"1"' });
    const { client } = aClient({ headers: { authorization: 'Bearer t' } });
    const response = await client.send(
      aRequest({
        method: 'POST',
        url: `${ORIGIN}/scim/v2/Users`,
        headers: { accept: 'application/scim+json', 'content-type': 'application/scim+json' },
        body: '{"userName":"ärger"}',
      }),
    );
    expect(response).toMatchObject({ status: 201, body: '{"id":"1"}', headers: { etag: 'W/"1"' } });
    scope.done();
  });

  it('uses one connection for requests one after another', async () => {
    const server = await aRawServer((socket) => socket.write(OK));
    const { client } = aClient();
    for (let count = 0; count < 5; count += 1) await client.send(aRequest({ url: server.url }));
    expect(server.connections).toHaveLength(1);
    expect(client.sent).toBe(5);
  });

  it('reports every attempt with method and status', async () => {
    nock(ORIGIN).get('/').reply(500).get('/').reply(200);
    const seen: string[] = [];
    const { client } = aClient({ onAttempt: ({ method, code }) => seen.push(`${method} ${code}`) });
    await client.send(aRequest({ url: `${ORIGIN}/` }));
    expect(seen).toEqual(['GET 500', 'GET 200']);
  });
});

describe('repetition', () => {
  const cases: {
    name: string;
    method: HttpRequest['method'];
    repeatable?: boolean;
    status: number;
    headers?: Record<string, string>;
    sent: number;
    because: string;
  }[] = [
    { name: 'GET 500', method: 'GET', status: 500, sent: 2, because: 'reading twice does no harm' },
    { name: 'PUT 502', method: 'PUT', status: 502, sent: 2, because: 'PUT is idempotent' },
    { name: 'DELETE 504', method: 'DELETE', status: 504, sent: 2, because: 'DELETE is idempotent' },
    { name: 'POST 500', method: 'POST', status: 500, sent: 1, because: 'it may have been carried out' },
    { name: 'PATCH 503', method: 'PATCH', status: 503, sent: 1, because: 'it may have been carried out' },
    {
      name: 'PATCH 503 repeatable',
      method: 'PATCH',
      repeatable: true,
      status: 503,
      sent: 2,
      because: 'the caller knows that twice is once',
    },
    { name: 'POST 429', method: 'POST', status: 429, sent: 2, because: 'a throttled request was not processed' },
    {
      name: 'POST 503 with Retry-After',
      method: 'POST',
      status: 503,
      headers: { 'Retry-After': '1' },
      sent: 2,
      because: 'the server says that it did not process it',
    },
    { name: 'GET 404', method: 'GET', status: 404, sent: 1, because: 'the answer would be the same' },
    { name: 'GET 501', method: 'GET', status: 501, sent: 1, because: 'the answer would be the same' },
    { name: 'GET 401', method: 'GET', status: 401, sent: 1, because: 'repeating may lock the account' },
  ];
  it.each(cases)('$name is sent $sent times, because $because', async (each) => {
    const scope = nock(ORIGIN).intercept('/', each.method).reply(each.status, '', each.headers);
    if (each.sent === 2) scope.intercept('/', each.method).reply(200, 'ok');
    const { client } = aClient();
    const response = await client.send(
      aRequest({ url: `${ORIGIN}/`, method: each.method, repeatable: each.repeatable ?? false }),
    );
    expect(response.status).toBe(each.sent === 2 ? 200 : each.status);
    expect(client.sent).toBe(each.sent);
  });

  it('ends after four attempts with the last answer, waiting longer each time', async () => {
    nock(ORIGIN).get('/').times(4).reply(500, 'broken');
    const { client, timing } = aClient();
    expect(await client.send(aRequest({ url: `${ORIGIN}/` }))).toMatchObject({ status: 500, body: 'broken' });
    expect(timing.waits).toEqual([500, 1000, 2000]);
  });

  it('waits between nothing and the whole backoff', async () => {
    nock(ORIGIN).get('/').times(4).reply(500);
    const timing = createManualTiming(0, 0.25);
    await aClient({ timing }).client.send(aRequest({ url: `${ORIGIN}/` }));
    expect(timing.waits).toEqual([125, 250, 500]);
  });
});

describe('an answer that says "later" in a way of its own', () => {
  const isThrottled: HttpRequest['isThrottled'] = ({ status, body }) => status === 403 && body === 'quota';

  it('is waited for as a 429 is, also for a write: it was not carried out', async () => {
    nock(ORIGIN).post('/').times(3).reply(403, 'quota').post('/').reply(200);
    const { client, timing } = aClient();
    const { status, mayBeDone } = await client.send(aRequest({ url: `${ORIGIN}/`, method: 'POST', isThrottled }));
    expect([status, mayBeDone, timing.waits.length]).toEqual([200, false, 3]);
  });

  it('is one only to whoever says so, and comes back after the last attempt', async () => {
    nock(ORIGIN).get('/').reply(403, 'no').get('/').times(5).reply(403, 'quota');
    const { client } = aClient();
    for (const [request, sent] of [
      [{ isThrottled }, 1],
      [{ isThrottled }, 5],
      [{}, 6],
    ] as const) {
      expect((await client.send(aRequest({ url: `${ORIGIN}/`, ...request }))).status).toBe(403);
      expect(client.sent).toBe(sent);
    }
  });
});

describe('Retry-After', () => {
  it('is obeyed in seconds', async () => {
    nock(ORIGIN).get('/').reply(429, '', { 'Retry-After': '7' }).get('/').reply(200);
    const { client, timing } = aClient();
    const start = timing.now();
    await client.send(aRequest({ url: `${ORIGIN}/` }));
    expect(timing.now() - start).toBeGreaterThanOrEqual(6_950);
    expect(timing.now() - start).toBeLessThanOrEqual(7_000);
  });

  it('is obeyed as a date', async () => {
    nock(ORIGIN).get('/').reply(429, '', { 'Retry-After': 'Thu, 01 Jan 2026 00:01:00 GMT' }).get('/').reply(200);
    const { client, timing } = aClient();
    await client.send(aRequest({ url: `${ORIGIN}/` }));
    expect(timing.now()).toBe(Date.UTC(2026, 0, 1, 0, 1));
  });

  it('holds back who waits for a place at that very moment (I11)', async () => {
    const timing = createManualTiming();
    const start = timing.now();
    const starts: number[] = [];
    const transport: Transport = async () => {
      starts.push(timing.now() - start);
      const status = starts.length === 1 ? 429 : 200;
      return { response: { status, headers: { 'retry-after': '60' }, body: '' } };
    };
    const budget = createBudgets(timing).join('app.example.com', 'key', { requestsPerSecond: null, concurrency: 1 });
    const { client } = aClient({ timing, budget, transport });
    await Promise.all(['a', 'b'].map((path) => client.send(aRequest({ url: `${ORIGIN}/${path}` }))));
    expect(starts).toEqual([0, 60_000, 60_000]);
  });

  it('holds back everybody who shares the budget', async () => {
    nock(ORIGIN).get('/a').reply(429, '', { 'Retry-After': '60' }).get('/a').reply(200).get('/b').reply(200);
    const timing = createManualTiming();
    const budgets = createBudgets(timing);
    const limits = { requestsPerSecond: null, concurrency: 1 };
    const first = aClient({ timing, budget: budgets.join('app.example.com', 'key', limits) }).client;
    const second = aClient({ timing, budget: budgets.join('APP.example.com', 'key', limits) }).client;
    const start = timing.now();
    const [, after] = await Promise.all([
      first.send(aRequest({ url: `${ORIGIN}/a` })),
      second.send(aRequest({ url: `${ORIGIN}/b` })).then(() => timing.now()),
    ]);
    expect(after - start).toBe(60_000);
  });

  it('is read from what is left of the limit where it is missing', async () => {
    const exhausted = { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '40' };
    nock(ORIGIN).post('/').reply(429, '', exhausted).post('/').reply(200);
    const { client, timing } = aClient();
    await client.send(aRequest({ url: `${ORIGIN}/`, method: 'POST' }));
    expect(timing.waits).toEqual([40_000]);
  });

  it('need not be said: what an answer leaves of the limit is spread over its window', async () => {
    const scope = nock(ORIGIN);
    for (let remaining = 24; remaining > 18; remaining -= 1) {
      const left = { 'RateLimit-Policy': '"a";q=100;w=60', RateLimit: `"a";r=${remaining};t=${remaining * 2}` };
      scope.get('/').reply(200, '', left);
    }
    const { client, timing } = aClient();
    const start = timing.now();
    for (let count = 0; count < 6; count += 1) await client.send(aRequest({ url: `${ORIGIN}/` }));
    // The first is answered before anything is known, the second begins the pace: four intervals of two seconds.
    expect(timing.now() - start).toBeGreaterThanOrEqual(7_900);
    expect(timing.now() - start).toBeLessThanOrEqual(8_100);
  });

  it('of more than five minutes gives up at once and says when to come back', async () => {
    nock(ORIGIN).post('/').reply(429, '', { 'Retry-After': '3600' });
    const { client, timing } = aClient();
    const error = await failureOf(client.send(aRequest({ url: `${ORIGIN}/`, method: 'POST' })));
    expect(error).toMatchObject({
      code: 'TargetUnavailable',
      message: 'https://app.example.com is throttling and asks to come back in more than 5 minutes',
      retry: { afterMs: 3_600_000 },
      outcomeUnknown: false,
    });
    expect(timing.waits).toEqual([]);
  });
});

describe('no whole answer', () => {
  it('a host that refuses the connection: every method is tried again, and nothing is unknown', async () => {
    const server = await aRawServer(() => undefined);
    await servers.pop()?.close();
    const { client } = aClient();
    const error = await failureOf(client.send(aRequest({ url: `${server.url}/Users/7?x=y`, method: 'POST' })));
    expect(error).toMatchObject({
      code: 'TargetUnavailable',
      message: `${server.url} does not answer (ECONNREFUSED); is it running, and is the URL right?`,
      outcomeUnknown: false,
    });
    expect(client.sent).toBe(4);
  });

  it('a name that does not resolve', async () => {
    nock(ORIGIN)
      .get('/')
      .times(4)
      .replyWithError(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
    const error = await failureOf(aClient().client.send(aRequest({ url: `${ORIGIN}/` })));
    expect(error.message).toBe('https://app.example.com does not answer (ENOTFOUND); check the host name in the URL');
  });

  it('a source that does not answer is a failed read', async () => {
    nock(ORIGIN)
      .get('/')
      .times(4)
      .replyWithError(Object.assign(new Error('getaddrinfo'), { code: 'EAI_AGAIN' }));
    const { client } = aClient({ unavailable: 'ReadFailed' });
    expect((await failureOf(client.send(aRequest({ url: `${ORIGIN}/` })))).code).toBe('ReadFailed');
  });

  it('a reset before the answer: a GET is sent again', async () => {
    const server = await aRawServer((socket, count) => (count === 1 ? socket.resetAndDestroy() : socket.write(OK)));
    const { client } = aClient();
    expect((await client.send(aRequest({ url: server.url }))).body).toBe('{}');
    expect(client.sent).toBe(2);
  });

  it('a reset before the answer: a POST is not, and its outcome is unknown', async () => {
    const server = await aRawServer((socket) => socket.resetAndDestroy());
    const { client } = aClient();
    const error = await failureOf(client.send(aRequest({ url: server.url, method: 'POST', body: '{}' })));
    expect(error).toMatchObject({
      code: 'TargetUnavailable',
      outcomeUnknown: true,
      message: `${server.url} closes the connection without an answer (ECONNRESET)`,
    });
    expect(client.sent).toBe(1);
  });

  it.each([
    ['a length that is not reached', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Resources":['],
    ['no last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"Res\r\n'],
  ])('half a body (%s) is an error and no short body', async (_name, half) => {
    const server = await aRawServer((socket) => socket.end(half));
    const { client } = aClient();
    const read = await failureOf(client.send(aRequest({ url: server.url })));
    expect(read).toMatchObject({
      message: `${server.url} breaks off in the middle of an answer`,
      outcomeUnknown: false,
    });
    expect(client.sent).toBe(4);
    const write = await failureOf(client.send(aRequest({ url: server.url, method: 'PATCH' })));
    expect(write).toMatchObject({ outcomeUnknown: true });
    expect(client.sent).toBe(5);
  });

  it('half a body, then a reset, then the whole', async () => {
    const server = await aRawServer((socket, count) => {
      if (count > 1) socket.write(OK);
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a"', () => socket.resetAndDestroy());
    });
    expect((await aClient().client.send(aRequest({ url: server.url }))).body).toBe('{}');
  });

  it('a write that was lost once and refused then may have been carried out', async () => {
    const server = await aRawServer((socket, count) =>
      count === 1 ? socket.resetAndDestroy() : socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    );
    const { client } = aClient();
    const send = (method: 'GET' | 'PATCH') => client.send(aRequest({ url: server.url, method, repeatable: true }));
    expect(await send('PATCH')).toMatchObject({ status: 400, mayBeDone: true });
    expect(await send('PATCH')).toMatchObject({ status: 400, mayBeDone: false });
  });

  it('a read that was lost once leaves nothing open', async () => {
    const server = await aRawServer((socket, count) => (count === 1 ? socket.resetAndDestroy() : socket.write(OK)));
    expect(await aClient().client.send(aRequest({ url: server.url }))).toMatchObject({ status: 200, mayBeDone: false });
  });

  it('a write that broke the server and was throttled then, for too long to wait, may have been carried out', async () => {
    const server = await aRawServer((socket, count) =>
      socket.write(
        count === 1
          ? 'HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n'
          : 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n',
      ),
    );
    const { client } = aClient();
    const send = () => failureOf(client.send(aRequest({ url: server.url, method: 'DELETE' })));
    expect(await send()).toMatchObject({ retry: { afterMs: 3_600_000 }, outcomeUnknown: true });
    expect(await send()).toMatchObject({ retry: { afterMs: 3_600_000 }, outcomeUnknown: false });
  });

  it('nothing within the time: sent to, so the outcome of a POST is unknown', async () => {
    const server = await aRawServer(() => undefined);
    const { client } = aClient({ timeoutMs: 300 });
    const error = await failureOf(client.send(aRequest({ url: server.url, method: 'POST' })));
    expect(error).toMatchObject({ message: `${server.url} does not answer in time`, outcomeUnknown: true });
    expect(client.sent).toBe(1);
  });

  it('time counts from the last byte: a slow answer that goes on is whole', async () => {
    const server = await aRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
      let left = 6;
      const timer = setInterval(() => {
        socket.write('x');
        left -= 1;
        if (left === 0) clearInterval(timer);
      }, 40);
    });
    const { client } = aClient({ timeoutMs: 150 });
    expect((await client.send(aRequest({ url: server.url }))).body).toBe('xxxxxx');
    expect(client.sent).toBe(1);
  });

  it('a body that stops in the middle runs into the time limit', async () => {
    const server = await aRawServer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nxx'));
    const { client } = aClient({ timeoutMs: 30, maxAttempts: 1 });
    const error = await failureOf(client.send(aRequest({ url: server.url })));
    expect(error.message).toBe(`${server.url} does not answer in time`);
  });

  it('more than the allowed bytes', async () => {
    nock(ORIGIN).get('/').reply(200, 'x'.repeat(1_001));
    const { client } = aClient({ maxBodyBytes: 1_000 });
    const error = await failureOf(client.send(aRequest({ url: `${ORIGIN}/` })));
    expect(error.message).toBe('https://app.example.com answers with more than 1000 bytes');
    expect(client.sent).toBe(1);
  });

  it('something that is no HTTP', async () => {
    const server = await aRawServer((socket) => socket.end('220 smtp.example.com ready\r\n'));
    const error = await failureOf(aClient().client.send(aRequest({ url: server.url })));
    expect(error.message).toBe(`${server.url} does not speak HTTP (HPE_INVALID_CONSTANT)`);
  });

  it('a plain server where TLS is expected', async () => {
    const server = await aServer(createPlainServer());
    const error = await failureOf(aClient().client.send(aRequest({ url: server.url.replace('http:', 'https:') })));
    expect(error.message).toMatch(/^https:.* cannot be trusted or does not speak TLS \(E[A-Z_]+\)$/);
  });

  it('a certificate that nobody vouches for: one attempt, and it is answered with `ca`', async () => {
    const server = await aServer(createSecureServer({ key: PEM, cert: PEM }, (_, answer) => answer.end('secret')));
    const url = server.url.replace('http:', 'https:');
    const { client } = aClient();
    const error = await failureOf(client.send(aRequest({ url, method: 'POST' })));
    expect(error).toMatchObject({
      message: `${url} cannot be trusted or does not speak TLS (DEPTH_ZERO_SELF_SIGNED_CERT)`,
      outcomeUnknown: false,
    });
    expect(client.sent).toBe(1);
    expect((await aClient({ ca: PEM }).client.send(aRequest({ url }))).body).toBe('secret');
  });

  it('a certificate that has expired is told from one that nobody vouches for', async () => {
    const { key, cert } = createCertificate({ notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') });
    const server = await aServer(createSecureServer({ key, cert }, (_, answer) => answer.end('secret')));
    const url = server.url.replace('http:', 'https:');
    const { client } = aClient({ ca: cert });
    const error = await failureOf(client.send(aRequest({ url })));
    expect(error.message).toBe(`${url} has a certificate that has expired, and must renew it (CERT_HAS_EXPIRED)`);
    expect(client.sent).toBe(1);
  });

  it('when the certificate of the other side ends is told with each connection', async () => {
    const notAfter = new Date('2090-05-06T07:08:09Z');
    const { key, cert } = createCertificate({ notBefore: new Date('2020-01-01'), notAfter });
    const server = await aServer(createSecureServer({ key, cert }, (_, answer) => answer.end('secret')));
    const ends: number[] = [];
    const { client } = aClient({ ca: cert, onCertificate: (expiresAt) => ends.push(expiresAt) });
    const url = server.url.replace('http:', 'https:');
    await client.send(aRequest({ url }));
    await client.send(aRequest({ url }));
    expect(ends).toEqual([notAfter.getTime()]);
  });

  it('a redirect is not followed; the message says where to, without the path', async () => {
    nock(ORIGIN).get('/').reply(302, '', { Location: 'https://login.example.com/sign-in?token=abc' });
    const { client } = aClient();
    const error = await failureOf(client.send(aRequest({ url: `${ORIGIN}/` })));
    expect(error).toMatchObject({
      code: 'TargetUnavailable',
      message: `${ORIGIN} redirects to https://login.example.com, which is not followed; check the URL`,
    });
    expect(client.sent).toBe(1);
  });

  it('a compressed answer that nobody asked for', async () => {
    const server = await aRawServer((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx'),
    );
    const error = await failureOf(aClient().client.send(aRequest({ url: server.url })));
    expect(error.message).toBe(`${server.url} answers in an encoding that it was not asked for`);
  });
});

describe('abort', () => {
  it('closes the connection of a request under way', async () => {
    const controller = new AbortController();
    const server = await aRawServer((socket) => {
      socket.once('close', () => closed());
      controller.abort();
    });
    let closed = () => undefined as undefined;
    const whenClosed = new Promise<void>((resolve) => {
      closed = () => void resolve();
    });
    const error = await failureOf(
      aClient({ timeoutMs: 60_000 }).client.send(
        aRequest({ url: server.url, method: 'POST', signal: controller.signal }),
      ),
    );
    expect(error.code).toBe('Aborted');
    await whenClosed;
  });

  it('ends a wait between two attempts', async () => {
    const controller = new AbortController();
    nock(ORIGIN).get('/').reply(500);
    const timing = createManualTiming();
    const { client } = aClient({
      timing: {
        ...timing,
        sleep: (_ms, signal) => {
          controller.abort();
          return timing.sleep(0, signal);
        },
      },
    });
    const error = await failureOf(client.send(aRequest({ url: `${ORIGIN}/`, signal: controller.signal })));
    expect(error.code).toBe('Aborted');
    expect(client.sent).toBe(1);
  });

  it('before the start sends nothing', async () => {
    const { client } = aClient();
    const error = await failureOf(client.send(aRequest({ signal: AbortSignal.abort() })));
    expect(error.code).toBe('Aborted');
    expect(client.sent).toBe(0);
  });

  it('close() ends idle connections', async () => {
    const server = await aRawServer((socket) => socket.write(OK));
    const { client } = aClient();
    await client.send(aRequest({ url: server.url }));
    const [socket] = server.connections;
    client.close();
    if (socket !== undefined && !socket.destroyed) await once(socket, 'close');
    expect(socket?.destroyed).toBe(true);
  });
});
