/** One expression or rule against one user, with every value on the way. Pure. */
import { SyncError } from '../errors.ts';
import { createRandom } from '../expression/chance.ts';
import { type TraceNode, traceExpression } from '../expression/trace.ts';
import { type TenantContext, UniqueCandidates, type Value } from '../expression/values.ts';
import type { Json, SourceUser } from '../model.ts';
import type { Rule } from '../rule/membership/ast.ts';
import { parseRule } from '../rule/membership/parser.ts';
import { printRule } from '../rule/membership/print.ts';
import {
  type Attributes,
  compileBareRule,
  decideBare,
  readProperties,
  toAttributeReader,
  toBareUser,
} from './bare-user.ts';
import { toPlainValue } from './expressions.ts';

export interface TrialInput {
  readonly language: 'expression' | 'rule';
  readonly user: Attributes;
  /** Groups of the source that the user belongs to. */
  readonly groups: readonly string[];
  readonly now: Date;
  readonly tenant: TenantContext;
}

export interface TrialStep {
  /** The part, in its canonical form. */
  readonly text: string;
  /** Missing where the part failed, or was not to be told. */
  readonly value?: Json;
  readonly steps: readonly TrialStep[];
}

export interface Trial {
  readonly steps: readonly TrialStep[];
  readonly result?: Json;
  /** Nothing flows, and for what: `SkipAttribute`, `SkipObject`. */
  readonly ignored?: string;
  readonly error?: string;
}

export function traceText(text: string, input: TrialInput): Trial {
  try {
    return input.language === 'rule' ? traceRule(text, input) : traceBareExpression(text, input);
  } catch (thrown) {
    return { steps: [], error: SyncError.from(thrown).message };
  }
}

function traceBareExpression(text: string, { user, now, tenant }: TrialInput): Trial {
  const { tree, outcome, failure } = traceExpression(text, {
    attribute: toAttributeReader(user),
    now,
    random: createRandom(['trial', text]),
    context: tenant,
  });
  const steps = [toStep(tree)];
  if (failure !== undefined) return { steps, error: SyncError.from(failure).message };
  if (outcome === undefined || 'skip' in outcome) return { steps, ignored: outcome?.skip ?? 'SkipAttribute' };
  return { steps, result: toResult(outcome.value) };
}

function toStep({ text, value, parts }: TraceNode): TrialStep {
  const steps = parts.map(toStep).filter((step) => !isConstant(step));
  return { text, ...(value === undefined ? {} : { value: toResult(value) }), steps };
}

/** It says of itself what it gives. */
function isConstant({ text, value }: TrialStep): boolean {
  return JSON.stringify(value) === text || String(value) === text;
}

/** Candidates are shown all: which one is free only the target can say. */
function toResult(value: Value): Json {
  return value instanceof UniqueCandidates ? value.values : toPlainValue(value, false);
}

function traceRule(text: string, input: TrialInput): Trial {
  const rule = parseRule(text);
  // What is wrong with the whole stands where it was written, not where a part of it is printed.
  compileBareRule(text);
  const user = toBareUser(input.user, input.groups);
  const step = toRuleStep(rule, user, input.now);
  return step.value === undefined
    ? { steps: [step], error: 'it is not to be told' }
    : { steps: [step], result: step.value };
}

function toRuleStep(rule: Rule, user: SourceUser, now: Date): TrialStep {
  const text = printRule(rule);
  const condition = compileBareRule(text);
  const value = decideBare(condition, user, now);
  const parts = listParts(rule).map((part) => toRuleStep(part, user, now));
  const properties = readProperties(condition, user).map(([name, read]) => ({ text: name, value: read, steps: [] }));
  return { text, ...(value === null ? {} : { value }), steps: parts.length > 0 ? parts : properties };
}

function listParts(rule: Rule): readonly Rule[] {
  if (rule.kind === 'Logical') return [rule.left, rule.right];
  return rule.kind === 'Not' ? [rule.operand] : [];
}
