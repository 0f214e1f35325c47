/** Applications with a SCIM 2.0 interface (RFC 7643, RFC 7644), as the profile Standard takes them. */

import { PLAIN_ATTRIBUTE, type Target, type TargetContext, type TargetProvider } from '../target.ts';
import { createScimClient, type ScimClient } from './client.ts';
import {
  type ScimConfig,
  toBaseUrl,
  toCredentials,
  toEndpoint,
  toTokenExpiry,
  UNNAMED,
  validateScimConfig,
} from './config.ts';
import { type Discovered, discover } from './discovery.ts';
import { type Connection, findTeams, findUsers, listTeams, listUsers, readTeam, readUser } from './read.ts';
import { changeMembers, createResource, createTeam, deleteResource, updateResource } from './write.ts';

/** No limit is part of the protocol; larger requests meet limits of proxies. */
const MEMBERS_PER_REQUEST = 1000;

export const scimTarget: TargetProvider<ScimConfig> = {
  name: 'scim',
  validate: validateScimConfig,
  check: () => [],
  endpoint: toEndpoint,
  expiresAt: toTokenExpiry,
  connect: async (config, context) => connect(config, context),
};

function connect(
  config: ScimConfig,
  { secrets, where = UNNAMED, http, now = () => new Date() }: TargetContext,
): Target {
  const client = createScimClient({
    baseUrl: toBaseUrl(config),
    credentials: toCredentials(config, secrets, where),
    where,
    headers: config.headers ?? {},
    http,
    now,
  });
  const open = createOpener(client);
  return {
    async capabilities(signal) {
      const { patch, filter, etag, schemas } = (await open(signal)).discovered;
      return {
        patch,
        filter,
        etag,
        schemas,
        membersPerRequest: MEMBERS_PER_REQUEST,
        memberChanges: { add: MEMBERS_PER_REQUEST, remove: MEMBERS_PER_REQUEST, mixed: true },
        deactivation: 'deactivates',
        deleteUsers: true,
        teams: 'full',
        renameTeams: true,
        readsMembers: true,
        maxTeamNameLength: null,
        attribute: () => PLAIN_ATTRIBUTE,
        limitations: () => [],
      };
    },
    async *listUsers(paths, signal) {
      yield* listUsers(await open(signal), paths, signal);
    },
    async *listTeams(signal) {
      yield* listTeams(await open(signal), signal);
    },
    readUser: async (id, paths, signal) => readUser(await open(signal), id, paths, signal),
    readTeam: async (id, signal) => readTeam(await open(signal), id, signal),
    findUsers: async (query, paths, signal) => findUsers(await open(signal), query, paths, signal),
    findTeams: async (query, signal) => findTeams(await open(signal), query, signal),
    createUser: async (attributes, signal) => createResource(await open(signal), 'User', attributes, signal),
    updateUser: async (id, changes, signal) =>
      updateResource(await open(signal), { kind: 'User', id }, changes, signal),
    async deactivateUser(id, signal) {
      const change = { path: 'active', before: true, after: false };
      await updateResource(await open(signal), { kind: 'User', id }, [change], signal);
    },
    deleteUser: async (id, signal) => deleteResource(await open(signal), { kind: 'User', id }, signal),
    createTeam: async (attributes, signal) => createTeam(await open(signal), attributes, signal),
    updateTeam: async (id, changes, signal) =>
      updateResource(await open(signal), { kind: 'Group', id }, changes, signal),
    deleteTeam: async (id, signal) => deleteResource(await open(signal), { kind: 'Group', id }, signal),
    changeMembers: async (id, change, signal) => changeMembers(await open(signal), id, change, signal),
    memory: () => null,
    close: async () => undefined,
  };
}

/** Asks the service what it can do before the first real request, once; a failure is not remembered. */
function createOpener(client: ScimClient): (signal: AbortSignal) => Promise<Connection> {
  let discovered: Promise<Discovered> | null = null;
  return async (signal) => {
    discovered ??= discover(client, signal);
    const current = discovered;
    try {
      return { client, discovered: await current };
    } catch (thrown) {
      if (discovered === current) discovered = null;
      throw thrown;
    }
  };
}
