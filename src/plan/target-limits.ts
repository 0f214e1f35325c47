/** A plan that asks nothing of a target that it cannot do, and believes nothing that it does not show. Pure. */
import type { AttributeChange, Attributes, DesiredUser, Json } from '../model.ts';
import type { PersonState } from '../state/staging.ts';
import type { Link } from '../state/store.ts';
import type { AttributeBehaviour, TargetObject } from '../targets/target.ts';
import type { LeavingPolicy, PlanSettings, TargetLimits } from './settings.ts';

type Writes = AttributeBehaviour['writes'];

/** Before a person is planned: left out is what is not written there, and what was written counts where it is not shown. */
export function fitToTarget(person: PersonState, { target }: Pick<PlanSettings, 'target'>): PersonState {
  const { desired, link, gone } = person;
  const isThere = link !== null && !gone;
  const fitted = desired === null ? null : keepWritable(desired, target, isThere ? ['always'] : ['always', 'onCreate']);
  return { ...toBelievedPerson(person, { target }), desired: fitted };
}

/** The person with the account as if it showed what was written, where the target makes something else of it. */
export function toBelievedPerson(person: PersonState, { target }: Pick<PlanSettings, 'target'>): PersonState {
  const { observed, link } = person;
  return observed === null ? person : { ...person, observed: toBelieved(observed, link, target) };
}

/** What can be written to an account that is there already. */
export function toUpdatable(desired: DesiredUser, { target }: Pick<PlanSettings, 'target'>): DesiredUser {
  return keepWritable(desired, target, ['always']);
}

function keepWritable(desired: DesiredUser, target: TargetLimits, writes: readonly Writes[]): DesiredUser {
  const isKept = (path: string): boolean => writes.includes(target.attribute('User', path).writes);
  const keep = <T>(values: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.keys(values).every(isKept)
      ? values
      : Object.fromEntries(Object.entries(values).filter(([path]) => isKept(path)));
  return {
    ...desired,
    attributes: keep(desired.attributes),
    onCreate: keep(desired.onCreate),
    defaults: keep(desired.defaults),
    references: keep(desired.references),
    clear: desired.clear.filter(isKept),
  };
}

/** The account as if it showed what was written: a form of its own is no change by hand. */
function toBelieved(observed: TargetObject, link: Link | null, target: TargetLimits): TargetObject {
  const attributes: Record<string, Json> = { ...observed.attributes };
  const applied: Attributes = link?.applied ?? {};
  for (const path of new Set([...Object.keys(attributes), ...Object.keys(applied)])) {
    if (!isHidden(target.attribute('User', path))) continue;
    const written = applied[path];
    if (written !== undefined) attributes[path] = written;
  }
  return { ...observed, attributes };
}

export function isHidden({ shows }: AttributeBehaviour): boolean {
  return shows === 'otherwise' || shows === 'never';
}

/** What a policy comes to on this target: where switching off removes it is a deletion, where none deletes it is none. */
export function fitPolicy(policy: LeavingPolicy, { target }: Pick<PlanSettings, 'target'>): LeavingPolicy {
  if (policy === 'Deactivate' && target.deactivation === 'removes') return 'Delete';
  return policy === 'Delete' && target.deactivation === 'deactivates' && !target.deleteUsers ? 'Deactivate' : policy;
}

/** Changes of a team that the target takes. */
export function toTeamChanges(
  changes: readonly AttributeChange[],
  target: TargetLimits,
  writes: readonly Writes[],
): readonly AttributeChange[] {
  return changes.filter(({ path }) => writes.includes(target.attribute('Team', path).writes));
}
