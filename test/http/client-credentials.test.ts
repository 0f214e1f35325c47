import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient } from '../../src/http/client.ts';
import { createClientTokens } from '../../src/http/client-credentials.ts';
import type { TokenSource } from '../../src/http/token-source.ts';
import { createManualTiming, type ManualTiming } from '../support/manual-timing.ts';
import { failureOf, NEVER } from '../support/scim-wire.ts';

const ORIGIN = 'https://login.example.com';
const BASIC = `Basic ${Buffer.from('client%3A1:p%40ss+word').toString('base64')}`;

function aSource(scope: string | null = null): { tokens: TokenSource; timing: ManualTiming } {
  const timing = createManualTiming();
  const http = createHttpClient({
    userAgent: 'dirsync/test',
    unavailable: 'TargetUnavailable',
    budget: createBudgets(timing).join('login.example.com', 'key', { requestsPerSecond: null, concurrency: 8 }),
    timeoutMs: 5_000,
    concurrency: 8,
    timing,
  });
  const tokens = createClientTokens({
    ...{ http, scope, tokenUrl: `${ORIGIN}/token`, clientId: 'client:1', clientSecret: 'p@ss word' },
    ...{ where: 'the Secret', unavailable: 'TargetUnavailable', now: timing.now },
  });
  return { tokens, timing };
}

function aToken(value: string, more: object = { expires_in: 3600 }) {
  return { access_token: value, token_type: 'bearer', ...more };
}

describe('client credentials', () => {
  it('are sent as RFC 6749 section 4.4 says', async () => {
    const scope = nock(ORIGIN, { reqheaders: { authorization: BASIC, accept: 'application/json' } })
      .post('/token', 'grant_type=client_credentials&scope=scim.read+scim.write')
      .matchHeader('content-type', 'application/x-www-form-urlencoded')
      .reply(200, aToken('one'));
    expect(await aSource('scim.read scim.write').tokens.get(NEVER)).toBe('one');
    scope.done();
  });

  it('go into the body where the header is not taken', async () => {
    nock(ORIGIN, { badheaders: ['authorization'] })
      .post('/token', 'grant_type=client_credentials&client_id=client%3A1&client_secret=p%40ss+word')
      .reply(200, aToken('one'));
    nock(ORIGIN).post('/token', 'grant_type=client_credentials').reply(401, { error: 'invalid_client' });
    expect(await aSource().tokens.get(NEVER)).toBe('one');
  });

  it('are sent once for all who want a token at the same time, and while it lasts', async () => {
    nock(ORIGIN).post('/token').reply(200, aToken('one'));
    const { tokens, timing } = aSource();
    expect(await Promise.all([tokens.get(NEVER), tokens.get(NEVER), tokens.get(NEVER)])).toEqual(['one', 'one', 'one']);
    await timing.sleep(3_539_000, NEVER);
    expect(await tokens.get(NEVER)).toBe('one');
  });

  it.each([
    [3600, 3_540_000],
    [100, 90_000],
  ])('are sent again before a token of %d seconds ends', async (expires_in, ms) => {
    nock(ORIGIN).post('/token').reply(200, aToken('one', { expires_in })).post('/token').reply(200, aToken('two'));
    const { tokens, timing } = aSource();
    await tokens.get(NEVER);
    await timing.sleep(ms, NEVER);
    expect(await tokens.get(NEVER)).toBe('two');
  });

  it('are sent again for a token that was refused, but for nobody twice', async () => {
    nock(ORIGIN).post('/token').reply(200, aToken('one', {})).post('/token').reply(200, aToken('two', {}));
    const { tokens } = aSource();
    await tokens.get(NEVER);
    tokens.drop('one');
    expect(await tokens.get(NEVER)).toBe('two');
    tokens.drop('one');
    expect(await tokens.get(NEVER)).toBe('two');
  });

  it('are sent again for the others when who asked first gives up', async () => {
    nock(ORIGIN).post('/token').delay(10_000).reply(200, aToken('late')).post('/token').reply(200, aToken('one'));
    const { tokens } = aSource();
    const first = new AbortController();
    const [given, kept] = [failureOf(tokens.get(first.signal)), tokens.get(NEVER)];
    first.abort();
    expect((await given).code).toBe('Aborted');
    expect(await kept).toBe('one');
  });

  it.each<[string, { status: number; body: object | string }, string, string]>([
    [
      'a client that is not known',
      { status: 401, body: { error: 'invalid_client' } },
      'CredentialsRejected',
      'https://login.example.com gives no token for clientId and clientSecret (401 invalid_client); check the Secret',
    ],
    [
      'a client that may not',
      { status: 400, body: { error: 'unauthorized_client' } },
      'CredentialsRejected',
      'https://login.example.com gives no token for clientId and clientSecret (400 unauthorized_client); check the Secret',
    ],
    [
      'a scope that is not known',
      { status: 400, body: { error: 'invalid_scope' } },
      'CredentialsRejected',
      'https://login.example.com does not know the scope (400 invalid_scope); check "scope" in the Secret',
    ],
    [
      'a bare 403',
      { status: 403, body: 'no' },
      'CredentialsRejected',
      'https://login.example.com gives no token for clientId and clientSecret (403); check the Secret',
    ],
    [
      'an overloaded server',
      { status: 503, body: 'no' },
      'TargetUnavailable',
      'https://login.example.com gives no token now (503)',
    ],
    [
      'a server that says so itself',
      { status: 400, body: { error: 'temporarily_unavailable' } },
      'TargetUnavailable',
      'https://login.example.com gives no token now (400 temporarily_unavailable)',
    ],
    [
      'another address',
      { status: 404, body: '<html>' },
      'TargetUnavailable',
      'https://login.example.com does not answer as a token endpoint (404); check "tokenUrl" in the Secret',
    ],
    [
      'a page',
      { status: 200, body: '<html>' },
      'TargetUnavailable',
      'https://login.example.com answers without a bearer token; check "tokenUrl" in the Secret',
    ],
    [
      'a token of another type',
      { status: 200, body: { access_token: 'x', token_type: 'mac' } },
      'TargetUnavailable',
      'https://login.example.com answers without a bearer token; check "tokenUrl" in the Secret',
    ],
  ])('and their answer is told apart: %s', async (_what, { status, body }, code, message) => {
    const requests = status === 503 ? 4 : JSON.stringify(body).includes('invalid_client') ? 2 : 1;
    nock(ORIGIN).post('/token').times(requests).reply(status, body);
    const error = await failureOf(aSource().tokens.get(NEVER));
    expect(error).toMatchObject({ code, message });
  });

  it('are not asked for sooner than a throttling server says', async () => {
    nock(ORIGIN).post('/token').times(4).reply(429, '', { 'Retry-After': '200' });
    const error = await failureOf(aSource().tokens.get(NEVER));
    expect(error).toMatchObject({ code: 'TargetUnavailable', retry: { afterMs: 200_000 } });
  });
});
