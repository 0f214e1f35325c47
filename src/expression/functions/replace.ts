import { SyncError } from '../../errors.ts';
import { type CompiledPattern, compilePattern, type PatternMatch } from '../../pattern/pattern.ts';
import type { CallNode } from '../ast.ts';
import { checkLength, type Environment, recordError, type Thunk, textOf, type Value } from '../values.ts';
import { constantAt, type FunctionDefinition, isGiven } from './definition.ts';

/** The places of Replace, which are filled or left empty. */
const [SOURCE, OLD_VALUE, PATTERN, GROUP, NEW_VALUE, OTHER_ATTRIBUTE, TEMPLATE] = [0, 1, 2, 3, 4, 5, 6] as const;

/** Replace, which is five functions under one name. */
export const REPLACE: FunctionDefinition = {
  name: 'Replace',
  parameters: [
    { name: 'source', type: 'String' },
    {
      name: 'oldValue',
      type: 'String',
      optional: true,
      checkConstant: (constant) => (constant === '' ? 'must not be empty' : undefined),
    },
    { name: 'regexPattern', type: 'String', optional: true, checkConstant: patternProblem },
    { name: 'regexGroupName', type: 'String', optional: true },
    { name: 'replacementValue', type: 'String', optional: true },
    { name: 'replacementAttributeName', type: 'String', optional: true },
    { name: 'template', type: 'String', optional: true },
  ],
  result: 'String',
  description:
    'Puts one text in place of another; [which arguments do what](#replace). Case matters; an absent source stays absent.',
  example: 'Replace([telephoneNumber], , "[^0-9]+", , "", , )',
  gives: '441632960042',
  check: checkReplace,
  evaluate: (args, environment) => {
    const source = textOf(args[SOURCE], environment);
    if (args[OTHER_ATTRIBUTE] !== undefined) return source || extract(args, environment);
    if (source === null) return null;
    if (args[PATTERN] !== undefined) return replacePattern(source, args, environment);
    const oldValue = textOf(args[OLD_VALUE], environment) ?? '';
    const template = args[TEMPLATE];
    return template === undefined
      ? replaceText(source, oldValue, textOf(args[NEW_VALUE], environment) ?? '')
      : replaceText(textOf(template, environment) ?? '', oldValue, source);
  },
};

function checkReplace(call: CallNode): string | undefined {
  const given = (index: number) => isGiven(call, index);
  if (given(OLD_VALUE) === given(PATTERN)) {
    return `Replace needs oldValue (the 2nd argument) or regexPattern (the 3rd), ${given(PATTERN) ? 'not both' : 'found neither'}`;
  }
  return given(PATTERN) ? checkPatternMode(call) : checkTextMode(given);
}

function checkTextMode(given: (index: number) => boolean): string | undefined {
  if (given(GROUP) || given(OTHER_ATTRIBUTE)) {
    return 'Replace takes regexGroupName and replacementAttributeName only with regexPattern';
  }
  if (given(NEW_VALUE) !== given(TEMPLATE)) return undefined;
  return `Replace needs replacementValue (the 5th argument) or template (the 7th), ${given(NEW_VALUE) ? 'not both' : 'found neither'}`;
}

function checkPatternMode(call: CallNode): string | undefined {
  const given = (index: number) => isGiven(call, index);
  if (given(TEMPLATE)) return 'Replace takes a template only with oldValue';
  if (given(NEW_VALUE) === given(OTHER_ATTRIBUTE)) {
    const found = given(NEW_VALUE) ? 'not both' : 'found neither';
    return `Replace needs replacementValue (the 5th argument) or replacementAttributeName (the 6th), ${found}`;
  }
  if (given(OTHER_ATTRIBUTE) && !given(GROUP)) return 'Replace with replacementAttributeName needs regexGroupName';
  const [pattern, group] = [constantAt(call, PATTERN), constantAt(call, GROUP)];
  if (pattern === undefined || group === undefined || patternProblem(pattern) !== undefined) return undefined;
  if (loadPattern(pattern).groupNames.includes(group)) return undefined;
  return `Replace: regexPattern has no group named ${JSON.stringify(group)}; write (?<${group || 'name'}>…) into it`;
}

function patternProblem(constant: string): string | undefined {
  try {
    loadPattern(constant);
    return undefined;
  } catch (error) {
    return `is no pattern: ${SyncError.from(error).message}`;
  }
}

/** Patterns stand in expressions and seldom in people's values, so that a few hundred are all there are. */
const LOADED = new Map<string, CompiledPattern>();
const MOST_LOADED = 500;

function loadPattern(source: string): CompiledPattern {
  const known = LOADED.get(source);
  if (known !== undefined) return known;
  const pattern = compilePattern(source);
  if (LOADED.size >= MOST_LOADED) LOADED.clear();
  LOADED.set(source, pattern);
  return pattern;
}

/** Null: the person has none, so that there is nothing to look for. */
function patternOf(argument: Thunk | undefined, environment: Environment): CompiledPattern | null {
  const label = argument?.label ?? '';
  const source = textOf(argument, environment);
  if (source === null) return null;
  try {
    return loadPattern(source);
  } catch (error) {
    throw new SyncError('RecordInvalid', `${label} is no pattern: ${SyncError.from(error).message}`);
  }
}

function groupOf(pattern: CompiledPattern, argument: Thunk, environment: Environment): string {
  const name = textOf(argument, environment) ?? '';
  if (!pattern.groupNames.includes(name)) throw recordError(argument.label, 'the name of a group of regexPattern');
  return name;
}

/** The group of the first match in the other attribute; absent where there is none. */
function extract(args: readonly (Thunk | undefined)[], environment: Environment): Value {
  const text = textOf(args[OTHER_ATTRIBUTE], environment);
  const group = args[GROUP];
  if (text === null || group === undefined) return null;
  const pattern = patternOf(args[PATTERN], environment);
  if (pattern === null) return null;
  const name = groupOf(pattern, group, environment);
  const span = pattern.findAll(text)[0]?.group(name);
  return span === undefined ? null : text.slice(span.start, span.end);
}

function replacePattern(source: string, args: readonly (Thunk | undefined)[], environment: Environment): string {
  const pattern = patternOf(args[PATTERN], environment);
  if (pattern === null) return source;
  const newValue = textOf(args[NEW_VALUE], environment) ?? '';
  const group = args[GROUP];
  if (group === undefined) return pattern.replaceAll(source, newValue);
  return replaceGroup(source, pattern.findAll(source), { name: groupOf(pattern, group, environment), newValue });
}

function replaceGroup(
  source: string,
  matches: readonly PatternMatch[],
  { name, newValue }: { name: string; newValue: string },
): string {
  checkLength(source.length + matches.length * newValue.length, 'Replace');
  let out = '';
  let at = 0;
  for (const match of matches) {
    const span = match.group(name);
    if (span === undefined) continue;
    out += source.slice(at, span.start) + newValue;
    at = span.end;
  }
  return out + source.slice(at);
}

/** An empty `oldValue` stands nowhere in a text: nothing is replaced. */
function replaceText(text: string, oldValue: string, newValue: string): string {
  if (oldValue === '' || !text.includes(oldValue)) return text;
  const parts = text.split(oldValue);
  checkLength(text.length + (parts.length - 1) * (newValue.length - oldValue.length), 'Replace');
  return parts.join(newValue);
}
