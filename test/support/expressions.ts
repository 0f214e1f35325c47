import fc from 'fast-check';
import type { Argument, ComparisonOperator, Expression } from '../../src/expression/ast.ts';
import { createRandom } from '../../src/expression/chance.ts';
import type { Environment } from '../../src/expression/values.ts';
import type { Json } from '../../src/model.ts';
import type { Position } from '../../src/text-error.ts';

/** One person and one moment. */
export function anEnvironment(user: Readonly<Record<string, Json>>, rest: Partial<Environment> = {}): Environment {
  return {
    attribute: (name) => user[name] ?? null,
    now: new Date('2026-03-01T09:00:00Z'),
    random: createRandom(['seed', 'person', 'target']),
    context: { defaultDomain: 'corp.example' },
    ...rest,
  };
}

const NOWHERE: Position = { line: 1, column: 1, length: 0 };

/** An expression or value without its positions, for comparing trees. */
export function withoutPositions(node: unknown): unknown {
  return JSON.parse(JSON.stringify(node, (key, value) => (key === 'position' ? undefined : value)));
}

const operators: readonly ComparisonOperator[] = ['=', '<>', '>', '>=', '<', '<='];
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', 'a', '\n', ' ', ']') }),
);
const numberText = fc.oneof(
  fc.integer().map(String),
  fc.tuple(fc.integer(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
  fc.bigInt({ min: 0n, max: 2n ** 70n }).map((value) => `&H${value.toString(16).toUpperCase()}`),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
);
const attributeName = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.:-]{0,12}$/),
  fc.constantFrom(
    'a[0].b',
    'phones[type eq "wo]rk"].value',
    '["a.b"]',
    'urn:ietf:params:scim:User:name',
    'Erste Spalte',
  ),
);

const text = (value: string): Expression => ({ kind: 'Text', value, position: NOWHERE });
const number = (value: string): Expression => ({ kind: 'Number', text: value, position: NOWHERE });
const attribute = (name: string): Expression => ({ kind: 'Attribute', name, position: NOWHERE });
const keyword = (name: string): Expression => ({ kind: 'Keyword', name, position: NOWHERE });
const empty: Argument = { kind: 'Empty', position: NOWHERE };
const compared = (operator: ComparisonOperator, left: Expression, right: Expression): Argument => ({
  kind: 'Comparison',
  operator,
  left,
  right,
  position: NOWHERE,
});
const call = (name: string, args: readonly Argument[]): Expression => ({
  kind: 'Call',
  name,
  arguments: args,
  position: NOWHERE,
});

/** Any tree that the grammar allows, whether or not its functions exist. */
export const anyExpression: fc.Arbitrary<Expression> = fc.letrec<{ value: Expression; argument: Argument }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    anyText.map(text),
    numberText.map(number),
    attributeName.map(attribute),
    fc.constantFrom('vbTextCompare', 'IgnoreAttributeFlow', 'UTF8').map(
      (name): Expression => ({
        kind: 'Keyword',
        name,
        position: NOWHERE,
      }),
    ),
    fc
      .tuple(
        fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/),
        fc.array(tie('argument'), { maxLength: 4 }).filter((args) => args.length !== 1 || args[0]?.kind !== 'Empty'),
      )
      .map(([name, args]) => call(name, args)),
  ),
  argument: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    fc.constant(empty),
    tie('value'),
    fc
      .tuple(fc.constantFrom(...operators), tie('value'), tie('value'))
      .map(([operator, left, right]) => compared(operator, left, right)),
  ),
})).value;

/** Attribute values as sources give them. */
export const anyValue: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, '', true, false, 'True', 'false', '0', '7', '007', [], ['x'], ['x', 'y'], ['', 'z'], {}),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom('2026-03-31', '2024-02-29T23:59:58Z', '12/31/2025 11:59:59 PM', '1/1/0001 12:00:00 AM', '2026-02-30'),
  fc.constantFrom('cn=Joe,ou=Staff,dc=corp', 'x1y22', 'ÀàÉéÎîÕõÜüÑñçßø', ' a b ', "o'neill-SMITH"),
  fc.constantFrom('Straße', 'ΟΔΟΣ', 'İstanbul', 'a b c', 'a,b,,c', '😀😀'),
  fc.integer({ min: -3, max: 9 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }),
);

export const ATTRIBUTES = ['a', 'b', 'c'] as const;

interface Typed {
  any: Expression;
  text: Expression;
  whole: Expression;
  condition: Argument;
  date: Expression;
}

/** Expressions that the checker accepts, over ATTRIBUTES. */
export const wellTypedExpression: fc.Arbitrary<Expression> = fc.letrec<Typed>((tie: fc.LetrecTypedTie<Typed>) => {
  const tuple = (name: string, ...args: readonly fc.Arbitrary<Argument>[]) =>
    fc.tuple(...args).map((given) => call(name, given));
  const many = (name: string, first: readonly fc.Arbitrary<Argument>[], rest: fc.Arbitrary<readonly Argument[]>) =>
    fc
      .tuple(fc.tuple(...first), fc.array(rest, { minLength: 1, maxLength: 3 }))
      .map(([head, groups]) => call(name, [...head, ...groups.flat()]));
  const leaf = fc.oneof(
    fc.constantFrom(...ATTRIBUTES).map(attribute),
    fc.constantFrom('', ' ', ',', 'a', 'x', 'True', 'False', '7', 'Straße').map(text),
  );
  const nothing = fc.constant(empty);
  const optional = (argument: fc.Arbitrary<Argument>) => fc.oneof(nothing, argument);
  const interval = fc.constantFrom('yyyy', 'm', 'ww', 'd', 'h', 'n', 's').map(text);
  const pattern = fc.constantFrom('a+', '[^a-z]', 'x|y', '^.', 'b*a').map(text);
  const groupPattern = fc.constantFrom('(?<g>[0-9]+)', 'a(?<g>b|c)', '(?<g>x)y').map(text);
  const constantText = fc.constantFrom(' ', ',', 'a', 'x').map(text);
  return {
    any: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'typed' },
      leaf,
      fc.constantFrom('7', '-1', '2.5', '&HF', '9223372036854775807').map(number),
      tie('text'),
      tie('date'),
      tuple('IsString', tie('any')),
      tuple('CBool', tie('condition')),
      tuple('Count', tie('any')),
      tuple('Item', tie('any'), fc.oneof(fc.constantFrom('1', '2').map(number), fc.constant(attribute('b')))),
      tuple('RemoveDuplicates', tie('any')),
      tuple('Trim', tie('any')),
      tuple('Redact', tie('any')),
      tuple('IgnoreFlowIfNullOrEmpty', tie('any')),
      tuple('BitAnd', tie('whole'), fc.constantFrom('&HF', '&HFFFFFFFFFFFFFFFF', '-2').map(number)),
      tuple('Len', tie('text')),
      tuple('InStr', tie('text'), tie('text'), optional(tie('whole')), optional(fc.constant(keyword('vbTextCompare')))),
      tuple('DateDiff', interval, tie('date'), tie('date')),
      tuple('NumFromDate', tie('date')),
      tuple('IIF', tie('condition'), tie('any'), fc.constant(keyword('IgnoreAttributeFlow'))),
      tuple('IsNull', tie('any')),
      tuple('IsNullOrEmpty', tie('any')),
      tuple('IsPresent', tie('any')),
      tuple('Not', fc.oneof(tie('any'), tie('condition'))),
      tuple('Split', tie('any'), fc.oneof(constantText, fc.constant(attribute('c')))),
      tuple('IIF', tie('condition'), tie('any'), tie('any')),
      many('Coalesce', [], fc.tuple(tie('any'))),
      many('Switch', [tie('text'), optional(tie('any'))], fc.tuple(tie('text'), optional(tie('any')))),
    ),
    text: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'typed' },
      leaf,
      tuple('Append', tie('text'), tie('text')),
      many('Join', [tie('text')], fc.tuple(tie('any'))),
      tuple('Left', tie('text'), tie('whole')),
      tuple('Mid', tie('text'), tie('whole'), tie('whole')),
      tuple('Replace', tie('text'), constantText, nothing, nothing, tie('text')),
      tuple('Replace', tie('text'), fc.constant(attribute('b')), nothing, nothing, nothing, nothing, tie('text')),
      tuple('StripSpaces', tie('text')),
      tuple('CStr', tie('text')),
      tuple('CStr', tie('date')),
      tuple('Word', tie('text'), tie('whole'), constantText),
      tuple('PCase', tie('text'), optional(fc.constant(text(' ')))),
      tuple('ConvertToBase64', tie('text')),
      tuple('ConvertToUTF8Hex', tie('text')),
      tuple('DefaultDomain'),
      tuple('DNComponent', leaf, tie('whole')),
      tuple(
        'FormatDateTime',
        fc.constantFrom(...ATTRIBUTES).map(attribute),
        nothing,
        fc.constant(text('yyyy-MM-dd')),
        fc.constant(text('dd.MM.yyyy')),
      ),
      tuple('Replace', tie('text'), nothing, pattern, nothing, tie('text')),
      tuple('Replace', tie('text'), nothing, groupPattern, fc.constant(text('g')), tie('text')),
      tuple('Replace', leaf, nothing, groupPattern, fc.constant(text('g')), nothing, leaf),
      tuple('ToLower', tie('text')),
      tuple('ToUpper', tie('text'), nothing),
    ),
    whole: fc.oneof(
      fc.integer({ min: -2, max: 6 }).map((value) => number(String(value))),
      fc.integer({ min: -2, max: 6 }).map((value) => text(String(value))),
      fc.constantFrom(...ATTRIBUTES).map(attribute),
    ),
    date: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'typed' },
      fc.constantFrom(...ATTRIBUTES).map(attribute),
      fc.constantFrom('2026-01-31', '2024-02-29T12:00:00Z', '3/1/2026 9:05:00 PM').map(text),
      tuple('Now'),
      tuple('CDate', tie('date')),
      tuple('DateAdd', interval, tie('whole'), tie('date')),
      tuple('DateFromNum', fc.constantFrom('129699324000000000', '9223372036854775807').map(number)),
    ),
    condition: fc.oneof(
      fc
        .tuple(fc.constantFrom(...operators), tie('date'), tie('date'))
        .map(([operator, left, right]) => compared(operator, left, right)),
      fc.constantFrom(...ATTRIBUTES).map(attribute),
      fc.constantFrom('True', 'false', '0').map(text),
      tuple('IsPresent', tie('any')),
      fc
        .tuple(fc.constantFrom(...operators), tie('text'), fc.oneof(tie('text'), fc.constant(number('7'))))
        .map(([operator, left, right]) => compared(operator, left, right)),
    ),
  };
}).any;
