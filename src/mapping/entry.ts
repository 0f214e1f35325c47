/** One entry of an AttributeMapping, checked by itself and made ready to be evaluated. Pure. */
import type { AttributeEntry } from '../api/attribute-mapping.ts';
import { compileCel } from '../cel/compiler.ts';
import { SyncError } from '../errors.ts';
import { DateTime } from '../expression/dates/date-time.ts';
import { formatProblem } from '../expression/dates/format.ts';
import { ExpressionError } from '../expression/error.ts';
import { type TraceNode, traceExpression } from '../expression/trace.ts';
import { UniqueCandidates } from '../expression/values.ts';
import type { Json, ResourceKind } from '../model.ts';
import { computeNearestName } from '../nearest-name.ts';
import { type AttributeDefinition, toAttributeDefinition } from '../scim/schema.ts';
import { coerceValue, isEmptyValue, toTypeMessage, type ValueShape } from './coerce.ts';
import { checkGroups } from './conditions.ts';
import { type CustomAttribute, type CustomAttributeSet, findForeignValue, splitValue } from './custom-attributes.ts';
import {
  ADDING_FUNCTION,
  ASSERTIVE_FUNCTION,
  CHANCE_FUNCTIONS,
  type Circumstances,
  compileMappedExpression,
  type EntryOutcome,
  FUNCTIONS_OF_PEOPLE,
  toPlainValue,
  VOLATILE_FUNCTIONS,
} from './expressions.ts';
import { checkName, type NameContext } from './names.ts';
import { compilePhoto } from './photo.ts';
import type { MappingProblem } from './problem.ts';
import { resolveTargetPath } from './target-path.ts';

/** One entry, ready to be evaluated. */
export interface CompiledEntry {
  /** As written, for messages. */
  readonly target: string;
  /** The resource that it stands in. */
  readonly owner: string;
  readonly origin: EntryOrigin;
  /** Canonical path in the target; null for a CustomAttribute whose path is wrong, or that is under deletion. */
  readonly path: string | null;
  readonly custom: CustomAttribute | null;
  readonly definition: AttributeDefinition;
  /** By what values are converted; its `format` is that of dates, null: as the standard writes them. */
  readonly shape: ValueShape;
  /** A text is written as it is: it is converted to nothing else, and every text will do. */
  readonly takesText: boolean;
  /** Whom the value refers to: a person by source id or another name, or a team by id or name of its group; null: nobody. */
  readonly reference: ResourceKind | null;
  /** Names that the value depends on. */
  readonly names: readonly string[];
  /** Null for an entry that has only a default. */
  readonly evaluate: ((read: (name: string) => Json, circumstances: Circumstances) => EntryOutcome) | null;
  /** What every part of an expression gives; null for whatever is none. */
  readonly trace: ((read: (name: string) => Json, circumstances: Circumstances) => TraceNode) | null;
  /** The value depends on the person's groups of the source. */
  readonly usesGroups: boolean;
  /** The value depends on chance, which needs the secret of this installation. */
  readonly usesChance: boolean;
  /** The expression says Redact: values are written and not shown. */
  readonly redacted: boolean;
  /** The values are added to the list that the account has. */
  readonly adds: boolean;
  /** The value is the photo itself, which is looked at when the person is known to stay. */
  readonly photo: { readonly maxBytes: number } | null;
  /** The value is one of several that nobody else's account may have. */
  readonly isChosen: boolean;
  readonly defaultValue: Json;
  readonly onCreate: boolean;
  readonly onEmpty: 'Keep' | 'Clear';
  readonly required: boolean;
  readonly precedence: number | null;
}

/** What the value comes from, as it is written. */
export interface EntryOrigin {
  readonly language: 'source' | 'expression' | 'cel' | 'constant' | 'photo' | 'default';
  readonly text: string;
}

export interface EntryContext {
  readonly owner: string;
  readonly customs: CustomAttributeSet;
  readonly names: NameContext;
  readonly report: (key: string, message: string, severity?: MappingProblem['severity']) => void;
}

export function compileEntry(spec: AttributeEntry, context: EntryContext): CompiledEntry | null {
  const place = compileTarget(spec, context);
  if (place === null) return null;
  const value = compileValue(spec, place, context);
  if (value === null) return null;
  if (!checkFormat(spec, place, context)) return null;
  const { constant, ...evaluated } = { ...PLAIN, ...value };
  if (constant !== undefined) compileFixed(spec, '/constant', { value: constant, place, context });
  const defaultValue = compileFixed(spec, '/default', { value: (spec.default ?? null) as Json, place, context });
  checkUse(spec, place, context);
  const { path, custom, multiValued, reference } = place;
  const definition = evaluated.adds ? withId(place.definition) : place.definition;
  return {
    target: spec.target,
    owner: context.owner,
    origin: toOrigin(spec),
    path,
    custom,
    definition,
    shape: { ...definition, multiValued, format: spec.format ?? null },
    takesText: custom === null && definition.type === 'String' && !multiValued && spec.format === undefined,
    reference,
    ...evaluated,
    defaultValue,
    onCreate: spec.apply === 'OnCreate',
    onEmpty: spec.onEmpty ?? place.custom?.onEmpty ?? 'Keep',
    required: spec.required ?? false,
    precedence: spec.matching?.precedence ?? null,
  };
}

/** An app role has an id, which no role of SCIM has; one form of writing them tells it. */
function withId(definition: AttributeDefinition): AttributeDefinition {
  const { subAttributes } = definition;
  if (subAttributes.length === 0) return definition;
  return {
    ...definition,
    subAttributes: [...subAttributes, toAttributeDefinition('id', 'String', 'The id of the role.')],
  };
}

function toOrigin({ source, expression, cel, constant, photo, default: fallback }: AttributeEntry): EntryOrigin {
  if (source !== undefined) return { language: 'source', text: source };
  if (expression !== undefined) return { language: 'expression', text: expression };
  if (cel !== undefined) return { language: 'cel', text: cel };
  if (constant !== undefined) return { language: 'constant', text: JSON.stringify(constant) };
  if (photo !== undefined) return { language: 'photo', text: photo.as };
  return { language: 'default', text: JSON.stringify(fallback ?? null) };
}

export type Place = Pick<CompiledEntry, 'path' | 'custom' | 'definition' | 'reference'> & {
  readonly multiValued: boolean;
};

/** By its name, or by the place where it lives: both mean the attribute with all that it says of its values. */
export function findCustom(
  target: string,
  { byName, byPath, schemas, resource }: CustomAttributeSet,
): CustomAttribute | undefined {
  const named = byName.get(target);
  if (named !== undefined || byPath.size === 0) return named;
  try {
    return byPath.get(resolveTargetPath(target, schemas, { wholeLists: true, resource }).path);
  } catch {
    return undefined;
  }
}

/** One for every spelling of one place; a target that is none is its own. */
export function toTargetKey(target: string, customs: CustomAttributeSet): string {
  const custom = findCustom(target, customs);
  if (custom !== undefined) {
    const { path, name } = custom;
    return path !== null && customs.byPath.get(path) === custom ? path : `custom:${name}`;
  }
  try {
    const { schemas, resource } = customs;
    return resolveTargetPath(target, schemas, { wholeLists: true, resource }).path;
  } catch {
    return `none:${target}`;
  }
}

function compileTarget(spec: AttributeEntry, { customs, report }: EntryContext): Place | null {
  const custom = findCustom(spec.target, customs);
  if (custom !== undefined) {
    const { definition, reference } = custom;
    const path = custom.leaving ? null : custom.path;
    return { path, custom, definition, multiValued: definition.multiValued, reference };
  }
  const isComputed = spec.expression !== undefined || spec.cel !== undefined;
  try {
    // One text or number is never a list of complex values, which an expression may give.
    const { schemas, resource } = customs;
    const place = resolveTargetPath(spec.target, schemas, { wholeLists: isComputed, resource });
    return { ...place, custom: null };
  } catch (thrown) {
    const near = computeNearestName(spec.target, [...customs.byName.keys()]);
    const hint = near === null || spec.target.includes(':') ? '' : ` (or the CustomAttribute ${JSON.stringify(near)}?)`;
    report('/target', `${SyncError.from(thrown).message}${hint}`);
    return null;
  }
}

/** Whether dates can be read and written as the entry says. */
function checkFormat({ target, format }: AttributeEntry, place: Place, { report }: EntryContext): boolean {
  if (format === undefined) return true;
  const { type } = place.definition;
  const problem =
    type === 'DateTime' || (type === 'String' && place.reference === null)
      ? formatProblem(format)
      : `is for DateTime and String, and ${JSON.stringify(target)} holds ${type}`;
  if (problem !== undefined) report('/format', `format ${problem}`);
  return problem === undefined;
}

const WORDS: Readonly<Record<ResourceKind, string>> = { User: 'person', Team: 'team' };

/** What cannot be said of this target, although each field is well in itself. */
function checkUse(spec: AttributeEntry, place: Place, { report, names }: EntryContext): void {
  const name = JSON.stringify(spec.target);
  if (place.reference !== null && spec.apply === 'OnCreate')
    report('/apply', `${name} refers to a ${WORDS[place.reference]} and is always kept up to date`);
  if (place.reference !== null && spec.default !== undefined)
    report('/default', `${name} refers to a ${WORDS[place.reference]}: who has none gets none`);
  (names.resource === 'Team' ? checkUseOfTeam : checkUseOfUser)(spec, place, report);
}

function checkUseOfUser(spec: AttributeEntry, place: Place, report: EntryContext['report']): void {
  if (spec.matching !== undefined && (place.multiValued || place.reference !== null)) {
    report('/matching', `${JSON.stringify(spec.target)} cannot match accounts: that takes one text or number`);
  }
  if (place.path !== 'active') return;
  // Whoever is disabled later must lose access: a value that is written once would leave the account open for ever.
  if (spec.apply === 'OnCreate') report('/apply', '"active" decides who may sign in and is always kept up to date');
  if (spec.onEmpty === 'Clear') report('/onEmpty', '"active" is true or false and cannot be cleared');
  const gives = [spec.source, spec.expression, spec.cel, spec.constant];
  if (gives.every((each) => each === undefined))
    report('/default', '"active" needs a source, an expression, CEL or a constant beside the default');
}

function checkUseOfTeam(spec: AttributeEntry, place: Place, report: EntryContext['report']): void {
  if (spec.matching !== undefined)
    report(
      '/matching',
      'matching is for users: a team is found by its externalId, and with adoptTeams by its displayName',
    );
  if (NAMES_OF_TEAMS.has(place.path ?? '') && spec.onEmpty === 'Clear')
    report('/onEmpty', `${JSON.stringify(spec.target)} is what a team is known by and cannot be cleared`);
}

/** Without a value they are the name and id of the group. */
const NAMES_OF_TEAMS: ReadonlySet<string> = new Set(['displayName', 'externalId']);

/** What most values are not. */
const PLAIN = {
  trace: null,
  usesGroups: false,
  usesChance: false,
  redacted: false,
  adds: false,
  photo: null,
  isChosen: false,
};

type CalledFunctions = ReturnType<typeof compileMappedExpression>['functions'];

export interface CompiledValue {
  readonly names: readonly string[];
  readonly evaluate: CompiledEntry['evaluate'];
  readonly trace?: CompiledEntry['trace'];
  readonly usesGroups?: boolean;
  readonly usesChance?: boolean;
  readonly redacted?: boolean;
  readonly adds?: boolean;
  readonly photo?: CompiledEntry['photo'];
  readonly isChosen?: boolean;
  readonly constant?: Json;
}

function compileValue(spec: AttributeEntry, place: Place, { names, report }: EntryContext): CompiledValue | null {
  // An attribute that is filled from the source's attribute of the same name means the source's, not itself.
  const own = (name: string): string => (name === place.custom?.name ? `source:${name}` : name);
  try {
    if (spec.source !== undefined) {
      const name = own(spec.source);
      checkName(name, names);
      if (/^(?:source:)?appRoleAssignments$/.test(spec.source)) report('/source', DIRECT_ROLES, 'warning');
      return { names: [name], evaluate: (read) => ({ value: read(name), isDate: false }) };
    }
    if (spec.expression !== undefined) return compileEntryExpression(spec, place, { own, names, report });
    if (spec.cel !== undefined) return compileEntryCel(spec.cel, own, names);
    if (spec.photo !== undefined) return compilePhoto(spec, spec.photo, { place, names });
  } catch (thrown) {
    const key = (['source', 'expression', 'cel', 'photo'] as const).find((each) => spec[each] !== undefined);
    report(`/${key}`, SyncError.from(thrown).message);
    return null;
  }
  const constant = spec.constant as Json | undefined;
  if (constant === undefined) return { names: [], evaluate: null };
  return { names: [], evaluate: () => ({ value: constant, isDate: false }), constant };
}

const DIRECT_ROLES =
  'appRoleAssignments by itself is the roles of every application; use SingleAppRoleAssignment or AppRoleAssignmentsComplex';

function compileEntryExpression(
  spec: AttributeEntry,
  place: Place,
  { own, names, report }: Pick<EntryContext, 'names' | 'report'> & { readonly own: (name: string) => string },
): CompiledValue {
  const compiled = compileMappedExpression(spec.expression ?? '', own, names);
  for (const { message } of compiled.warnings) report('/expression', message, 'warning');
  if (names.resource === 'Team') checkForTeam(compiled.functions);
  checkWhen(spec, compiled.functions, report);
  checkRoles(spec, compiled.functions, { names, report });
  // With a format a text takes a date as RFC 3339, and writes it by the format.
  const isForDate = place.definition.type === 'DateTime' || spec.format !== undefined;
  const hasOwn = compiled.attributes.some((name) => own(name) !== name);
  return {
    names: compiled.attributes.map(own),
    usesChance: CHANCE_FUNCTIONS.some((name) => compiled.functions.has(name)),
    redacted: compiled.functions.has('Redact'),
    adds: place.multiValued && compiled.functions.has(ADDING_FUNCTION),
    isChosen: compiled.functions.has('SelectUniqueValue'),
    trace: (read, { now, random, tenant }) =>
      traceExpression(compiled.source, { attribute: (name) => read(own(name)), now, random, context: tenant }).tree,
    evaluate: (read, { now, random, tenant }) => {
      const attribute = hasOwn ? (name: string) => read(own(name)) : read;
      const outcome = compiled.evaluate({ attribute, now, random, context: tenant });
      if ('skip' in outcome) return outcome;
      if (outcome.value instanceof UniqueCandidates) return { candidates: outcome.value.values };
      return { value: toPlainValue(outcome.value, isForDate), isDate: outcome.value instanceof DateTime };
    },
  };
}

function checkForTeam(functions: CalledFunctions): void {
  const used = FUNCTIONS_OF_PEOPLE.find((name) => functions.has(name));
  if (used !== undefined) throw new SyncError('Invalid', `${used} is for mappings of users`);
}

function compileEntryCel(source: string, own: (name: string) => string, names: NameContext): CompiledValue {
  if (names.resource === 'Team') return compileGroupCel(source, own, names);
  const compiled = compileCel(source, { variables: ['user', 'groups', 'now'], result: 'any' });
  for (const name of compiled.user) checkName(own(name), names);
  if (compiled.groups) checkGroups(names);
  return {
    names: compiled.user.map(own),
    usesGroups: compiled.groups,
    evaluate: (read, { now, groups }) => {
      const user = new Map(compiled.user.map((name) => [name, read(own(name))]));
      return { value: compiled.evaluate({ user, groups, now }), isDate: false };
    },
  };
}

function compileGroupCel(source: string, own: (name: string) => string, names: NameContext): CompiledValue {
  const compiled = compileCel(source, { variables: ['group', 'now'], result: 'any' });
  for (const name of compiled.group) checkName(own(name), names);
  return {
    names: compiled.group.map(own),
    evaluate: (read, { now }) => {
      const group = new Map(compiled.group.map((name) => [name, read(own(name))]));
      return { value: compiled.evaluate({ group, now }), isDate: false };
    },
  };
}

/** What changes from run to run, and what is chosen once, belongs to the making of the account. */
function checkWhen(spec: AttributeEntry, functions: CalledFunctions, report: EntryContext['report']): void {
  const isOnCreate = spec.apply === 'OnCreate';
  if (functions.has('SelectUniqueValue')) {
    if (!isOnCreate) report('/expression', 'SelectUniqueValue chooses when the account is made: write apply: OnCreate');
    if (spec.matching !== undefined)
      report(
        '/matching',
        `${JSON.stringify(spec.target)} cannot match accounts by a value that is chosen among several`,
      );
  }
  const changing = VOLATILE_FUNCTIONS.find((name) => functions.has(name));
  if (changing === undefined || isOnCreate) return;
  report(
    '/expression',
    `${changing}() under apply: Always may give another value on every run; write apply: OnCreate to keep the first`,
    'warning',
  );
}

/** What the two forms that give a list of roles do otherwise than one may think. */
function checkRoles(
  spec: AttributeEntry,
  functions: CalledFunctions,
  { names, report }: Pick<EntryContext, 'names' | 'report'>,
): void {
  for (const name of [ADDING_FUNCTION, ASSERTIVE_FUNCTION]) {
    const position = functions.get(name);
    if (position === undefined || names.takesUnassigned !== true) continue;
    const message = `${name} gives no roles to whoever is not assigned to the application, and the scope takes them too; leave them out with scope.users: AssignedToApplication`;
    report('/expression', new ExpressionError(message, position).message, 'warning');
  }
  if (functions.has(ADDING_FUNCTION) && spec.onEmpty === 'Clear')
    report(
      '/onEmpty',
      `${ADDING_FUNCTION} adds roles and takes none away: onEmpty: Clear is for ${ASSERTIVE_FUNCTION}`,
    );
  if (functions.has(ASSERTIVE_FUNCTION) && spec.onEmpty === undefined)
    report(
      '/expression',
      `${ASSERTIVE_FUNCTION} gives an empty list to whoever has no role any more; write onEmpty: Clear so that their last one goes too`,
      'warning',
    );
}

interface Fixed {
  readonly value: Json;
  readonly place: Place;
  readonly context: EntryContext;
}

/** A constant or default in the form of the target; null when it is empty or does not fit. */
function compileFixed(
  { target, format }: AttributeEntry,
  key: '/constant' | '/default',
  { value, place, context }: Fixed,
): Json {
  const values = splitValue(place.custom, value);
  if (isEmptyValue(values)) return null;
  const coerced = coerceValue(values, { ...place.definition, multiValued: place.multiValued, format: format ?? null });
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
