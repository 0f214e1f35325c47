/** One source record → one desired user. Pure: what only the target can settle is left to plan. */
import { SyncError } from '../errors.ts';
import { createRandom } from '../expression/chance.ts';
import { PersonError, type Skip, type TenantContext } from '../expression/values.ts';
import type { DesiredUser, Json, MatchValue, Presence, RecordError, SourceUser } from '../model.ts';
import { type Condition, EVERYBODY } from '../rule/condition.ts';
import { readMails } from '../scim/mail.ts';
import { coerceValue, isEmptyValue, toTypeMessage, type ValueShape } from './coerce.ts';
import type { CompiledMapping } from './compile.ts';
import { type ConditionTrace, traceCondition } from './condition-trace.ts';
import { type BoundCondition, bindCondition } from './conditions.ts';
import { findForeignValue, splitValue } from './custom-attributes.ts';
import { type CompiledEntry, toForeignMessage } from './entry.ts';
import { type EntryEnd, type EntryTrace, toEntryTrace } from './entry-trace.ts';
import type { Circumstances, EntryOutcome } from './expressions.ts';
import type { BoundName, KnownAttributes, PersonView } from './names.ts';
import { NameReader } from './reader.ts';

export interface PersonMapper {
  /** Names that mappings or scope use and the read did not deliver for anybody. */
  readonly missingNames: readonly string[];
  map(user: SourceUser, now: Date): MappedPerson;
  /** The same, told step by step. */
  trace(user: SourceUser, now: Date): PersonTrace;
}

export interface PersonTrace {
  readonly mapped: MappedPerson;
  /** Null where the scope is everybody. */
  readonly scope: ConditionTrace | null;
  /** In the order in which they are evaluated. */
  readonly entries: readonly EntryTrace[];
}

export interface MappedPerson {
  readonly desired: DesiredUser;
  readonly errors: readonly RecordError[];
  /** For rules: reads any bound name of this person. */
  readonly view: PersonView;
  /** Entries of photos that are to be looked at, of who stays. */
  readonly photos: readonly CompiledEntry[];
}

export interface PersonMapperOptions {
  readonly mapping: CompiledMapping;
  readonly scope: Condition;
  readonly known: KnownAttributes;
  /** The policy for people who are there but inactive. */
  readonly disabledAtSource: 'Deactivate' | 'Delete' | 'Retain';
  /** The secret that random values follow from, together with person and target; null where no entry needs any. */
  readonly seed: string | null;
  readonly tenant: TenantContext;
}

export function createPersonMapper(options: PersonMapperOptions): PersonMapper {
  const { mapping, scope, known } = options;
  const reader = new NameReader(mapping, known);
  const entries = mapping.entries.map((entry) => bindEntry(entry, reader));
  const inScopeBy = bindCondition(scope, reader);
  const mapPerson = (user: SourceUser, now: Date, watch: Watch | null): MappedPerson => {
    const customs = new Map<string, Json>();
    const draft = newDraft();
    const view: PersonView = { user, customs, mapped: draft };
    const read = (name: string) => reader.bind(name).read(view);
    const circumstances: Circumstances = { now, random: drawNothing, groups: NO_GROUPS, tenant: options.tenant };
    const plain: Evaluation = { view, customs, draft, circumstances, read, watch };
    for (const bound of entries) evaluateEntry(bound, toOwnEvaluation(bound.entry, plain, options.seed));
    const inScope = decideScope(inScopeBy, draft, { view, now });
    const presence = decidePresence(draft, { inScope, user, options });
    if (presence !== 'outOfScope') checkMatching(draft, mapping, user);
    const stays = presence === 'present' || presence === 'undecided';
    const isHeldBack = draft.fatal || draft.skipped;
    return {
      desired: toDesired(draft, { user, presence: isHeldBack && stays ? 'undecided' : presence, mapping }),
      // Leaving needs no values: what is wrong with those of a leaver keeps nobody in, and would be reported for ever.
      errors: stays ? draft.errors : [],
      view,
      photos: presence === 'present' && !isHeldBack ? draft.photos : [],
    };
  };
  return {
    missingNames: [
      ...new Set([...mapping.usedNames.filter((name) => reader.bind(name).missing), ...inScopeBy.missing]),
    ],
    map: (user, now) => mapPerson(user, now, null),
    trace: (user, now) => {
      const traced: EntryTrace[] = [];
      const mapped = mapPerson(user, now, (entry, end, evaluation) => {
        const random = toRandom(entry, options.seed, user.id);
        const circumstances = { ...evaluation.circumstances, random };
        traced.push(toEntryTrace(entry, end, { ...evaluation, circumstances, reader }));
      });
      const moment = { now, isInTeam: NO_TEAMS };
      const isEverybody = scope === EVERYBODY;
      return {
        mapped,
        scope: isEverybody ? null : traceCondition(scope, { reader, person: mapped.view, moment }),
        entries: traced,
      };
    },
  };
}

/** Teams follow from the scope, so no scope asks for them. */
const NO_TEAMS = (): null => null;

const NO_GROUPS: readonly string[] = [];

/** With what this entry alone depends on. */
function toOwnEvaluation(entry: CompiledEntry, plain: Evaluation, seed: string | null): Evaluation {
  if (!entry.usesChance && !entry.usesGroups) return plain;
  const { user } = plain.view;
  const own = { random: toRandom(entry, seed, user.id), groups: toGroupNames(entry, user) };
  return { ...plain, circumstances: { ...plain.circumstances, ...own } };
}

interface BoundEntry {
  readonly entry: CompiledEntry;
  /** What it depends on, bound to the read. */
  readonly names: readonly BoundName[];
  readonly evaluate: (evaluation: Evaluation) => EntryOutcome;
}

/** What one name gives needs nothing but that name. */
function bindEntry(entry: CompiledEntry, reader: NameReader): BoundEntry {
  const names = entry.names.map((name) => reader.bind(name));
  const [only] = names;
  if (entry.origin.language === 'source' && only !== undefined)
    return { entry, names, evaluate: ({ view }) => ({ value: only.read(view), isDate: false }) };
  const { evaluate } = entry;
  if (evaluate === null) return { entry, names, evaluate: () => ({ value: null, isDate: false }) };
  return { entry, names, evaluate: ({ read, circumstances }) => evaluate(read, circumstances) };
}

function isAnyUnknown(names: readonly BoundName[], view: PersonView): boolean {
  for (const name of names) if (name.isUnknown(view)) return true;
  return false;
}

/** A group whose members are not known whole may be one of theirs or not. */
function lacksGroups({ usesGroups }: CompiledEntry, { groups, maybeGroups = [] }: SourceUser): boolean {
  return usesGroups && (groups === undefined || maybeGroups.length > 0);
}

function toGroupNames({ usesGroups }: CompiledEntry, { groups = [] }: SourceUser): readonly string[] {
  return usesGroups ? groups.map(({ displayName }) => displayName) : [];
}

/** A source of its own for each entry of a person, so that one more entry changes no value of another. */
function toRandom({ usesChance, target }: CompiledEntry, seed: string | null, id: string): () => number {
  return usesChance ? createRandom([seed ?? '', id, target]) : drawNothing;
}

/** Of entries whose expression has no function that draws. */
function drawNothing(): number {
  throw new SyncError('Unknown', 'an expression draws a random number that nobody foresaw');
}

/** Who cannot be judged stays as they are, with a record error (rule I8). */
function decideScope(
  scope: BoundCondition,
  draft: Draft,
  { view, now }: { readonly view: PersonView; readonly now: Date },
): boolean | null {
  try {
    return scope.decide(view, { now, isInTeam: NO_TEAMS });
  } catch (thrown) {
    const { message } = SyncError.from(thrown);
    draft.errors.push({ resource: 'User', id: view.user.id, code: 'RecordInvalid', message: `scope: ${message}` });
    return null;
  }
}

interface Draft {
  readonly attributes: Record<string, Json>;
  readonly onCreate: Record<string, Json>;
  readonly defaults: Record<string, Json>;
  readonly references: Record<string, string>;
  readonly clear: string[];
  readonly kept: string[];
  readonly errors: RecordError[];
  readonly candidates: Record<string, readonly Json[]>;
  readonly photos: CompiledEntry[];
  /** Whoever has an account needs none of it, and is kept back by none of it. */
  readonly creation: { readonly errors: string[]; held: boolean };
  /** A record error holds back the whole person. */
  fatal: boolean;
  /** IgnoreObjectFlow: the person stays as they are, and nothing is wrong. */
  skipped: boolean;
}

function newDraft(): Draft {
  const values = { attributes: {}, onCreate: {}, defaults: {}, references: {}, candidates: {} };
  const creation = { errors: [], held: false };
  return { ...values, creation, clear: [], kept: [], errors: [], photos: [], fatal: false, skipped: false };
}

interface Evaluation {
  readonly view: PersonView;
  readonly customs: Map<string, Json>;
  readonly draft: Draft;
  readonly circumstances: Circumstances;
  readonly read: (name: string) => Json;
  /** Told of every entry as it ends; null: nobody asks. */
  readonly watch: Watch | null;
}

type Watch = (entry: CompiledEntry, end: EntryEnd, evaluation: Evaluation) => void;

function evaluateEntry({ entry, names, evaluate }: BoundEntry, evaluation: Evaluation): void {
  const { draft, view } = evaluation;
  if (isAnyUnknown(names, view) || lacksGroups(entry, view.user)) {
    if (entry.path !== null) draft.kept.push(entry.path);
    evaluation.watch?.(entry, { kind: 'unknown' }, evaluation);
    return;
  }
  if (entry.photo !== null) {
    draft.photos.push(entry);
    evaluation.watch?.(entry, { kind: 'photo' }, evaluation);
    return;
  }
  try {
    const outcome = evaluate(evaluation);
    if ('skip' in outcome) noteSkip(entry, outcome.skip, evaluation);
    else placeOutcome(entry, outcome, evaluation);
  } catch (thrown) {
    const error = SyncError.from(thrown);
    noteError(entry, error, draft, view.user.id);
    evaluation.watch?.(entry, { kind: 'failed', message: error.message }, evaluation);
  }
}

function noteError(entry: CompiledEntry, error: SyncError, draft: Draft, id: string): void {
  if (entry.path !== null) draft.kept.push(entry.path);
  if (entry.onCreate && entry.precedence === null && !(error instanceof PersonError)) {
    noteCreation(draft, error.message, isNeeded(entry));
    return;
  }
  draft.errors.push({ resource: 'User', id, code: 'RecordInvalid', message: error.message });
  if (entry.required || entry.precedence !== null || error instanceof PersonError) draft.fatal = true;
}

function noteCreation({ creation }: Draft, message: string, held: boolean): void {
  creation.errors.push(message);
  creation.held ||= held;
}

/** Of a new account. A CustomAttribute that is required asks nothing of accounts that are there. */
function isNeeded({ required, custom }: CompiledEntry): boolean {
  return required || custom?.required === true;
}

function placeOutcome(
  entry: CompiledEntry,
  outcome: Exclude<EntryOutcome, { readonly skip: unknown }>,
  evaluation: Evaluation,
): void {
  const { draft } = evaluation;
  const isChosen = 'candidates' in outcome;
  const candidates = isChosen ? outcome.candidates.map((each) => convertValue(entry, each, entry.shape)) : null;
  const value = isChosen
    ? (candidates?.[0] ?? null)
    : convertValue(entry, outcome.value, toShape(entry, outcome.isDate));
  // An attribute that only a default fills is null to rules and expressions of the same run, not unknown.
  if (entry.custom !== null) evaluation.customs.set(entry.custom.name, value);
  const isEmpty = isEmptyValue(value);
  if (isEmpty) noteEmpty(entry, draft, evaluation.view.user.id);
  else place(entry, value, draft);
  if (candidates !== null && entry.path !== null) draft.candidates[entry.path] = candidates;
  evaluation.watch?.(entry, isEmpty ? toEmptyEnd(entry) : toValueEnd(entry, candidates ?? [value]), evaluation);
}

/** No format has to read what was computed as a date. */
function toShape({ definition, shape }: CompiledEntry, isDate: boolean): ValueShape {
  return isDate && definition.type === 'DateTime' ? { ...shape, format: null } : shape;
}

function toEmptyEnd(entry: CompiledEntry): EntryEnd {
  if (isNeeded(entry) && isEmptyValue(entry.defaultValue)) return { kind: 'failed', message: toNeededMessage(entry) };
  return { kind: 'empty', fallback: entry.defaultValue, clears: clears(entry) };
}

function toValueEnd({ onCreate }: CompiledEntry, values: readonly Json[]): EntryEnd {
  return { kind: 'value', values, onCreate };
}

function toNeededMessage({ target }: CompiledEntry): string {
  return `attribute ${JSON.stringify(target)} is required and empty`;
}

/** Of an empty value. */
function clears({ onEmpty, evaluate, onCreate }: CompiledEntry): boolean {
  return onEmpty === 'Clear' && evaluate !== null && !onCreate;
}

/** The target keeps what it has: no default, nothing cleared. A new account goes without, if it can. */
function noteSkip(entry: CompiledEntry, skip: Skip, evaluation: Evaluation): void {
  const { draft } = evaluation;
  if (skip === 'SkipObject') draft.skipped = true;
  if (entry.custom !== null) evaluation.customs.set(entry.custom.name, null);
  if (entry.path !== null) draft.kept.push(entry.path);
  evaluation.watch?.(entry, { kind: 'skipped', skip }, evaluation);
}

function convertValue(entry: CompiledEntry, given: Json, shape: ValueShape): Json {
  if (typeof given === 'string' && entry.takesText) return given === '' ? null : given;
  const value = splitValue(entry.custom, given);
  if (isEmptyValue(value)) return null;
  const coerced = coerceValue(value, shape);
  if ('refused' in coerced)
    throw new SyncError('RecordInvalid', toTypeMessage(entry.target, toShown(entry, value), coerced.refused));
  checkCanonical(entry, coerced.value);
  return coerced.value;
}

/** A value as a message may show it. */
function toShown({ redacted }: Pick<CompiledEntry, 'redacted'>, value: Json): Json {
  return redacted ? '[Redact]' : value;
}

function checkCanonical({ custom, target, definition, redacted }: CompiledEntry, value: Json): void {
  const foreign = custom === null ? undefined : findForeignValue(custom, value);
  if (foreign === undefined) return;
  throw new SyncError(
    'RecordInvalid',
    toForeignMessage(target, toShown({ redacted }, foreign), definition.canonicalValues),
  );
}

function noteEmpty(entry: CompiledEntry, draft: Draft, id: string): void {
  const message = toNeededMessage(entry);
  const hasDefault = !isEmptyValue(entry.defaultValue);
  if (entry.required && !entry.onCreate) {
    draft.errors.push({ resource: 'User', id, code: 'RecordInvalid', message });
    draft.fatal = true;
  } else if (isNeeded(entry) && !hasDefault) noteCreation(draft, message, true);
  if (entry.path === null) return;
  if (hasDefault) draft.defaults[entry.path] = entry.defaultValue;
  if (clears(entry)) draft.clear.push(entry.path);
}

function place(entry: CompiledEntry, value: Json, draft: Draft): void {
  if (entry.path === null) return;
  if (entry.reference) draft.references[entry.path] = String(value);
  else if (entry.onCreate) draft.onCreate[entry.path] = value;
  else draft.attributes[entry.path] = value;
}

interface PresenceInput {
  /** Null: not to be told. */
  readonly inScope: boolean | null;
  readonly user: SourceUser;
  readonly options: PersonMapperOptions;
}

/** While a person is in scope an entry for `active` decides about it; without one the state of the source does. */
function decidePresence(draft: Draft, { inScope, user, options }: PresenceInput): Presence {
  if (inScope === null) return 'undecided';
  if (!inScope) return 'outOfScope';
  if (!options.mapping.activeMapped) draft.attributes['active'] = user.active;
  if (!user.active && options.disabledAtSource === 'Delete') return 'disabledAtSource';
  const active = draft.attributes['active'];
  if (active !== undefined) return active === false ? 'disabledAtSource' : 'present';
  // The entry says nothing. An account that is made now must not depend on what the application takes for its default.
  draft.defaults['active'] ??= user.active;
  if (user.active) return 'present';
  return draft.kept.includes('active') ? 'undecided' : 'disabledAtSource';
}

function checkMatching(draft: Draft, mapping: CompiledMapping, user: SourceUser): void {
  if (draft.fatal) return;
  // Who has an account keeps it; that nobody can be found or created by an unknown value is the plan's to say.
  if (mapping.matching.some(({ path }) => matchText(draft, path) !== null || draft.kept.includes(path))) return;
  draft.fatal = true;
  const names = mapping.matching.map(({ path }) => path).join(', ');
  draft.errors.push({
    resource: 'User',
    id: user.id,
    code: 'RecordInvalid',
    message: `no matching attribute has a value (${names}): there is nothing to find or create the account by`,
  });
}

function matchText(draft: Pick<Draft, 'attributes' | 'onCreate'>, path: string): string | null {
  const value = draft.attributes[path] ?? draft.onCreate[path];
  return value === undefined || value === null || typeof value === 'object' ? null : String(value);
}

function toDesired(
  draft: Draft,
  { user, presence, mapping }: { user: SourceUser; presence: Presence; mapping: CompiledMapping },
): DesiredUser {
  const match: MatchValue[] = [];
  for (const { path } of mapping.matching) {
    const value = matchText(draft, path);
    if (value !== null) match.push({ path, value });
  }
  const { attributes, onCreate, defaults, clear, kept, references, candidates, creation } = draft;
  const name = toName(draft, user.id);
  const desired: DesiredUser = {
    sourceId: user.id,
    name,
    presence,
    attributes,
    onCreate,
    defaults,
    clear,
    kept,
    references,
    match,
  };
  const isOff = presence === 'disabledAtSource';
  const isPlain = !isOff && creation.errors.length === 0 && hasNone(candidates);
  if (isPlain) return desired;
  const byEntry = isOff && user.active && attributes['active'] === false;
  return {
    ...desired,
    // Whom a record error keeps from being updated leaves all the same.
    ...(draft.fatal && isOff ? NO_VALUES : {}),
    ...(byEntry ? { byEntry } : {}),
    ...(hasNone(candidates) ? {} : { candidates }),
    ...(creation.errors.length === 0 ? {} : { creation }),
  };
}

const NO_VALUES = { attributes: {}, onCreate: {}, defaults: {}, clear: [], kept: [], references: {} };

function hasNone(record: Readonly<Record<string, unknown>>): boolean {
  for (const _ in record) return false;
  return true;
}

function toName({ attributes, onCreate }: Pick<Draft, 'attributes' | 'onCreate'>, id: string): string {
  const userName = attributes['userName'] ?? onCreate['userName'];
  if (typeof userName === 'string' && userName !== '') return userName;
  return readMails({ ...onCreate, ...attributes })[0] ?? id;
}
