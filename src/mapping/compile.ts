/**
 * AttributeMappings → compiled entries, checked against the schemas without any server. Everything that can be wrong
 * with a mapping in itself is found here, before the first call to a source or target.
 */
import type { AttributeEntry, AttributeMappingResource } from '../api/attribute-mapping.ts';
import type { ResourceKind } from '../model.ts';
import { parseScimPath, printScimPath } from '../scim/path.ts';
import { URN_GROUP, URN_USER } from '../scim/schema.ts';
import type { CustomAttribute, CustomAttributeSet } from './custom-attributes.ts';
import { type CompiledEntry, compileEntry, findCustom, toTargetKey } from './entry.ts';
import { checkName, type NameContext } from './names.ts';
import { LEAVES_EXTENSIONS_OUT, type LeavesOut, listPresetEntries } from './presets.ts';
import type { MappingProblem } from './problem.ts';

/** What plan must know of a path to compare two values of it. */
export interface PathShape {
  readonly caseExact: boolean;
  readonly multiValued: boolean;
  /** What its values refer to; null: to nothing. */
  readonly reference: ResourceKind | null;
  readonly matching: boolean;
  readonly required: boolean;
  readonly unique: boolean;
  /** Its values are not shown to whoever reads a plan. */
  readonly redacted?: true;
  /** Entries are added to the list; those that are there stay. */
  readonly adds?: true;
  /** A photo, which is written and never read. */
  readonly photo?: true;
}

export interface CompiledMapping {
  /** CustomAttributes first, in the order in which they depend on each other. */
  readonly entries: readonly CompiledEntry[];
  readonly names: NameContext;
  /** Canonical paths that the mapping writes, `active` included. */
  readonly paths: ReadonlyMap<string, PathShape>;
  /** By precedence. */
  readonly matching: readonly { readonly path: string; readonly caseExact: boolean }[];
  /** Paths whose value is chosen among several when an account is made, so that nobody else has it. */
  readonly chosen: readonly { readonly path: string; readonly caseExact: boolean }[];
  /** Whether an entry decides about `active`. */
  readonly activeMapped: boolean;
  /** Source names that are asked for; prefixes left in. */
  readonly usedNames: readonly string[];
  /** CustomAttributes that are required and that no entry gives a value. */
  readonly unmapped: readonly Pick<CustomAttribute, 'name' | 'resource'>[];
}

/** What names may mean depends on it. */
export type SourceKind = Pick<NameContext, 'provider' | 'hasGroups' | 'offers' | 'takesUnassigned'>;

/** One entry of a mapping, or of its preset, with its place in the resource. */
interface PlacedEntry {
  readonly spec: AttributeEntry;
  readonly kind: 'AttributeMapping' | 'CustomAttribute';
  /** Name of the resource. */
  readonly owner: string;
  /** JSON pointer. */
  readonly at: string;
  /** One for every spelling of one target. */
  readonly key: string;
}

export interface MappingOptions extends SourceKind {
  /** What the application does without of a preset. */
  readonly leavesOut?: LeavesOut;
}

/**
 * @param mappings those of the DirectorySync for the resource that `customs` are attributes of, in order; a later entry
 * for the same target wins
 */
export function compileMapping(
  mappings: readonly AttributeMappingResource[],
  customs: CustomAttributeSet,
  { leavesOut = LEAVES_EXTENSIONS_OUT, ...source }: MappingOptions,
  problems: MappingProblem[],
): CompiledMapping {
  const placed = [
    ...placePredefined(customs),
    ...mappings.flatMap((mapping) => placeEntries(mapping, customs, leavesOut)),
  ];
  const named = [...customs.byName.keys()];
  const mapped = listMapped(placed, customs);
  const { resource } = customs;
  const names: NameContext = {
    resource,
    customs: new Set(named),
    mapped: new Set(named.filter((name) => mapped.has(name))),
    ...source,
    desired: null,
  };
  const byTarget = new Map<string, CompiledEntry>();
  const seen = new Set<string>();
  for (const { spec, kind, owner, at, key } of placed) {
    const report = (field: string, message: string, severity: MappingProblem['severity'] = 'error'): void => {
      problems.push({ severity, kind, name: owner, pointer: `${at}${field}`, message });
    };
    const name = JSON.stringify(spec.target);
    if (spec.omit === true) {
      if (!byTarget.delete(key)) report('/omit', `there is no entry for ${name} to be left out`, 'warning');
    } else {
      const entry = compileEntry(spec, { owner, customs, names, report });
      if (entry !== null) byTarget.set(key, entry);
    }
    if (!at.startsWith('/spec/attributes')) continue;
    const place = `${owner} ${key}`;
    if (seen.has(place)) report('/target', `the target ${name} stands twice in this mapping`);
    seen.add(place);
  }
  const entries = orderEntries([...byTarget.values()], names, mappings, problems);
  checkWhole(entries, mappings, { resource, problems });
  const matching = entries
    .filter((entry) => entry.precedence !== null && entry.path !== null)
    .sort((a, b) => (a.precedence ?? 0) - (b.precedence ?? 0));
  return {
    entries,
    names: resource === 'User' ? { ...names, desired: toDesiredNames(entries) } : names,
    paths: toPathShapes(entries, resource),
    matching: matching.map((entry) => ({ path: entry.path ?? '', caseExact: entry.definition.caseExact })),
    chosen: entries.flatMap(({ path, isChosen, definition }) =>
      isChosen && path !== null ? [{ path, caseExact: definition.caseExact }] : [],
    ),
    activeMapped: entries.some((entry) => entry.path === 'active'),
    usedNames: [...new Set(entries.flatMap((entry) => entry.names))],
    unmapped: [...customs.byName.values()].filter(({ name, required }) => required && !mapped.has(name)),
  };
}

/** First of all: any entry replaces them. */
function placePredefined(customs: CustomAttributeSet): PlacedEntry[] {
  return [...customs.byName.values()].flatMap(({ name, predefined, resource }) => {
    if (predefined === null) return [];
    const spec = { target: name, source: `predefined:${predefined}` };
    return [
      { spec, kind: 'CustomAttribute', owner: resource, at: '/spec/predefined', key: toTargetKey(name, customs) },
    ];
  });
}

function placeEntries(
  { metadata, spec }: AttributeMappingResource,
  customs: CustomAttributeSet,
  leavesOut: LeavesOut,
): PlacedEntry[] {
  const preset = spec.preset === undefined ? [] : listPresetEntries(spec.preset, customs.resource, leavesOut);
  // A preset means the attributes of the standard, whatever CustomAttributes are called.
  const toPath = (entry: AttributeEntry): AttributeEntry =>
    customs.byName.has(entry.target) ? { ...entry, target: `${CORE_URN[customs.resource]}:${entry.target}` } : entry;
  const own = (spec.attributes ?? []).map((entry, index) => ({ entry, at: `/spec/attributes/${index}` }));
  return [...preset.map((entry) => ({ entry: toPath(entry), at: '/spec/preset' })), ...own].map(({ entry, at }) => ({
    spec: entry,
    kind: 'AttributeMapping',
    owner: metadata.name,
    at,
    key: toTargetKey(entry.target, customs),
  }));
}

const CORE_URN: Readonly<Record<ResourceKind, string>> = { User: URN_USER, Team: URN_GROUP };

/** Names of the CustomAttributes that some entry gives a value. */
function listMapped(placed: readonly PlacedEntry[], customs: CustomAttributeSet): ReadonlySet<string> {
  const mapped = new Set<string>();
  for (const { spec } of placed) {
    const name = findCustom(spec.target, customs)?.name;
    if (name === undefined) continue;
    if (spec.omit === true) mapped.delete(name);
    else mapped.add(name);
  }
  return mapped;
}

/** By the path and as written; without an entry `active` is the engine's, and still a value. */
function toDesiredNames(entries: readonly CompiledEntry[]): ReadonlyMap<string, string> {
  const names = new Map([['active', 'active']]);
  for (const { path, target } of entries) {
    if (path !== null) names.set(path.toLowerCase(), path).set(target.toLowerCase(), path);
  }
  return names;
}

function toPathShapes(entries: readonly CompiledEntry[], resource: ResourceKind): Map<string, PathShape> {
  const plain = { multiValued: false, reference: null, matching: false, required: false, unique: false };
  const active: PathShape = { ...plain, caseExact: true };
  const shapes = new Map<string, PathShape>(resource === 'User' ? [['active', active]] : []);
  for (const { path, custom, definition, reference, precedence, redacted, adds, photo, ...entry } of entries) {
    const caseExact = definition.caseExact || reference !== null;
    const unique = definition.uniqueness !== 'none';
    const matching = precedence !== null;
    const required = entry.required || custom?.required === true;
    const { multiValued } = entry.shape;
    const shape = { caseExact, multiValued, reference, matching, required, unique };
    if (path !== null) shapes.set(path, { ...shape, ...toMarks({ redacted, adds, photo: photo !== null }) });
  }
  return shapes;
}

/** Only those that hold. */
function toMarks(marks: Readonly<Record<'redacted' | 'adds' | 'photo', boolean>>) {
  return Object.fromEntries(Object.entries(marks).filter(([, holds]) => holds)) as Pick<
    PathShape,
    'redacted' | 'adds' | 'photo'
  >;
}

/** CustomAttributes before what reads them; a cycle is an error that names its members. */
function orderEntries(
  entries: readonly CompiledEntry[],
  names: NameContext,
  mappings: readonly AttributeMappingResource[],
  problems: MappingProblem[],
): CompiledEntry[] {
  const customs = new Map(
    entries.filter((entry) => entry.custom !== null).map((entry) => [entry.custom?.name ?? '', entry]),
  );
  const ordered: CompiledEntry[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string, trail: readonly string[]): void => {
    const entry = customs.get(name);
    if (entry === undefined || state.get(name) === 'done') return;
    if (state.get(name) === 'open') {
      const cycle = [...trail.slice(trail.indexOf(name)), name].join(' → ');
      const owner = mappings.at(-1)?.metadata.name ?? '';
      problems.push({
        severity: 'error',
        kind: 'AttributeMapping',
        name: owner,
        pointer: '/spec/attributes',
        message: `CustomAttributes depend on each other: ${cycle}`,
      });
      return;
    }
    state.set(name, 'open');
    for (const used of entry.names) {
      const custom = checkName(used, names);
      if (custom !== null) visit(custom, [...trail, name]);
    }
    state.set(name, 'done');
    ordered.push(entry);
  };
  for (const name of customs.keys()) visit(name, []);
  return [...ordered, ...entries.filter((entry) => entry.custom === null)];
}

function checkWhole(
  entries: readonly CompiledEntry[],
  mappings: readonly AttributeMappingResource[],
  { resource, problems }: { readonly resource: ResourceKind; readonly problems: MappingProblem[] },
): void {
  const owner = mappings.at(-1);
  if (owner === undefined) return;
  const report = (message: string, severity: MappingProblem['severity'] = 'error'): void => {
    problems.push({
      severity,
      kind: 'AttributeMapping',
      name: owner.metadata.name,
      pointer: '/spec/attributes',
      message,
    });
  };
  // A mapping with errors of its own would only be reported twice.
  if (problems.some((problem) => problem.severity === 'error' && problem.kind === 'AttributeMapping')) return;
  for (const message of findOverlaps(entries)) report(message);
  if (resource === 'User') checkUsers(entries, report);
  checkExternalId(entries, resource === 'User' ? 'account' : 'team', report);
}

type Report = (message: string, severity?: MappingProblem['severity']) => void;

function checkExternalId(entries: readonly CompiledEntry[], what: string, report: Report): void {
  const externalId = entries.find((entry) => entry.path === 'externalId');
  if (externalId?.names.some((name) => /(^|:)(mail|email|userPrincipalName)$/i.test(name)) === true) {
    report(
      `externalId comes from an attribute that changes (a mail address or sign-in name): after a change and a lost state store the ${what} is not recognised`,
      'warning',
    );
  }
}

function checkUsers(entries: readonly CompiledEntry[], report: Report): void {
  const matching = entries.filter((entry) => entry.precedence !== null);
  if (matching.length === 0)
    report('no entry has matching: at least one attribute must tell which account belongs to whom');
  if (new Set(matching.map((entry) => entry.precedence)).size < matching.length)
    report('two entries have the same matching.precedence');
  if (matching.length > 2)
    report('more than two matching attributes make it hard to tell who will be taken for whom', 'warning');
  for (const entry of matching) {
    if (entry.path !== 'externalId' && entry.definition.uniqueness === 'none') {
      report(
        `the matching attribute ${JSON.stringify(entry.target)} is not unique in the target: two accounts with one value are a Conflict`,
        'warning',
      );
    }
  }
  if (!entries.some((entry) => entry.path === 'userName'))
    report('the target requires userName, and no entry writes it');
}

/** A list that is given as a whole has no entry left for anybody else to write. */
function findOverlaps(entries: readonly CompiledEntry[]): readonly string[] {
  const places = entries.flatMap(({ path }) => (path === null ? [] : [parseScimPath(path)]));
  const filtered = new Map(
    places
      .filter(({ filter }) => filter !== null)
      .map((path) => [printScimPath({ ...path, filter: null, sub: null }), printScimPath(path)]),
  );
  return entries.flatMap(({ path, definition }) => {
    const part = definition.type === 'Complex' && path !== null ? filtered.get(path) : undefined;
    if (part === undefined) return [];
    return [`${JSON.stringify(path)} writes the whole list, and ${JSON.stringify(part)} an entry of it; leave one out`];
  });
}
