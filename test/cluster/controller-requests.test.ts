import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectCluster } from './cluster.ts';
import { createCompanies, openWorkplace, type Workplace } from './company.ts';
import { type Controller, installDirsync, startController } from './controller.ts';
import { conditionOf, isReady, type Seen } from './follow.ts';

const cluster = connectCluster(inject('cluster'));
const namespace = 'requests';

let place: Workplace;
let companies: ReturnType<typeof createCompanies>;
let controller: Controller;

beforeAll(async () => {
  await installDirsync(cluster);
  place = await openWorkplace(cluster, namespace);
  companies = createCompanies(place);
  controller = await startController(cluster, { namespaces: [namespace], state: 'requests.db' });
});

afterAll(async () => {
  await place?.kubectl(['delete', 'dirsync', '--all', '--timeout=30s']);
  await controller?.stop();
  await place?.close();
  await companies?.close();
});

/** A company whose first run has ended well. */
async function openSynced(name: string, people: number, spec: Readonly<Record<string, unknown>> = {}) {
  const company = await companies.open(name, people);
  await company.apply({ spec });
  await place.followed.until('DirectorySync', name, isReady('Synced'));
  return company;
}

async function annotate(name: string, key: string, value: string): Promise<void> {
  await place.kubectl(['annotate', '--overwrite', 'directorysync', name, `dirsync.dev/${key}=${value}`]);
}

/** How many runs the status tells of; only meaningful below the history's limit. */
const countRuns = ({ status }: Seen): number => status?.history?.length ?? 0;

async function eventsOf(name: string): Promise<string[]> {
  const events = (await place.events()).filter(({ involvedObject }) => involvedObject.name === name);
  return events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

describe('what people ask of a DirectorySync', () => {
  it('suspend: nothing is read or written until it is resumed, and then what has changed is done', async () => {
    const company = await openSynced('suspended', 4);
    const [first, ...others] = company.people;
    await place.patch('dsync', company.name, { spec: { suspend: true } });
    const { status } = await place.followed.until('DirectorySync', company.name, isReady('Suspended'));
    expect(status?.users).toMatchObject({ active: 4 });
    const before = company.requests();
    await place.apply(company.peopleManifest(others));
    await annotate(company.name, 'requestedAt', 'while-suspended');
    // Written after whatever the two changes above have caused.
    await place.patch('dsync', company.name, { spec: { suspend: true, historyLimit: 9 } });
    await place.followed.until('DirectorySync', company.name, isReady('Suspended'));
    expect(company.requests()).toBe(before);
    await place.patch('dsync', company.name, { spec: { suspend: null } });
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    const users = await company.users();
    expect(users.filter(({ active }) => !active).map(({ userName }) => userName)).toEqual([first?.userName]);
  });

  it('requestedAt: runs now, once for each value, and writes nothing where nothing changed', async () => {
    const company = await openSynced('asked', 4);
    const writes = company.writes();
    for (const value of ['2026-01-01T00:00:00Z', 'again']) {
      await annotate(company.name, 'requestedAt', value);
      const handled = await place.followed.until(
        'DirectorySync',
        company.name,
        ({ status }) => status?.lastHandledRequest === value,
      );
      expect(handled.status?.lastRun).toMatchObject({ outcome: 'Synced', kind: 'Full' });
      expect(handled.status?.plan).toMatchObject({ summary: 'none' });
    }
    expect(company.writes()).toBe(writes);
  });

  it('resync: reads the whole target and puts right what was changed there by hand', async () => {
    const company = await openSynced('resynced', 4);
    const [user] = await company.users();
    await company.send('PATCH', `/Users/${user?.id}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'title', value: 'Chief of Nothing' }],
    });
    await annotate(company.name, 'resync', '1');
    const { status } = await place.followed.until(
      'DirectorySync',
      company.name,
      (sync) => sync.status?.lastHandledResync === '1',
    );
    expect(status?.lastRun).toMatchObject({ kind: 'Verify', applied: { update: 1 } });
    expect((await company.users()).map(({ title }) => title)).not.toContain('Chief of Nothing');
  });

  it('mode Plan: publishes what would be done and writes nothing', async () => {
    const company = await companies.open('planned', 4);
    await company.apply({ spec: { mode: 'Plan' } });
    const { status } = await place.followed.until('DirectorySync', company.name, isReady('Planned'));
    expect(status?.plan).toMatchObject({ create: 4, createTeams: 1, addMembers: 2 });
    expect(status?.plan?.samples).toHaveLength(7);
    expect(company.writes()).toBe(0);
    await place.patch('dsync', company.name, { spec: { mode: 'Apply' } });
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(await company.users()).toHaveLength(4);
  });

  it('approve: a held set goes by the command that its condition shows, and by no other hash', async () => {
    const company = await openSynced('held', 24);
    await place.apply(company.peopleManifest(company.people.slice(6)));
    const held = await place.followed.until('DirectorySync', company.name, isReady('SyncedWithHeld'));
    const condition = conditionOf(held, 'Held');
    expect(condition?.reason).toBe('GuardLimit');
    const { hash = '', kinds } = held.status?.held ?? {};
    expect(kinds).toEqual({ deactivate: 6 });
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    const command = /kubectl (annotate .*)$/.exec(condition?.message ?? '')?.[1]?.split(' ') ?? [];
    expect(command.at(-1)).toBe(`dirsync.dev/approve=${hash}`);
    expect(await eventsOf(company.name)).toContainEqual(expect.stringMatching(/^Warning Held: \d+ units? waits?/));

    const writes = company.writes();
    await annotate(company.name, 'approve', '0123456789abcdef');
    const refused = await place.followed.until('DirectorySync', company.name, isReady('ApprovalMismatch'));
    expect(conditionOf(refused, 'Stalled')?.message).toContain(hash);
    expect(refused.status?.held?.hash).toBe(hash);
    expect(company.writes()).toBe(writes);

    await place.kubectl(command);
    const { status } = await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(status).toMatchObject({ lastHandledApproval: hash, held: { count: 0, hash: '' } });
    const approvals = status?.history?.map(({ approval }) => approval).filter((approval) => approval !== undefined);
    const by = 'dirsync.dev/approve, field manager kubectl-annotate';
    expect(approvals).toEqual([{ hash, by, at: expect.stringMatching(/^\d{4}-.*Z$/) }]);
    expect((await company.users()).filter(({ active }) => !active)).toHaveLength(6);
    expect(await eventsOf(company.name)).toContain(`Normal Released: the held set ${hash} was approved`);
  });

  it('an edit of a mapping converges everybody anew', async () => {
    const company = await openSynced('mapped', 4);
    const entry = { target: 'title', expression: 'Append("Department of ", [department])' };
    const mapping = JSON.parse(await place.kubectl(['get', 'amap', `${company.name}-users`, '-o', 'json']));
    mapping.spec.attributes[3] = entry;
    await place.patch('amap', `${company.name}-users`, { spec: { attributes: mapping.spec.attributes } });
    await place.followed.until(
      'DirectorySync',
      company.name,
      (sync) => isReady('Synced')(sync) && sync.status?.plan?.update === 4,
    );
    expect(new Set((await company.users()).map(({ title }) => title))).toEqual(
      new Set(['Department of Finance', 'Department of Sales']),
    );
  });

  it('edits within settle are taken together', async () => {
    const company = await openSynced('settled', 4, { settle: '2s' });
    for (const concurrency of [3, 4, 5])
      await place.patch('dsync', company.name, { spec: { limits: { concurrency } } });
    const sync = await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(sync.metadata.generation).toBe(4);
    expect(countRuns(sync)).toBe(2);
  });

  it('an edit during a run ends it at the next operation and starts a new one', async () => {
    const company = await companies.open('edited', 40);
    const hold = company.holdWrites(10);
    await company.apply({ spec: { limits: { concurrency: 2 } } });
    await hold.reached;
    const mapping = JSON.parse(await place.kubectl(['get', 'amap', `${company.name}-users`, '-o', 'json']));
    mapping.spec.attributes[3] = { target: 'title', constant: 'Colleague' };
    await place.patch('amap', `${company.name}-users`, { spec: { attributes: mapping.spec.attributes } });
    // The controller has seen the edit when it has judged the mapping.
    const { generation } = (
      await place.followed.until(
        'AttributeMapping',
        `${company.name}-users`,
        ({ status, metadata }) => metadata.generation === 2 && status?.observedGeneration === 2,
      )
    ).metadata;
    expect(generation).toBe(2);
    hold.release();
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    const users = await company.users();
    expect(users.map(({ title }) => title)).toEqual(users.map(() => 'Colleague'));
    expect(users).toHaveLength(40);
    const { POST = 0, PATCH = 0 } = company.directory.counts().byMethod;
    // Nobody twice, and only those from before the edit (and the two in flight) had to be changed.
    expect(POST).toBe(41);
    expect(PATCH).toBeLessThanOrEqual(12);
  });
});

describe('what is missing or wrong', () => {
  it('a Secret that is missing is waited for; a labelled one starts the run when it appears', async () => {
    const company = await companies.open('secretless', 4);
    await company.apply({ without: ['Secret'] });
    const sync = await place.followed.until('DirectorySync', company.name, isReady('ReferenceNotFound'));
    expect(conditionOf(sync, 'Reconciling')?.reason).toBe('ProgressingWithRetry');
    expect(conditionOf(sync, 'Ready')?.message).toBe(
      'Secret requests/secretless-app does not exist; create it in the namespace requests, or correct the name',
    );
    expect(company.requests()).toBe(0);
    await place.apply(company.secretManifest(company.token));
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(await company.users()).toHaveLength(4);
  });

  it('a wrong token stops at once: one probe, until the Secret changes', async () => {
    const company = await companies.open('locked-out', 4);
    await place.apply(...company.manifests({ without: ['Secret'] }), company.secretManifest('a-token-that-is-wrong'));
    const sync = await place.followed.until('DirectorySync', company.name, isReady('CredentialsRejected'));
    expect(conditionOf(sync, 'Stalled')).toBeDefined();
    expect(company.requests()).toBe(countRuns(sync));
    // The next one is that of the schedule, not of a backoff.
    expect(Date.parse(sync.status?.nextRunAt ?? '') - Date.now()).toBeGreaterThan(30 * 60_000);
    await annotate(company.name, 'requestedAt', 'probe');
    const probed = await place.followed.until(
      'DirectorySync',
      company.name,
      ({ status }) => status?.lastHandledRequest === 'probe',
    );
    expect(company.requests()).toBe(countRuns(probed));
    await place.apply(company.secretManifest(company.token));
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(await company.users()).toHaveLength(4);
    const failures = (await eventsOf(company.name)).filter((event) => event.includes(' Failed: '));
    expect(failures).toHaveLength(1);
  });

  it('an application that cannot be reached is tried again, and told of once', async () => {
    const company = await companies.open('unreachable', 4);
    const [manifest] = company.manifests().slice(-1);
    const { spec } = manifest as { spec: { target: { scim: { url: string } } } };
    const { url } = spec.target.scim;
    // Port 9 is `discard`, where nobody listens.
    spec.target.scim.url = 'http://127.0.0.1:9/scim/v2';
    await place.apply(...company.manifests({ without: ['DirectorySync'] }), manifest as object);
    const first = await place.followed.until('DirectorySync', company.name, isReady('TargetUnavailable'));
    expect(conditionOf(first, 'Reconciling')?.reason).toBe('ProgressingWithRetry');
    const told = Date.now();
    const runs = countRuns(first);
    await place.followed.until('DirectorySync', company.name, (sync) => countRuns(sync) > runs);
    const readFailures = async () =>
      (await place.events()).filter(
        ({ reason, involvedObject }) => reason === 'Failed' && involvedObject.name === company.name,
      );
    expect((await readFailures()).map(({ series }) => series?.count ?? 1)).toEqual([1]);

    // What comes back after something else is told again, as a count, which is written every 10 s at most.
    await place.patch('dsync', company.name, { spec: { suspend: true } });
    await place.followed.until('DirectorySync', company.name, isReady('Suspended'));
    await expect.poll(() => Date.now() - told, { timeout: 15_000 }).toBeGreaterThan(10_500);
    await place.patch('dsync', company.name, { spec: { suspend: null } });
    await place.followed.until('DirectorySync', company.name, isReady('TargetUnavailable'));
    await expect.poll(async () => (await readFailures()).map(({ series }) => series?.count)).toEqual([2]);
    await place.patch('dsync', company.name, { spec: { target: { scim: { url } } } });
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
  });

  it('an expression with an error stalls, and says the column; so does the mapping that has it', async () => {
    const company = await openSynced('misspelt', 4);
    const before = company.requests();
    const mapping = JSON.parse(await place.kubectl(['get', 'amap', `${company.name}-users`, '-o', 'json']));
    const wrong = structuredClone(mapping.spec);
    wrong.attributes[2].expression = 'Join(" ", [givenName], Nonsense([surname]))';
    await place.patch('amap', `${company.name}-users`, { spec: wrong });
    const sync = await place.followed.until('DirectorySync', company.name, isReady('Invalid'));
    const says = /spec\.attributes\[2\]\.expression.*Nonsense/;
    expect(conditionOf(sync, 'Stalled')?.message).toMatch(says);
    expect(conditionOf(sync, 'Stalled')?.message).toMatch(/column 24/);
    const judged = await place.followed.until(
      'AttributeMapping',
      `${company.name}-users`,
      (resource) => conditionOf(resource, 'Valid')?.status === 'False',
    );
    expect(conditionOf(judged, 'Valid')?.message).toMatch(says);
    expect(company.requests()).toBe(before);
    await place.patch('amap', `${company.name}-users`, { spec: mapping.spec });
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
  });
});

describe('rules and deletions', () => {
  it('a TeamRule waits for its DirectorySync', async () => {
    const company = await companies.open('latecomer', 4);
    await company.apply({ without: ['DirectorySync'] });
    const rule = `${company.name}-finance`;
    const waiting = await place.followed.until('TeamRule', rule, isReady('ReferenceNotFound'));
    expect(conditionOf(waiting, 'Reconciling')?.reason).toBe('ProgressingWithRetry');
    await company.apply();
    const ready = await place.followed.until(
      'TeamRule',
      rule,
      (resource) => isReady('Synced')(resource) && resource.status?.['members'] === 2,
    );
    expect(ready.status).toMatchObject({ teams: 1, members: 2 });
  });

  it.each([
    { policy: 'Retain', remains: ['Finance'] },
    { policy: 'Delete', remains: [] },
  ])('a rule that is deleted does with its team what its deletionPolicy says: $policy', async ({ policy, remains }) => {
    const company = await companies.open(`rule-${policy.toLowerCase()}`, 4);
    const rule = `${company.name}-finance`;
    await company.apply({ rule: { deletionPolicy: policy } });
    const first = await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(await company.teams()).toEqual(['Finance']);
    await place.kubectl(['delete', 'trule', rule]);
    const after = countRuns(first);
    await place.followed.until(
      'DirectorySync',
      company.name,
      (sync) => countRuns(sync) > after && isReady('Synced')(sync),
    );
    expect(await company.teams()).toEqual(remains);
    expect(await company.users()).toHaveLength(4);
  });

  it.each([
    { how: 'Retain', abandon: false },
    { how: 'abandon', abandon: true },
  ])('a DirectorySync that is deleted leaves its people where they are: $how', async ({ how, abandon }) => {
    const company = await companies.open(`deleted-${how.toLowerCase()}`, 40);
    const hold = company.holdWrites(10);
    await company.apply({ spec: { limits: { concurrency: 2 } } });
    await hold.reached;
    const { metadata } = await place.followed.until('DirectorySync', company.name, () => true);
    expect(metadata.finalizers).toEqual(['dirsync.dev/finalizer']);
    if (abandon) await annotate(company.name, 'abandon', 'true');
    await place.kubectl(['delete', 'dsync', company.name, '--wait=false']);
    if (abandon) {
      // At once: the request in flight is not waited for.
      await place.followed.untilGone('DirectorySync', company.name);
      hold.release();
    } else {
      // It is seen to go while the run is under way.
      await place.followed.until(
        'DirectorySync',
        company.name,
        (sync) => sync.metadata.deletionTimestamp !== undefined,
      );
      hold.release();
      await place.followed.untilGone('DirectorySync', company.name);
    }
    const label = `directorysync="${company.name}"`;
    await expect.poll(async () => (await fetch(`${controller.url}/metrics`)).text()).not.toContain(label);
    // Less than everybody: the run was ended, and nothing follows it.
    const users = await company.users();
    expect(users.length).toBeLessThan(20);
    expect(users.filter(({ active }) => !active)).toEqual([]);
    expect(company.directory.counts().byMethod['DELETE']).toBeUndefined();
  });
  it.each([
    { policy: 'Deactivate', active: 0, remain: 6 },
    { policy: 'Delete', active: 0, remain: 0 },
  ])(
    'a DirectorySync that is deleted does with its people what deletionPolicy says: $policy',
    async ({ policy, active, remain }) => {
      const company = await openSynced(`ended-${policy.toLowerCase()}`, 6);
      await place.patch('dsync', company.name, { spec: { deletionPolicy: policy } });
      await place.kubectl(['delete', 'dsync', company.name, '--wait=false']);
      await place.followed.untilGone('DirectorySync', company.name);
      const users = await company.users();
      expect(users).toHaveLength(remain);
      expect(users.filter((user) => user.active)).toHaveLength(active);
    },
  );
});

describe('after all of that', () => {
  it('every status seen was a good one', () => {
    expect(place.followed.problems()).toEqual([]);
  });

  it('I9: no secret and nobody by name or mail stands in the log, an event, a status or a metric', async () => {
    const metrics = await (await fetch(`${controller.url}/metrics`)).text();
    const events = JSON.stringify(await place.events());
    const shown = [await controller.log(), metrics, events, place.followed.text()].join('\n').toLowerCase();
    const secrets = companies.all().map(({ token }) => token);
    const leaked = ['quillfeather', '.corp.example', 'a-token-that-is-wrong', ...secrets].filter((text) =>
      shown.includes(text),
    );
    expect(leaked).toEqual([]);
  });

  it('the events are few: at most one for each thing that happened', async () => {
    const events = await place.events();
    const keys = events.map(({ involvedObject, reason, message }) => `${involvedObject.name} ${reason} ${message}`);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
    expect(new Set(events.map(({ reason }) => reason))).toEqual(new Set(['Synced', 'Failed', 'Held', 'Released']));
  });
});
