/** One expression or rule against one user, with every value on the way. Pure. */
import { SyncError } from '../errors.ts';
import { createRandom } from '../expression/chance.ts';
import { traceExpression } from '../expression/trace.ts';
import type { TenantContext } from '../expression/values.ts';
import type { Json, SourceUser } from '../model.ts';
import type { Condition } from '../rule/condition.ts';
import {
  type Attributes,
  compileBareRule,
  decideBare,
  readProperties,
  toAttributeReader,
  toBareUser,
} from './bare-user.ts';
import { toShown, toValueStep, type ValueStep } from './value-step.ts';

export interface TrialInput {
  readonly language: 'expression' | 'rule';
  readonly user: Attributes;
  /** Groups of the source that the user belongs to. */
  readonly groups: readonly string[];
  readonly now: Date;
  readonly tenant: TenantContext;
}

export interface Trial {
  readonly steps: readonly ValueStep[];
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
  const steps = [toValueStep(tree)];
  if (failure !== undefined) return { steps, error: SyncError.from(failure).message };
  if (outcome === undefined || 'skip' in outcome) return { steps, ignored: outcome?.skip ?? 'SkipAttribute' };
  return { steps, result: toShown(outcome.value) };
}

function traceRule(text: string, input: TrialInput): Trial {
  const step = toRuleStep(compileBareRule(text), toBareUser(input.user, input.groups), input.now);
  return step.value === undefined
    ? { steps: [step], error: 'it is not to be told' }
    : { steps: [step], result: step.value };
}

function toRuleStep(condition: Condition, user: SourceUser, now: Date): ValueStep {
  const { text, parts } = condition;
  const value = decideBare(condition, user, now);
  const properties = readProperties(condition, user).map(([name, read]) => ({ text: name, value: read, steps: [] }));
  const steps = parts === undefined ? properties : parts.list().map((part) => toRuleStep(part, user, now));
  return { text, ...(value === null ? {} : { value }), steps };
}
