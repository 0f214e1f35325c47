import { describe, expect, it } from 'vitest';
import { toAuthorization } from '../../../src/targets/scim/config.ts';
import { scimTarget } from '../../../src/targets/scim/index.ts';

const credentialsRef = { name: 'acme-app' };

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
    expect(toAuthorization(secrets as Record<string, string>)).toBe(header);
  });

  it.each([
    [{}, 'the Secret of target.scim.credentialsRef must have the key "token", or "username" and "password"'],
    [{ token: '' }, 'the Secret of target.scim.credentialsRef must have the key "token", or "username" and "password"'],
    [
      { username: 'u' },
      'the Secret of target.scim.credentialsRef must have the key "token", or "username" and "password"; of these only "username" is there',
    ],
  ])('%j names the keys that are wanted', (secrets, message) => {
    expect(() => toAuthorization(secrets as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'ReferenceNotFound', message }),
    );
  });

  it('a token that no header can carry is refused without being shown', () => {
    expect(() => toAuthorization({ token: 'a b' })).toThrow(expect.objectContaining({ code: 'Invalid' }));
    expect(() => toAuthorization({ token: 'hunter2\nx' })).not.toThrow(/hunter2/);
  });
});
