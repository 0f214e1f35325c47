import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { resolveTools } from './tools.ts';

describe('resolveTools on a machine that lacks something', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dirsync-tools-'));
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  it('names Go and the two other ways when nothing was built yet', async () => {
    await expect(resolveTools({ PATH: folder })).rejects.toThrow(
      /^Go is not in PATH: install Go 1\.26 or later, or set KUBEBUILDER_ASSETS or DIRSYNC_TEST_KUBECONFIG$/,
    );
  });

  it('says which Go is too old', async () => {
    await writeFile(join(folder, 'go'), '#!/bin/sh\necho go1.19.8\n');
    await chmod(join(folder, 'go'), 0o755);
    await expect(resolveTools({ PATH: folder })).rejects.toThrow(
      /^Go 1\.26 or later is needed and go1\.19\.8 was found/,
    );
  });

  it('lists what KUBEBUILDER_ASSETS lacks', async () => {
    await writeFile(join(folder, 'etcd'), '');
    await expect(resolveTools({ PATH: folder, KUBEBUILDER_ASSETS: folder })).rejects.toThrow(
      `KUBEBUILDER_ASSETS lacks ${join(folder, 'kube-apiserver')}, ${join(folder, 'kubectl')}`,
    );
  });

  it('refuses a kubeconfig that is not there', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    await expect(resolveTools({ PATH: folder, DIRSYNC_TEST_KUBECONFIG: kubeconfig })).rejects.toThrow('names no file');
  });
});
