/** Whom a team refers to: target ids among its values, and what is written when the other side is there. Pure. */
import type { AttributeChange } from '../model.ts';
import type { TeamState } from '../state/staging.ts';
import type { Planned } from './draft.ts';
import {
  mendReferences,
  type ReferenceContext,
  resolveReferences,
  toReferenceUpdate,
  toReplaced,
} from './references.ts';
import type { PlanSettings } from './settings.ts';
import { toOrigin } from './team-origin.ts';

interface TeamReferenceContext extends ReferenceContext {
  readonly settings: PlanSettings;
  /** Those of teams. */
  readonly shapes: PlanSettings['shapes'];
}

export interface SettledTeam {
  /** With the target ids of those who are known among the values. */
  readonly team: TeamState;
  /** For the second pass. */
  readonly coming: readonly AttributeChange[];
}

export function settleReferences(team: TeamState, context: TeamReferenceContext): SettledTeam {
  const { desired, link, observed } = team;
  if (desired === null) return { team, coming: [] };
  const { values } = desired;
  const { settings, shapes } = context;
  const held = { ...link?.applied, ...observed?.attributes };
  const resolved = resolveReferences(values.references, context, { settings, shapes, resource: 'Team', held });
  const { rest, clear } = mendReferences(held, resolved, context);
  const attributes = { ...values.attributes, ...rest, ...resolved.known };
  const settled = { ...values, attributes, clear: [...values.clear, ...clear], references: {} };
  return { team: { ...team, desired: { ...desired, values: settled } }, coming: toReplaced(resolved.coming, held) };
}

/** With the second pass, where the team is there or is made. */
export function withComing<Plan extends Planned & { readonly members: 'compare' | 'empty' | 'keep' }>(
  planned: Plan,
  { desired, link, gone }: TeamState,
  { coming, settings }: Pick<SettledTeam, 'coming'> & Pick<TeamReferenceContext, 'settings'>,
): Plan {
  if (desired === null || coming.length === 0) return planned;
  const isMade = planned.operations.some(({ kind }) => kind === 'create');
  const isKept = link !== null && !gone && planned.members === 'compare';
  if (!isMade && !isKept) return planned;
  const targetId = isMade ? null : (link?.targetId ?? null);
  const { key: id, displayName: name } = desired;
  const later = toReferenceUpdate({ resource: 'Team', id, targetId, name }, coming, {
    settings,
    cause: toOrigin(desired).cause,
  });
  return { ...planned, operations: [...planned.operations, ...later] };
}
