/** A user by itself, as a test or a trial describes it: no source, no CustomAttributes; what is not said is null. Pure. */
import { compileExpression, type Outcome } from '../expression/compiler.ts';
import { parseSourcePath, readSourcePath } from '../expression/paths.ts';
import type { Environment } from '../expression/values.ts';
import type { Json, SourceUser } from '../model.ts';
import type { Condition } from '../rule/condition.ts';
import { compileMembershipRule } from '../rule/membership/compiler.ts';
import { type CompiledMapping, compileMapping } from './compile.ts';
import { bindCondition, checkCondition } from './conditions.ts';
import { compileCustomAttributes } from './custom-attributes.ts';
import { KnownAttributes, type PersonView } from './names.ts';
import { NameReader } from './reader.ts';
import { isOwnName } from './user-properties.ts';

export type Attributes = Readonly<Record<string, Json>>;

export function toBareUser(attributes: Attributes, groups: readonly string[]): SourceUser {
  const { id, active, accountEnabled } = attributes;
  return {
    id: typeof id === 'string' && id !== '' ? id : 'test-user',
    active: active !== false && accountEnabled !== false,
    attributes,
    groups: groups.map((name) => ({ id: name, displayName: name })),
  };
}

/** @param names that may be asked for: they are null, not unknown, where the user has none */
export function toKnownAttributes({ attributes }: SourceUser, names: readonly string[]): KnownAttributes {
  const plain = names.map((name) => name.replace(/^(source|standard):/, ''));
  return new KnownAttributes([...new Set([...listNames(attributes, ''), ...plain])]);
}

function listNames(value: Attributes, prefix: string): readonly string[] {
  return Object.entries(value).flatMap(([name, child]) => {
    const isObject = typeof child === 'object' && child !== null && !Array.isArray(child);
    const path = `${prefix}${name}`;
    return [path, ...(isObject ? listNames(child as Attributes, `${path}.`) : [])];
  });
}

/** What the names of an expression read. */
export function toAttributeReader(attributes: Attributes): Environment['attribute'] {
  return (name) => readSourcePath(parseSourcePath(name.replace(/^source:/, '')), attributes);
}

export function evaluateBare(text: string, environment: Environment): Outcome {
  return compileExpression(text).evaluate(environment);
}

const NO_MAPPING: CompiledMapping = compileMapping(
  [],
  compileCustomAttributes([], '', []),
  { provider: 'file', hasGroups: true },
  [],
);

export function compileBareRule(text: string): Condition {
  return compileMembershipRule(text, { isOwnName: (name) => isOwnName(name, NO_MAPPING.names) });
}

/** @throws SyncError where the condition asks for what there is not, or cannot judge these values */
export function decideBare(condition: Condition, user: SourceUser, now: Date): boolean | null {
  checkCondition(condition, NO_MAPPING.names);
  const bound = bindCondition(condition, toReader(condition, user));
  return bound.decide(toView(user), { now, isInTeam: () => false });
}

/** The values of the properties that a rule of Entra's language asks for. */
export function readProperties(condition: Condition, user: SourceUser): readonly (readonly [string, Json])[] {
  const reader = toReader(condition, user);
  return condition.needs.properties.map((name) => [`user.${name}`, reader.bindProperty(name).read(toView(user))]);
}

function toReader({ needs }: Condition, user: SourceUser): NameReader {
  return new NameReader(NO_MAPPING, toKnownAttributes(user, [...needs.attributes, ...needs.properties]));
}

function toView(user: SourceUser): PersonView {
  return { user, customs: new Map(), mapped: { attributes: {}, onCreate: {}, references: {}, kept: [] } };
}
