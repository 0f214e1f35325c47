/**
 * What an attribute name means. Everywhere in our own languages a bare name is the CustomAttribute of that name, else
 * the source record's attribute, else the standard one; `custom:`, `source:` and `standard:` choose one, and in
 * conditions `desired:` a value that the mappings give, by its target path.
 *
 * Whether the source has an attribute is known only after a read. So names are parsed when resources are loaded and
 * bound to a read afterwards; only then can it be told whether a name is unknown (rule I13).
 */
import { PREDEFINED_NAMES } from '../api/custom-attribute.ts';
import { SyncError } from '../errors.ts';
import { compileSourcePath, parseSourcePath, type SourcePath, topLevelNames } from '../expression/paths.ts';
import type { DesiredUser, Json, ResourceKind, SourceOffers, SourceUser } from '../model.ts';
import { computeNearestName } from '../nearest-name.ts';
import {
  findPredefinedAttribute,
  findStandardAttribute,
  type NormalisedAttribute,
  STANDARD_NAMES,
} from './normalised.ts';

/** What the mappings have given a person. */
export type MappedValues = Pick<DesiredUser, 'attributes' | 'onCreate' | 'references' | 'kept'>;

/** One person while the mapping runs; or a group, whose record is read in the same way. */
export interface PersonView {
  readonly user: SourceUser;
  /** Values of CustomAttributes computed so far; a name that is missing is unknown. */
  readonly customs: ReadonlyMap<string, Json>;
  /** For `desired:`. */
  readonly mapped: MappedValues;
}

/** How to read a name of one person; `unknown` (not null) when the read did not deliver it. */
export interface BoundName {
  readonly read: (person: PersonView) => Json;
  readonly isUnknown: (person: PersonView) => boolean;
  /** Unknown for everybody: the column or property is missing from the whole read. */
  readonly missing: boolean;
}

export interface NameContext {
  /** Whose names they are: a group has no standard attributes, nor predefined ones. */
  readonly resource: ResourceKind;
  /** Names of the CustomAttributes that apply. */
  readonly customs: ReadonlySet<string>;
  /** Those of them that an entry gives a value. */
  readonly mapped: ReadonlySet<string>;
  /** Name of the source's provider. */
  readonly provider: string;
  /** The source reads groups: conditions may ask for them. */
  readonly hasGroups: boolean;
  /** What the source has besides; absent: nobody has said which source it is, and nothing is refused. */
  readonly offers?: SourceOffers;
  /** The scope takes people too who are not assigned to the application whose roles are asked for. */
  readonly takesUnassigned?: boolean;
  /** What `desired:` may name: lower case → path in the target. Null inside of mappings, whose values it would be. */
  readonly desired: ReadonlyMap<string, string> | null;
}

const PREFIX = /^(source|custom|standard|predefined|desired):(.*)$/s;

/** Throws SyncError `Invalid` when the name can mean nothing, whatever a read delivers. Returns a custom's name, or null. */
export function checkName(raw: string, context: NameContext): string | null {
  const [prefix, name] = splitPrefix(raw);
  if (prefix === 'custom') {
    if (context.customs.has(name)) return checkMapped(name, context);
    throw new SyncError(
      'Invalid',
      `there is no CustomAttribute ${JSON.stringify(name)}${suggest(name, context.customs)}`,
    );
  }
  if (context.resource === 'Team' && (prefix === 'standard' || prefix === 'predefined')) {
    throw new SyncError('Invalid', `a group has no ${prefix} attributes; name an attribute of its record`);
  }
  if (prefix === 'standard' && findStandardAttribute(context.provider, name) === undefined) {
    throw new SyncError(
      'Invalid',
      `there is no standard attribute ${JSON.stringify(name)}${suggest(name, STANDARD_NAMES)}`,
    );
  }
  if (prefix === 'predefined' && findPredefinedAttribute(context.provider, name) === undefined) {
    throw new SyncError(
      'Invalid',
      `there is no predefined attribute ${JSON.stringify(name)}${suggest(name, PREDEFINED_NAMES)}`,
    );
  }
  if (prefix === 'desired') return checkDesired(name, context);
  if (prefix === null && context.customs.has(name)) return checkMapped(name, context);
  if (prefix === null || prefix === 'source') parseSourcePath(name);
  return null;
}

/** Without a value it would be unknown for everybody for ever, and freeze whatever refers to it. */
function checkMapped(name: string, { mapped }: NameContext): string {
  if (mapped.has(name)) return name;
  throw new SyncError(
    'Invalid',
    `no entry of the mappings gives the CustomAttribute ${JSON.stringify(name)} a value; add one with target: ${name}`,
  );
}

function checkDesired(name: string, { desired }: NameContext): null {
  if (desired === null) {
    throw new SyncError('Invalid', 'desired: names what mappings give: it is for rules and scope, not for mappings');
  }
  if (desired.has(name.toLowerCase())) return null;
  const hint = suggest(name, desired.values());
  throw new SyncError('Invalid', `no entry of the mappings writes ${JSON.stringify(name)} in the target${hint}`);
}

function splitPrefix(raw: string): readonly [string | null, string] {
  const match = PREFIX.exec(raw);
  return match === null ? [null, raw] : [match[1] ?? null, match[2] ?? ''];
}

function suggest(name: string, known: Iterable<string>): string {
  const nearest = computeNearestName(name, [...known]);
  return nearest === null ? '' : `; did you mean ${JSON.stringify(nearest)}?`;
}

/** Attribute names that a read delivered, as sources report them: nested ones dotted. */
export class KnownAttributes {
  readonly #names: ReadonlySet<string>;
  readonly #parents = new Set<string>();

  constructor(names: readonly string[]) {
    const given = new Set(names);
    this.#names = new Set(names.flatMap((name) => [name, ...toExtensionNames(name, given)]));
    for (const name of names) {
      for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
        this.#parents.add(name.slice(0, dot));
      }
    }
  }

  /**
   * Whether the path leads to something that the read delivered. A key that no record has below an object is unknown;
   * what stands in lists is not told apart.
   */
  has(path: SourcePath): boolean {
    for (const [position, name] of topLevelNames(path).entries()) {
      if (this.#names.has(name)) return position === 0 || !this.#parents.has(name);
    }
    return false;
  }

  /** The delivered attribute that a name which leads to nothing most likely meant; null when none is near. */
  nearest(raw: string): string | null {
    return computeNearestName(splitPrefix(raw)[1], this.#names);
  }
}

/** What stands in an extension is reported with a dot after its URN, and written with a colon. */
function toExtensionNames(name: string, given: ReadonlySet<string>): readonly string[] {
  if (!/^urn:/i.test(name)) return [];
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const urn = name.slice(0, dot);
    if (given.has(urn)) return [`${urn}:${name.slice(dot + 1)}`];
  }
  return [];
}

/** Binds a name to a read. The name has passed `checkName`. */
export function bindName(raw: string, context: NameContext, known: KnownAttributes): BoundName {
  const [prefix, name] = splitPrefix(raw);
  if (prefix === 'custom' || (prefix === null && context.customs.has(name))) return bindCustom(name);
  if (prefix === 'standard') return bindNormalised(findStandardAttribute(context.provider, name), known);
  if (prefix === 'predefined') return bindNormalised(findPredefinedAttribute(context.provider, name), known);
  if (prefix === 'desired') return bindDesired(context.desired?.get(name.toLowerCase()) ?? name);
  const path = parseSourcePath(name);
  if (prefix === 'source' || context.resource === 'Team' || known.has(path)) return bindSource(path, known);
  const normalised = findPredefinedAttribute(context.provider, name) ?? findStandardAttribute(context.provider, name);
  return normalised === undefined ? bindSource(path, known) : bindNormalised(normalised, known);
}

/**
 * Where in a record of the source the name may be found, whichever of these places a read delivers; none for what is no
 * attribute of the source. The name has passed `checkName`.
 */
export function listSources(
  raw: string,
  context: Pick<NameContext, 'customs' | 'provider' | 'resource'>,
): readonly SourcePath[] {
  const [prefix, name] = splitPrefix(raw);
  if (prefix === 'custom' || prefix === 'desired' || (prefix === null && context.customs.has(name))) return [];
  const own = prefix === null || prefix === 'source' ? [parseSourcePath(name)] : [];
  if (context.resource === 'Team') return own;
  const isNormalised = (kind: string): boolean => prefix === null || prefix === kind;
  const predefined = isNormalised('predefined') ? findPredefinedAttribute(context.provider, name) : undefined;
  const standard = isNormalised('standard') ? findStandardAttribute(context.provider, name) : undefined;
  return [...own, ...(predefined?.sources ?? []), ...(standard?.sources ?? [])];
}

function bindCustom(name: string): BoundName {
  return {
    read: (person) => person.customs.get(name) ?? null,
    isUnknown: (person) => !person.customs.has(name),
    missing: false,
  };
}

/** Who gets a value only when the account is made has it all the same; what a default would fill is null. */
function bindDesired(path: string): BoundName {
  return {
    read: ({ mapped }) => mapped.attributes[path] ?? mapped.onCreate[path] ?? mapped.references[path] ?? null,
    isUnknown: ({ mapped }) => mapped.kept.includes(path),
    missing: false,
  };
}

/** Of one person, or of everybody where the whole read lacks it. */
function toUnknown(names: readonly string[], missing: boolean): BoundName['isUnknown'] {
  if (missing) return () => true;
  return ({ user: { unknown } }) => unknown !== undefined && names.some((name) => unknown.includes(name));
}

function bindSource(path: SourcePath, known: KnownAttributes): BoundName {
  const missing = !known.has(path);
  const names = topLevelNames(path);
  const read = compileSourcePath(path);
  return {
    read: (person) => read(person.user.attributes),
    isUnknown: toUnknown(names, missing),
    missing,
  };
}

function bindNormalised(attribute: NormalisedAttribute | undefined, known: KnownAttributes): BoundName {
  if (attribute === undefined) return { read: () => null, isUnknown: () => true, missing: true };
  const present = attribute.sources.filter((source) => known.has(source));
  const missing = attribute.sources.length > 0 && present.length === 0;
  const names = present.flatMap((source) => topLevelNames(source));
  return {
    read: (person) => attribute.read(person.user),
    isUnknown: toUnknown(names, missing),
    missing,
  };
}
