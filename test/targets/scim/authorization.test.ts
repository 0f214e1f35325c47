/** How requests are authorised, and what happens when they are not. */
import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { aDiscovery, aWire, aWiredTarget, failureOf, NEVER } from '../../support/scim-wire.ts';

const SECRETS = { clientId: 'c', clientSecret: 's', tokenUrl: 'https://login.example.com/token' };

function aTokenEndpoint(...tokens: readonly string[]): nock.Scope {
  const scope = nock('https://login.example.com');
  for (const access_token of tokens) scope.post('/token').reply(200, { access_token, expires_in: 3600 });
  return scope;
}

describe('a token of client credentials', () => {
  it('is fetched once for everything, and sent as a bearer token', async () => {
    const endpoint = aTokenEndpoint('one');
    aDiscovery().get('/Users/1').reply(404).get('/Users/2').reply(404);
    const seen: string[] = [];
    const { target, http } = await aWiredTarget(SECRETS);
    aWire()
      .get('/Users/3')
      .matchHeader('authorization', (value) => seen.push(String(value)) > 0)
      .reply(404);
    await Promise.all(['1', '2', '3'].map((id) => target.readUser(id, [], NEVER)));
    endpoint.done();
    expect(seen).toEqual(['Bearer one']);
    // Two of discovery and three users; the token is not counted.
    expect(http.sent).toBe(5);
  });

  it('that the application refuses is replaced once, a POST included', async () => {
    const endpoint = aTokenEndpoint('old', 'new');
    aDiscovery();
    aWire()
      .post('/Users')
      .matchHeader('authorization', 'Bearer old')
      .reply(401)
      .post('/Users')
      .matchHeader('authorization', 'Bearer new')
      .reply(201, { id: '7', userName: 'ada' });
    const { target } = await aWiredTarget(SECRETS);
    expect(await target.createUser({ userName: 'ada' }, NEVER)).toMatchObject({ id: '7' });
    endpoint.done();
  });

  it('that is refused again stops everything (T7)', async () => {
    const endpoint = aTokenEndpoint('one', 'two');
    aDiscovery().get('/Users/1').twice().reply(401);
    const { target, http } = await aWiredTarget(SECRETS);
    const error = await failureOf(target.readUser('1', [], NEVER));
    expect(error).toMatchObject({
      code: 'CredentialsRejected',
      retry: 'never',
      message: 'https://app.example.com rejects the credentials (401); check the Secret of target.scim.credentialsRef',
    });
    const { sent } = http;
    expect(await failureOf(target.readUser('2', [], NEVER))).toBe(error);
    expect(http.sent).toBe(sent);
    endpoint.done();
  });

  it('that may not do it stops everything at once: 403 is not the token’s fault (T7)', async () => {
    const endpoint = aTokenEndpoint('one');
    aDiscovery().get('/Users/1').reply(403);
    const { target } = await aWiredTarget(SECRETS);
    expect(await failureOf(target.readUser('1', [], NEVER))).toMatchObject({
      code: 'CredentialsRejected',
      message: 'https://app.example.com rejects the credentials (403); check the Secret of target.scim.credentialsRef',
    });
    endpoint.done();
  });

  it('that is not given stops everything too (T7)', async () => {
    const endpoint = nock('https://login.example.com').post('/token').twice().reply(401, { error: 'invalid_client' });
    const { target, http } = await aWiredTarget(SECRETS);
    const error = await failureOf(target.readUser('1', [], NEVER));
    expect(error.code).toBe('CredentialsRejected');
    expect(await failureOf(target.readUser('1', [], NEVER))).toBe(error);
    endpoint.done();
    expect(http.sent).toBe(0);
  });
});

it('headers of the spec go with every request, beside Dirsync’s own', async () => {
  const scope = nock('https://app.example.com', { reqheaders: { 'x-tenant': 'acme', authorization: 'Bearer t' } })
    .get('/scim/v2/ServiceProviderConfig')
    .reply(404)
    .get('/scim/v2/Schemas')
    .reply(404)
    .get('/scim/v2/Users/1')
    .reply(404);
  const { target } = await aWiredTarget({ token: 't' }, { headers: { 'X-Tenant': 'acme' } });
  expect(await target.readUser('1', [], NEVER)).toBeNull();
  scope.done();
});
