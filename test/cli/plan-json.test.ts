import { expect, it } from 'vitest';
import { toShownOperation } from '../../src/cli/plan-json.ts';
import { aCompanyOf, createCompany } from '../support/company.ts';

const BUDDIES = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:buddies';

it('names a person of a list by the id in the application where there is one, else by the id here', async () => {
  const company = await createCompany();
  company.columns = ['id', 'mail', 'title', 'buddies'];
  company.customs = {
    buddies: { type: 'Reference', references: { resource: 'User' }, path: BUDDIES, multiValued: true },
  };
  company.mapping = {
    attributes: [...(company.mapping.attributes ?? []), { target: 'buddies', source: 'buddies' }],
  };
  company.people = aCompanyOf(2);
  await company.run();
  const [first, ...others] = aCompanyOf(3);
  company.people = first === undefined ? [] : [{ ...first, buddies: ['p2', 'p3'] } as never, ...others];
  const planned = await company.operations(await company.run({ planOnly: true }));
  const reference = planned.find(({ phase }) => phase === 'references');
  if (reference === undefined) throw new Error('nothing refers to anybody');
  expect((await toShownOperation(reference, await company.state())).changes).toEqual([
    { path: BUDDIES, after: ['u2', 'new:p3'] },
  ]);
});
