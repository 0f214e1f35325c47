/** `scope.users: MembersOfGroups` over each source that has groups, from the directory to the application. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { AD_BASE, AD_TREE, toAdGroup, toAdUser } from '../sources/ldap/entries.ts';
import { CLIENT, startEntra, toGraphUser } from '../support/entra-server.ts';
import { startGoogle, toGoogleUser } from '../support/google-server.ts';
import { createLdapDirectory } from '../support/ldap-directory.ts';
import { startLdapServer } from '../support/ldap-server.ts';
import { startWorkos, toWorkosUser } from '../support/workos-server.ts';
import { type Company, createCompany, readTeams, readUsers, SECRET, startApplication, TOKEN } from './company.ts';

/** Names of groups → names of their members: people, unless a group is called so. */
type Groups = Readonly<Record<string, readonly string[]>>;

interface Directory {
  /** Block of `spec.source`, in one line. */
  readonly source: string;
  /** Attributes of people. */
  readonly userName: string;
  readonly id: string;
  /** Lines of `stringData`. */
  readonly secret: string;
  /** The directory has these groups now, and no others. */
  set(groups: Groups): Promise<void>;
}

const PEOPLE = ['hugo', 'mei', 'zoe'];
const mail = (name: string): string => `${name}@corp.example`;
const BEFORE: Groups = { Core: ['mei'], Engineering: ['zoe', 'Core'], Others: ['hugo'] };

async function entra(): Promise<Directory> {
  const users = PEOPLE.map((name) => toGraphUser(name, { userPrincipalName: mail(name), displayName: name }));
  const server = await startEntra({ users, groups: [] });
  onTestFinished(() => server.close());
  const { url, tenantId, clientSecret } = server;
  return {
    source: `{ entra: { tenantId: ${tenantId}, authorityUrl: "${url}", graphUrl: "${url}", credentialsRef: { name: src } } }`,
    ...{ userName: 'userPrincipalName', id: 'id' },
    secret: `  clientId: ${CLIENT}\n  clientSecret: ${clientSecret}\n`,
    async set(groups) {
      const kindOf = (name: string) => (groups[name] === undefined ? ('user' as const) : ('group' as const));
      const list = Object.entries(groups).map(([name, members]) => ({
        ...{ id: name, displayName: name },
        members: members.map((id) => ({ id, type: kindOf(id) })),
      }));
      server.change({ groups: list });
    },
  };
}

async function google(): Promise<Directory> {
  const users = PEOPLE.map((name) => toGoogleUser(name, { primaryEmail: mail(name) }));
  const server = await startGoogle({ users, groups: [] });
  onTestFinished(() => server.close());
  const { url, tokenUrl, adminEmail, serviceAccount } = server;
  return {
    source: `{ google: { adminEmail: ${adminEmail}, apiUrl: "${url}", tokenUrl: "${tokenUrl}", credentialsRef: { name: src } } }`,
    ...{ userName: 'primaryEmail', id: 'id' },
    secret: `  serviceAccount.json: ${JSON.stringify(serviceAccount)}\n`,
    async set(groups) {
      const typeOf = (name: string): string => (groups[name] === undefined ? 'USER' : 'GROUP');
      server.groups = Object.entries(groups).map(([name, members]) => ({
        ...{ id: name, name },
        members: members.map((id) => ({ id, type: typeOf(id) })),
      }));
    },
  };
}

/** Groups of WorkOS are flat. */
async function workos(): Promise<Directory> {
  const users = PEOPLE.map((name) => toWorkosUser(name, { email: mail(name) }));
  const server = await startWorkos({ users, groups: [] });
  onTestFinished(() => server.close());
  // Of events from long ago nothing is asked.
  server.eventsSince = Date.now() - 60_000;
  return {
    source: `{ workos: { directoryId: ${server.directoryId}, apiUrl: "${server.url}", credentialsRef: { name: src } } }`,
    ...{ userName: 'email', id: 'id' },
    secret: `  apiKey: ${server.apiKey}\n`,
    async set(groups) {
      const list = Object.entries(groups).map(([name, members]) => ({
        ...{ id: name, idp_id: name, name },
        members: members.flatMap((each) => groups[each] ?? [each]),
      }));
      server.change({ users, groups: list });
    },
  };
}

async function ldap(): Promise<Directory> {
  const server = await startLdapServer();
  onTestFinished(() => server.close());
  const directory = createLdapDirectory(server);
  const people = PEOPLE.map((name) => toAdUser(name, { userPrincipalName: [mail(name)] }));
  return {
    source: `{ ldap: { url: "${server.url}", baseDN: "${AD_BASE}", schema: ActiveDirectory, credentialsRef: { name: src } } }`,
    ...{ userName: 'userPrincipalName', id: 'objectGUID' },
    secret: `  bindDN: ${server.bindDN}\n  password: ${server.password}\n`,
    async set(groups) {
      const entries = Object.entries(groups).map(([name, members], n) => toAdGroup(name, 1200 + n, members));
      directory.set([...AD_TREE, ...people, ...entries]);
    },
  };
}

async function scim(): Promise<Directory> {
  const server = await startApplication();
  const send = async (method: string, path: string, body?: object): Promise<string> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' };
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${server.url}${path}`, { method, headers, ...init });
    expect(answer.ok).toBe(true);
    return answer.status === 204 ? '' : ((await answer.json()) as { id: string }).id;
  };
  const core = (kind: string) => ({ schemas: [`urn:ietf:params:scim:schemas:core:2.0:${kind}`] });
  const ids = new Map<string, string>();
  for (const name of PEOPLE)
    ids.set(name, await send('POST', '/Users', { ...core('User'), userName: mail(name), active: true }));
  return {
    source: `{ scim: { url: "${server.url}", credentialsRef: { name: src } } }`,
    ...{ userName: 'userName', id: 'id' },
    secret: `  token: ${TOKEN}\n`,
    async set(groups) {
      const gone = [...ids].filter(([name]) => !PEOPLE.includes(name) && groups[name] === undefined);
      for (const [name, id] of gone) {
        await send('DELETE', `/Groups/${id}`);
        ids.delete(name);
      }
      for (const [displayName, names] of Object.entries(groups)) {
        const members = names.map((name) => ({ value: ids.get(name) }));
        const body = { ...core('Group'), displayName, members };
        const id = ids.get(displayName);
        if (id === undefined) ids.set(displayName, await send('POST', '/Groups', body));
        else await send('PUT', `/Groups/${id}`, body);
      }
    },
  };
}

async function aCompany({ source, userName, id, secret }: Directory, application: string): Promise<Company> {
  return createCompany({
    'manifests/sync.yaml': `apiVersion: dirsync.dev/v1alpha1
kind: DirectorySync
metadata: { name: acme }
spec:
  source: ${source}
  scope: { users: MembersOfGroups, groups: [ engineering ] }
  groups: { provision: InScope }
  mappings: [ { name: users } ]
  target: { scim: { url: "${application}", credentialsRef: { name: app } } }
`,
    'manifests/mapping.yaml': `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: users }
spec:
  attributes:
    - { target: userName, source: ${userName}, required: true, matching: { precedence: 1 } }
    - { target: externalId, source: ${id}, matching: { precedence: 2 } }
`,
    'manifests/secret.yaml': `${SECRET}---
apiVersion: v1
kind: Secret
metadata: { name: src }
stringData:
${secret}`,
  });
}

describe.each([
  ['entra', entra],
  ['google', google],
  ['workos', workos],
  ['ldap', ldap],
  ['scim', scim],
])('members of a group of %s', (_name, start) => {
  it('are in scope, and nobody leaves by a group that is gone (I1, I2)', async () => {
    const directory = await start();
    await directory.set(BEFORE);
    const application = await startApplication();
    const company = await aCompany(directory, application.url);
    const active = async (): Promise<string[]> =>
      [...(await readUsers(application))].filter(([, user]) => user['active'] !== false).map(([name]) => name);

    expect(await company.apply()).toMatchObject({ code: 0, stderr: expect.not.stringContaining('warning') });
    expect((await active()).sort()).toEqual(['mei', 'zoe'].map(mail));
    expect((await readUsers(application)).size).toBe(2);
    expect(await readTeams(application)).toEqual({ Engineering: ['mei', 'zoe'].map(mail) });
    const { writes } = application.counts();
    expect((await company.apply()).code).toBe(0);
    expect(application.counts().writes).toBe(writes);

    const { Engineering: _gone, ...others } = BEFORE;
    await directory.set(others);
    const failed = await company.apply();
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('scope.groups: nobody is changed')]);
    expect((await company.status()).conditions).toContainEqual(
      expect.objectContaining({ type: 'SourceRead', status: 'False', reason: 'ReadFailed' }),
    );
    expect(application.counts().writes).toBe(writes);
  });

  it('leave the scope when they leave the group, or one that is in it', async () => {
    const directory = await start();
    await directory.set(BEFORE);
    const application = await startApplication();
    const company = await aCompany(directory, application.url);
    await company.apply();
    await directory.set({ ...BEFORE, Core: ['hugo'] });
    expect(await company.apply()).toMatchObject({ code: 0 });
    const users = await readUsers(application);
    expect(['hugo', 'mei', 'zoe'].map((name) => users.get(mail(name))?.['active'])).toEqual([true, false, true]);
    expect(await readTeams(application)).toEqual({ Engineering: ['hugo', 'zoe'].map(mail) });
  });
});
