/**
 * observe, of values that nobody else may have: for everybody who gets an account, the first candidate that neither an
 * account of the target has nor somebody else of this run.
 */
import { toMatchKey } from '../../mapping/match-key.ts';
import type { DesiredUser, Json } from '../../model.ts';
import { mayBeMade } from '../../plan/account.ts';
import type { PersonState } from '../../state/staging.ts';
import type { Loaded, RunDependencies } from '../run.ts';
import { toDesiredKeys } from './map.ts';

interface Choosing {
  /** Stages the accounts of the target that have the value. */
  readonly look: (query: { readonly path: string; readonly value: Json }) => Promise<void>;
  readonly signal: AbortSignal;
}

export async function chooseValues(run: RunDependencies, loaded: Loaded, choosing: Choosing): Promise<void> {
  const { mapping } = loaded;
  if (mapping.chosen.length === 0) return;
  const { staging, journal } = run.state;
  for await (const page of staging.withoutAccount(run.options.user)) {
    choosing.signal.throwIfAborted();
    for (const person of page) {
      if (person.desired === null || !getsAccount(person)) continue;
      const { desired, full } = await choose(run, person.desired, { mapping, ...choosing });
      await staging.addDesired([{ desired, keys: toDesiredKeys(desired, mapping.matching) }]);
      if (full === null) continue;
      const message = `attribute ${JSON.stringify(full)}: every value that it may have is taken; give the expression more of them`;
      await journal.addErrors(run.runId, [{ resource: 'User', id: desired.sourceId, code: 'RecordInvalid', message }]);
    }
  }
}

/** Whoever is found again, or takes an account over, keeps the value that the account has. */
function getsAccount(person: PersonState): boolean {
  const { desired } = person;
  return desired?.presence === 'present' && desired.candidates !== undefined && mayBeMade(person, desired);
}

/** `full`: the attribute of which no value is free; then the person waits. */
async function choose(
  run: RunDependencies,
  desired: DesiredUser,
  choosing: Choosing & Pick<Loaded, 'mapping'>,
): Promise<{ readonly desired: DesiredUser; readonly full: string | null }> {
  const onCreate: Record<string, Json> = { ...desired.onCreate };
  for (const { path, caseExact } of choosing.mapping.chosen) {
    const values = desired.candidates?.[path];
    if (values === undefined) continue;
    const free = await findFree(run, { values, path, caseExact, sourceId: desired.sourceId }, choosing);
    if (free === null) return { desired: { ...desired, presence: 'undecided' }, full: path };
    onCreate[path] = free;
  }
  return { desired: { ...desired, onCreate }, full: null };
}

interface Wanted {
  readonly values: readonly Json[];
  readonly path: string;
  readonly caseExact: boolean;
  readonly sourceId: string;
}

async function findFree(
  { state: { staging } }: RunDependencies,
  { values, path, caseExact, sourceId }: Wanted,
  { look }: Choosing,
): Promise<Json | null> {
  for (const value of values) {
    const key = { path, key: toMatchKey(String(value), caseExact) };
    if (await staging.isObserved(key)) continue;
    await look({ path, value });
    if (!(await staging.isObserved(key)) && (await staging.claim(key, sourceId))) return value;
  }
  return null;
}
