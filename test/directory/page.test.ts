/** The examples of docs/directory.md, which must be what the directory answers. */
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { openService } from '../../src/directory/service.ts';
import { URN_PATCH_OP, URN_USER } from '../../src/scim/schema.ts';
import { aUser } from './directory-client.ts';

const PAGE = readFileSync(new URL('../../docs/directory.md', import.meta.url), 'utf8');
const [config, bulkAnswer, firstPage] = [...PAGE.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = '']) =>
  JSON.parse(text),
);
const bulkRequest = /-d '(\{[\s\S]*?\})'\n```/.exec(PAGE)?.[1] ?? '';
const refusals = [...PAGE.matchAll(/^\| `(\{"op".*\})` \| `(\w+)` \| `(.+)` \|$/gm)].map(
  ([, operation = '', scimType = '', detail = '']) => ({ operation: JSON.parse(operation), scimType, detail }),
);

/** A directory at the address, with the ids and at the moment of the page. */
function open() {
  const ids = ['f24918b1-b78d-4962-b731-6bd7b1294e67', 'eeca3acf-7d1b-4dae-acf0-c909c9c2ffed', 'bob', 'cyd'];
  const service = openService('http://127.0.0.1:8080/scim/v2', {
    file: ':memory:',
    token: null,
    makeId: () => ids.shift() ?? 'none',
    readClock: () => new Date(1_795_942_045_418),
  });
  onTestFinished(() => service.close());
  return async (method: string, path: string, body = '') => {
    const answer = await service.handle({ method, path: `/scim/v2${path}`, headers: {}, body });
    return JSON.parse(answer.body ?? 'null');
  };
}

it('shows what the directory says of itself, a bulk request and a first page', async () => {
  const call = open();
  expect(await call('GET', '/ServiceProviderConfig')).toEqual(config);
  expect(await call('POST', '/Bulk', bulkRequest)).toEqual(bulkAnswer);
  await call('POST', '/Users', JSON.stringify({ schemas: [URN_USER], userName: 'cyd@corp.example' }));
  expect(await call('GET', '/Users?cursor&count=1&attributes=userName')).toEqual(firstPage);
});

it('shows refusals', async () => {
  expect(refusals).toHaveLength(4);
  const call = open();
  const { id } = await call('POST', '/Users', JSON.stringify(aUser()));
  for (const { operation, scimType, detail } of refusals) {
    const body = JSON.stringify({ schemas: [URN_PATCH_OP], Operations: [operation] });
    expect(await call('PATCH', `/Users/${id}`, body)).toMatchObject({ status: '400', scimType, detail });
  }
});
