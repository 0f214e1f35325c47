/**
 * The entries of a mapping over one record, a person's or a group's: what each gives, and what is wrong with it. Pure. What
 * follows for the account or team as a whole is the business of `person.ts` and `group.ts`.
 */
import { SyncError } from '../errors.ts';
import { createRandom } from '../expression/chance.ts';
import { PersonError, type Skip, type TenantContext } from '../expression/values.ts';
import type { Json, RecordError, ResourceKind, SourceUser } from '../model.ts';
import { coerceValue, isEmptyValue, toTypeMessage, type ValueShape } from './coerce.ts';
import type { CompiledMapping } from './compile.ts';
import { findForeignValue, splitValue } from './custom-attributes.ts';
import { type CompiledEntry, toForeignMessage } from './entry.ts';
import type { EntryEnd } from './entry-trace.ts';
import type { Circumstances, EntryOutcome } from './expressions.ts';
import type { BoundName, PersonView } from './names.ts';
import type { NameReader } from './reader.ts';

export interface EvaluationOptions {
  /** What errors are about. */
  readonly resource: ResourceKind;
  /** The secret that random values follow from, together with record and target; null where no entry needs any. */
  readonly seed: string | null;
  readonly tenant: TenantContext;
}

/** @param watch told of every entry as it ends; null: nobody asks */
export type Evaluate = (
  record: SourceUser,
  now: Date,
  watch: Watch | null,
) => { readonly draft: Draft; readonly view: PersonView };

/** @returns evaluates every entry of the mapping over a record */
export function createEvaluation(
  mapping: CompiledMapping,
  reader: NameReader,
  { resource, seed, tenant }: EvaluationOptions,
): Evaluate {
  const entries = mapping.entries.map((entry) => bindEntry(entry, reader));
  return (record, now, watch) => {
    const customs = new Map<string, Json>();
    const draft = newDraft();
    const view: PersonView = { user: record, customs, mapped: draft };
    const read = (name: string) => reader.bind(name).read(view);
    const circumstances: Circumstances = { now, random: drawNothing, groups: NO_GROUPS, tenant };
    const plain: Evaluation = { resource, view, customs, draft, circumstances, read, watch };
    for (const bound of entries) evaluateEntry(bound, toOwnEvaluation(bound.entry, plain, seed));
    return { draft, view };
  };
}

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
export function toRandom({ usesChance, target }: CompiledEntry, seed: string | null, id: string): () => number {
  return usesChance ? createRandom([seed ?? '', id, target]) : drawNothing;
}

/** Of entries whose expression has no function that draws. */
function drawNothing(): number {
  throw new SyncError('Unknown', 'an expression draws a random number that nobody foresaw');
}

export interface Draft {
  /** Values that hold always. */
  readonly attributes: Record<string, Json>;
  readonly onCreate: Record<string, Json>;
  readonly defaults: Record<string, Json>;
  readonly references: Record<string, string | readonly string[]>;
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
  readonly resource: ResourceKind;
  readonly view: PersonView;
  readonly customs: Map<string, Json>;
  readonly draft: Draft;
  readonly circumstances: Circumstances;
  readonly read: (name: string) => Json;
  /** Told of every entry as it ends; null: nobody asks. */
  readonly watch: Watch | null;
}

export type Watch = (entry: CompiledEntry, end: EntryEnd, evaluation: Evaluation) => void;

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
    noteError(entry, error, evaluation);
    evaluation.watch?.(entry, { kind: 'failed', message: error.message }, evaluation);
  }
}

function noteError(entry: CompiledEntry, error: SyncError, evaluation: Evaluation): void {
  const { draft } = evaluation;
  if (entry.path !== null) draft.kept.push(entry.path);
  if (entry.onCreate && entry.precedence === null && !(error instanceof PersonError)) {
    noteCreation(draft, error.message, isNeeded(entry));
    return;
  }
  draft.errors.push(toRecordError(error.message, evaluation));
  if (entry.required || entry.precedence !== null || error instanceof PersonError) draft.fatal = true;
}

function toRecordError(message: string, { resource, view }: Evaluation): RecordError {
  return { resource, id: view.user.id, code: 'RecordInvalid', message };
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
  if (isEmpty) noteEmpty(entry, evaluation);
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

function noteEmpty(entry: CompiledEntry, evaluation: Evaluation): void {
  const { draft } = evaluation;
  const message = toNeededMessage(entry);
  const hasDefault = !isEmptyValue(entry.defaultValue);
  if (entry.required && !entry.onCreate) {
    draft.errors.push(toRecordError(message, evaluation));
    draft.fatal = true;
  } else if (isNeeded(entry) && !hasDefault) noteCreation(draft, message, true);
  if (entry.path === null) return;
  if (hasDefault) draft.defaults[entry.path] = entry.defaultValue;
  if (clears(entry)) draft.clear.push(entry.path);
}

function place(entry: CompiledEntry, value: Json, draft: Draft): void {
  if (entry.path === null) return;
  if (entry.reference !== null) draft.references[entry.path] = Array.isArray(value) ? value.map(String) : String(value);
  else if (entry.onCreate) draft.onCreate[entry.path] = value;
  else draft.attributes[entry.path] = value;
}
