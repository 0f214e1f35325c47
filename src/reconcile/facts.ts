/** Names and shapes of the small documents that a run leaves for the next one. */

import type { AttributeMemory, RetiredPath } from '../mapping/retired-paths.ts';
import type { PinnedGroup } from '../mapping/scope-groups.ts';
import type { GuardSubject, Json } from '../model.ts';
import type { OwnValues } from '../plan/detour.ts';
import type { Ending } from '../plan/references.ts';
import type { Facts } from '../state/store.ts';
import type { ReadStats } from './run.ts';

export interface Adopted {
  /** The old id. */
  readonly from: string;
  readonly people: number;
  readonly teams: number;
  /**
   * `everything`: source and target are the same. `accounts`: another source; whose they are is found by the matching
   * attributes. `nothing`: another target, where these accounts do not exist.
   */
  readonly what: 'everything' | 'accounts' | 'nothing';
  /** A run has told of it. */
  readonly told: boolean;
}

/** Times are milliseconds since 1970, UTC. */
export interface FactShapes {
  /** Which directory and application the links were made with. */
  readonly endpoint: { readonly source: string; readonly target: string };
  /** What was taken over by `adoptFrom`, once. */
  readonly adopted: Adopted;
  /** The id that has taken over everything that stood here. */
  readonly takenOverBy: string;
  readonly lastGoodRead: ReadStats;
  /** What the entries of `scope.groups` were found to mean. */
  readonly scopeGroups: readonly PinnedGroup[];
  /** A suspect read that waits for a second one: when, and the removals that it called for. */
  readonly suspect: { readonly since: number; readonly removals: readonly string[] };
  /** Guards that hold something, and since when: the window of each begins before that time. */
  readonly held: readonly (GuardSubject & { readonly since: number; readonly base: number })[];
  /** The last approval. Units that are not done yet, with their operations; none of them left when it is spent. */
  readonly approval: {
    readonly hash: string;
    readonly by: string | null;
    readonly at: number;
    /** Unit → fingerprints of its operations. */
    readonly units: Readonly<Record<string, readonly string[]>>;
  };
  /** Accounts that were sent round by a temporary value in a swap: source id → path → the value that they end with. */
  readonly detours: Readonly<Record<string, OwnValues>>;
  readonly verifiedAt: number;
  /** Deletions, at most 1,000, of what somebody may still refer to: the request that lets go of it failed. */
  readonly unreleased: readonly Ending[];
  /** How many times in a row the changes of the source could not be read. */
  readonly changesFailed: number;
  /** The secret that random values of expressions follow from. */
  readonly seed: string;
  /** What was observed of the target application; its shape is the provider's. */
  readonly targetMemory: Json;
  /** The last run that ended. */
  readonly ended: {
    /** What it was made for: the resource and all that it names. */
    readonly mark: string;
    /** It did what it could; nothing of it is tried again. */
    readonly completed: boolean;
    /** TeamRules that the last completed run took account of: name → mark. */
    readonly rules: Readonly<Record<string, string>>;
  };
  /** What CustomAttributes have written, and what is still to be removed of it. */
  readonly attributes: {
    readonly written: AttributeMemory['written'];
    /** By path. */
    readonly retired: Readonly<
      Record<
        string,
        RetiredPath & {
          /** A run has looked at every account for values that no link knows of. */
          readonly verified: boolean;
          /** Accounts with a value there, as the run of `runId` planned their removal; null: no whole run has yet. */
          readonly wanted: number | null;
        }
      >
    >;
    readonly runId: string | null;
    /** Deletions that a whole run has carried out: name of the CustomAttribute → mark of the deletion. */
    readonly deleted: Readonly<Record<string, string>>;
    /** CustomAttributes that were let go with their values: name → uid. */
    readonly abandoned: Readonly<Record<string, string>>;
  };
  /** Status in local mode. */
  readonly status: Readonly<Record<string, unknown>>;
}

export function getFact<K extends keyof FactShapes>(facts: Facts, name: K): Promise<FactShapes[K] | null> {
  return facts.get<FactShapes[K]>(name);
}

export function putFact<K extends keyof FactShapes>(facts: Facts, name: K, value: FactShapes[K] | null): Promise<void> {
  return facts.put(name, value);
}
