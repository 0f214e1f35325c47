/** plan, of the members of one team: the differences, page by page, and what the link remembers of them. */
import { SyncError } from '../../errors.ts';
import { NOTHING, type Planned } from '../../plan/draft.ts';
import { isOverlooked, type MemberContext, planMember, planTeamDeletion } from '../../plan/member.ts';
import type { TeamPlan } from '../../plan/team.ts';
import type { MemberDifference, TeamState } from '../../state/staging.ts';
import type { DirectoryState } from '../../state/store.ts';
import { type DriftTally, type Overlooked, toMemory, toOverlooked } from './drift.ts';

export interface MembersInput {
  readonly team: TeamState;
  readonly planned: TeamPlan;
  readonly member: MemberContext;
  /** Null: the whole target was not looked at. */
  readonly drift: DriftTally | null;
  /** Members that a protected team keeps; null for any other team. */
  readonly keeps: number | null;
  /** People whose account is to be deleted, by source id: they are gone from the team all the same. */
  readonly ending: ReadonlySet<string>;
  /** The target shows who is in a team. */
  readonly tellsMembers: boolean;
  /** This run carries out its plan. */
  readonly writes: boolean;
  /** Source id of the only person whom this run is about; null: everybody. */
  readonly only: string | null;
  readonly add: (planned: Planned) => Promise<void>;
}

/** A new team stands in the plan when somebody who belongs to it has or gets an account: not before, and before them. */
export async function planMembers(state: DirectoryState, input: MembersInput): Promise<void> {
  const { team, planned, member, drift, add, only } = input;
  let creates = planned.operations.some(({ kind }) => kind === 'create') ? planned.operations : [];
  let removed = 0;
  const seen = { added: [] as string[], removed: [] as string[], byHand: false };
  const adopted = planned.operations.find(({ kind }) => kind === 'adopt')?.targetId ?? undefined;
  const quota = await createQuota(state, input, adopted);
  for await (const all of state.staging.memberDifferences(team.key, adopted)) {
    const page = only === null ? all : all.filter(({ sourceId }) => sourceId === only);
    const context = { ...member, deactivated: await findDeactivated(state, page, member) };
    const wanted = page.flatMap((difference) => {
      const operation = planMember(difference, context);
      return operation === null ? [] : [{ difference, operation }];
    });
    const operations = wanted.filter((each) => quota.allows(each.difference)).map(({ operation }) => operation);
    if (operations.length < wanted.length) await add({ ...NOTHING, protected: wanted.length - operations.length });
    await drift?.addMembers(team, page, context);
    note(seen, page, context);
    if (operations.length === 0) continue;
    removed += operations.filter(({ kind }) => kind === 'removeMembers').length;
    await add({ ...NOTHING, operations: [...creates, ...operations] });
    creates = [];
  }
  if (only !== null) return;
  await add({ ...NOTHING, effects: toMemory(team, seen, { writes: input.writes, byHand: seen.byHand }) });
  if (
    planned.deleteWhenEmpty &&
    input.keeps === null &&
    isKnown(team, input) &&
    (await state.staging.countMembers(team.key)).all <= removed
  ) {
    if (member.targetId === null) throw new SyncError('Unknown', 'a team without an account was to be deleted');
    await add({ ...NOTHING, operations: [planTeamDeletion(member)] });
  }
}

/** Removals up to a number, and everything else. */
interface Quota {
  /** Counts it. */
  allows(difference: MemberDifference): boolean;
}

/**
 * Who joins in this run is not there yet, and who may be there or not does not count, staying or going. Whose account goes
 * leaves first: of others so many fewer may.
 */
async function createQuota(
  { staging }: DirectoryState,
  { team, keeps, ending }: MembersInput,
  adopted: string | undefined,
): Promise<Quota> {
  if (keeps === null) return { allows: () => true };
  let mayGo = (await staging.countMembers(team.key, adopted)).sure - keeps;
  let othersMayGo = mayGo;
  if (ending.size > 0) {
    for await (const page of staging.memberDifferences(team.key, adopted))
      othersMayGo -= page.filter((each) => isSureLoss(each) && ending.has(each.sourceId ?? '')).length;
  }
  return {
    allows(difference) {
      if (!isSureLoss(difference)) return true;
      const isEnding = ending.has(difference.sourceId ?? '');
      if ((isEnding ? mayGo : Math.min(mayGo, othersMayGo)) <= 0) return false;
      mayGo -= 1;
      othersMayGo -= isEnding ? 0 : 1;
      return true;
    },
  };
}

function isSureLoss({ change, doubtful }: MemberDifference): boolean {
  return change === 'remove' && !doubtful;
}

/** Who was in a team before it was ours only the target can say. */
function isKnown({ link }: TeamState, { tellsMembers }: MembersInput): boolean {
  return link === null || link.origin === 'created' || tellsMembers;
}

/** The members of a team that stays as it is are those that the target has. */
export async function keepMembers(team: TeamState, add: MembersInput['add']): Promise<void> {
  const nobody: Overlooked = { added: [], removed: [] };
  await add({ ...NOTHING, effects: toMemory(team, nobody, { writes: true, byHand: false }) });
}

interface Seen {
  readonly added: string[];
  readonly removed: string[];
  byHand: boolean;
}

function note(seen: Seen, page: readonly MemberDifference[], context: MemberContext): void {
  // What stays as it is needs no second look: in doubt, the team would be put right.
  seen.byHand ||= page.some((difference) => difference.byHand && !isOverlooked(difference, context));
  const { added, removed } = toOverlooked(page, context);
  seen.added.push(...added);
  seen.removed.push(...removed);
}

/** Of the members who left: whose departure this plan does not carry out, because it was carried out before. */
async function findDeactivated(
  { links }: DirectoryState,
  page: readonly MemberDifference[],
  { leaving }: MemberContext,
): Promise<ReadonlySet<string>> {
  const left = page.flatMap(({ change, sourceId, presence }) =>
    change === 'remove' && sourceId !== null && presence !== 'present' && !leaving.has(sourceId) ? [sourceId] : [],
  );
  if (left.length === 0) return new Set();
  const known = await links.many(left);
  return new Set([...known].flatMap(([sourceId, { active }]) => (active ? [] : [sourceId])));
}
