import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectCluster } from './cluster.ts';
import { type Company, createCompanies, openWorkplace, type Workplace } from './company.ts';
import { type Controller, installDirsync, startController } from './controller.ts';
import { isReady } from './follow.ts';
import { startWatchProxy } from './watch-proxy.ts';

const cluster = connectCluster(inject('cluster'));
const own = inject('cluster').own !== undefined;
const namespace = 'outages';
const OPTIONS = { namespaces: [namespace], state: 'outages.db' };
const OUTAGE_MS = 60_000;

let place: Workplace;
let companies: ReturnType<typeof createCompanies>;
let controller: Controller;

beforeAll(async () => {
  await installDirsync(cluster);
  place = await openWorkplace(cluster, namespace);
  companies = createCompanies(place);
  controller = await startController(cluster, OPTIONS);
});

afterAll(async () => {
  await place?.kubectl(['delete', 'dirsync', '--all', '--timeout=30s']);
  await controller?.stop();
  await place?.close();
  await companies?.close();
});

async function openSynced(name: string, people: number, spec: Readonly<Record<string, unknown>> = {}) {
  const company = await companies.open(name, people);
  await company.apply({ spec });
  return { company, sync: await place.followed.until('DirectorySync', name, isReady('Synced')) };
}

async function setTitle(name: string, title: string): Promise<void> {
  const mapping = JSON.parse(await place.kubectl(['get', 'amap', `${name}-users`, '-o', 'json']));
  mapping.spec.attributes[3] = { target: 'title', constant: title };
  await place.patch('amap', `${name}-users`, { spec: { attributes: mapping.spec.attributes } });
}

/** Everybody has it, and everybody is there. */
async function untilTitled({ users, people }: Company, title: string): Promise<void> {
  const count = async () => (await users()).filter((user) => user.title === title).length;
  await expect.poll(count, { timeout: 60_000, interval: 200 }).toBe(people.length);
}

async function readProbe(url: string, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, text: (await response.text()).trim() };
}

describe('a controller that stops', () => {
  it('goes on with its schedule after a restart, and neither reads nor writes before its time', async () => {
    const { company, sync } = await openSynced('restarted', 4);
    const requests = company.requests();
    expect(await controller.stop()).toBe(0);
    controller = await startController(cluster, OPTIONS);
    // Another resource is run from beginning to end; this one is left alone meanwhile.
    await openSynced('neighbour', 4);
    const after = await place.followed.until('DirectorySync', company.name, () => true);
    expect(company.requests()).toBe(requests);
    expect(after.status).toEqual(sync.status);
    // What the metrics know from before the restart.
    expect((await readProbe(controller.url, '/metrics')).text).toMatch(
      /^dirsync_last_success_timestamp_seconds\{namespace="outages",directorysync="restarted"\} \d+/m,
    );
    const writes = company.writes();
    await place.kubectl(['annotate', 'dsync', company.name, 'dirsync.dev/requestedAt=now']);
    await place.followed.until('DirectorySync', company.name, ({ status }) => status?.lastHandledRequest === 'now');
    expect(company.writes()).toBe(writes);
  });

  it('acts after its start on what was edited while it was away', async () => {
    const { company } = await openSynced('edited-meanwhile', 4);
    expect(await controller.stop()).toBe(0);
    await setTitle(company.name, 'Edited');
    controller = await startController(cluster, OPTIONS);
    await untilTitled(company, 'Edited');
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
  });

  it('ends the requests in flight on SIGTERM, exits with 0, and the next one goes on where it was', async () => {
    const company = await companies.open('stopped', 60);
    const hold = company.holdWrites(20);
    await company.apply();
    await hold.reached;
    const stopped = controller.stop();
    // It takes no more work from here on: nothing that is released below is followed by another request.
    await expect
      .poll(() =>
        fetch(`${controller.url}/readyz`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .not.toBe(200);
    hold.release();
    expect(await stopped).toBe(0);
    const made = company.writes();
    const { POST = 0 } = company.directory.counts().byMethod;
    expect(made).toBeLessThan(60);
    expect(await company.users()).toHaveLength(POST);
    controller = await startController(cluster, OPTIONS);
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(await company.users()).toHaveLength(60);
    // 60 people and a team: nobody was asked for twice.
    expect(company.directory.counts().byMethod['POST']).toBe(61);
  });

  it('killed in the middle of an apply, loses nobody and makes nobody twice', async () => {
    const company = await companies.open('killed', 60);
    const hold = company.holdWrites(20);
    await company.apply();
    await hold.reached;
    await controller.kill();
    hold.release();
    controller = await startController(cluster, OPTIONS);
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    const users = await company.users();
    expect(new Set(users.map(({ userName }) => userName))).toEqual(
      new Set(company.people.map(({ userName }) => userName)),
    );
    expect(users).toHaveLength(60);
  });
});

describe.runIf(own)('an API server that goes away', () => {
  it('for a minute in the middle of an apply: runs go on, and an edit right after its return is acted upon', async () => {
    const slow = await companies.open('slow', 200);
    await slow.apply({ spec: { limits: { requestsPerSecond: 2 } } });
    // Written by the controller after 10 s of work: the apply is on its way.
    const { status } = await place.followed.until(
      'DirectorySync',
      'slow',
      (sync) => sync.status?.progress !== undefined,
    );
    expect(status?.progress).toMatchObject({ step: 'apply', total: 301 });
    const quick = await companies.open('quick', 40);
    const hold = quick.holdWrites(10);
    await quick.apply();
    await hold.reached;

    await cluster.stopApiServer();
    const gone = Date.now();
    hold.release();
    const made = slow.writes();
    const newcomer = await startController(cluster, { namespaces: [namespace], state: 'newcomer.db', ready: false });
    expect(await readProbe(newcomer.url, '/readyz')).toEqual({ status: 503, text: 'the resources are being listed' });
    expect(await newcomer.stop()).toBe(0);
    await expect.poll(async () => (await quick.users()).length, { timeout: 20_000 }).toBe(40);
    await delay(OUTAGE_MS - (Date.now() - gone));
    expect(slow.writes() - made).toBeGreaterThan(60);
    expect(await readProbe(controller.url, '/healthz')).toEqual({ status: 200, text: 'ok' });
    await cluster.startApiServer();

    await setTitle('slow', 'Back');
    await place.patch('dsync', 'slow', { spec: { limits: { requestsPerSecond: null } } });
    await setTitle('quick', 'Back');
    for (const company of [slow, quick]) {
      await untilTitled(company, 'Back');
      await place.followed.until('DirectorySync', company.name, isReady('Synced'));
      expect(company.directory.counts().byMethod['POST']).toBe(company.people.length + 1);
    }
  });

  it('a watch that ends with 410 is begun again: the next edit is acted upon', async () => {
    const through = await startWatchProxy(cluster);
    expect(await controller.stop()).toBe(0);
    controller = await startController(cluster, { ...OPTIONS, through });
    const { company } = await openSynced('expired', 4);
    await cluster.expireWatches();
    through.endWatches();
    await setTitle(company.name, 'Seen');
    await untilTitled(company, 'Seen');
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    const lines = (await controller.log()).split('\n').filter((line) => line.includes('too old to follow'));
    expect(lines.length).toBeGreaterThan(0);
    expect(await controller.stop()).toBe(0);
    await through.close();
    controller = await startController(cluster, OPTIONS);
  });
});

describe('after all of that', () => {
  it('every status seen was a good one', () => {
    expect(place.followed.problems()).toEqual([]);
  });

  it('I9: no secret and nobody by name or mail stands in the log, an event or a status', async () => {
    const events = JSON.stringify(await place.events());
    const shown = [await controller.log(), events, place.followed.text()].join('\n').toLowerCase();
    const secrets = companies.all().map(({ token }) => token);
    expect(['quillfeather', '.corp.example', ...secrets].filter((text) => shown.includes(text))).toEqual([]);
  });
});
