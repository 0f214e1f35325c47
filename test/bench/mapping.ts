/**
 * What one person costs whose twenty attributes are mapped, against a function that somebody wrote by hand for just these
 * twenty, and against the same in JSONata and in CEL. All give the same values, which is checked before anything is timed.
 */
import { celEnv, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import jsonata from 'jsonata';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import { createPersonMapper } from '../../src/mapping/person.ts';
import type { DesiredUser, Json, SourceUser } from '../../src/model.ts';
import { compileAny } from '../../src/rule/clause.ts';
import { compileWell } from '../support/builders.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/** An entry, and the same value in the other languages. */
interface Attribute {
  readonly entry: AttributeEntry;
  readonly jsonata: string;
  readonly cel: string;
}

function direct(target: string, source: string, more: Partial<AttributeEntry> = {}): Attribute {
  return { entry: { target, source, ...more }, jsonata: source, cel: `user.${source}` };
}

/** Twelve are taken as they are, eight are computed, as mappings of portals are. */
const ATTRIBUTES: readonly Attribute[] = [
  {
    entry: { target: 'userName', expression: 'ToLower([userPrincipalName])', matching: { precedence: 1 } },
    jsonata: '$lowercase(userPrincipalName)',
    cel: 'user.userPrincipalName.lowerAscii()',
  },
  direct('externalId', 'id', { matching: { precedence: 2 } }),
  {
    entry: { target: 'active', expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
    jsonata: '$not(IsSoftDeleted)',
    cel: '!user.IsSoftDeleted',
  },
  {
    entry: { target: 'displayName', expression: 'Join(" ", [givenName], [surname])' },
    jsonata: "$join([givenName, surname], ' ')",
    cel: "[user.givenName, user.surname].join(' ')",
  },
  {
    entry: { target: 'nickName', expression: 'Append(Left([givenName], 1), [surname])' },
    jsonata: '$substring(givenName, 0, 1) & surname',
    cel: 'user.givenName.substring(0, 1) + user.surname',
  },
  direct('name.givenName', 'givenName'),
  direct('name.familyName', 'surname'),
  {
    entry: { target: 'name.formatted', expression: 'Join(", ", ToUpper([surname]), [givenName])' },
    jsonata: "$join([$uppercase(surname), givenName], ', ')",
    cel: "[user.surname.upperAscii(), user.givenName].join(', ')",
  },
  direct('title', 'jobTitle'),
  {
    entry: { target: 'userType', expression: 'IIF([employeeType]="Contractor", "Extern", "Intern")' },
    jsonata: "employeeType = 'Contractor' ? 'Extern' : 'Intern'",
    cel: "user.employeeType == 'Contractor' ? 'Extern' : 'Intern'",
  },
  direct('emails[type eq "work"].value', 'mail'),
  direct('preferredLanguage', 'preferredLanguage'),
  {
    entry: {
      target: 'phoneNumbers[type eq "work"].value',
      expression: 'Replace([telephoneNumber], " ", , , "", , )',
    },
    jsonata: "$replace(telephoneNumber, ' ', '')",
    cel: "user.telephoneNumber.replace(' ', '')",
  },
  direct('phoneNumbers[type eq "mobile"].value', 'mobile'),
  direct('addresses[type eq "work"].streetAddress', 'streetAddress'),
  direct('addresses[type eq "work"].locality', 'city'),
  direct('addresses[type eq "work"].postalCode', 'postalCode'),
  direct(`${ENTERPRISE}:employeeNumber`, 'employeeId'),
  direct(`${ENTERPRISE}:department`, 'department'),
  {
    entry: { target: `${ENTERPRISE}:costCenter`, expression: 'Coalesce([costCentre], [departmentNumber], "none")' },
    jsonata: "costCentre ? costCentre : departmentNumber ? departmentNumber : 'none'",
    cel: "user.costCentre != null ? user.costCentre : user.departmentNumber != null ? user.departmentNumber : 'none'",
  },
];

type Source = Readonly<Record<string, string | boolean | null>>;

function makePeople(count: number): readonly SourceUser[] {
  return Array.from({ length: count }, (_, index): SourceUser => {
    const attributes: Source = {
      id: `id-${index}`,
      userPrincipalName: `Given${index}.Surname${index}@Corp.Example`,
      IsSoftDeleted: index % 50 === 0,
      givenName: `Given${index}`,
      surname: `Surname${index}`,
      jobTitle: ['Engineer', 'Clerk', 'Buyer'][index % 3] ?? null,
      employeeType: index % 10 === 0 ? 'Contractor' : 'Employee',
      mail: `given${index}.surname${index}@corp.example`,
      preferredLanguage: 'en-GB',
      telephoneNumber: `+44 20 7946 ${String(index).padStart(4, '0')}`,
      mobile: `+44 7700 ${index}`,
      streetAddress: `${index} High Street`,
      city: 'Belfast',
      postalCode: 'BT1 5GS',
      employeeId: String(100_000 + index),
      department: `Department ${index % 40}`,
      costCentre: index % 3 === 0 ? null : `CC-${index % 97}`,
      departmentNumber: index % 7 === 0 ? null : `D-${index % 40}`,
    };
    return { id: `id-${index}`, active: true, attributes };
  });
}

/** As somebody would write it who has no other mapping in mind, down to the record that the rest of a run works on. */
function mapByHand({ id, attributes: user }: SourceUser): DesiredUser {
  const text = (name: string): string | null => {
    const value = user[name];
    if (value === undefined || value === null || value === '') return null;
    if (typeof value === 'string') return value;
    throw new Error(`${name} is no text`);
  };
  const attributes: Record<string, Json> = {};
  const put = (path: string, value: string | null): void => {
    if (value !== null && value !== '') attributes[path] = value;
  };
  const given = text('givenName');
  const family = text('surname');
  const userName = text('userPrincipalName')?.toLowerCase() ?? null;
  const externalId = text('id');
  const active = user['IsSoftDeleted'] !== true;
  put('userName', userName);
  put('externalId', externalId);
  attributes['active'] = active;
  put('displayName', [given, family].filter((part) => part !== null).join(' '));
  put('nickName', given === null ? family : given.slice(0, 1) + (family ?? ''));
  put('name.givenName', given);
  put('name.familyName', family);
  put('name.formatted', [family?.toUpperCase() ?? null, given].filter((part) => part !== null).join(', '));
  put('title', text('jobTitle'));
  put('userType', user['employeeType'] === 'Contractor' ? 'Extern' : 'Intern');
  put('emails[type eq "work"].value', text('mail'));
  put('preferredLanguage', text('preferredLanguage'));
  put('phoneNumbers[type eq "work"].value', text('telephoneNumber')?.replaceAll(' ', '') ?? null);
  put('phoneNumbers[type eq "mobile"].value', text('mobile'));
  put('addresses[type eq "work"].streetAddress', text('streetAddress'));
  put('addresses[type eq "work"].locality', text('city'));
  put('addresses[type eq "work"].postalCode', text('postalCode'));
  put(`${ENTERPRISE}:employeeNumber`, text('employeeId'));
  put(`${ENTERPRISE}:department`, text('department'));
  put(`${ENTERPRISE}:costCenter`, text('costCentre') ?? text('departmentNumber') ?? 'none');
  const match = [];
  if (userName !== null) match.push({ path: 'userName', value: userName });
  if (externalId !== null) match.push({ path: 'externalId', value: externalId });
  return {
    sourceId: id,
    name: userName ?? text('mail') ?? id,
    presence: active ? 'present' : 'disabledAtSource',
    ...(active ? {} : { byEntry: true }),
    attributes,
    onCreate: {},
    defaults: {},
    clear: [],
    kept: [],
    references: {},
    match,
  };
}

function createMapper(): (user: SourceUser) => DesiredUser {
  const mapping = compileWell(ATTRIBUTES.map(({ entry }) => entry));
  const known = new KnownAttributes(Object.keys(makePeople(1)[0]?.attributes ?? {}));
  const tenant = { defaultDomain: null };
  const scope = compileAny([]);
  const mapper = createPersonMapper({ mapping, scope, known, disabledAtSource: 'Deactivate', seed: null, tenant });
  const now = new Date('2026-03-01T09:00:00Z');
  return (user) => mapper.map(user, now).desired;
}

type Values = Readonly<Record<string, unknown>>;

function createJsonata(): (user: SourceUser) => Promise<Values> {
  const compiled = ATTRIBUTES.map(({ entry, jsonata: text }) => [entry.target, jsonata(text)] as const);
  return async ({ attributes }) => {
    const values: Record<string, unknown> = {};
    for (const [target, expression] of compiled) values[target] = await expression.evaluate(attributes);
    return values;
  };
}

function createCel(): (user: SourceUser) => Values {
  const env = celEnv({ funcs: strings });
  const compiled = ATTRIBUTES.map(({ entry, cel }) => [entry.target, plan(env, parse(cel))] as const);
  return ({ attributes }) => {
    const user = new Map(Object.entries(attributes)) as never;
    const values: Record<string, unknown> = {};
    for (const [target, run] of compiled) values[target] = run({ user });
    return values;
  };
}

export interface MappingTimes {
  /** Microseconds of processor time for one person: the least of several rounds. */
  readonly hand: number;
  readonly mapping: number;
  readonly jsonata: number;
  readonly cel: number;
}

const PEOPLE = 2000;
const ROUNDS = 25;

/** Rounds of all four take turns, so that a busy machine is as slow for each. */
export async function measureMapping(): Promise<MappingTimes> {
  const people = makePeople(PEOPLE);
  const run = { mapping: createMapper(), jsonata: createJsonata(), cel: createCel() };
  await checkAlike(people, run);
  const best = { hand: Infinity, mapping: Infinity, jsonata: Infinity, cel: Infinity };
  for (let round = 0; round < ROUNDS; round += 1) {
    best.hand = Math.min(best.hand, await time(people, mapByHand));
    best.mapping = Math.min(best.mapping, await time(people, run.mapping));
    if (round % 5 > 0) continue;
    best.jsonata = Math.min(best.jsonata, await time(people.slice(0, PEOPLE / 10), run.jsonata));
    best.cel = Math.min(best.cel, await time(people.slice(0, PEOPLE / 10), run.cel));
  }
  return best;
}

async function time(people: readonly SourceUser[], map: (user: SourceUser) => unknown): Promise<number> {
  let results = 0;
  const before = process.cpuUsage();
  for (const person of people) {
    const result = map(person);
    // Looked at, so that no work is left out whose result nobody wants.
    if ((result instanceof Promise ? await result : result) !== undefined) results += 1;
  }
  const { user, system } = process.cpuUsage(before);
  if (results !== people.length) throw new Error('somebody was mapped to nothing');
  return (user + system) / people.length;
}

interface Runs {
  readonly mapping: (user: SourceUser) => DesiredUser;
  readonly jsonata: (user: SourceUser) => Promise<Values>;
  readonly cel: (user: SourceUser) => Values;
}

async function checkAlike(people: readonly SourceUser[], { mapping, jsonata, cel }: Runs): Promise<void> {
  for (const user of people.slice(0, 100)) {
    const byHand = mapByHand(user);
    check(user, 'the mapping', mapping(user), byHand);
    check(user, 'JSONata', await jsonata(user), byHand.attributes);
    check(user, 'CEL', cel(user), byHand.attributes);
  }
}

function check({ id }: SourceUser, what: string, got: object, wanted: object): void {
  const sorted = (value: object): string => JSON.stringify(Object.entries(value).sort());
  const texts = [got, wanted].map((each) =>
    sorted('attributes' in each ? { ...each, attributes: sorted(each.attributes as object) } : each),
  );
  if (texts[0] !== texts[1]) throw new Error(`${what} gave ${id} ${texts[0]} and not ${texts[1]}`);
}
