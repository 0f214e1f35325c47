import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createKubeClient, loadKubeConfig } from '../../src/kube/client.ts';
import { FakeApiServer } from './api-server.ts';

afterEach(() => vi.unstubAllEnvs());

describe('loadKubeConfig', () => {
  it.each([
    { text: undefined, message: 'the kubeconfig cannot be read; check the file that KUBECONFIG names' },
    { text: '{ not yaml', message: 'the kubeconfig cannot be read; check the file that KUBECONFIG names' },
    {
      text: 'apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n',
      message: 'the kubeconfig has no current context; run kubectl config use-context NAME',
    },
  ])('says what is wrong with $text', ({ text, message }) => {
    const folder = mkdtempSync(join(tmpdir(), 'dirsync-kubeconfig-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'config');
    if (text !== undefined) writeFileSync(file, text);
    vi.stubEnv('KUBECONFIG', file);
    expect(() => loadKubeConfig()).toThrow(expect.objectContaining({ code: 'Invalid', message }));
  });
});

describe('loadKubeConfig without a kubeconfig', () => {
  it('does not fall back to an address that nobody chose', () => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('HOME', '/nonexistent');
    expect(() => loadKubeConfig()).toThrow(
      'no cluster is configured: set KUBECONFIG, or run in a pod with a service account',
    );
  });
});

describe('the client', () => {
  it('keeps the path of the server, sends the credentials and reuses the connection', async () => {
    const api = await new FakeApiServer().start();
    const client = createKubeClient({ kubeConfig: api.kubeConfig });
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 3; i += 1) {
      api.faults.push((_request, response) => {
        ports.add(response.socket?.remotePort);
        return false;
      });
      await client.send({ method: 'GET', path: '/api/v1/secrets', query: { limit: '1' }, about: 'secrets' });
    }
    expect(api.requests('GET', '/api/v1/secrets')).toHaveLength(3);
    expect(ports.size).toBe(1);
    client.close();
    await api.stop();
  });

  it('ends a request when its signal aborts', async () => {
    const api = await new FakeApiServer().start();
    const client = createKubeClient({ kubeConfig: api.kubeConfig });
    const controller = new AbortController();
    api.faults.push(() => {
      controller.abort();
      return true;
    });
    const sent = client.send({ method: 'GET', path: '/x', about: 'x', signal: controller.signal });
    await expect(sent).rejects.toMatchObject({ code: 'Aborted' });
    client.close();
    await api.stop();
  });

  it('refuses plain http unless the kubeconfig says that it is meant', () => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser({ name: 'c', server: 'http://127.0.0.1:1', skipTLSVerify: false }, { name: 'u' });
    expect(() => createKubeClient({ kubeConfig })).toThrow(
      'the kubeconfig has an API server over plain http; write https, or insecure-skip-tls-verify: true when the network may read the token',
    );
  });

  it('refuses a configuration without a cluster', () => {
    expect(() => createKubeClient({ kubeConfig: new KubeConfig() })).toThrow('the kubeconfig names no cluster');
  });
});
