/** One entry of an AttributeMapping, checked by itself and made ready to be evaluated. Pure. */
import type { AttributeEntry } from '../api/attribute-mapping.ts';
import { SyncError } from '../errors.ts';
import { compileExpression } from '../expression/compiler.ts';
import type { Json } from '../model.ts';
import { computeNearestName } from '../nearest-name.ts';
import type { AttributeDefinition } from '../scim/schema.ts';
import { coerceValue, isEmptyValue, type Refusal } from './coerce.ts';
import { type CustomAttribute, type CustomAttributeSet, findForeignValue, splitValue } from './custom-attributes.ts';
import { checkName, type NameContext } from './names.ts';
import type { MappingProblem } from './problem.ts';
import { resolveTargetPath } from './target-path.ts';

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

export interface EntryContext {
  readonly customs: CustomAttributeSet;
  readonly names: NameContext;
  readonly report: (key: string, message: string, severity?: MappingProblem['severity']) => void;
}

export function compileEntry(spec: AttributeEntry, context: EntryContext): CompiledEntry | null {
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

/** `attribute "hireDate": "June sixth" is not a date; expected a date, such as 2026-03-01`. */
export function toTypeMessage(target: string, value: Json, { noun, expected }: Refusal): string {
  return `attribute ${JSON.stringify(target)}: ${shorten(JSON.stringify(value))} is not ${noun}; expected ${expected}`;
}

/** A whole page of text in a title would hide what is said of it. */
function shorten(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

const MAX_SHOWN = 200;

type Place = Pick<CompiledEntry, 'path' | 'custom' | 'definition' | 'multiValued' | 'reference'>;

/** By its name, or by the place where it lives: both mean the attribute with all that it says of its values. */
export function findCustom(
  target: string,
  { byName, byPath, schemas }: CustomAttributeSet,
): CustomAttribute | undefined {
  const named = byName.get(target);
  if (named !== undefined || byPath.size === 0) return named;
  try {
    return byPath.get(resolveTargetPath(target, schemas, { wholeLists: true }).path);
  } catch {
    return undefined;
  }
}

function compileTarget(spec: AttributeEntry, { customs, report }: EntryContext): Place | null {
  const custom = findCustom(spec.target, customs);
  if (custom !== undefined) {
    const { definition, path, reference } = custom;
    return { path, custom, definition, multiValued: definition.multiValued, reference };
  }
  try {
    // One text or number is never a list of complex values, which an expression may give.
    const place = resolveTargetPath(spec.target, customs.schemas, { wholeLists: spec.expression !== undefined });
    return { ...place, custom: null };
  } catch (thrown) {
    const near = computeNearestName(spec.target, [...customs.byName.keys()]);
    const hint = near === null || spec.target.includes(':') ? '' : ` (or the CustomAttribute ${JSON.stringify(near)}?)`;
    report('/target', `${SyncError.from(thrown).message}${hint}`);
    return null;
  }
}

/** What cannot be said of this target, although each field is well in itself. */
function checkUse(spec: AttributeEntry, place: Place, { report }: EntryContext): void {
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

function compileValue(spec: AttributeEntry, place: Place, { names, report }: EntryContext): CompiledValue | null {
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
  const coerced = coerceValue(values, { ...place.definition, multiValued: place.multiValued });
  if ('refused' in coerced) {
    context.report(key, toTypeMessage(target, value, coerced.refused));
    return null;
  }
  const foreign = place.custom === null ? undefined : findForeignValue(place.custom, coerced.value);
  if (foreign !== undefined) context.report(key, toForeignMessage(target, foreign, place.definition.canonicalValues));
  return coerced.value;
}

/** Of a value that is none of a CustomAttribute's. */
export function toForeignMessage(target: string, value: Json, canonicalValues: readonly string[]): string {
  return toTypeMessage(target, value, { noun: 'a canonical value', expected: `one of ${canonicalValues.join(', ')}` });
}
