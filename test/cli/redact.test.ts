import { describe, expect, it } from 'vitest';
import { createReadyCompany, MAPPING, makePeople, readUsers, startApplication, TOKEN } from './company.ts';

const REDACTED = MAPPING.replace('source: title', "expression: 'Redact([title])'");

describe('a value of an expression with Redact', () => {
  it('is written, and shown in no plan, no drift and no history', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(2, () => ({ title: 'Secret-1' })) });
    await company.write('manifests/mapping.yaml', REDACTED);
    const created = await company.run(['plan', '-f', 'manifests', '-o', 'json']);
    expect(created.stdout).toContain('"after":"[Redact]"');
    await company.apply();
    expect((await readUsers(directory)).get('p1@corp.example')).toMatchObject({ title: 'Secret-1' });

    await company.writePeople(makePeople(2, () => ({ title: 'Secret-2' })));
    const plan = await company.run(['plan', '-f', 'manifests', '--all']);
    expect(plan.stdout).toContain('title: "[Redact]" → "[Redact]"');
    await company.apply();
    const history = await company.run(['history', 'acme', 'last']);
    expect(history.stdout).toContain('title "[Redact]" → "[Redact]"');

    const users = await readUsers(directory);
    expect(users.get('p1@corp.example')).toMatchObject({ title: 'Secret-2' });
    await fetch(`${directory.url}/Users/${String(users.get('p2@corp.example')?.['id'])}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'title', value: 'Secret-3' }],
      }),
    });
    const drift = await company.run(['drift', '-f', 'manifests']);
    expect(drift.stdout).toContain('~ title: "[Redact]" → "[Redact]"');
    for (const { stdout } of [created, plan, history, drift]) expect(stdout).not.toContain('Secret-');
  });

  it('stays out of the message about a value that does not fit', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(1, () => ({ title: 'Secret-1' })) });
    await company.write(
      'manifests/mapping.yaml',
      REDACTED.replace('target: title', 'target: active').replace(', onEmpty: Clear', ''),
    );
    const { stdout } = await company.run(['plan', '-f', 'manifests', '-o', 'json']);
    expect(stdout).toContain('\\"active\\": \\"[Redact]\\" is not');
    expect(stdout).not.toContain('Secret-');
  });
});
