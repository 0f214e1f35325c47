import { expect, it } from 'vitest';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import { createEngine } from '../../src/reconcile/engine.ts';
import type { Providers } from '../../src/reconcile/run.ts';
import { toDirectoryKey } from '../../src/reconcile/takeover.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { aCompanyOf, createCompany } from '../support/company.ts';
import { createMemoryHost, NAMESPACE } from '../support/memory-host.ts';

/** An engine whose source waits, before its last page, for the test. */
async function anEngine() {
  const company = await createCompany();
  company.people = aCompanyOf(6);
  const gate = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  const sources: Providers['sources'] = new Map(
    [...company.providers.sources].map(([name, provider]) => [
      name,
      {
        ...provider,
        connect: async (config, context) => {
          const source = await provider.connect(config, context);
          return {
            ...source,
            readUsers: async function* (...args) {
              for await (const page of source.readUsers(...args)) {
                reading.resolve();
                if (page.end !== undefined) await gate.promise;
                yield page;
              }
            },
          };
        },
      },
    ]),
  );
  const host = createMemoryHost();
  const named = (name: string): DirectorySyncResource => {
    const metadata = { name, namespace: NAMESPACE, generation: 1 };
    return { ...company.resource(), metadata, spec: { ...company.spec, id: 'acme' } };
  };
  host.put({
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'AttributeMapping',
    metadata: { name: 'users', namespace: NAMESPACE },
    spec: company.mapping,
  });
  const engine = createEngine({
    host,
    store: company.store,
    providers: { ...company.providers, sources },
    createHttp: () => ({
      send: () => Promise.reject(new Error('no HTTP here')),
      sent: 0,
      beginPass: () => () => undefined,
      begin: async () => () => undefined,
      close: () => undefined,
    }),
    now: () => new Date(),
    log: createLogger({ level: 'silent' }),
    holder: 'test',
  });
  return { company, engine, named, open: gate.resolve, reading: reading.promise };
}

it('lets resources with one id take turns: what one has staged the other would clear', async () => {
  const { company, engine, named, open, reading } = await anEngine();
  const steps: string[] = [];
  const run = (name: string, stopping = new AbortController().signal) =>
    engine.run({
      resource: named(name),
      signal: new AbortController().signal,
      stopping,
      onStep: (step) => steps.push(`${name} ${step}`),
    });
  const first = run('first');
  await reading;
  const second = run('second');
  const stopped = run('third', AbortSignal.abort());
  await new Promise((resolve) => setImmediate(resolve));
  expect(steps).toEqual(['first load', 'first read']);
  open();
  expect(await first).toMatchObject({ reason: 'Synced', applied: { create: 6 } });
  expect(await second).toMatchObject({ reason: 'Synced', applied: { create: 0, deactivate: 0 } });
  expect(await stopped).toMatchObject({ stopped: true });
  expect(steps.slice(0, 9)).toEqual([
    ...['load', 'read', 'map', 'observe', 'plan', 'guard', 'apply', 'report'].map((step) => `first ${step}`),
    'second load',
  ]);
  expect(company.target.users.size).toBe(6);
});

it('closes the connections of a run that fails while it loads: they take a share of the budget', async () => {
  const company = await createCompany();
  company.people = aCompanyOf(2);
  let open = 0;
  const host = createMemoryHost();
  const providers: Providers = {
    ...company.providers,
    sources: new Map([
      ['file', { name: 'file', validate: () => [], connect: () => Promise.reject(new Error('cannot be opened')) }],
    ]),
  };
  const engine = createEngine({
    host,
    store: company.store,
    providers,
    createHttp: () => {
      open += 1;
      const close = (): void => {
        open -= 1;
      };
      return {
        send: () => Promise.reject(new Error('no HTTP here')),
        sent: 0,
        beginPass: () => () => undefined,
        begin: async () => () => undefined,
        close,
      };
    },
    now: () => new Date(),
    log: createLogger({ level: 'silent' }),
    holder: 'test',
  });
  host.put({
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'AttributeMapping',
    metadata: { name: 'users', namespace: NAMESPACE },
    spec: company.mapping,
  });
  const report = await engine.run({ resource: company.resource(), signal: new AbortController().signal });
  expect(report).toMatchObject({ outcome: 'waiting', reason: 'LoadFailed' });
  expect(open).toBe(0);
});

it('knows a resource by its id, whatever else is wrong with it', () => {
  const metadata = { name: 'acme', namespace: 'identity' };
  const key = (spec: object) => toDirectoryKey({ metadata, spec } as DirectorySyncResource);
  expect(key({ id: 'other' })).toEqual({ namespace: 'identity', id: 'other' });
  expect(key({})).toEqual({ namespace: 'identity', id: 'acme' });
  expect(key({ id: 7 })).toEqual({ namespace: 'identity', id: 'acme' });
});
