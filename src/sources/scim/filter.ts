/** People in scope → a filter of SCIM (RFC 7644 section 3.4.2.2). Pure. */
import type { WantedPeople, WantedValue } from '../../model.ts';

/** An attribute, or one of a complex attribute; of an extension behind its URN. */
const PATH = /^(?:urn:[\w.:-]+:)?[a-z$][\w$-]*(?:\.[a-z$][\w$-]*)?$/i;
/** It stands in the URL of each page. */
const MOST_LENGTH = 2_000;

/** Null: the service cannot be asked for them. */
export function toScopeFilter(wanted: WantedPeople): string | null {
  const lists = wanted.map((list) => list.filter(({ path }) => PATH.test(path)));
  if (lists.some((list) => list.length === 0)) return null;
  const filter = lists.map((list) => list.map(printValue).join(' and ')).join(' or ');
  return filter.length <= MOST_LENGTH ? filter : null;
}

/** `and` binds closer than `or`. */
function printValue({ path, values }: WantedValue): string {
  const terms = values.map((value) => `${path} eq ${JSON.stringify(value)}`);
  return terms.length === 1 ? terms.join('') : `(${terms.join(' or ')})`;
}
