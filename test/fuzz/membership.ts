/** The same of Entra's language of dynamic membership. */
import fc from 'fast-check';
import { compileMembershipRule } from '../../src/rule/membership/compiler.ts';
import { RuleError } from '../../src/rule/membership/error.ts';
import { parseRule } from '../../src/rule/membership/parser.ts';
import { printRule } from '../../src/rule/membership/print.ts';
import { aSubject } from '../support/builders.ts';
import { anyRule, bare, interpretRule } from '../support/membership-rules.ts';
import { type FuzzProperty, fail, tolerate } from './property.ts';

const CONTEXT = { isOwnName: (name: string) => name === 'license_tier' };

const pieces = fc.constantFrom(
  ...['user.department', '-eq', '-any', '(', ')', '[', ']', ',', '"x"', "'y'", '`"', '-not', '-and', 'null', '7'],
  ...['–', '_', '$', ' ', '\n'],
);
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(' ')),
);

const text = fc.oneof(fc.constantFrom('a', 'A', 'b', 'x', 'say "x"', '7', '', null), fc.string({ maxLength: 4 }));
const people = fc.record({
  department: text,
  city: text,
  otherMails: fc.oneof(fc.constant(null), fc.array(text, { maxLength: 3 })),
});

/** Inside of the text, or where it ends. */
function checkPlace(source: string, { line, column }: RuleError): void {
  const lines = source.split(/\r\n|\r|\n/);
  if (line > lines.length || column > (lines[line - 1] ?? '').length + 2) fail(`${line}:${column} is no place in it`);
}

export const MEMBERSHIP_PROPERTIES: readonly FuzzProperty[] = [
  {
    name: 'rules of membership: parsing what was printed is the identity',
    batch: 3000,
    property: fc.property(anyRule, (rule) => {
      const printed = printRule(rule);
      if (JSON.stringify(bare(parseRule(printed))) !== JSON.stringify(bare(rule))) fail(`printed as ${printed}`);
    }),
  },
  {
    name: 'rules of membership: compiled ones equal the naive reading',
    batch: 2000,
    property: fc.property(anyRule, people, (rule, person) => {
      const user = { ...person, otherMails: person.otherMails?.filter((each) => each !== null) ?? null };
      const source = printRule(rule);
      const got = compileMembershipRule(source, CONTEXT).matches(aSubject(user));
      if (got !== interpretRule(rule, user)) fail(`${source} gave ${got} for ${JSON.stringify(user)}`);
    }),
  },
  {
    name: 'rules of membership: the parser throws nothing but its own error, with a place inside of the text',
    batch: 10_000,
    property: fc.property(texts, (source) => {
      tolerate(
        () => compileMembershipRule(source, CONTEXT),
        (error) => {
          if (error instanceof RuleError) checkPlace(source, error);
          return error instanceof RuleError;
        },
      );
    }),
  },
];
