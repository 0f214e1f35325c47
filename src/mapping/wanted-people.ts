/** What of the filters of a scope a directory can be asked for: equality of values of the record. Pure. */
import type { Clause } from '../api/clause.ts';
import { parseSourcePath, readSourcePath, type SourcePath } from '../expression/paths.ts';
import type { Json, WantedPeople, WantedValue } from '../model.ts';
import { type KnownAttributes, listSources, type NameContext } from './names.ts';

/**
 * Everybody who passes the filters is among these people; others may be too.
 * @param known what the last whole read delivered: which place in the record a name means
 * @returns null where one of the lists has nothing that can be asked for, so that everybody is wanted
 */
export function toWantedPeople(
  filters: readonly (readonly Clause[])[],
  { names, known }: { readonly names: NameContext; readonly known: KnownAttributes },
): WantedPeople | null {
  const lists = filters.map((clauses) => clauses.flatMap((clause) => toWantedValue(clause, { names, known }) ?? []));
  return lists.length === 0 || lists.some((list) => list.length === 0) ? null : lists;
}

function toWantedValue(
  { attribute, operator, value, values }: Clause,
  { names, known }: { readonly names: NameContext; readonly known: KnownAttributes },
): WantedValue | null {
  const wanted = toValues(operator, values ?? (value === undefined ? [] : [value]));
  if (attribute === undefined || wanted.length === 0) return null;
  // What stands behind other names may be found in several places, or is computed from the record.
  const [own] = listSources(attribute, names);
  const isOwn = own?.text === attribute.replace(/^source:/, '') && known.has(own) && isPlain(own);
  return isOwn ? { path: own.text, values: wanted } : null;
}

/** Names alone: what stands where in a list directories cannot be asked. */
function isPlain({ steps, text }: SourcePath): boolean {
  return steps.length === 1 && steps[0]?.kind === 'names' && !text.includes('[');
}

function toValues(operator: Clause['operator'], values: NonNullable<Clause['values']>): WantedValue['values'] {
  if (operator === 'IsTrue') return [true];
  if (operator === 'IsFalse') return [false];
  return operator === 'Equals' || operator === 'In' ? values : [];
}

/** Would a directory that was asked for these people give this one? */
export function isWanted(wanted: WantedPeople, attributes: Readonly<Record<string, Json>>): boolean {
  return wanted.some((list) => list.every((each) => isThere(each, attributes)));
}

function isThere({ path, values }: WantedValue, attributes: Readonly<Record<string, Json>>): boolean {
  const value = readSourcePath(parseSourcePath(path), attributes);
  const entries = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return entries.some((entry) => entry !== null && values.some((each) => toWord(each) === toWord(entry)));
}

function toWord(value: Json): string {
  return String(value).toLowerCase();
}
