/** Rules that ask for other rules' teams (`IsInTeam`) come after them. Pure. */
import { computeNearestName } from '../nearest-name.ts';
import { toTeamKey } from '../team-key.ts';
import type { CompiledRule, ReportRule } from './rules.ts';

/**
 * Any team may be one of `teamsFrom`, whose rules ask for no team: they come before whoever asks for one.
 * @param named display names of all teams that rules name, those of rules that do not compile included
 * @returns the rules without those that form a circle, which are reported
 */
export function orderRules(
  rules: readonly CompiledRule[],
  named: readonly string[],
  report: ReportRule,
): readonly CompiledRule[] {
  const makers = new Map<string, CompiledRule[]>();
  for (const rule of rules) {
    if (rule.displayName === null) continue;
    const key = toTeamKey(rule.displayName);
    makers.set(key, [...(makers.get(key) ?? []), rule]);
  }
  const context: OrderContext = {
    makers,
    named: new Map(named.map((name) => [toTeamKey(name), name])),
    ofValues: rules.filter(({ teamsFrom }) => teamsFrom !== null),
    report,
    ordered: [],
    done: new Set(),
  };
  for (const rule of rules) visit(rule, [], context);
  return context.ordered;
}

interface OrderContext {
  /** Rules by the key of the team that they name. */
  readonly makers: ReadonlyMap<string, readonly CompiledRule[]>;
  readonly named: ReadonlyMap<string, string>;
  readonly ofValues: readonly CompiledRule[];
  readonly report: ReportRule;
  readonly ordered: CompiledRule[];
  readonly done: Set<CompiledRule>;
}

const POINTER = '/spec/match';

function visit(rule: CompiledRule, trail: readonly CompiledRule[], context: OrderContext): void {
  if (context.done.has(rule)) return;
  const begin = trail.indexOf(rule);
  if (begin >= 0) {
    const circle = trail.slice(begin);
    const path = [...circle, rule].map(({ name }) => name).join(' → ');
    for (const each of circle) {
      context.report(each.name, POINTER, `rules ask for each other's teams: ${path}`);
      context.done.add(each);
    }
    return;
  }
  for (const team of rule.condition?.needs.teams ?? []) {
    const key = toTeamKey(team);
    if (context.ofValues.length === 0 && !context.named.has(key)) reportUnknown(rule, team, context);
    for (const maker of [...context.ofValues, ...(context.makers.get(key) ?? [])])
      visit(maker, [...trail, rule], context);
  }
  if (context.done.has(rule)) return;
  context.done.add(rule);
  context.ordered.push(rule);
}

function reportUnknown(rule: CompiledRule, team: string, { named, report }: OrderContext): void {
  const nearest = computeNearestName(team, named.values());
  const hint = nearest === null ? '' : `; did you mean ${JSON.stringify(nearest)}?`;
  report(rule.name, POINTER, `no rule makes a team ${JSON.stringify(team)}${hint}`);
}
