/**
 * A scriptable target for tests of the engine: keeps users and teams in memory, counts writes, and can be told to fail.
 * It behaves as the contract in `targets/target.ts` says; the conformance suite is for the real ones.
 */
import { SyncError } from '../../src/errors.ts';
import type { AttributeChange, Attributes, Json } from '../../src/model.ts';
import {
  PLAIN_ATTRIBUTE,
  type Target,
  type TargetCapabilities,
  type TargetObject,
  type TargetPage,
  type TargetProblem,
  type TargetProvider,
  type TargetTeam,
} from '../../src/targets/target.ts';

export interface MemoryUser {
  readonly id: string;
  attributes: Record<string, Json>;
}

export interface MemoryTeam {
  readonly id: string;
  attributes: Record<string, Json>;
  members: Set<string>;
}

export interface MemoryTarget {
  readonly users: Map<string, MemoryUser>;
  readonly teams: Map<string, MemoryTeam>;
  /** One line a write: `createUser ada@example.com`. */
  readonly writes: string[];
  readonly reads: string[];
  /** Who the target is called as. */
  ownNames: readonly string[];
  /** Servers differ in what they tell of a team's members. */
  hideMembers: 'never' | 'in lists' | 'always';
  /** Called before each request with what it is about; throws to make it fail. */
  intercept: (request: string) => void;
  /** What it says that it observed, and what it was told of earlier observations at each connect. */
  memory: Json;
  readonly remembered: { readonly memory: Json; readonly afresh: boolean }[];
  /** What it finds wrong with the resources offline. */
  problems: readonly TargetProblem[];
  /** Called when a write was carried out, before it is answered; throws to lose the answer. */
  answering: (request: string) => void;
  /** Attributes whose values the target takes from one account only, without regard to case. */
  unique: readonly string[];
  addUser(attributes: Record<string, Json>): MemoryUser;
  addTeam(displayName: string, members?: readonly string[]): MemoryTeam;
  readonly provider: TargetProvider<unknown>;
}

/** Names are compared without regard to case, as RFC 7643 has it. */
function isSameText(left: Json | undefined, right: string, caseExact: boolean): boolean {
  return caseExact ? left === right : String(left).toLowerCase() === right.toLowerCase();
}

export function createMemoryTarget(capabilities: Partial<TargetCapabilities> = {}): MemoryTarget {
  const users = new Map<string, MemoryUser>();
  const teams = new Map<string, MemoryTeam>();
  const writes: string[] = [];
  const reads: string[] = [];
  let next = 0;
  const memory: MemoryTarget = {
    users,
    teams,
    writes,
    reads,
    ownNames: [],
    hideMembers: 'never',
    intercept: () => undefined,
    memory: null,
    remembered: [],
    problems: [],
    answering: () => undefined,
    unique: ['userName'],
    addUser: (attributes) => {
      next += 1;
      const user = { id: `u${next}`, attributes: { active: true, ...attributes } };
      users.set(user.id, user);
      return user;
    },
    addTeam: (displayName, members = []) => {
      next += 1;
      const team = { id: `t${next}`, attributes: { displayName }, members: new Set(members) };
      teams.set(team.id, team);
      return team;
    },
    provider: {
      name: 'scim',
      validate: () => [],
      check: () => memory.problems,
      endpoint: ({ url }) => url,
      connect: async (_config, context) => {
        memory.remembered.push({ memory: context.memory ?? null, afresh: context.afresh ?? false });
        return answerWrites(toTarget());
      },
    },
  };

  const write = (line: string): void => {
    memory.intercept(line);
    writes.push(line);
  };
  /** The line of a write is there when its method has come to its end. */
  const answerWrites = (target: Target): Target => {
    const wrapped = Object.entries(target).map(([name, method]: [string, (...args: never[]) => unknown]) => [
      name,
      (...args: never[]) => {
        const before = writes.length;
        const result = method(...args);
        if (!(result instanceof Promise)) return result;
        return result.then((value) => {
          if (/^(create|update|deactivate|delete|change)/.test(name) && writes.length > before)
            memory.answering(writes.at(-1) ?? '');
          return value;
        });
      },
    ]);
    return Object.fromEntries(wrapped) as Target;
  };
  const read = (line: string): void => {
    memory.intercept(line);
    reads.push(line);
  };
  const project = ({ id, attributes }: MemoryUser, paths: readonly string[]): TargetObject => ({
    id,
    version: null,
    attributes: Object.fromEntries(Object.entries(attributes).filter(([path]) => paths.includes(path))),
  });
  const toTeam = ({ id, attributes, members }: MemoryTeam): TargetTeam => ({
    id,
    version: null,
    attributes: { ...attributes },
    members: capabilities.readsMembers === false ? null : [...members],
  });
  const need = <T>(map: Map<string, T>, id: string): T => {
    const found = map.get(id);
    if (found === undefined) throw new SyncError('NotFound', `${id} is not there`);
    return found;
  };
  const change = (attributes: Record<string, Json>, changes: readonly AttributeChange[]): void => {
    for (const { path, after } of changes) {
      if (after === undefined) delete attributes[path];
      else attributes[path] = after;
    }
  };
  const checkUnique = (attributes: Attributes, self: string | null): void => {
    for (const path of memory.unique) {
      const value = attributes[path];
      const isSame = (other: Json | undefined): boolean => String(other).toLowerCase() === String(value).toLowerCase();
      const others = [...users.values()].filter(({ id }) => id !== self);
      if (value !== undefined && others.some(({ attributes: theirs }) => isSame(theirs[path])))
        throw new SyncError('Conflict', `${path} is taken`);
    }
  };
  async function* pages<T extends TargetObject>(objects: readonly T[]): AsyncGenerator<TargetPage<T>> {
    for (let at = 0; at === 0 || at < objects.length; at += 100) {
      yield { objects: objects.slice(at, at + 100), last: at + 100 >= objects.length, total: objects.length };
    }
  }

  function toTarget(): Target {
    return {
      ownNames: () => memory.ownNames,
      capabilities: async () => ({
        patch: true,
        filter: true,
        etag: false,
        changesTogether: 1,
        membersPerRequest: 100,
        memberChanges: { add: 100, remove: 100, mixed: true },
        deactivation: 'deactivates',
        deleteUsers: true,
        teams: 'full',
        renameTeams: true,
        readsMembers: memory.hideMembers !== 'always',
        tellsMembers: memory.hideMembers !== 'always',
        maxTeamNameLength: null,
        schemas: null,
        attribute: () => PLAIN_ATTRIBUTE,
        contradictions: () => [],
        limitations: () => [],
        ...capabilities,
      }),
      listUsers: (paths) => {
        read('listUsers');
        return pages([...users.values()].map((user) => project(user, paths)));
      },
      listTeams: () => {
        read('listTeams');
        const hidden = memory.hideMembers !== 'never';
        return pages([...teams.values()].map((team) => ({ ...toTeam(team), ...(hidden ? { members: null } : {}) })));
      },
      readUser: async (id, paths) => {
        read(`readUser ${id}`);
        const user = users.get(id);
        return user === undefined ? null : project(user, paths);
      },
      readTeam: async (id) => {
        read(`readTeam ${id}`);
        const team = teams.get(id);
        if (team === undefined) return null;
        return memory.hideMembers === 'always' ? { ...toTeam(team), members: null } : toTeam(team);
      },
      findUsers: async ({ path, value }, paths) => {
        read(`findUsers ${path}`);
        return [...users.values()]
          .filter(({ attributes }) => String(attributes[path]).toLowerCase() === String(value).toLowerCase())
          .map((user) => project(user, paths));
      },
      findTeams: async ({ path, value }) => {
        read(`findTeams ${path}`);
        return [...teams.values()]
          .filter(({ attributes }) => isSameText(attributes[path], value, path === 'externalId'))
          .map((team) => ({ ...toTeam(team), members: null }));
      },
      createUser: async (attributes) => {
        write(`createUser ${attributes['userName']}`);
        checkUnique(attributes, null);
        const user = memory.addUser({ ...attributes });
        return project(user, Object.keys(attributes));
      },
      updateUser: async (id, changes) => {
        write(`updateUser ${id} ${changes.map(({ path }) => path).join(' ')}`);
        const user = need(users, id);
        const after = { ...user.attributes };
        change(after, changes);
        checkUnique(after, id);
        user.attributes = after;
      },
      deactivateUser: async (id) => {
        write(`deactivateUser ${id}`);
        need(users, id).attributes['active'] = false;
      },
      deleteUser: async (id) => {
        write(`deleteUser ${id}`);
        users.delete(id);
        for (const team of teams.values()) team.members.delete(id);
      },
      createTeam: async (attributes) => {
        write(`createTeam ${attributes['displayName']}`);
        const team = memory.addTeam(String(attributes['displayName']));
        team.attributes = { ...attributes };
        return toTeam(team);
      },
      updateTeam: async (id, changes) => {
        write(`updateTeam ${id} ${changes.map(({ path }) => path).join(' ')}`);
        change(need(teams, id).attributes, changes);
      },
      deleteTeam: async (id) => {
        write(`deleteTeam ${id}`);
        teams.delete(id);
      },
      changeMembers: async (id, { add, remove }) => {
        write(`changeMembers ${id} +${add.length} -${remove.length}`);
        const team = need(teams, id);
        for (const member of add) team.members.add(member);
        for (const member of remove) team.members.delete(member);
      },
      probe: async function* () {
        yield { verdict: 'ok', about: 'memory', message: 'is there' } as const;
      },
      memory: () => memory.memory,
      close: async () => undefined,
    };
  }
  return memory;
}
