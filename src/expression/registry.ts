import { computeNearestName } from '../nearest-name.ts';
import { CONDITION_FUNCTIONS } from './functions/conditions.ts';
import { CONVERSION_FUNCTIONS } from './functions/conversions.ts';
import { DATE_FUNCTIONS } from './functions/dates.ts';
import type { FunctionDefinition, Parameter } from './functions/definition.ts';
import { DIRECTORY_FUNCTIONS } from './functions/directory.ts';
import { LETTER_FUNCTIONS } from './functions/letters.ts';
import { LIST_FUNCTIONS } from './functions/lists.ts';
import { RANDOM_FUNCTIONS } from './functions/random.ts';
import { REPLACE } from './functions/replace.ts';
import { STRING_FUNCTIONS } from './functions/strings.ts';

/** Every function of the language, by name. Names are case-sensitive. */
export const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  [
    ...STRING_FUNCTIONS,
    REPLACE,
    ...LETTER_FUNCTIONS,
    ...CONDITION_FUNCTIONS,
    ...CONVERSION_FUNCTIONS,
    ...DATE_FUNCTIONS,
    ...LIST_FUNCTIONS,
    ...RANDOM_FUNCTIONS,
    ...DIRECTORY_FUNCTIONS,
  ]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((definition) => [definition.name, definition]),
);

/** How many arguments a function takes; `most` is Infinity for a variadic one. Empty positions count. */
export function arityOf(definition: FunctionDefinition): { readonly least: number; readonly most: number } {
  const { parameters } = definition;
  if (parameters.some((parameter) => parameter.variadic)) return { least: parameters.length, most: Infinity };
  const required = parameters.findLastIndex((parameter) => !parameter.optional) + 1;
  return { least: required, most: parameters.length };
}

/** The parameter that the argument at `index` (0-based) fills, and its name with its number where it repeats. */
export function parameterAt(
  definition: FunctionDefinition,
  index: number,
): { parameter: Parameter; name: string } | undefined {
  const { parameters } = definition;
  const fixed = parameters.filter((parameter) => !parameter.variadic).length;
  const group = parameters.length - fixed;
  const inGroup = index >= fixed && group > 0;
  const parameter = inGroup ? parameters[fixed + ((index - fixed) % group)] : parameters[index];
  if (parameter === undefined) return undefined;
  return { parameter, name: inGroup ? `${parameter.name}${Math.floor((index - fixed) / group) + 1}` : parameter.name };
}

/** `Join(separator, source1, source2, …)`; optional parameters carry a question mark. */
export function signatureOf(definition: FunctionDefinition): string {
  const { parameters, name } = definition;
  const group = parameters.filter((parameter) => parameter.variadic).length;
  const shown = group === 0 ? parameters.length : parameters.length + group;
  const names = Array.from({ length: shown }, (_, index) => {
    const at = parameterAt(definition, index);
    return at === undefined ? '' : `${at.name}${at.parameter.optional ? '?' : ''}`;
  });
  return `${name}(${[...names, ...(group === 0 ? [] : ['…'])].join(', ')})`;
}

/** What to say about a name that is no function. */
export function unknownFunction(name: string): string {
  const near = computeNearestName(name, FUNCTIONS.keys());
  const help = near === null ? 'see docs/expressions.md for those there are' : `did you mean "${near}"?`;
  return `unknown function "${name}"; ${help}`;
}

/** The table of functions of docs/expressions.md, in Markdown. */
export function renderFunctionTable(): string {
  const rows = FUNCTIONS.values().map((definition) => {
    const result = typeof definition.result === 'string' ? definition.result : 'as its branches';
    const example = `\`${definition.example}\` → \`${definition.gives}\``;
    return `| \`${signatureOf(definition)}\` | ${result} | ${definition.description} | ${example} |`;
  });
  return ['| Function | Gives | What it does | Example |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}
