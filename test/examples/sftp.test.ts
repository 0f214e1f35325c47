import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Company, createCompany, readUsers, startApplication, TOKEN } from '../cli/company.ts';
import { withFolder } from '../sources/file/files.ts';
import { type RunningSftpServer, startSftpServer } from '../support/sftp-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of the example whose server and application are those of the test. */
async function copyExample({ port, hostKey }: RunningSftpServer, application: string): Promise<Company> {
  const files: Record<string, string> = {};
  for (const name of await readdir(join(ROOT, 'examples/sftp'))) {
    const text = await readFile(join(ROOT, 'examples/sftp', name), 'utf8');
    files[`manifests/${name}`] = text
      .replace('host: sftp.corp.example', `host: 127.0.0.1\n          port: ${port}`)
      .replace(/hostKey: .*/, `hostKey: ${hostKey}`)
      .replace('http://127.0.0.1:8089/scim/v2', application)
      .replace('sftp-app-token', TOKEN);
  }
  return createCompany(files);
}

describe('examples/sftp', () => {
  it('takes people from the newest file, and keeps them when there is none any more (I1, I2)', async () => {
    await withFolder(async (folder) => {
      const server = await startSftpServer({ folder, username: 'dirsync', password: 'put-yours-here' });
      onTestFinished(() => server.close());
      await mkdir(join(folder, 'export'));
      const put = async (day: string, names: readonly string[]): Promise<void> => {
        const rows = names.map((name, index) => `${index + 1},${name.toLowerCase()}@corp.example,${name}\n`);
        const path = join(folder, `export/people-${day}.csv`);
        await writeFile(path, `employeeId,mail,name\n${rows.join('')}`);
        await utimes(path, new Date(day), new Date(day));
      };
      await put('2026-03-01', ['Mei', 'Bo']);
      await put('2026-03-02', ['Mei', 'Zoe', 'Hugo']);
      const application = await startApplication();
      const company = await copyExample(server, application.url);
      const validated = await company.run(['validate', '-f', 'manifests']);
      expect([validated.code, validated.stderr]).toEqual([0, '']);
      expect((await company.apply()).code).toBe(0);
      const people = ['hugo@corp.example', 'mei@corp.example', 'zoe@corp.example'];
      expect([...(await readUsers(application)).keys()].toSorted()).toEqual(people);
      const { writes } = application.counts();
      expect((await company.apply()).code).toBe(0);
      await rm(join(folder, 'export'), { recursive: true });
      const failed = await company.apply();
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain('cannot read sftp://127.0.0.1/export/people-*.csv: no such file');
      expect(application.counts().writes).toBe(writes);
    });
  });
});
