/** People in scope → a query of the Directory API (its guide "Search for users"). Pure. */
import type { WantedPeople, WantedValue } from '../../model.ts';
import { CUSTOM_SCHEMAS } from './fields.ts';

/** Fields of a record that can be searched by equality, and what a query calls them. */
const TEXTS: Readonly<Record<string, string>> = { orgUnitPath: 'orgUnitPath', primaryEmail: 'email' };
const FLAGS: Readonly<Record<string, string>> = {
  suspended: 'isSuspended',
  archived: 'isArchived',
  isAdmin: 'isAdmin',
  isDelegatedAdmin: 'isDelegatedAdmin',
};
const NAME = /^\w+$/;

/**
 * A query knows `and` alone: of several lists, and of several values of one field, nothing can be asked for.
 * @returns null: the account cannot be asked for them
 */
export function toScopeQuery(wanted: WantedPeople): string | null {
  const [list = [], ...others] = wanted;
  if (others.length > 0) return null;
  const clauses = list.flatMap((each) => printValue(each) ?? []);
  return clauses.length === 0 ? null : clauses.join(' ');
}

function printValue({ path, values: [value, ...others] }: WantedValue): string | null {
  if (value === undefined || others.length > 0) return null;
  const flag = FLAGS[path];
  if (flag !== undefined) return typeof value === 'boolean' ? `${flag}=${value}` : null;
  const name = TEXTS[path] ?? toCustomName(path);
  return name === null || typeof value === 'boolean' ? null : `${name}='${String(value).replace(/['\\]/g, '\\$&')}'`;
}

/** A field of a schema of the account: `customSchemas.Sample.grade`. */
function toCustomName(path: string): string | null {
  const [own, schema = '', field = '', ...more] = path.split('.');
  const isCustom = own === CUSTOM_SCHEMAS && more.length === 0 && NAME.test(schema) && NAME.test(field);
  return isCustom ? `${schema}.${field}` : null;
}
