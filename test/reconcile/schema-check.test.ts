/** What the target says of its own schemas stops a run before its first write, or is a warning. */
import { expect, it, onTestFinished } from 'vitest';
import { type AttributeDefinition, CORE_USER, createSchemaSet, ENTERPRISE_USER } from '../../src/scim/schema.ts';
import type { TargetCapabilities } from '../../src/targets/target.ts';
import { aCompanyOf, createCompany } from '../support/company.ts';

async function aCompany(change: Partial<AttributeDefinition>, more: Partial<TargetCapabilities> = {}) {
  const attributes = CORE_USER.attributes.map((each) => (each.name === 'title' ? { ...each, ...change } : each));
  const schemas = createSchemaSet([{ ...CORE_USER, attributes }, ENTERPRISE_USER]);
  const company = await createCompany({ capabilities: { schemas, ...more } });
  onTestFinished(() => company.store.close());
  company.people = aCompanyOf(3);
  return company;
}

it('a mapped attribute that is read-only there stops the run before its first write, first run or not', async () => {
  const company = await aCompany({ mutability: 'readOnly' });
  const report = await company.run();
  expect(report).toMatchObject({
    outcome: 'stalled',
    reason: 'Invalid',
    failedStep: 'observe',
    message: 'the target lists "title" as read-only: take its entry out of the mapping',
  });
  expect(company.target.writes).toEqual([]);
  company.mapping = { attributes: company.mapping.attributes.filter(({ target }) => target !== 'title') };
  expect(await company.run()).toMatchObject({ reason: 'Synced' });
  expect(company.target.writes).toHaveLength(3);
});

it('what is known never to be sent stops nothing', async () => {
  const attribute: TargetCapabilities['attribute'] = (_resource, path) => ({
    writes: path === 'title' ? 'never' : 'always',
    shows: 'exactly',
  });
  const company = await aCompany({ mutability: 'readOnly' }, { attribute });
  expect(await company.run()).toMatchObject({ reason: 'Synced' });
});

it('what may not work is a warning', async () => {
  const company = await aCompany({ mutability: 'immutable' });
  const report = await company.run();
  expect(report.reason).toBe('Synced');
  expect(report.warnings).toEqual([
    {
      reason: 'ImmutableAttribute',
      message: 'the target lists "title" as immutable and will refuse to change it; apply: OnCreate writes it once',
    },
  ]);
});
