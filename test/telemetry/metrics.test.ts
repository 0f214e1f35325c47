import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HELD_BY } from '../../src/model.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const ACME = { namespace: 'identity', directorySync: 'acme' };

/** Name of metric → its labels, from the rows of the table. */
function readDocumented(): Map<string, { type: string; labels: string[] }> {
  const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(dirsync_\w+)` \| (\w+) \| ([^|]*) \|/gm)];
  return new Map(
    rows.map(([, name, type, labels]) => [
      name ?? '',
      { type: type ?? '', labels: [...(labels ?? '').matchAll(/`(\w+)`/g)].map((each) => each[1] ?? '').sort() },
    ]),
  );
}

function aFilledRegistry(now = 1_000_000) {
  let clock = now;
  const metrics = createMetrics({ now: () => clock });
  metrics.countRun({ ...ACME, outcome: 'synced' }, 2);
  metrics.observeStep('read', 1);
  metrics.countOperation({ kind: 'create', resource: 'User', result: 'done' });
  metrics.setHeldUnits(ACME, { deactivate: 3 });
  metrics.setDrift(ACME, { attributes: 1, memberships: 2, missing: 0, unmanaged: 4 });
  metrics.countRequest('target', { method: 'GET', code: '200' });
  metrics.setExpiries(ACME, [{ kind: 'ServerCertificate', host: 'app.example.com', expiresAt: now + 90_000 }]);
  return { metrics, advance: (ms: number) => (clock += ms) };
}

describe('metrics', () => {
  it('are documented, with type and labels, and nothing else is', async () => {
    const text = await aFilledRegistry().metrics.expose();
    const exposed = new Map<string, { type: string; labels: string[] }>();
    for (const [, name, type] of text.matchAll(/^# TYPE (dirsync_\w+) (\w+)$/gm)) {
      const sample = new RegExp(`^${name}(?:_sum)?\\{([^}]*)\\}`, 'm').exec(text)?.[1] ?? '';
      const labels = [...sample.matchAll(/(\w+)=/g)].map((each) => each[1] ?? '').sort();
      exposed.set(name ?? '', { type: type ?? '', labels });
    }
    expect(Object.fromEntries(exposed)).toEqual(Object.fromEntries(readDocumented()));
  });

  it('tell the age of the last success when they are read', async () => {
    const { metrics, advance } = aFilledRegistry();
    advance(90_000);
    metrics.countRun({ ...ACME, outcome: 'failed' }, 1);
    const text = await metrics.expose();
    expect(text).toContain('dirsync_seconds_since_last_success{namespace="identity",directorysync="acme"} 90');
    expect(text).toContain('dirsync_last_success_timestamp_seconds{namespace="identity",directorysync="acme"} 1000');
    expect(text).toContain('dirsync_runs_total{namespace="identity",directorysync="acme",outcome="failed"} 1');
  });

  it('take the last success of the state store after a start', async () => {
    const metrics = createMetrics({ now: () => 100_000 });
    expect(await metrics.expose()).not.toContain('dirsync_seconds_since_last_success{');
    metrics.setLastSuccess(ACME, 40_000);
    expect(await metrics.expose()).toContain(
      'dirsync_seconds_since_last_success{namespace="identity",directorysync="acme"} 60',
    );
  });

  it('tell held units by what holds them, those too that hold nothing', async () => {
    const { metrics } = aFilledRegistry();
    metrics.setHeldUnits(ACME, { suspect: 2 });
    const held = [...(await metrics.expose()).matchAll(/^dirsync_held_units\{.*kind="(\w+)"\} (\d+)$/gm)];
    expect(held.map(([, kind, count]) => `${kind} ${count}`)).toEqual(
      HELD_BY.map((kind) => `${kind} ${kind === 'suspect' ? 2 : 0}`),
    );
  });

  it('forget what was deleted', async () => {
    const { metrics } = aFilledRegistry();
    metrics.countRun({ namespace: 'identity', directorySync: 'other', outcome: 'held' }, 1);
    metrics.forget(ACME);
    const text = await metrics.expose();
    expect(text).not.toContain('"acme"');
    expect(text).toContain('directorysync="other"');
  });
});
