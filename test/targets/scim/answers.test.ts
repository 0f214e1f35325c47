import type nock from 'nock';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Json } from '../../../src/model.ts';
import { scimTarget } from '../../../src/targets/scim/index.ts';
import type { Target } from '../../../src/targets/target.ts';
import { aDiscovery, aWire, aWiredTarget, collect, failureOf, NEVER } from '../../support/scim-wire.ts';

const HTML = '<!DOCTYPE html><html><body>Sign in</body></html>';
const MOBILE = 'phoneNumbers[type eq "mobile"].value';
const WORK = 'phoneNumbers[type eq "work"].value';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const TITLE = { path: 'title', before: 'a', after: 'b' };

describe('discovery', () => {
  it('reads what the service says of itself, once', async () => {
    const schemas = {
      totalResults: 1,
      Resources: [{ id: 'urn:x:acme:User', name: 'Acme', attributes: [{ name: 'tier', type: 'string' }] }],
    };
    aDiscovery({ Patch: { Supported: 'true' }, filter: { supported: false }, etag: { supported: true } }, schemas);
    const { target, http } = await aWiredTarget();
    const [first] = await Promise.all([target.capabilities(NEVER), target.capabilities(NEVER)]);
    expect(first).toMatchObject({ patch: true, filter: false, etag: true, membersPerRequest: 1000 });
    expect(first.maxTeamNameLength).toBeNull();
    expect(first.schemas?.find('urn:x:ACME:user')?.attributes[0]?.name).toBe('tier');
    expect(http.sent).toBe(2);
  });

  const groups = (attributes: readonly Json[]): Json => ({
    totalResults: 1,
    Resources: [{ id: 'urn:ietf:params:scim:schemas:core:2.0:Group', name: 'Group', attributes }],
  });

  it.each<readonly [string, Json | null, string]>([
    ['publishes', groups([{ name: 'description', type: 'string' }]), 'always'],
    ['keeps to itself', groups([{ name: 'description', type: 'string', mutability: 'readOnly' }]), 'never'],
    ['does not publish', groups([{ name: 'displayName', type: 'string' }]), 'never'],
    ['says nothing of', null, 'never'],
  ])('a description of groups that the service %s', async (_how, schemas, writes) => {
    aDiscovery({ patch: { supported: true } }, schemas);
    const { attribute } = await (await aWiredTarget()).target.capabilities(NEVER);
    expect(attribute('Team', 'description').writes).toBe(writes);
  });

  it('writes and reads a description of groups', async () => {
    aDiscovery({ patch: { supported: true } }, groups([{ name: 'description', type: 'string' }]));
    const { target } = await aWiredTarget();
    const values = { displayName: 'T', externalId: 'm', description: 'All of us' };
    aWire()
      .post('/Groups', (body) => body.description === 'All of us')
      .reply(201, { id: 'g', ...values })
      .patch('/Groups/g', ({ Operations: [operation] }) => operation.path === 'description' && operation.value === 'Us')
      .reply(200, { id: 'g', ...values, description: 'Us' });
    expect((await target.createTeam(values, NEVER)).attributes).toMatchObject({ description: 'All of us' });
    await target.updateTeam('g', [{ path: 'description', before: 'All of us', after: 'Us' }], NEVER);
  });

  it.each([
    ['nothing there', 404, ''],
    ['an HTML page that says so', 404, HTML],
    ['not supported', 501, ''],
    ['no JSON', 200, 'hello'],
    ['a list', 200, '[]'],
  ])('%s: reading, creating, replacing, deleting and one eq, nothing else', async (_how, status, body) => {
    aWire().get('/ServiceProviderConfig').reply(status, body).get('/Schemas').reply(status, body);
    const { target } = await aWiredTarget();
    expect(await target.capabilities(NEVER)).toMatchObject({ patch: false, filter: true, etag: false, schemas: null });
  });

  it('a page of the schemas is not taken for all of them', async () => {
    aDiscovery({}, { totalResults: 2, Resources: [{ id: 'urn:x', attributes: [] }] });
    expect((await (await aWiredTarget()).target.capabilities(NEVER)).schemas).toBeNull();
  });

  it('an HTML page where SCIM should be', async () => {
    aWire().get('/ServiceProviderConfig').reply(200, HTML, { 'content-type': 'text/html' });
    const error = await failureOf((await aWiredTarget()).target.capabilities(NEVER));
    expect(error).toMatchObject({
      code: 'TargetUnavailable',
      message: 'https://app.example.com answered with an HTML page, not SCIM; check the URL',
    });
  });

  it('an overloaded service is not one that cannot PATCH, and is asked again later', async () => {
    aWire().get('/ServiceProviderConfig').times(4).reply(503);
    const { target } = await aWiredTarget();
    expect((await failureOf(target.capabilities(NEVER))).code).toBe('TargetUnavailable');
    aDiscovery();
    expect(await target.capabilities(NEVER)).toMatchObject({ patch: true });
  });

  it('JSON that breaks off is not a service that cannot PATCH, and is asked for again later', async () => {
    const json = { 'content-type': 'application/scim+json' };
    aWire().get('/ServiceProviderConfig').reply(200, '{"patch":{"suppo', json);
    const { target } = await aWiredTarget();
    expect((await failureOf(target.capabilities(NEVER))).code).toBe('TargetUnavailable');
    aDiscovery();
    expect(await target.capabilities(NEVER)).toMatchObject({ patch: true });
  });

  it('a URL that is not that of a SCIM service', async () => {
    aDiscovery(null);
    aWire().get('/Users').query(true).reply(404, HTML);
    const error = await failureOf(collect((await aWiredTarget()).target.listUsers([], NEVER)));
    expect(error.message).toBe('https://app.example.com has no /Users below the URL; check the URL');
  });
});

describe('T7 refused credentials', () => {
  it.each([401, 403])('%i stops at once and for good', async (status) => {
    aDiscovery();
    aWire().delete('/Users/1').reply(status, { detail: 'token abcdef123 of ada@corp.example expired' });
    if (status === 403) aWire().get('/Users/1').reply(403);
    const { target, http } = await aWiredTarget();
    const error = await failureOf(target.deleteUser('1', NEVER));
    expect(error).toMatchObject({
      code: 'CredentialsRejected',
      retry: 'never',
      message: `https://app.example.com rejects the credentials (${status}); check the Secret of target.scim.credentialsRef`,
    });
    const sent = http.sent;
    expect((await failureOf(target.readTeam('1', NEVER))).code).toBe('CredentialsRejected');
    expect(http.sent).toBe(sent);
  });

  it('403 to a deletion is about that account: others are still deleted, and it ends nothing', async () => {
    aDiscovery();
    aWire()
      .delete('/Users/1')
      .reply(403)
      .get('/Users/1')
      .times(2)
      .reply(200, { id: '1' })
      .delete('/Users/2')
      .reply(204);
    const { target } = await aWiredTarget();
    expect(await failureOf(target.deleteUser('1', NEVER))).toMatchObject({ code: 'TargetRejected', scope: 'record' });
    expect(await target.readUser('1', [], NEVER)).toMatchObject({ id: '1' });
    expect((await target.capabilities(NEVER)).deleteUsers).toBe(true);
    await target.deleteUser('2', NEVER);
  });

  it.each([405, 501])(
    '%i to a deletion is about deletion, at once and in the capabilities that were given',
    async (status) => {
      aDiscovery();
      aWire().delete('/Users/1').reply(status);
      const { target } = await aWiredTarget();
      const capabilities = await target.capabilities(NEVER);
      expect(capabilities.deleteUsers).toBe(true);
      expect(await failureOf(target.deleteUser('1', NEVER))).toMatchObject({ code: 'TargetRejected', scope: 'record' });
      expect(capabilities.deleteUsers).toBe(false);
      expect(capabilities.limitations()).toMatchObject([{ reason: 'DeletionRefused' }]);
    },
  );

  it('403 to a change of one object is about that object: the others go on', async () => {
    aDiscovery();
    const ok = { id: '2', userName: 'b' };
    aWire().patch('/Users/2').reply(200, ok).patch('/Users/1').times(9).reply(403, { detail: 'the last owner' });
    aWire().patch('/Users/2').reply(200, ok);
    const { target } = await aWiredTarget();
    const change = [{ path: 'active', before: true, after: false }];
    await target.updateUser('2', change, NEVER);
    for (let n = 0; n < 9; n += 1) {
      expect(await failureOf(target.updateUser('1', change, NEVER))).toMatchObject({
        code: 'TargetRejected',
        scope: 'record',
        message: 'the target refused the request (403: the last owner)',
      });
    }
    await target.updateUser('2', change, NEVER);
  });

  it('403 to the first five changes of a run, and to nothing else: the credentials may only read', async () => {
    aDiscovery();
    aWire()
      .patch(/^\/scim\/v2\/Users\//)
      .times(5)
      .reply(403);
    const { target, http } = await aWiredTarget();
    const codes: string[] = [];
    for (const id of ['1', '2', '3', '4', '5', '6'])
      codes.push((await failureOf(target.deactivateUser(id, NEVER))).code);
    expect(codes).toEqual([...Array(4).fill('TargetRejected'), 'CredentialsRejected', 'CredentialsRejected']);
    expect(http.sent).toBe(2 + 5);
  });

  it('403 to a list or to a new account is', async () => {
    aDiscovery();
    aWire().get('/Users').query(true).reply(403);
    const listing = (await aWiredTarget()).target;
    expect((await failureOf(collect(listing.listUsers([], NEVER)))).code).toBe('CredentialsRejected');
    aDiscovery();
    aWire().post('/Users').reply(403);
    const creating = (await aWiredTarget()).target;
    expect((await failureOf(creating.createUser({ userName: 'a' }, NEVER))).code).toBe('CredentialsRejected');
  });

  it('sends basic credentials where the Secret has them', async () => {
    aWire()
      .matchHeader('authorization', `Basic ${Buffer.from('u:p').toString('base64')}`)
      .get('/ServiceProviderConfig')
      .reply(404)
      .get('/Schemas')
      .reply(404);
    await (await aWiredTarget({ username: 'u', password: 'p' })).target.capabilities(NEVER);
  });

  it('a Secret without credentials is seen before any request', async () => {
    const { http } = await aWiredTarget();
    const config = { url: 'https://app.example.com', credentialsRef: { name: 'x' } };
    expect((await failureOf(scimTarget.connect(config, { secrets: {}, http }))).code).toBe('ReferenceNotFound');
    expect(http.sent).toBe(0);
  });
});

describe('refusals of a write', () => {
  const cases: [number, object | string, ErrorCode, string][] = [
    [
      400,
      { scimType: 'invalidValue', detail: 'bad mail ada@corp.example' },
      'TargetRejected',
      'the target refused the request (400 invalidValue: bad mail [mail])',
    ],
    [400, HTML, 'TargetRejected', 'the target refused the request (400)'],
    [404, { status: '404' }, 'NotFound', 'the target does not have it any more (404)'],
    [404, HTML, 'TargetUnavailable', 'https://app.example.com answered with an HTML page, not SCIM; check the URL'],
    [409, { scimType: 'uniqueness' }, 'Conflict', 'the target already has a unique value of it (409 uniqueness)'],
    [412, {}, 'PreconditionFailed', 'somebody else changed it in the target at the same time (412)'],
    [413, {}, 'TargetRejected', 'the target finds the request too large (413)'],
    [500, {}, 'TargetUnavailable', 'https://app.example.com answers with an error of its own (500)'],
    [502, HTML, 'TargetUnavailable', 'https://app.example.com answers with an error of its own (502)'],
  ];
  it.each(cases)('%i %j is %s', async (status, body, code, message) => {
    aDiscovery();
    aWire().post('/Users').reply(status, body);
    const error = await failureOf((await aWiredTarget()).target.createUser({ userName: 'a' }, NEVER));
    expect(error).toMatchObject({ code, message });
  });

  it.each([
    [500, 'record', true],
    [501, 'run', false],
    [502, 'run', true],
    [409, 'record', false],
  ])('T3 after %i the scope is %s and the outcome unknown: %s', async (status, scope, outcomeUnknown) => {
    aDiscovery();
    aWire().post('/Users').reply(status, {});
    const { target, http } = await aWiredTarget();
    expect(await failureOf(target.createUser({ userName: 'a' }, NEVER))).toMatchObject({ scope, outcomeUnknown });
    expect(http.sent).toBe(3);
  });

  it('a long detail is cut', async () => {
    aDiscovery();
    aWire()
      .post('/Users')
      .reply(400, { detail: 'word '.repeat(1000) });
    const error = await failureOf((await aWiredTarget()).target.createUser({ userName: 'a' }, NEVER));
    expect(error.message.length).toBeLessThan(260);
  });

  it('throttled to the end: the run stops and says when to come back', async () => {
    aDiscovery();
    aWire().get('/Users/1').times(4).reply(429, '', { 'Retry-After': '20' });
    const error = await failureOf((await aWiredTarget()).target.readUser('1', [], NEVER));
    expect(error).toMatchObject({ code: 'TargetUnavailable', scope: 'run', retry: { afterMs: 20_000 } });
  });
});

describe('creating', () => {
  it('lists the extensions in schemas and leaves empty values out', async () => {
    aDiscovery();
    aWire()
      .post('/Users', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE],
        userName: 'ada@corp.example',
        name: { givenName: 'Ada' },
        phoneNumbers: [{ type: 'mobile', value: '1' }],
        [ENTERPRISE]: { manager: { value: 'm1' } },
      })
      .matchHeader('content-type', 'application/scim+json')
      .reply(201, { ID: '7', meta: { version: 'W/"1"' }, username: 'ADA@corp.example' });
    const attributes = {
      userName: 'ada@corp.example',
      'name.givenName': 'Ada',
      title: '',
      [MOBILE]: '1',
      [`${ENTERPRISE}:manager.value`]: 'm1',
    };
    expect(await (await aWiredTarget()).target.createUser(attributes, NEVER)).toEqual({
      id: '7',
      version: 'W/"1"',
      attributes: { userName: 'ADA@corp.example' },
    });
  });

  it('an answer without a body says the id in Location', async () => {
    aDiscovery();
    aWire().post('/Groups').reply(201, '', { Location: 'https://app.example.com/scim/v2/Groups/g%201' });
    expect(await (await aWiredTarget()).target.createTeam({ displayName: 'A' }, NEVER)).toMatchObject({
      id: 'g 1',
      members: [],
    });
  });

  it('T3 an answer that does not say the id leaves the outcome unknown', async () => {
    aDiscovery();
    aWire().post('/Users').reply(201, '').post('/Users').reply(200, HTML);
    const { target } = await aWiredTarget();
    for (let count = 0; count < 2; count += 1) {
      const error = await failureOf(target.createUser({ userName: 'a' }, NEVER));
      expect(error).toMatchObject({ code: 'TargetUnavailable', outcomeUnknown: true });
    }
  });
});

describe('T3 a page in place of an answer', () => {
  it.each<[string, (target: Target) => Promise<unknown>]>([
    ['PATCH', (target) => target.updateUser('u1', [TITLE], NEVER)],
    ['PATCH', (target) => target.deactivateUser('u1', NEVER)],
    ['DELETE', (target) => target.deleteUser('u1', NEVER)],
  ])('200 to a %s has done nothing that is known', async (method, write) => {
    aDiscovery();
    aWire().intercept('/Users/u1', method).reply(200, HTML, { 'content-type': 'text/html' });
    const { target } = await aWiredTarget();
    expect(await failureOf(write(target))).toMatchObject({ code: 'TargetUnavailable', outcomeUnknown: true });
  });
});

describe('T2 searching', () => {
  it('a server that ignores the filter: the one that matches is found among all', async () => {
    aDiscovery();
    const page = (startIndex: string, Resources: object[]) =>
      aWire()
        .get('/Users')
        .query({ filter: 'userName eq "b+c@corp.example"', startIndex, count: '2' })
        .reply(200, { totalResults: 3, Resources });
    page('1', [
      { id: '1', userName: 'a' },
      { id: '2', userName: 'x' },
    ]);
    page('3', [{ id: '3', userName: 'B+C@corp.example' }]);
    const { target } = await aWiredTarget();
    const found = await target.findUsers({ path: 'userName', value: 'b+c@corp.example' }, [], NEVER);
    expect(found.map((each) => each.id)).toEqual(['3']);
  });

  it('a server without filters is read whole', async () => {
    aDiscovery({ patch: { supported: true }, filter: { supported: false } });
    aWire()
      .get('/Groups')
      .query({ excludedAttributes: 'members', startIndex: '1', count: '100' })
      .reply(200, {
        totalResults: 2,
        Resources: [
          { id: '1', displayName: 'A' },
          { id: '2', displayName: 'B' },
        ],
      });
    const { target } = await aWiredTarget();
    const found = await target.findTeams({ path: 'displayName', value: 'b' }, NEVER);
    expect(found).toEqual([{ id: '2', version: null, attributes: { displayName: 'B' }, members: null }]);
  });

  it('a value in quotes cannot break out of the filter', async () => {
    aDiscovery();
    aWire()
      .get('/Users')
      .query({ filter: 'externalId eq "a\\" or userName pr or \\"\\\\"', startIndex: '1', count: '2' })
      .reply(200, { totalResults: 0 });
    const { target } = await aWiredTarget();
    expect(await target.findUsers({ path: 'externalId', value: 'a" or userName pr or "\\' }, [], NEVER)).toEqual([]);
  });

  it('a filter that the server refuses is an error of that record', async () => {
    aDiscovery();
    aWire().get('/Users').query(true).reply(400, { scimType: 'invalidFilter', detail: 'no commas' });
    const error = await failureOf(
      (await aWiredTarget()).target.findUsers({ path: 'externalId', value: 'a,b' }, [], NEVER),
    );
    expect(error).toMatchObject({
      code: 'RecordInvalid',
      message:
        'the target does not take a search by externalId with this value: the target refused the request (400 invalidFilter: no commas)',
    });
  });

  it('another object than the one asked for is not believed', async () => {
    aDiscovery();
    aWire().get('/Users/1').reply(200, { id: '2' });
    const error = await failureOf((await aWiredTarget()).target.readUser('1', [], NEVER));
    expect(error.message).toBe('https://app.example.com answers with another object than the one asked for');
  });
});

describe('T4 updating', () => {
  const ops = (...Operations: nock.DataMatcherMap[]): nock.DataMatcherMap => ({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations,
  });

  it('looks for an entry that may be there, and then asks that nobody changed it in between', async () => {
    aDiscovery();
    aWire()
      .get('/Users/1')
      .reply(200, { id: '1', phoneNumbers: [{ type: 'work', value: '1' }] }, { ETag: 'W/"5"' })
      .patch('/Users/1', ops({ op: 'add', path: 'phoneNumbers', value: [{ type: 'mobile', value: '2' }] }))
      .matchHeader('if-match', 'W/"5"')
      .reply(204);
    await (await aWiredTarget()).target.updateUser('1', [{ path: MOBILE, after: '2' }], NEVER);
  });

  it('an entry that has gone is made anew: noTarget is looked after once', async () => {
    aDiscovery();
    const change = { op: 'replace', path: MOBILE, value: '2' };
    aWire()
      .patch('/Users/1', ops(change))
      .reply(400, { scimType: 'noTarget' })
      .get('/Users/1')
      .reply(200, { id: '1' })
      .patch('/Users/1', ops({ op: 'add', path: 'phoneNumbers', value: [{ type: 'mobile', value: '2' }] }))
      .reply(200, {});
    await (await aWiredTarget()).target.updateUser('1', [{ path: MOBILE, before: '1', after: '2' }], NEVER);
  });

  it('a refusal that looking does not explain stands', async () => {
    aDiscovery();
    aWire()
      .patch('/Users/1')
      .reply(400, { scimType: 'noTarget', detail: 'first' })
      .get('/Users/1')
      .reply(200, { id: '1', phoneNumbers: [{ type: 'mobile', value: '1' }] });
    const { target } = await aWiredTarget();
    const error = await failureOf(target.updateUser('1', [{ path: MOBILE, before: '1', after: '2' }], NEVER));
    expect(error).toMatchObject({ code: 'TargetRejected' });
    expect(error.message).toContain('first');
  });

  it('a PATCH that only replaces is repeated after a 503; one that adds to a list is not', async () => {
    aDiscovery();
    aWire().patch('/Users/1').reply(503).patch('/Users/1').reply(204);
    const { target, http } = await aWiredTarget();
    await target.updateUser('1', [TITLE], NEVER);
    expect(http.sent).toBe(4);
    aWire().get('/Users/1').reply(200, { id: '1' }).patch('/Users/1').reply(503);
    expect(await failureOf(target.updateUser('1', [{ path: WORK, after: '2' }], NEVER))).toMatchObject({
      code: 'TargetUnavailable',
      outcomeUnknown: true,
    });
  });

  it('without PATCH the whole user is read and written back, unmanaged values included', async () => {
    aDiscovery({ patch: { supported: false }, etag: { supported: true } });
    const user = { schemas: ['s'], id: '1', title: 'a', nickName: 'kept', meta: { version: 'W/"1"' }, groups: [] };
    aWire()
      .get('/Users/1')
      .reply(200, user)
      .put('/Users/1', { schemas: ['s'], id: '1', title: 'b', nickName: 'kept' })
      .matchHeader('if-match', 'W/"1"')
      .reply(412)
      .get('/Users/1')
      .reply(200, { ...user, nickName: 'newer', meta: { version: 'W/"2"' } })
      .put('/Users/1', { schemas: ['s'], id: '1', title: 'b', nickName: 'newer' })
      .matchHeader('if-match', 'W/"2"')
      .reply(200, {});
    await (await aWiredTarget()).target.updateUser('1', [TITLE], NEVER);
  });

  it('a second 412 is given back', async () => {
    aDiscovery({ patch: { supported: false }, etag: { supported: true } });
    aWire().get('/Users/1').times(2).reply(200, { id: '1' }).put('/Users/1').times(2).reply(412);
    const error = await failureOf((await aWiredTarget()).target.updateUser('1', [TITLE], NEVER));
    expect(error.code).toBe('PreconditionFailed');
  });
});

describe('T6 members', () => {
  it('one request: removals that name a member each, then all who are new', async () => {
    aDiscovery();
    aWire()
      .patch('/Groups/g', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [
          { op: 'remove', path: 'members[value eq "c"]' },
          { op: 'remove', path: 'members[value eq "d\\"x"]' },
          { op: 'add', path: 'members', value: [{ value: 'a' }, { value: 'b' }] },
        ],
      })
      .reply(204);
    await (await aWiredTarget()).target.changeMembers('g', { add: ['a', 'b'], remove: ['c', 'd"x'] }, NEVER);
  });

  it('are unknown of a team that shows nobody, until one has shown somebody', async () => {
    aDiscovery();
    aWire().get('/Groups/g').twice().reply(200, { id: 'g', displayName: 'Lab', members: [] });
    aWire()
      .get('/Groups/h')
      .reply(200, { id: 'h', displayName: 'Choir', members: [{ value: 'a' }] });
    const { target } = await aWiredTarget(undefined, {}, {});
    expect(await target.readTeam('g', NEVER)).toMatchObject({ members: null });
    expect(await target.readTeam('h', NEVER)).toMatchObject({ members: ['a'] });
    expect(await target.readTeam('g', NEVER)).toMatchObject({ members: [] });
  });

  describe('where no members are shown and a part of the change means nothing', () => {
    const remove = (id: string) => ({ op: 'remove', path: `members[value eq "${id}"]` });
    const add = (id: string) => ({ op: 'add', path: 'members', value: [{ value: id }] });
    const body = (...Operations: (ReturnType<typeof add> | ReturnType<typeof remove>)[]) => ({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations,
    });
    const noTarget = { scimType: 'noTarget' };

    it('it is made in parts: one alone that cannot be removed is none any more', async () => {
      aDiscovery();
      aWire()
        .patch('/Groups/g', body(remove('x'), remove('y'), add('a')))
        .reply(400, noTarget)
        .patch('/Groups/g', body(remove('y'), add('a')))
        .reply(400, noTarget)
        .patch('/Groups/g', body(add('a')))
        .reply(204)
        .patch('/Groups/g', body(remove('y')))
        .reply(400, noTarget)
        .patch('/Groups/g', body(remove('x')))
        .reply(204);
      const { target } = await aWiredTarget(undefined, {}, { showsMembers: false });
      await target.changeMembers('g', { add: ['a'], remove: ['x', 'y'] }, NEVER);
    });

    it('where the second part is refused nobody knows what became of the whole', async () => {
      aDiscovery();
      aWire()
        .patch('/Groups/g', body(remove('x'), add('a')))
        .reply(400, noTarget)
        .patch('/Groups/g', body(add('a')))
        .reply(204)
        .patch('/Groups/g', body(remove('x')))
        .reply(409);
      const { target } = await aWiredTarget(undefined, {}, { showsMembers: false });
      const error = await failureOf(target.changeMembers('g', { add: ['a'], remove: ['x'] }, NEVER));
      expect(error).toMatchObject({ code: 'Conflict', outcomeUnknown: true });
    });
  });

  it('without PATCH the list is written back with the others in it', async () => {
    aDiscovery(null);
    aWire()
      .get('/Groups/g')
      .reply(200, { id: 'g', displayName: 'G', Members: [{ value: 'x' }, { value: 'y', display: 'Y' }] })
      .put('/Groups/g', { id: 'g', displayName: 'G', members: [{ value: 'y' }, { value: 'a' }] })
      .reply(200, {});
    await (await aWiredTarget()).target.changeMembers('g', { add: ['a'], remove: ['x'] }, NEVER);
  });

  it('without PATCH a list that shows nobody is not written back: whoever is in it would be lost (I4)', async () => {
    aDiscovery(null);
    aWire().get('/Groups/g').reply(200, { id: 'g', displayName: 'G', members: [] });
    const { target } = await aWiredTarget(undefined, {}, { showsMembers: false });
    const error = await failureOf(target.changeMembers('g', { add: ['a'], remove: [] }, NEVER));
    expect(error).toMatchObject({
      code: 'TargetRejected',
      message: 'the target does not show the members of its teams, so none can be added without PATCH',
    });
  });

  it('without PATCH and without a list to read nobody is removed', async () => {
    aDiscovery(null);
    aWire().get('/Groups/g').reply(200, { id: 'g', displayName: 'G' });
    const error = await failureOf((await aWiredTarget()).target.changeMembers('g', { add: [], remove: ['x'] }, NEVER));
    expect(error).toMatchObject({
      code: 'TargetRejected',
      message: 'the target does not show the members of its teams, so none can be removed',
    });
  });
});
