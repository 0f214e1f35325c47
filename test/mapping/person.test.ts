import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeResource, CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import { createPersonMapper, type PersonMapperOptions } from '../../src/mapping/person.ts';
import type { DesiredUser, Json, Presence, SourceUser } from '../../src/model.ts';
import { compileAny } from '../../src/rule/clause.ts';
import { aCustomAttribute, aSourceUser, BASE_ENTRIES, compileWell, MANAGER } from '../support/builders.ts';

const NOW = new Date('2026-03-01T09:00:00Z');
const ACME = 'urn:ietf:params:scim:schemas:extension:acme.corp:2.0:User';
const DATE = 'an RFC 3339 date-time, such as 2026-03-01T09:00:00Z, or a date, such as 2026-03-01';
const MANAGER_TARGET = MANAGER.replace(/\.value$/, '');

interface Mapping extends Partial<Omit<PersonMapperOptions, 'mapping' | 'known'>> {
  /** Beside userName and externalId. */
  readonly entries?: readonly AttributeEntry[];
  readonly customs?: CustomAttributeResource[];
  /** Columns that the read does not have. */
  readonly missing?: readonly string[];
  readonly base?: AttributeEntry[];
}

const COLUMNS = ['id', 'mail', 'title', 'department', 'manager', 'enabled', 'hire', 'tier', 'name', 'name.givenName'];

function createMapper({ entries = [], customs = [], missing = [], base = BASE_ENTRIES, ...options }: Mapping) {
  return createPersonMapper({
    mapping: compileWell([...base, ...entries], customs),
    scope: compileAny([]),
    known: new KnownAttributes(COLUMNS.filter((column) => !missing.includes(column))),
    disabledAtSource: 'Deactivate',
    seed: 'secret',
    tenant: { defaultDomain: null },
    ...options,
  });
}

function map(mapping: Mapping, user: SourceUser): { desired: DesiredUser; errors: string[] } {
  const { desired, errors } = createMapper(mapping).map(user, NOW);
  return { desired, errors: errors.map(({ id, code, message }) => `${id} ${code}: ${message}`) };
}

describe('a person', () => {
  it('gets the values of the entries, under the paths of the target', () => {
    const { desired, errors } = map(
      {
        entries: [
          { target: 'name.givenName', source: 'name.givenName' },
          { target: 'displayName', expression: 'Join(" ", [name.givenName], [title])' },
          { target: 'userType', constant: 'Employee' },
          { target: 'emails[type eq "work"].value', source: 'mail' },
        ],
      },
      aSourceUser({ name: { givenName: 'Ada' }, title: 'Engineer' }),
    );
    expect(errors).toEqual([]);
    expect(desired).toEqual({
      sourceId: 'p1',
      name: 'p1@example.com',
      presence: 'present',
      attributes: {
        active: true,
        userName: 'p1@example.com',
        externalId: 'p1',
        'name.givenName': 'Ada',
        displayName: 'Ada Engineer',
        userType: 'Employee',
        'emails[type eq "work"].value': 'p1@example.com',
      },
      onCreate: {},
      defaults: {},
      clear: [],
      kept: [],
      references: {},
      match: [
        { path: 'userName', value: 'p1@example.com' },
        { path: 'externalId', value: 'p1' },
      ],
    });
  });

  it.each<readonly [AttributeEntry, Json, Partial<DesiredUser>, string]>([
    [{ target: 'title', source: 'title' }, 'Boss', {}, 'a value holds always'],
    [{ target: 'title', source: 'title' }, '', {}, 'an empty value keeps what the target has'],
    [{ target: 'title', source: 'title', onEmpty: 'Clear' }, null, { clear: ['title'] }, 'or clears it'],
    [{ target: 'title', source: 'title', onEmpty: 'Clear' }, [''], { clear: ['title'] }, 'a list of nothing is empty'],
    [{ target: 'title', source: 'title', onEmpty: 'Clear' }, ' ', { clear: [] }, 'a blank is a value'],
    [
      { target: 'title', source: 'title', default: 'n/a' },
      '',
      { defaults: { title: 'n/a' } },
      'a default for the first request',
    ],
    [{ target: 'title', source: 'title', default: 'n/a' }, 'Boss', { defaults: {} }, 'which a value replaces'],
    [{ target: 'title', default: 'n/a' }, 'Boss', { defaults: { title: 'n/a' } }, 'a default alone'],
    [
      { target: 'title', source: 'title', default: 'n/a', onEmpty: 'Clear' },
      '',
      { defaults: { title: 'n/a' }, clear: ['title'] },
      'a default and clearing are both told: plan knows which counts',
    ],
    [{ target: 'title', source: 'title', apply: 'OnCreate' }, 'Boss', { onCreate: { title: 'Boss' } }, 'once only'],
    [
      { target: 'title', source: 'title', apply: 'OnCreate', onEmpty: 'Clear' },
      '',
      { clear: [] },
      'what is written once is never cleared',
    ],
  ])('%j with %j: %#, %s', (entry, title, expected) => {
    const { desired, errors } = map({ entries: [entry] }, aSourceUser({ title }));
    expect(errors).toEqual([]);
    expect(desired).toMatchObject(expected);
    const isWritten = entry.source !== undefined && entry.apply === undefined && title !== '' && title !== null;
    expect('title' in desired.attributes).toBe(isWritten && !Array.isArray(title));
  });

  it('has the manager as a source id, whatever type the id has', () => {
    const entries = [{ target: MANAGER_TARGET, source: 'manager' }];
    const { desired } = map({ entries }, aSourceUser({ manager: 17 }));
    expect(desired.references).toEqual({ [MANAGER]: '17' });
    expect(desired.attributes).not.toHaveProperty([MANAGER]);
    const cleared = map({ entries: [{ target: MANAGER_TARGET, source: 'manager', onEmpty: 'Clear' }] }, aSourceUser());
    expect(cleared.desired).toMatchObject({ references: {}, clear: [MANAGER] });
  });

  it.each<readonly [Mapping, SourceUser, string, string]>([
    [{}, aSourceUser(), 'p1@example.com', 'the userName'],
    [
      { base: [{ target: 'userName', source: 'mail', apply: 'OnCreate', matching: { precedence: 1 } }] },
      aSourceUser(),
      'p1@example.com',
      'also one that is written once',
    ],
    [
      { entries: [{ target: 'emails[type eq "work"].value', source: 'title' }], missing: ['mail'] },
      aSourceUser({ title: 'a@example.com' }),
      'a@example.com',
      'else a mail address',
    ],
    [{ missing: ['mail'] }, aSourceUser(), 'p1', 'else the id'],
  ])('is shown by name: %#, %s', (mapping, user, name) => {
    expect(map(mapping, user).desired.name).toBe(name);
  });
});

describe('a value that does not fit', () => {
  it('is an error of this attribute alone, which stays as it is (I8)', () => {
    const { desired, errors } = map(
      {
        entries: [
          { target: 'active', source: 'enabled' },
          { target: 'title', source: 'title' },
        ],
      },
      aSourceUser({ enabled: 'maybe', title: 'Boss' }),
    );
    expect(errors).toEqual(['p1 RecordInvalid: attribute "active": "maybe" is not a Boolean; expected true or false']);
    expect(desired).toMatchObject({ presence: 'present', kept: ['active'], attributes: { title: 'Boss' } });
    expect(desired.attributes).not.toHaveProperty('active');
  });

  it.each<readonly [Partial<CustomAttributeSpec>, Json, Json | string]>([
    [{ type: 'Decimal' }, '0.8', 0.8],
    [{ type: 'Decimal' }, 'half', '"half" is not a decimal number; expected digits with a point, such as 3.14'],
    [{ type: 'Binary' }, 'aGVsbG8=', 'aGVsbG8='],
    [{ type: 'DateTime' }, 'June sixth', `"June sixth" is not a date; expected ${DATE}`],
    [{ type: 'Complex' }, { floor: 2, room: null }, { floor: 2 }],
    [{ type: 'Complex', multiValued: true }, [{ floor: 2 }, '{"floor":3}'], [{ floor: 2 }, { floor: 3 }]],
    [{ type: 'Integer', multiValued: true, separator: ';' }, '1; 2;', [1, 2]],
  ])('is told by the type of the CustomAttribute: %j of %j', (spec, value, expected) => {
    const customs = [aCustomAttribute('tier', { path: `${ACME}:tier`, ...spec })];
    const { desired, errors } = map(
      { entries: [{ target: 'tier', source: 'tier' }], customs },
      aSourceUser({ tier: value }),
    );
    if (typeof expected === 'string' && expected.startsWith('"')) {
      expect(errors).toEqual([`p1 RecordInvalid: attribute "tier": ${expected}`]);
      expect(desired.kept).toEqual([`${ACME}:tier`]);
    } else {
      expect(errors).toEqual([]);
      expect(desired.attributes).toHaveProperty([`${ACME}:tier`], expected);
    }
  });

  it('is read and written by the format of the entry', () => {
    const customs = [aCustomAttribute('start', { path: `${ACME}:start`, type: 'DateTime' })];
    const entries: AttributeEntry[] = [
      { target: 'start', source: 'hire', format: 'dd/MM/yyyy' },
      { target: 'title', source: 'custom:start', format: 'd MMM yyyy' },
    ];
    const { desired, errors } = map({ entries, customs }, aSourceUser({ hire: '06/06/2026' }));
    expect(errors).toEqual([]);
    expect(desired.attributes).toMatchObject({ [`${ACME}:start`]: '2026-06-06T00:00:00.000Z', title: '6 Jun 2026' });
    expect(map({ entries, customs }, aSourceUser({ hire: 'June sixth' }))).toMatchObject({
      desired: { presence: 'present', kept: [`${ACME}:start`, 'title'] },
      errors: [
        'p1 RecordInvalid: attribute "start": "June sixth" is not a date; expected a date of the form dd/MM/yyyy, such as 01/03/2026',
      ],
    });
  });

  it('is shown in part where it is long', () => {
    const entries = [{ target: 'active', source: 'enabled' }];
    const [error = ''] = map({ entries }, aSourceUser({ enabled: 'x'.repeat(1000) })).errors;
    expect(error).toMatch(/: "x{199}… is not a Boolean; expected true or false$/);
  });

  it('refers to a person by a CustomAttribute', () => {
    const customs = [
      aCustomAttribute('buddy', { path: `${ACME}:buddy`, type: 'Reference', references: { resource: 'User' } }),
    ];
    const mapping = { entries: [{ target: 'buddy', source: 'manager' }], customs };
    expect(map(mapping, aSourceUser({ manager: 'p2' })).desired).toMatchObject({
      references: { [`${ACME}:buddy`]: 'p2' },
    });
  });

  it('refers to several teams by a CustomAttribute that is a list', () => {
    const teams = { type: 'Reference', references: { resource: 'Team' }, multiValued: true, separator: ';' } as const;
    const customs = [aCustomAttribute('homes', { path: `${ACME}:homes`, ...teams })];
    const mapping = { entries: [{ target: 'homes', source: 'manager' }], customs };
    expect(map(mapping, aSourceUser({ manager: 'g-1; Sales;' })).desired).toMatchObject({
      references: { [`${ACME}:homes`]: ['g-1', 'Sales'] },
    });
    expect(compileWell([...BASE_ENTRIES, ...mapping.entries], customs).paths.get(`${ACME}:homes`)).toMatchObject({
      reference: 'Team',
      multiValued: true,
    });
  });

  it('names a value that the CustomAttribute may not have', () => {
    const customs = [aCustomAttribute('tier', { canonicalValues: ['bronze', 'silver'], path: 'nickName' })];
    const mapping = { entries: [{ target: 'tier', source: 'tier' }], customs };
    expect(map(mapping, aSourceUser({ tier: 'BRONZE' })).errors).toEqual([]);
    expect(map(mapping, aSourceUser({ tier: 'gold' }))).toMatchObject({
      desired: { kept: ['nickName'], presence: 'present' },
      errors: ['p1 RecordInvalid: attribute "tier": "gold" is not a canonical value; expected one of bronze, silver'],
    });
  });

  it('holds the person back where it is required, or what accounts are matched by', () => {
    const required = map(
      { entries: [{ target: 'title', source: 'title', required: true }] },
      aSourceUser({ title: { a: 1 } }),
    );
    expect(required.desired.presence).toBe('undecided');
    const matching = map({}, aSourceUser({ mail: { a: 1 } }));
    expect(matching.desired.presence).toBe('undecided');
    expect(matching.errors).toHaveLength(1);
  });

  it('is unknown to what reads it', () => {
    const customs = [aCustomAttribute('tier', { canonicalValues: ['bronze'] })];
    const { desired } = map(
      {
        entries: [
          { target: 'tier', source: 'tier' },
          { target: 'title', source: 'custom:tier' },
        ],
        customs,
      },
      aSourceUser({ tier: 'gold' }),
    );
    expect(desired.kept).toEqual(['urn:acme:2.0:User:tier', 'title']);
  });
});

describe('required', () => {
  const entries = [{ target: 'title', source: 'title', required: true }];

  it('holds back whoever has no value, and nobody else', () => {
    expect(map({ entries }, aSourceUser({ title: '' }))).toMatchObject({
      desired: { presence: 'undecided' },
      errors: ['p1 RecordInvalid: attribute "title" is required and empty'],
    });
    expect(map({ entries }, aSourceUser({ title: 'Boss' })).errors).toEqual([]);
  });

  const custom = aCustomAttribute('tier', { required: true, path: 'nickName' });

  it.each<readonly [AttributeEntry, Json, DesiredUser['creation'], string]>([
    [{ target: 'tier', source: 'tier' }, 'gold', undefined, 'a value'],
    [
      { target: 'tier', source: 'tier' },
      '',
      { errors: ['attribute "tier" is required and empty'], held: true },
      'an empty one asks something of a new account alone',
    ],
    [{ target: 'tier', source: 'tier', default: 'bronze' }, '', undefined, 'which has a default'],
    [
      { target: 'title', source: 'source:tier', apply: 'OnCreate', required: true },
      '',
      { errors: ['attribute "title" is required and empty'], held: true },
      'a value that is written once',
    ],
    [
      { target: 'title', source: 'source:tier', apply: 'OnCreate' },
      { a: 1 },
      { errors: ['attribute "title": {"a":1} is not text; expected text, such as "Sales"'], held: false },
      'or one that does not fit, without which the account can be made',
    ],
  ])('of a new account alone: %j of %j, %#', (entry, tier, creation) => {
    const { desired, errors } = map({ entries: [entry], customs: [custom] }, aSourceUser({ tier }));
    expect(errors).toEqual([]);
    expect(desired.presence).toBe('present');
    expect(desired.creation).toEqual(creation);
  });

  it('is an error of everybody where the value of a required attribute does not fit, and keeps back new ones', () => {
    const mapper = { entries: [{ target: 'tier', source: 'tier' }], customs: [custom] };
    const { desired, errors } = map(mapper, aSourceUser({ tier: { a: 1 } }));
    expect(errors).toHaveLength(1);
    expect(desired).toMatchObject({ presence: 'present', kept: ['nickName'] });
    expect(compileWell([...BASE_ENTRIES, ...mapper.entries], [custom]).paths.get('nickName')?.required).toBe(true);
  });

  it('is no matter of people who leave: they leave without values, and nothing is reported', () => {
    const outOfScope = compileAny([[{ attribute: 'department', operator: 'Equals', value: 'Sales' }]]);
    expect(map({ entries, scope: outOfScope }, aSourceUser({ title: '', department: 'IT' }))).toMatchObject({
      desired: { presence: 'outOfScope' },
      errors: [],
    });
    expect(map({ entries }, aSourceUser({ title: '' }, { active: false }))).toMatchObject({
      desired: { presence: 'disabledAtSource', attributes: {}, clear: [], name: 'p1@example.com' },
      errors: [],
    });
  });

  it('says nothing of an unknown value', () => {
    expect(map({ entries, missing: ['title'] }, aSourceUser())).toMatchObject({
      desired: { presence: 'present', kept: ['title'] },
      errors: [],
    });
  });
});

describe('unknown (I13)', () => {
  it('keeps the target’s value, whatever the entry says of empty ones', () => {
    const { desired, errors } = map(
      {
        entries: [
          { target: 'title', source: 'title', onEmpty: 'Clear', default: 'n/a' },
          { target: 'displayName', expression: 'Coalesce([title], [department])' },
        ],
        missing: ['title'],
      },
      aSourceUser({ department: 'IT' }),
    );
    expect(errors).toEqual([]);
    expect(desired).toMatchObject({ kept: ['title', 'displayName'], clear: [], defaults: {} });
  });

  it('is a matter of one record too', () => {
    const entries = [{ target: 'title', source: 'title' }];
    expect(map({ entries }, aSourceUser({}, { unknown: ['title'] })).desired.kept).toEqual(['title']);
    expect(map({ entries }, aSourceUser({ title: null })).desired.kept).toEqual([]);
  });

  it('is counted by name for everybody, the scope included', () => {
    const scope = compileAny([[{ attribute: 'country', operator: 'Equals', value: 'UK' }]]);
    const mapper = createMapper({ entries: [{ target: 'title', source: 'title' }], missing: ['title'], scope });
    expect(mapper.missingNames).toEqual(['title', 'country']);
  });

  it('matches nobody by it, and leaves to the plan what that means', () => {
    const base: AttributeEntry[] = [{ target: 'userName', source: 'mail', matching: { precedence: 1 } }];
    expect(map({ base, missing: ['mail'] }, aSourceUser())).toMatchObject({
      desired: { presence: 'present', kept: ['userName'], match: [] },
      errors: [],
    });
  });
});

describe('matching', () => {
  it('tries attributes by precedence, those that have a value', () => {
    const base: AttributeEntry[] = [
      { target: 'userName', source: 'mail', matching: { precedence: 2 } },
      { target: 'externalId', source: 'id', apply: 'OnCreate', matching: { precedence: 1 } },
    ];
    expect(map({ base }, aSourceUser()).desired.match).toEqual([
      { path: 'externalId', value: 'p1' },
      { path: 'userName', value: 'p1@example.com' },
    ]);
    expect(map({ base }, aSourceUser({ mail: '' })).desired.match).toEqual([{ path: 'externalId', value: 'p1' }]);
  });

  it('is an error of whoever has none of them', () => {
    expect(map({}, aSourceUser({ mail: '', id: '' }))).toMatchObject({
      desired: { presence: 'undecided' },
      errors: [
        'p1 RecordInvalid: no matching attribute has a value (userName, externalId): there is nothing to find or create the account by',
      ],
    });
  });
});

describe('a CustomAttribute', () => {
  it('is split, checked, written to its path and read by other entries', () => {
    const customs = [
      aCustomAttribute('tiers', {
        path: 'urn:acme:2.0:User:tiers',
        multiValued: true,
        separator: ';',
        type: 'Integer',
      }),
    ];
    const { desired } = map(
      {
        entries: [
          { target: 'tiers', source: 'tier' },
          { target: 'title', source: 'tiers' },
        ],
        customs,
      },
      aSourceUser({ tier: '1; 2;' }),
    );
    expect(desired.attributes).toMatchObject({ 'urn:acme:2.0:User:tiers': [1, 2], title: '1' });
  });

  it('is read by its bare name, which means the source’s attribute in its own entry', () => {
    const { desired } = map(
      {
        entries: [
          { target: 'tier', expression: 'ToUpper([tier])' },
          { target: 'title', source: 'tier' },
        ],
        customs: [aCustomAttribute('tier')],
      },
      aSourceUser({ tier: 'gold' }),
    );
    expect(desired.attributes).toMatchObject({ title: 'GOLD', 'urn:acme:2.0:User:tier': 'GOLD' });
  });

  it('that is empty is null to what reads it', () => {
    const { desired } = map(
      {
        entries: [
          { target: 'tier', source: 'tier', default: 'bronze' },
          { target: 'title', expression: 'IIF(IsPresent([tier]), "has one", "has none")' },
        ],
        customs: [aCustomAttribute('tier')],
      },
      aSourceUser({ tier: '' }),
    );
    expect(desired.attributes).toMatchObject({ title: 'has none' });
  });
});

describe('presence', () => {
  const sales = compileAny([[{ attribute: 'department', operator: 'Equals', value: 'Sales' }]]);
  const inScope = { department: 'Sales' };
  const out = { department: 'IT' };
  const entries: AttributeEntry[] = [{ target: 'active', source: 'enabled' }];
  type Policy = PersonMapperOptions['disabledAtSource'];

  interface Case {
    readonly given: Record<string, Json>;
    readonly active: boolean;
    readonly policy?: Policy;
    readonly presence: Presence;
    readonly because: string;
  }

  it.each<Case & { value?: boolean }>([
    { given: inScope, active: true, presence: 'present', value: true, because: 'in scope and active' },
    { given: inScope, active: false, presence: 'disabledAtSource', value: false, because: 'inactive' },
    {
      given: inScope,
      active: false,
      policy: 'Retain',
      presence: 'disabledAtSource',
      value: false,
      because: 'retained',
    },
    { given: inScope, active: false, policy: 'Delete', presence: 'disabledAtSource', value: false, because: 'deleted' },
    { given: out, active: true, presence: 'outOfScope', because: 'the scope says no' },
    { given: out, active: false, policy: 'Delete', presence: 'outOfScope', because: 'scope is asked first' },
  ])('without an entry for active, $because: $presence', ({ given, active, policy = 'Deactivate', ...expected }) => {
    const { desired } = map({ scope: sales, disabledAtSource: policy }, aSourceUser(given, { active }));
    expect(desired.presence).toBe(expected.presence);
    expect(desired.attributes['active']).toBe(expected.value);
    expect(desired.byEntry).toBeUndefined();
  });

  const True = { enabled: 'True' };
  const False = { enabled: 'False' };
  const empty = { enabled: '' };
  const wrong = { enabled: 'maybe' };
  const gone = 'disabledAtSource';

  it.each<Case & { byEntry?: true }>([
    { given: True, active: true, presence: 'present', because: 'both say active' },
    { given: True, active: false, presence: 'present', because: 'the entry decides' },
    { given: True, active: false, policy: 'Retain', presence: 'present', because: 'the entry decides, retained' },
    {
      given: True,
      active: false,
      policy: 'Delete',
      presence: gone,
      because: 'whom the source disables may be deleted',
    },
    { given: False, active: false, presence: gone, because: 'both say inactive' },
    { given: False, active: true, presence: gone, byEntry: true, because: 'the entry decides against the source' },
    { given: False, active: true, policy: 'Delete', presence: gone, byEntry: true, because: 'an entry deletes nobody' },
    { given: empty, active: true, presence: 'present', because: 'an empty value leaves it to the source' },
    { given: empty, active: false, presence: gone, because: 'an empty value leaves it to the source, inactive' },
    { given: wrong, active: true, presence: 'present', because: 'a wrong value is kept as the target has it' },
    { given: wrong, active: false, presence: 'undecided', because: 'nobody can tell: nothing changes' },
  ])('with an entry for active, $because: $presence', ({ given, active, policy = 'Deactivate', ...expected }) => {
    const { desired } = map({ entries, disabledAtSource: policy }, aSourceUser(given, { active }));
    expect(desired.presence).toBe(expected.presence);
    expect(desired.byEntry).toBe(expected.byEntry);
  });

  it('gives a new account the state of the source where the entry has no value', () => {
    const { desired } = map({ entries }, aSourceUser({ enabled: '' }));
    expect(desired.defaults).toEqual({ active: true });
    expect(desired.attributes).not.toHaveProperty('active');
    const withDefault = map({ entries: [{ target: 'active', source: 'enabled', default: false }] }, aSourceUser());
    expect(withDefault.desired.defaults).toEqual({ active: false });
  });

  it('is undecided where the scope refers to an unknown attribute (I13)', () => {
    expect(map({ scope: sales, missing: ['department'] }, aSourceUser()).desired.presence).toBe('undecided');
    const record = aSourceUser(inScope, { unknown: ['department'] });
    expect(map({ scope: sales }, record).desired.presence).toBe('undecided');
    expect(map({ scope: sales }, aSourceUser({ department: null })).desired.presence).toBe('outOfScope');
  });

  it('can depend on a CustomAttribute', () => {
    const scope = compileAny([[{ attribute: 'tier', operator: 'Equals', value: 'GOLD' }]]);
    const mapping = { entries: [{ target: 'tier', source: 'tier' }], customs: [aCustomAttribute('tier')], scope };
    expect(map(mapping, aSourceUser({ tier: 'gold' })).desired.presence).toBe('present');
    expect(map(mapping, aSourceUser({ tier: 'lead' })).desired.presence).toBe('outOfScope');
  });
});
