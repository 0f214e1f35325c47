/** plan, of rules that name another team now: their teams are renamed. */
import type { TeamState } from '../../state/staging.ts';
import { getFact, putFact } from '../facts.ts';
import type { Loaded, RunDependencies } from '../run.ts';

/**
 * A rule that names another team now: its team is renamed, not left behind (rule I10). Only where it is plain which team
 * became which: one team of that rule alone that nothing calls for any more, one new team of that rule alone. Returns the
 * keys of teams whose new name somebody else's team has: they keep their members until that is settled.
 */
export async function followRenames({ state }: RunDependencies, loaded: Loaded): Promise<ReadonlySet<string>> {
  const { left, fresh } = await findRenames(state, loaded);
  const waiting = new Set<string>();
  for (const [rule, [to, second]] of fresh) {
    const [from, other] = left.get(rule) ?? [];
    if (from === undefined || to === undefined || other !== undefined || second !== undefined) continue;
    // A rename that the target has not taken yet may be taken back: then the name is still the team's own.
    if (to.candidates.some(({ linkedTo }) => linkedTo !== from)) waiting.add(from);
    else await renameTeam(state, from, to.key);
  }
  return waiting;
}

interface Renames {
  /** Teams that nothing calls for any more, by rule. */
  readonly left: ReadonlyMap<string, readonly string[]>;
  readonly fresh: ReadonlyMap<string, readonly TeamState[]>;
}

async function findRenames({ staging }: RunDependencies['state'], { rules }: Loaded): Promise<Renames> {
  const single = new Set(rules.rules.filter((rule) => rule.teamsFrom === null).map((rule) => rule.name));
  const left = new Map<string, string[]>();
  const fresh = new Map<string, TeamState[]>();
  for await (const page of staging.teams()) {
    for (const team of page) {
      const rule = toOnlyRule(team);
      if (rule === null || !single.has(rule)) continue;
      if (team.desired === null) push(left, rule, team.key);
      else if (team.link === null) push(fresh, rule, team);
    }
  }
  return { left, fresh };
}

/** What guards hold of the team is held under its new key, since when it was. */
async function renameTeam({ links, facts }: RunDependencies['state'], from: string, to: string): Promise<void> {
  await links.apply([{ type: 'rekeyTeam', from, to }]);
  const held = (await getFact(facts, 'held')) ?? [];
  if (held.every(({ scope }) => scope !== from)) return;
  const renamed = held.map((each) => (each.scope === from ? { ...each, scope: to } : each));
  await putFact(facts, 'held', renamed);
}

/** Null for a team of several rules. */
function toOnlyRule({ desired, link }: TeamState): string | null {
  const rules = desired?.rules ?? link?.rules ?? [];
  return rules.length === 1 ? (rules[0] ?? null) : null;
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
