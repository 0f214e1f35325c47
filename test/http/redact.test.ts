import { describe, expect, it } from 'vitest';
import { redact, toOrigin } from '../../src/http/redact.ts';

describe('redact', () => {
  it.each([
    [
      'GET https://app.example.com/scim/v2/Users?filter=userName%20eq failed',
      'GET https://app.example.com/scim/v2/Users failed',
    ],
    ['see https://ada:hunter2@app.example.com/x', 'see https://app.example.com/x'],
    ['Authorization: Bearer abc.def', 'Authorization: [hidden]'],
    ['{"authorization":"Bearer abcdef123"}', '{"authorization":"[hidden]"}'],
    ['used bearer abcdef123', 'used bearer [hidden]'],
    ['photos.value "data:image/png;base64,iVBORw0KGgo=" is too long', 'photos.value "data:[hidden]" is too long'],
    ['see data: it is short, or so', 'see data: it is short, or so'],
    ['access_token=s3cr3t&x=1', 'access_token=[hidden]&x=1'],
    ['{"password":"hunter2"}', '{"password":"[hidden]"}'],
    ['jwt eyJhbGciOi.eyJzdWIiOi.c2ln here', 'jwt [hidden] here'],
    ['key 9f8e7d6c5b4a39281706f5e4d3c2b1a0aa here', 'key [hidden] here'],
    ['User ada.byron+x@corp.example exists', 'User [mail] exists'],
    ['ünïcode müller@bücher.example exists', 'ünïcode [mail] exists'],
    ['id 2819c223-7f76-453a-919d-413861904646 is gone', 'id 2819c223-7f76-453a-919d-413861904646 is gone'],
    ['two\n  lines\t', 'two lines'],
    ['userName is required', 'userName is required'],
  ])('%j becomes %j', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('cuts what is too long', () => {
    expect(redact('ab '.repeat(200), 20)).toBe('ab ab ab ab ab ab a…');
  });
});

describe('toOrigin', () => {
  it.each([
    ['https://u:p@app.example.com:8443/scim?x=1', 'https://app.example.com:8443'],
    ['not a url', 'the configured address'],
  ])('%j is %j', (url, expected) => {
    expect(toOrigin(url)).toBe(expected);
  });
});
