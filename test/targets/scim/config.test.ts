import { describe, expect, it } from 'vitest';
import { toCredentials, toOwnNames } from '../../../src/targets/scim/config.ts';
import { scimTarget } from '../../../src/targets/scim/index.ts';

const credentialsRef = { name: 'acme-app' };
const CONFIG = { url: 'https://app.example.com/scim/v2', credentialsRef };

describe('validate', () => {
  it.each([
    ['https://app.example.com/scim/v2', false, []],
    ['http://127.0.0.1:8080/scim/v2', false, []],
    ['http://localhost/scim/v2', false, []],
    ['http://app.example.com/scim/v2', true, []],
    [
      'http://app.example.com/scim/v2',
      false,
      ['target.scim.url is plain http, which needs allowHTTP: true for a host other than loopback'],
    ],
    ['app.example.com/scim', false, ['target.scim.url is no URL; write one such as https://app.example.com/scim/v2']],
    ['ftp://app.example.com', false, ['target.scim.url must begin with https://']],
    [
      'https://u:p@app.example.com/?x=1',
      false,
      [
        'target.scim.url must not hold a user or password; put them into the Secret of credentialsRef',
        'target.scim.url must not have a query or fragment',
      ],
    ],
  ])('%s with allowHTTP %s', (url, allowHTTP, problems) => {
    expect(scimTarget.validate({ url, allowHTTP, credentialsRef })).toEqual(problems);
  });
});

describe('endpoint', () => {
  it.each([
    ['https://App.Example.COM:443/scim/v2/', 'app.example.com/scim/v2'],
    ['https://app.example.com:8443/SCIM', 'app.example.com:8443/SCIM'],
    ['http://app.example.com', 'app.example.com'],
  ])('%s is %s', (url, endpoint) => {
    expect(scimTarget.endpoint({ url, credentialsRef })).toBe(endpoint);
  });
});

describe('credentials', () => {
  it.each([
    [{ token: 'abc' }, 'Bearer abc'],
    [{ token: 'abc\n', username: 'u', password: 'p' }, 'Bearer abc'],
    [{ username: 'ü', password: 'p:q' }, `Basic ${Buffer.from('ü:p:q').toString('base64')}`],
  ])('%j', (secrets, header) => {
    expect(toCredentials(CONFIG, secrets as Record<string, string>)).toEqual({ kind: 'Static', authorization: header });
  });

  it.each([
    [{}, 'it has no keys'],
    [{ token: '', other: 'x' }, 'it has other, token'],
    [{ username: 'u' }, 'of these only "username" is there'],
    [{ clientId: 'c', tokenUrl: 'https://login.example.com' }, 'of these only "clientId" and "tokenUrl" are there'],
  ])('%j names the keys that are wanted', (secrets, found) => {
    const message = `the Secret of target.scim.credentialsRef must have the key "token", or "username" and "password", or "clientId", "clientSecret" and "tokenUrl"; ${found}`;
    expect(() => toCredentials(CONFIG, secrets as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'ReferenceNotFound', message }),
    );
  });

  it('of an OAuth client', () => {
    const secrets = { clientId: 'c', clientSecret: 's\n', tokenUrl: 'https://login.example.com/token' };
    expect(toCredentials(CONFIG, secrets)).toEqual({
      ...{ kind: 'ClientCredentials', clientId: 'c', clientSecret: 's', scope: null },
      tokenUrl: 'https://login.example.com/token',
    });
    expect(toCredentials(CONFIG, { ...secrets, scope: 'scim.write' })).toMatchObject({ scope: 'scim.write' });
  });

  it.each([
    ['http://login.example.com/token', false],
    ['http://localhost:8080/token', true],
    ['https://u:p@login.example.com/token', false],
    ['login.example.com', false],
  ])('a tokenUrl that is %s is taken: %s', (tokenUrl, taken) => {
    const read = () => toCredentials(CONFIG, { clientId: 'c', clientSecret: 's', tokenUrl });
    if (taken) expect(read()).toMatchObject({ tokenUrl });
    else
      expect(read).toThrow(expect.objectContaining({ code: 'Invalid', message: expect.stringMatching(/"tokenUrl"/) }));
  });

  it('a token that no header can carry is refused without being shown', () => {
    expect(() => toCredentials(CONFIG, { token: 'a b' })).toThrow(expect.objectContaining({ code: 'Invalid' }));
    expect(() => toCredentials(CONFIG, { token: 'hunter2\nx' })).not.toThrow(/hunter2/);
  });
});

describe('headers', () => {
  const LONG = 'target.scim.headers: ';
  it.each<[Record<string, string>, string[]]>([
    [{ 'X-Tenant': 'acme', 'X-Note': 'two words' }, []],
    [{ Authorization: 'Bearer x' }, [`${LONG}"Authorization" is set by Dirsync itself and must be left out`]],
    [{ HOST: 'x' }, [`${LONG}"HOST" is set by Dirsync itself and must be left out`]],
    [{ 'content-length': '1' }, [`${LONG}"content-length" is set by Dirsync itself and must be left out`]],
    [{ 'X-A': '1', 'x-a': '2' }, [`${LONG}"x-a" stands twice; case does not tell headers apart`]],
    [{ 'X A': '1' }, [`${LONG}"X A" cannot be the name of a header`]],
    [
      { 'X-A': 'a\r\nEvil: 1' },
      [`${LONG}"X-A" has a value that no header can carry: printable ASCII without blanks at its ends`],
    ],
  ])('%j', (headers, problems) => {
    expect(scimTarget.validate({ ...CONFIG, headers })).toEqual(problems);
  });
});

describe('toOwnNames', () => {
  const token = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

  it.each<readonly [string, Record<string, string>, readonly string[]]>([
    [
      'the user name of basic authentication',
      { username: 'sync@corp.example\n', password: 'x' },
      ['sync@corp.example'],
    ],
    [
      'whom a JSON Web Token names',
      { token: token({ sub: 'u-1', email: 'sync@corp.example', aud: 'x' }) },
      ['u-1', 'sync@corp.example'],
    ],
    ['nobody, of a token without a subject', { token: token({ exp: 1, sub: 7, upn: '' }) }, []],
    ['nobody, of any other token', { token: 'a.b.c' }, []],
    ['nobody, of a token that is no object', { token: token('x') }, []],
    ['nobody, without credentials', {}, []],
  ])('are %s', (_, secrets, expected) => {
    expect(toOwnNames(secrets)).toEqual(expected);
  });
});
