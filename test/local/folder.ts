/** A folder of files for one test, gone afterwards. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** @param files path → content; a `/` at the end of a path makes an empty folder */
export async function aFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'dirsync-local-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

export const SYNC = `apiVersion: dirsync.dev/v1alpha1
kind: DirectorySync
metadata: { name: acme }
spec:
  source:
    file: { users: { path: people.csv } }
  mappings: [ { name: acme-users } ]
  target:
    scim:
      url: https://app.example.com/scim/v2
      credentialsRef: { name: acme-app }
`;

export const MAPPING = `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: acme-users }
spec:
  attributes:
    - { target: userName, source: userPrincipalName, matching: { precedence: 1 } }
`;

export const RULE = `apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: finance }
spec:
  directorySyncRef: { name: acme }
  team: { displayName: Finance }
  match: [ { attribute: department, operator: Equals, value: Finance } ]
`;

export const SECRET = `apiVersion: v1
kind: Secret
metadata: { name: acme-app }
stringData: { token: sesame }
`;
