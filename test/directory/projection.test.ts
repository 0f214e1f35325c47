/** `returned` of RFC 7643 section 2.2, which the RFC's own schemas use but for `id`, `schemas` and `password` nowhere. */
import { describe, expect, it } from 'vitest';
import { toAttributeDefinition, URN_PATCH_OP, URN_SEARCH_REQUEST, URN_USER } from '../../src/scim/schema.ts';
import { aUser, openTestDirectory } from './directory-client.ts';

const ACME = 'urn:example:params:acme:1.0:User';
const SCHEMA = {
  id: ACME,
  name: 'Acme',
  description: '',
  attributes: [
    toAttributeDefinition('tenant', 'String', '', { returned: 'always' }),
    toAttributeDefinition('plain', 'String', ''),
    toAttributeDefinition('photo', 'String', '', { returned: 'request' }),
    toAttributeDefinition('pin', 'String', '', { returned: 'never', mutability: 'writeOnly' }),
    toAttributeDefinition('desks', 'Complex', '', {
      multiValued: true,
      subAttributes: [
        toAttributeDefinition('value', 'String', '', { returned: 'always' }),
        toAttributeDefinition('room', 'String', ''),
        toAttributeDefinition('plan', 'String', '', { returned: 'request' }),
        toAttributeDefinition('code', 'String', '', { returned: 'never' }),
      ],
    }),
  ],
};
const VALUES = {
  tenant: 't',
  plain: 'p',
  photo: 'f',
  pin: '1234',
  desks: [{ value: 'd', room: 'r', plan: 'n', code: 'c' }],
};
const USUAL = { tenant: 't', plain: 'p', desks: [{ value: 'd', room: 'r' }] };

async function open() {
  const directory = await openTestDirectory({ schemas: [SCHEMA] });
  const id = await directory.addUser({ title: 'Countess', [ACME]: VALUES });
  return { directory, id };
}

describe('returned', () => {
  it.each([
    ['', USUAL],
    ['attributes=title', { tenant: 't' }],
    [`attributes=${ACME}:plain`, { tenant: 't', plain: 'p' }],
    [`attributes=${ACME}:photo`, { tenant: 't', photo: 'f' }],
    [`attributes=${ACME}:pin`, { tenant: 't' }],
    [`attributes=${ACME}`, { ...USUAL, photo: 'f' }],
    [`attributes=${ACME}:desks`, { tenant: 't', desks: [{ value: 'd', room: 'r' }] }],
    [`attributes=${ACME}:desks.room`, { tenant: 't', desks: [{ value: 'd', room: 'r' }] }],
    [`attributes=${ACME}:desks.plan`, { tenant: 't', desks: [{ value: 'd', plan: 'n' }] }],
    [
      `attributes=${ACME}:desks,${ACME}:desks.plan,${ACME}:desks.code`,
      { tenant: 't', desks: [{ value: 'd', room: 'r', plan: 'n' }] },
    ],
    [`excludedAttributes=title`, USUAL],
    [`excludedAttributes=${ACME}:tenant,${ACME}:plain`, { tenant: 't', desks: USUAL.desks }],
    [`excludedAttributes=${ACME}:desks.room,${ACME}:desks.value`, { ...USUAL, desks: [{ value: 'd' }] }],
    [`excludedAttributes=${ACME}`, { tenant: 't' }],
  ])('GET with %j shows %j of the extension', async (query, expected) => {
    const { directory, id } = await open();
    const { body } = await directory.call('GET', `/Users/${id}?${query}`);
    expect(body).toMatchObject({ id, schemas: [URN_USER, ACME] });
    expect(body[ACME]).toEqual(expected);
    const list = await directory.call('GET', `/Users?${query}`);
    expect(list.body.Resources[0]).toEqual(body);
  });

  it('holds for the answers to changes and to searches too', async () => {
    const { directory, id } = await open();
    const path = `/Users/${id}`;
    const replace = { schemas: [URN_PATCH_OP], Operations: [{ op: 'replace', path: 'title', value: 'x' }] };
    expect((await directory.call('PATCH', path, replace)).body[ACME]).toEqual(USUAL);
    const asked = await directory.call('PATCH', `${path}?attributes=${ACME}:photo`, replace);
    expect(asked.body[ACME]).toEqual({ tenant: 't', photo: 'f' });
    const put = await directory.call('PUT', `${path}?attributes=title`, aUser({ title: 'y', [ACME]: VALUES }));
    expect(put.body).toEqual({ schemas: [URN_USER, ACME], id, title: 'y', [ACME]: { tenant: 't' } });
    const search = { schemas: [URN_SEARCH_REQUEST], attributes: [`${ACME}:photo`] };
    const { body } = await directory.call('POST', '/Users/.search', search);
    expect(body.Resources[0][ACME]).toEqual({ tenant: 't', photo: 'f' });
  });

  it('keeps nothing of what is never returned', async () => {
    const { directory, id } = await open();
    const filter = encodeURIComponent(`${ACME}:pin eq "1234"`);
    expect(await directory.call('GET', `/Users?filter=${filter}`)).toMatchObject({ status: 400 });
    const pin = { op: 'replace', path: `${ACME}:pin`, value: '9' };
    expect((await directory.patch(`/Users/${id}`, pin)).body.meta.version).toBe('W/"1"');
  });

  it('refuses lists of attributes that are none', async () => {
    const { directory } = await open();
    const search = { schemas: [URN_SEARCH_REQUEST], attributes: 'title' };
    expect(await directory.call('POST', '/Users/.search', search)).toMatchObject({ status: 400 });
  });
});

describe('HEAD', () => {
  it('answers as GET does, without the body', async () => {
    const { directory, id } = await open();
    for (const path of [`/Users/${id}`, '/Users', '/ServiceProviderConfig', '/Users/nobody']) {
      const get = await directory.call('GET', path);
      const head = await directory.call('HEAD', path);
      expect(head).toMatchObject({ status: get.status, body: null });
      for (const name of ['etag', 'content-type', 'content-length']) {
        expect(head.headers.get(name), `${path} ${name}`).toBe(get.headers.get(name));
      }
    }
    expect((await directory.call('HEAD', '/Bulk')).status).toBe(405);
    expect((await directory.call('DELETE', '/Users')).headers.get('allow')).toBe('GET, HEAD, POST');
  });
});
