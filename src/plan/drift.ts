/**
 * What was changed by hand in the target: the source wants what it wanted when it was applied, and the target has something
 * else. Where the source wants something new, that is no drift: it is written, whatever stands there. Pure.
 */
import type { Json } from '../model.ts';
import type { PersonState } from '../state/staging.ts';
import { isHeld } from './diff.ts';
import { type PersonContext, toClear, toReferences } from './values.ts';

/** One attribute of an owned account; an absent side is no value. */
export interface AttributeDrift {
  readonly path: string;
  readonly applied?: Json;
  readonly found?: Json;
}

export function findDrift(person: PersonState, context: PersonContext): readonly AttributeDrift[] {
  const { link, observed, gone } = person;
  if (link === null || observed === null || gone) return [];
  const holds = (path: string, left: Json | undefined, right: Json | undefined): boolean =>
    isHeld(left, right, context.settings.shapes.get(path));
  return toWanted(person, context)
    .filter(([path, wanted]) => {
      const applied = link.applied[path];
      return holds(path, applied, wanted) && !holds(path, observed.attributes[path], wanted);
    })
    .map(([path]) => toDrift(path, link.applied[path], observed.attributes[path]))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function toDrift(path: string, applied: Json | undefined, found: Json | undefined): AttributeDrift {
  return { path, ...(applied === undefined ? {} : { applied }), ...(found === undefined ? {} : { found }) };
}

/** What the account must have now, by path; undefined: nothing. */
function toWanted(person: PersonState, context: PersonContext): readonly (readonly [string, Json | undefined])[] {
  const { desired, link, observed } = person;
  // Who has left has an account that is switched off, and nothing else is wanted of it.
  const off = link?.active === false ? [['active', false] as const] : [];
  if (desired === null || desired.presence === 'outOfScope') return off;
  if (desired.presence === 'undecided') return [];
  const clear = toClear(desired, observed?.attributes ?? {}, context.settings.shapes);
  const { active, ...attributes } = {
    ...desired.attributes,
    ...toReferences(desired, context, link?.applied ?? {}).known,
  };
  return [
    ...Object.entries(attributes),
    ...clear.map((path) => [path, undefined] as const),
    ...(desired.presence === 'present' && active !== undefined ? [['active', active] as const] : off),
  ];
}

/**
 * The person as if nobody had changed anything by hand, where that is to stay (`drift.policy: Report`): what the source
 * changes goes on as ever. An account in doubt, which may hold what an unfinished run of ours has left, is looked at as it
 * is: it has to be put right (rule I6).
 */
export function overlookDrift(person: PersonState, context: PersonContext): PersonState {
  const { link, observed } = person;
  if (context.settings.drift === 'Repair' || link === null || link.dirty || observed === null) return person;
  const drift = findDrift(person, context);
  if (drift.length === 0) return person;
  const attributes: Record<string, Json> = { ...observed.attributes };
  for (const { path, applied } of drift) {
    if (applied === undefined) delete attributes[path];
    else attributes[path] = applied;
  }
  return { ...person, observed: { ...observed, attributes } };
}
