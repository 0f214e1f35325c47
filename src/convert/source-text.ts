/** The expression of a source in a synchronization schema: as it is written there, else put together from its tree. */
import { FUNCTIONS } from '../expression/registry.ts';
import type { MappingSource } from './synchronization-schema.ts';

export function toExpressionText(source: MappingSource): string {
  return source.expression.trim() === '' ? printTree(source) : source.expression;
}

function printTree(source: MappingSource): string {
  if (source.expression.trim() !== '') return source.expression;
  if (source.type === 'Attribute') return `[${source.name}]`;
  if (source.type === 'Constant') return `"${source.name.replace(/["\\]/g, '\\$&')}"`;
  return `${source.name}(${placeArguments(source).join(', ')})`;
}

/** Arguments that were left empty are missing in the tree: the keys, which are names of parameters, say where. */
function placeArguments({ name, parameters }: MappingSource): readonly string[] {
  const names = (FUNCTIONS.get(name)?.parameters ?? [])
    .filter(({ variadic }) => variadic !== true)
    .map((parameter) => parameter.name.toLowerCase());
  const args: string[] = [];
  for (const { key, value } of parameters) {
    const place = names.indexOf(key.toLowerCase());
    const index = Math.max(place, args.length);
    while (args.length < index) args.push('');
    args.push(printTree(value));
  }
  return args;
}
