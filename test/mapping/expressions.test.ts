import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import { compileMapping } from '../../src/mapping/compile.ts';
import { compileCustomAttributes } from '../../src/mapping/custom-attributes.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import { createPersonMapper, type MappedPerson } from '../../src/mapping/person.ts';
import type { Json } from '../../src/model.ts';
import { compileAny } from '../../src/rule/clause.ts';
import { aCustomAttribute, aMapping, aSourceUser, BASE_ENTRIES, compile, compileWell } from '../support/builders.ts';

const NOW = new Date('2026-03-01T09:00:00Z');
const NO_CUSTOMS = compileCustomAttributes([], '', []);
const COLUMNS = ['id', 'mail', 'title', 'hire', 'first'];

interface Given {
  readonly user?: Readonly<Record<string, Json>>;
  readonly id?: string;
  readonly seed?: string;
  readonly now?: Date;
}

function map(
  entries: AttributeEntry[],
  { user = {}, id = 'p1', seed = 'secret', now = NOW }: Given = {},
): MappedPerson {
  const { mapping } = compile([...BASE_ENTRIES, ...entries], [aCustomAttribute('start', { type: 'DateTime' })]);
  const mapper = createPersonMapper({
    mapping,
    scope: compileAny([]),
    known: new KnownAttributes(COLUMNS),
    disabledAtSource: 'Deactivate',
    seed,
    tenant: { defaultDomain: null },
  });
  return mapper.map({ ...aSourceUser({ id, ...user }), id }, now);
}

function problemsOf(entry: AttributeEntry): string[] {
  return compile([...BASE_ENTRIES, entry]).problems.map((problem) => problem.replace('/spec/attributes/2', ''));
}

describe('an expression that says that nothing flows', () => {
  it('leaves the attribute as the target has it: no default, nothing cleared', () => {
    const entry: AttributeEntry = {
      target: 'title',
      expression: 'IgnoreFlowIfNullOrEmpty([title])',
      default: 'n/a',
      onEmpty: 'Clear',
      required: true,
    };
    const { desired, errors } = map([entry], { user: { title: '' } });
    expect(desired).toMatchObject({ presence: 'present', defaults: {}, clear: [], kept: ['title'] });
    expect(errors).toEqual([]);
    expect(map([entry], { user: { title: 'Boss' } }).desired.attributes['title']).toBe('Boss');
  });

  it('leaves the person as they are for IgnoreObjectFlow, without an error', () => {
    const entry: AttributeEntry = {
      target: 'title',
      expression: 'IIF([title] = "none", IgnoreObjectFlow, [title])',
    };
    const { desired, errors } = map([entry], { user: { title: 'none' } });
    expect([desired.presence, errors]).toEqual(['undecided', []]);
    expect(map([entry], { user: { title: 'Boss' } }).desired.presence).toBe('present');
  });

  it('keeps nobody in who leaves', () => {
    const entry: AttributeEntry = { target: 'title', expression: 'Coalesce([title], IgnoreObjectFlow)' };
    const mapper = createPersonMapper({
      mapping: compileWell([...BASE_ENTRIES, entry]),
      scope: compileAny([]),
      known: new KnownAttributes(COLUMNS),
      disabledAtSource: 'Deactivate',
      seed: null,
      tenant: { defaultDomain: null },
    });
    const { desired } = mapper.map({ ...aSourceUser({ title: null }), active: false }, NOW);
    expect(desired.presence).toBe('disabledAtSource');
  });

  it('reads as absent in entries that follow', () => {
    const { desired } = map([
      { target: 'start', expression: 'IgnoreFlowIfNullOrEmpty([hire])' },
      { target: 'title', expression: 'Coalesce([custom:start], "none")' },
    ]);
    expect(desired.attributes['title']).toBe('none');
  });
});

describe('the function Error', () => {
  it('holds back the person and not only the attribute', () => {
    const { desired, errors } = map([{ target: 'title', expression: 'Error("no title")' }]);
    expect(desired.presence).toBe('undecided');
    expect(errors.map(({ message }) => message)).toEqual(['no title']);
  });
});

describe('SelectUniqueValue', () => {
  const entry: AttributeEntry = {
    target: 'nickName',
    expression: 'SelectUniqueValue([first], Append([first], "2"))',
    apply: 'OnCreate',
  };

  it('leaves as candidates, of which the first is the value for a new account', () => {
    const { desired } = map([entry], { user: { first: 'ada' } });
    expect(desired.onCreate).toEqual({ nickName: 'ada' });
    expect(desired.candidates).toEqual({ nickName: ['ada', 'ada2'] });
    expect(map([entry]).desired.candidates).toBeUndefined();
  });

  it('belongs to the making of an account', () => {
    expect(problemsOf({ ...entry, apply: 'Always' })).toEqual([
      '/expression SelectUniqueValue chooses when the account is made: write apply: OnCreate',
    ]);
    expect(problemsOf({ ...entry, matching: { precedence: 3 } })).toContain(
      '/matching "nickName" cannot match accounts by a value that is chosen among several',
    );
  });
});

describe('time and chance', () => {
  const guid: AttributeEntry = { target: 'nickName', expression: 'Guid()', apply: 'OnCreate' };
  const nickNameOf = (entries: AttributeEntry[], given?: Given) => map(entries, given).desired.onCreate['nickName'];

  it('give a person the same value on every run of an installation', () => {
    expect(nickNameOf([guid])).toBe(nickNameOf([guid], { now: new Date(0) }));
    expect(nickNameOf([guid])).not.toBe(nickNameOf([guid], { id: 'p2' }));
    expect(nickNameOf([guid])).not.toBe(nickNameOf([guid], { seed: 'another' }));
    const other = map([guid, { target: 'title', expression: 'Guid()', apply: 'OnCreate' }]).desired.onCreate;
    expect(other['nickName']).toBe(nickNameOf([guid]));
    expect(other['title']).not.toBe(other['nickName']);
  });

  it('take one moment for the whole run', () => {
    expect(nickNameOf([{ target: 'nickName', expression: 'Now()', apply: 'OnCreate' }])).toBe('3/1/2026 9:00:00 AM');
  });

  it.each(['Now()', 'CStr(Guid())', 'RandomString(8, 1, 1, 1, 1)'])(
    '%s under apply: Always is a warning',
    (expression) => {
      const name = expression.replace('CStr(', '').split('(')[0];
      expect(problemsOf({ target: 'title', expression })).toEqual([
        `warning: /expression ${name}() under apply: Always may give another value on every run; write apply: OnCreate to keep the first`,
      ]);
      expect(problemsOf({ target: 'title', expression, apply: 'OnCreate' })).toEqual([]);
    },
  );
});

describe('what Entra and other providers differ in', () => {
  it.each([
    ['SingleAppRoleAssignment([roles])', 'column 1: SingleAppRoleAssignment: the provider file has no app roles'],
    ['Append("a@", DefaultDomain())', 'column 14: DefaultDomain: the provider file has no default domain'],
    ['ToLower([custom:no])', 'column 9: there is no CustomAttribute "no"'],
    ['Join(\n  "", [custom:no])', 'line 2, column 7: there is no CustomAttribute "no"'],
  ])('%s is refused', (expression, message) => {
    expect(problemsOf({ target: 'title', expression })).toEqual([expect.stringContaining(`/expression ${message}`)]);
  });

  it('says where a function stands that the source has nothing for, and takes it where nobody said which source it is', () => {
    const expression = 'IIF(IsPresent([mail]),\n  SingleAppRoleAssignment([roles]),\n  "")';
    expect(problemsOf({ target: 'title', expression })).toEqual([
      '/expression line 2, column 3: SingleAppRoleAssignment: the provider file has no app roles',
    ]);
    const entries: AttributeEntry[] = [...BASE_ENTRIES, { target: 'title', expression }];
    const offers = { appRoles: true, defaultDomain: false, photos: null };
    expect(compile(entries, [], { provider: 'entra', offers }).problems).toEqual([]);
    expect(
      compileMapping([aMapping(entries)], NO_CUSTOMS, { provider: 'file', hasGroups: false }, []).entries,
    ).toHaveLength(3);
  });

  it.each([
    [
      { expression: 'AppRoleAssignmentsComplex([roles])' },
      'warning: /expression column 1: AppRoleAssignmentsComplex gives no roles to whoever is not assigned to the application, and the scope takes them too; leave them out with scope.users: AssignedToApplication',
    ],
    [
      { expression: 'AssertiveAppRoleAssignmentsComplex([roles])', onEmpty: 'Clear' },
      'warning: /expression column 1: AssertiveAppRoleAssignmentsComplex gives no roles to whoever is not assigned to the application, and the scope takes them too; leave them out with scope.users: AssignedToApplication',
    ],
    [{ expression: 'SingleAppRoleAssignment([roles])', target: 'title' }, null],
  ] as const)('warns of a list of roles where everybody is in scope: %j', (entry, warning) => {
    const entries: AttributeEntry[] = [...BASE_ENTRIES, { target: 'roles', ...entry }];
    const of = (takes: boolean) =>
      compile(entries, [], { offers: { appRoles: true, defaultDomain: true, photos: null }, takesUnassigned: takes })
        .problems;
    expect(of(true)).toEqual(warning === null ? [] : [warning.replace('/expression', '/spec/attributes/2/expression')]);
    expect(of(false)).toEqual([]);
  });

  it.each([
    [
      { expression: 'AppRoleAssignmentsComplex([roles])', onEmpty: 'Clear' },
      '/spec/attributes/2/onEmpty AppRoleAssignmentsComplex adds roles and takes none away: onEmpty: Clear is for AssertiveAppRoleAssignmentsComplex',
    ],
    [
      { expression: 'AssertiveAppRoleAssignmentsComplex([roles])' },
      'warning: /spec/attributes/2/expression AssertiveAppRoleAssignmentsComplex gives an empty list to whoever has no role any more; write onEmpty: Clear so that their last one goes too',
    ],
  ] as const)('knows what an empty list of roles means: %j', (entry, problem) => {
    const entries: AttributeEntry[] = [...BASE_ENTRIES, { target: 'roles', ...entry }];
    const offers = { appRoles: true, defaultDomain: true, photos: null };
    expect(compile(entries, [], { offers }).problems).toEqual([problem]);
  });

  it('warns of a reference attribute in Switch, and of app roles without a function', () => {
    expect(problemsOf({ target: 'title', expression: 'Switch([manager], "", "x", "y")' })).toEqual([
      'warning: /expression column 1: Switch on [manager] compares what refers to a person; it is no text that means the same in the target',
    ]);
    expect(problemsOf({ target: 'title', source: 'appRoleAssignments' })).toEqual([
      'warning: /source appRoleAssignments by itself is the roles of every application; use SingleAppRoleAssignment or AppRoleAssignmentsComplex',
    ]);
  });
});

describe('a date', () => {
  it('is RFC 3339 where the target takes dates, and as Entra prints it elsewhere', () => {
    const { desired } = map(
      [
        { target: 'start', expression: 'CDate([hire])' },
        { target: 'title', expression: 'CDate([hire])' },
      ],
      { user: { hire: '2026-03-16-07:00' } },
    );
    expect(desired.attributes).toMatchObject({
      'urn:acme:2.0:User:start': '2026-03-16T07:00:00.000Z',
      title: '3/16/2026 7:00:00 AM',
    });
  });

  it('is written to a text by the format of the entry, and not read by it', () => {
    const { desired, errors } = map(
      [
        { target: 'start', expression: 'DateAdd("d", 1, [hire])', format: 'dd.MM.yyyy' },
        { target: 'title', expression: 'DateAdd("d", 1, [hire])', format: 'dd.MM.yyyy' },
      ],
      { user: { hire: '2026-03-16T07:00:00Z' } },
    );
    expect(errors).toEqual([]);
    expect(desired.attributes).toMatchObject({
      'urn:acme:2.0:User:start': '2026-03-17T07:00:00.000Z',
      title: '17.03.2026',
    });
  });
});
