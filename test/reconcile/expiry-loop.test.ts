/** The end of a token, from the run that reads it to status, event and metric. */
import { expect, it } from 'vitest';
import { findCondition } from '../../src/api/kstatus.ts';
import { createLoopWorld, MINUTE } from '../support/loop-world.ts';

const DAY = 24 * 60 * MINUTE;

it('is a condition, one event at each threshold, and a metric that a restart does not forget', async () => {
  const world = await createLoopWorld();
  const end = world.clock.now() + 7 * DAY + 30 * MINUTE;
  Object.assign(world.company.target.provider, { expiresAt: () => end });
  world.putSync();
  await world.start();
  const told = () => world.host.events.filter(({ reason }) => reason === 'CredentialsExpiring');
  const readMetric = async () => {
    const line = /^dirsync_credentials_seconds_left\{(.*)\} (\S+)$/m.exec(await world.metrics.expose());
    expect(line?.[1]).toBe('namespace="identity",directorysync="acme",kind="Token",host=""');
    return Number(line?.[2]);
  };
  expect(told().map(({ type, message }) => `${type} ${message}`)).toEqual([
    'Warning the token of the Secret expires within 30 days; renew it',
  ]);
  expect(await readMetric()).toBe((end - world.clock.now()) / 1000);

  await world.advance(40 * MINUTE);
  await world.advance(40 * MINUTE);
  expect(world.reports()).toHaveLength(3);
  expect(told().map(({ message }) => message)).toEqual([
    'the token of the Secret expires within 30 days; renew it',
    'the token of the Secret expires within 7 days; renew it',
  ]);
  const { status } = world.host.get('DirectorySync', 'acme') ?? {};
  expect(findCondition(status?.conditions, 'CredentialsExpiring')).toMatchObject({
    status: 'True',
    reason: 'TokenExpiring',
    message: 'the token of the Secret expires within 7 days; renew it',
  });
  expect(world.host.problems).toEqual([]);

  world.metrics.forget({ namespace: 'identity', directorySync: 'acme' });
  expect(await world.metrics.expose()).not.toMatch(/^dirsync_credentials_seconds_left\{/m);
  await world.restart();
  // No run was due yet: the status knows it.
  expect(world.reports()).toHaveLength(3);
  expect(await readMetric()).toBe((end - world.clock.now()) / 1000);
});
