/**
 * What no input whatever may break: the parser and the compiler throw nothing but their own errors, evaluation fails
 * nothing but the one record, patterns keep to their budget, and the two readings of the language agree.
 */
import fc from 'fast-check';
import { SyncError } from '../../src/errors.ts';
import { compileExpression } from '../../src/expression/compiler.ts';
import { DateTime } from '../../src/expression/dates/date-time.ts';
import { formatDate, formatProblem } from '../../src/expression/dates/format.ts';
import { readDate } from '../../src/expression/dates/read.ts';
import { ExpressionError } from '../../src/expression/error.ts';
import { MAX_LENGTH, parseExpression } from '../../src/expression/parser.ts';
import { printExpression } from '../../src/expression/print.ts';
import { FUNCTIONS } from '../../src/expression/registry.ts';
import { UniqueCandidates } from '../../src/expression/values.ts';
import type { Json } from '../../src/model.ts';
import { PatternError } from '../../src/pattern/error.ts';
import { compilePattern, createStepMeter } from '../../src/pattern/pattern.ts';
import { EvaluationFailure, EvaluationSkip, interpret } from '../support/expression-interpreter.ts';
import {
  ATTRIBUTES,
  anEnvironment,
  anyExpression,
  anyValue,
  wellTypedExpression,
  withoutPositions,
} from '../support/expressions.ts';
import { MEMBERSHIP_PROPERTIES } from './membership.ts';
import { type FuzzProperty, fail, tolerate } from './property.ts';

const isExpressionError = (error: unknown) => error instanceof ExpressionError;
const isRecordInvalid = (error: unknown) => error instanceof SyncError && error.code === 'RecordInvalid';

const pieces = fc.oneof(
  fc.constantFrom(...FUNCTIONS.keys()),
  fc.constantFrom(
    '(',
    ')',
    ',',
    ' , ',
    '[a]',
    '[b]',
    '"',
    '\\',
    '"x"',
    '""',
    '&HF',
    '-1',
    '2.5',
    '=',
    '<>',
    '\n',
    '😀',
  ),
  fc.constantFrom(
    'IgnoreAttributeFlow',
    'vbTextCompare',
    'UTF8',
    '"d"',
    '"(?<g>a)"',
    '"g"',
    '"yyyy-MM-dd"',
    '"2026-03-01"',
  ),
);
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.array(pieces, { maxLength: 60 }).map((list) => list.join('')),
);

/** A call of a known function with arguments of every kind: nearly all of them compile or are refused by the checker. */
const knownCalls = fc.letrec<{ call: string; argument: string }>((tie) => ({
  call: fc
    .tuple(fc.constantFrom(...FUNCTIONS.keys()), fc.array(tie('argument'), { maxLength: 7 }))
    .map(([name, args]) => `${name}(${args.join(', ')})`),
  argument: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'call' },
    fc.constantFrom(
      '',
      '[a]',
      '[b]',
      '[c]',
      '"True"',
      '1',
      '3',
      '"d"',
      '"m"',
      '"2026-03-01"',
      '"yyyy-MM-dd"',
      '"x"',
      '[a] = "x"',
    ),
    fc.constantFrom(
      '"(?<g>[a-z]+)"',
      '"g"',
      'IgnoreObjectFlow',
      'vbTextCompare',
      'UTF8',
      '"tr-TR"',
      '129699324000000000',
    ),
    fc.string({ unit: 'grapheme', maxLength: 10 }).map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`),
    tie('call'),
  ),
})).call;

const users = fc.record(
  Object.fromEntries(ATTRIBUTES.map((name) => [name, fc.oneof(anyValue, fc.jsonValue() as fc.Arbitrary<Json>)])),
);

const nested = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 6, depthIdentifier: 'pattern' },
    fc.constantFrom('a', 'b', '.', '[ab]', '\\w', '\\s', '[^a]', '^', '$', ''),
    tie('pattern').map((inner) => `(${inner})*`),
    tie('pattern').map((inner) => `(?:${inner})+`),
    tie('pattern').map((inner) => `(${inner}){1,9}`),
    tie('pattern').map((inner) => `(?<g>${inner})?`),
    fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => `(${left}|${right})`),
    fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => `${left}${right}`),
  ),
})).pattern;
const patterns = fc.oneof(fc.string({ unit: 'binary' }), nested);
const subjects = fc
  .tuple(fc.constantFrom('a', 'ab', 'aab ', 'é', '😀'), fc.constantFrom('', '!', 'c'))
  .map(([unit, end]) => unit.repeat(Math.ceil(102_400 / unit.length)) + end);

const formats = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        'yyyy',
        'yy',
        'MM',
        'M',
        'MMM',
        'dd',
        'd',
        'ddd',
        'HH',
        'h',
        'mm',
        's',
        'fff',
        'FF',
        'tt',
        'zzz',
        'K',
        '%',
        "'x'",
        '\\',
        ' ',
        '-',
        ':',
      ),
      {
        maxLength: 10,
      },
    )
    .map((list) => list.join('')),
);
/** Parts that say a whole moment, with something between digits. */
const fields = fc
  .tuple(
    fc.constantFrom('yyyy', 'yyyyy').map((year) => `${year} `),
    fc.constantFrom('MM', 'M', 'MMM', 'MMMM'),
    fc.constantFrom('-dd', '/d', "'day'd", '.dd (dddd)', ' d, ddd'),
    fc.constantFrom(' HH:mm:ss', ' H:m:s', ' h:mm:ss tt', ' hh:m:s t', '\\THH:mm:ss.fff', ' HH:mm:ss.FFFFFFF', ''),
  )
  .map((parts) => parts.join(''));
const moments = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T00:00:00Z'),
  noInvalidDate: true,
});

/** What it gave, in a form that both readings have. */
function outcomeOf(run: () => unknown): unknown {
  try {
    const value = run();
    if (value instanceof DateTime) return { date: value.ms };
    if (value instanceof Date) return { date: value.getTime() };
    return { value: value instanceof UniqueCandidates ? value.values : value };
  } catch (error) {
    if (error instanceof EvaluationFailure || isRecordInvalid(error)) return 'RecordInvalid';
    if (error instanceof EvaluationSkip) return 'SkipAttribute';
    throw error;
  }
}

export const PROPERTIES: readonly FuzzProperty[] = [
  {
    name: 'the parser throws nothing but its own error, and what it prints it reads again',
    batch: 20_000,
    property: fc.property(texts, (source) => {
      const tree = tolerate(() => parseExpression(source), isExpressionError);
      if (tree === undefined) return;
      const printed = printExpression(tree);
      if (printed.length > MAX_LENGTH) return;
      const again = parseExpression(printed);
      if (JSON.stringify(withoutPositions(again)) !== JSON.stringify(withoutPositions(tree)))
        fail(`printed as ${printed}`);
    }),
  },
  {
    name: 'parsing what was printed is the identity',
    batch: 3000,
    property: fc.property(anyExpression, (tree) => {
      const printed = printExpression(tree);
      if (printed.length > MAX_LENGTH) return;
      const again = parseExpression(printed);
      if (JSON.stringify(withoutPositions(again)) !== JSON.stringify(withoutPositions(tree)))
        fail(`printed as ${printed}`);
    }),
  },
  {
    name: 'what compiles fails nothing but the record',
    batch: 5000,
    property: fc.property(fc.oneof(knownCalls, texts), users, (source, user) => {
      const compiled = tolerate(() => compileExpression(source), isExpressionError);
      if (compiled !== undefined) tolerate(() => compiled.evaluate(anEnvironment(user)), isRecordInvalid);
    }),
  },
  {
    name: 'compiled expressions equal the naive interpreter',
    batch: 3000,
    property: fc.property(
      wellTypedExpression,
      fc.record(Object.fromEntries(ATTRIBUTES.map((name) => [name, anyValue]))),
      (tree, user) => {
        const source = printExpression(tree);
        const compiled = tolerate(
          () => compileExpression(source),
          (error) => isExpressionError(error) && (error as Error).message.endsWith('never matches'),
        );
        if (compiled === undefined) return;
        const got = outcomeOf(() => {
          const outcome = compiled.evaluate(anEnvironment(user));
          return 'skip' in outcome ? { skip: outcome.skip } : outcome.value;
        });
        const naive = outcomeOf(() => interpret(parseExpression(source), anEnvironment(user)));
        const wanted = naive === 'SkipAttribute' ? { value: { skip: naive } } : naive;
        if (JSON.stringify(got) !== JSON.stringify(wanted)) {
          fail(`${source} gave ${JSON.stringify(got)} and not ${JSON.stringify(wanted)} for ${JSON.stringify(user)}`);
        }
      },
    ),
  },
  {
    name: 'patterns keep to the steps that they were charged, on 100 KB',
    batch: 20,
    property: fc.property(patterns, subjects, (source, subject) => {
      const pattern = tolerate(
        () => compilePattern(source),
        (error) => error instanceof PatternError,
      );
      if (pattern === undefined) return;
      const meter = createStepMeter();
      const found = tolerate(() => pattern.isMatch(subject, meter), isRecordInvalid);
      if (found !== undefined && meter.steps !== pattern.stepsPerCharacter * (subject.length + 1))
        fail('uncounted steps');
      if (meter.steps > meter.limit && found !== undefined) fail('the budget was exceeded');
      const second = createStepMeter();
      tolerate(() => pattern.findAll(subject, second), isRecordInvalid);
      tolerate(() => pattern.replaceAll(subject.slice(-500), '<$&$1>'), isRecordInvalid);
    }),
  },
  {
    name: 'date formats are refused, or write every date and read any text',
    batch: 10_000,
    property: fc.property(formats, moments, fc.string(), (format, moment, text) => {
      if (formatProblem(format) !== undefined) return;
      readDate(formatDate(toDate(moment), format), format, READING);
      readDate(text, format, READING);
    }),
  },
  {
    name: 'a date that was written is read again',
    batch: 10_000,
    property: fc.property(fields, moments, (format, moment) => {
      const written = formatDate(toDate(moment), format);
      const again = readDate(written, format, READING) ?? fail(`${written} is not read by ${format}`);
      if (formatDate(again, format) !== written) fail(`${written} was read as ${formatDate(again, format)}`);
    }),
  },
  ...MEMBERSHIP_PROPERTIES,
];

const READING = { style: { leading: true, trailing: true, inner: false }, today: new Date(0) };

function toDate(moment: Date): DateTime {
  return DateTime.from(moment.getTime()) ?? fail('a date of these years');
}
