/** What the state store knows of the TeamRules of one DirectorySync: read once for all of them. */
import type { ErrorCode } from '../errors.ts';
import type { DirectoryState, OperationStatus, RunRecord } from '../state/store.ts';
import { getFact } from './facts.ts';

export interface RuleFacts {
  readonly teams: number;
  /** Once per person and team. */
  readonly members: number;
  /** Operations on its teams that guards keep back. */
  readonly held: number;
  /** Operations on its teams that failed. */
  readonly failed: number;
  /** What the last run found wrong with the rule itself, one entry a team. */
  readonly errors: readonly ErrorCode[];
  /** Mark of what the rule said when a run last took account of it; null: none has. */
  readonly mark: string | null;
}

export const NO_RULE_FACTS: RuleFacts = { teams: 0, members: 0, held: 0, failed: 0, errors: [], mark: null };

/** By name of the rule; rules that the store has never heard of are not there. */
export async function readRuleFacts(state: DirectoryState): Promise<ReadonlyMap<string, RuleFacts>> {
  const rules = new RuleTable();
  const rulesOf = new Map<string, readonly string[]>();
  for await (const page of state.links.teams()) {
    for (const team of page) {
      rulesOf.set(team.key, team.rules);
      const members = await state.links.members(team.key);
      for (const rule of team.rules)
        rules.add(rule, ({ teams, members: sum }) => ({ teams: teams + 1, members: sum + members }));
    }
  }
  const run = (await state.journal.runs(RUNS)).find(hasPlan);
  if (run !== undefined) await addRun(state, run, { rules, rulesOf });
  for (const [rule, mark] of Object.entries((await getFact(state.facts, 'ended'))?.rules ?? {}))
    rules.add(rule, () => ({ mark }));
  return rules.facts;
}

/** Of so many runs one has a plan; when none of them has, nothing is known that is not old. */
const RUNS = 20;

/** One that failed before, or was ended on purpose, says nothing of rules. */
function hasPlan({ finishedAt, outcome, summary }: RunRecord): boolean {
  return finishedAt !== null && outcome !== 'stopped' && (summary['plan'] ?? null) !== null;
}

class RuleTable {
  readonly facts = new Map<string, RuleFacts>();

  add(rule: string, change: (before: RuleFacts) => Partial<RuleFacts>): void {
    const before = this.facts.get(rule) ?? NO_RULE_FACTS;
    this.facts.set(rule, { ...before, ...change(before) });
  }
}

interface Known {
  readonly rules: RuleTable;
  /** By key of the team. */
  readonly rulesOf: ReadonlyMap<string, readonly string[]>;
}

async function addRun(state: DirectoryState, { id }: RunRecord, { rules, rulesOf }: Known): Promise<void> {
  const count = async (status: OperationStatus, name: 'held' | 'failed'): Promise<void> => {
    for await (const page of state.journal.operations(id, { status })) {
      for (const operation of page.filter(({ resource }) => resource === 'Team')) {
        for (const rule of operation.team?.rules ?? rulesOf.get(operation.id) ?? [])
          rules.add(rule, (before) => ({ [name]: before[name] + 1 }));
      }
    }
  };
  await count('held', 'held');
  await count('failed', 'failed');
  for await (const page of state.journal.errors(id)) {
    for (const error of page.filter(({ resource }) => resource === 'TeamRule'))
      rules.add(error.id, ({ errors }) => ({ errors: [...errors, error.code] }));
  }
}
