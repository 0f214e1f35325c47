import { describe, expect, it } from 'vitest';
import {
  toAttributeDefinition,
  URN_ENTERPRISE_USER,
  URN_ERROR,
  URN_LIST_RESPONSE,
  URN_USER,
} from '../../src/scim/schema.ts';
import { aUser, openTestDirectory } from './directory-client.ts';

const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';

describe('creating users', () => {
  it('answers the example of RFC 7644 section 3.3', async () => {
    const directory = await openTestDirectory();
    const answer = await directory.call('POST', '/Users', {
      schemas: [URN_USER],
      userName: 'bjensen',
      externalId: 'bjensen',
      name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('content-type')).toMatch(/^application\/scim\+json/);
    expect(answer.body).toEqual({
      schemas: [URN_USER],
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      externalId: 'bjensen',
      userName: 'bjensen',
      name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' },
      meta: {
        resourceType: 'User',
        created: expect.stringMatching(/Z$/),
        lastModified: answer.body.meta.created,
        location: `${directory.url}/Users/${answer.body.id}`,
        version: 'W/"1"',
      },
    });
    expect(answer.headers.get('location')).toBe(answer.body.meta.location);
    expect(answer.headers.get('etag')).toBe('W/"1"');
    const read = await directory.call('GET', `/Users/${answer.body.id}`);
    expect(read).toMatchObject({ status: 200, body: answer.body });
  });

  it('ignores case in names, what is read-only, what is unassigned, and never shows a password', async () => {
    const directory = await openTestDirectory();
    const { body } = await directory.call('POST', '/Users', {
      Schemas: [URN_USER.toUpperCase()],
      USERNAME: 'ada@example.com',
      id: 'mine',
      meta: { version: 'x' },
      groups: [{ value: 'x' }],
      nickName: null,
      emails: [],
      password: 'Pass-1843',
      Name: { GIVENNAME: 'Ada', familyName: null },
      [URN_ENTERPRISE_USER.toLowerCase()]: { DEPARTMENT: 'Engines', manager: { value: '7', displayName: 'Charles' } },
    });
    expect(body).toMatchObject({
      schemas: [URN_USER, URN_ENTERPRISE_USER],
      userName: 'ada@example.com',
      name: { givenName: 'Ada' },
      [URN_ENTERPRISE_USER]: { department: 'Engines', manager: { value: '7' } },
    });
    expect(body.id).not.toBe('mine');
    expect(Object.keys(body)).toEqual(['schemas', 'id', 'userName', 'name', URN_ENTERPRISE_USER, 'meta']);
    expect(body.name).toEqual({ givenName: 'Ada' });
    expect(body[URN_ENTERPRISE_USER].manager).toEqual({ value: '7' });
  });

  it('keeps an extension that nobody described, and checks one that is', async () => {
    const described = {
      id: ACME,
      name: 'Acme',
      description: '',
      attributes: [toAttributeDefinition('seats', 'Integer', '', { mutability: 'immutable' })],
    };
    const directory = await openTestDirectory({ schemas: [described] });
    const other = 'urn:example:params:3.1.4:User';
    const user = aUser({ [ACME]: { seats: 3 }, [other]: { anything: [{ deep: true }], nothing: null } });
    const { body } = await directory.call('POST', '/Users', user);
    expect(body).toMatchObject({ schemas: [URN_USER, ACME, other], [ACME]: { seats: 3 } });
    expect(body[other]).toEqual({ anything: [{ deep: true }] });
    const refused = await directory.call('POST', '/Users', aUser({ userName: 'b', [ACME]: { seats: '3' } }));
    expect(refused).toMatchObject({ status: 400, body: { detail: `"${ACME}:seats" must be a whole number` } });
    const changed = await directory.call('PUT', `/Users/${body.id}`, aUser({ [ACME]: { seats: 4 } }));
    expect(changed).toMatchObject({ status: 400, body: { scimType: 'mutability' } });
    const kept = await directory.call('PUT', `/Users/${body.id}`, aUser({ [ACME]: { seats: 3 }, title: 'Countess' }));
    expect(kept).toMatchObject({ status: 200, body: { title: 'Countess' } });
  });

  it.each([
    [{ userName: 7 }, 'invalidValue', '"userName" must be a string'],
    [{ userName: '' }, 'invalidValue', '"userName" is required'],
    [{ active: 'True' }, 'invalidValue', '"active" must be true or false, without quotes'],
    [{ emails: { value: 'a' } }, 'invalidValue', '"emails" must be a list'],
    [{ emails: [{ value: 'a' }, { value: 7 }] }, 'invalidValue', '"emails[1].value" must be a string'],
    [{ name: 'Ada' }, 'invalidValue', '"name" must be an object'],
    [
      {
        emails: [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ],
      },
      'invalidValue',
      'more than one entry with "primary"',
    ],
    [{ x509Certificates: [{ value: '%' }] }, 'invalidValue', '"x509Certificates[0].value" must be a string in base64'],
    [{ [URN_ENTERPRISE_USER]: { manager: '7' } }, 'invalidValue', `manager" must be an object, as {"value": "…"}`],
    [{ [URN_ENTERPRISE_USER]: 'x' }, 'invalidValue', 'must be an object'],
    [{ nikName: 'x' }, 'invalidSyntax', 'no schema has the attribute "nikName"; did you mean "nickName"?'],
    [{ name: { givenNam: 'x' } }, 'invalidSyntax', 'did you mean "name.givenName"?'],
    [{ schemas: undefined }, 'invalidSyntax', '"schemas" must be a list'],
    [{ schemas: [URN_ENTERPRISE_USER] }, 'invalidSyntax', `that holds "${URN_USER}"`],
  ])('refuses %j with %s', async (attributes, scimType, detail) => {
    const directory = await openTestDirectory();
    const { status, body } = await directory.call('POST', '/Users', aUser(attributes));
    expect({ status, body }).toEqual({
      status: 400,
      body: { schemas: [URN_ERROR], status: '400', scimType, detail: expect.stringContaining(detail) },
    });
  });

  it('refuses a userName that another user has, in whatever case', async () => {
    const directory = await openTestDirectory();
    const id = await directory.addUser({ userName: 'Zoë@example.com' });
    const other = await directory.addUser({ userName: 'other@example.com' });
    const conflict = { status: 409, body: { scimType: 'uniqueness', status: '409' } };
    expect(await directory.call('POST', '/Users', aUser({ userName: 'ZOË@EXAMPLE.COM' }))).toMatchObject(conflict);
    expect(await directory.call('PUT', `/Users/${other}`, aUser({ userName: 'zoë@example.com' }))).toMatchObject(
      conflict,
    );
    const patched = await directory.patch(`/Users/${other}`, {
      op: 'replace',
      path: 'userName',
      value: 'zoë@example.com',
    });
    expect(patched).toMatchObject(conflict);
    const renamed = await directory.call('PUT', `/Users/${id}`, aUser({ userName: 'zoë@example.com' }));
    expect(renamed).toMatchObject({ status: 200, body: { userName: 'zoë@example.com' } });
  });

  it('is not fooled by names of prototypes', async () => {
    const directory = await openTestDirectory();
    const text = `{"schemas":["${URN_USER}"],"userName":"a","__proto__":{"polluted":true}}`;
    expect(await directory.call('POST', '/Users', text)).toMatchObject({ status: 400 });
    const nested = `{"schemas":["${URN_USER}"],"userName":"a","urn:x:1:User":{"a":{"__proto__":{"polluted":true}}}}`;
    expect(await directory.call('POST', '/Users', nested)).toMatchObject({ status: 400 });
    const id = await directory.addUser();
    for (const path of ['__proto__.polluted', 'constructor.prototype', 'urn:x:1:User:constructor.polluted']) {
      await directory.patch(`/Users/${id}`, { op: 'add', path, value: true });
    }
    await directory.patch(`/Users/${id}`, { op: 'add', value: JSON.parse('{"__proto__":{"polluted":true}}') });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(await directory.call('GET', `/Users/${id}`)).toMatchObject({ status: 200 });
  });
});

describe('replacing and deleting users', () => {
  it('clears what PUT does not name', async () => {
    const directory = await openTestDirectory();
    const id = await directory.addUser({ externalId: 'x', active: true, [URN_ENTERPRISE_USER]: { department: 'D' } });
    const { body } = await directory.call('PUT', `/Users/${id}`, aUser({ title: 'Countess' }));
    expect(Object.keys(body)).toEqual(['schemas', 'id', 'userName', 'title', 'meta']);
    expect(body.meta.version).toBe('W/"2"');
    const again = await directory.call('PUT', `/Users/${id}`, aUser({ title: 'Countess' }));
    expect(again.body.meta).toEqual(body.meta);
  });

  it('deletes once', async () => {
    const directory = await openTestDirectory();
    const id = await directory.addUser();
    expect(await directory.call('DELETE', `/Users/${id}`)).toMatchObject({ status: 204, body: null });
    for (const method of ['DELETE', 'GET']) {
      expect(await directory.call(method, `/Users/${id}`)).toMatchObject({ status: 404, body: { status: '404' } });
    }
    expect((await directory.call('GET', '/Users')).body.totalResults).toBe(0);
    expect((await directory.call('PUT', `/Users/${id}`, aUser())).status).toBe(404);
    expect((await directory.patch(`/Users/${id}`, { op: 'remove', path: 'title' })).status).toBe(404);
  });
});

describe('versions', () => {
  it('answers 304 and 412 by weak comparison', async () => {
    const directory = await openTestDirectory();
    const id = await directory.addUser();
    const path = `/Users/${id}`;
    for (const tag of ['W/"1"', '"1"', '"0", W/"1"', '*']) {
      expect(await directory.call('GET', path, undefined, { 'If-None-Match': tag })).toMatchObject({
        status: 304,
        body: null,
      });
    }
    expect((await directory.call('GET', path, undefined, { 'If-None-Match': 'W/"2"' })).status).toBe(200);
    const stale = { 'If-Match': 'W/"7"' };
    const patch = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'title', value: 'x' }],
    };
    expect((await directory.call('PATCH', path, patch, stale)).status).toBe(412);
    expect((await directory.call('PUT', path, aUser(), stale)).status).toBe(412);
    expect((await directory.call('DELETE', path, undefined, stale)).status).toBe(412);
    expect((await directory.call('GET', path)).body.title).toBeUndefined();
    expect((await directory.call('PATCH', path, patch, { 'If-Match': 'W/"1"' })).headers.get('etag')).toBe('W/"2"');
    expect((await directory.call('DELETE', path, undefined, { 'If-Match': 'W/"2"' })).status).toBe(204);
  });

  it('lets one of two writers with the same version through', async () => {
    const directory = await openTestDirectory();
    const path = `/Users/${await directory.addUser()}`;
    const write = (title: string) =>
      directory.call(
        'PATCH',
        path,
        {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'replace', path: 'title', value: title }],
        },
        { 'If-Match': 'W/"1"' },
      );
    const statuses = (await Promise.all(['a', 'b', 'c', 'd'].map(write))).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 412, 412, 412]);
  });

  it('loses no change of writers without a version', async () => {
    const directory = await openTestDirectory();
    const path = `/Users/${await directory.addUser()}`;
    const values = Array.from({ length: 20 }, (_, index) => `${index}@example.com`);
    await Promise.all(values.map((value) => directory.patch(path, { op: 'add', path: 'emails', value: { value } })));
    const { body } = await directory.call('GET', path);
    expect(new Set(body.emails.map((each: { value: string }) => each.value))).toEqual(new Set(values));
    expect(body.meta.version).toBe('W/"21"');
  });
});

describe('listing users', () => {
  it('pages in a stable order, and at the edges', async () => {
    const directory = await openTestDirectory({ pageSize: 4 });
    const ids: string[] = [];
    for (let index = 0; index < 10; index += 1) ids.push(await directory.addUser());
    const list = async (query: string) => (await directory.call('GET', `/Users${query}`)).body;
    const idsOf = (body: { Resources: { id: string }[] }) => body.Resources.map(({ id }) => id);
    expect(idsOf(await list('?startIndex=3&count=2'))).toEqual(ids.slice(2, 4));
    expect(await list('?startIndex=9')).toMatchObject({
      schemas: [URN_LIST_RESPONSE],
      totalResults: 10,
      itemsPerPage: 2,
      startIndex: 9,
    });
    expect(await list('?count=0')).toMatchObject({ totalResults: 10, itemsPerPage: 0, Resources: [] });
    expect(await list('?count=-5')).toMatchObject({ totalResults: 10, itemsPerPage: 0 });
    expect(await list('?startIndex=11')).toMatchObject({ totalResults: 10, itemsPerPage: 0, startIndex: 11 });
    expect(idsOf(await list('?startIndex=-1'))).toEqual(ids.slice(0, 4));
    expect(idsOf(await list('?count=1000'))).toEqual(ids.slice(0, 4));
    const deleted = ids.splice(1, 1);
    await directory.call('DELETE', `/Users/${deleted[0]}`);
    const late = await directory.addUser();
    expect(idsOf(await list('?startIndex=8'))).toEqual([...ids.slice(7), late]);
    const filtered = '?filter=title%20eq%20%22x%22%20or%20userName%20pr';
    expect(idsOf(await list(`${filtered}&startIndex=3&count=2`))).toEqual(ids.slice(2, 4));
    expect(await list(`${filtered}&count=0`)).toMatchObject({ totalResults: 10, itemsPerPage: 0 });
    expect(await directory.call('GET', '/Users?count=ten')).toMatchObject({ status: 400 });
  });

  it('shows the attributes that are asked for', async () => {
    const directory = await openTestDirectory();
    const id = await directory.addUser({
      userName: 'ada@example.com',
      name: { givenName: 'Ada', familyName: 'Byron' },
      emails: [{ value: 'a', type: 'work' }, { value: 'b' }],
      [URN_ENTERPRISE_USER]: { department: 'D', manager: { value: '7' } },
    });
    const show = async (query: string) => {
      const { body } = await directory.call('GET', `/Users/${id}?${query}`);
      expect(body).toMatchObject({ id, schemas: [URN_USER, URN_ENTERPRISE_USER] });
      const { id: _id, schemas: _schemas, ...rest } = body;
      return rest;
    };
    expect(await show('attributes=USERNAME,name.givenname')).toEqual({
      userName: 'ada@example.com',
      name: { givenName: 'Ada' },
    });
    expect(await show('attributes=emails.type')).toEqual({ emails: [{ type: 'work' }] });
    expect(await show(`attributes=${URN_USER}:userName`)).toEqual({ userName: 'ada@example.com' });
    expect(await show(`attributes=${URN_ENTERPRISE_USER}:department`)).toEqual({
      [URN_ENTERPRISE_USER]: { department: 'D' },
    });
    expect(await show(`attributes=${URN_ENTERPRISE_USER}`)).toEqual({
      [URN_ENTERPRISE_USER]: { department: 'D', manager: { value: '7' } },
    });
    expect(await show(`excludedAttributes=id,meta,emails,name.givenName,${URN_ENTERPRISE_USER}:manager`)).toEqual({
      userName: 'ada@example.com',
      name: { familyName: 'Byron' },
      [URN_ENTERPRISE_USER]: { department: 'D' },
    });
    expect(Object.keys(await show(`excludedAttributes=${URN_ENTERPRISE_USER}`))).not.toContain(URN_ENTERPRISE_USER);
    const both = await directory.call('GET', `/Users/${id}?attributes=userName&excludedAttributes=emails`);
    expect(both.status).toBe(400);
    const created = await directory.call('POST', '/Users?attributes=userName', aUser({ userName: 'b', title: 'x' }));
    expect(Object.keys(created.body)).toEqual(['schemas', 'id', 'userName']);
  });

  it('answers queries over users and groups together', async () => {
    const directory = await openTestDirectory();
    const ids = [await directory.addUser({ displayName: 'Ada' }), await directory.addUser()];
    ids.push(await directory.addGroup('Ada'), await directory.addGroup('Bob'));
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'];
    const search = async (request: Record<string, unknown>) => {
      const { status, body } = await directory.call('POST', '/.search', { schemas, ...request });
      return {
        status,
        total: body.totalResults,
        found: body.Resources?.map((each: { id: string }) => ids.indexOf(each.id)),
      };
    };
    expect(await search({})).toEqual({ status: 200, total: 4, found: [0, 1, 2, 3] });
    expect(await search({ startIndex: 2, count: 2 })).toEqual({ status: 200, total: 4, found: [1, 2] });
    expect(await search({ startIndex: 4 })).toEqual({ status: 200, total: 4, found: [3] });
    expect(await search({ filter: 'displayName eq "ada"' })).toEqual({ status: 200, total: 2, found: [0, 2] });
    expect(await search({ filter: 'userName pr' })).toEqual({ status: 200, total: 2, found: [0, 1] });
    expect(await search({ filter: 'meta.resourceType eq "Group"' })).toEqual({ status: 200, total: 2, found: [2, 3] });
    expect(await search({ filter: 'nothing pr' })).toMatchObject({ status: 400 });
    expect((await directory.call('GET', '/?count=1')).body).toMatchObject({ totalResults: 4, itemsPerPage: 1 });
  });

  it('answers POST /.search', async () => {
    const directory = await openTestDirectory();
    await directory.addUser({ userName: 'a' });
    await directory.addUser({ userName: 'b' });
    const search = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      attributes: ['userName'],
      startIndex: 2,
      count: 1,
    };
    const { status, body } = await directory.call('POST', '/Users/.search', { ...search, filter: 'userName pr' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ totalResults: 2, startIndex: 2, Resources: [{ userName: 'b' }] });
    expect((await directory.call('POST', '/Users/.search', { filter: 'userName pr' })).status).toBe(400);
    expect((await directory.call('GET', '/Users/.search')).status).toBe(405);
    expect(directory.counts().writes).toBe(2);
  });
});
