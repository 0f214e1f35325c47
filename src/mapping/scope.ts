/** Who is in scope: groups or roles, filters, CEL and an expression, all of which must hold. Pure. */
import type { Clause } from '../api/clause.ts';
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import { compileCelCondition } from '../rule/cel-condition.ts';
import { compileAny } from '../rule/clause.ts';
import { allOf, type Condition, EVERYBODY, NO_NEEDS } from '../rule/condition.ts';
import { checkScope } from './conditions.ts';
import { compileMappedExpression, toPlainValue, UNSTABLE_FUNCTIONS } from './expressions.ts';
import type { NameContext } from './names.ts';

export interface ScopeSpec {
  readonly users?: 'All' | 'MembersOfGroups' | 'AssignedToApplication';
  /** Names or ids; for `MembersOfGroups`. */
  readonly groups?: readonly string[];
  readonly filters?: readonly (readonly Clause[])[];
  readonly cel?: string;
  readonly expression?: string;
}

const ASSIGNED: Clause = { attribute: 'source:appRoleAssignments', operator: 'IsNotNull' };

/** @param report gets the field and what is wrong with it; the scope must not be used then */
export function compileScope(
  { users = 'All', groups = [], filters = [], cel, expression }: ScopeSpec,
  names: NameContext,
  report: (field: string, message: string) => void,
): Condition {
  const tryCompile = (field: string, compile: () => Condition): readonly Condition[] => {
    try {
      const condition = compile();
      checkScope(condition, names);
      return [condition];
    } catch (thrown) {
      report(field, SyncError.from(thrown).message);
      return [];
    }
  };
  const conditions = [
    ...(users === 'All' ? [] : tryCompile('users', () => compileUsers(users, groups))),
    ...(filters.length === 0 ? [] : tryCompile('filters', () => compileAny(filters))),
    ...(cel === undefined ? [] : tryCompile('cel', () => compileCelCondition(cel))),
    ...(expression === undefined ? [] : tryCompile('expression', () => compileExpressionCondition(expression, names))),
  ];
  return conditions.length === 0 ? EVERYBODY : allOf(conditions);
}

function compileUsers(users: 'MembersOfGroups' | 'AssignedToApplication', groups: readonly string[]): Condition {
  if (users === 'AssignedToApplication') return compileAny([[ASSIGNED]]);
  if (groups.length === 0) throw new SyncError('Invalid', 'MembersOfGroups needs scope.groups');
  return {
    text: `member of ${printGroups(groups)}`,
    needs: { ...NO_NEEDS, scopeGroups: true },
    // Which groups are meant only a read can tell.
    matches: ({ inScopeGroups }) => inScopeGroups,
  };
}

/** Of many groups nobody reads all the names. */
const SHOWN = 5;

function printGroups(groups: readonly string[]): string {
  const shown = groups.slice(0, SHOWN).map((entry) => JSON.stringify(entry));
  const rest = groups.length - shown.length;
  return [...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(' or ');
}

/** Whether people come who have no role in the application. Of CEL and expressions only that they speak of roles is seen. */
export function takesUnassigned({ users, filters = [], cel = '', expression = '' }: ScopeSpec): boolean {
  if (users === 'AssignedToApplication' || `${cel} ${expression}`.includes('appRoleAssignments')) return false;
  const asks = (clause: Clause): boolean =>
    clause.operator === 'IsNotNull' && /^(?:source:)?appRoleAssignments$/.test(clause.attribute ?? '');
  return filters.length === 0 || !filters.every((clauses) => clauses.some(asks));
}

/** True and False, as booleans or words; an empty value is no. */
function compileExpressionCondition(source: string, names: NameContext): Condition {
  const compiled = compileMappedExpression(source, (name) => name, names);
  const unstable = UNSTABLE_FUNCTIONS.find((name) => compiled.functions.has(name));
  if (unstable !== undefined) throw new SyncError('Invalid', `${unstable} cannot decide who is in scope`);
  return {
    text: source.trim(),
    needs: { ...NO_NEEDS, attributes: compiled.attributes },
    matches: ({ read, now }) => {
      const outcome = compiled.evaluate({ attribute: read, now, random: () => 0, context: { defaultDomain: null } });
      if ('skip' in outcome) throw new SyncError('RecordInvalid', 'the expression gives neither True nor False');
      return toDecision(toPlainValue(outcome.value, false));
    },
  };
}

function toDecision(value: Json): boolean {
  if (value === null || value === '') return false;
  const word = String(value).toLowerCase();
  if (word === 'true' || word === 'false') return word === 'true';
  throw new SyncError('RecordInvalid', 'the expression gives neither True nor False');
}
