/** Builders for the resource schemas: every field gets a description and a bound, every object is closed. */
import {
  type Static,
  type TArray,
  type TBoolean,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
  Type,
} from '@sinclair/typebox';
import { DURATION_MAX_LENGTH, DURATION_PATTERN, parseDuration, tryParseDuration } from '../duration.ts';
import { RULES_KEYWORD, type SchemaRule } from './rules.ts';

/** Keyword: what a pattern asks for, in words, for the messages. */
export const EXPECTED = 'x-dirsync-expected';
/** Keyword: why a list may not be empty, for the messages. */
export const WHY_NOT_EMPTY = 'x-dirsync-why-not-empty';
/** RFC 1123 subdomain: what Kubernetes takes for the names of most objects. */
export const NAME_PATTERN = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
export const NAME_MAX_LENGTH = 253;
export const NAME_EXPECTED =
  'a name of lower-case letters, digits, "-" and "." that begins and ends with a letter or digit';

/** Keyword with the default as people read it, for defaults that are filled in by `withDefaults` and not by the schema. */
export const DOCUMENTED_DEFAULT = 'x-dirsync-default';
/**
 * Keyword: values of several types, which a CRD can only keep as they are (`x-kubernetes-preserve-unknown-fields`). Its
 * value says in words what may stand there.
 */
export const UNTYPED = 'x-dirsync-untyped';
/** Keyword: the key of a list that is a map by it (`x-kubernetes-list-map-keys`). */
export const LIST_KEY = 'x-dirsync-list-key';

interface Described {
  readonly description: string;
  readonly rules?: readonly SchemaRule[];
  /** For the field reference, where the schema itself must not fill a default in. */
  readonly documentedDefault?: string;
}

function annotate({ description, rules, documentedDefault }: Described): Record<string, unknown> {
  return {
    description,
    ...(rules === undefined ? {} : { [RULES_KEYWORD]: rules }),
    ...(documentedDefault === undefined ? {} : { [DOCUMENTED_DEFAULT]: documentedDefault }),
  };
}

/** A closed object. `defaulted`: an absent one is filled with its fields' defaults. */
export function object<P extends TProperties>(
  properties: P,
  options: Described & { readonly defaulted?: boolean },
): TObject<P> {
  return Type.Object(properties, {
    ...annotate(options),
    additionalProperties: false,
    ...(options.defaulted === true ? { default: {} } : {}),
  });
}

/** A string of bounded length. */
export function text(
  options: Described & {
    readonly maxLength: number;
    readonly minLength?: number;
    readonly pattern?: string;
    /** What the pattern asks for, in words. */
    readonly expected?: string;
    readonly default?: string;
  },
) {
  const { maxLength, minLength = 1, pattern, expected } = options;
  return Type.String({
    ...annotate(options),
    minLength,
    maxLength,
    ...(pattern === undefined ? {} : { pattern }),
    ...(expected === undefined ? {} : { [EXPECTED]: expected }),
    ...(options.default === undefined ? {} : { default: options.default }),
  });
}

/** One of several PascalCase words. */
export function oneOf<const T extends readonly string[]>(
  values: T,
  options: Described & { readonly default?: T[number] },
): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({
    type: 'string',
    enum: [...values],
    ...annotate(options),
    ...(options.default === undefined ? {} : { default: options.default }),
  });
}

export function flag(options: Described & { readonly default?: boolean }): TBoolean {
  return Type.Boolean({ ...annotate(options), ...(options.default === undefined ? {} : { default: options.default }) });
}

interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
  readonly default?: number;
}

function bounds(options: Described & Bounds): Record<string, unknown> {
  const { minimum, maximum } = options;
  return {
    ...annotate(options),
    minimum,
    maximum,
    ...(options.default === undefined ? {} : { default: options.default }),
  };
}

export function whole(options: Described & Bounds) {
  return Type.Integer(bounds(options));
}

export function decimal(options: Described & Bounds) {
  return Type.Number(bounds(options));
}

interface ListOptions extends Described {
  readonly maxItems: number;
  readonly minItems?: number;
  /** Items are unique by this field. */
  readonly key?: string;
  /** An absent list is an empty one. */
  readonly empty?: true;
  readonly whyNotEmpty?: string;
}

/** A list of bounded length. */
export function list<T extends TSchema>(items: T, options: ListOptions): TArray<T> {
  const { maxItems, minItems, key, empty, whyNotEmpty } = options;
  return Type.Array(items, {
    ...annotate(options),
    maxItems,
    ...(minItems === undefined ? {} : { minItems }),
    ...(key === undefined ? {} : { [LIST_KEY]: key }),
    ...(empty === true ? { default: [] } : {}),
    ...(whyNotEmpty === undefined ? {} : { [WHY_NOT_EMPTY]: whyNotEmpty }),
  });
}

const DURATION_EXPECTED = 'a duration such as 30s, 40m or 1h30m';

/** A rule and not a pattern: the API server would show people the pattern. */
const DURATION_RULE: SchemaRule = {
  name: 'durationForm',
  message: `must be ${DURATION_EXPECTED}`,
  cel: `self.matches('${DURATION_PATTERN.replaceAll('\\', '\\\\')}')`,
  holds: (value) => typeof value !== 'string' || tryParseDuration(value) !== null,
};

/** A Go-style duration. `atLeast` is itself a duration. */
export function duration(
  options: Described & { readonly atLeast?: string; readonly atMost?: string; readonly default?: string },
) {
  const { atLeast, atMost } = options;
  const rules = [
    DURATION_RULE,
    ...(atLeast === undefined ? [] : [durationAtLeast(atLeast)]),
    ...(atMost === undefined ? [] : [durationAtMost(atMost)]),
  ];
  return Type.String({
    ...annotate({ ...options, rules }),
    minLength: 1,
    maxLength: DURATION_MAX_LENGTH,
    [EXPECTED]: DURATION_EXPECTED,
    ...(options.default === undefined ? {} : { default: options.default }),
  });
}

function durationAtLeast(least: string): SchemaRule {
  const leastMs = parseDuration(least);
  return {
    name: `durationAtLeast${least}`,
    message: `must be at least ${least}`,
    cel: `!(${DURATION_RULE.cel}) || duration(self) >= duration('${least}')`,
    holds: (value) => typeof value !== 'string' || (tryParseDuration(value) ?? leastMs) >= leastMs,
  };
}

function durationAtMost(most: string): SchemaRule {
  const mostMs = parseDuration(most);
  return {
    name: `durationAtMost${most}`,
    message: `must be at most ${most}`,
    cel: `!(${DURATION_RULE.cel}) || duration(self) <= duration('${most}')`,
    holds: (value) => typeof value !== 'string' || (tryParseDuration(value) ?? mostMs) <= mostMs,
  };
}

/** The name of an object in the same namespace. */
export function objectName(options: Described) {
  return text({ ...options, maxLength: NAME_MAX_LENGTH, pattern: NAME_PATTERN, expected: NAME_EXPECTED });
}

/** `{ name }` of an object in the same namespace. */
export function reference(kind: string, description: string) {
  return object({ name: objectName({ description: `Name of the ${kind} in the same namespace.` }) }, { description });
}

/** A map of bounded size from words to whole numbers. */
export function counts(options: Described) {
  return Type.Unsafe<Record<string, number>>({
    type: 'object',
    additionalProperties: { type: 'integer' },
    maxProperties: 32,
    ...annotate(options),
  });
}

/** A map of bounded size from words to texts of bounded length. */
export function words(options: Described & { readonly maxProperties: number; readonly maxLength: number }) {
  const { maxProperties, maxLength } = options;
  return Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    additionalProperties: { type: 'string', minLength: 1, maxLength },
    maxProperties,
    ...annotate(options),
  });
}

export function instant(options: Described) {
  return Type.String({ ...annotate(options), format: 'date-time' });
}

/** What a schema built here describes. */
export type Of<T extends TSchema> = Static<T>;
