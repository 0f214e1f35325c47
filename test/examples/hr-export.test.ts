import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Company, createCompany, readTeams, startApplication, TOKEN } from '../cli/company.ts';
import { type FileServer, startFileServer } from '../sources/file/file-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXPORT = `employeeId,mail,name,team,fte
1001,mei.fenwick@corp.example,Mei Fenwick,Finance,0.5
1002,zoe.olofsson@corp.example,Zoë Olofsson,Sales,1
1001,mei.fenwick@corp.example,Mei Fenwick,Controlling,0.5
`;

async function startExport(content = gzipSync(EXPORT)): Promise<FileServer> {
  const server = await startFileServer();
  onTestFinished(() => server.close());
  server.files.set('/exports/people.csv.gz', content);
  server.answer = (outgoing, { headers }) => {
    if (headers.authorization === 'Bearer put-yours-here') return false;
    outgoing.writeHead(401).end();
    return true;
  };
  return server;
}

/** A copy of the example whose export and application are those of the test. */
async function copyExample(server: FileServer, application: string): Promise<Company> {
  const files: Record<string, string> = {};
  for (const name of await readdir(join(ROOT, 'examples/hr-export'))) {
    const text = await readFile(join(ROOT, 'examples/hr-export', name), 'utf8');
    files[`manifests/${name}`] = text
      .replace('https://hr.corp.example', server.url)
      .replace('http://127.0.0.1:8088/scim/v2', application)
      .replace('hr-app-token', TOKEN);
  }
  return createCompany(files);
}

describe('examples/hr-export', () => {
  it('does what its page shows, and writes nothing the second time (I2)', async () => {
    const application = await startApplication();
    const company = await copyExample(await startExport(), application.url);
    const page = await readFile(join(ROOT, 'docs/sources/file.md'), 'utf8');
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    const planned = await company.run(['plan', '-f', 'manifests']);
    expect([planned.code, planned.stderr]).toEqual([0, '']);
    expect(page).toContain(`$ dirsync plan -f examples/hr-export\n${planned.stdout.trim()}\n`);
    expect((await company.apply()).code).toBe(0);
    expect(Object.keys(await readTeams(application)).toSorted()).toEqual(['Controlling', 'Finance', 'Sales']);
    const { writes } = application.counts();
    expect((await company.apply()).code).toBe(0);
    expect(application.counts().writes).toBe(writes);
  });

  it('keeps everybody when the export is cut off, away or another one (I1)', async () => {
    const application = await startApplication();
    const server = await startExport();
    const company = await copyExample(server, application.url);
    await company.apply();
    const { writes } = application.counts();
    const path = '/exports/people.csv.gz';
    const broken: readonly (Buffer | null)[] = [
      gzipSync(EXPORT).subarray(0, -12),
      null,
      Buffer.from('<html>Log in</html>'),
    ];
    for (const content of broken) {
      if (content === null) server.files.delete(path);
      else server.files.set(path, content);
      expect((await company.apply()).code).toBe(1);
      expect((await company.status()).conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'False', reason: 'ReadFailed' }),
      );
    }
    expect(application.counts().writes).toBe(writes);
  });
});
