/** What the plan finds changed by hand: counted for the status and, where it was asked for, kept to be shown. */
import { type AttributeDrift, findDrift } from '../../plan/drift.ts';
import { isOverlooked, type MemberContext } from '../../plan/member.ts';
import { fitToTarget } from '../../plan/target-limits.ts';
import type { TeamContext } from '../../plan/team.ts';
import { findTeamDrift } from '../../plan/team-drift.ts';
import type { PersonContext } from '../../plan/values.ts';
import type { MemberDifference, PersonState, TeamState } from '../../state/staging.ts';
import type { Effect, Finding } from '../../state/store.ts';
import type { TargetObject } from '../../targets/target.ts';
import type { DriftCounts, RunDependencies } from '../run.ts';

const BATCH = 500;

/** What is kept to be shown of values that are not. */
const REDACTED = '[Redact]';

function toShown(drift: AttributeDrift, shapes: TeamContext['shapes']): AttributeDrift {
  const isRedacted = shapes.get(drift.path)?.redacted === true;
  return isRedacted ? { path: drift.path, applied: REDACTED, found: REDACTED } : drift;
}

export class DriftTally {
  readonly counts = { attributes: 0, memberships: 0, missing: 0 };
  readonly #run: RunDependencies;
  #findings: Finding[] = [];

  constructor(run: RunDependencies) {
    this.#run = run;
  }

  async addPerson(found: PersonState, context: PersonContext): Promise<void> {
    const person = fitToTarget(found, context.settings);
    const { link, gone, sourceId } = person;
    if (link === null) return;
    const { targetId, name } = link;
    const base = { resource: 'User', id: sourceId, targetId, name, attribute: null, member: null } as const;
    if (gone) await this.#add('missing', { ...base, kind: 'missing' });
    for (const drift of findDrift(person, context)) {
      const attribute = toShown(drift, context.settings.shapes);
      await this.#add('attributes', { ...base, kind: 'attribute', attribute });
    }
  }

  async addTeam(team: TeamState, context: TeamContext): Promise<void> {
    const { key, link, gone } = team;
    if (link === null) return;
    const { targetId, displayName: name } = link;
    const base = { resource: 'Team', id: key, targetId, name, attribute: null, member: null } as const;
    if (gone) await this.#add('missing', { ...base, kind: 'missing' });
    for (const drift of findTeamDrift(team, context))
      await this.#add('attributes', { ...base, kind: 'attribute', attribute: toShown(drift, context.shapes) });
  }

  async addMembers({ key, link }: TeamState, page: readonly MemberDifference[], context: MemberContext): Promise<void> {
    if (link === null) return;
    for (const difference of page) {
      const { change, sourceId, targetId, name } = difference;
      if (targetId === null || !isByHand(difference, context)) continue;
      await this.#add('memberships', {
        kind: 'membership',
        resource: 'Team',
        id: key,
        targetId: link.targetId,
        name: link.displayName,
        attribute: null,
        // What is to be added again was removed.
        member: { change: change === 'add' ? 'removed' : 'added', sourceId, targetId, name },
      });
    }
  }

  /** Accounts that belong to nobody are counted by observe; here they are only kept to be shown. */
  async addUnmanaged(): Promise<void> {
    if (!this.#run.options.findings) return;
    for await (const page of this.#run.state.staging.unmanaged()) {
      this.#findings.push(...page.map(toUnmanaged));
      await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#findings.length > 0) await this.#run.state.journal.addFindings(this.#run.runId, this.#findings);
    this.#findings = [];
  }

  async #add(count: keyof DriftCounts, finding: Finding): Promise<void> {
    this.counts[count] += 1;
    if (!this.#run.options.findings) return;
    this.#findings.push(finding);
    if (this.#findings.length >= BATCH) await this.flush();
  }
}

function isByHand(difference: MemberDifference, context: MemberContext): boolean {
  const { change, sourceId, targetId, byHand } = difference;
  // Somebody without an account may be about to get this one.
  if (context.emptied || (targetId !== null && context.claimed.has(targetId))) return false;
  return byHand || (change === 'remove' && sourceId === null);
}

function toUnmanaged({ id, attributes }: TargetObject): Finding {
  const name = String(attributes['userName'] ?? id);
  return { kind: 'unmanaged', resource: 'User', id: null, targetId: id, name, attribute: null, member: null };
}

/** What was made by hand and stays as it is. */
export interface Overlooked {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export function toOverlooked(page: readonly MemberDifference[], context: MemberContext): Overlooked {
  const ids = (change: MemberDifference['change']): string[] =>
    page
      .filter((each) => each.change === change && isOverlooked(each, context))
      .flatMap(({ targetId }) => targetId ?? []);
  return { added: ids('remove'), removed: ids('add') };
}

/**
 * What the link remembers after its team's members were read. A run that writes takes what the target has, so that what
 * is not mended now is planned by the next run; but what was overlooked stays as it was applied, else the next run would
 * take it for a change of the source. A run that only plans forgets nothing, and the next one looks again.
 */
export function toMemory(
  { key, link, observed }: TeamState,
  { added, removed }: Overlooked,
  { writes, byHand }: { readonly writes: boolean; readonly byHand: boolean },
): readonly Effect[] {
  if (link === null || observed === null) return [];
  if (!writes) return byHand ? [{ type: 'markTeamDirty', key }] : [];
  return [
    { type: 'takeMembers', key },
    ...(added.length === 0 ? [] : [{ type: 'removeMembers', key, targetIds: added } as const]),
    ...(removed.length === 0 ? [] : [{ type: 'addMembers', key, targetIds: removed } as const]),
  ];
}
