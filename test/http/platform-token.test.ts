import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPlatformTokens } from '../../src/http/platform-token.ts';

async function aFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-token-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'azure-identity-token');
  await writeFile(file, text);
  return file;
}

describe('the token of the platform', () => {
  it('is read anew each time', async () => {
    const file = await aFile('eyJ.one\n');
    const read = createPlatformTokens({
      AZURE_FEDERATED_TOKEN_FILE: file,
      AZURE_CLIENT_ID: 'client',
      AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
    });
    expect(await read()).toEqual({
      token: 'eyJ.one',
      clientId: 'client',
      authorityUrl: 'https://login.microsoftonline.com/',
    });
    await writeFile(file, 'eyJ.two');
    expect((await read())?.token).toBe('eyJ.two');
  });

  it('is none without the variable', async () => {
    expect(await createPlatformTokens({ AZURE_CLIENT_ID: 'client' })()).toBeNull();
    expect(await createPlatformTokens({ AZURE_FEDERATED_TOKEN_FILE: '' })()).toBeNull();
  });

  it('that cannot be read, or is none, is told', async () => {
    for (const [file, why] of [
      ['/nowhere/token', 'cannot be read'],
      [await aFile(' \n'), 'is none'],
    ] as const) {
      await expect(createPlatformTokens({ AZURE_FEDERATED_TOKEN_FILE: file })()).rejects.toMatchObject({
        code: 'ReferenceNotFound',
        message: `the token of the workload identity ${why} (AZURE_FEDERATED_TOKEN_FILE)`,
      });
    }
  });
});
