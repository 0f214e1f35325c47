/** Expressions as mappings and rules use them: names checked with their place, what a provider cannot give refused. */
import { SyncError } from '../errors.ts';
import { type CompiledExpression, compileExpression } from '../expression/compiler.ts';
import { DateTime } from '../expression/dates/date-time.ts';
import { ExpressionError } from '../expression/error.ts';
import type { Skip, TenantContext, Value } from '../expression/values.ts';
import { UniqueCandidates } from '../expression/values.ts';
import type { Json, SourceOffers } from '../model.ts';
import type { Position } from '../text-error.ts';
import { checkName, type NameContext } from './names.ts';

/** What a value depends on beside the person. */
export interface Circumstances {
  /** One moment for the whole run. */
  readonly now: Date;
  readonly random: () => number;
  /** Names of the person's groups of the source; empty where no entry asks for them. */
  readonly groups: readonly string[];
  readonly tenant: TenantContext;
}

/** A value; or candidates of which the target says which one is free; or the decision that nothing flows. */
export type EntryOutcome =
  | { readonly value: Json /** It was computed as a date: no format has to read it. */; readonly isDate: boolean }
  | { readonly candidates: readonly Json[] }
  | { readonly skip: Skip };

/** Their values are others on every run, or for every installation. */
export const VOLATILE_FUNCTIONS: readonly string[] = ['Now', 'Guid', 'RandomString'];
export const CHANCE_FUNCTIONS: readonly string[] = ['Guid', 'RandomString'];
/** What a value must not depend on that is compared from run to run: chance, or what the target has at the moment. */
export const UNSTABLE_FUNCTIONS: readonly string[] = [...CHANCE_FUNCTIONS, 'SelectUniqueValue', 'DefaultDomain'];
/** Its roles are added to those that an account has. */
export const ADDING_FUNCTION = 'AppRoleAssignmentsComplex';
/** Its roles are all that an account may have. */
export const ASSERTIVE_FUNCTION = 'AssertiveAppRoleAssignmentsComplex';
const ROLE_FUNCTIONS: readonly string[] = [ADDING_FUNCTION, ASSERTIVE_FUNCTION, 'SingleAppRoleAssignment'];
/** What only the accounts of people have. */
export const FUNCTIONS_OF_PEOPLE: readonly string[] = [...ROLE_FUNCTIONS, 'SelectUniqueValue'];

/** What only some directories have, by the functions that ask for it. */
const NEEDS: readonly {
  readonly functions: readonly string[];
  readonly offer: keyof SourceOffers;
  readonly what: string;
}[] = [
  { functions: ROLE_FUNCTIONS, offer: 'appRoles', what: 'app roles' },
  { functions: ['DefaultDomain'], offer: 'defaultDomain', what: 'default domain' },
];

/** Compiles and checks names and functions. Throws SyncError `Invalid` that begins with the place in the text. */
export function compileMappedExpression(
  source: string,
  own: (name: string) => string,
  names: NameContext,
): CompiledExpression {
  const compiled = compileExpression(source);
  for (const [name, position] of compiled.positions) at(position, () => checkName(own(name), names));
  for (const { functions, offer, what } of NEEDS) {
    if (names.offers?.[offer] !== false) continue;
    for (const name of functions) {
      const position = compiled.functions.get(name);
      if (position !== undefined)
        throw new ExpressionError(`${name}: the provider ${names.provider} has no ${what}`, position);
    }
  }
  return compiled;
}

function at(position: Position, check: () => unknown): void {
  try {
    check();
  } catch (thrown) {
    throw new ExpressionError(SyncError.from(thrown).message, position);
  }
}

/** A date becomes RFC 3339 where the target takes dates, and the printed form of Entra elsewhere. */
export function toPlainValue(value: Value, isForDate: boolean): Json {
  if (value instanceof DateTime) return isForDate ? value.toJSON() : value.toString();
  return value instanceof UniqueCandidates ? value.values : value;
}
