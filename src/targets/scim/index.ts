/** Applications with a SCIM 2.0 interface (RFC 7643, RFC 7644), by their profile. */

import { readTokenExpiry } from '../../http/token-claims.ts';
import type { Target, TargetContext, TargetProvider } from '../target.ts';
import { createBulkClient } from './bulk.ts';
import { toCapabilities } from './capabilities.ts';
import { createScimClient } from './client.ts';
import {
  type ScimConfig,
  toBaseUrl,
  toCredentials,
  toEndpoint,
  toOwnNames,
  UNNAMED,
  validateScimConfig,
} from './config.ts';
import { discover } from './discovery.ts';
import { changeMembers } from './members.ts';
import { createObservations, selectLasting } from './observations.ts';
import { probe } from './probe.ts';
import { checkUse, getProfile, listLeftOut } from './profile-rules.ts';
import { type Connection, findTeams, findUsers, listTeams, listUsers, readTeam, readUser, TEAM_PATHS } from './read.ts';
import { createResource, createTeam, deleteResource, updateResource } from './write.ts';

export const scimTarget: TargetProvider<ScimConfig> = {
  name: 'scim',
  validate: validateScimConfig,
  check: checkUse,
  leavesOut: (config, paths, resource) => listLeftOut(getProfile(config), paths, resource),
  endpoint: toEndpoint,
  expiresAt: readTokenExpiry,
  connect: async (config, context) => connect(config, context),
};

function connect(config: ScimConfig, context: TargetContext): Target {
  const { secrets, where = UNNAMED, http, memory = null, afresh = false, now = () => new Date() } = context;
  const teamPaths = [...new Set([...TEAM_PATHS, ...(context.teamPaths ?? [])])];
  const client = createScimClient({
    baseUrl: toBaseUrl(config),
    credentials: toCredentials(config, secrets, where),
    where,
    headers: config.headers ?? {},
    http,
    now,
  });
  const seen = createObservations(afresh ? selectLasting(memory) : memory, now);
  const open = createOpener({ client, seen, profile: getProfile(config), teamPaths });
  return {
    ownNames: () => toOwnNames(secrets),
    capabilities: async (signal) => toCapabilities(await open(signal)),
    async *listUsers(paths, signal, without = []) {
      yield* listUsers(await open(signal), { paths, without }, signal);
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
    probe: (wish, signal) => probe({ client, url: config.url, profile: config.profile ?? 'Standard' }, wish, signal),
    memory: () => seen.toMemory(),
    close: async () => undefined,
  };
}

/** Asks the service what it can do before the first real request, once; a failure is not remembered. */
function createOpener(asking: Omit<Connection, 'discovered'>): (signal: AbortSignal) => Promise<Connection> {
  let opened: Promise<Connection> | null = null;
  return async (signal) => {
    opened ??= openConnection(asking, signal);
    const current = opened;
    try {
      return await current;
    } catch (thrown) {
      if (opened === current) opened = null;
      throw thrown;
    }
  };
}

async function openConnection(asking: Omit<Connection, 'discovered'>, signal: AbortSignal): Promise<Connection> {
  const { client, seen, profile } = asking;
  const discovered = await discover(client, profile, signal);
  const { bulk } = discovered;
  return { ...asking, discovered, client: bulk === null ? client : createBulkClient(client, bulk, seen) };
}
