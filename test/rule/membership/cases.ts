import type { GroupName, Json } from '../../../src/model.ts';
import { USER_PROPERTIES } from '../../../src/rule/membership/properties.ts';
import type { Fact } from './facts.ts';

export interface RuleCase {
  readonly fact: Fact;
  readonly rule: string;
  /** Values of `user.` properties by their documented spelling. */
  readonly user: Readonly<Record<string, Json>>;
  readonly groups?: readonly GroupName[];
  /** A text is the message of the error. */
  readonly gives: boolean | string;
}

const on = (fact: Fact, rule: string, user: Readonly<Record<string, Json>>, gives: boolean): RuleCase => ({
  fact,
  rule,
  user,
  gives,
});
const among = (fact: Fact, rule: string, groups: readonly GroupName[], gives: boolean): RuleCase => ({
  fact,
  rule,
  user: {},
  groups,
  gives,
});
const wrong = (fact: Fact, rule: string, gives: string): RuleCase => ({ fact, rule, user: {}, gives });

const SALES = { department: 'Sales' };
const LAGOS = { city: 'Lagos' };
const NOBODY = {};
const plan = (service: string, capabilityStatus: string, servicePlanId = 'p-1'): Json => ({
  service,
  capabilityStatus,
  servicePlanId,
});
const HIRED = { employeeHireDate: '2026-06-15T12:00:00Z' };
const DEVICE = 'device rules choose devices, and Dirsync provisions people: a rule here is about user. properties';
const DEVICE_PROPERTIES = [
  'accountEnabled isRooted deviceCategory deviceId deviceManagementAppId deviceManufacturer deviceModel displayName',
  'deviceOSType deviceOSVersion deviceOwnership deviceTrustType enrollmentProfileName extensionAttribute1',
  'managementType objectId profileType devicePhysicalIds systemLabels memberOf',
]
  .join(' ')
  .split(' ');

const OPERATOR_CASES: readonly RuleCase[] = [
  on('operator -eq', 'user.department -eq "Sales"', SALES, true),
  on('operator -eq', 'user.department -eq "Sale"', SALES, false),
  on('operator -eq', 'user.department -eq "Sales"', NOBODY, false),
  on('operator -ne', 'user.department -ne "Legal"', SALES, true),
  on('operator -ne', 'user.department -ne "Sales"', SALES, false),
  on('operator -startsWith', 'user.city -startsWith "La"', LAGOS, true),
  on('operator -startsWith', 'user.city -startsWith "os"', LAGOS, false),
  on('operator -startsWith', 'user.city -startsWith "La"', NOBODY, false),
  on('operator -notStartsWith', 'user.city -notStartsWith "os"', LAGOS, true),
  on('operator -notStartsWith', 'user.city -notStartsWith "La"', LAGOS, false),
  on('operator -endsWith', 'user.city -endsWith "gos"', LAGOS, true),
  on('operator -endsWith', 'user.city -endsWith "La"', LAGOS, false),
  on('operator -notEndsWith', 'user.city -notEndsWith "La"', LAGOS, true),
  on('operator -notEndsWith', 'user.city -notEndsWith "gos"', LAGOS, false),
  on('operator -contains', 'user.city -contains "ago"', LAGOS, true),
  on('operator -contains', 'user.city -contains "ogo"', LAGOS, false),
  on('operator -notContains', 'user.city -notContains "ogo"', LAGOS, true),
  on('operator -notContains', 'user.city -notContains "ago"', LAGOS, false),
  on('operator -match', 'user.city -match "^L.g"', LAGOS, true),
  on('operator -match', 'user.city -match "^ago"', LAGOS, false),
  on('operator -match', 'user.city -match "."', NOBODY, false),
  wrong(
    'operator -match',
    'user.city -match "("',
    'column 18: the regular expression: character 1: the group is not closed with ")"',
  ),
  on('operator -notMatch', 'user.city -notMatch "^ago"', LAGOS, true),
  on('operator -notMatch', 'user.city -notMatch "gos$"', LAGOS, false),
  on('operator -in', 'user.department -in ["Legal", "Sales"]', SALES, true),
  on('operator -in', 'user.department -in ["Legal"]', SALES, false),
  on('operator -in', 'user.department -in ["Sales"]', NOBODY, false),
  wrong('operator -in', 'user.department -in "Sales"', 'column 21: -in needs a list such as ["a", "b"]'),
  wrong('operator -in', 'user.department -in []', 'column 22: expected a value, but found "]"'),
  on('operator -notIn', 'user.department -notin ["Legal"]', SALES, true),
  on('operator -notIn', 'user.department -notin ["Legal", "sales"]', SALES, false),
  on('operator -ge', 'user.employeeHireDate -ge 2026-01-01', HIRED, true),
  on('operator -ge', 'user.employeeHireDate -ge 2027-01-01', HIRED, false),
  on('operator -ge', 'user.employeeHireDate -ge 2026-01-01', NOBODY, false),
  on('operator -le', 'user.employeeHireDate -le 2027-01-01', HIRED, true),
  on('operator -le', 'user.employeeHireDate -le 2026-01-01', HIRED, false),
  on(
    'operator -any',
    'user.otherMails -any (_ -endsWith "@b.example")',
    { otherMails: ['x@a.example', 'x@b.example'] },
    true,
  ),
  on(
    'operator -any',
    'user.otherMails -any (_ -endsWith "@c.example")',
    { otherMails: ['x@a.example', 'x@b.example'] },
    false,
  ),
  wrong(
    'operator -any',
    'user.department -any (_ -eq "x")',
    'column 1: -any goes with a collection, and user.department has one value',
  ),
  on(
    'operator -all',
    'user.otherMails -all (_ -endsWith ".example")',
    { otherMails: ['x@a.example', 'x@b.example'] },
    true,
  ),
  on(
    'operator -all',
    'user.otherMails -all (_ -endsWith "@a.example")',
    { otherMails: ['x@a.example', 'x@b.example'] },
    false,
  ),
  on('operator -not', '-not (user.department -eq "Legal")', SALES, true),
  on('operator -not', '-not (user.department -eq "Sales")', SALES, false),
  on('operator -and', 'user.department -eq "Sales" -and user.city -eq "Lagos"', { ...SALES, ...LAGOS }, true),
  on('operator -and', 'user.department -eq "Sales" -and user.city -eq "Lagos"', SALES, false),
  on('operator -or', 'user.department -eq "Sales" -or user.city -eq "Lagos"', SALES, true),
  on('operator -or', 'user.department -eq "Sales" -or user.city -eq "Lagos"', NOBODY, false),
];

/** One value each that the property takes and that a rule finds. */
const SAMPLES: Readonly<Record<string, readonly [condition: string, holds: Json, fails: Json]>> = {
  String: ['-eq "x"', 'X', 'y'],
  Boolean: ['-eq true', true, false],
  DateTime: ['-ge 2026-01-01', '2026-03-01', '2025-12-31'],
  StringCollection: ['-any (_ -eq "x")', ['a', 'X'], ['a']],
  Plans: ['-any (assignedPlan.service -eq "SCO")', [{ service: 'sco' }], [{ service: 'exchange' }]],
};

const PROPERTY_CASES: readonly RuleCase[] = [...USER_PROPERTIES].flatMap(([name, type]): RuleCase[] => {
  const fact: Fact = `property ${name}`;
  const [condition, holds, fails] = SAMPLES[type] ?? ['', null, null];
  if (condition === '') {
    const rule = "user.memberOf -any (group.objectId -in ['g-1', 'g-2'])";
    return [
      among(fact, rule, [{ id: 'G-2', displayName: 'Two' }], true),
      among(fact, rule, [{ id: 'g-3', displayName: 'g-1' }], false),
    ];
  }
  const rule = `user.${name} ${condition}`;
  return [on(fact, rule, { [name]: holds }, true), on(fact, rule, { [name]: fails }, false), on(fact, rule, {}, false)];
});

const STATEMENT_CASES: readonly RuleCase[] = [
  wrong(
    'order',
    '"Sales" -eq user.department',
    'column 1: a condition is a property, an operator and a value, in this order',
  ),
  wrong(
    'order',
    'true -eq user.accountEnabled',
    'column 1: a condition is a property, an operator and a value, in this order',
  ),
  wrong('order', 'user.department "Sales"', 'column 17: expected an operator such as -eq, but found "\\"Sales\\""'),
  wrong('order', 'user.department -eq', 'column 20: expected a value, but found the end'),
  wrong('order', 'user.department', 'column 16: expected an operator such as -eq, but found the end'),
  wrong('order', '', 'column 1: expected a property such as user.department, but found the end'),
  wrong('order', 'user.department -eq "x" "y"', 'column 25: expected -and, -or or the end, but found "\\"y\\""'),
  wrong(
    'order',
    'user.department -eq "x" -and',
    'column 29: expected a property such as user.department, but found the end',
  ),
  wrong('order', '(user.department -eq "x"', 'column 25: expected ")" or -and or -or, but found the end'),
  wrong('order', 'user.department -eq "x")', 'column 24: there is no "(" that this closes'),
  wrong('order', 'user.department -equals "x"', 'column 17: there is no operator -equals; there are'),
  wrong('order', 'department -eq "x"', 'column 1: a property begins with "user.", but found "department"'),
  wrong('order', 'user.department -eq ["x"]', 'column 21: a list goes with -in and -notIn, not with -eq'),
  wrong('order', 'user.department -in [["x"]]', 'column 22: a list cannot hold a list'),
  wrong('order', 'user.department -in ["x" "y"]', 'column 26: expected "," or "]", but found "\\"y\\""'),
  wrong('order', 'user.department\n  -eq "x', 'line 2, column 7: the text is not closed with "'),
  wrong('order', 'user.department -eq “x”', 'column 21: unexpected "“"; texts stand between plain quotes: "Sales"'),
  wrong('usersOnly', 'user.department -eq "x" -and device.displayName -eq "y"', `column 30: ${DEVICE}`),
  wrong('deviceRefused', 'device.deviceOwnership -eq "Company"', `column 1: ${DEVICE}`),
  wrong('deviceRefused', 'device.devicePhysicalIds -any _ -startsWith "[ZTDId]"', `column 1: ${DEVICE}`),
  wrong('deviceRefused', 'Device.objectId -ne null', `column 1: ${DEVICE}`),
  ...DEVICE_PROPERTIES.map((name) => wrong('deviceProperties', `device.${name} -eq "x"`, `column 1: ${DEVICE}`)),
  on('optionalParentheses', '(user.department -eq "Sales")', SALES, true),
  on('optionalParentheses', '((user.department -eq "Sales"))', SALES, true),
  on('freeBlanks', '  (\n user.department\n-eq\t"Sales" )\r\n', SALES, true),
  on('freeBlanks', 'user.department -eq "Sales"-and(user.city -eq null)', SALES, true),
  on('optionalHyphen', 'user.department eq "Sales" and not (user.city ne null)', SALES, true),
  on('optionalHyphen', 'user.department notin ["Legal"] or user.city startswith "x"', SALES, true),
  on('enDash', 'user.department –eq "Sales"', SALES, true),
  on('enDash', 'user.department —eq "Sales" –and user.city −eq null', SALES, true),
  on('operatorCase', 'user.city -STARTSWITH "La" -AND user.city -EndsWith "gos"', LAGOS, true),
  on('operatorCase', 'user.city -NotIn ["Paris"] -Or user.city -Match "x"', LAGOS, true),
  on('maximumLength', `user.city -eq "Lagos"${' '.repeat(3072 - 21)}`, LAGOS, true),
  wrong(
    'maximumLength',
    `user.city -eq "Lagos"${' '.repeat(3073 - 21)}`,
    'column 3073: a rule has at most 3072 characters',
  ),
  on('unanchored', 'user.city -match "ago"', LAGOS, true),
  on('unanchored', 'user.displayName -match "^Da.*"', { displayName: 'Da' }, true),
  on('unanchored', 'user.displayName -match "^Da.*"', { displayName: 'Dav' }, true),
  on('unanchored', 'user.displayName -match "^Da.*"', { displayName: 'David' }, true),
  on('unanchored', 'user.displayName -match "^Da.*"', { displayName: 'aDa' }, false),
  on('noCase', 'user.department -eq "SALES"', SALES, true),
  on('noCase', 'user.city -match "LAGOS"', LAGOS, true),
  on('noCase', 'user.city -in ["lagos"]', LAGOS, true),
  on(
    'guidAsText',
    'user.objectId -eq "00000000-0000-0000-0000-00000000000A"',
    { objectId: '00000000-0000-0000-0000-00000000000a' },
    true,
  ),
  on('allOfNothing', 'user.assignedPlans -all (assignedPlan.servicePlanId -eq null)', {}, true),
  on('allOfNothing', 'user.assignedPlans -all (assignedPlan.servicePlanId -eq null)', { assignedPlans: [] }, true),
  on(
    'allOfNothing',
    'user.assignedPlans -all (assignedPlan.servicePlanId -eq null)',
    { assignedPlans: [plan('SCO', 'Enabled')] },
    false,
  ),
  on('allOfNothing', 'user.otherMails -all (_ -eq "x")', { otherMails: null }, true),
  on('anyOfNothing', 'user.otherMails -any (_ -ne "x")', { otherMails: [] }, false),
  on('anyOfNothing', 'user.otherMails -any (_ -ne "x")', {}, false),
  on('negativeOfNull', 'user.department -ne "Sales"', NOBODY, true),
  on('negativeOfNull', 'user.department -notIn ["Sales"]', NOBODY, true),
  on('negativeOfNull', 'user.department -notContains "a"', NOBODY, true),
  on('negativeOfNull', 'user.department -notMatch "a"', NOBODY, true),
  on('negativeOfNull', 'user.department -notStartsWith "a"', NOBODY, true),
  on('negativeOfNull', 'user.department -notEndsWith "a"', NOBODY, true),
  on('negativeOfNull', '-not (user.department -eq "Sales")', NOBODY, true),
  wrong('orderOnDateOnly', 'user.employeeId -ge 7', 'column 1: -ge goes with user.employeeHireDate only'),
  wrong('orderOnDateOnly', 'user.department -le "x"', 'column 1: -le goes with user.employeeHireDate only'),
  wrong(
    'orderOnDateOnly',
    'user.employeeHireDate -contains "2026"',
    'column 1: a date is compared by -eq, -ne, -ge or -le, not by -contains',
  ),
  on('containsIsSubstring', 'user.department -contains "ale"', SALES, true),
  on(
    'containsIsSubstring',
    'user.proxyAddresses -contains "smtp:a"',
    { proxyAddresses: ['smtp:ada@corp.example'] },
    true,
  ),
  on('andBeforeOr', 'user.city -eq "Lagos" -or user.city -eq "x" -and user.department -eq "y"', LAGOS, true),
  on('andBeforeOr', 'user.department -eq "y" -and user.city -eq "x" -or user.city -eq "Lagos"', LAGOS, true),
  on('notBeforeAnd', '-not user.department -eq "x" -and user.city -eq "Lagos"', LAGOS, true),
  on('notBeforeAnd', '-not user.city -eq "Lagos" -and user.city -eq "x"', LAGOS, false),
  on('comparisonBeforeNot', '-not user.department -eq "Sales"', SALES, false),
  on('comparisonBeforeNot', '-not user.otherMails -any (_ -eq "x")', { otherMails: ['x'] }, false),
  on('parenthesesOverride', '(user.city -eq "Lagos" -or user.city -eq "x") -and user.department -eq "y"', LAGOS, false),
  on('parenthesesOverride', '-not (user.city -eq "x" -and user.department -eq null)', LAGOS, true),
  on(
    'quantifierLast',
    'user.otherMails -any (_ -startsWith "a" -and _ -endsWith "z") -or user.city -eq null',
    { otherMails: ['a', 'z'], city: 'x' },
    false,
  ),
  on(
    'quantifierLast',
    'user.otherMails -any (_ -startsWith "a" -and -not (_ -endsWith "z"))',
    { otherMails: ['az', 'ab'] },
    true,
  ),
  on('booleanValue', 'user.accountEnabled -eq true', { accountEnabled: true }, true),
  on('booleanValue', 'user.accountEnabled -eq "False"', { accountEnabled: false }, true),
  on('booleanValue', 'user.accountEnabled -ne false', { accountEnabled: 'True' }, true),
  wrong('booleanValue', 'user.accountEnabled -eq "yes"', 'column 25: user.accountEnabled is true or false'),
  wrong('booleanValue', 'user.accountEnabled -contains true', 'column 31: user.accountEnabled is true or false'),
  on('numberValue', 'user.employeeId -eq 7', { employeeId: '7' }, true),
  on('numberValue', 'user.extensionAttribute1 -in [7, 8.5]', { extensionAttribute1: 8.5 }, true),
  on('numberValue', 'user.extensionAttribute1 -eq -7', { extensionAttribute1: -7 }, true),
  on('listValue', `user.department -in ['Legal', "Sales"]`, SALES, true),
  on('listValue', 'user.employeeId -in [1,2,3]', { employeeId: '3' }, true),
  wrong(
    'listValue',
    'user.department -in ["x", null]',
    'column 27: a list holds texts and numbers; compare with null by -eq null or -ne null',
  ),
  wrong('quotesNeeded', 'user.department -eq Sales', 'column 21: a text stands between quotes: "Sales"'),
  on('quotesNeeded', "user.department -eq 'Sales'", SALES, true),
  on('backtickQuote', 'user.displayName -eq "the `"one`""', { displayName: 'the "one"' }, true),
  wrong('backtickQuote', 'user.displayName -eq `x', 'column 22: a backtick stands before a quote only: `"'),
  on('bareBacktick', 'user.department -eq `"Sales`"', { department: '"Sales"' }, true),
  on('bareBacktick', 'user.department -eq `"Sales`"', SALES, false),
  wrong('bareBacktick', 'user.department -eq `"Sales"', 'column 21: the text is not closed with `"'),
  on('doubledQuote', "user.surname -eq 'O''Brien'", { surname: "O'Brien" }, true),
  wrong('doubledQuote', "user.surname -eq 'O''Brien", "column 18: the text is not closed with '"),
  on('nullEquality', 'user.department -eq null', NOBODY, true),
  on('nullEquality', 'user.department -eq null', SALES, false),
  on('nullEquality', 'user.department -ne null', SALES, true),
  on('nullEquality', 'user.accountEnabled -eq null', NOBODY, true),
  on('nullEquality', 'user.employeeHireDate -ne null', HIRED, true),
  wrong(
    'nullEquality',
    'user.department -contains null',
    'column 27: null is compared by -eq and -ne only, not by -contains',
  ),
  wrong(
    'nullEquality',
    'user.department -match null',
    'column 24: null is compared by -eq and -ne only, not by -match',
  ),
  on('quotedNull', 'user.department -eq "null"', { department: 'null' }, true),
  on('quotedNull', 'user.department -eq "null"', NOBODY, false),
  wrong(
    'notNull',
    'user.department -not null',
    'column 17: -not stands before a condition; compare with null by -eq null or -ne null',
  ),
  wrong(
    'notNull',
    'user.department -not $null',
    'column 17: -not stands before a condition; compare with null by -eq null or -ne null',
  ),
  wrong(
    'notNull',
    'user.department -eq -not null',
    'column 21: -not is no value; compare with null by -eq null or -ne null',
  ),
  wrong(
    'notNull',
    'user.department -ne not null',
    'column 21: -not is no value; compare with null by -eq null or -ne null',
  ),
  on('dollarNull', 'user.department -eq $null', NOBODY, true),
  on('dollarNull', 'user.department -ne $null', SALES, true),
  on('dateValue', 'user.employeeHireDate -le 2026-06-15T12:00:00Z', HIRED, true),
  on('dateValue', 'user.employeeHireDate -eq "2026-06-15T14:00:00+02:00"', HIRED, true),
  on('dateValue', 'user.employeeHireDate -ne 2026-06-15', HIRED, true),
  on('dateValue', 'user.employeeHireDate -le 2026-06-15', { employeeHireDate: 'soon' }, false),
  wrong(
    'dateValue',
    'user.employeeHireDate -ge "soon"',
    'column 27: expected a date such as 2020-06-10T18:13:20Z, or system.now',
  ),
  on('now', 'user.employeeHireDate -ge system.now', HIRED, true),
  on('now', 'user.employeeHireDate -le system.now', HIRED, false),
  wrong(
    'now',
    'user.department -eq system.now',
    'column 21: user.department is no date: system.now goes with employeeHireDate',
  ),
  on('nowPlus', 'user.employeeHireDate -le system.now -plus p1d', HIRED, true),
  on('nowPlus', 'user.employeeHireDate -le system.now -plus PT11H', HIRED, false),
  on('nowPlus', 'user.employeeHireDate -le system.now -plus P1W -and user.city -eq null', HIRED, true),
  wrong(
    'nowPlus',
    'user.employeeHireDate -le system.now -plus p1m',
    'column 27: "p1m" is no ISO 8601 duration; write for example p1d or PT12H',
  ),
  wrong(
    'nowPlus',
    'user.employeeHireDate -le system.now -plus 1',
    'column 44: expected an ISO 8601 duration such as p1d after -plus',
  ),
  on('inclusive', 'user.employeeHireDate -ge 2026-06-15T12:00:00Z', HIRED, true),
  on('inclusive', 'user.employeeHireDate -le 2026-06-15T12:00:00Z', HIRED, true),
  on('propertyCase', 'user.DEPARTMENT -eq "Sales"', SALES, true),
  on('propertyCase', 'User.mailNickname -eq "ada" -and user.employeehiredate -eq null', { mailNickName: 'ada' }, true),
  among('propertyCase', "user.memberof -any (group.objectid -in ['g-1'])", [{ id: 'g-1', displayName: 'One' }], true),
  on('emptyIsNull', 'user.department -eq null', { department: '' }, true),
  on('emptyIsNull', 'user.otherMails -eq null', { otherMails: [] }, true),
  on('collectionDirectly', 'user.otherMails -eq "b"', { otherMails: ['a', 'B'] }, true),
  on('collectionDirectly', 'user.otherMails -ne "b"', { otherMails: ['a', 'B'] }, false),
  on('collectionDirectly', 'user.proxyAddresses -notContains "smtp:x"', { proxyAddresses: ['smtp:y'] }, true),
  on('item', 'user.proxyAddresses -any (_ -startsWith "contoso")', { proxyAddresses: ['Contoso.x'] }, true),
  wrong(
    'item',
    'user.proxyAddresses -any (user.city -eq "x")',
    'column 27: an item of this collection is called "_", but found "user.city"',
  ),
  wrong('item', '_ -eq "x"', 'column 1: "_" has a meaning only inside of -any and -all'),
  wrong(
    'item',
    'user.otherMails -any (user.otherMails -any (_ -eq "x"))',
    'column 23: -any cannot stand inside of -any or -all',
  ),
  on(
    'itemWithoutParentheses',
    'user.proxyAddresses -any _ -startsWith "a" -and user.city -eq null',
    { proxyAddresses: ['ab'] },
    true,
  ),
  on(
    'planParts',
    'user.assignedPlans -any (assignedPlan.servicePlanId -eq "P-1")',
    { assignedPlans: [plan('SCO', 'Enabled')] },
    true,
  ),
  on(
    'planParts',
    'user.assignedPlans -any (ASSIGNEDPLAN.Service -eq "sco")',
    { assignedPlans: [plan('SCO', 'Enabled')] },
    true,
  ),
  on(
    'planParts',
    'user.assignedPlans -any (assignedPlan.capabilityStatus -eq "Deleted")',
    { assignedPlans: [plan('SCO', 'Enabled')] },
    false,
  ),
  wrong(
    'planParts',
    'user.assignedPlans -any (assignedPlan.name -eq "x")',
    'column 26: an item of assignedPlans has assignedPlan.capabilityStatus, assignedPlan.service, assignedPlan.servicePlanId, but found "assignedPlan.name"',
  ),
  wrong(
    'planParts',
    'user.assignedPlans -eq "x"',
    'column 1: assignedPlans is compared by -any or -all: user.assignedPlans -any (…)',
  ),
  wrong(
    'planParts',
    'assignedPlan.service -eq "x"',
    'column 1: "assignedPlan.service" has a meaning only inside of -any and -all',
  ),
  on(
    'sameItem',
    'user.assignedPlans -any (assignedPlan.service -eq "SCO" -and assignedPlan.capabilityStatus -eq "Enabled")',
    { assignedPlans: [plan('SCO', 'Deleted'), plan('EX', 'Enabled')] },
    false,
  ),
  on(
    'sameItem',
    'user.assignedPlans -any (assignedPlan.service -eq "SCO" -and assignedPlan.capabilityStatus -eq "Enabled")',
    { assignedPlans: [plan('EX', 'Enabled'), plan('SCO', 'Enabled')] },
    true,
  ),
  on(
    'sameItem',
    'user.assignedPlans -all (assignedPlan.service -ne "SCO" -or assignedPlan.capabilityStatus -ne "Enabled")',
    {},
    true,
  ),
  on(
    'directoryExtension',
    'user.extension_0123456789abcdef0123456789abcdef_tier -eq "gold"',
    { extension_0123456789abcdef0123456789abcdef_tier: 'Gold' },
    true,
  ),
  on('directoryExtension', 'user.extension_0123456789abcdef0123456789abcdef_tier -ne null', {}, false),
  wrong('directoryExtension', 'user.extension_tier -eq "gold"', 'column 1: there is no property "user.extension_tier"'),
  on('ownNames', 'user.license_tier -eq "gold"', { license_tier: 'gold' }, true),
  on('ownNames', 'user.license_tier -any (_ -eq "gold")', { license_tier: ['gold', 'silver'] }, true),
  wrong(
    'unknownProperty',
    'user.departmnt -eq "x"',
    'column 1: there is no property "user.departmnt"; did you mean "user.department"?',
  ),
  wrong(
    'unknownProperty',
    'user.shoeSize -eq "x"',
    'column 1: there is no property "user.shoeSize"; other attributes of a source can be used by a CustomAttribute, match or cel',
  ),
  on(
    'proxyPrefix',
    'user.proxyAddresses -any (_ -match "^SMTP:.*@corp.example$")',
    { proxyAddresses: ['SMTP:ada@corp.example'] },
    true,
  ),
  on(
    'passwordPolicies',
    'user.passwordPolicies -eq "DisablePasswordExpiration, DisableStrongPassword"',
    { passwordPolicies: 'DisablePasswordExpiration, DisableStrongPassword' },
    true,
  ),
  on('allUsers', 'user.objectId -ne null', { objectId: 'x' }, true),
  on(
    'membersOnly',
    '(user.objectId -ne null) -and (user.userType -eq "Member")',
    { objectId: 'x', userType: 'Member' },
    true,
  ),
  on(
    'membersOnly',
    '(user.objectId -ne null) -and (user.userType -eq "Member")',
    { objectId: 'x', userType: 'Guest' },
    false,
  ),
  on('directReports', 'Direct Reports for "m-1"', { objectId: 'p', manager: 'M-1' }, true),
  on('directReports', 'Direct Reports for "m-1"', { objectId: 'p', manager: 'm-2' }, false),
  on('directReports', 'direct reports FOR "m-1"', { objectId: 'p' }, false),
  wrong(
    'directReports',
    'Direct Reports of "m-1"',
    'column 16: expected: Direct Reports for "<object id of the manager>"',
  ),
  wrong('directReports', 'Direct Reports for m-1', 'column 20: expected the object id of the manager in quotes'),
  on('directReportsManager', 'Direct Reports for "m-1"', { objectId: 'm-1', manager: 'm-2' }, true),
  wrong(
    'directReportsAlone',
    'Direct Reports for "m-1" -and user.city -eq "x"',
    'column 26: "Direct Reports for" cannot be combined with other conditions',
  ),
  among('memberOfDirect', "user.memberOf -any (group.objectId -in ['g-1'])", [{ id: 'g-1', displayName: 'One' }], true),
  among('memberOfDirect', "user.memberOf -any (group.objectId -in ['g-1'])", [], false),
  wrong(
    'memberOfAlone',
    'user.memberOf -any (group.objectId -in [\'g-1\']) -and user.city -eq "x"',
    'column 1: memberOf stands alone in its rule, without other conditions and without -not',
  ),
  wrong(
    'memberOfAlone',
    "-not (user.memberOf -any (group.objectId -in ['g-1']))",
    'column 7: memberOf stands alone in its rule, without other conditions and without -not',
  ),
  wrong(
    'memberOfOnly',
    'user.memberOf -any (group.objectId -eq "g-1")',
    "column 1: memberOf is written as user.memberOf -any (group.objectId -in ['id', …])",
  ),
  wrong(
    'memberOfOnly',
    "user.memberOf -all (group.objectId -in ['g-1'])",
    "column 1: memberOf is written as user.memberOf -any (group.objectId -in ['id', …])",
  ),
  wrong(
    'memberOfOnly',
    "user.memberOf -any (group.displayName -in ['g-1'])",
    "column 1: memberOf is written as user.memberOf -any (group.objectId -in ['id', …])",
  ),
  wrong(
    'memberOfOnly',
    'user.memberOf -contains "g-1"',
    "column 1: memberOf is written as user.memberOf -any (group.objectId -in ['id', …])",
  ),
  wrong('memberOfOnly', 'user.memberOf -any (group.objectId -in [1])', 'column 41: ids of groups stand between quotes'),
  among(
    'memberOfLimit',
    `user.memberOf -any (group.objectId -in [${Array.from({ length: 50 }, (_, n) => `'g-${n}'`).join()}])`,
    [{ id: 'g-49', displayName: 'Last' }],
    true,
  ),
  wrong(
    'memberOfLimit',
    `user.memberOf -any (group.objectId -in [${Array.from({ length: 51 }, (_, n) => `'g-${n}'`).join()}])`,
    'column 40: memberOf takes at most 50 groups, here are 51',
  ),
];

export const RULE_CASES: readonly RuleCase[] = [...OPERATOR_CASES, ...PROPERTY_CASES, ...STATEMENT_CASES];
