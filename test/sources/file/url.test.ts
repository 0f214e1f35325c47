import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import nock from 'nock';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readChecksums } from '../../../src/sources/file/checksum.ts';
import type { FileSourceConfig } from '../../../src/sources/file/config.ts';
import type { Source } from '../../../src/sources/source.ts';
import { createManualTiming } from '../../support/manual-timing.ts';
import { createTestClient } from '../http-client.ts';
import { type FileServer, startFileServer } from './file-server.ts';
import { connectFile, createFileAccess, readWhole, toSyncError } from './files.ts';

const PEOPLE = `id,name\n${Array.from({ length: 20_000 }, (_, index) => `${index},Person ${index}\n`).join('')}`;
const SECRETS = {
  bearer: { token: 'hr-token-1234\n' },
  basic: { username: 'hr', password: 'pa:ss' },
  none: { apiKey: 'x' },
};

async function startServer(): Promise<FileServer> {
  const server = await startFileServer();
  onTestFinished(() => server.close());
  server.files.set('/people.csv', Buffer.from(PEOPLE));
  return server;
}

interface Connecting {
  readonly credentials?: keyof typeof SECRETS;
  readonly timeoutMs?: number;
  readonly more?: Partial<FileSourceConfig>;
}

async function connect(url: string, { credentials, timeoutMs, more = {} }: Connecting = {}) {
  const timing = createManualTiming();
  const http = createTestClient({ timing, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  onTestFinished(() => http.close());
  const ref = credentials === undefined ? {} : { credentialsRef: { name: credentials } };
  const config = { ...more, users: { url, ...ref } };
  return { source: await connectFile(config, createFileAccess('', {}, SECRETS), http), timing, http };
}

async function toFailure(source: Source) {
  return await toSyncError(readWhole(source));
}

/** Half of the file, and then what `end` does. */
function answerHalf(end: (outgoing: ServerResponse) => void, times = Number.POSITIVE_INFINITY) {
  let left = times;
  return (outgoing: ServerResponse): boolean => {
    if (left <= 0) return false;
    left -= 1;
    outgoing.writeHead(200, { 'content-length': Buffer.byteLength(PEOPLE) });
    outgoing.write(PEOPLE.slice(0, PEOPLE.length / 2), () => end(outgoing));
    return true;
  };
}

describe('a file over HTTP', () => {
  it('is read whole, with the query of its address and without credentials where none are named', async () => {
    const server = await startServer();
    const { source } = await connect(`${server.url}/people.csv?of=all`);
    const { users } = await readWhole(source);
    expect(users).toHaveLength(20_000);
    expect(users.at(-1)?.attributes['name']).toBe('Person 19999');
    expect(server.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/people.csv?of=all', undefined],
    ]);
  });

  it.each([
    ['bearer', 'Bearer hr-token-1234'],
    ['basic', `Basic ${Buffer.from('hr:pa:ss').toString('base64')}`],
  ] as const)('is asked for with what the Secret holds: %s', async (credentials, authorization) => {
    const server = await startServer();
    const { source } = await connect(`${server.url}/people.csv`, { credentials });
    await readWhole(source);
    expect(server.requests[0]?.headers.authorization).toBe(authorization);
  });

  it('needs a Secret that has one of the two', async () => {
    const server = await startServer();
    const { source } = await connect(`${server.url}/people.csv`, { credentials: 'none' });
    expect(await toFailure(source)).toMatchObject({
      code: 'ReferenceNotFound',
      message: 'Secret identity/none must have the key "token", or "username" and "password"',
    });
    expect(server.requests).toEqual([]);
  });

  it('may be packed with gzip, also where the header says it', async () => {
    const server = await startServer();
    server.answer = (outgoing) => {
      const bytes = gzipSync(PEOPLE);
      outgoing.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length }).end(bytes);
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await readWhole(source)).users).toHaveLength(20_000);
  });

  it('may come in pieces without a length, when they end as they must', async () => {
    const server = await startServer();
    server.answer = (outgoing) => {
      outgoing.writeHead(200);
      outgoing.write(PEOPLE.slice(0, 1_000), () => outgoing.end(PEOPLE.slice(1_000)));
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await readWhole(source)).users).toHaveLength(20_000);
  });

  it('is read no faster than its people are taken', async () => {
    const server = await startServer();
    const big = Buffer.from(
      `id,text\n${Array.from({ length: 12_000 }, (_, i) => `${i},${'x'.repeat(1_000)}\n`).join('')}`,
    );
    let sent = 0;
    server.answer = (outgoing) => {
      outgoing.writeHead(200, { 'content-length': big.length });
      const send = (from: number): void => {
        if (from >= big.length) return void outgoing.end();
        sent = from;
        outgoing.write(big.subarray(from, from + 65_536), () => send(from + 65_536));
      };
      send(0);
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
    await pages.next();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sent).toBeLessThan(big.length - 2 * 1024 * 1024);
    let count = 500;
    for (let next = await pages.next(); next.done !== true; next = await pages.next()) count += next.value.users.length;
    expect(count).toBe(12_000);
  });
});

describe('S12 of a file over HTTP', () => {
  it.each([
    [
      401,
      'CredentialsRejected',
      /^http:\/\/127.0.0.1:\d+ rejects the credentials \(401\); check Secret identity\/bearer$/,
    ],
    [403, 'CredentialsRejected', /does not let these credentials read the file .* \(403\)/],
    [
      404,
      'ReadFailed',
      /^cannot read http:\/\/127.0.0.1:\d+\/people.csv: http:\/\/127.0.0.1:\d+ has no such file \(404\)$/,
    ],
    [400, 'ReadFailed', /refuses the request for the file .* \(400\)/],
    [204, 'ReadFailed', /refuses the request for the file .* \(204\)/],
  ] as const)('ends with %i, and is not asked for again', async (status, code, message) => {
    const server = await startServer();
    server.answer = (outgoing) => {
      outgoing.writeHead(status).end(status === 204 ? undefined : 'Person 1');
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv?key=abc`, { credentials: 'bearer' });
    const failure = await toFailure(source);
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toMatch(/hr-token|abc|Person/);
    expect(server.requests).toHaveLength(1);
  });

  it('waits as long as a 429 asks, and goes on', async () => {
    const server = await startServer();
    let left = 2;
    server.answer = (outgoing) => {
      if (left === 0) return false;
      left -= 1;
      outgoing.writeHead(429, { 'retry-after': '17' }).end();
      return true;
    };
    const { source, timing } = await connect(`${server.url}/people.csv`);
    expect((await readWhole(source)).users).toHaveLength(20_000);
    expect(timing.waits.filter((ms) => ms >= 17_000)).toHaveLength(2);
  });

  it('ends with the wait that a 429 asks for when it is too long', async () => {
    const server = await startServer();
    server.answer = (outgoing) => {
      outgoing.writeHead(429, { 'retry-after': '1800' }).end();
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect(await toFailure(source)).toMatchObject({ code: 'ReadFailed', retry: { afterMs: 1_800_000 } });
  });

  it('asks again after a 500, and ends where it stays', async () => {
    const server = await startServer();
    let left = 1;
    server.answer = (outgoing) => {
      if (left === 0) return false;
      left -= 1;
      outgoing.writeHead(500).end();
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await readWhole(source)).users).toHaveLength(20_000);
    left = Number.POSITIVE_INFINITY;
    expect((await toFailure(source)).message).toMatch(/answers with an error of its own \(500\)$/);
  });

  it('goes on where an answer breaks off, with nobody twice and nobody missing', async () => {
    const server = await startServer();
    server.answer = answerHalf((outgoing) => outgoing.destroy(), 2);
    const { source } = await connect(`${server.url}/people.csv`);
    const { users } = await readWhole(source);
    expect(users.map(({ id }) => id)).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index)));
    expect(server.requests).toHaveLength(3);
  });

  it('throws where the answer that follows begins otherwise', async () => {
    const server = await startServer();
    const breakOff = answerHalf((outgoing) => outgoing.destroy(), 1);
    server.answer = (outgoing) => {
      const isBroken = breakOff(outgoing);
      server.files.set('/people.csv', Buffer.from(PEOPLE.replace('Person 7\n', 'Person X\n')));
      return isBroken;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await toFailure(source)).message).toMatch(/people.csv: it changed while it was read$/);
  });

  it('throws where it always breaks off', async () => {
    const server = await startServer();
    server.answer = answerHalf((outgoing) => outgoing.destroy());
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await toFailure(source)).message).toMatch(/breaks off in the middle of an answer$/);
  });

  it('throws where nothing comes any more', async () => {
    const server = await startServer();
    server.answer = answerHalf(() => undefined);
    const { source } = await connect(`${server.url}/people.csv`, { timeoutMs: 200 });
    expect((await toFailure(source)).message).toMatch(/does not answer in time$/);
  });

  it('throws for a page of HTML in its place, by its type or by its text', async () => {
    const server = await startServer();
    for (const type of ['text/html; charset=utf-8', 'text/csv']) {
      server.answer = (outgoing) => {
        outgoing.writeHead(200, { 'content-type': type, 'content-length': 36 });
        outgoing.end('<!doctype html><title>Log in</title>');
        return true;
      };
      const { source } = await connect(`${server.url}/people.csv`);
      expect((await toFailure(source)).message).toMatch(/it is a web page, such as that of a login or a proxy$/);
    }
  });

  it('throws for an answer that ends with its connection, where nothing says that it is whole', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nid,name\n1,Ada\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { source } = await connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}/people.csv`);
    expect((await toFailure(source)).message).toMatch(/the answer says neither its length nor a checksum, so that/);
  });

  it('throws for what is larger than it may be, before it is read', async () => {
    const server = await startServer();
    server.answer = (outgoing) => {
      outgoing.writeHead(200, { 'content-length': 2 ** 30 + 1 });
      outgoing.flushHeaders();
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await toFailure(source)).message).toMatch(/people.csv: it is larger than 1 GiB$/);
  });

  it('throws for an encoding that nobody asked for', async () => {
    const server = await startServer();
    server.answer = (outgoing) => {
      outgoing.writeHead(200, { 'content-encoding': 'br', 'content-length': 3 }).end('abc');
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await toFailure(source)).message).toMatch(/it comes in an encoding that was not asked for$/);
  });

  it('S5 reaches the socket, also while people are not taken', async () => {
    const server = await startServer();
    server.answer = answerHalf(() => undefined);
    const { source } = await connect(`${server.url}/people.csv`);
    const controller = new AbortController();
    const pages = source.readUsers([], controller.signal)[Symbol.asyncIterator]();
    await pages.next();
    controller.abort();
    await expect.poll(() => server.givenUp()).toBe(1);
    expect((await toSyncError(pages.next())).code).toBe('Aborted');
  });

  it('lets go of the connection when nobody reads on', async () => {
    const server = await startServer();
    server.answer = answerHalf(() => undefined);
    const { source } = await connect(`${server.url}/people.csv`);
    const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
    await pages.next();
    await pages.return?.();
    await expect.poll(() => server.givenUp()).toBe(1);
  });
});

describe('redirects of a file over HTTP', () => {
  const redirect =
    (to: (incoming: IncomingMessage) => string | null) => (outgoing: ServerResponse, incoming: IncomingMessage) => {
      const location = to(incoming);
      if (location === null) return false;
      outgoing.writeHead(302, { location }).end();
      return true;
    };

  it('are followed, with credentials to the same host alone', async () => {
    const [server, other] = [await startServer(), await startServer()];
    server.answer = redirect(({ url }) => (url === '/export' ? '/moved' : `${other.url}/people.csv`));
    const { source } = await connect(`${server.url}/export`, { credentials: 'bearer', more: { format: 'CSV' } });
    expect((await readWhole(source)).users).toHaveLength(20_000);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(Array(2).fill('Bearer hr-token-1234'));
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('are followed five times', async () => {
    const server = await startServer();
    server.answer = redirect(() => '/people.csv');
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await toFailure(source)).message).toMatch(/people.csv: it redirects more than 5 times$/);
    expect(server.requests).toHaveLength(6);
  });

  it.each([
    [
      'http://hr.example.com/people.csv',
      'it redirects to http://hr.example.com, which is no https address that could be followed',
    ],
    ['file:///etc/passwd', 'it redirects to what is no address'],
    [
      'https://a:b@hr.example.com/',
      'it redirects to https://hr.example.com, which is no https address that could be followed',
    ],
    ['http://', 'it redirects to what is no address'],
  ])('are not followed to %s', async (location, message) => {
    const server = await startServer();
    server.answer = redirect(() => location);
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await toFailure(source)).message).toContain(message);
  });

  it('are not followed from https to http, not even with allowHTTP', async () => {
    nock('https://hr.example.com').get('/people.csv').reply(302, '', { location: 'http://hr.example.com/people.csv' });
    const { source } = await connect('https://hr.example.com/people.csv', { more: { allowHTTP: true } });
    expect((await toFailure(source)).message).toContain(
      'it redirects to http://hr.example.com, which is no https address',
    );
  });
});

describe('the checksum of a file over HTTP', () => {
  const sum = (algorithm: string, encoding: 'base64' | 'hex' = 'base64') =>
    createHash(algorithm).update(PEOPLE).digest(encoding);
  const HEADERS: readonly (readonly [string, string])[] = [
    ['content-digest', `sha-256=:${sum('sha256')}:`],
    ['repr-digest', `sha-512=:${sum('sha512')}:, sha-256=:${sum('sha256')}:`],
    ['digest', `SHA-256=${sum('sha256')}`],
    ['content-md5', sum('md5')],
    ['x-checksum-sha256', sum('sha256', 'hex')],
    ['x-amz-checksum-sha256', sum('sha256')],
    ['x-goog-hash', `crc32c=AAAAAA==,md5=${sum('md5')}`],
  ];

  it.each(HEADERS)('is compared: %s', async (name, value) => {
    const server = await startServer();
    let content = PEOPLE;
    server.answer = (outgoing) => {
      outgoing.writeHead(200, { [name]: value, 'content-length': Buffer.byteLength(content) }).end(content);
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect((await readWhole(source)).users).toHaveLength(20_000);
    content = PEOPLE.replace('Person 9\n', 'Person Y\n');
    expect((await toFailure(source)).message).toMatch(`its bytes do not have the checksum of its header ${name}`);
  });

  it('proves what has no length', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\nDigest: SHA-256=${sum('sha256')}\r\n\r\n${PEOPLE}`));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { source } = await connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}/people.csv`);
    expect((await readWhole(source)).users).toHaveLength(20_000);
  });

  it.each([
    ['a sum of parts', { 'x-amz-checksum-sha256': `${sum('sha256')}-3` }],
    ['an algorithm that is not known', { digest: 'crc32c=AAAAAA==' }],
    ['one that is too short', { 'content-md5': 'AAAA' }],
    ['none', {}],
  ])('says nothing where it is %s', (_because, headers) => {
    expect(readChecksums(headers as Record<string, string>)).toEqual([]);
  });
});

/** Answers as web servers do: with an ETag made of the bytes, and 304 where it is the one that is asked about. */
function answerWithETag(server: FileServer): void {
  server.answer = (outgoing, incoming) => {
    const bytes = server.files.get(new URL(incoming.url ?? '', 'http://127.0.0.1').pathname);
    if (bytes === undefined) return false;
    const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`;
    const isSame = incoming.headers['if-none-match'] === etag;
    if (isSame) outgoing.writeHead(304, { etag }).end();
    else outgoing.writeHead(200, { 'content-length': bytes.length, etag }).end(bytes);
    return true;
  };
}

const SIGNAL = new AbortController().signal;

async function readCursor(source: Source): Promise<string | null | undefined> {
  let cursor: string | null | undefined;
  for await (const page of source.readUsers([], SIGNAL)) if (page.end !== undefined) cursor = page.end.cursor;
  return cursor;
}

describe('a file over HTTP that has an ETag', () => {
  it('is not fetched again while it is the same', async () => {
    const server = await startServer();
    answerWithETag(server);
    const { source } = await connect(`${server.url}/people.csv`, { credentials: 'bearer' });
    const users = await readCursor(source);
    expect(users).toMatch(/^"[0-9a-f]{16}"$/);
    const since = { users: users ?? '', groups: null };
    expect(await source.isUnchanged?.(since, SIGNAL)).toBe(true);
    expect(server.requests.at(-1)?.headers).toMatchObject({
      'if-none-match': users,
      authorization: 'Bearer hr-token-1234',
    });
    server.files.set('/people.csv', Buffer.from('id,name\n1,Ada\n'));
    expect(await source.isUnchanged?.(since, SIGNAL)).toBe(false);
  });

  it('is not fetched to its end by the question, however large it is', async () => {
    const server = await startServer();
    server.answer = (outgoing) => {
      outgoing.writeHead(200, { 'content-length': 1_000_000_000, etag: '"other"' });
      outgoing.write('id,name\n');
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect(await source.isUnchanged?.({ users: '"old"', groups: null }, SIGNAL)).toBe(false);
    await expect.poll(() => server.givenUp()).toBe(1);
  });

  it.each([
    ['a weak one', 'W/"a"'],
    ['none', undefined],
    ['what is no ETag', 'abc'],
  ])('has a place to go on from only where it is a strong one: %s', async (_what, etag) => {
    const server = await startServer();
    server.answer = (outgoing) => {
      const bytes = Buffer.from('id,name\n1,Ada\n');
      outgoing.writeHead(200, { 'content-length': bytes.length, ...(etag === undefined ? {} : { etag }) }).end(bytes);
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    expect(await readCursor(source)).toBeNull();
  });

  it('is asked for where it redirects to', async () => {
    const server = await startServer();
    server.files.set('/there.csv', Buffer.from('id,name\n1,Ada\n'));
    answerWithETag(server);
    const { answer } = server;
    server.answer = (outgoing, incoming) => {
      if (incoming.url !== '/people.csv') return answer(outgoing, incoming);
      outgoing.writeHead(302, { location: '/there.csv' }).end();
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    const since = { users: (await readCursor(source)) ?? '', groups: null };
    expect(await source.isUnchanged?.(since, SIGNAL)).toBe(true);
  });

  it.each([
    [401, 'CredentialsRejected'],
    [404, 'ReadFailed'],
    [500, 'ReadFailed'],
  ])('that answers the question with %i is a failed read', async (status, code) => {
    const server = await startServer();
    server.answer = (outgoing) => {
      outgoing.writeHead(status).end('no');
      return true;
    };
    const { source } = await connect(`${server.url}/people.csv`);
    const asked = Promise.resolve(source.isUnchanged?.({ users: '"a"', groups: null }, SIGNAL));
    await expect(asked).rejects.toMatchObject({ code });
  });

  it('and groups elsewhere is asked about only where both can tell', async () => {
    const server = await startServer();
    server.files.set('/groups.json', Buffer.from('[{"id": "g1", "displayName": "Choir", "members": ["1"]}]'));
    answerWithETag(server);
    const more = { groups: { url: `${server.url}/groups.json` } };
    const { source } = await connect(`${server.url}/people.csv`, { more });
    let groups: string | null | undefined;
    for await (const page of source.readGroups?.([], SIGNAL) ?? [])
      if (page.end !== undefined) groups = page.end.cursor;
    const since = { users: (await readCursor(source)) ?? '', groups: groups ?? '' };
    expect(await source.isUnchanged?.(since, SIGNAL)).toBe(true);
    server.files.set('/groups.json', Buffer.from('[{"id": "g1", "displayName": "Choir", "members": ["2"]}]'));
    expect(await source.isUnchanged?.(since, SIGNAL)).toBe(false);
    const beside = await connect(`${server.url}/people.csv`, { more: { groups: { path: 'groups.json' } } });
    expect(beside.source.isUnchanged).toBeUndefined();
  });
});
