import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ObservedRequest, startDirectory } from '../../src/directory/server.ts';
import type { Json } from '../../src/model.ts';
import {
  type AttributeDefinition,
  findAttribute,
  fromScimSchemaResource,
  toAttributeDefinition,
  URN_BULK_REQUEST,
  URN_ENTERPRISE_USER,
  URN_ERROR,
  URN_GROUP,
  URN_RESOURCE_TYPE,
  URN_SCHEMA,
  URN_SERVICE_PROVIDER_CONFIG,
  URN_USER,
} from '../../src/scim/schema.ts';
import { aUser, openTestDirectory } from './directory-client.ts';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'directory-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('what the directory says of itself', () => {
  it('announces what it supports', async () => {
    const directory = await openTestDirectory({ pageSize: 50 });
    const { status, body } = await directory.call('GET', '/ServiceProviderConfig');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      patch: { supported: true },
      bulk: { supported: true, maxOperations: 1000, maxPayloadSize: 1024 * 1024 },
      filter: { supported: true, maxResults: 50 },
      sort: { supported: true },
      etag: { supported: true },
      changePassword: { supported: false },
      authenticationSchemes: [{ type: 'oauthbearertoken' }],
      pagination: {
        index: true,
        cursor: true,
        defaultPaginationMethod: 'index',
        defaultPageSize: 50,
        maxPageSize: 50,
        cursorTimeout: 3600,
      },
    });
  });

  it('lists resource types and schemas, extra ones included', async () => {
    const id = 'urn:ietf:params:scim:schemas:extension:acme:2.0:Group';
    const schema = { id, name: 'Acme', description: '', attributes: [toAttributeDefinition('tier', 'String', '')] };
    const directory = await openTestDirectory({ schemas: [schema] });
    const types = (await directory.call('GET', '/ResourceTypes')).body;
    expect(types).toMatchObject({
      totalResults: 2,
      Resources: [
        { id: 'User', endpoint: '/Users', schema: URN_USER, schemaExtensions: [{ schema: URN_ENTERPRISE_USER }] },
        { id: 'Group', endpoint: '/Groups', schema: URN_GROUP, schemaExtensions: [{ schema: id }] },
      ],
    });
    expect((await directory.call('GET', '/ResourceTypes/User')).body).toEqual(types.Resources[0]);
    const schemas = (await directory.call('GET', '/Schemas')).body;
    expect(schemas.Resources.map((each: { id: string }) => each.id)).toEqual([
      URN_USER,
      URN_GROUP,
      URN_ENTERPRISE_USER,
      id,
      URN_SERVICE_PROVIDER_CONFIG,
      URN_RESOURCE_TYPE,
      URN_SCHEMA,
    ]);
    const acme = (await directory.call('GET', `/Schemas/${id}`)).body;
    expect(fromScimSchemaResource(acme)).toEqual(schema);
    expect(acme.meta.location).toBe(`${directory.url}/Schemas/${id}`);
    expect((await directory.call('GET', '/Schemas/urn:x')).status).toBe(404);
    expect((await directory.call('GET', '/ResourceTypes/Thing')).status).toBe(404);
    expect((await directory.call('GET', '/Schemas?filter=id%20pr')).status).toBe(403);
  });
});

describe('the schemas of what the directory says of itself', () => {
  /** Names that the documents have and their schema has not, and required ones that they lack. */
  function findFaults(document: Json, attributes: readonly AttributeDefinition[], where: string): string[] {
    if (Array.isArray(document)) return document.flatMap((each: Json) => findFaults(each, attributes, where));
    if (typeof document !== 'object' || document === null) return [`${where} is no object`];
    const missing = attributes.filter((each) => each.required && !(each.name in document));
    const known = Object.entries(document).flatMap(([name, value]) => {
      const definition = findAttribute(attributes, name);
      if (definition === undefined) return [`${where}.${name} is unknown`];
      return definition.type === 'Complex' ? findFaults(value, definition.subAttributes, `${where}.${name}`) : [];
    });
    return [...missing.map(({ name }) => `${where}.${name} is missing`), ...known];
  }

  it.each([
    [URN_SERVICE_PROVIDER_CONFIG, '/ServiceProviderConfig'],
    [URN_RESOURCE_TYPE, '/ResourceTypes/User'],
    [URN_SCHEMA, `/Schemas/${URN_USER}`],
    [URN_SCHEMA, `/Schemas/${URN_RESOURCE_TYPE}`],
    [URN_SCHEMA, `/Schemas/${URN_SERVICE_PROVIDER_CONFIG}`],
  ])('%s describes %s', async (urn, path) => {
    const directory = await openTestDirectory();
    const schema = fromScimSchemaResource((await directory.call('GET', `/Schemas/${urn}`)).body);
    const { schemas, meta, ...document } = (await directory.call('GET', path)).body;
    expect(schemas).toEqual([urn]);
    expect(meta.location).toBe(`${directory.url}${path}`);
    expect(schema?.attributes.length).toBeGreaterThan(3);
    expect(findFaults(document, schema?.attributes ?? [], path)).toEqual([]);
  });
});

describe('requests that are refused', () => {
  it.each([
    ['GET', '/Nothing', 404],
    ['GET', '/.search', 405],
    ['GET', '/.search/x', 404],
    ['POST', '/', 405],
    ['GET', '/Users/a/b', 404],
    ['GET', '/Users/%ZZ', 404],
    ['GET', '/constructor', 404],
    ['DELETE', '/Users', 405],
    ['POST', '/Users/some-id', 405],
    ['POST', '/ServiceProviderConfig', 405],
    ['GET', '/Me', 501],
    ['GET', '/Bulk', 405],
    ['POST', '/Bulk/x', 404],
  ])('%s %s: %i', async (method, path, status) => {
    const directory = await openTestDirectory();
    const answer = await directory.call(method, path);
    expect(answer).toMatchObject({ status, body: { schemas: [URN_ERROR], status: String(status) } });
    expect(answer.headers.get('content-type')).toMatch(/^application\/scim\+json/);
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/GET|POST/);
  });

  it('lets in nobody without the token', async () => {
    const directory = await openTestDirectory();
    for (const authorization of ['', 'Bearer wrong', 'Bearer', 'Basic c2VjcmV0', 'secret']) {
      const answer = await directory.call('GET', '/Users', undefined, { Authorization: authorization });
      expect(answer).toMatchObject({ status: 401, body: { status: '401' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="SCIM"');
    }
    expect((await directory.call('GET', '/Users', undefined, { Authorization: 'bearer secret' })).status).toBe(200);
    const open = await openTestDirectory({ token: null });
    expect((await open.call('GET', '/Users', undefined, { Authorization: '' })).status).toBe(200);
    expect((await open.call('GET', '/ServiceProviderConfig')).body.authenticationSchemes).toEqual([]);
  });

  it('takes bodies up to 1 MiB, of JSON', async () => {
    const directory = await openTestDirectory();
    const post = (text: string, type = 'application/json') =>
      directory.call('POST', '/Users', text, { 'Content-Type': type });
    const large = JSON.stringify(aUser({ title: 'x'.repeat(1024 * 1024) }));
    expect(await post(large)).toMatchObject({ status: 413, body: { status: '413' } });
    expect(await post('{')).toMatchObject({ status: 400, body: { scimType: 'invalidSyntax' } });
    expect(await post('')).toMatchObject({ status: 400, body: { scimType: 'invalidSyntax' } });
    expect(await post(JSON.stringify(aUser()), 'text/plain')).toMatchObject({ status: 415 });
    expect(await post(`${'['.repeat(100_000)}`)).toMatchObject({ status: 400 });
    const deep = `{"schemas":["${URN_USER}"],"userName":"a","urn:x:1:User":{"a":${'['.repeat(1000)}${']'.repeat(1000)}}}`;
    expect(await post(deep)).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } });
    expect(await post(JSON.stringify(aUser({ title: 'x'.repeat(1024 * 1000) })))).toMatchObject({ status: 201 });
  });

  it('answers 500 without the reason, and tells its owner', async () => {
    const file = join(await makeFolder(), 'directory.db');
    const whole = await openTestDirectory({ file });
    const id = await whole.addUser();
    await whole.close();
    using database = new DatabaseSync(file);
    database.exec(`UPDATE resources SET body = '{"private'`);
    database.close();
    const errors: unknown[] = [];
    const broken = await openTestDirectory({ file, onError: (error) => errors.push(error) });
    const { status, body } = await broken.call('GET', `/Users/${id}`);
    expect(status).toBe(500);
    expect(body).toEqual({ schemas: [URN_ERROR], status: '500', detail: 'unexpected error inside the directory' });
    expect(errors).toEqual([expect.any(SyntaxError)]);
  });
});

describe('running', () => {
  it('keeps everything in its file', async () => {
    const file = join(await makeFolder(), 'directory.db');
    const first = await openTestDirectory({ file });
    const ada = await first.addUser({ title: 'Countess' });
    const group = await first.addGroup('Engines', [ada]);
    await first.close();
    const second = await openTestDirectory({ file });
    expect((await second.call('GET', `/Users/${ada}`)).body).toMatchObject({
      title: 'Countess',
      groups: [{ value: group }],
    });
  });

  it('refuses a file that is not its own, or in use, or a port that is taken', async () => {
    const folder = await makeFolder();
    const start = (name: string, port = 0) => startDirectory({ file: join(folder, name), token: null, port });
    await writeFile(join(folder, 'text.db'), 'not a database at all '.repeat(100));
    await expect(start('text.db')).rejects.toMatchObject({
      code: 'StateUnavailable',
      message: expect.stringContaining('it is no SQLite file'),
    });
    using other = new DatabaseSync(join(folder, 'other.db'));
    other.exec('CREATE TABLE people (name TEXT)');
    await expect(start('other.db')).rejects.toMatchObject({
      code: 'StateUnavailable',
      message: expect.stringContaining('not one of a directory'),
    });
    await expect(start('missing/directory.db')).rejects.toMatchObject({ code: 'StateUnavailable' });
    const directory = await openTestDirectory({ file: join(folder, 'directory.db') });
    await expect(start('directory.db')).rejects.toMatchObject({ code: 'StateLocked' });
    const port = Number(new URL(directory.url).port);
    await expect(start('free.db', port)).rejects.toMatchObject({
      code: 'Invalid',
      message: expect.stringContaining('the port is in use'),
    });
    using newer = new DatabaseSync(join(folder, 'newer.db'));
    newer.exec('CREATE TABLE t (x); PRAGMA application_id = 0x64734452; PRAGMA user_version = 2');
    await expect(start('newer.db')).rejects.toMatchObject({ message: expect.stringContaining('newer version') });
  });

  it('serves under another base path, or none', async () => {
    for (const [basePath, expected] of [
      ['/directory/', '/directory'],
      ['', ''],
    ] as const) {
      const directory = await openTestDirectory({ basePath });
      expect(new URL(`${directory.url}/`).pathname).toBe(`${expected}/`);
      const { body } = await directory.call('POST', '/Users/', aUser());
      expect(body.meta.location).toBe(`${directory.url}/Users/${body.id}`);
      const outside = await fetch(new URL('/directoryx/Users', directory.url), {
        headers: { Authorization: 'Bearer secret' },
      });
      expect(outside.status).toBe(404);
    }
  });

  it('counts requests and writes', async () => {
    const directory = await openTestDirectory();
    const id = await directory.addUser();
    await directory.call('GET', '/Users');
    await directory.call('DELETE', '/Users/nobody');
    await directory.patch(`/Users/${id}`, { op: 'remove', path: 'title' });
    expect(directory.counts()).toEqual({ byMethod: { POST: 1, GET: 1, DELETE: 1, PATCH: 1 }, writes: 3 });
    const operations = ['a', 'b'].map((each) => ({ method: 'DELETE', path: `/Users/${each}` }));
    await directory.call('POST', '/Bulk', { schemas: [URN_BULK_REQUEST], Operations: operations });
    await directory.call('POST', '/Bulk', 'no bulk request');
    expect(directory.counts()).toMatchObject({ byMethod: { POST: 3 }, writes: 6 });
  });

  it('tells of each request before it is carried out, and after it was answered', async () => {
    const seen: (ObservedRequest & { total: number })[] = [];
    const gate = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const directory = await openTestDirectory({
      async onRequest(observed) {
        if (observed.method !== 'POST') return;
        const total = (await directory.call('GET', '/Users?count=0')).body.totalResults;
        seen.push({ ...observed, total });
        if (observed.phase === 'received') await gate.promise;
        else answered.resolve();
      },
    });
    const post = directory.call('POST', '/Users?attributes=id', aUser());
    await expect.poll(() => seen.length).toBe(1);
    gate.resolve();
    expect((await post).status).toBe(201);
    await answered.promise;
    expect(seen).toEqual([
      { method: 'POST', path: '/scim/v2/Users?attributes=id', status: null, phase: 'received', total: 0 },
      { method: 'POST', path: '/scim/v2/Users?attributes=id', status: 201, phase: 'answered', total: 1 },
    ]);
  });

  it('breaks the connection when the hook throws, without carrying the request out', async () => {
    let fail = true;
    const directory = await openTestDirectory({
      onRequest() {
        if (fail) throw new Error('cut');
      },
    });
    await expect(directory.call('POST', '/Users', aUser())).rejects.toThrow();
    fail = false;
    expect((await directory.call('GET', '/Users')).body.totalResults).toBe(0);
  });

  it('ends the request under way when it closes, and takes no other', async () => {
    const received = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const directory = await openTestDirectory({
      async onRequest({ phase }) {
        if (phase !== 'received') return;
        received.resolve();
        await gate.promise;
      },
    });
    const post = directory.call('POST', '/Users', aUser());
    await received.promise;
    const closed = directory.close();
    await expect(directory.call('GET', '/Users')).rejects.toThrow();
    gate.resolve();
    expect((await post).status).toBe(201);
    await closed;
    await directory.close();
  });

  it('survives a client that goes away in the middle of a body', async () => {
    const directory = await openTestDirectory();
    const { port } = new URL(directory.url);
    // In a process of its own: in this one nock holds a request back until its body has ended.
    const head = 'POST /scim/v2/Users HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 100\\r\\n\\r\\n{';
    const script = `const s = require('node:net').connect(${port}, '127.0.0.1'); s.write('${head}', () => process.kill(process.pid, 'SIGKILL'))`;
    await expect(promisify(execFile)(process.execPath, ['-e', script])).rejects.toMatchObject({ signal: 'SIGKILL' });
    await expect.poll(() => directory.counts().byMethod).toEqual({ POST: 1 });
    expect((await directory.call('GET', '/Users')).body.totalResults).toBe(0);
    await directory.close();
  });
});
