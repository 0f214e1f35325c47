/** plan, of those who refer to an account or team that is deleted: they let go of it, with the deletion. */
import type { Attributes, References, ResourceKind } from '../../model.ts';
import { NOTHING } from '../../plan/draft.ts';
import { type Ending, planRelease, type Referring, resolveReferences, toEndingKey } from '../../plan/references.ts';
import type { PlanSettings } from '../../plan/settings.ts';
import { toBelievedPerson } from '../../plan/target-limits.ts';
import { toBelievedTeam } from '../../plan/team-values.ts';
import type { PersonState, TeamState } from '../../state/staging.ts';
import type { RunDependencies } from '../run.ts';
import type { PlanWriter } from './plan-writer.ts';
import { type ReferenceIndex, refersTo } from './references.ts';

export interface ReleaseInput {
  /** Accounts and teams that this plan deletes, or an earlier one has. */
  readonly endings: readonly Ending[];
  /** People whose deletion is called for, whether it is tried now or waits for its turn. */
  readonly leaving: ReadonlySet<string>;
  readonly settings: PlanSettings;
  readonly teamShapes: PlanSettings['shapes'];
  readonly index: ReferenceIndex;
  readonly writer: PlanWriter;
  readonly signal: AbortSignal;
}

export interface Released {
  /** Units in which somebody lets go of something. */
  readonly planned: ReadonlySet<string>;
  /** Units in which somebody would, if anything were known of them. */
  readonly undecided: ReadonlySet<string>;
}

export async function releaseReferences(run: RunDependencies, input: ReleaseInput): Promise<Released> {
  const { settings, teamShapes, endings } = input;
  const released = { planned: new Set<string>(), undecided: new Set<string>() };
  const isMeant = (shapes: PlanSettings['shapes']): boolean =>
    endings.some(({ resource }) => refersTo(shapes, resource));
  const { staging } = run.state;
  if (isMeant(settings.shapes)) {
    for await (const page of staging.people(run.options.user)) {
      await release(
        page.flatMap((person) => toPerson(person, settings)),
        'User',
        { ...input, released },
      );
    }
  }
  if (isMeant(teamShapes)) {
    for await (const page of staging.teams()) {
      await release(
        page.flatMap((team) => toTeam(team, settings)),
        'Team',
        { ...input, released },
      );
    }
  }
  return released;
}

/** Who may refer to what is deleted. */
interface Holder {
  readonly referring: Referring & { readonly targetId: string };
  readonly held: Attributes;
  readonly references: References;
  /** Nothing is known for sure: nothing of theirs is changed (rule I13). */
  readonly undecided: boolean;
}

/** None where there is no account of ours. */
function toPerson(person: PersonState, settings: PlanSettings): readonly Holder[] {
  const { sourceId, link, observed, gone, desired, contestedBy } = toBelievedPerson(person, settings);
  if (link === null || gone || contestedBy !== null) return [];
  const { targetId, name, applied } = link;
  const references = desired?.presence === 'present' ? desired.references : {};
  const referring = { resource: 'User', id: sourceId, targetId, name } as const;
  const undecided = desired?.presence === 'undecided';
  return [{ referring, held: observed?.attributes ?? applied, references, undecided }];
}

function toTeam({ key, link, observed, gone, desired }: TeamState, { target }: PlanSettings): readonly Holder[] {
  if (link === null || gone) return [];
  const { targetId, displayName, applied } = link;
  const believed = toBelievedTeam(observed, link, target);
  const referring = { resource: 'Team', id: key, targetId, name: displayName } as const;
  const references = desired?.values.references ?? {};
  return [{ referring, held: believed?.attributes ?? applied, references, undecided: false }];
}

async function release(
  holders: readonly Holder[],
  resource: ResourceKind,
  input: ReleaseInput & { readonly released: Readonly<Record<keyof Released, Set<string>>> },
): Promise<void> {
  const { settings, teamShapes, index, writer, signal, released, leaving } = input;
  signal.throwIfAborted();
  const shapes = resource === 'User' ? settings.shapes : teamShapes;
  const endings = new Map(input.endings.map((ending) => [toEndingKey(ending.resource, ending.targetId), ending]));
  const context = await index.context(
    holders.map(({ references }) => references),
    shapes,
  );
  for (const { referring, held, references, undecided } of holders) {
    // Who goes too needs nothing to be put right; nor in a run that does not try it again yet, whose held set is the same.
    if (endings.has(toEndingKey(resource, referring.targetId))) continue;
    if (resource === 'User' && leaving.has(referring.id)) continue;
    const { known, coming } = resolveReferences(references, context, { settings, shapes, resource, held });
    // What this plan writes later the next one puts right.
    const later = new Set(coming.map(({ path }) => path));
    const operations = planRelease(referring, { ...held, ...known }, { endings, later, settings, shapes });
    for (const { unit } of operations) released[undecided ? 'undecided' : 'planned'].add(unit);
    if (operations.length > 0 && !undecided) await writer.add({ ...NOTHING, operations });
  }
}
