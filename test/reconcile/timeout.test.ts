import { expect, it } from 'vitest';
import { aCompanyOf, createCompany } from '../support/company.ts';

it('ends a run at timeouts.run after the operation under way, and the next run goes on', async () => {
  const company = await createCompany();
  company.people = aCompanyOf(120);
  company.spec = { ...company.spec, limits: { concurrency: 1 }, timeouts: { run: '1s' } };
  let sent = 0;
  company.target.intercept = (request) => {
    if (!request.startsWith('createUser')) return;
    sent += 1;
    // The clock of the run is real: the fifth request takes it past its end.
    if (sent === 5) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100);
  };
  const report = await company.run();
  expect(report).toMatchObject({
    outcome: 'waiting',
    reason: 'ApplyFailed',
    message: 'the run took longer than timeouts.run and was ended; the next one goes on',
    stopped: false,
    failedStep: 'apply',
  });
  expect(company.target.users.size).toBeLessThan(120);
  company.spec = { ...company.spec, timeouts: { run: '1h' } };
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  expect(company.target.users.size).toBe(120);
  expect(company.target.writes).toHaveLength(120);
});
