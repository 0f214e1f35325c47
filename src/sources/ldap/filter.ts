/** People in scope → a filter of LDAP (RFC 4515), beside that of the configuration. Pure. */
import { AndFilter, EqualityFilter, type Filter, FilterParser, OrFilter } from 'ldapts';
import type { WantedPeople, WantedValue } from '../../model.ts';
import { ATTRIBUTE } from './entry.ts';
import { MANAGER_EMAIL } from './manager.ts';

/** What stands in records and in no entry. */
const NO_ATTRIBUTES: ReadonlySet<string> = new Set(['dn', MANAGER_EMAIL]);

/** Null: the directory cannot be asked for them. */
export function toScopeFilter(wanted: WantedPeople, userFilter: string): Filter | null {
  const lists = wanted.map((list) => list.filter(({ path }) => isAttribute(path)));
  if (lists.some((list) => list.length === 0)) return null;
  const filters = lists.map((list) => new AndFilter({ filters: list.map(toFilter) }));
  return new AndFilter({ filters: [FilterParser.parseString(userFilter), new OrFilter({ filters })] });
}

function isAttribute(path: string): boolean {
  return ATTRIBUTE.test(path) && !NO_ATTRIBUTES.has(path.toLowerCase());
}

function toFilter({ path, values }: WantedValue): Filter {
  return new OrFilter({
    filters: values.map((value) => new EqualityFilter({ attribute: path, value: toText(value) })),
  });
}

/** The words of RFC 4517 section 3.3.3. */
function toText(value: string | number | boolean): string {
  return typeof value === 'boolean' ? String(value).toUpperCase() : String(value);
}
