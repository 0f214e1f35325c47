/**
 * AttributeMappings → compiled entries, checked against the schemas without any server. Everything that can be wrong
 * with a mapping in itself is found here, before the first call to a source or target.
 */
import type { AttributeMappingResource } from '../api/attribute-mapping.ts';
import { SyncError } from '../errors.ts';
import { compileExpression } from '../expression/compiler.ts';
import type { Json } from '../model.ts';
import { computeNearestName } from '../nearest-name.ts';
import type { AttributeDefinition } from '../scim/schema.ts';
import { coerceValue, isEmptyValue } from './coerce.ts';
import { type CustomAttribute, type CustomAttributeSet, findForeignValue, splitValue } from './custom-attributes.ts';
import { checkName, type NameContext } from './names.ts';
import type { MappingProblem } from './problem.ts';
import { resolveTargetPath } from './target-path.ts';

type EntrySpec = NonNullable<AttributeMappingResource['spec']['attributes']>[number];

/** One entry, ready to be evaluated. */
export interface CompiledEntry {
  /** As written, for messages. */
  readonly target: string;
  /** Canonical path in the target; null for a CustomAttribute whose path is wrong. */
  readonly path: string | null;
  readonly custom: CustomAttribute | null;
  readonly definition: AttributeDefinition;
  readonly multiValued: boolean;
  /** The value is the source id of a person. */
  readonly reference: boolean;
  /** Names that the value depends on. */
  readonly names: readonly string[];
  /** Null for an entry that has only a default. */
  readonly evaluate: ((read: (name: string) => Json, now: Date) => Json) | null;
  readonly defaultValue: Json;
  readonly onCreate: boolean;
  readonly onEmpty: 'Keep' | 'Clear';
  readonly required: boolean;
  readonly precedence: number | null;
}

/** What plan must know of a path to compare two values of it. */
export interface PathShape {
  readonly caseExact: boolean;
  readonly multiValued: boolean;
  readonly reference: boolean;
  readonly matching: boolean;
  readonly required: boolean;
  readonly unique: boolean;
}

export interface CompiledMapping {
  /** CustomAttributes first, in the order in which they depend on each other. */
  readonly entries: readonly CompiledEntry[];
  readonly names: NameContext;
  /** Canonical paths that the mapping writes, `active` included. */
  readonly paths: ReadonlyMap<string, PathShape>;
  /** By precedence. */
  readonly matching: readonly { readonly path: string; readonly caseExact: boolean }[];
  /** Whether an entry decides about `active`. */
  readonly activeMapped: boolean;
  /** Source names that are asked for; prefixes left in. */
  readonly usedNames: readonly string[];
}

/** @param mappings those of the DirectorySync in order; a later entry for the same target wins */
export function compileMapping(
  mappings: readonly AttributeMappingResource[],
  customs: CustomAttributeSet,
  provider: string,
  problems: MappingProblem[],
): CompiledMapping {
  const targets = new Set(mappings.flatMap(({ spec }) => (spec.attributes ?? []).map(({ target }) => target)));
  const named = [...customs.byName.keys()];
  const names: NameContext = {
    customs: new Set(named),
    mapped: new Set(named.filter((name) => targets.has(name))),
    provider,
  };
  const byTarget = new Map<string, CompiledEntry>();
  for (const mapping of mappings) {
    const seen = new Set<string>();
    for (const [index, spec] of (mapping.spec.attributes ?? []).entries()) {
      const report = (key: string, message: string, severity: MappingProblem['severity'] = 'error'): void => {
        problems.push({
          severity,
          kind: 'AttributeMapping',
          name: mapping.metadata.name,
          pointer: `/spec/attributes/${index}${key}`,
          message,
        });
      };
      const entry = compileEntry(spec, { customs, names, report });
      if (entry === null) continue;
      const place = entry.path ?? `custom:${entry.target}`;
      if (seen.has(place)) report('/target', `the target ${JSON.stringify(spec.target)} stands twice in this mapping`);
      seen.add(place);
      byTarget.set(place, entry);
    }
  }
  const entries = orderEntries([...byTarget.values()], names, mappings, problems);
  checkWhole(entries, mappings, problems);
  const matching = entries
    .filter((entry) => entry.precedence !== null && entry.path !== null)
    .sort((a, b) => (a.precedence ?? 0) - (b.precedence ?? 0));
  return {
    entries,
    names,
    paths: toPathShapes(entries),
    matching: matching.map((entry) => ({ path: entry.path ?? '', caseExact: entry.definition.caseExact })),
    activeMapped: entries.some((entry) => entry.path === 'active'),
    usedNames: [...new Set(entries.flatMap((entry) => entry.names))],
  };
}

function toPathShapes(entries: readonly CompiledEntry[]): Map<string, PathShape> {
  const plain = { multiValued: false, reference: false, matching: false, required: false, unique: false };
  const active: PathShape = { ...plain, caseExact: true };
  const shapes = new Map<string, PathShape>([['active', active]]);
  for (const { path, definition, multiValued, reference, precedence, required } of entries) {
    const caseExact = definition.caseExact || reference;
    const unique = definition.uniqueness !== 'none';
    const matching = precedence !== null;
    if (path !== null) shapes.set(path, { caseExact, multiValued, reference, matching, required, unique });
  }
  return shapes;
}

interface EntryContext {
  readonly customs: CustomAttributeSet;
  readonly names: NameContext;
  readonly report: (key: string, message: string, severity?: MappingProblem['severity']) => void;
}

function compileEntry(spec: EntrySpec, context: EntryContext): CompiledEntry | null {
  const place = compileTarget(spec, context);
  if (place === null) return null;
  const value = compileValue(spec, place, context);
  if (value === null) return null;
  if (value.constant !== undefined) compileFixed(spec.target, '/constant', { value: value.constant, place, context });
  const defaultValue = compileFixed(spec.target, '/default', { value: (spec.default ?? null) as Json, place, context });
  checkUse(spec, place, context);
  const { path, custom, definition, multiValued, reference } = place;
  return {
    target: spec.target,
    path,
    custom,
    definition,
    multiValued,
    reference,
    names: value.names,
    evaluate: value.evaluate,
    defaultValue,
    onCreate: spec.apply === 'OnCreate',
    onEmpty: spec.onEmpty ?? place.custom?.onEmpty ?? 'Keep',
    required: spec.required ?? false,
    precedence: spec.matching?.precedence ?? null,
  };
}

/** `attribute "active": "maybe" does not fit; expected a Boolean: true or false`. */
export function toTypeMessage(target: string, value: Json, expected: string): string {
  return `attribute ${JSON.stringify(target)}: ${JSON.stringify(value)} does not fit; expected ${expected}`;
}

type Place = Pick<CompiledEntry, 'path' | 'custom' | 'definition' | 'multiValued' | 'reference'> & {
  readonly type: AttributeDefinition['type'];
};

function compileTarget(spec: EntrySpec, { customs, report }: EntryContext): Place | null {
  const custom = customs.byName.get(spec.target);
  if (custom !== undefined) {
    const { definition, path } = custom;
    return { path, custom, definition, type: definition.type, multiValued: definition.multiValued, reference: false };
  }
  try {
    const place = resolveTargetPath(spec.target, customs.schemas);
    return { ...place, custom: null, type: place.definition.type };
  } catch (thrown) {
    const near = computeNearestName(spec.target, [...customs.byName.keys()]);
    const hint = near === null || spec.target.includes(':') ? '' : ` (or the CustomAttribute ${JSON.stringify(near)}?)`;
    report('/target', `${SyncError.from(thrown).message}${hint}`);
    return null;
  }
}

/** What cannot be said of this target, although each field is well in itself. */
function checkUse(spec: EntrySpec, place: Place, { report }: EntryContext): void {
  const name = JSON.stringify(spec.target);
  if (spec.matching !== undefined) {
    if (place.multiValued || place.reference)
      report('/matching', `${name} cannot match accounts: that takes one text or number`);
  }
  const isOnCreate = spec.apply === 'OnCreate';
  if (place.reference && isOnCreate) report('/apply', `${name} refers to a person and is always kept up to date`);
  if (place.reference && spec.default !== undefined)
    report('/default', `${name} refers to a person: who has none gets none`);
  if (place.path !== 'active') return;
  // Whoever is disabled later must lose access: a value that is written once would leave the account open for ever.
  if (isOnCreate) report('/apply', '"active" decides who may sign in and is always kept up to date');
  if (spec.onEmpty === 'Clear') report('/onEmpty', '"active" is true or false and cannot be cleared');
  if (spec.source === undefined && spec.expression === undefined && spec.constant === undefined)
    report('/default', '"active" needs a source, an expression or a constant beside the default');
}

interface CompiledValue {
  readonly names: readonly string[];
  readonly evaluate: CompiledEntry['evaluate'];
  readonly constant?: Json;
}

function compileValue(spec: EntrySpec, place: Place, { names, report }: EntryContext): CompiledValue | null {
  // An attribute that is filled from the source's attribute of the same name means the source's, not itself.
  const own = (name: string): string => (name === place.custom?.name ? `source:${name}` : name);
  try {
    if (spec.source !== undefined) {
      const name = own(spec.source);
      checkName(name, names);
      return { names: [name], evaluate: (read) => read(name) };
    }
    if (spec.expression !== undefined) {
      const compiled = compileExpression(spec.expression);
      const used = compiled.attributes.map(own);
      for (const name of used) checkName(name, names);
      return {
        names: used,
        evaluate: (read, now) => compiled.evaluate({ attribute: (name) => read(own(name)), now }),
      };
    }
  } catch (thrown) {
    report(spec.source === undefined ? '/expression' : '/source', SyncError.from(thrown).message);
    return null;
  }
  const constant = spec.constant as Json | undefined;
  if (constant === undefined) return { names: [], evaluate: null };
  return { names: [], evaluate: () => constant, constant };
}

interface Fixed {
  readonly value: Json;
  readonly place: Place;
  readonly context: EntryContext;
}

/** A constant or default in the form of the target; null when it is empty or does not fit. */
function compileFixed(target: string, key: '/constant' | '/default', { value, place, context }: Fixed): Json {
  const values = splitValue(place.custom, value);
  if (isEmptyValue(values)) return null;
  const coerced = coerceValue(values, place);
  if ('expected' in coerced) {
    context.report(key, toTypeMessage(target, value, coerced.expected));
    return null;
  }
  const foreign = place.custom === null ? undefined : findForeignValue(place.custom, coerced.value);
  if (foreign !== undefined) context.report(key, toForeignMessage(target, foreign, place.definition.canonicalValues));
  return coerced.value;
}

/** Of a value that is none of a CustomAttribute's. */
export function toForeignMessage(target: string, value: Json, canonicalValues: readonly string[]): string {
  return toTypeMessage(target, value, `one of ${canonicalValues.join(', ')}`);
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
  problems: MappingProblem[],
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
  const externalId = entries.find((entry) => entry.path === 'externalId');
  if (externalId?.names.some((name) => /(^|:)(mail|email|userPrincipalName)$/i.test(name)) === true) {
    report(
      'externalId comes from an attribute that changes (a mail address or sign-in name): after a change and a lost state store the account is not recognised',
      'warning',
    );
  }
}
