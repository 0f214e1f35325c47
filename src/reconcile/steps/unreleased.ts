/**
 * Who could not let go of an account or team in the run that deleted it, for the request failed, does so in a later one:
 * nothing else would tell that run what the reference means.
 */
import type { Ending } from '../../plan/references.ts';
import type { DirectoryState } from '../../state/store.ts';
import { getFact, putFact } from '../facts.ts';
import type { RunDependencies } from '../run.ts';

/** The oldest are forgotten beyond that: in their place an application says that nobody has the id. */
const MOST = 1000;

/** What was deleted by an earlier run; not what that run could not delete either, or has its id by now. */
export async function readUnreleased({ state }: RunDependencies): Promise<readonly Ending[]> {
  const all = (await getFact(state.facts, 'unreleased')) ?? [];
  if (all.length === 0) return [];
  const teams = new Set<string>();
  for await (const page of state.links.teams()) for (const { targetId } of page) teams.add(targetId);
  const isThere = async ({ resource, targetId }: Ending): Promise<boolean> =>
    resource === 'Team' ? teams.has(targetId) : (await state.links.byTarget(targetId)) !== null;
  const gone: Ending[] = [];
  for (const ending of all) if (!(await isThere(ending))) gone.push(ending);
  return gone;
}

/**
 * Between the references and the deletions, so that a run that is killed there has written down what it owes.
 * @param endings what this run deletes, and what an earlier one did
 * @param owed of them what somebody may refer to still, whatever becomes of the plan
 */
export async function rememberUnreleased(
  { state, runId, options }: RunDependencies,
  { endings, owed }: { readonly endings: readonly Ending[]; readonly owed: readonly Ending[] },
): Promise<void> {
  const before = (await getFact(state.facts, 'unreleased')) ?? [];
  const units = endings.length === 0 ? new Set<string>() : await listFailedUnits(state, runId);
  // A run about one person lets nobody else let go.
  const isOneUser = options.user !== null;
  const more = isOneUser ? endings : endings.filter(({ unit }) => units.has(unit));
  const next = new Map([...(isOneUser ? before : owed), ...more].map((each) => [each.targetId, each]));
  const left = [...next.values()].slice(-MOST);
  if (JSON.stringify(left) !== JSON.stringify(before))
    await putFact(state.facts, 'unreleased', left.length === 0 ? null : left);
}

/** Of operations that let go of something and were refused, or of which nobody knows how they ended. */
async function listFailedUnits({ journal }: DirectoryState, runId: string): Promise<ReadonlySet<string>> {
  const units = new Set<string>();
  for (const status of ['failed', 'begun'] as const) {
    for await (const page of journal.operations(runId, { phase: 'references', status }))
      for (const { unit, removal } of page) if (removal) units.add(unit);
  }
  return units;
}
