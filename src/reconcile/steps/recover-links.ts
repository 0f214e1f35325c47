/** plan, of what a lost store has forgotten: links found again, and accounts of which it is open whose they are. */
import { planRecovery, type RecoveryClaim, selectRecoveries } from '../../plan/account.ts';
import { isEvidence, isFree } from '../../plan/inheritance.ts';
import type { PlanSettings } from '../../plan/settings.ts';
import { planTeamRecovery } from '../../plan/team.ts';
import type { PersonState } from '../../state/staging.ts';
import type { RunDependencies } from '../run.ts';
import type { PlanWriter } from './plan-writer.ts';
import { isMeant } from './read.ts';

export interface PeopleInput {
  readonly settings: PlanSettings;
  readonly writer: PlanWriter;
  readonly signal: AbortSignal;
}

/** What is open about accounts before anybody is planned. */
export interface OpenAccounts {
  /** Target id of an account without an owner → source ids of those who match it. */
  readonly rivals: ReadonlyMap<string, readonly string[]>;
  /** Target ids of linked accounts that do not exist any more. */
  readonly gone: ReadonlySet<string>;
  readonly claims: readonly RecoveryClaim[];
}

interface RecoveryInput extends PeopleInput {
  /** The whole target was looked at; else accounts were looked for of those alone who are to get one. */
  readonly verified: boolean;
}

/** Before anything else: who is a member of what is told by links. */
export async function recoverLinks(run: RunDependencies, input: RecoveryInput): Promise<OpenAccounts> {
  const { state } = run;
  const { settings, writer } = input;
  const open = await findOpenAccounts(state, input);
  const selected = selectRecoveries(open.claims);
  if (selected.size > 0) {
    for await (const page of state.staging.withoutAccount()) {
      for (const person of page.filter(({ sourceId }) => selected.has(sourceId) && isMeant(run, sourceId)))
        await writer.add(planRecovery(person, settings));
    }
  }
  const isStoreLost = selected.size > 0 || (await hasRecovered(state));
  for await (const page of state.staging.teams()) {
    for (const team of page) await writer.add(planTeamRecovery(team, { target: settings.target, isStoreLost }));
  }
  await writer.flush();
  return open;
}

/** A run before this one has found people again. */
async function hasRecovered({ links }: RunDependencies['state']): Promise<boolean> {
  for await (const page of links.recovered()) if (page.length > 0) return true;
  return false;
}

async function findOpenAccounts(
  { staging }: RunDependencies['state'],
  { settings, signal, verified }: RecoveryInput,
): Promise<OpenAccounts> {
  const rivals = new Map<string, string[]>();
  const gone = new Set<string>();
  const claims: RecoveryClaim[] = [];
  for await (const page of staging.withoutAccount()) {
    signal.throwIfAborted();
    for (const person of page) {
      if (person.link !== null) gone.add(person.link.targetId);
      for (const id of toOpenAccounts(person)) {
        // A mapping that gives everybody one value makes everybody a rival: the list must not be copied for each.
        const others = rivals.get(id);
        if (others === undefined) rivals.set(id, [person.sourceId]);
        else others.push(person.sourceId);
      }
      claims.push(...toClaims(person, { settings, verified }));
    }
  }
  return { rivals, gone, claims };
}

export function isOpen({ link, gone }: PersonState): boolean {
  return link === null || gone;
}

/** Accounts that somebody who stays matches, and nobody has. */
export function toOpenAccounts({ desired, candidates }: PersonState): ReadonlySet<string> {
  if (desired?.presence !== 'present') return new Set();
  return new Set(candidates.filter((each) => isFree(each) && isEvidence(each)).map(({ object }) => object.id));
}

function toClaims(
  person: PersonState,
  { settings, verified }: Pick<RecoveryInput, 'settings' | 'verified'>,
): readonly RecoveryClaim[] {
  const { sourceId, desired } = person;
  const present = desired?.presence === 'present';
  // Of others nobody knows what else matches them: the only account that was seen need not be the only one.
  if (!verified && !present) return [];
  return planRecovery(person, settings).operations.map(({ targetId }) => ({
    sourceId,
    targetId: targetId ?? '',
    present,
  }));
}
