import { expect, it } from 'vitest';
import { aCompanyOf, createCompany } from '../support/company.ts';

it('ends a run at timeouts.run after the operation under way, and the next run goes on', async () => {
  const company = await createCompany();
  company.people = aCompanyOf(120);
  company.spec = { ...company.spec, limits: { concurrency: 1 }, timeouts: { run: '1s' } };
  const clock = new AbortController();
  const asked: number[] = [];
  company.timeout = (ms) => {
    asked.push(ms);
    return clock.signal;
  };
  let sent = 0;
  company.target.intercept = (request) => {
    if (!request.startsWith('createUser')) return;
    sent += 1;
    if (sent === 5) clock.abort(new DOMException('the run took too long', 'TimeoutError'));
  };
  const report = await company.run();
  expect(report).toMatchObject({
    outcome: 'waiting',
    reason: 'ApplyFailed',
    message: 'the run took longer than timeouts.run and was ended; the next one goes on',
    stopped: false,
    failedStep: 'apply',
  });
  expect(asked).toEqual([1000]);
  expect(company.target.users.size).toBeLessThan(120);
  delete company.timeout;
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  expect(company.target.users.size).toBe(120);
  expect(company.target.writes).toHaveLength(120);
});
