/**
 * The groups of one read, part of a run's scratch space: what the source says of them, and who belongs to each in the end.
 */
import type { GroupMember, GroupName, SourceGroup } from '../model.ts';

export interface StagedGroup {
  readonly group: SourceGroup;
  /** Another record of this read has the same id: neither may be used. */
  readonly duplicate: boolean;
  /** Its members are not known whole: it failed, or a group in it did. Who belongs to it for certain does; nobody leaves it. */
  readonly partial: boolean;
  /**
   * Ids of all groups whose teams are to have the same name (trimmed, without case), its own among them, in the order of
   * the read; empty while none was given.
   */
  readonly namesakes: readonly string[];
}

export interface SourceGroups {
  addGroups(groups: readonly SourceGroup[]): Promise<void>;
  /** Direct members; the same one again changes nothing. The group may come later. */
  addMembers(rows: readonly { readonly group: string; readonly members: readonly GroupMember[] }[]): Promise<void>;
  /** Groups that are there and could not be read whole. */
  addFailed(ids: readonly string[]): Promise<void>;
  /**
   * Further names by which records refer to people (mail addresses, userNames, distinguished names): compared without
   * case. A name that two people have refers to nobody.
   */
  addAliases(rows: readonly { readonly sourceId: string; readonly names: readonly string[] }[]): Promise<void>;
  /** The list was read to its end, and every item in it has an id: what is not there is gone. */
  setComplete(): Promise<void>;
  /**
   * Works out who belongs to each group, once users and groups are staged. A reference to a person is an id, else an
   * alias; to a group its id, else an alias that no other group has. `Flatten`: members of groups in a group too, whatever cycles there are.
   * @param names `some`: of groups or people not all names were read. A reference that names nobody may mean one of those:
   *   its group is partial.
   * @returns how many references name nobody of this read
   */
  resolve(nested: 'Flatten' | 'DirectOnly', names?: 'all' | 'some'): Promise<number>;
  /** In the order of the read; failed groups of which nothing but the id is known are not among them. */
  groups(): AsyncIterable<readonly StagedGroup[]>;
  /** What the teams of these groups are to be called, before others of the same name are told apart; also while `groups` is read. */
  nameTeams(rows: readonly { readonly id: string; readonly name: string }[]): Promise<void>;
  /** Different ones, with those that could not be read: they are there. */
  count(): Promise<number>;
  /** What people belong to, by source id, once resolved; whoever belongs to nothing has no entry. */
  groupsOf(sourceIds: readonly string[]): Promise<ReadonlyMap<string, readonly GroupName[]>>;
  /** Groups that are partial or failed: who is not known to belong to them may. The name is null where it is not known. */
  partial(): Promise<readonly (Pick<GroupName, 'id'> & { readonly displayName: string | null })[]>;
  /**
   * Which of these groups, once resolved, have a member by a name that two people (or two groups) have: the name refers to
   * nobody, and which of them is meant is not known. `Flatten`: members of groups in them count too.
   */
  ambiguous(ids: readonly string[], nested: 'Flatten' | 'DirectOnly'): Promise<readonly string[]>;
  /** The person that each name refers to: an id, else an alias. Names that refer to nobody, or to two, are absent. */
  people(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Puts everybody of a group who is `present` into a team of this run. */
  addMemberships(group: string, team: string): Promise<void>;
}
