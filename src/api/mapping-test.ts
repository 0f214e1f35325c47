/** MappingTest: cases for expressions, rules, mappings and team rules, run without any directory. No cluster resource. */
import { type Static, Type } from '@sinclair/typebox';
import type { Json } from '../model.ts';
import { ClauseSchema } from './clause.ts';
import { type SchemaRule, toFields } from './rules.ts';
import { instant, list, NAME_MAX_LENGTH, object, text, UNTYPED } from './schema.ts';

const SUBJECTS = ['expression', 'rule', 'match', 'mapping', 'teamRules'] as const;
const EXPECTATIONS = ['expect', 'expectPattern', 'expectError', 'expectIgnored'] as const;

const RECORDS = ['user', 'group'] as const;

/** What asks about people has nothing to say of a group. */
const GROUP_RULE: SchemaRule = {
  name: 'caseGroup',
  message: 'group is for expression and mapping; rules, clauses and team rules are about a user',
  holds: (value) => {
    const fields = toFields(value) ?? {};
    return fields['group'] === undefined || fields['expression'] !== undefined || fields['mapping'] !== undefined;
  },
};

function exactlyOne(name: string, keys: readonly string[]): SchemaRule {
  const message = `exactly one of ${keys.join(', ')} must be set`;
  const found = (value: unknown): readonly string[] => {
    const fields = toFields(value) ?? {};
    return keys.filter((key) => fields[key] !== undefined);
  };
  return {
    name,
    message,
    holds: (value) => toFields(value) === null || found(value).length === 1,
    explain: (value) => `${message} (found ${found(value).join(' and ') || 'none'})`,
  };
}

const anything = (description: string) => Type.Unsafe<Json>({ description, [UNTYPED]: 'any value' });

const CaseSchema = object(
  {
    name: Type.Optional(text({ maxLength: 256, description: 'What the case shows; without it, what is tested.' })),
    expression: Type.Optional(
      text({
        maxLength: 10_000,
        description: 'An expression of attribute mappings; `user` has the attributes of the source.',
      }),
    ),
    rule: Type.Optional(text({ maxLength: 10_000, description: 'A rule in Entra’s language of dynamic membership.' })),
    match: Type.Optional(
      list(ClauseSchema, {
        minItems: 1,
        maxItems: 32,
        whyNotEmpty: 'no clause would mean everybody',
        description: 'Clauses that must all hold, as in a TeamRule.',
      }),
    ),
    mapping: Type.Optional(
      text({ maxLength: NAME_MAX_LENGTH, description: 'Name of an AttributeMapping beside the test, or in `-f DIR`.' }),
    ),
    teamRules: Type.Optional(
      text({
        maxLength: NAME_MAX_LENGTH,
        description: 'Name of a DirectorySync: which teams its TeamRules give to the user.',
      }),
    ),
    user: Type.Optional(
      Type.Record(Type.String(), anything('A value of the source.'), {
        description: 'One user as the source says it. What is not there is null.',
      }),
    ),
    group: Type.Optional(
      Type.Record(Type.String(), anything('A value of the source.'), {
        description: 'One group as the source says it, for a mapping of teams or an expression of one.',
      }),
    ),
    groups: Type.Optional(
      list(text({ maxLength: 256, description: 'Name or id.' }), {
        maxItems: 1000,
        empty: true,
        description: 'Groups of the source that the user belongs to.',
      }),
    ),
    expect: Type.Optional(
      anything(
        'The value. Of a rule true or false; of a mapping values by target, of which only those listed are compared, and null means none; of team rules the list of team names, in any order.',
      ),
    ),
    expectPattern: Type.Optional(
      text({ maxLength: 10_000, description: 'A regular expression that is found in the value as text.' }),
    ),
    expectError: Type.Optional(
      Type.Literal(true, { description: 'The text cannot be compiled, or these values cannot be judged.' }),
    ),
    expectIgnored: Type.Optional(
      Type.Literal(true, { description: 'Nothing flows: IgnoreAttributeFlow and its like.' }),
    ),
    now: Type.Optional(instant({ description: 'The moment of the run. By default 2026-01-01T00:00:00Z.' })),
    taken: Type.Optional(
      list(text({ maxLength: 1024, description: 'A value.' }), {
        maxItems: 1000,
        empty: true,
        description: 'Values that accounts of the target have, for SelectUniqueValue.',
      }),
    ),
    context: Type.Optional(
      object(
        { defaultDomain: Type.Optional(text({ maxLength: 253, description: 'What DefaultDomain gives.' })) },
        { description: 'Facts about the tenant.' },
      ),
    ),
  },
  {
    description: 'One case.',
    rules: [
      exactlyOne('caseSubject', SUBJECTS),
      exactlyOne('caseRecord', RECORDS),
      GROUP_RULE,
      exactlyOne('caseExpectation', EXPECTATIONS),
    ],
  },
);

export const MappingTestSpecSchema = object(
  {
    cases: list(CaseSchema, {
      minItems: 1,
      maxItems: 10_000,
      whyNotEmpty: 'a test without cases shows nothing',
      description: 'Cases, each by itself.',
    }),
  },
  { description: 'What mappings and rules must come to.' },
);

export type MappingTestCase = Static<typeof CaseSchema>;

export interface MappingTest {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly cases: readonly MappingTestCase[] };
}
