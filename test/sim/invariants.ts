/** The rules of docs/invariants.md, checked at every request that changes something. */

import { checkDeletion } from './deletion.ts';
import { checkAlone } from './invariants/alone.ts';
import { isReadWhole, type Moment, type Rule, type RunFacts, type Scene, type Violation } from './invariants/facts.ts';
import { createLeavers } from './invariants/leavers.ts';
import { createPeopleChecks } from './invariants/people.ts';
import { createReads } from './invariants/reads.ts';
import { createRemovals, type Removal } from './invariants/removals.ts';
import { createTeamChecks } from './invariants/teams.ts';
import type { Change, Server } from './server.ts';

export interface Invariants {
  readonly violations: readonly Violation[];
  fail(rule: Rule, message: string): void;
  /** When a request switched this account off, if one did; milliseconds since 1970. */
  leftAt(id: string): number | null;
  onRunStart(facts: RunFacts): void;
  /** It was told something else than everybody would have been. */
  onTold(facts: RunFacts): void;
  onChange(change: Change, moment: Moment): void;
  /** A run ended by itself. `read`: it has read all; `trusted`: its read is the new measure. */
  onRunEnd(facts: RunFacts, end: { readonly read: boolean; readonly trusted: boolean }): void;
  /** What approval of a held set lets go. */
  grant(removals: readonly Removal[]): void;
  revoke(): void;
  onStoreLost(): void;
  onStoreRolledBack(): void;
  /** Accounts whose links were rebuilt, and are ordinary now. */
  onConfirmed(ids: readonly string[]): void;
  /** An administrator made it; it is not ours. */
  onMadeByHand(id: string): void;
  onTakenByHand(): void;
  onGivenBack(id: string): void;
}

type Tally = Pick<Scene, 'count' | 'mixedUp'>;

/** What it read is what the next one is measured against. */
function isWhole({ only, owned }: RunFacts): boolean {
  return only === null && owned === null;
}

/** @param tally what was met, by name */
export function createInvariants(server: Server, tally: Tally): Invariants {
  const violations: Violation[] = [];
  const fail = (rule: Rule, message: string): void => void violations.push({ rule, message });
  const scene: Scene = { server, ours: new Set(), damaged: false, fail, ...tally };
  const reads = createReads();
  const removals = createRemovals(scene, reads);
  const people = createPeopleChecks(scene, reads, removals);
  const teams = createTeamChecks(scene, reads, removals);
  const leavers = createLeavers();
  return {
    violations,
    fail,
    leftAt: leavers.leftAt,
    onRunStart(facts) {
      removals.observeSizes();
      reads.onRunStart(facts);
      people.onRunStart(facts);
    },
    onTold: reads.onTold,
    onChange(change, moment) {
      const { name, plans, owned } = moment.facts;
      if (owned !== null) {
        checkDeletion(change, owned, { facts: moment.facts, scene });
        return;
      }
      if (!isReadWhole(moment.facts)) fail('I1', `${name}: a write although the read failed`);
      if (plans) fail('I12', `${name}: a write although it only plans`);
      if (change.kind === 'User') people.onChange(change.before, change.after, moment);
      else teams.onChange(change.before, change.after, moment);
      checkAlone(change, moment, scene);
      leavers.onChange(change, moment.now);
      removals.observeSizes();
    },
    onRunEnd(facts, { read, trusted }) {
      if (!isWhole(facts)) return;
      if (read) reads.onRead(facts);
      if (trusted) reads.onTrusted(facts);
    },
    grant: removals.grant,
    revoke: removals.revoke,
    onStoreLost() {
      scene.damaged = true;
      reads.forget();
      removals.onStoreLost();
    },
    onStoreRolledBack() {
      scene.damaged = true;
      reads.forget();
      removals.onStoreRolledBack();
    },
    onConfirmed: removals.onConfirmed,
    onTakenByHand: removals.onTakenByHand,
    onGivenBack: removals.onGivenBack,
    onMadeByHand: (id) => void scene.ours.delete(id),
  };
}
