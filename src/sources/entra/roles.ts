/** Who has which roles in one application: assignments to people, and to groups for their members. */
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { convertAll } from '../converted.ts';
import type { SourceContext } from '../source.ts';
import { type GraphClient, PAGE_SIZE, VERSION } from './client.ts';
import { type RolesOf, toMember } from './convert.ts';

export interface Application {
  /** Of the service principal. */
  readonly id: string;
  readonly displayName: string;
  readonly roles: ReadonlyMap<string, Json>;
}

/** An assignment without a role: the application has none, or it was given as such. */
const DEFAULT_ACCESS = '00000000-0000-0000-0000-000000000000';

export async function readApplication(
  client: GraphClient,
  applicationId: string,
  signal: AbortSignal,
): Promise<Application> {
  const path = `${VERSION}/servicePrincipals(appId='${encodeURIComponent(applicationId)}')`;
  const query = { $select: 'id,displayName,appRoles' };
  const body = await client.find({ path, query, what: 'the application' }, signal);
  if (body === null) {
    const message = `the tenant has no enterprise application of the application ${applicationId}; check source.entra.applicationId, which is the application (client) id`;
    throw new SyncError('ReadFailed', message);
  }
  const { id, displayName = null, appRoles = [] } = body;
  if (typeof id !== 'string' || !Array.isArray(appRoles))
    throw new SyncError('ReadFailed', `${client.origin} answers the request for the application with something else`);
  const roles = new Map<string, Json>([
    [DEFAULT_ACCESS, { id: DEFAULT_ACCESS, value: null, displayName: 'Default Access' }],
  ]);
  for (const role of appRoles as readonly Json[]) {
    if (!isObject(role) || typeof role['id'] !== 'string') continue;
    const { id: roleId, value = null, displayName: name = null } = role;
    roles.set(roleId, { id: roleId, value, displayName: name });
  }
  return { id, displayName: typeof displayName === 'string' ? displayName : applicationId, roles };
}

/**
 * Read whole before the people are: about a hundred bytes are kept for each person who has a role.
 * @throws SyncError `ReadFailed` for an assignment that cannot be understood: somebody might lose what they have
 */
export async function readRoles(
  client: GraphClient,
  { applicationId, nestedGroups }: { readonly applicationId: string } & Pick<SourceContext, 'nestedGroups'>,
  signal: AbortSignal,
): Promise<NonNullable<RolesOf>> {
  const application = await readApplication(client, applicationId, signal);
  const held = createHeldRoles();
  const ofGroups = await readAssignments(client, { application, held }, signal);
  for (const [group, roles] of ofGroups) {
    for await (const user of listPeopleOf(client, { group, nestedGroups }, signal)) {
      for (const role of roles) held.add(user, role);
    }
  }
  // A role that was deleted meanwhile is still told by its id.
  const toRole = (id: string): Json => application.roles.get(id) ?? { id, value: null, displayName: id };
  return (userId) => {
    const ids = held.of(userId);
    return ids.length === 0 ? null : ids.map(toRole);
  };
}

/** Roles given to people go to `held`; those given to groups are returned, by group. */
async function readAssignments(
  client: GraphClient,
  { application, held }: { readonly application: Application; readonly held: HeldRoles },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const ofGroups = new Map<string, string[]>();
  const path = `${VERSION}/servicePrincipals/${encodeURIComponent(application.id)}/appRoleAssignedTo`;
  const what = 'the assignments to the application';
  for await (const { items } of client.list({ path, query: { $top: String(PAGE_SIZE) }, what }, signal)) {
    for (const item of items) {
      const { principal, type, role } = toAssignment(item, client.origin);
      if (type === 'User') held.add(principal, role);
      else if (type === 'Group') ofGroups.set(principal, [...(ofGroups.get(principal) ?? []), role]);
    }
  }
  return ofGroups;
}

interface Assignment {
  readonly principal: string;
  /** `User`, `Group`, `ServicePrincipal`. */
  readonly type: string;
  readonly role: string;
}

function toAssignment(value: Json, origin: string): Assignment {
  const { principalId: principal, principalType: type, appRoleId: role } = isObject(value) ? value : {};
  if (typeof principal === 'string' && typeof type === 'string' && typeof role === 'string')
    return { principal, type, role };
  const message = `${origin} lists an assignment to the application that does not say who has which role`;
  throw new SyncError('ReadFailed', message);
}

interface PeopleOf extends Pick<SourceContext, 'nestedGroups'> {
  readonly group: string;
}

async function* listPeopleOf(
  client: GraphClient,
  { group, nestedGroups = 'Flatten' }: PeopleOf,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const members = nestedGroups === 'Flatten' ? 'transitiveMembers' : 'members';
  const path = `${VERSION}/groups/${encodeURIComponent(group)}/${members}`;
  const query = { $select: 'id', $top: String(PAGE_SIZE) };
  for await (const { items } of client.list({ path, query, what: 'the members of a group' }, signal)) {
    const { found, failed } = convertAll(items, toMember);
    const [broken] = failed;
    if (broken !== undefined) throw new SyncError('ReadFailed', `${client.origin}: ${broken.message}`);
    for (const member of found) if (member !== null && 'ref' in member) yield member.ref;
  }
}

interface HeldRoles {
  add(user: string, role: string): void;
  of(user: string): readonly string[];
}

/** Most people have one role, or one of a few sets of them: each set is kept once. */
function createHeldRoles(): HeldRoles {
  const sets = new Map<string, readonly string[]>();
  const held = new Map<string, readonly string[]>();
  return {
    add(user, role) {
      const now = held.get(user) ?? [];
      if (now.includes(role)) return;
      const next = [...now, role].sort();
      const key = next.join(' ');
      const known = sets.get(key) ?? next;
      sets.set(key, known);
      held.set(user, known);
    },
    of: (user) => held.get(user) ?? [],
  };
}
