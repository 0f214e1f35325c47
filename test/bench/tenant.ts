/** A tenant of Entra ID with as many people, read in full and then by its changes into the embedded directory. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDirectory } from '../../src/directory/server.ts';
import { type EntraServer, type GraphUser, startEntra, toGraphUser } from '../support/entra-server.ts';
import { applyFolder, type Measured } from './process.ts';

const TOKEN = 'tenant-token';
const GROUPS = 20;
export const CHANGES = 10;

export interface TenantRuns {
  /** Everybody is read and created. */
  readonly first: Measured;
  /** Ten people have another title. */
  readonly changes: Measured;
  /** The same, but everybody is read: Graph does not know the delta link any more. */
  readonly full: Measured;
}

export async function measureTenant(people: number): Promise<TenantRuns> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-bench-'));
  const application = await startDirectory({ file: ':memory:', token: TOKEN });
  const entra = await startEntra(createTenant(people));
  try {
    await writeFile(join(folder, 'manifests.yaml'), toManifests(entra, application.url));
    const first = await applyFolder(folder, application);
    changeTitles(entra, 'Lead');
    const changes = await applyFolder(folder, application);
    entra.expireLinks('old');
    changeTitles(entra, 'Chief');
    return { first, changes, full: await applyFolder(folder, application) };
  } finally {
    await entra.close();
    await application.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function createTenant(people: number): Pick<EntraServer, 'users' | 'groups'> {
  const toId = (index: number): string => `3f1c2b7a-0b64-4a5e-9a3d-${String(index).padStart(12, '0')}`;
  const users = Array.from({ length: people }, (_, index): GraphUser => {
    const name = `given${index}.surname${index}@corp.example`;
    return toGraphUser(toId(index), {
      ...{ displayName: `Given${index} Surname${index}`, givenName: `Given${index}`, surname: `Surname${index}` },
      ...{ mail: name, userPrincipalName: name, department: `Department ${index % 40}`, jobTitle: 'Engineer' },
      ...(index === 0 ? {} : { manager: toId(Math.floor(index / 10)) }),
    });
  });
  const groups = Array.from({ length: GROUPS }, (_, number) => ({
    id: `group-${number}`,
    displayName: `Group ${number}`,
    members: users.flatMap(({ id }, index) => (index % 100 === number ? [{ id, type: 'user' as const }] : [])),
  }));
  return { users, groups };
}

function changeTitles(entra: EntraServer, jobTitle: string): void {
  const every = Math.floor(entra.users.length / CHANGES);
  entra.change({ users: entra.users.map((user, index) => (index % every === 5 ? { ...user, jobTitle } : user)) });
}

function toManifests({ url, tenantId, clientId, clientSecret }: EntraServer, application: string): string {
  const toSecret = (name: string, data: object): string =>
    `---\napiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\nstringData: ${JSON.stringify(data)}\n`;
  return `apiVersion: dirsync.dev/v1alpha1
kind: DirectorySync
metadata: { name: acme }
spec:
  source:
    entra: { tenantId: ${tenantId}, authorityUrl: "${url}", graphUrl: "${url}", credentialsRef: { name: entra } }
  groups: { provision: All }
  target: { scim: { url: "${application}", credentialsRef: { name: app } } }
${toSecret('entra', { clientId, clientSecret })}${toSecret('app', { token: TOKEN })}`;
}
