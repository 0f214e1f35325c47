import { describe, expect, it } from 'vitest';
import { createReadyCompany, makePeople, readUsers, startApplication } from './company.ts';

describe('sync-user', () => {
  it('takes one person through, and nobody else', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(3) });
    const first = await company.run(['sync-user', 'id-2', '-f', 'manifests']);
    expect(first.stderr).toBe('');
    expect(first.stdout).toMatch(/^acme: 1 created, 1 team created, 1 membership added \(\d+ requests, [\d.]+ s\)\n$/);
    expect(first.code).toBe(0);
    expect([...(await readUsers(directory)).keys()]).toEqual(['p2@corp.example']);
    expect((await company.apply()).stdout).toContain('acme: 2 created');
    const again = await company.run(['sync-user', 'id-2', 'acme', '-f', 'manifests', '-o', 'json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ lastRun: { kind: 'OneUser', outcome: 'Synced' } });
  });

  it('says so when nobody has the id', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const { code, stdout, stderr } = await company.run(['sync-user', 'id-404', '-f', 'manifests']);
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      'neither source nor state knows anybody with the source id "id-404"; nothing was written\n',
    ]);
    expect(directory.counts().writes).toBe(0);
  });
});
