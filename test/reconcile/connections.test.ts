import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { ResolvedDirectorySyncSpec } from '../../src/api/defaults.ts';
import type { Budgets, RateLimits } from '../../src/http/budget.ts';
import type { HttpRequest } from '../../src/http/client.ts';
import { createConnections } from '../../src/reconcile/connections.ts';
import type { HttpClientNeeds } from '../../src/reconcile/run.ts';
import { createManualTiming } from '../support/manual-timing.ts';

const SPEC = {
  limits: { concurrency: 3, requestsPerSecond: 50, sourceRequestsPerSecond: 2 },
  timeouts: { requestMs: 5_000, runMs: 60_000 },
} as unknown as ResolvedDirectorySyncSpec;

async function aServer() {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/scim/v2`, host: `127.0.0.1:${port}`, requests };
}

/** Remembers who has joined which budget, and is in no one's way. */
function aBudget() {
  const open: { host: string; credential: string; limits: RateLimits }[] = [];
  const budgets: Budgets = {
    join(host, credential, limits) {
      const share = { host, credential, limits };
      open.push(share);
      return {
        acquire: async () => () => undefined,
        pause: () => undefined,
        heed: () => undefined,
        close: () => {
          open.splice(open.indexOf(share), 1);
        },
      };
    },
  };
  return { open, budgets };
}

function needs(more: Partial<HttpClientNeeds> = {}): HttpClientNeeds {
  const nothing = (): void => undefined;
  return { side: 'target', credential: 'a', spec: SPEC, ca: null, onCertificate: nothing, onPause: nothing, ...more };
}

it('shares one budget for a host and a credential, whatever the path (I11), and gives its share back', async () => {
  const { open, budgets } = aBudget();
  const transport = async () => ({ response: { status: 200, headers: {}, body: '' } });
  const connect = createConnections({ userAgent: 'dirsync/test', budgets, transport });
  const ask = (client: { send(request: HttpRequest): Promise<unknown> }, url: string) =>
    client.send({ method: 'GET', url, repeatable: true, signal: new AbortController().signal });
  const [first, second, other] = [connect(needs()), connect(needs()), connect(needs({ credential: 'b' }))];
  const source = connect(needs({ side: 'source' }));
  await ask(first, 'https://app.example.com/scim/one');
  await ask(first, 'https://app.example.com/scim/one/Users');
  await ask(second, 'https://app.example.com/scim/two');
  await ask(other, 'https://app.example.com/scim/one');
  await ask(source, 'https://app.example.com/scim/one');
  // What gives the tokens is a host of its own.
  await ask(first, 'https://login.example.com/token');
  expect(open.map(({ host, credential }) => `${host} ${credential}`)).toEqual([
    'app.example.com a',
    'app.example.com a',
    'app.example.com b',
    'app.example.com a',
    'login.example.com a',
  ]);
  expect(open.map(({ limits }) => limits.requestsPerSecond)).toEqual([50, 50, 50, 2, 50]);
  expect(open.every(({ limits }) => limits.concurrency === 3)).toBe(true);
  expect(first.sent).toBe(3);
  for (const client of [first, second, other, source]) client.close();
  expect(open).toEqual([]);
});

it('holds the source to limits.sourceRequestsPerSecond over everything that reads it (I11)', async () => {
  const timing = createManualTiming();
  const transport = async () => ({ response: { status: 200, headers: {}, body: '' } });
  const connect = createConnections({ userAgent: 'dirsync/test', timing, transport });
  const clients = [connect(needs({ side: 'source' })), connect(needs({ side: 'source' }))];
  const start = timing.now();
  for (let count = 0; count < 10; count += 1) {
    const signal = new AbortController().signal;
    await clients[count % 2]?.send({ method: 'GET', url: 'https://dir.example.com/users', repeatable: true, signal });
  }
  // Two each second.
  expect(timing.now() - start).toBeGreaterThanOrEqual(4_400);
  for (const client of clients) client.close();
});

it('holds requests that are none of HTTP to the same budget, and counts them (I11)', async () => {
  const timing = createManualTiming();
  const connect = createConnections({ userAgent: 'dirsync/test', timing });
  const clients = [connect(needs({ side: 'source' })), connect(needs({ side: 'source' }))];
  const start = timing.now();
  const { signal } = new AbortController();
  for (let count = 0; count < 10; count += 1) (await clients[count % 2]?.begin('ldaps://dc1.corp.example', signal))?.();
  expect(timing.now() - start).toBeGreaterThanOrEqual(4_400);
  expect(clients.map(({ sent }) => sent)).toEqual([5, 5]);
  // Three at a time: a fourth waits for one of them to be over.
  const ends = await Promise.all([0, 1, 2].map(() => connect(needs()).begin('ldap://other.corp.example', signal)));
  let isTurn = false;
  const fourth = connect(needs())
    .begin('ldap://other.corp.example', signal)
    .then(() => {
      isTurn = true;
    });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isTurn).toBe(false);
  ends[0]?.();
  await fourth;
  for (const client of clients) client.close();
});

it('says who asks, and counts what was asked', async () => {
  const { url, requests } = await aServer();
  const counted: string[] = [];
  const metrics = {
    countRequest: (side: string, { method, code }: { method: string; code: string }) =>
      void counted.push(`${side} ${method} ${code}`),
  };
  const client = createConnections({ userAgent: 'dirsync/1.2.3', metrics })(needs());
  onTestFinished(() => client.close());
  const signal = new AbortController().signal;
  await client.send({ method: 'GET', url: `${url}/Users`, headers: {}, repeatable: true, signal });
  expect(client.sent).toBe(1);
  expect(counted).toEqual(['target GET 200']);
  expect(requests[0]?.headers['user-agent']).toBe('dirsync/1.2.3');
});

it.each([
  ['target', 'TargetUnavailable'],
  ['source', 'ReadFailed'],
] as const)('calls a %s that does not answer %s', async (side, code) => {
  const client = createConnections({ userAgent: 'dirsync/test' })(needs({ side }));
  onTestFinished(() => client.close());
  const request = { method: 'POST', url: 'http://127.0.0.1:9/scim', headers: {}, repeatable: false } as const;
  await expect(client.send({ ...request, signal: AbortSignal.timeout(10_000) })).rejects.toMatchObject({ code });
});

it('sends over the transport and waits by the timing that it is given', async () => {
  const timing = createManualTiming();
  const answers = [429, 200];
  const client = createConnections({
    userAgent: 'dirsync/test',
    timing,
    transport: async () => ({
      response: { status: answers.shift() ?? 500, headers: { 'retry-after': '7' }, body: '' },
    }),
  })(needs());
  onTestFinished(() => client.close());
  const signal = new AbortController().signal;
  const request = { method: 'GET', url: 'http://nowhere.example.com/scim', repeatable: true, signal } as const;
  expect(await client.send(request)).toMatchObject({ status: 200 });
  expect(timing.waits).toEqual([7000]);
});

it('lets a pass over the target have half of the rate, one request at a time, and all of it when the pass is over', async () => {
  const timing = createManualTiming();
  let under = 0;
  let most = 0;
  const client = createConnections({
    userAgent: 'dirsync/test',
    timing,
    transport: async () => {
      under += 1;
      most = Math.max(most, under);
      await Promise.resolve();
      under -= 1;
      return { response: { status: 200, headers: {}, body: '' } };
    },
  })(needs());
  onTestFinished(() => client.close());
  const signal = new AbortController().signal;
  const request = { method: 'GET', url: 'http://nowhere.example.com/scim', repeatable: true, signal } as const;
  const measure = async (): Promise<{ most: number; seconds: number }> => {
    const begun = timing.now();
    most = 0;
    await Promise.all(Array.from({ length: 100 }, () => client.send(request)));
    return { most, seconds: (timing.now() - begun) / 1000 };
  };
  const end = client.beginPass();
  const pass = await measure();
  end();
  const after = await measure();
  expect(pass.most).toBe(1);
  expect(pass.seconds).toBeCloseTo(4, 0);
  expect(after.most).toBeGreaterThan(1);
  expect(after.seconds).toBeCloseTo(2, 0);
});
