/** What people get wrong, and what they are told: the lines below are what stands on the terminal. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createReadyCompany,
  MAPPING,
  makePeople,
  RULES,
  readTeams,
  readUsers,
  SECRET,
  startApplication,
  toSyncText,
} from './company.ts';

/** An application that answers everything alike. */
async function startAnswering(
  status: number,
  type: string,
  body: string,
): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`, requests };
}

const READY = (status: { conditions?: readonly { type: string; reason: string }[] }): string | undefined =>
  status.conditions?.find(({ type }) => type === 'Ready')?.reason;

describe('the application', () => {
  it('refuses the token: one request, and no second one', async () => {
    const directory = await startApplication({ token: 'another-token' });
    const company = await createReadyCompany(directory.url);
    const { code, stdout, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `acme: CredentialsRejected: ${new URL(directory.url).origin} rejects the credentials (401); check Secret default/app\n`,
    );
    expect(directory.counts().byMethod).toEqual({ GET: 1 });
    expect(READY(await company.status())).toBe('CredentialsRejected');
  });

  it('cannot be reached', async () => {
    const company = await createReadyCompany('http://127.0.0.1:1/scim/v2');
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toBe(
      'acme: TargetUnavailable: http://127.0.0.1:1 does not answer (ECONNREFUSED); is it running, and is the URL right?\n',
    );
    expect(READY(await company.status())).toBe('TargetUnavailable');
  });

  it('is a web page', async () => {
    const page = await startAnswering(200, 'text/html', '<html><body>Sign in</body></html>');
    const company = await createReadyCompany(page.url);
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `acme: TargetUnavailable: ${new URL(page.url).origin} answered with an HTML page, not SCIM; check the URL\n`,
    );
    expect(page.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
  });

  it('takes no team name of that length: the others are made', async () => {
    const directory = await startApplication({ maxNameLength: 20 });
    const people = makePeople(3, () => ({ teams: 'Everybody who ever sold anything;Short' }));
    const company = await createReadyCompany(directory.url, { people });
    const { code, stderr } = await company.apply();
    expect(stderr).toBe(
      'acme: 1 record failed:\n  Team rule:everybody who ever sold anything: the target refused the request ' +
        '(400 invalidValue: "displayName" of a group takes at most 20 characters) (TargetRejected)\n',
    );
    expect(code).toBe(4);
    expect(Object.keys(await readTeams(directory)).sort()).toEqual(['Sales People', 'Short']);
    expect(READY(await company.status())).toBe('SyncedWithErrors');
  });
});

describe('Secrets', () => {
  it('is missing', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/secret.yaml', '');
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toBe(
      'acme: ReferenceNotFound: Secret default/app is missing: put it among the manifests, or one file per key into DIR/app (--secrets DIR)\n',
    );
    await company.write('keys/app/token', 'test-token\n');
    expect((await company.apply('--secrets', 'keys')).code).toBe(0);
  });

  it('has no key that is needed', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/secret.yaml', SECRET.replace('token:', 'key:'));
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toBe(
      'acme: ReferenceNotFound: Secret default/app must have the key "token", or "username" and "password", ' +
        'or "clientId", "clientSecret" and "tokenUrl"; it has key\n',
    );
    expect(directory.counts().byMethod).toEqual({});
  });
});

describe('the file', () => {
  it('is not there', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/sync.yaml', toSyncText({ url: directory.url }).replace('people.csv', 'persons.csv'));
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toBe('acme: ReadFailed: cannot read persons.csv: no such file\n');
  });

  it('has no id column', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.writePeople(makePeople(3), { columns: ['userName', 'department'] });
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toBe(
      'acme: ReadFailed: cannot read people.csv: there is no column "id"; there are: userName, department. ' +
        "Set idAttribute to the one that has each person's immutable id\n",
    );
    expect(directory.counts().writes).toBe(0);
  });

  it('has one id twice: neither row is used, the others go', async () => {
    const directory = await startApplication();
    const people = [...makePeople(3), { id: 'id-2', userName: 'second@corp.example' }];
    const company = await createReadyCompany(directory.url, { people });
    const { code, stderr } = await company.apply();
    expect(code).toBe(4);
    expect(stderr).toContain('two records have the id id-2');
    expect([...(await readUsers(directory)).keys()].sort()).toEqual(['p1@corp.example', 'p3@corp.example']);
  });

  it('has one userName twice: both are named, neither is guessed', async () => {
    const directory = await startApplication();
    const people = [...makePeople(3), { id: 'id-9', userName: 'P2@corp.example' }];
    const company = await createReadyCompany(directory.url, { people });
    const { code, stderr } = await company.apply();
    expect(code).toBe(4);
    expect(stderr).toContain('acme: 2 records failed:\n');
    expect(stderr).toContain('User id-2: userName has the same value for id-2 and id-9: neither is guessed (Conflict)');
    expect(stderr).toContain('User id-9: userName has the same value for id-9 and id-2: neither is guessed (Conflict)');
    expect([...(await readUsers(directory)).keys()].sort()).toEqual(['p1@corp.example', 'p3@corp.example']);
    expect((await company.status()).users).toMatchObject({ conflicts: 2, failed: 2 });
  });

  it('has somebody without any matching attribute', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write(
      'manifests/mapping.yaml',
      MAPPING.replace('matching: { precedence: 2 }', 'apply: Always').replace('required: true, ', ''),
    );
    await company.writePeople([...makePeople(2), { id: 'id-3', userName: '' }]);
    const { code, stderr } = await company.apply();
    expect(code).toBe(4);
    expect(stderr).toBe(
      'acme: 1 record failed:\n  User id-3: no matching attribute has a value (userName): ' +
        'there is nothing to find or create the account by (RecordInvalid)\n',
    );
    expect((await readUsers(directory)).size).toBe(2);
  });
});

describe('manifests', () => {
  it('have an invalid mapping: nothing is asked of source or target', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write(
      'manifests/mapping.yaml',
      `${MAPPING}    - { target: displayName, expression: 'Joint([a])' }\n`,
    );
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toBe(
      'manifests/mapping.yaml:10:43 spec.attributes[4].expression: column 1: unknown function "Joint"; did you mean "Join"?\n' +
        'acme: Invalid: 1 error in manifests, named above; nothing was read or written\n',
    );
    expect(await company.run(['plan', '-f', 'manifests'])).toMatchObject({ code: 1, stderr });
    expect(directory.counts().byMethod).toEqual({});
    expect((await company.status()).conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      reason: 'Invalid',
      message:
        'AttributeMapping users: spec.attributes[4].expression: column 1: unknown function "Joint"; did you mean "Join"?',
    });
  });

  it('have a mapping that breaks its schema: its place is said once', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/mapping.yaml', MAPPING.replace('source: title', 'source: title, aply: OnCreate'));
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toBe(
      'manifests/mapping.yaml:8:39 unknown field "spec.attributes[2].aply"; did you mean "apply"?\n' +
        'acme: Invalid: 1 error in manifests, named above; nothing was read or written\n',
    );
    expect((await company.status()).conditions?.find(({ type }) => type === 'Ready')?.message).toBe(
      'AttributeMapping users: unknown field "spec.attributes[2].aply"; did you mean "apply"?',
    );
  });

  it('have an invalid rule: its teams stay, and the rest is done', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(3, () => ({ teams: 'Chess' })) });
    await company.apply();
    await company.write('manifests/rules.yaml', RULES.replace('teamsFrom: { attributes', 'teamsFrom: { atributes'));
    await company.writePeople(makePeople(4));
    const { code, stderr, stdout } = await company.apply();
    expect(stderr).toContain(
      'manifests/rules.yaml:14:16 unknown field "spec.teamsFrom.atributes"; did you mean "attributes"?\n',
    );
    expect(stderr).toContain(
      'acme: 1 record failed:\n  TeamRule teams-column: spec.teamsFrom: at least one of attributes, expressions must be set (Invalid)\n',
    );
    expect(stdout).toContain('acme: 1 created, 1 membership added');
    expect(code).toBe(4);
    expect(await readTeams(directory)).toMatchObject({
      Chess: ['p1@corp.example', 'p2@corp.example', 'p3@corp.example'],
    });
  });

  it('leave open what is wanted: nothing is done', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/rules.yaml', 'kind: [\n');
    const { code, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stderr).toContain('manifests/rules.yaml:2:1 is no YAML: ');
    expect(stderr).toContain('dirsync: manifests has errors that leave open what it wants; nothing was done\n');
    expect(directory.counts().byMethod).toEqual({});
  });

  it('have an invalid DirectorySync beside a good one: the good one goes', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write(
      'manifests/bad.yaml',
      'apiVersion: dirsync.dev/v1alpha1\nkind: DirectorySync\nmetadata: { name: bad }\nspec: {}\n',
    );
    const { code, stdout, stderr } = await company.apply();
    expect(code).toBe(1);
    expect(stdout).toContain('acme: 6 created');
    expect(stderr).toContain('bad: Invalid: 2 errors in manifests, named above; nothing was read or written\n');
    expect(READY(await company.status('bad'))).toBe('Invalid');
    expect(await company.run(['apply', 'nobody', '-f', 'manifests', '--yes'])).toMatchObject({ code: 1 });
    expect(await company.run(['apply', 'acm', '-f', 'manifests', '--yes'])).toMatchObject({
      stderr: expect.stringContaining('there is no DirectorySync "acm" in manifests; did you mean "acme"?'),
    });
  });
});

describe('the state file', () => {
  it.each(['apply', 'plan', 'history'])('is not one: %s leaves it as it is', async (command) => {
    const company = await createReadyCompany('http://127.0.0.1:1/scim/v2');
    await company.write(
      'notes.txt',
      'not a state file, but long enough to look like something that matters to somebody',
    );
    const argv = command === 'history' ? [command] : [command, '-f', 'manifests'];
    const { code, stderr } = await company.run([
      ...argv,
      ...(command === 'apply' ? ['--yes'] : []),
      '--state',
      'notes.txt',
    ]);
    expect(code).toBe(1);
    expect(stderr.replaceAll(`${company.folder}/`, '')).toBe(
      'dirsync: state file notes.txt is not a Dirsync state file; name another file (it was left as it is)\n',
    );
    expect(await company.read('notes.txt')).toMatch(/^not a state file/);
  });
});
