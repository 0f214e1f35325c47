/** The key of a service account: what is wrong with it, what the token endpoint says of it, and how long a token lasts. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { Source, SourceContext } from '../../../src/sources/source.ts';
import {
  CLIENT_ID,
  type GoogleServer,
  startGoogle,
  toGoogleUser,
  toServiceAccount,
  USER_SCOPE,
} from '../../support/google-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectGoogle, WHERE } from './connect.ts';

const NEVER = new AbortController().signal;

async function start(): Promise<{
  google: GoogleServer;
  connect: (options?: Partial<SourceContext> & { readonly adminEmail?: string }) => Promise<Source>;
}> {
  const google = await startGoogle({ users: [toGoogleUser('1')] });
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await google.close();
  });
  const connect = async ({ adminEmail = google.adminEmail, ...context } = {}): Promise<Source> =>
    connectGoogle({ ...google, adminEmail }, http, context);
  return { google, connect };
}

async function readIds(source: Source): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { users } of source.readUsers([], NEVER)) ids.push(...users.map(({ id }) => id));
  return ids;
}

async function toError(work: Promise<unknown>): Promise<SyncError> {
  try {
    await work;
  } catch (thrown) {
    return SyncError.from(thrown);
  }
  throw new Error('it did not fail');
}

const KEY = 'serviceAccount.json';
const another = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

describe('the key of a service account', () => {
  it('may end with a line end, as files do', async () => {
    const { google, connect } = await start();
    const source = await connect({ secrets: { [KEY]: `${google.serviceAccount}\n` } });
    expect(await readIds(source)).toEqual(['1']);
  });

  it.each([
    [{}, 'has no keys'],
    [{ [KEY]: '' }, `has ${KEY}`],
    [{ key: '{}' }, 'has key'],
  ])('that is missing is told: %j', async (secrets, has) => {
    const { google, connect } = await start();
    expect(await toError(connect({ secrets }))).toMatchObject({
      ...{ code: 'ReferenceNotFound', message: `${WHERE} must have the key "${KEY}"; it ${has}` },
    });
    expect(google.server.requests).toEqual([]);
  });

  it.each([
    ['cut off', toServiceAccount().slice(0, 900), 'is no JSON object'],
    ['a list', '[]', 'is no JSON object'],
    [
      'that of a person',
      '{"type":"authorized_user","refresh_token":"1//sesame"}',
      'is no key of a service account: its "type" is authorized_user',
    ],
    [
      'that of an OAuth client',
      '{"installed":{"client_secret":"sesame"}}',
      'is no key of a service account: its "type" is missing',
    ],
    ['without an address', toServiceAccount(another, { client_email: '' }), 'has no "client_email"'],
    ['without a key', toServiceAccount(another, { private_key: null }), 'has no "private_key"'],
    [
      'with a key that was pasted in part',
      toServiceAccount(another, { private_key: '-----BEGIN PRIVATE KEY-----\nMIIsesame' }),
      'has a "private_key" that is no private key in PEM',
    ],
    ['with another kind of key', toServiceAccount(curve), 'has a "private_key" that is no RSA key'],
  ])('%s is one clear error that shows nothing of it', async (_what, text, says) => {
    const { google, connect } = await start();
    const error = await toError(connect({ secrets: { [KEY]: text } }));
    expect([error.code, error.cause]).toEqual(['Invalid', undefined]);
    expect(error.message).toContain(`the key "${KEY}" of ${WHERE} ${says}`);
    expect(error.message).toContain('put in the whole file that the Google Cloud console gives');
    for (const secret of ['sesame', 'MII', 'BEGIN']) expect(error.message).not.toContain(secret);
    expect(google.server.requests).toEqual([]);
  });
});

describe('the token endpoint', () => {
  it('is asked for one scope at a time', async () => {
    const { google, connect } = await start();
    google.scopes = [USER_SCOPE];
    const source = await connect();
    expect(await readIds(source)).toEqual(['1']);
    const { code, retry, message } = await toError(
      (async () => {
        for await (const page of source.readGroups?.([], NEVER) ?? []) expect(page.end).toBeUndefined();
      })(),
    );
    expect([code, retry]).toEqual(['CredentialsRejected', 'never']);
    expect(message).toBe(
      `${google.url} gives no token for the service account (401 unauthorized_client): in the Admin console, under Security > Access and data control > API controls > Domain-wide delegation, give its client ID ${CLIENT_ID} the scope https://www.googleapis.com/auth/admin.directory.group.readonly; it may take a while to hold`,
    );
  });

  it('that does not know the administrator, the key or the time says what to do', async () => {
    const { google, connect } = await start();
    const refusals: readonly (readonly [Promise<Source>, string])[] = [
      [
        connect({ adminEmail: 'nobody@corp.example' }),
        'adminEmail is nobody of the directory in which delegation was given',
      ],
      [connect({ secrets: { [KEY]: toServiceAccount(another) } }), 'the key is none of the service account’s any more'],
      [connect({ now: () => new Date(Date.now() - 7_200_000) }), 'compare the clock of this machine'],
      [
        connect({ secrets: { [KEY]: toServiceAccount(undefined, { client_email: 'gone@acme.iam.example' }) } }),
        'there is no such service account any more',
      ],
    ];
    for (const [source, says] of refusals) {
      const error = await toError(readIds(await source));
      expect(error.code).toBe('CredentialsRejected');
      expect(error.message).toContain(`${google.url} gives no token for the service account (400 invalid_grant): `);
      expect(error.message).toContain(says);
      expect(error.message).not.toContain('@');
    }
  });

  it('that refuses for a reason of its own still gets an advice', async () => {
    const { google, connect } = await start();
    const body = { error: 'invalid_grant', error_description: 'Bad Request' };
    google.server.fault = ({ path }) => (path === '/token' ? { status: 400, body } : null);
    expect((await toError(readIds(await connect()))).message).toContain('check adminEmail, the clock of this machine');
  });

  it('that is none is looked for in the spec', async () => {
    const { google, connect } = await start();
    for (const reply of [
      { status: 404, body: {} },
      { status: 200, body: { hello: 'world' } },
    ]) {
      google.server.fault = ({ path }) => (path === '/token' ? reply : null);
      const { code, message } = await toError(readIds(await connect()));
      expect([code, message]).toEqual(['ReadFailed', expect.stringContaining('check source.google.tokenUrl')]);
    }
  });

  it('gives a token that is used until shortly before its end', async () => {
    const { google, connect } = await start();
    let at = Date.now();
    google.now = () => at;
    const source = await connect({ now: () => new Date(at) });
    const tokens = () => google.server.requests.filter(({ path }) => path === '/token').length;
    await readIds(source);
    at += 3_538_000;
    await readIds(source);
    expect(tokens()).toBe(1);
    at += 2_000;
    await readIds(source);
    expect(tokens()).toBe(2);
  });
});
