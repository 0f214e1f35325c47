import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { URN_PATCH_OP, URN_USER } from '../../src/scim/schema.ts';
import {
  type Company,
  createReadyCompany,
  MAPPING,
  makePeople,
  readUsers,
  startApplication,
  TOKEN,
} from './company.ts';

/** `dirsync run` in the background: what it writes can be waited for. */
function startRun(company: Company, ...more: string[]) {
  const stopping = new AbortController();
  const seen = { text: '' };
  const news = new EventTarget();
  const add = (text: string): void => {
    seen.text += text;
    news.dispatchEvent(new Event('text'));
  };
  const ended = company.run(['run', '-f', 'manifests', ...more], {
    stopping: stopping.signal,
    onStdout: add,
    onStderr: add,
  });
  return {
    async waitFor(text: string): Promise<void> {
      while (!seen.text.includes(text)) {
        const done = await Promise.race([once(news, 'text').then(() => null), ended]);
        if (done !== null && !seen.text.includes(text)) throw new Error(`ended without "${text}":\n${seen.text}`);
      }
      seen.text = seen.text.slice(seen.text.indexOf(text) + text.length);
    },
    async stop() {
      stopping.abort();
      return await ended;
    },
  };
}

const FAST = '  settle: 0s\n';

describe('dirsync run', () => {
  it('converges, follows changes of the folder, and ends with 0 when it is told to', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { spec: FAST });
    const run = startRun(company);
    await run.waitFor('acme: 6 created, 1 team created, 6 memberships added');
    await company.write(
      'manifests/mapping.yaml',
      MAPPING.replace('source: title', `expression: 'Join(" ", "Senior", [title])'`),
    );
    await run.waitFor('acme: 6 updated');
    expect((await readUsers(directory)).get('p1@corp.example')).toMatchObject({ title: 'Senior Agent' });
    const { code, stderr } = await run.stop();
    expect(code).toBe(0);
    expect(stderr).toMatch(/stopped\n$/);
    const status = await company.status();
    expect(status.nextRunAt).toBeDefined();
  });

  it('keeps what was read before while the folder has errors', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { spec: FAST });
    const run = startRun(company);
    await run.waitFor('acme: 6 created');
    await company.write('manifests/mapping.yaml', `${MAPPING}    - { tarqet: title }\n`);
    await run.waitFor('manifests/mapping.yaml:10:9 unknown field "spec.attributes[4].tarqet"');
    await run.waitFor('manifests has errors: what was read before stays in force\n');
    expect((await run.stop()).code).toBe(0);
  });

  it('leaves held sets for dirsync approve, which takes its turn', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, {
      people: makePeople(20),
      spec: `${FAST}  guards: { suspiciousDrop: 100 }\n  schedule: { interval: 1s }\n`,
    });
    const run = startRun(company);
    await run.waitFor('acme: 20 created');
    await company.writePeople(makePeople(10));
    await run.waitFor('acme: 10 units wait for approval (10 deactivate), hash ');
    const { held } = await company.status();
    const approved = await company.run(['approve', held?.hash ?? '', '-f', 'manifests']);
    expect(approved.code).toBe(0);
    expect(approved.stdout).toContain('acme: 10 deactivated, 10 memberships removed');
    await run.waitFor('acme: nothing changes: 10 people');
    expect((await run.stop()).code).toBe(0);
    expect((await company.status()).held?.count).toBe(0);
  });
});

describe('a run that is stopped', () => {
  it('ends with 1 and a line; the next one goes on', async () => {
    const stopping = new AbortController();
    let requests = 0;
    const directory = await startApplication({
      maxOperations: 1,
      onRequest: ({ method, phase }) => {
        if (method !== 'POST' || phase !== 'received') return;
        requests += 1;
        if (requests === 3) stopping.abort();
      },
    });
    const company = await createReadyCompany(directory.url, { spec: '  limits: { concurrency: 1 }\n' });
    const { code, stderr } = await company.run(['apply', '-f', 'manifests', '--yes'], { stopping: stopping.signal });
    expect(code).toBe(1);
    expect(stderr).toBe('acme: stopped before it was done: 3 operations were carried out; the next run goes on\n');
    expect((await readUsers(directory)).size).toBe(3);
    expect((await company.apply()).stdout).toContain('acme: 3 created, 1 team created, 6 memberships added');
  });
});

describe('dirsync serve', () => {
  it('shows the schemas that it is given, and keeps to them', async () => {
    const company = await createReadyCompany('http://127.0.0.1:1/scim/v2');
    const schema = fileURLToPath(new URL('../../examples/application/acme-user.schema.json', import.meta.url));
    const stopping = new AbortController();
    const { promise: started, resolve: onServing } = Promise.withResolvers<string>();
    const ended = company.run(['serve', '--port', '0', '--file', ':memory:', '--open', '--schema', schema], {
      stopping: stopping.signal,
      onStdout: onServing,
    });
    const [, url = ''] = /^serving (\S+)$/m.exec(String(await Promise.race([started, ended.then(() => '')]))) ?? [];
    const urn = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';
    expect(await (await fetch(`${url}/Schemas/${urn}`)).json()).toMatchObject({
      id: urn,
      attributes: [{ name: 'licenseTier', type: 'string' }],
    });
    const user = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', urn],
      userName: 'a',
      [urn]: { tier: 'gold' },
    };
    const headers = { 'content-type': 'application/scim+json' };
    const refused = await fetch(`${url}/Users`, { method: 'POST', headers, body: JSON.stringify(user) });
    expect(refused.status).toBe(400);
    stopping.abort();
    expect((await ended).code).toBe(0);
  });

  it.each([
    ['nowhere.json', 'the schema nowhere.json cannot be read'],
    [
      'manifests/people.csv',
      'manifests/people.csv is no SCIM schema: a JSON object with an "id" (the URN) and "attributes"',
    ],
  ])('takes no other file for a schema: %s', async (file, message) => {
    const company = await createReadyCompany('http://127.0.0.1:1/scim/v2');
    expect(await company.run(['serve', '--port', '0', '--file', ':memory:', '--schema', file])).toMatchObject({
      code: 1,
      stderr: `dirsync: ${message}\n`,
    });
  });

  it('serves until it is told to stop, with a token of its own making', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const stopping = new AbortController();
    const news = new EventTarget();
    let text = '';
    const ended = company.run(['serve', '--port', '0', '--file', 'app.db'], {
      stopping: stopping.signal,
      onStdout: (more) => {
        text += more;
        news.dispatchEvent(new Event('text'));
      },
    });
    while (!text.includes('token ')) await Promise.race([once(news, 'text'), ended]);
    const [, url = '', token = ''] = /^serving (\S+)\ntoken (\S+)\n$/.exec(text) ?? [];
    const ask = (bearer: string) => fetch(`${url}/Users`, { headers: { authorization: `Bearer ${bearer}` } });
    expect((await ask(token)).status).toBe(200);
    expect((await ask(TOKEN)).status).toBe(401);
    stopping.abort();
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toBe('stopped after 2 requests, 0 of them writes\n');
  });

  it.each([
    { flags: ['--lenient'], status: 200 },
    { flags: [], status: 400 },
  ])('takes "op": "Replace" with $flags: $status', async ({ flags, status }) => {
    const company = await createReadyCompany('http://127.0.0.1:1');
    const stopping = new AbortController();
    const text = Promise.withResolvers<string>();
    const argv = ['serve', '--port', '0', '--file', ':memory:', '--open', ...flags];
    const ended = company.run(argv, { stopping: stopping.signal, onStdout: text.resolve });
    const url = (await text.promise).replace(/^serving |\n/g, '');
    const send = (method: string, path: string, body: unknown) =>
      fetch(`${url}${path}`, {
        method,
        headers: { 'Content-Type': 'application/scim+json' },
        body: JSON.stringify(body),
      });
    const made = await send('POST', '/Users', { schemas: [URN_USER], userName: 'ada@corp.example' });
    const operations = [{ op: 'Replace', path: 'title', value: 'Countess' }];
    const { id } = (await made.json()) as { id: string };
    const patched = await send('PATCH', `/Users/${id}`, { schemas: [URN_PATCH_OP], Operations: operations });
    expect(patched.status).toBe(status);
    stopping.abort();
    expect((await ended).code).toBe(0);
  });
});
