/**
 * Rules that go beyond types: "exactly one of" and the like. Each stands once, beside the schema it belongs to, and is
 * carried out twice: as CEL (or, where CEL cannot see a field, as a structural condition) by the API server, and by
 * `holds` in the CLI and the controller. Both show the same message.
 */

/** Keyword under which a schema carries its rules; ajv runs them, the CRD generator translates them. */
export const RULES_KEYWORD = 'x-dirsync-rules';

export interface SchemaRule {
  /** Unique; the test that compares the twins names it. */
  readonly name: string;
  /** What must be so, as one sentence about the object or value that carries the rule. */
  readonly message: string;
  /** The API server's form, over `self` (and `oldSelf` for a transition rule). */
  readonly cel?: string;
  /** Conditions merged into the node of the CRD, for fields without a type, which CEL cannot see. */
  readonly structural?: Readonly<Record<string, unknown>>;
  /** Where the API server says the problem is, relative to the node. */
  readonly fieldPath?: string;
  /** Its twin. Called with whatever stands there: a value of a wrong type is reported by the schema, not here. */
  readonly holds: (value: unknown, old?: unknown) => boolean;
  /** Message with what was found, where that helps; without it `message` is shown. */
  readonly explain?: (value: unknown) => string;
}

/** The object with unknown values that most rules look at; null for anything else. */
export function toFields(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function countSet(value: unknown, keys: readonly string[]): number | null {
  const fields = toFields(value);
  return fields === null ? null : keys.filter((key) => fields[key] !== undefined).length;
}

function celCount(keys: readonly string[]): string {
  return `[${keys.map((key) => `has(self.${key})`).join(', ')}]`;
}

/**
 * Exactly one of several keys. A key of a provider that this version does not know counts too: beside another one
 * the message says what is wrong with the whole, alone it is an unknown field.
 */
export function exactlyOneOf(name: string, keys: readonly string[]): SchemaRule {
  const message = `exactly one of ${keys.join(', ')} must be set`;
  return {
    name,
    message,
    cel: `${celCount(keys)}.exists_one(x, x)`,
    holds: (value) => {
      const fields = toFields(value);
      if (fields === null) return true;
      return Object.keys(fields).filter((key) => fields[key] !== undefined).length === 1;
    },
    explain: (value) => {
      const set = Object.keys(toFields(value) ?? {});
      const hint = set.every((key) => keys.includes(key)) ? '' : `; known here: ${keys.join(', ')}`;
      return `${message} (found ${set.length === 0 ? 'none' : set.join(' and ')})${hint}`;
    },
  };
}

/** None or one of several keys; `structural` because one of them has no type that CEL could see. */
export function atMostOneOf(name: string, keys: readonly string[]): SchemaRule {
  const pairs = keys.flatMap((a, i) => keys.slice(i + 1).map((b) => ({ required: [a, b] })));
  return {
    name,
    message: `at most one of ${keys.join(', ')} may be set`,
    structural: { not: { anyOf: pairs } },
    holds: (value) => (countSet(value, keys) ?? 0) <= 1,
  };
}

/** At least one of several keys; `structural` for the same reason. */
export function atLeastOneOf(name: string, keys: readonly string[]): SchemaRule {
  return {
    name,
    message: `at least one of ${keys.join(', ')} must be set`,
    structural: { anyOf: keys.map((key) => ({ required: [key] })) },
    holds: (value) => (countSet(value, keys) ?? 1) >= 1,
  };
}
