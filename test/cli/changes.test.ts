/** The whole way by changes: what a run asks of a directory and of an application when ten of many people have changed. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { startWorkos, toWorkosUser, type WorkosUser } from '../support/workos-server.ts';
import { type Company, createCompany, startApplication, TOKEN, toSyncText } from './company.ts';

const MAPPING = `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: users }
spec:
  attributes:
    - { target: userName, source: email, required: true, matching: { precedence: 1 } }
    - { target: externalId, source: idp_id, matching: { precedence: 2 } }
    - { target: name.familyName, source: last_name }
`;

async function aCompany(people: readonly WorkosUser[]) {
  const workos = await startWorkos({ users: people });
  onTestFinished(() => workos.close());
  workos.eventsSince = Date.now();
  const application = await startApplication();
  const source = `source: { workos: { directoryId: ${workos.directoryId}, apiUrl: "${workos.url}", credentialsRef: { name: workos } } }`;
  const company = await createCompany({
    'manifests/sync.yaml': toSyncText({ url: application.url }).replace(/source: .*/, source),
    'manifests/mapping.yaml': MAPPING,
    'manifests/secrets.yaml': ['app', 'workos']
      .map((name) => {
        const value = name === 'app' ? `token: ${TOKEN}` : `apiKey: ${workos.apiKey}`;
        return `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\nstringData: { ${value} }\n`;
      })
      .join('---\n'),
  });
  return { workos, company };
}

const lastRun = async (company: Company) => (await company.status()).lastRun;
const sourceRead = async (company: Company) =>
  (await company.status()).conditions?.find(({ type }) => type === 'SourceRead')?.message;

describe('ten changes', () => {
  it('of 250 people are three requests to the directory and twelve to the application at most', async () => {
    const people = Array.from({ length: 250 }, (_, n) => toWorkosUser(`u${n}`));
    const { workos, company } = await aCompany(people);
    expect((await company.apply()).code).toBe(0);
    expect(await lastRun(company)).toMatchObject({ kind: 'Verify' });
    expect(await sourceRead(company)).toBe(
      'the last read arrived whole: everybody was read, for there is no complete read to go on from',
    );
    workos.change({ users: people.map((each, n) => (n < 10 ? { ...each, last_name: 'Renamed' } : each)), groups: [] });
    const { code, stdout } = await company.apply();
    expect([code, stdout]).toEqual([0, expect.stringContaining('10 updated')]);
    const run = await lastRun(company);
    expect(run).toMatchObject({ kind: 'Delta', outcome: 'Synced', applied: { update: 10 } });
    expect(run?.requests?.source).toBeLessThanOrEqual(3);
    expect(run?.requests?.target).toBeLessThanOrEqual(12);
    expect(await sourceRead(company)).toBe('the changes since the last read arrived whole');
  });

  it('joiners and leavers among them are not many more', async () => {
    const people = Array.from({ length: 120 }, (_, n) => toWorkosUser(`u${n}`));
    const { workos, company } = await aCompany(people);
    await company.apply();
    workos.change({
      users: [...people.slice(5), ...Array.from({ length: 5 }, (_, n) => toWorkosUser(`new${n}`))],
      groups: [],
    });
    expect((await company.apply()).stdout).toContain('5 created, 5 deactivated');
    const run = await lastRun(company);
    expect(run?.requests?.source).toBeLessThanOrEqual(3);
    // Each joiner is searched for by what they may have an account under.
    expect(run?.requests?.target).toBeLessThanOrEqual(2 + 5 + 5 + 2 * 5);
  });
});
