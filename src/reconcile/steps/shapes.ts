/** How values compare at this target: what the mapping says, and what the target says of itself. */
import type { CompiledMapping } from '../../mapping/compile.ts';
import type { AttributeMemory } from '../../mapping/retired-paths.ts';
import { resolveTargetPath } from '../../mapping/target-path.ts';
import type { ResourceKind } from '../../model.ts';
import type { PathShape } from '../../plan/diff.ts';
import type { PlanSettings } from '../../plan/settings.ts';
import type { SchemaSet } from '../../scim/schema.ts';
import type { TargetCapabilities } from '../../targets/target.ts';

/** What is read of accounts: all that entries write but photos, which are large and known by what was written. */
export function toReadPaths({ paths }: Pick<CompiledMapping, 'paths'>): readonly string[] {
  return [...paths].flatMap(([path, { photo }]) => (photo === true ? [] : [path]));
}

/** Attributes that hold nothing but photos: nobody looks at them. */
export function toUnread({ paths }: Pick<CompiledMapping, 'paths'>): readonly string[] {
  const toTop = (path: string): string => (/^urn:/i.test(path) ? path : (/^\w+/.exec(path)?.[0] ?? path));
  const read = new Set(toReadPaths({ paths }).map(toTop));
  return [...new Set([...paths].flatMap(([path, { photo }]) => (photo === true ? [toTop(path)] : [])))].filter(
    (name) => !read.has(name),
  );
}

export function toShapes(
  resource: ResourceKind,
  { paths }: CompiledMapping,
  capabilities: TargetCapabilities,
): PlanSettings['shapes'] {
  return new Map([...paths].map(([path, shape]) => [path, toShape({ path, resource }, shape, capabilities)]));
}

/** With paths whose values are only removed: nothing is compared there. */
export function withRetired(shapes: PlanSettings['shapes'], { retired }: AttributeMemory): PlanSettings['shapes'] {
  const plain = { multiValued: false, reference: null, matching: false, required: false, unique: false };
  const toRetired = (redacted: boolean): PathShape => ({
    ...plain,
    caseExact: true,
    ...(redacted ? { redacted } : {}),
  });
  const more = Object.entries(retired).map(([path, { redacted }]) => [path, toRetired(redacted)] as const);
  return new Map([...more, ...shapes]);
}

interface Place {
  readonly path: string;
  readonly resource: ResourceKind;
}

function toShape(place: Place, shape: PathShape, { attribute, schemas }: TargetCapabilities): PathShape {
  return {
    ...shape,
    // A target that changes the case of what it is given has nothing changed by hand.
    caseExact: shape.caseExact && attribute(place.resource, place.path).shows !== 'otherCase',
    unique: shape.unique || (schemas !== null && isUnique(place, schemas)),
  };
}

/** Its own schemas hold beside RFC 7643. */
function isUnique({ path, resource }: Place, schemas: SchemaSet): boolean {
  try {
    return resolveTargetPath(path, schemas, { wholeLists: true, resource }).definition.uniqueness !== 'none';
  } catch {
    // The server does not list it, or lists it as something else: it says nothing of it.
    return false;
  }
}
