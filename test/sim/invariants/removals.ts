/** How much may go: guards over their window (I4), approvals spent once (I5), links of a lost store (I7), suspect reads (I1). */
import type { Moment, RunFacts, Scene } from './facts.ts';
import type { Reads } from './reads.ts';

export interface Removal {
  readonly kind:
    | 'deactivate'
    | 'delete'
    | 'adopt'
    | 'removeMembers'
    | 'reactivate'
    | 'rename'
    | 'deleteTeams'
    | 'update';
  /** The team's id for `removeMembers`, the attribute for `update`. */
  readonly scope: string;
  /** The account. */
  readonly id: string;
}

export interface Removals {
  onRemoval(removal: Removal, moment: Moment): void;
  /** Somebody who leaves loses a membership: part of their departure. */
  onLeaverRemoved(team: string, member: string, moment: Moment): void;
  observeSizes(): void;
  /** An administrator took something away: until it is looked at, Dirsync counts it among what there is. */
  onTakenByHand(): void;
  /** An administrator switched the account on: a run that was killed cannot know that it was off before. */
  onGivenBack(id: string): void;
  /** What approval of a held set lets go. */
  grant(removals: readonly Removal[]): void;
  revoke(): void;
  /** Let go, and not spent yet. */
  isApproved(removal: Removal): boolean;
  onStoreLost(): void;
  onStoreRolledBack(): void;
  /** Accounts whose links are ordinary now. */
  onConfirmed(ids: readonly string[]): void;
}

interface Counted extends Removal {
  readonly at: number;
}

const DAY = 86_400_000;

const DEFAULT_PERCENT: Readonly<Record<Removal['kind'], number>> = {
  deactivate: 10,
  delete: 5,
  adopt: 10,
  removeMembers: 50,
  reactivate: 10,
  rename: 10,
  deleteTeams: 10,
  update: 100,
};

/** What a suspect read may do: it loses nobody anything. */
const NO_LOSS: ReadonlySet<Removal['kind']> = new Set(['adopt', 'reactivate', 'rename', 'update']);

/** Kinds that are not tried by every run again once they were refused. */
const WAITING: ReadonlySet<string> = new Set([
  'delete',
  'adopt',
  'reactivate',
  'rename',
  'update',
] satisfies Removal['kind'][]);

export function createRemovals(scene: Scene, reads: Reads): Removals {
  const { server, ours, fail } = scene;
  const approved = new Set<string>();
  /** Members whose departure from a team was approved; it may be asked for more than once. */
  const approvedMembers = new Set<string>();
  /** Accounts whose links a lost store forgot: nothing of them goes without approval. */
  const recovered = new Set<string>();
  const mostMembers = new Map<string, number>();
  let counted: Counted[] = [];
  let mostActive = 0;
  let mostTeams = 0;
  let takenByHand = 0;

  const baseOf = ({ kind, scope }: Removal, facts: RunFacts): number => {
    if (kind === 'adopt' || kind === 'reactivate') return facts.reading.users.length;
    if (kind === 'deleteTeams') return mostTeams + takenByHand;
    return takenByHand + (kind === 'removeMembers' ? (mostMembers.get(scope) ?? 0) : mostActive);
  };

  const checkDoubt = (removal: Removal, { facts }: Moment): void => {
    const what = describe(removal, facts);
    if (reads.isSuspect(facts) && !NO_LOSS.has(removal.kind))
      fail('I1', `${what} after a suspect read, without approval`);
    const isLoss = removal.kind === 'deactivate' || removal.kind === 'delete';
    if (isLoss && recovered.has(removal.id))
      fail('I7', `${what}, whose link was lost with the store, without approval`);
  };

  const checkGuard = (removal: Removal, { facts, now }: Moment): void => {
    const { guards = {} } = facts.manifests.spec;
    const { max = -1, percent = DEFAULT_PERCENT[removal.kind] } = guards[removal.kind] ?? {};
    const { floor = 5 } = guards;
    const isSame = ({ kind, scope }: Removal): boolean => kind === removal.kind && scope === removal.scope;
    const some = counted.filter((each) => isSame(each) && each.at > now - DAY);
    const base = baseOf(removal, facts);
    const isTooMuch = some.length > floor && percent < 100 && some.length * 100 > percent * base;
    if (!isTooMuch && (max < 0 || some.length <= max)) return;
    const limits = `max ${max}, percent ${percent} of ${base}, floor ${floor}`;
    fail('I4', `${describe(removal, facts)} is number ${some.length} of 24 hours; ${limits}`);
  };

  return {
    onRemoval(removal, moment) {
      // Spent by what it let go.
      if (approved.delete(keyOf(removal))) return;
      counted.push({ ...removal, at: moment.now });
      checkDoubt(removal, moment);
      checkGuard(removal, moment);
    },
    onLeaverRemoved(team, member, { facts }) {
      const isGone = server.users.get(member)?.active !== true || approvedMembers.has(`${team} ${member}`);
      if (reads.isSuspect(facts) && !isGone)
        fail('I1', `${facts.name}: ${member} was removed from ${team} after a suspect read`);
    },
    observeSizes() {
      const active = [...server.users.values()].filter((user) => user.active && ours.has(user.id)).length;
      mostActive = Math.max(mostActive, active);
      mostTeams = Math.max(mostTeams, [...server.teams.keys()].filter((id) => ours.has(id)).length);
      for (const { id, members } of server.teams.values())
        mostMembers.set(id, Math.max(mostMembers.get(id) ?? 0, members.length));
    },
    onTakenByHand() {
      takenByHand += 1;
    },
    onGivenBack(id) {
      counted = counted.filter((each) => each.kind !== 'deactivate' || each.id !== id);
    },
    grant(removals) {
      // What was refused waits for its next try, and is approved until then.
      for (const key of approved) if (!WAITING.has(key.split(' ')[0] ?? '')) approved.delete(key);
      approvedMembers.clear();
      for (const removal of removals) {
        approved.add(keyOf(removal));
        if (removal.kind === 'removeMembers') approvedMembers.add(`${removal.scope} ${removal.id}`);
      }
    },
    revoke() {
      approved.clear();
      approvedMembers.clear();
    },
    isApproved: (removal) => approved.has(keyOf(removal)),
    onStoreLost() {
      counted = [];
      approved.clear();
      for (const { id, externalId } of server.users.values()) if (externalId !== null) recovered.add(id);
    },
    onConfirmed(ids) {
      for (const id of ids) recovered.delete(id);
    },
    onStoreRolledBack() {
      // The copy may be one from before the loss, and what was counted since is forgotten.
      recovered.clear();
      counted = [];
      // Who has left since is somebody who is there, by the copy, until the account is looked at.
      takenByHand += [...server.users.values()].filter(({ id, active }) => !active && ours.has(id)).length;
    },
  };
}

function keyOf({ kind, scope, id }: Removal): string {
  return `${kind} ${scope} ${id}`;
}

function describe({ kind, scope, id }: Removal, { name }: RunFacts): string {
  return `${name}: ${kind} of ${id}${scope === '' ? '' : ` from ${scope}`}`;
}
