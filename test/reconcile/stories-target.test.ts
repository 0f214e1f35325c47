/** What an application does in the middle of a run, each story by the name that people give it. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type DirectoryService, openService } from '../../src/directory/service.ts';
import type { HttpRequest } from '../../src/http/client.ts';
import type { Transport } from '../../src/http/exchange.ts';
import { createConnections } from '../../src/reconcile/connections.ts';
import type { Progress, RunReport } from '../../src/reconcile/run.ts';
import { scimTarget } from '../../src/targets/scim/index.ts';
import { type Certificate, createCertificate } from '../support/certificates.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';
import { createManualTiming } from '../support/manual-timing.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PEOPLE = 30;

function aDirectory(): DirectoryService {
  // Requests are counted, refused and cut one by one.
  const options = { file: ':memory:', token: 'secret', maxOperations: 1 };
  const directory = openService('https://app.example.com/scim/v2', options);
  onTestFinished(() => directory.close());
  return directory;
}

async function ask(directory: DirectoryService, path: string): Promise<Record<string, unknown>[]> {
  const headers = { authorization: 'Bearer secret' };
  const { body } = await directory.handle({ method: 'GET', path, headers, body: '' });
  return JSON.parse(body ?? '{}').Resources;
}

/** Everybody has one account, and nobody has two. */
async function expectEverybodyOnce(directory: DirectoryService): Promise<void> {
  const users = await ask(directory, '/scim/v2/Users?count=1000');
  const names = users.map(({ userName }) => String(userName)).sort();
  expect(names).toEqual(
    aCompanyOf(PEOPLE)
      .map(({ mail }) => mail)
      .sort(),
  );
}

interface World {
  readonly company: Company;
  readonly directory: DirectoryService;
  /** Every request and the status of its answer: `POST /Users 201`. */
  readonly wire: string[];
  readonly timing: ReturnType<typeof createManualTiming>;
  /** A run at the time that it is. */
  run(onProgress?: (progress: Progress) => void): Promise<RunReport>;
  /** What an answer is instead of the directory's; null: the directory's. */
  instead: (request: HttpRequest) => { status: number; headers: Record<string, string> } | null;
}

/** Thirty people, and an application that a test gets between; waits take no time. */
async function aWorld(): Promise<World> {
  const timing = createManualTiming(Date.UTC(2026, 2, 1, 9));
  const directory = aDirectory();
  const transport: Transport = async (request) => {
    const { pathname, search } = new URL(request.url);
    const other = world.instead(request);
    const sent = { method: request.method, path: `${pathname}${search}`, headers: request.headers ?? {} };
    const answer = other ?? (await directory.handle({ ...sent, body: request.body ?? '' }));
    world.wire.push(`${request.method} ${pathname.replace('/scim/v2', '')} ${answer.status}`);
    const body = 'body' in answer ? (answer.body ?? '') : '';
    return { response: { status: answer.status, headers: answer.headers, body } };
  };
  const createHttp = createConnections({ userAgent: 'dirsync/test', timing, transport });
  const company = await createCompany({ application: { provider: scimTarget, createHttp } });
  onTestFinished(() => company.store.close());
  company.people = aCompanyOf(PEOPLE);
  const scim = { url: 'https://app.example.com/scim/v2', credentialsRef: { name: 'app' } };
  company.spec = { ...company.spec, target: { scim }, limits: { concurrency: 4 } };
  const world: World = {
    ...{ company, directory, timing },
    wire: [],
    instead: () => null,
    run(onProgress = () => undefined) {
      company.now = new Date(timing.now());
      return company.run({ onProgress });
    },
  };
  return world;
}

const creates = (wire: readonly string[]) => wire.filter((line) => line === 'POST /Users 201').length;

describe('429 for an hour', () => {
  it('ends runs with TargetUnavailable and the wait that was asked for; the next goes on, and nothing is lost', async () => {
    const world = await aWorld();
    const { timing, wire } = world;
    let until = 0;
    world.instead = () => {
      // In the middle of the first run it begins.
      if (until === 0 && creates(wire) >= 10) until = timing.now() + HOUR;
      return timing.now() < until ? { status: 429, headers: { 'retry-after': '120' } } : null;
    };
    const reports: RunReport[] = [];
    const pauses: number[] = [];
    do {
      const told = ({ pausedUntil }: Progress): void => {
        if (pausedUntil !== undefined) pauses.push(pausedUntil.getTime() - timing.now());
      };
      reports.push(await world.run(told));
      await timing.sleep(reports.at(-1)?.retryAfterMs ?? MINUTE, new AbortController().signal);
    } while (reports.at(-1)?.reason !== 'Synced' && reports.length < 100);
    const throttled = reports.slice(0, -1);
    expect(throttled.length).toBeGreaterThan(1);
    for (const report of throttled) {
      expect(report).toMatchObject({
        outcome: 'waiting',
        reason: 'TargetUnavailable',
        message: 'https://app.example.com is throttling',
        retryAfterMs: 120_000,
      });
    }
    expect(timing.now()).toBeGreaterThanOrEqual(until);
    // While it waits it says how long.
    expect(Math.max(...pauses)).toBe(120_000);
    // Whoever shares the budget waits together: a request at a time and not a storm of them.
    const refused = wire.filter((line) => line.endsWith(' 429')).length;
    expect(refused).toBeLessThan(100);
    expect(creates(wire)).toBe(PEOPLE);
    await expectEverybodyOnce(world.directory);
    expect(reports.at(-1)?.people).toMatchObject({ failed: 0, conflicts: 0 });
    // And a run more has nothing to do.
    wire.length = 0;
    expect(await world.run()).toMatchObject({ reason: 'Synced' });
    expect(wire.filter((line) => !line.startsWith('GET '))).toEqual([]);
  });

  it('said in one header ends the run at once; the next one comes when it is over', async () => {
    const world = await aWorld();
    const { timing, wire } = world;
    let until = 0;
    world.instead = () => {
      if (until === 0 && creates(wire) >= 10) until = timing.now() + HOUR;
      const left = Math.ceil((until - timing.now()) / 1000);
      return left > 0 ? { status: 429, headers: { 'retry-after': String(left) } } : null;
    };
    const report = await world.run();
    expect(report).toMatchObject({
      outcome: 'waiting',
      reason: 'TargetUnavailable',
      message: 'https://app.example.com is throttling and asks to come back in more than 5 minutes',
      retryAfterMs: HOUR,
    });
    await timing.sleep(report.retryAfterMs ?? 0, new AbortController().signal);
    expect(await world.run()).toMatchObject({ reason: 'Synced' });
    expect(creates(wire)).toBe(PEOPLE);
    await expectEverybodyOnce(world.directory);
  });

  it('does not come about where the application says before what it still takes', async () => {
    const world = await aWorld();
    const { timing, wire } = world;
    // Twenty requests a minute, refused beyond.
    const window = { from: 0, used: 0 };
    world.instead = () => {
      if (timing.now() - window.from >= MINUTE) Object.assign(window, { from: timing.now(), used: 0 });
      window.used += 1;
      return window.used > 20 ? { status: 429, headers: { 'retry-after': '60' } } : null;
    };
    const handle = world.directory.handle.bind(world.directory);
    world.directory.handle = async (request) => {
      const answer = await handle(request);
      const reset = Math.ceil((window.from + MINUTE - timing.now()) / 1000);
      const left = { 'ratelimit-limit': '20', 'ratelimit-remaining': String(20 - window.used) };
      return { ...answer, headers: { ...answer.headers, ...left, 'ratelimit-reset': String(reset) } };
    };
    world.company.spec = { ...world.company.spec, limits: { concurrency: 1 } };
    const start = timing.now();
    expect(await world.run()).toMatchObject({ reason: 'Synced' });
    // More requests than a window takes: it was waited for the next ones, and not longer.
    expect(timing.now() - start).toBeGreaterThanOrEqual((Math.floor(wire.length / 20) - 1) * MINUTE);
    expect(timing.now() - start).toBeLessThanOrEqual((Math.ceil(wire.length / 20) + 1) * MINUTE);
    expect(wire.filter((line) => line.endsWith(' 429'))).toEqual([]);
    await expectEverybodyOnce(world.directory);
  });
});

describe('a Secret that is changed', () => {
  it('is used by the next run, without a restart', async () => {
    const world = await aWorld();
    const { company, wire } = world;
    company.secrets = { token: 'wrong' };
    expect(await world.run()).toMatchObject({ outcome: 'stalled', reason: 'CredentialsRejected' });
    // One request, and none behind it (T7).
    expect(wire).toEqual(['GET /ServiceProviderConfig 401']);
    company.secrets = { token: 'secret' };
    expect(await world.run()).toMatchObject({ reason: 'Synced' });
    await expectEverybodyOnce(world.directory);
  });
});

describe('certificate expired in the middle of a run', () => {
  const notBefore = new Date('2020-01-01T00:00:00Z');
  const notAfter = new Date('2090-01-01T00:00:00Z');

  /** The directory behind TLS. `use` shows another certificate to every new connection, and ends the ones there are. */
  async function aSecureServer(directory: DirectoryService, { key, cert }: Certificate) {
    const created: string[] = [];
    let isChanging = false;
    const server = createServer({ key, cert }, async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { method = 'GET', url: path = '/' } = request;
      const headers = request.headers as Record<string, string>;
      const answer = await directory.handle({ method, path, headers, body: Buffer.concat(chunks).toString() });
      if (method === 'POST' && answer.status === 201) created.push(path);
      onAnswer();
      if (isChanging) response.setHeader('connection', 'close');
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
    });
    let onAnswer = (): void => undefined;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return {
      created,
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      set onAnswer(action: () => void) {
        onAnswer = action;
      },
      use(other: Certificate) {
        isChanging = true;
        server.setSecureContext(other);
        server.closeIdleConnections();
      },
    };
  }

  it('ends the run with one clear line; the run after the renewal goes on, and nothing is lost', async () => {
    const [valid, renewed] = [createCertificate({ notBefore, notAfter }), createCertificate({ notBefore, notAfter })];
    const expired = createCertificate({ notBefore, notAfter: new Date('2021-01-01T00:00:00Z') });
    const directory = aDirectory();
    const server = await aSecureServer(directory, valid);
    const ca = [valid, expired, renewed].map(({ cert }) => cert).join('');
    const connect = createConnections({ userAgent: 'dirsync/test' });
    const createHttp: typeof connect = (needs) => connect({ ...needs, ca });
    const company = await createCompany({ application: { provider: scimTarget, createHttp } });
    onTestFinished(() => company.store.close());
    company.people = aCompanyOf(PEOPLE);
    const scim = { url: `${server.url}/scim/v2`, credentialsRef: { name: 'app' } };
    company.spec = { ...company.spec, target: { scim }, limits: { concurrency: 1 } };
    let isExpired = false;
    server.onAnswer = () => {
      if (isExpired || server.created.length < 10) return;
      isExpired = true;
      server.use(expired);
    };
    const report = await company.run();
    expect(report).toMatchObject({
      outcome: 'waiting',
      reason: 'TargetUnavailable',
      failedStep: 'apply',
      message: `${server.url} has a certificate that has expired, and must renew it (CERT_HAS_EXPIRED)`,
      people: { failed: 0 },
    });
    expect(server.created).toHaveLength(10);
    // What was known of the certificate before is still told.
    const host = new URL(server.url).host;
    expect(report.expiries).toEqual([{ kind: 'ServerCertificate', host, expiresAt: notAfter.getTime() }]);
    expect(await company.run()).toMatchObject({ reason: 'TargetUnavailable', failedStep: 'observe' });

    server.use(renewed);
    expect(await company.run()).toMatchObject({ reason: 'Synced', people: { failed: 0, conflicts: 0 } });
    expect(server.created).toHaveLength(PEOPLE);
    await expectEverybodyOnce(directory);
  });
});
