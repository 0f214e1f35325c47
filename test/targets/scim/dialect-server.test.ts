import { expect, it } from 'vitest';
import { APPLICATIONS } from '../../support/dialects/dialect.ts';
import { createDialectServer } from '../../support/dialects/server.ts';
import { toTransport } from '../../support/dialects/transport.ts';

const WIRE = { agents: {} as never, timeoutMs: 1, maxBodyBytes: 1 };

/** A user whom every application takes. */
const ADA = {
  userName: 'ada',
  externalId: 'e1',
  active: true,
  displayName: 'Ada Byron',
  name: { givenName: 'Ada', familyName: 'Byron' },
  emails: [{ type: 'work', primary: true, value: 'ada@corp.example' }],
};

it.each(Object.entries(APPLICATIONS))('%s answers without a socket, and the same a second time', async (_, dialect) => {
  const run = async (): Promise<unknown[]> => {
    const transport = toTransport(createDialectServer(dialect));
    const send = (method: 'GET' | 'POST', path: string, body?: unknown) =>
      transport(
        {
          method,
          url: `https://app.example.com/scim/v2${path}`,
          headers: { Authorization: 'Bearer right' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          repeatable: false,
          signal: new AbortController().signal,
        },
        WIRE,
      );
    return [await send('POST', '/Users', ADA), await send('GET', '/Users?count=10'), await send('GET', '/Groups')];
  };
  const [created, listed, groups] = await run();
  expect(created).toMatchObject({ response: { status: 201, body: expect.stringContaining('"id"') } });
  expect(listed).toMatchObject({ response: { status: 200, body: expect.stringContaining('"userName":"ada"') } });
  expect(groups).toMatchObject({ response: { status: dialect.groups === 'none' ? 404 : 200 } });
  expect(await run()).toEqual([created, listed, groups]);
});
