/**
 * What the source said last, part of the state store's contract: the people, groups and members of the last complete read
 * and the cursors from which changes go on. A run that reads changes stages them here, and everything else from here.
 */
import type { SourceUser } from '../model.ts';
import type { Cursors, SourceChange } from '../sources/source.ts';

export interface MirrorHead {
  /** Null: the source tells no changes, and the mirror is for reads of the people in scope. */
  readonly cursors: Cursors | null;
  /** What the reads were made with: under another mark the mirror says nothing. */
  readonly mark: string;
  /** When everybody was read last, in milliseconds since 1970. */
  readonly fullAt: number;
  /** Whatever else must be known of the records as a whole, as JSON. The reconcile folder owns its shape. */
  readonly summary: Readonly<Record<string, unknown>>;
}

/** `userUnread`: is there, and nothing is known of the record. */
export type MirrorChange =
  | Exclude<SourceChange, { readonly type: 'user' }>
  | { readonly type: 'user'; readonly user: SourceUser }
  | { readonly type: 'userUnread'; readonly id: string };

/**
 * The order of a run: `head`, then `stage` for every change, then (after aliases of staged people) `fill`, and `update` in
 * the end. Or, after a full read, `replace`. Head and records belong together at every moment (rule D10).
 */
export interface Mirror {
  /** Null: there is no mirror, or it was not written to its end. */
  head(): Promise<MirrorHead | null>;
  /** Records as they are with the changes staged so far; who is not there has no entry. */
  users(ids: readonly string[]): Promise<ReadonlyMap<string, SourceUser>>;
  /** In the order of the list; once more for the same one replaces what was said of it. */
  stage(changes: readonly MirrorChange[]): Promise<void>;
  /** People of whom no change has spoken so far, as the mirror has them. */
  untouched(): AsyncIterable<readonly SourceUser[]>;
  /** Puts everything into the run's scratch space that no change has spoken of; `people`: but for groups and members. */
  fill(what: 'everything' | 'people'): Promise<void>;
  /** What was staged becomes part of the mirror, with its new head. */
  update(head: MirrorHead): Promise<void>;
  /**
   * What the run's scratch space has of people, aliases, groups and members becomes the mirror. In several turns: until
   * the last of them there is none.
   * @returns false, and no mirror is left, where two records have one id
   */
  replace(head: MirrorHead): Promise<boolean>;
  /** There is no mirror any more. Its rows stay for the next `replace` to compare with, unless they are to go as well. */
  drop(what: 'head' | 'everything'): Promise<void>;
}
