import { describe, expect, it } from 'vitest';
import { createReadyCompany, startApplication, toSyncText } from './company.ts';

describe('plan --delete', () => {
  it('shows what the deletion of the resource would do, and does none of it', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.apply();
    const { writes } = directory.counts();
    const plan = async (policy: string, ...more: string[]) => {
      await company.write(
        'manifests/sync.yaml',
        toSyncText({ url: directory.url, spec: `  deletionPolicy: ${policy}\n` }),
      );
      return company.run(['plan', '-f', 'manifests', '--delete', ...more]);
    };

    const retain = await plan('Retain', '--detailed-exitcode');
    expect(retain.stderr).toBe('');
    expect(retain.stdout).toMatch(/^Deleting it changes nothing at 127\.0\.0\.1:\d+ \(deletionPolicy Retain\)\.\n$/);
    expect(retain.code).toBe(0);

    const deactivate = await plan('Deactivate', '--detailed-exitcode');
    expect(deactivate.stdout).toContain(
      'acme, when it is deleted (deletionPolicy Deactivate)\n\nDeactivate 6\n  - p1@corp',
    );
    expect(deactivate.stdout).toContain('\nPlan: 6 to deactivate.');
    expect(deactivate.code).toBe(2);

    const { stdout, code } = await plan('Delete', '-o', 'json');
    expect(code).toBe(0);
    const { operations, ...head } = JSON.parse(stdout);
    expect(head).toMatchObject({
      deletionPolicy: 'Delete',
      reason: 'Planned',
      delete: 6,
      deleteTeams: 1,
      held: { count: 0 },
    });
    expect(operations[0]).toMatchObject({
      kind: 'delete',
      name: 'p1@corp.example',
      cause: 'resourceDeleted',
      reason: 'the DirectorySync is deleted',
      unit: 'person:id-1:resourceDeleted',
      held: null,
    });
    expect(operations.at(-1)).toMatchObject({ resource: 'Team', kind: 'delete', name: 'Sales People' });
    expect(directory.counts().writes).toBe(writes);
  });
});
