/** Why one person is (not) at the target as wanted: what the steps of a run said of them, and what that comes to. */
import type { ConditionTrace, NamedValue } from '../mapping/condition-trace.ts';
import type { EntryTrace } from '../mapping/entry-trace.ts';
import type { RuleTrace } from '../mapping/teams.ts';
import type { Presence, RecordError } from '../model.ts';
import type { Testimony } from '../reconcile/witness.ts';
import type { TeamState } from '../state/staging.ts';
import type { StoredOperation } from '../state/store.ts';
import { toGroupKey } from '../team-key.ts';
import { readOperations } from './plan-operations.ts';
import { WHY_HELD } from './plan-text.ts';
import { formatValue, shortenPath } from './plan-values.ts';
import type { SyncRun } from './run-sync.ts';

/**
 * `InSync`: nothing to do. `Pending`: the next run does the operations. `Held`: guards keep operations back. `Failed`: a
 * record error or a conflict. `Undecided`: nothing changes, because it cannot be told what is wanted. `OutOfScope`,
 * `Inactive`, `Gone`: nothing more is to be done about somebody who is not to have an account. `Protected`: what would be
 * done is not done. `Drifted`: the account was deleted by hand, and that is to stay so.
 */
export type ExplainedState =
  | 'InSync'
  | 'Pending'
  | 'Held'
  | 'Failed'
  | 'Undecided'
  | 'OutOfScope'
  | 'Inactive'
  | 'Gone'
  | 'Protected'
  | 'Drifted';

/** A team that a rule, or a group of the source, gives the person or does not. */
export interface TeamExplanation extends Omit<RuleTrace, 'rule'> {
  /** Null for the team of a group. */
  readonly rule: string | null;
  /** Null for the team of a rule. */
  readonly group: { readonly id: string; readonly displayName: string } | null;
}

export interface Explanation {
  readonly person: { readonly sourceId: string; readonly name: string };
  readonly result: {
    readonly state: ExplainedState;
    readonly summary: string;
    /** From the first step to the last. */
    readonly reasons: readonly string[];
  };
  readonly source: {
    /** False: the read has no such record, or could not read it. */
    readonly found: boolean;
    readonly active: boolean | null;
    /** Where the record stands. */
    readonly position: string | null;
    readonly duplicate: boolean;
    /** Null: the read is as the one before. */
    readonly suspicion: string | null;
  };
  readonly scope: { readonly presence: Presence | null; readonly condition: ConditionTrace | null };
  readonly mapping: readonly EntryTrace[];
  readonly account: {
    /** Null: none is linked. */
    readonly linked: { readonly targetId: string; readonly origin: string; readonly active: boolean } | null;
    /** The linked account was looked for and does not exist. */
    readonly gone: boolean;
    /** Accounts that have a matching value, for people without one. */
    readonly candidates: readonly {
      readonly targetId: string;
      readonly path: string;
      /** Source id; null when none of this DirectorySync has it. */
      readonly linkedTo: string | null;
      /** Another one that owns it: namespace and id. */
      readonly directorySync: string | null;
    }[];
  };
  readonly teams: readonly TeamExplanation[];
  readonly operations: readonly StoredOperation[];
  readonly errors: readonly RecordError[];
  /** Null: nothing is held. */
  readonly held: { readonly hash: string; readonly by: readonly string[]; readonly approve: string } | null;
}

export interface ExplanationInput {
  readonly run: SyncRun;
  readonly testimony: Testimony;
  readonly approve: (hash: string) => string;
}

export async function explain(input: ExplanationInput): Promise<Explanation> {
  const { run, testimony, approve } = input;
  const { report, state } = run;
  const operations = await readOwn(run, testimony);
  const teams = toTeams(testimony);
  const errors = await readErrors(run, testimony, teams);
  const heldBy = [...new Set(operations.flatMap(({ held }) => held ?? []))];
  const { hash } = report.held;
  const held = heldBy.length === 0 ? null : { hash, by: heldBy, approve: approve(hash) };
  const link = testimony.state?.link ?? (await state.links.get(testimony.sourceId));
  const facts = { run, testimony, operations, errors, held, link };
  const { record, mapped } = testimony;
  return {
    person: { sourceId: testimony.sourceId, name: toName(testimony) },
    result: judge(facts),
    source: {
      found: record !== null,
      active: record?.user.active ?? null,
      position: record?.user.position ?? null,
      duplicate: record?.duplicate ?? false,
      suspicion: report.suspicion,
    },
    scope: { presence: testimony.state?.desired?.presence ?? null, condition: mapped?.scope ?? null },
    mapping: mapped?.entries ?? [],
    account: {
      linked: link === null ? null : { targetId: link.targetId, origin: link.origin, active: link.active },
      gone: testimony.state?.gone ?? false,
      candidates: (testimony.state?.candidates ?? []).map(({ object, path, linkedTo, neighbour }) => ({
        targetId: object.id,
        path,
        linkedTo,
        directorySync: neighbour === null ? null : `${neighbour.namespace}/${neighbour.id}`,
      })),
    },
    teams,
    operations,
    errors,
    held,
  };
}

function toName({ sourceId, mapped, state }: Testimony): string {
  return mapped?.mapped.desired.name ?? state?.link?.name ?? sourceId;
}

/** Operations on the person's account, and on their memberships. */
async function readOwn({ state, report }: SyncRun, { sourceId, state: person }: Testimony): Promise<StoredOperation[]> {
  const targetId = person?.link?.targetId ?? '';
  const isOwn = ({ resource, id, member }: StoredOperation): boolean =>
    (resource === 'User' && id === sourceId) ||
    (member !== null && (member.sourceId === sourceId || (member.sourceId === null && member.targetId === targetId)));
  const own: StoredOperation[] = [];
  for await (const operation of readOperations(state, report.runId, { where: isOwn })) own.push(operation);
  return own;
}

/** Of the person, of the rules that grant them a team, and of the groups that they belong to. */
async function readErrors(
  { state, report }: SyncRun,
  { sourceId }: Testimony,
  teams: readonly TeamExplanation[],
): Promise<RecordError[]> {
  const granting = teams.filter(({ verdict }) => verdict !== 'denies');
  const concerns = new Set([
    `User ${sourceId}`,
    ...granting.flatMap(({ rule, group, teams: made }) => [
      group === null ? `TeamRule ${rule}` : `Team ${group.id}`,
      ...made.map(({ key }) => `Team ${key}`),
    ]),
  ]);
  const errors: RecordError[] = [];
  for await (const page of state.journal.errors(report.runId)) {
    errors.push(...page.filter(({ resource, id }) => concerns.has(`${resource} ${id}`)));
  }
  return errors;
}

function toTeams({ rules, groups, teams }: Testimony): TeamExplanation[] {
  const ofGroups = (groups ?? []).flatMap((group): TeamExplanation[] => {
    const key = toGroupKey(group.id);
    const team: TeamState | undefined = teams.get(key);
    if (team === undefined || team.desired === null) return [];
    const { displayName } = team.desired;
    return [{ rule: null, group, verdict: 'grants', teams: [{ key, displayName }] }];
  });
  return [...(rules ?? []).map((trace) => ({ ...trace, group: null })), ...ofGroups];
}

interface Facts extends Pick<Explanation, 'operations' | 'errors' | 'held'> {
  readonly run: SyncRun;
  readonly testimony: Testimony;
  readonly link: NonNullable<Testimony['state']>['link'];
}

function judge(facts: Facts): Explanation['result'] {
  const { operations, errors, held, testimony, run } = facts;
  const going = operations.filter((operation) => operation.held === null);
  const reasons = [
    ...toPresenceReasons(facts),
    ...toKeptReasons(testimony),
    ...errors.map(({ resource, id, code, message }) => `${resource} ${id}: ${message} (${code})`),
    ...(held?.by ?? []).map((by) => `held by ${by}: ${WHY_HELD[by as keyof typeof WHY_HELD]}`),
    ...(held === null ? [] : [`approve: ${held.approve}`]),
    ...(testimony.spared
      ? ['protected: named by guards.protectedUsers, or the target is called with this account']
      : []),
    ...toRunReasons(run, operations),
  ];
  const state = toState(facts, going);
  return {
    state,
    summary: SUMMARIES[state]({ going, held: operations.filter((each) => each.held !== null) }),
    reasons,
  };
}

function toState({ errors, held, testimony, link }: Facts, going: readonly StoredOperation[]): ExplainedState {
  if (errors.length > 0) return 'Failed';
  if (held !== null) return 'Held';
  if (going.length > 0) return 'Pending';
  if (testimony.spared) return 'Protected';
  const desired = testimony.state?.desired ?? null;
  switch (desired?.presence) {
    case undefined:
      return 'Gone';
    case 'undecided':
      return 'Undecided';
    case 'outOfScope':
      return 'OutOfScope';
    case 'disabledAtSource':
      return 'Inactive';
    case 'present':
      return link === null || testimony.state?.gone === true ? 'Drifted' : 'InSync';
  }
}

interface Doing {
  readonly going: readonly StoredOperation[];
  readonly held: readonly StoredOperation[];
}

const SUMMARIES: Readonly<Record<ExplainedState, (doing: Doing) => string>> = {
  InSync: () => 'nothing to do: the account is as wanted',
  Pending: ({ going }) => `the next run ${describeAll(going)}`,
  Held: ({ held }) => `held back until approved: ${describeAll(held)}`,
  Failed: ({ going }) =>
    going.length === 0 ? 'not synced' : `not synced as a whole; the next run ${describeAll(going)}`,
  Undecided: () => 'nothing changes: what is wanted cannot be told',
  OutOfScope: () => 'not in scope, and nothing is left to do',
  Inactive: () => 'inactive, and nothing is left to do',
  Gone: () => 'gone from the source, and nothing is left to do',
  Protected: () => 'protected: what would be done is not done',
  Drifted: () => 'the account was deleted by hand, and drift.policy Report leaves it so',
};

function describeAll(operations: readonly StoredOperation[]): string {
  const teams = (kind: StoredOperation['kind']): string =>
    operations
      .filter((operation) => operation.kind === kind)
      .map(({ name }) => name)
      .join(', ');
  const [joins, leaves] = [teams('addMembers'), teams('removeMembers')];
  return [
    ...operations.filter(({ member }) => member === null).map(describeOperation),
    ...(joins === '' ? [] : [`adds them to ${joins}`]),
    ...(leaves === '' ? [] : [`takes them out of ${leaves}`]),
  ].join(', ');
}

/** As what somebody does: `creates the account`. Memberships are told together. */
function describeOperation({ kind, targetId, changes, phase }: StoredOperation): string {
  const paths = changes.map(({ path }) => shortenPath(path)).join(', ');
  switch (kind) {
    case 'create':
      return 'creates the account';
    case 'adopt':
      return `takes over the account ${targetId}`;
    case 'recover':
      return `links the account ${targetId} again`;
    case 'update':
      return phase === 'references' ? `sets ${paths}` : `updates ${paths}`;
    case 'rename':
      return `renames by ${paths}`;
    case 'deactivate':
    case 'reactivate':
    case 'delete':
      return `${kind}s the account`;
    case 'addMembers':
    case 'removeMembers':
      return '';
  }
}

function toPresenceReasons({ testimony, link, run }: Facts): readonly string[] {
  const { record, mapped, state } = testimony;
  const desired = state?.desired ?? null;
  if (record === null) {
    const isRead = desired === null;
    return isRead ? ['the read of the source has no such record', ...toLeftReason(link)] : [];
  }
  if (desired === null || mapped === null) return [];
  switch (desired.presence) {
    case 'outOfScope':
      return [...(mapped.scope === null ? [] : listFailing(mapped.scope)), ...toLeftReason(link)];
    case 'disabledAtSource':
      return [...toInactiveReason(record.user.active, mapped.entries), ...toLeftReason(link)];
    case 'undecided':
      return toUndecidedReasons(testimony);
    case 'present':
      return run.report.suspicion === null ? [] : [`the read is suspect: ${run.report.suspicion}; removals wait`];
  }
}

function toLeftReason(link: Facts['link']): readonly string[] {
  if (link === null) return ['no account is linked'];
  return link.active ? [] : [`the account ${link.targetId} is deactivated already`];
}

function toInactiveReason(isActive: boolean, entries: readonly EntryTrace[]): readonly string[] {
  if (!isActive) return ['the source says that the person is inactive'];
  const entry = entries.find(({ target }) => target === 'active');
  return [`the entry for active gives false (${entry?.owner ?? 'mapping'}: ${entry?.origin.text ?? ''})`];
}

function toUndecidedReasons({ mapped, record }: Testimony): readonly string[] {
  if (record?.duplicate === true) return [];
  const scope = mapped?.scope ?? null;
  const ofScope = scope === null || scope.holds !== null ? [] : listFailing(scope);
  const skipped = (mapped?.entries ?? []).filter(({ end }) => end.kind === 'skipped' && end.skip === 'SkipObject');
  return [
    ...ofScope,
    ...skipped.map(
      ({ target, origin }) => `${shortenPath(target)}: IgnoreObjectFlow leaves the person out (${origin.text})`,
    ),
  ];
}

/** Values that stay as they are at the target. */
function toKeptReasons({ mapped, state }: Testimony): readonly string[] {
  const presence = state?.desired?.presence;
  if (mapped === null || presence === 'outOfScope') return [];
  return mapped.entries
    .filter(({ end }) => end.kind === 'unknown')
    .map(({ target, values }) => {
      const unknown = values.filter((value) => value.unknown !== undefined);
      const why = unknown.length === 0 ? 'the groups of the person are unknown' : describeValues(unknown);
      return `${shortenPath(target)} stays as it is: ${why}`;
    });
}

function toRunReasons({ resource }: SyncRun, operations: readonly StoredOperation[]): readonly string[] {
  return resource.spec.mode === 'Plan' && operations.length > 0 ? ['spec.mode is Plan: nothing is written'] : [];
}

/** The parts of a condition that keep it from holding, with what they read. */
function listFailing(trace: ConditionTrace): readonly string[] {
  const { text, holds, error, join, parts, values } = trace;
  if (holds === true) return [];
  if (error !== undefined) return [`${text}: ${error}`];
  if (join === 'not') return [`not (${parts[0]?.text ?? ''}) does not hold`];
  if (parts.length > 0) return parts.flatMap(listFailing);
  const read = values.length === 0 ? '' : `: ${describeValues(values)}`;
  return [holds === null ? `${text} cannot be told${read}` : `${text} does not hold${read}`];
}

/** `department is "Sales", title has no value`. */
export function describeValues(values: readonly NamedValue[]): string {
  return values.map(describeValue).join(', ');
}

function describeValue({ name, value, unknown }: NamedValue): string {
  if (unknown === 'everybody') return `${name} is unknown (the read did not deliver it)`;
  if (unknown === 'person') return `${name} is unknown for this person`;
  return value === null || value === '' ? `${name} has no value` : `${name} is ${formatValue(value, false)}`;
}
