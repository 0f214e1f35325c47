/** Conditions after kstatus' rules, which `kubectl wait`, Flux and Argo CD read: how one is set, and what must hold. */
import { type Condition, type ConditionStatus, MESSAGE_MAX_LENGTH } from './condition-schema.ts';
import {
  CONDITION_TYPES,
  type ConditionType,
  MAIN_CONDITION,
  ONLY_WHILE_TRUE,
  REASONS_BY_TYPE,
  SITUATIONS,
} from './conditions.ts';
import { KINDS, type Kind } from './metadata.ts';
import type { ReadyReason } from './reasons.ts';
import { toFields } from './rules.ts';
import { validateStatus } from './validate.ts';

export interface ConditionChange {
  readonly type: ConditionType;
  readonly status: ConditionStatus;
  /** One of `REASONS_BY_TYPE[type]`. */
  readonly reason: string;
  readonly message: string;
  /** `metadata.generation` of the resource that was looked at. */
  readonly observedGeneration: number;
}

/**
 * The conditions with one of them set, sorted by type. `lastTransitionTime` moves only when the status does, messages
 * are cut at 1,024 characters, and those of `ONLY_WHILE_TRUE` disappear when they are set to anything but True.
 * @param now becomes `lastTransitionTime`, in whole seconds as Kubernetes writes times
 */
export function setCondition(conditions: readonly Condition[], change: ConditionChange, now: Date): Condition[] {
  const others = removeCondition(conditions, change.type);
  if (ONLY_WHILE_TRUE.has(change.type) && change.status !== 'True') return others;
  const before = findCondition(conditions, change.type);
  const condition: Condition = {
    type: change.type,
    status: change.status,
    reason: change.reason,
    message: cutMessage(change.message),
    lastTransitionTime: before?.status === change.status ? before.lastTransitionTime : toInstant(now),
    observedGeneration: change.observedGeneration,
  };
  return [...others, condition].sort((a, b) => (a.type < b.type ? -1 : 1));
}

export function removeCondition(conditions: readonly Condition[], type: ConditionType): Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

export function findCondition(conditions: readonly Condition[] | undefined, type: ConditionType): Condition | null {
  return conditions?.find((condition) => condition.type === type) ?? null;
}

/** `2026-01-01T00:00:00Z`: RFC 3339 in whole seconds, as Kubernetes writes times. */
export function toInstant(time: Date): string {
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** At most 1,024 characters, the limit of conditions and events. */
export function cutMessage(message: string): string {
  return message.length <= MESSAGE_MAX_LENGTH ? message : `${message.slice(0, MESSAGE_MAX_LENGTH - 1)}…`;
}

interface Checked {
  readonly kind: Kind;
  readonly generation: number | null;
  readonly status: Readonly<Record<string, unknown>>;
  readonly conditions: readonly Condition[];
}

type Check = (resource: Checked) => string[];

/** What breaks a rule of a good status, one sentence each; empty when all is well. For tests: call it on every status. */
export function checkKstatus(resource: unknown): string[] {
  const fields = toFields(resource);
  const kind = KINDS.find((each) => each === fields?.['kind']);
  if (fields === null || kind === undefined) return ['this is no resource of ours'];
  const status = toFields(fields['status']);
  if (status === null) return ['there is no status'];
  const invalid = validateStatus(kind, status);
  if (invalid.length > 0) return invalid;
  const generation = toFields(fields['metadata'])?.['generation'];
  const checked: Checked = {
    kind,
    generation: typeof generation === 'number' ? generation : null,
    status,
    conditions: (status['conditions'] as Condition[] | undefined) ?? [],
  };
  return CHECKS.flatMap((check) => check(checked));
}

const CHECKS: readonly Check[] = [
  checkMain,
  checkTypesAndReasons,
  checkOnlyWhileTrue,
  checkSituation,
  checkGenerations,
  checkHeld,
  checkPersonalData,
];

function checkMain({ kind, conditions }: Checked): string[] {
  const main = MAIN_CONDITION[kind];
  return findCondition(conditions, main) === null ? [`${main} is missing`] : [];
}

function checkTypesAndReasons({ conditions }: Checked): string[] {
  const seen = new Set<string>();
  return conditions.flatMap(({ type, reason }) => {
    const twice = seen.has(type) ? [`${type} stands twice`] : [];
    seen.add(type);
    if (!(type in CONDITION_TYPES)) return [...twice, `${type} is no known kind of condition`];
    const known = REASONS_BY_TYPE[type as ConditionType];
    return reason in known ? twice : [...twice, `${type} has the unknown reason ${reason}`];
  });
}

function checkOnlyWhileTrue({ conditions }: Checked): string[] {
  const problems = conditions
    .filter(({ type, status }) => ONLY_WHILE_TRUE.has(type) && status !== 'True')
    .map(({ type, status }) => `${type} is ${status}: it may stand only while it is True`);
  const both = ['Reconciling', 'Stalled'].every((type) => conditions.some((condition) => condition.type === type));
  return both ? [...problems, 'Reconciling and Stalled stand together'] : problems;
}

/** The rows of `SITUATIONS`; `Valid` follows Invalid → Stalled and else nothing. */
function checkSituation({ kind, conditions }: Checked): string[] {
  const main = findCondition(conditions, MAIN_CONDITION[kind]);
  if (main === null) return [];
  const stalled = findCondition(conditions, 'Stalled');
  const reconciling = findCondition(conditions, 'Reconciling');
  const problems: string[] = [];
  if (stalled !== null && main.status !== 'False') problems.push(`Stalled stands beside ${main.type}=${main.status}`);
  if (stalled !== null && stalled.reason !== main.reason) {
    problems.push(`Stalled has the reason ${stalled.reason}, ${main.type} has ${main.reason}`);
  }
  if (reconciling !== null && main.status === 'True') problems.push(`Reconciling stands beside ${main.type}=True`);
  if (main.type === 'Valid') {
    if (main.status === 'False' && stalled === null) problems.push('Valid=False without Stalled');
    return problems;
  }
  return [...problems, ...checkRow(kind, main, conditions)];
}

function checkRow(kind: Kind, main: Condition, conditions: readonly Condition[]): string[] {
  const row = SITUATIONS[main.reason as ReadyReason];
  if (row === undefined) return [];
  const problems: string[] = [];
  const say = `Ready has the reason ${main.reason}`;
  if (row.ready !== 'AsBefore' && main.status !== row.ready) problems.push(`${say} but is ${main.status}`);
  if (row.progress !== null && findCondition(conditions, row.progress) === null) {
    problems.push(`${say} but ${row.progress} is missing`);
  }
  if (row.progress === null && conditions.some(({ type }) => ONLY_WHILE_TRUE.has(type))) {
    problems.push(`${say} but Reconciling or Stalled stands`);
  }
  if (kind !== 'DirectorySync') return problems;
  for (const [type, status] of Object.entries(row.others ?? {})) {
    const found = findCondition(conditions, type as ConditionType)?.status ?? 'absent';
    if (found !== status) problems.push(`${say} but ${type} is ${found}, not ${status}`);
  }
  return problems;
}

function checkGenerations({ generation, status, conditions }: Checked): string[] {
  const observed = status['observedGeneration'];
  if (typeof observed !== 'number') return ['observedGeneration is missing'];
  const problems: string[] = [];
  if (generation !== null && observed > generation) {
    problems.push(`observedGeneration ${observed} is beyond the generation ${generation}`);
  }
  for (const condition of conditions) {
    if (condition.observedGeneration === undefined) problems.push(`${condition.type} has no observedGeneration`);
    else if (condition.observedGeneration > observed) {
      problems.push(`${condition.type} observed a generation beyond that of the status`);
    }
  }
  return problems;
}

function checkHeld({ status, conditions }: Checked): string[] {
  const held = toFields(status['held']);
  if (held === null) return [];
  const count = typeof held['count'] === 'number' ? held['count'] : 0;
  const hash = typeof held['hash'] === 'string' ? held['hash'] : '';
  const isTrue = findCondition(conditions, 'Held')?.status === 'True';
  const problems: string[] = [];
  if (count > 0 !== isTrue) problems.push(`held.count is ${count} but Held is ${isTrue ? 'True' : 'not True'}`);
  if (count > 0 && !/^[0-9a-f]{16}$/.test(hash)) problems.push('held.hash is not 16 hexadecimal digits');
  if (count === 0 && hash !== '') problems.push('held.hash stands for nothing');
  return problems;
}

const MAIL_ADDRESS = /[^\s@"'<>()]+@[^\s@"'<>()]+\.[A-Za-z]/;

/** Rule I9. Names of people have no pattern; mail addresses are what leaks first. */
function checkPersonalData({ status }: Checked): string[] {
  const found: string[] = [];
  const visit = (value: unknown, place: string): void => {
    if (typeof value === 'string' && MAIL_ADDRESS.test(value)) found.push(`${place} holds a mail address`);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) visit(item, `${place}.${key}`);
  };
  visit(status, 'status');
  return found;
}
