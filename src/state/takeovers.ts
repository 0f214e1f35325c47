/** Part of the contract of the state store: one id takes over what stands under another. */
import type { LinkCounts } from './store.ts';

/** What stands under another id of the same namespace. */
export interface Predecessor {
  readonly links: LinkCounts;
  /** All of them, by name. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Takeover {
  /** The old id. */
  readonly from: string;
  /**
   * Null: links stay what they are. Otherwise ids of people and groups mean somebody else from now on. Source ids get this
   * prefix (where they do not begin with `inherited:` already), and so do keys of teams of groups, wherever they are named:
   * also in operations whose end is not known. The links have the origin `inherited`, and their backoffs end.
   */
  readonly prefix: string | null;
  /** Names of facts of the old id that do not come along; one of a name that this id has replaces it. */
  readonly without: readonly string[];
  /** Written with the rest; null removes. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The only facts that the old id has afterwards. */
  readonly left: Readonly<Record<string, unknown>>;
}

export interface Takeovers {
  /** Null: nothing was ever written under this id. */
  find(id: string): Promise<Predecessor | null>;
  /**
   * Links, teams with their members, runs, removals and sizes, backoffs and facts of the old id are those of this one
   * afterwards (rule D9). This id may have runs and facts of its own. One that has links, or an old id that nothing was
   * ever written under, is `Conflict`.
   */
  carryOut(takeover: Takeover): Promise<void>;
}
