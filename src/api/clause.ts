/** One comparison of one attribute: the building block of `scope.filters` and of a TeamRule's `match`. */
import { Type } from '@sinclair/typebox';
import { type SchemaRule, toFields } from './rules.ts';
import { flag, list, type Of, object, oneOf, text, UNTYPED } from './schema.ts';

/** Operators that compare with each of `values`. */
export const LIST_OPERATORS = ['In', 'NotIn'] as const;
/** Operators that compare with one `value`. */
export const VALUE_OPERATORS = [
  'Equals',
  'NotEquals',
  'StartsWith',
  'NotStartsWith',
  'EndsWith',
  'NotEndsWith',
  'Contains',
  'NotContains',
  'Matches',
  'NotMatches',
  'GreaterThan',
  'GreaterThanOrEquals',
  'LessThan',
  'LessThanOrEquals',
  'Before',
  'After',
] as const;
/** Operators that need nothing but the attribute. */
export const UNARY_OPERATORS = ['IsTrue', 'IsFalse', 'IsNull', 'IsNotNull'] as const;
/** Operators that look at no attribute: `value` names a group of the source or a team. */
export const MEMBERSHIP_OPERATORS = ['IsMemberOf', 'IsInTeam'] as const;

export const CLAUSE_OPERATORS = [
  ...LIST_OPERATORS,
  ...VALUE_OPERATORS,
  ...UNARY_OPERATORS,
  ...MEMBERSHIP_OPERATORS,
] as const;
export type ClauseOperator = (typeof CLAUSE_OPERATORS)[number];

const WITH_VALUE: readonly ClauseOperator[] = [...VALUE_OPERATORS, ...MEMBERSHIP_OPERATORS];
const WITH_ATTRIBUTE: readonly ClauseOperator[] = [...LIST_OPERATORS, ...VALUE_OPERATORS, ...UNARY_OPERATORS];

/** What a clause compares with. */
export type ClauseValue = string | number | boolean;

/** Which fields each operator goes with. */
function toNeeds(operator: unknown): { readonly value: boolean; readonly values: boolean } {
  return {
    value: WITH_VALUE.some((each) => each === operator),
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
  message: `${LIST_OPERATORS.join(' and ')} take values, ${UNARY_OPERATORS.join(', ')} take neither, the other operators take a value`,
  structural: { allOf: [onlyWith('values', LIST_OPERATORS), onlyWith('value', WITH_VALUE)] },
  holds: (value) => {
    const clause = toClause(value);
    if (clause === null) return true;
    const needs = toNeeds(clause['operator']);
    return (clause['value'] !== undefined) === needs.value && (clause['values'] !== undefined) === needs.values;
  },
};

const CLAUSE_ATTRIBUTE_RULE: SchemaRule = {
  name: 'clauseAttributeByOperator',
  message: `${MEMBERSHIP_OPERATORS.join(' and ')} take no attribute, the other operators need one`,
  structural: onlyWith('attribute', WITH_ATTRIBUTE),
  holds: (value) => {
    const clause = toClause(value);
    if (clause === null) return true;
    return (clause['attribute'] !== undefined) === WITH_ATTRIBUTE.some((each) => each === clause['operator']);
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
    attribute: Type.Optional(
      text({
        maxLength: 256,
        description:
          'Source attribute to compare: a name, or a path such as `address.city`, `emails[type eq "work"].value`. A CustomAttribute of that name comes first, then the source’s attribute, then the predefined, then the standard one; the prefixes `source:`, `custom:`, `predefined:` and `standard:` choose, and `desired:` takes what the mappings write to a path of the target. Not with IsMemberOf and IsInTeam.',
      }),
    ),
    operator: oneOf(CLAUSE_OPERATORS, {
      description:
        'How to compare. Matches takes a regular expression in .NET’s syntax that may be found anywhere in the text; GreaterThan and its like compare numbers, Before and After moments; IsMemberOf asks for a group of the source by name or id, IsInTeam for a team of another rule of the same DirectorySync (not in a scope). An attribute that is null fails every operator but IsNull, the negative ones too; an attribute that the read did not deliver decides nothing, and the person stays as they are. Of a multi-valued attribute a positive operator holds when any value does, a negative one when no value does the positive.',
    }),
    value: Type.Optional(
      comparand(
        'A string (at most 1024 characters), number or boolean to compare with; not for In, NotIn, IsTrue, IsFalse, IsNull and IsNotNull. Before and After take an RFC 3339 date-time, a date, or `now` with a duration: `now-720h` is 30 days before the run.',
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
  { description: 'One comparison of one attribute.', rules: [CLAUSE_VALUE_RULE, CLAUSE_ATTRIBUTE_RULE] },
);

export type Clause = Of<typeof ClauseSchema>;
