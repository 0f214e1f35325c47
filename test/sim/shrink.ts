/** Makes a failing scenario small: whatever can be left out while the same rule still breaks is left out. */
import type { Rule } from './invariants/facts.ts';
import { type Scenario, type Step, withoutStep, withStep } from './scenario.ts';
import { simulate } from './simulate.ts';

export async function shrink(scenario: Scenario, rule: Rule, folder: string): Promise<Scenario> {
  const fails = async (candidate: Scenario): Promise<boolean> =>
    (await simulate(candidate, folder)).violations.some((violation) => violation.rule === rule);
  let smallest = scenario;
  for (let before = ''; before !== JSON.stringify(smallest); ) {
    before = JSON.stringify(smallest);
    smallest = await takeFirst(toPlainer(smallest), smallest, fails);
    for (let index = smallest.steps.length - 1; index >= 0; index -= 1)
      smallest = await takeFirst(toShorter(smallest, index), smallest, fails);
  }
  return smallest;
}

async function takeFirst(
  candidates: readonly Scenario[],
  otherwise: Scenario,
  fails: (candidate: Scenario) => Promise<boolean>,
): Promise<Scenario> {
  for (const candidate of candidates) if (await fails(candidate)) return candidate;
  return otherwise;
}

/** A smaller company, or the application without one of its peculiarities. */
function toPlainer(scenario: Scenario): Scenario[] {
  const { application, size } = scenario;
  const { quirks } = application;
  const plainer = [
    ...quirks.map((quirk) => ({ ...application, quirks: quirks.filter((each) => each !== quirk) })),
    { ...application, pageSize: 100 },
    { quirks, pageSize: application.pageSize },
  ].map((each) => ({ ...scenario, application: each }));
  const smaller = Array.from({ length: size - 1 }, (_, n) => ({ ...scenario, size: n + 1 }));
  const { ending: _none, ...staying } = scenario;
  const { groups: _groups, ...ungrouped } = scenario;
  const { features = [], ...unfeatured } = scenario;
  const fewer = features.map((each) => ({ ...scenario, features: features.filter((other) => other !== each) }));
  const candidates = [staying, ungrouped, unfeatured, ...fewer, ...smaller, ...plainer];
  return candidates.filter((each) => JSON.stringify(each) !== JSON.stringify(scenario));
}

/** Without the step; else, for a run, without one of the things that happen to it. */
function toShorter(scenario: Scenario, index: number): Scenario[] {
  const step = scenario.steps[index];
  const candidates = [withoutStep(scenario, index)];
  if (step?.do !== 'run') return candidates;
  const simpler: Step[] = step.faults.map((fault) => ({
    ...step,
    faults: step.faults.filter((each) => each !== fault),
  }));
  if (step.user !== null) simpler.push({ ...step, user: null });
  for (const flag of ['approve', 'resync', 'twin'] as const) if (step[flag]) simpler.push({ ...step, [flag]: false });
  return [...candidates, ...simpler.map((each) => withStep(scenario, index, each))];
}
