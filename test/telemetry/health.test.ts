import { afterEach, describe, expect, it } from 'vitest';
import { type HealthServer, startHealthServer } from '../../src/telemetry/health.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

let server: HealthServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(ready: () => true | string = () => true): Promise<string> {
  server = await startHealthServer({ listen: '127.0.0.1:0', ready, metrics: createMetrics() });
  return server.url;
}

describe('the health server', () => {
  it('is alive as soon as it answers, and ready when told so', async () => {
    let ready: true | string = 'waiting for the first list of DirectorySyncs';
    const url = await start(() => ready);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const waiting = await fetch(`${url}/readyz`);
    expect([waiting.status, await waiting.text()]).toEqual([503, `${ready}\n`]);
    ready = true;
    expect((await fetch(`${url}/readyz?verbose`)).status).toBe(200);
  });

  it('shows the metrics', async () => {
    const response = await fetch(`${await start()}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await response.text()).toContain('# TYPE dirsync_runs_total counter');
  });

  it('knows nothing else', async () => {
    expect((await fetch(`${await start()}/debug`)).status).toBe(404);
  });

  it.each(['8080', 'host', 'a:b', ':99999', '1.2.3.4:'])('refuses the address %j', async (listen) => {
    await expect(startHealthServer({ listen, ready: () => true, metrics: createMetrics() })).rejects.toMatchObject({
      code: 'Invalid',
      message: `"${listen}" is no address to listen on; write host:port, such as 0.0.0.0:8080`,
    });
  });

  it('says which address is taken', async () => {
    const taken = new URL(await start()).host;
    const second = startHealthServer({ listen: taken, ready: () => true, metrics: createMetrics() });
    await expect(second).rejects.toMatchObject({
      code: 'Invalid',
      message: `cannot listen on ${taken} (EADDRINUSE); choose another address`,
    });
  });
});
