/** What a team has beside its members: what is wanted against what the target shows, and what was written. Pure. */
import type { AttributeChange, Attributes, DesiredTeam, Json } from '../model.ts';
import type { TeamState } from '../state/staging.ts';
import type { TeamLink } from '../state/store.ts';
import { diffValues, isUnassigned, type PathShape } from './diff.ts';
import type { TargetLimits } from './settings.ts';
import { isHidden } from './target-limits.ts';
import { toClear } from './values.ts';

/** By these a team is known; they compare exactly. */
type Names = Pick<DesiredTeam, 'displayName' | 'externalId'>;
const NAMES: readonly string[] = ['displayName', 'externalId'] satisfies (keyof Names)[];

type Shapes = ReadonlyMap<string, PathShape>;

/** Values of a team that is made. */
export function toNewValues({ displayName, externalId, values }: DesiredTeam): Attributes {
  const { defaults, onCreate, attributes } = values;
  return { displayName, externalId, ...defaults, ...onCreate, ...attributes };
}

/** Changes of a team that is taken over: it keeps its name, and defaults count where it has nothing. */
export function diffToFound({ externalId, values }: DesiredTeam, found: Attributes, shapes: Shapes): AttributeChange[] {
  const defaults = Object.entries(values.defaults).filter(([path]) => isUnassigned(found[path]));
  const wanted = { ...Object.fromEntries(defaults), ...values.attributes };
  const mark = found['externalId'] === externalId ? [] : [{ path: 'externalId', after: externalId }];
  return [...mark, ...diffValues({ attributes: wanted, clear: [], references: {} }, found, shapes)];
}

export function toWritten({ displayName, externalId, applied }: TeamLink): Attributes {
  return { displayName, ...(externalId === null ? {} : { externalId }), ...applied };
}

/** The team as if it showed what was written, where the target makes something else of it. */
export function toBelievedTeam(
  observed: TeamState['observed'],
  link: TeamLink,
  target: TargetLimits,
): TeamState['observed'] {
  if (observed === null) return null;
  const attributes: Record<string, Json> = { ...observed.attributes };
  for (const [path, written] of Object.entries(toWritten(link))) {
    const behaviour = target.attribute('Team', path);
    const isRecased =
      behaviour.shows === 'otherCase' && String(attributes[path]).toLowerCase() === String(written).toLowerCase();
    if (isHidden(behaviour) || isRecased) attributes[path] = written;
  }
  return { ...observed, attributes };
}

export interface TeamDifference {
  readonly wanted: DesiredTeam;
  readonly link: TeamLink;
  readonly observed: TeamState['observed'];
  readonly shapes: Shapes;
  /** A suspect read clears nothing (rule I1); the next good one does. */
  readonly suspect: boolean;
}

/** Changes of an owned team. */
export function diffTeam({ wanted, link, observed, shapes, suspect }: TeamDifference): readonly AttributeChange[] {
  const current: Attributes = observed?.attributes ?? toWritten(link);
  const clear = suspect ? [] : toClear(wanted.values, current, shapes);
  const { attributes } = wanted.values;
  return [
    ...diffNames(wanted, { link, observed, current }),
    ...diffValues({ attributes, clear, references: {} }, current, shapes, link.applied),
  ];
}

function diffNames(
  { displayName, externalId }: Names,
  { link, observed, current }: Pick<TeamDifference, 'link' | 'observed'> & { readonly current: Attributes },
): readonly AttributeChange[] {
  const isSent = link.externalId === null || link.externalId === externalId;
  // A mark that a target does not keep of teams would be sent it again at every look.
  const isDropped = observed !== null && current['externalId'] === undefined && isSent;
  return Object.entries({ displayName, externalId })
    .filter(([path, after]) => current[path] !== after && !(path === 'externalId' && isDropped))
    .map(([path, after]) => ({ path, ...(current[path] === undefined ? {} : { before: current[path] }), after }));
}

/** What is wanted and was seen to be so already, although no answer ever said it: a rename before a kill. */
export function toSeen(
  { displayName, externalId, values }: DesiredTeam,
  observed: TeamState['observed'],
  changes: readonly AttributeChange[],
): (link: TeamLink) => TeamLink {
  const isSeen = (path: string): boolean =>
    observed?.attributes[path] !== undefined && !changes.some((change) => change.path === path);
  const seen = Object.entries(values.attributes).filter(([path]) => isSeen(path));
  return (link) => ({
    ...link,
    displayName: isSeen('displayName') ? displayName : link.displayName,
    externalId: isSeen('externalId') ? externalId : link.externalId,
    applied: { ...link.applied, ...Object.fromEntries(seen) },
  });
}

/** After a request that was carried out. */
export function toUpdated(link: TeamLink, changes: readonly AttributeChange[]): TeamLink {
  const applied: Record<string, Json> = { ...link.applied };
  for (const { path, after } of changes) {
    if (NAMES.includes(path)) continue;
    if (after === undefined) delete applied[path];
    else applied[path] = after;
  }
  const textOf = (path: string): string | undefined => {
    const after = changes.find((change) => change.path === path)?.after;
    return typeof after === 'string' ? after : undefined;
  };
  const displayName = textOf('displayName') ?? link.displayName;
  return { ...link, displayName, externalId: textOf('externalId') ?? link.externalId, applied, dirty: false };
}
