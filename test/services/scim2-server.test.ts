import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Scim2Server, startScim2Server } from './python.ts';

describe('scim2-server', () => {
  let server: Scim2Server;
  beforeAll(async () => {
    server = await startScim2Server();
  });
  afterAll(() => server?.stop());

  it('answers ServiceProviderConfig to its token', async () => {
    const authorization = `Bearer ${server.token}`;
    const response = await fetch(`${server.url}/ServiceProviderConfig`, { headers: { authorization } });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      patch: { supported: true },
      filter: { supported: true },
      etag: { supported: true },
    });
  });

  it('refuses a request without the token', async () => {
    expect((await fetch(`${server.url}/Users`)).status).toBe(401);
  });

  it('is gone after it was stopped', async () => {
    const other = await startScim2Server();
    await other.stop();
    await expect(fetch(`${other.url}/ServiceProviderConfig`)).rejects.toThrow();
  });
});
