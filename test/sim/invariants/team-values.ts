/** Values of teams: what the mapping makes of the group, and nothing by what is not known (I1, I13). */
import { type Group, isChosen, toGroupOf } from '../groups.ts';
import type { Team } from '../server.ts';
import { SITE_ENTRY, TEAM_VALUE_NAMES, type TeamValueName } from '../team-values.ts';
import type { Moment, RunFacts, Scene } from './facts.ts';
import type { Reads } from './reads.ts';

interface Values {
  readonly before: Team | null;
  readonly after: Team;
}

interface Checking {
  readonly scene: Scene;
  readonly reads: Reads;
}

export function checkTeamValues(values: Values, { facts }: Moment, checking: Checking): void {
  const { scene } = checking;
  const { before, after } = values;
  // A team that is written whole is written as it was then, and that may come late.
  if (scene.mixedUp() && scene.server.dialect.refusesPatch) return;
  for (const name of TEAM_VALUE_NAMES) {
    const isNew = before === null && name === 'site';
    const problem =
      after[name] !== (before?.[name] ?? null) || isNew ? findProblem(name, values, facts, checking) : null;
    if (problem === null) continue;
    const what = `${facts.name}: ${name} of team ${after.id} was ${before?.[name]}, and is ${after[name]}`;
    scene.fail(problem.rule, `${what}: ${problem.message}`);
  }
}

type Problem = { readonly rule: 'I1' | 'I13' | 'engine'; readonly message: string };

function findProblem(name: TeamValueName, values: Values, facts: RunFacts, checking: Checking): Problem | null {
  const { before, after } = values;
  const entry = facts.manifests.teamMapping?.attributes.find(({ target }) => target === name);
  const group = findGroup(toGroupOf(after.externalId), facts);
  const isKnown = group !== null && facts.reading.groups?.attributes.includes(name) === true;
  // A new team has nothing that is not known, or not wanted.
  if (after[name] === null && (entry === undefined || !isKnown) && before === null) return null;
  if (entry === undefined) return { rule: 'engine', message: 'nothing writes it' };
  if (!isKnown) return { rule: 'I13', message: 'what its group says is not known' };
  const wanted = group[name];
  if (after[name] === null && wanted === null && entry.onEmpty === 'Clear') return findClearing(facts, checking);
  // Who makes a team, or takes one over, fills in what is empty.
  const isFilled = wanted === null && name === 'site' && (before === null || before.externalId === null);
  if (isFilled && after[name] === SITE_ENTRY.default) checking.scene.count('defaults of teams');
  const expected = isFilled ? SITE_ENTRY.default : wanted;
  return after[name] === expected ? null : { rule: 'engine', message: `it must be ${expected}` };
}

function findClearing(facts: RunFacts, { scene, reads }: Checking): Problem | null {
  scene.count('values of teams cleared');
  return reads.isSuspect(facts) ? { rule: 'I1', message: 'it was cleared after a suspect read' } : null;
}

/** Null: the read does not say, or the manifests leave its team alone. */
function findGroup(id: string | null, { reading, manifests }: RunFacts): Group | null {
  const { list = [], failed = [] } = reading.groups ?? {};
  const [group, twin] = list.filter((each) => each.id === id);
  if (group === undefined || twin !== undefined || failed.some((each) => each.id === id)) return null;
  return isChosen(group, manifests) ? group : null;
}
