/** What Entra's documentation states of membership rules, one line a statement; every one has cases in cases.ts. */
import { COMPARISONS, QUANTIFIERS } from '../../../src/rule/membership/ast.ts';
import { USER_PROPERTIES } from '../../../src/rule/membership/properties.ts';

const STATEMENTS = {
  // 1. Shape
  order: 'a condition is property, operator, value; anything else is a syntax error',
  usersOnly: 'a rule covers users or devices, never both',
  deviceRefused: 'device rules are refused with the reason',
  deviceProperties: 'so is every property of devices',
  optionalParentheses: 'parentheses are optional around a single condition',
  freeBlanks: 'spaces and line breaks are free',
  optionalHyphen: 'operators may be written without the hyphen',
  enDash: 'documentation prints some operators with a dash',
  operatorCase: 'operators are spelled without regard to case',
  maximumLength: 'a rule has at most 3,072 characters',
  // 2. Operators, beside one statement for each
  unanchored: '-match is not anchored',
  noCase: 'strings and patterns compare without case',
  guidAsText: 'GUIDs compare as strings',
  allOfNothing: '-all over an empty collection is true',
  anyOfNothing: '-any over an empty collection is false',
  negativeOfNull: 'negative operators hold for null here',
  orderOnDateOnly: '-ge and -le go with employeeHireDate only',
  containsIsSubstring: '-contains is a part of the text',
  // 3. Precedence
  andBeforeOr: 'A -or B -and C is A -or (B -and C)',
  notBeforeAnd: '-not A -and B is (-not A) -and B',
  comparisonBeforeNot: '-not takes the whole condition',
  parenthesesOverride: 'parentheses override',
  quantifierLast: '-any and -all take all of their parentheses',
  // 4. Values
  booleanValue: 'true and false, quoted or not',
  numberValue: 'numbers',
  listValue: 'lists of strings or numbers, with either quotes',
  quotesNeeded: 'quotes are needed for strings',
  backtickQuote: 'a quote in a string is escaped by a backtick',
  bareBacktick: 'the documented form for a value with its quotes',
  doubledQuote: 'a single quote in single quotes is doubled',
  nullEquality: 'null is compared by -eq and -ne only',
  quotedNull: '"null" is the four-letter text',
  notNull: '-not as the comparison with null is an error',
  dollarNull: '$null is null',
  dateValue: 'a date, quoted or not',
  now: 'system.now',
  nowPlus: 'system.now -plus adds an ISO 8601 duration',
  inclusive: '-ge and -le include equality',
  // 5. Properties, beside one statement for each
  propertyCase: 'names of properties are taken in any case',
  emptyIsNull: 'an empty value is null',
  collectionDirectly: 'older rules compare the collection itself',
  item: '_ is the current value of a string collection',
  itemWithoutParentheses: 'an item condition may stand without parentheses',
  planParts: 'service, servicePlanId and capabilityStatus of assignedPlans',
  sameItem: 'all parts of the condition apply to the same item',
  directoryExtension: 'extension_<application id>_<name>',
  ownNames: 'CustomAttributes and standard attributes by their own names',
  unknownProperty: 'another name is an error',
  proxyPrefix: 'proxyAddresses with SMTP: and smtp:',
  passwordPolicies: 'DisablePasswordExpiration, DisableStrongPassword',
  // 6. Special rules
  allUsers: 'user.objectId -ne null is everybody',
  membersOnly: 'members only, by userType',
  directReports: 'Direct Reports for takes the reports of the manager',
  directReportsManager: 'and the manager',
  directReportsAlone: 'it cannot be combined',
  memberOfDirect: 'memberOf -any (group.objectId -in […])',
  memberOfAlone: 'memberOf stands alone',
  memberOfOnly: 'memberOf takes no other operator',
  memberOfLimit: 'memberOf takes at most 50 groups',
} as const;

export type Statement = keyof typeof STATEMENTS;
export type Fact = Statement | `operator ${string}` | `property ${string}`;

const LOGICAL = ['-not', '-and', '-or'] as const;

export const FACTS: readonly Fact[] = [
  ...(Object.keys(STATEMENTS) as Statement[]),
  ...[...COMPARISONS, ...QUANTIFIERS, ...LOGICAL].map((name): Fact => `operator ${name}`),
  ...USER_PROPERTIES.keys().map((name): Fact => `property ${name}`),
];
