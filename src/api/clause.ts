/** One comparison of one attribute: the building block of `scope.filters` and of a TeamRule's `match`. */
import { Type } from '@sinclair/typebox';
import { type SchemaRule, toFields } from './rules.ts';
import { flag, list, type Of, object, oneOf, text, UNTYPED } from './schema.ts';

/** Operators that compare with each of `values`. */
export const LIST_OPERATORS = ['In', 'NotIn'] as const;
/** Operators that compare with one `value`. */
export const VALUE_OPERATORS = ['Equals', 'NotEquals', 'StartsWith', 'EndsWith', 'Contains'] as const;
/** Operators that need nothing but the attribute. */
export const UNARY_OPERATORS = ['IsTrue', 'IsFalse', 'IsNull', 'IsNotNull'] as const;

export const CLAUSE_OPERATORS = [...LIST_OPERATORS, ...VALUE_OPERATORS, ...UNARY_OPERATORS] as const;
export type ClauseOperator = (typeof CLAUSE_OPERATORS)[number];

/** What a clause compares with. */
export type ClauseValue = string | number | boolean;

/** Which fields each operator goes with. */
function toNeeds(operator: unknown): { readonly value: boolean; readonly values: boolean } {
  return {
    value: VALUE_OPERATORS.some((each) => each === operator),
    values: LIST_OPERATORS.some((each) => each === operator),
  };
}

/** Null where the operator is unknown: that is the schema's to say, and nothing follows from it. */
function toClause(value: unknown): Readonly<Record<string, unknown>> | null {
  const clause = toFields(value);
  return CLAUSE_OPERATORS.some((operator) => operator === clause?.['operator']) ? clause : null;
}

/** Two branches each: then the API server's message names the one field that is missing or too many. */
function onlyWith(field: string, operators: readonly ClauseOperator[]): Readonly<Record<string, unknown>> {
  const others = CLAUSE_OPERATORS.filter((operator) => !operators.includes(operator));
  return {
    anyOf: [
      { properties: { operator: { enum: [...operators] } }, required: [field] },
      { properties: { operator: { enum: others } }, not: { required: [field] } },
    ],
  };
}

/** Structural, because CEL sees neither field: `value` has no type, and the items of `values` have none. */
const CLAUSE_VALUE_RULE: SchemaRule = {
  name: 'clauseValueByOperator',
  message: `${LIST_OPERATORS.join(' and ')} take values, ${VALUE_OPERATORS.join(', ')} take a value, the other operators take neither`,
  structural: { allOf: [onlyWith('values', LIST_OPERATORS), onlyWith('value', VALUE_OPERATORS)] },
  holds: (value) => {
    const clause = toClause(value);
    if (clause === null) return true;
    const needs = toNeeds(clause['operator']);
    return (clause['value'] !== undefined) === needs.value && (clause['values'] !== undefined) === needs.values;
  },
};

function comparand(description: string) {
  return Type.Unsafe<ClauseValue>({
    anyOf: [{ type: 'string', maxLength: 1024 }, { type: 'number' }, { type: 'boolean' }],
    description,
    [UNTYPED]: 'a string, number or boolean',
  });
}

export const ClauseSchema = object(
  {
    attribute: text({
      maxLength: 256,
      description:
        'Source attribute to compare: a name, or a path such as `address.city`, `emails[type eq "work"].value`. A CustomAttribute of that name comes first, then the source’s attribute, then the standard one; the prefixes `source:`, `custom:` and `standard:` choose.',
    }),
    operator: oneOf(CLAUSE_OPERATORS, {
      description:
        'How to compare. An attribute that is null fails every operator but IsNull, the negative ones too; an attribute that the read did not deliver decides nothing, and the person stays as they are. Of a multi-valued attribute a positive operator holds when any value does, a negative one when no value does the positive.',
    }),
    value: Type.Optional(
      comparand(
        'A string (at most 1024 characters), number or boolean to compare with, for Equals, NotEquals, StartsWith, EndsWith and Contains.',
      ),
    ),
    values: Type.Optional(
      list(comparand('A string, number or boolean.'), {
        minItems: 1,
        maxItems: 500,
        description:
          'Values to compare with, for In and NotIn; 1 to 500. The clause holds when any (In) or none (NotIn) equals.',
      }),
    ),
    caseSensitive: Type.Optional(
      flag({ default: false, description: 'Compare text with regard to case; without it `sales` equals `Sales`.' }),
    ),
  },
  { description: 'One comparison of one attribute.', rules: [CLAUSE_VALUE_RULE] },
);

export type Clause = Of<typeof ClauseSchema>;
