/**
 * App roles, from records of Entra's form to what the embedded directory holds, in the three forms of Entra's functions:
 * one role, roles that are added, roles that are all there may be.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import { type Directory, startDirectory } from '../../src/directory/server.ts';
import type { Json, RecordError } from '../../src/model.ts';
import { aFolder } from '../local/folder.ts';
import { runFolder } from '../support/folder-run.ts';
import { createScriptedSource } from '../support/scripted-source.ts';

const TOKEN = 'sesame';
const TYPE = 'WindowsAzureActiveDirectoryRole';

/** An app role as Graph has it in `appRoles` of the service principal. */
const ROLES = {
  editor: { id: 'e18f0405-fdec-4ae8-a8a0-d8edb98b061f', value: 'Editor', displayName: 'Editors' },
  reader: { id: '5c15b3f4-6d1b-4b7b-8f76-f0ba8a0ed6ee', value: 'Reader', displayName: 'Readers' },
  auditor: { id: '0b8e4f2a-94c1-4f56-9e9f-2a5b3a7f0c11', value: 'Auditor', displayName: 'Auditors' },
};
type RoleName = keyof typeof ROLES;

/** How each writes entries of lists differs most. */
const PROFILES = ['Standard', 'MicrosoftStyle', 'GitHubEnterprise'] as const;

const FILTER = [[{ attribute: 'appRoleAssignments', operator: 'IsNotNull' }]];

function toManifests(url: string, profile: string, entry: AttributeEntry): string {
  const resource = (kind: string, name: string, spec: unknown) =>
    stringify({ apiVersion: 'dirsync.dev/v1alpha1', kind, metadata: { name }, spec });
  const attributes: AttributeEntry[] = [
    { target: 'userName', source: 'userPrincipalName', matching: { precedence: 1 } },
    { target: 'externalId', source: 'id', matching: { precedence: 2 } },
    entry,
  ];
  return [
    resource('DirectorySync', 'acme', {
      source: { file: { users: { path: 'people.json' } } },
      mappings: [{ name: 'users' }],
      target: { scim: { url, profile, credentialsRef: { name: 'app' } } },
      guards: { suspiciousDrop: 100 },
    }),
    resource('AttributeMapping', 'users', { attributes }),
    stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'app' }, stringData: { token: TOKEN } }),
  ].join('---\n');
}

interface World {
  readonly directory: Directory;
  /** One run with these roles of ada; a second and a third one, which looks at all accounts, write nothing (I2). */
  readonly run: (roles: readonly RoleName[] | null) => Promise<{ reason: string; errors: readonly RecordError[] }>;
  /** One run that looks at the whole target. */
  readonly verify: () => Promise<string>;
  readonly roles: () => Promise<readonly Json[]>;
  /** A change by hand. */
  readonly addByHand: (value: string) => Promise<void>;
}

async function aWorld(profile: (typeof PROFILES)[number], entry: AttributeEntry): Promise<World> {
  const folder = await aFolder({});
  const directory = await startDirectory({
    file: join(folder, 'directory.db'),
    token: TOKEN,
    lenient: profile === 'MicrosoftStyle',
  });
  onTestFinished(() => directory.close());
  await writeFile(join(folder, 'acme.yaml'), toManifests(directory.url, profile, entry));
  const source = createScriptedSource({ offers: { appRoles: true, defaultDomain: true, photos: null } });
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' };
  const readAda = async () => {
    const answer = (await (await fetch(`${directory.url}/Users`, { headers })).json()) as {
      Resources: { id: string; roles?: Json[] }[];
    };
    return answer.Resources[0];
  };
  const runOnce = async (resync: boolean) => {
    const errors: RecordError[] = [];
    const report = await runFolder(folder, join(folder, 'state.db'), {
      resync,
      sources: new Map([['file', source.provider]]),
      look: async (state) => {
        const [last] = await state.journal.runs(1);
        for await (const page of state.journal.errors(last?.id ?? '')) errors.push(...page);
      },
    });
    return { reason: report.reason, errors };
  };
  return {
    directory,
    run: async (roles) => {
      const appRoleAssignments = roles === null ? null : roles.map((name) => ROLES[name]);
      source.people = [{ id: 'u1', userPrincipalName: 'ada@corp.example', appRoleAssignments }];
      const first = await runOnce(false);
      const { writes } = directory.counts();
      await runOnce(false);
      await runOnce(true);
      expect(directory.counts().writes).toBe(writes);
      return first;
    },
    verify: async () => (await runOnce(true)).reason,
    roles: async () =>
      ((await readAda())?.roles ?? []).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    addByHand: async (value) => {
      const ada = await readAda();
      const body = {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'add', path: 'roles', value: [{ value, type: 'local' }] }],
      };
      const answer = await fetch(`${directory.url}/Users/${ada?.id}`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify(body),
      });
      expect(answer.status).toBeLessThan(300);
    },
  };
}

const complex = (name: RoleName) => ({ value: ROLES[name].value, display: ROLES[name].displayName, type: TYPE });
const values = (roles: readonly Json[]) => roles.map((role) => (role as { value: string }).value);

describe.each(PROFILES)('in the profile %s', (profile) => {
  it('SingleAppRoleAssignment fills the primary role, and several roles are an error that names them', async () => {
    const world = await aWorld(profile, {
      target: 'roles[primary eq "True"].value',
      expression: 'SingleAppRoleAssignment([appRoleAssignments])',
      onEmpty: 'Clear',
    });
    expect(await world.run(['editor'])).toMatchObject({ reason: 'Synced' });
    expect(await world.roles()).toEqual([{ primary: true, value: 'Editor' }]);
    await world.run(['reader']);
    expect(await world.roles()).toEqual([{ primary: true, value: 'Reader' }]);
    const { reason, errors } = await world.run(['reader', 'editor']);
    expect(reason).toBe('SyncedWithErrors');
    expect(errors).toEqual([
      {
        resource: 'User',
        id: 'u1',
        code: 'RecordInvalid',
        message: 'SingleAppRoleAssignment must be one role, but the person has Reader, Editor',
      },
    ]);
    expect(await world.roles()).toEqual([{ primary: true, value: 'Reader' }]);
    await world.run([]);
    expect(await world.roles()).toEqual([]);
  });

  it('AppRoleAssignmentsComplex adds roles, and leaves those that are there', async () => {
    const world = await aWorld(profile, {
      target: 'roles',
      expression: 'AppRoleAssignmentsComplex([appRoleAssignments])',
    });
    expect(await world.run(['editor'])).toMatchObject({ reason: 'Synced', errors: [] });
    expect(await world.roles()).toMatchObject([complex('editor')]);
    expect(JSON.stringify(await world.roles())).not.toContain(ROLES.editor.id);
    await world.addByHand('Owner');
    // The role that was put there by hand is not seen yet, and not overwritten either.
    await world.run(['editor', 'reader']);
    expect(values(await world.roles()).toSorted()).toEqual(['Editor', 'Owner', 'Reader']);
    await world.run(['auditor']);
    expect(values(await world.roles()).toSorted()).toEqual(['Auditor', 'Editor', 'Owner', 'Reader']);
    await world.run(null);
    expect(values(await world.roles())).toHaveLength(4);
  });

  it('AssertiveAppRoleAssignmentsComplex takes away what is not assigned, to the last one', async () => {
    const world = await aWorld(profile, {
      target: 'roles',
      expression: 'AssertiveAppRoleAssignmentsComplex([appRoleAssignments])',
      onEmpty: 'Clear',
    });
    await world.run(['editor', 'reader']);
    expect(await world.roles()).toMatchObject([complex('editor'), complex('reader')]);
    await world.run(['reader']);
    expect(await world.roles()).toMatchObject([complex('reader')]);
    await world.addByHand('Owner');
    expect(await world.verify()).toBe('Synced');
    expect(values(await world.roles())).toEqual(['Reader']);
    await world.run([]);
    expect(await world.roles()).toEqual([]);
  });
});

describe('who is not assigned', () => {
  it('stays out of scope by a filter', async () => {
    const folder = await aFolder({});
    const directory = await startDirectory({ file: join(folder, 'directory.db'), token: TOKEN });
    onTestFinished(() => directory.close());
    const entry = { target: 'roles', expression: 'AppRoleAssignmentsComplex([appRoleAssignments])' };
    const manifests = toManifests(directory.url, 'Standard', entry);
    const filtered = manifests.replace('mappings:', `scope: ${JSON.stringify({ filters: FILTER })}\n  mappings:`);
    await writeFile(join(folder, 'acme.yaml'), filtered);
    const source = createScriptedSource({
      offers: { appRoles: true, defaultDomain: true, photos: null },
      people: [
        { id: 'u1', userPrincipalName: 'ada@corp.example', appRoleAssignments: [ROLES.editor] },
        { id: 'u2', userPrincipalName: 'bob@corp.example', appRoleAssignments: [] },
      ],
    });
    const report = await runFolder(folder, join(folder, 'state.db'), {
      sources: new Map([['file', source.provider]]),
    });
    expect(report).toMatchObject({ reason: 'Synced', people: { inScope: 1 }, warnings: [] });
  });
});
