/** One source record → one desired user. Pure: what only the target can settle is left to plan. */
import { SyncError } from '../errors.ts';
import type { TenantContext } from '../expression/values.ts';
import type { DesiredUser, MatchValue, Presence, RecordError, SourceUser } from '../model.ts';
import { type Condition, EVERYBODY } from '../rule/condition.ts';
import { readMails } from '../scim/mail.ts';
import type { CompiledMapping } from './compile.ts';
import { type ConditionTrace, traceCondition } from './condition-trace.ts';
import { type BoundCondition, bindCondition } from './conditions.ts';
import type { CompiledEntry } from './entry.ts';
import { type EntryTrace, toEntryTrace } from './entry-trace.ts';
import { createEvaluation, type Draft, toRandom, type Watch } from './evaluation.ts';
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
  const { seed, tenant } = options;
  const evaluate = createEvaluation(mapping, reader, { resource: 'User', seed, tenant });
  const inScopeBy = bindCondition(scope, reader);
  const mapPerson = (user: SourceUser, now: Date, watch: Watch | null): MappedPerson => {
    const { draft, view } = evaluate(user, now, watch);
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
        const random = toRandom(entry, seed, user.id);
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
