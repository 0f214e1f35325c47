/** One source record → one desired user. Pure: what only the target can settle is left to plan. */
import { SyncError } from '../errors.ts';
import { createRandom } from '../expression/chance.ts';
import { PersonError, type Skip, type TenantContext } from '../expression/values.ts';
import type { Attributes, DesiredUser, Json, MatchValue, Presence, RecordError, SourceUser } from '../model.ts';
import { type Condition, EVERYBODY } from '../rule/condition.ts';
import { readMails } from '../scim/mail.ts';
import { coerceValue, isEmptyValue } from './coerce.ts';
import type { CompiledMapping } from './compile.ts';
import { type ConditionTrace, traceCondition } from './condition-trace.ts';
import { type BoundCondition, bindCondition } from './conditions.ts';
import { findForeignValue, splitValue } from './custom-attributes.ts';
import { type CompiledEntry, toForeignMessage, toTypeMessage } from './entry.ts';
import { type EntryEnd, type EntryTrace, toEntryTrace } from './entry-trace.ts';
import type { Circumstances, EntryOutcome } from './expressions.ts';
import type { KnownAttributes, PersonView } from './names.ts';
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
  const entries = mapping.entries.map((entry) => ({ entry, names: entry.names.map((name) => reader.bind(name)) }));
  const inScopeBy = bindCondition(scope, reader);
  const mapPerson = (user: SourceUser, now: Date, watch: Watch | null): MappedPerson => {
    const customs = new Map<string, Json>();
    const draft = newDraft();
    const view: PersonView = { user, customs, mapped: draft };
    for (const { entry, names } of entries) {
      const unknown = names.some((name) => name.isUnknown(view)) || lacksGroups(entry, user);
      const random = toRandom(entry, options.seed, user.id);
      const circumstances = { now, random, groups: toGroupNames(entry, user), tenant: options.tenant };
      const read = (name: string) => reader.bind(name).read(view);
      evaluateEntry(entry, unknown, draft, { view, customs, circumstances, read, watch });
    }
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
  return { ...values, creation, clear: [], kept: [], errors: [], fatal: false, skipped: false };
}

interface Evaluation {
  readonly view: PersonView;
  readonly customs: Map<string, Json>;
  readonly circumstances: Circumstances;
  readonly read: (name: string) => Json;
  /** Told of every entry as it ends; null: nobody asks. */
  readonly watch: Watch | null;
}

type Watch = (entry: CompiledEntry, end: EntryEnd, evaluation: Evaluation) => void;

function evaluateEntry(entry: CompiledEntry, unknown: boolean, draft: Draft, evaluation: Evaluation): void {
  if (unknown) {
    if (entry.path !== null) draft.kept.push(entry.path);
    evaluation.watch?.(entry, { kind: 'unknown' }, evaluation);
    return;
  }
  try {
    const outcome = entry.evaluate?.(evaluation.read, evaluation.circumstances) ?? { value: null };
    if ('skip' in outcome) noteSkip(entry, outcome.skip, { draft, evaluation });
    else placeOutcome(entry, outcome, { draft, evaluation });
  } catch (thrown) {
    const error = SyncError.from(thrown);
    noteError(entry, error, draft, evaluation.view.user.id);
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

interface Placing {
  readonly draft: Draft;
  readonly evaluation: Evaluation;
}

function placeOutcome(
  entry: CompiledEntry,
  outcome: Exclude<EntryOutcome, { readonly skip: unknown }>,
  { draft, evaluation }: Placing,
): void {
  const values = 'candidates' in outcome ? outcome.candidates : [outcome.value];
  const isRead = 'isDate' in outcome && outcome.isDate === true && entry.definition.type === 'DateTime';
  const converted = values.map((value) => convertValue(entry, value, isRead ? null : entry.format));
  const [value = null] = converted;
  // An attribute that only a default fills is null to rules and expressions of the same run, not unknown.
  if (entry.custom !== null) evaluation.customs.set(entry.custom.name, value);
  const isEmpty = isEmptyValue(value);
  if (isEmpty) noteEmpty(entry, draft, evaluation.view.user.id);
  else place(entry, value, draft);
  if ('candidates' in outcome && entry.path !== null) draft.candidates[entry.path] = converted;
  evaluation.watch?.(entry, isEmpty ? toEmptyEnd(entry) : toValueEnd(entry, converted), evaluation);
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
function noteSkip(entry: CompiledEntry, skip: Skip, { draft, evaluation }: Placing): void {
  if (skip === 'SkipObject') draft.skipped = true;
  if (entry.custom !== null) evaluation.customs.set(entry.custom.name, null);
  if (entry.path !== null) draft.kept.push(entry.path);
  evaluation.watch?.(entry, { kind: 'skipped', skip }, evaluation);
}

function convertValue(entry: CompiledEntry, given: Json, format: string | null): Json {
  const value = splitValue(entry.custom, given);
  if (isEmptyValue(value)) return null;
  const coerced = coerceValue(value, { ...entry.definition, multiValued: entry.multiValued, format });
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
  const { attributes, onCreate, defaults, clear, kept, references } = draft;
  // Whom a record error keeps from being updated leaves all the same.
  const values =
    draft.fatal && presence === 'disabledAtSource'
      ? { attributes: {}, onCreate: {}, defaults: {}, clear: [], kept: [], references: {} }
      : { attributes, onCreate, defaults, clear, kept, references };
  const byEntry = presence === 'disabledAtSource' && user.active && attributes['active'] === false;
  const { candidates } = draft;
  return {
    sourceId: user.id,
    name: toName({ ...onCreate, ...attributes }, user.id),
    presence,
    ...(byEntry ? { byEntry } : {}),
    ...values,
    ...(Object.keys(candidates).length === 0 ? {} : { candidates }),
    ...(draft.creation.errors.length === 0 ? {} : { creation: draft.creation }),
    match,
  };
}

function toName(attributes: Attributes, id: string): string {
  const { userName } = attributes;
  if (typeof userName === 'string' && userName !== '') return userName;
  return readMails(attributes)[0] ?? id;
}
