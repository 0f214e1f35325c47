/** What only a tenant of Entra has: properties that are asked for, managers, roles, photos, hidden groups, permissions. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EntraSource } from '../../../src/api/providers.ts';
import { SyncError } from '../../../src/errors.ts';
import { entraSource } from '../../../src/sources/entra/index.ts';
import type { GroupPage, Source, SourceContext, SourcePage } from '../../../src/sources/source.ts';
import {
  APPLICATION,
  CLIENT,
  EDITOR,
  type EntraServer,
  READER,
  startEntra,
  TENANT,
  toGraphUser,
} from '../../support/entra-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectEntra } from './connect.ts';

const NEVER = new AbortController().signal;

async function start(
  content: Parameters<typeof startEntra>[0],
  options: { readonly config?: Partial<EntraSource> } & Partial<SourceContext> = {},
): Promise<{ entra: EntraServer; source: Source }> {
  const entra = await startEntra(content);
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await entra.close();
  });
  return { entra, source: await connectEntra(entra, http, options) };
}

async function readAll(source: Source, projection: readonly string[] = []): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers(projection, NEVER)) pages.push(page);
  return pages;
}

async function readGroups(source: Source, projection: readonly string[] = []): Promise<GroupPage[]> {
  const pages: GroupPage[] = [];
  for await (const page of source.readGroups?.(projection, NEVER) ?? []) pages.push(page);
  return pages;
}

async function toError(work: Promise<unknown> | undefined): Promise<SyncError> {
  try {
    await work;
  } catch (thrown) {
    return SyncError.from(thrown);
  }
  throw new Error('it did not fail');
}

const lastQuery = ({ server }: EntraServer, path: string): URLSearchParams =>
  server.requests.findLast((request) => request.path === `/v1.0/${path}`)?.query ?? new URLSearchParams();

describe('the tenant', () => {
  it('says who it is, and its default domain', async () => {
    const { source } = await start({});
    expect(await source.identity(NEVER)).toEqual({
      tenantId: TENANT,
      tenantName: 'Corp',
      domains: ['corp.onmicrosoft.example', 'corp.example'],
      defaultDomain: 'corp.example',
    });
  });

  it('may be named by a verified domain', async () => {
    const { source } = await start({}, { config: { tenantId: 'corp.example' } });
    expect((await source.identity(NEVER)).tenantId).toBe(TENANT);
  });

  it('must be the one that tenantId says', async () => {
    const { entra, source } = await start({});
    entra.server.fault = ({ path }) =>
      path === '/v1.0/organization' ? { status: 200, body: { value: [{ id: 'another', verifiedDomains: [] }] } } : null;
    expect(await toError(source.identity(NEVER))).toMatchObject({
      code: 'EndpointChanged',
      message: `the credentials are those of the tenant another, and tenantId says ${TENANT}: nothing was read`,
    });
  });
});

describe('people', () => {
  it('are asked for what is mapped and what Graph has, and the state', async () => {
    const { entra, source } = await start({
      users: [
        toGraphUser('ada', { department: 'R&D', givenname: 'Ada' }),
        toGraphUser('bo', { accountEnabled: false }),
      ],
    });
    const pages = await readAll(source, ['department', 'givenname', 'first_name', 'uid', 'employeeOrgData']);
    expect(lastQuery(entra, 'users').get('$select')).toBe('id,accountEnabled,department,givenName,employeeOrgData');
    expect(lastQuery(entra, 'users').get('$top')).toBe('999');
    expect(lastQuery(entra, 'users').has('$expand')).toBe(false);
    expect(pages.flatMap((page) => page.users)).toEqual([
      {
        id: 'ada',
        active: true,
        attributes: { id: 'ada', accountEnabled: true, department: 'R&D', givenName: null, employeeOrgData: null },
      },
      {
        id: 'bo',
        active: false,
        attributes: { id: 'bo', accountEnabled: false, department: null, givenName: null, employeeOrgData: null },
      },
    ]);
    // Nobody has a cost centre, and that is null, not unknown.
    expect(pages.at(-1)?.end?.attributes).toEqual([
      ...['id', 'accountEnabled', 'department', 'givenName'],
      ...['employeeOrgData', 'employeeOrgData.costCenter', 'employeeOrgData.division'],
    ]);
  });

  it('have their manager with id and mail', async () => {
    const { entra, source } = await start({ users: [toGraphUser('ada', { manager: 'bo' }), toGraphUser('bo')] });
    const [page] = await readAll(source, ['manager']);
    expect(lastQuery(entra, 'users').get('$expand')).toBe('manager($select=id,mail)');
    expect(page?.users.map(({ attributes }) => attributes['manager'])).toEqual([
      { id: 'bo', mail: 'bo@corp.example' },
      null,
    ]);
    expect(page?.end?.attributes).toEqual(expect.arrayContaining(['manager.id', 'manager.mail']));
    expect((await source.readOne?.('ada', ['manager'], NEVER))?.user?.attributes).toEqual(page?.users[0]?.attributes);
  });

  it('have extensions under their names; one that the tenant does not have ends the read', async () => {
    const grade = `extension_${'0a'.repeat(16)}_grade`;
    const { source } = await start({ extensions: [grade], users: [toGraphUser('ada', { [grade]: 7 })] });
    const [page] = await readAll(source, [grade]);
    expect(page?.users[0]?.attributes[grade]).toBe(7);
    const error = await toError(readAll(source, [grade, grade.replace('grade', 'Grade')]));
    expect([error.code, error.retry]).toEqual(['ReadFailed', 'backoff']);
    expect(error.message).toContain('(400 Request_BadRequest); does the tenant have extension_0a');
  });

  it('that say nothing of their state are failed records', async () => {
    const { source } = await start({ users: [toGraphUser('ada', { accountEnabled: null }), toGraphUser('bo')] });
    const [page] = await readAll(source);
    expect(page?.failed.map(({ id }) => id)).toEqual(['ada']);
    expect((await toError(source.readOne?.('ada', [], NEVER))).code).toBe('RecordInvalid');
  });

  it('are not found by another name than their id', async () => {
    const { source } = await start({ users: [toGraphUser('ada')] });
    expect((await toError(source.readOne?.('ada@corp.example', [], NEVER))).code).toBe('ReadFailed');
    expect((await source.readOne?.('bo', [], NEVER))?.user).toBeNull();
  });

  it('of a page elsewhere are not asked for: the token belongs to Graph alone', async () => {
    const { entra, source } = await start({ users: [toGraphUser('ada')] });
    entra.server.fault = ({ path }) =>
      path === '/v1.0/users'
        ? { status: 200, body: { value: [], '@odata.nextLink': 'https://graph.example/v1.0/users?$skiptoken=1' } }
        : null;
    expect((await toError(readAll(source))).message).toMatch(/a next page of the list of people at another address/);
  });
});

describe('groups', () => {
  it('have people and groups as members, and nothing else', async () => {
    const { source } = await start({
      groups: [
        {
          id: 'eng',
          displayName: 'Engineering',
          more: { description: 'Engineers' },
          members: [
            { id: 'ada', type: 'user' },
            { id: 'sre', type: 'group' },
            { id: 'laptop', type: 'device' },
          ],
        },
      ],
    });
    const pages = await readGroups(source, ['description', 'nothing']);
    expect(pages.flatMap((page) => page.groups)).toEqual([
      {
        id: 'eng',
        displayName: 'Engineering',
        attributes: { id: 'eng', displayName: 'Engineering', visibility: null, description: 'Engineers' },
      },
    ]);
    expect(pages.flatMap((page) => page.members)).toEqual([
      {
        group: 'eng',
        members: [
          { kind: 'User', ref: 'ada' },
          { kind: 'Group', ref: 'sre' },
        ],
      },
    ]);
    expect(pages.at(-1)?.end?.attributes).toEqual(['id', 'displayName', 'visibility', 'description']);
  });

  it('that hide their members and show none are not taken for empty (I13)', async () => {
    const group = (id: string, members: readonly string[]) => ({
      ...{ id, displayName: id, more: { visibility: 'HiddenMembership' } },
      members: members.map((member) => ({ id: member, type: 'user' as const })),
    });
    const { source } = await start({ groups: [group('board', []), group('council', ['ada'])] });
    const failed = (await readGroups(source)).flatMap((page) => page.failed);
    expect(failed.map(({ id }) => id)).toEqual(['board']);
    expect(failed[0]?.message).toContain('Member.Read.Hidden');
  });
});

describe('roles in the application', () => {
  const assign = (principalId: string, appRoleId: string, principalType: 'User' | 'Group' = 'User') => ({
    ...{ principalId, principalType, appRoleId },
  });
  const content = {
    users: ['ada', 'bo', 'cy', 'di', 'ed'].map((id) => toGraphUser(id)),
    groups: [
      {
        id: 'eng',
        displayName: 'Engineering',
        members: [
          { id: 'bo', type: 'user' as const },
          { id: 'sre', type: 'group' as const },
        ],
      },
      { id: 'sre', displayName: 'SRE', members: [{ id: 'cy', type: 'user' as const }] },
    ],
    assignments: [
      assign('ada', EDITOR),
      assign('ada', READER),
      assign('eng', READER, 'Group'),
      assign('di', '00000000-0000-0000-0000-000000000000'),
    ],
  };
  const editor = { id: EDITOR, value: 'Editor', displayName: 'Editors' };
  const reader = { id: READER, value: 'Reader', displayName: 'Readers' };
  const defaultAccess = { id: '00000000-0000-0000-0000-000000000000', value: null, displayName: 'Default Access' };

  const toRoles = (pages: readonly SourcePage[]) =>
    pages.flatMap((page) => page.users).map(({ attributes }) => attributes['appRoleAssignments']);

  it('are those of the person and of the groups around, nested ones too', async () => {
    const { source } = await start(content, { config: { applicationId: APPLICATION } });
    const pages = await readAll(source, ['appRoleAssignments']);
    expect(toRoles(pages)).toEqual([[editor, reader], [reader], [reader], [defaultAccess], null]);
    expect(pages.at(-1)?.end?.attributes).toContain('appRoleAssignments');
    const one = await source.readOne?.('bo', ['appRoleAssignments'], NEVER);
    expect(one?.user?.attributes['appRoleAssignments']).toEqual([reader]);
  });

  it('are given to direct members alone with nestedGroups: DirectOnly', async () => {
    const { source } = await start(content, { config: { applicationId: APPLICATION }, nestedGroups: 'DirectOnly' });
    expect(toRoles(await readAll(source, ['appRoleAssignments']))).toEqual([
      [editor, reader],
      [reader],
      null,
      [defaultAccess],
      null,
    ]);
  });

  it('are offered with applicationId, and asked for only where something reads them', async () => {
    const config = { tenantId: TENANT };
    expect(entraSource.offers?.(config).appRoles).toBe(false);
    expect(entraSource.offers?.({ ...config, applicationId: APPLICATION }).appRoles).toBe(true);
    const { entra, source } = await start(content, { config: { applicationId: APPLICATION } });
    await readAll(source, ['mail']);
    expect(entra.server.requests.some(({ path }) => path.includes('servicePrincipals'))).toBe(false);
  });

  it('of an application that the tenant does not have end the read', async () => {
    const { source } = await start(content, { config: { applicationId: CLIENT } });
    expect((await toError(readAll(source, ['appRoleAssignments']))).message).toMatch(
      /the tenant has no enterprise application of the application .* check source.entra.applicationId/,
    );
  });

  it('that cannot be read whole end the read (I1)', async () => {
    const { entra, source } = await start(content, { config: { applicationId: APPLICATION } });
    for (const part of ['appRoleAssignedTo', 'transitiveMembers']) {
      entra.server.fault = ({ path }) => (path.endsWith(part) ? 'half' : null);
      expect((await toError(readAll(source, ['appRoleAssignments']))).code).toBe('ReadFailed');
    }
  });
});

describe('photos', () => {
  it('of which Graph shows a placeholder are none', async () => {
    const { entra, source } = await start({ users: [toGraphUser('ada')] });
    entra.server.fault = ({ path }) =>
      path.endsWith('/photo') ? { status: 200, body: { id: '1x1', '@odata.mediaEtag': '' } } : null;
    const [page] = await readAll(source);
    const user = page?.users[0] ?? { id: '', active: true, attributes: {} };
    expect(await source.readPhoto?.(user, { etag: null, maxBytes: 100 }, NEVER)).toEqual({ kind: 'none' });
  });

  it('that have not changed cost one request', async () => {
    const { entra, source } = await start({ users: [toGraphUser('ada')] });
    entra.photos.set('ada', { etag: '"A1"', bytes: Buffer.from([0x89, 0x50, 0xff, 0x00]) });
    const user = { id: 'ada', active: true, attributes: {} };
    const first = await source.readPhoto?.(user, { etag: null, maxBytes: 100 }, NEVER);
    expect(first).toMatchObject({ kind: 'photo', etag: '"A1"', bytes: Buffer.from([0x89, 0x50, 0xff, 0x00]) });
    const asked = entra.server.requests.length;
    expect(await source.readPhoto?.(user, { etag: '"A1"', maxBytes: 100 }, NEVER)).toEqual({ kind: 'unchanged' });
    expect(entra.server.requests.length).toBe(asked + 1);
  });
});

describe('permissions', () => {
  it.each([
    ['Organization.Read.All', 'the tenant', (source: Source) => source.identity(NEVER)],
    ['User.Read.All', 'the list of people', (source: Source) => readAll(source)],
    ['GroupMember.Read.All', 'the list of groups', (source: Source) => readGroups(source)],
    ['Application.Read.All', 'the application', (source: Source) => readAll(source, ['appRoleAssignments'])],
  ])('%s is named where it is missing', async (permission, what, read) => {
    const { entra, source } = await start({}, { config: { applicationId: APPLICATION } });
    entra.permissions = entra.permissions.filter((each) => each !== permission);
    const { code, message, retry } = await toError(read(source));
    expect([code, retry]).toEqual(['CredentialsRejected', 'never']);
    expect(message).toBe(
      `${entra.url} does not let the application ${CLIENT} read ${what} (403 Authorization_RequestDenied): give it the application permission ${permission}, with the consent of an administrator`,
    );
  });

  it('are looked at one by one', async () => {
    const { entra, source } = await start({ users: [toGraphUser('ada')] }, { config: { applicationId: APPLICATION } });
    const inspect = async () => {
      const findings: string[] = [];
      const use = { projection: ['appRoleAssignments'], groups: true };
      for await (const { verdict, about, message } of source.inspect?.(use, NEVER) ?? [])
        findings.push(`${verdict} ${about}: ${message}`);
      return findings;
    };
    expect(await inspect()).toEqual([
      'ok clock: as that of the other side',
      'ok credentials: the client secret is taken',
      'ok people: 1 in the tenant',
      'ok groups: 0 in the tenant',
      'ok application: Wiki, 2 roles',
    ]);
    entra.permissions = ['Organization.Read.All'];
    const missing = (await inspect()).flatMap((line) => /permission (\S+),/.exec(line)?.[1] ?? []);
    expect(missing).toEqual(['User.Read.All', 'GroupMember.Read.All', 'Application.Read.All']);
  });

  it('are no matter where the clocks are apart, which is told', async () => {
    const { source } = await start({}, { now: () => new Date(Date.now() + 400_000) });
    const findings: string[] = [];
    for await (const { verdict, about } of source.inspect?.({ projection: [], groups: false }, NEVER) ?? [])
      findings.push(`${verdict} ${about}`);
    expect(findings).toEqual(['warning clock', 'ok credentials', 'ok people']);
  });
});
