import { Buffer } from 'node:buffer';
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import {
  type Environment,
  evaluateArgument,
  integerOf,
  isList,
  isNullOrEmpty,
  PersonError,
  recordError,
  type Thunk,
  textOf,
  toText,
  UniqueCandidates,
  type Value,
} from '../values.ts';
import type { FunctionDefinition } from './definition.ts';

/** What only a directory has: names in it, roles, values that must be unique. In alphabetical order. */
export const DIRECTORY_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'AppRoleAssignmentsComplex',
    parameters: [{ name: 'appRoleAssignments', type: 'Any' }],
    result: 'List',
    description:
      "A person's roles in the application as objects with `id`, `value`, `display`, `type` and `primary`, which is false.",
    example: 'Count(AppRoleAssignmentsComplex([appRoleAssignments]))',
    gives: '1',
    evaluate: (args, environment) =>
      rolesOf(args, environment).map((role) => ({ ...(role.id === null ? {} : { id: role.id }), ...toComplex(role) })),
  },
  {
    name: 'AssertiveAppRoleAssignmentsComplex',
    parameters: [{ name: 'appRoleAssignments', type: 'Any' }],
    result: 'List',
    description: 'The same without `id`, for targets in which roles that are not assigned must go.',
    example: 'Count(AssertiveAppRoleAssignmentsComplex([appRoleAssignments]))',
    gives: '1',
    evaluate: (args, environment) => rolesOf(args, environment).map(toComplex),
  },
  {
    name: 'DefaultDomain',
    parameters: [],
    result: 'String',
    description: "The source tenant's default domain; an error where there is none.",
    example: 'Append([mailNickname], Append("@", DefaultDomain()))',
    gives: 'ada.byron@corp.example',
    evaluate: (_, environment) => {
      const domain = environment.context.defaultDomain;
      if (domain === null) throw new SyncError('RecordInvalid', 'DefaultDomain: the source has no default domain');
      return domain;
    },
  },
  {
    name: 'DNComponent',
    parameters: [
      { name: 'dn', type: 'String' },
      { name: 'n', type: 'Integer' },
    ],
    result: 'String',
    description: 'The value of the n-th part of a distinguished name from the left, the first one being 1.',
    example: 'DNComponent([distinguishedName], 2)',
    gives: 'Staff',
    evaluate: (args, environment) => {
      const dn = textOf(args[0], environment);
      if (dn === null) return null;
      const number = integerOf(args[1], environment);
      return toComponents(dn, args[0]?.label ?? '')[number - 1] ?? null;
    },
  },
  {
    name: 'Error',
    parameters: [{ name: 'message', type: 'String' }],
    result: 'Any',
    description: 'Fails this person with the message; nothing about them is changed.',
    example: 'IIF(IsPresent([department]), [department], Error("no department"))',
    gives: 'Sales',
    evaluate: (args, environment) => {
      throw new PersonError(textOf(args[0], environment) ?? '');
    },
  },
  {
    name: 'Redact',
    parameters: [{ name: 'value', type: 'Any' }],
    result: (types) => types[0] ?? 'Any',
    description: 'value, which is written to the target and shown as `[Redact]` in plans, drift and history.',
    example: 'Redact([employeeId])',
    gives: 'E-0042',
    evaluate: (args, environment) => evaluateArgument(args[0], environment),
  },
  {
    name: 'SelectUniqueValue',
    parameters: [
      { name: 'rule', type: 'String' },
      { name: 'rule', type: 'String', variadic: true },
    ],
    result: 'String',
    description:
      'The first of the rules whose value nobody in the target has. It must be the whole expression, and holds when the account is made.',
    example: 'SelectUniqueValue([mailNickname], Append([mailNickname], "2"))',
    gives: '["ada.byron","ada.byron2"]',
    topLevel: true,
    evaluate: (args, environment) => {
      const values = args.map((argument) => textOf(argument, environment)).filter((value) => !isNullOrEmpty(value));
      return values.length === 0 ? null : new UniqueCandidates([...new Set(values)]);
    },
  },
  {
    name: 'SingleAppRoleAssignment',
    parameters: [{ name: 'appRoleAssignments', type: 'Any' }],
    result: 'String',
    description: "A person's one role in the application; an error of that person when there are several.",
    example: 'SingleAppRoleAssignment([appRoleAssignments])',
    gives: 'Editor',
    evaluate: (args, environment) => {
      const roles = rolesOf(args, environment);
      const names = roles.map(({ value }) => value);
      if (names.length <= 1) return names[0] ?? null;
      throw recordError('SingleAppRoleAssignment', `one role, but the person has ${names.join(', ')}`);
    },
  },
];

interface Role {
  readonly id: string | null;
  readonly value: string;
  readonly display: string;
}

/** Each role once, however it was assigned. Who has no assignment has no roles, which is a list of none. */
function rolesOf(args: readonly (Thunk | undefined)[], environment: Environment): Role[] {
  const value = evaluateArgument(args[0], environment);
  if (value === null) return [];
  const label = args[0]?.label ?? '';
  const roles = (isList(value) ? value : [value]).map((assignment) => toRole(assignment, label));
  return [...new Map(roles.map((role) => [role.value, role])).values()];
}

/** An assignment is an app role of Graph (`id`, `value`, `displayName`), or its name alone. */
function toRole(assignment: Value, label: string): Role {
  if (typeof assignment === 'string' && assignment !== '') return { id: null, value: assignment, display: assignment };
  const { id, value, displayName } = (
    typeof assignment === 'object' && assignment !== null ? assignment : {}
  ) as Record<string, Json>;
  const name = [value, displayName].find((each) => typeof each === 'string' && each !== '');
  if (typeof name !== 'string') throw recordError(label, 'app roles with a value or displayName');
  return { id: typeof id === 'string' ? id : null, value: name, display: toText(displayName ?? name, label) ?? name };
}

function toComplex({ value, display }: Role) {
  return { value, display, type: 'WindowsAzureActiveDirectoryRole', primary: false };
}

const PART = /\s*[^=,;+\\]+=((?:\\[0-9A-Fa-f]{2}|\\.|[^\\,;+])*)(?:[,;+]|$)/y;

/** The values of a distinguished name (RFC 4514), escapes undone. */
function toComponents(dn: string, label: string): string[] {
  const values: string[] = [];
  PART.lastIndex = 0;
  for (let at = 0; at < dn.length; at = PART.lastIndex) {
    PART.lastIndex = at;
    const value = PART.exec(dn)?.[1];
    if (value === undefined) throw recordError(label, 'a distinguished name');
    values.push(unescapeValue(value.trim()));
  }
  return values;
}

function unescapeValue(value: string): string {
  return value.replace(/(?:\\[0-9A-Fa-f]{2})+|\\(.)/g, (escaped, character: string | undefined) =>
    character === undefined ? Buffer.from(escaped.replaceAll('\\', ''), 'hex').toString('utf8') : character,
  );
}
