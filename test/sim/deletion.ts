/** What the deletion of the DirectorySync may do, and must have done: its `deletionPolicy`, for what it owned. */
import type { DirectoryState } from '../../src/state/store.ts';
import { isSameName, toGroupName } from './groups.ts';
import type { RunFacts, Scene } from './invariants/facts.ts';
import type { Company } from './model.ts';
import type { Change, Server } from './server.ts';

/** How a scenario ends. */
export interface Ending {
  readonly policy: 'Deactivate' | 'Delete';
  /** Awaits at which its first runs are killed. */
  readonly kills: readonly number[];
}

/** Target ids of what belonged to the DirectorySync and was to go with it. */
export interface Owned {
  readonly policy: Ending['policy'];
  readonly users: ReadonlySet<string>;
  readonly teams: ReadonlySet<string>;
}

/** What was only recognised again, and who or what is protected, stays as it is. */
export async function readOwned(
  { links }: DirectoryState,
  { people, gone, manifests }: Company,
  policy: Ending['policy'],
): Promise<Owned> {
  const { protectedUsers = [], protectedTeams = [] } = manifests.spec.guards ?? {};
  const isProtected = ({ key, displayName }: { key: string; displayName: string }): boolean =>
    [displayName, toGroupName(displayName, key.replace('group:', ''))].some((name) =>
      protectedTeams.some((each) => isSameName(each, name)),
    );
  const all = await links.many([...new Set([...people, ...gone].map(({ id }) => id))]);
  const users = [...all.values()].filter(
    ({ sourceId, origin }) => origin !== 'recovered' && !protectedUsers.includes(sourceId),
  );
  const teams = new Set<string>();
  for await (const page of links.teams())
    for (const team of page) if (team.origin !== 'recovered' && !isProtected(team)) teams.add(team.targetId);
  return { policy, users: new Set(users.map(({ targetId }) => targetId)), teams };
}

/** Nobody else's, and nothing but going. */
export function checkDeletion(change: Change, owned: Owned, { facts, scene }: { facts: RunFacts; scene: Scene }): void {
  const { before, after } = change;
  const id = (before ?? after)?.id ?? '';
  const isOwned = (change.kind === 'User' ? owned.users : owned.teams).has(id);
  if (!isOwned) scene.fail('I3', `${facts.name}: ${id}, which is not ours to delete, was touched`);
  if (after === null) {
    // Where off is gone, switching off removes.
    if (owned.policy !== 'Delete' && scene.server.dialect.activeFalse !== 'removes')
      scene.fail('oracle', `${facts.name}: ${id} was deleted, and the policy is to deactivate`);
    return;
  }
  const isSwitchedOff =
    change.kind === 'User' && JSON.stringify({ ...change.before, active: false }) === JSON.stringify(after);
  if (!isSwitchedOff) scene.fail('oracle', `${facts.name}: ${id} was changed, and was to go`);
}

/** What is still there and was to go, one sentence each. */
export function compareWithPolicy({ policy, users, teams }: Owned, server: Server): readonly string[] {
  const { deleteUser } = server.dialect;
  const left = [...users].filter((id) => {
    const user = server.users.get(id);
    // One deletion that is forbidden is an error of that account.
    if (user === undefined || (policy === 'Delete' && deleteUser === 'forbidden')) return false;
    return user.active || (policy === 'Delete' && deleteUser === 'deletes');
  });
  const leftTeams = policy === 'Delete' ? [...teams].filter((id) => server.teams.has(id)) : [];
  return [...left, ...leftTeams].map((id) => `${id} was to go with the DirectorySync (${policy})`);
}
