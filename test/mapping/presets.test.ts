import { describe, expect, it } from 'vitest';
import {
  type AttributeEntry,
  type AttributeMappingSpec,
  PRESET_NAMES,
  type PresetName,
} from '../../src/api/attribute-mapping.ts';
import { SCIM_PROFILES } from '../../src/api/providers.ts';
import { DIRECTORIES, type DirectoryName } from '../../src/mapping/catalog.ts';
import { type CompiledMapping, compileMapping } from '../../src/mapping/compile.ts';
import { compileCustomAttributes } from '../../src/mapping/custom-attributes.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import { createPersonMapper } from '../../src/mapping/person.ts';
import { type LeavesOut, listPresetEntries, PRESET_OF } from '../../src/mapping/presets.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import type { Json } from '../../src/model.ts';
import { compileAny } from '../../src/rule/clause.ts';
import { scimTarget } from '../../src/targets/scim/index.ts';
import { aCustomAttribute, aMapping, toLine } from '../support/builders.ts';
import { namesOf, RECORDS } from '../support/directory-records.ts';

const U = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:';
const MANAGER = `${U}manager.value`;
const NICKNAME = 'urn:ietf:params:scim:schemas:extension:Microsoft:Entra:2.0:User:mailNickname';
const CONFIG = { url: 'https://app.example.com/scim/v2', credentialsRef: { name: 'app' } };

const leavesOutOf =
  (profile: (typeof SCIM_PROFILES)[number]): LeavesOut =>
  (paths, resource) =>
    scimTarget.leavesOut?.({ ...CONFIG, profile }, paths, resource) ?? [];

function compile(spec: AttributeMappingSpec, provider: DirectoryName = 'entra', leavesOut?: LeavesOut) {
  const problems: MappingProblem[] = [];
  const customs = compileCustomAttributes([aCustomAttribute('title'), aCustomAttribute('mail')], 'acme', problems);
  const resource = { ...aMapping([]), spec };
  const options = { provider, hasGroups: false, ...(leavesOut === undefined ? {} : { leavesOut }) };
  const mapping = compileMapping([resource], customs, options, problems);
  return { mapping, problems: problems.map(toLine) };
}

/** @param asked what is known besides, also where nobody has it */
function mapRecord(directory: DirectoryName, mapping: CompiledMapping, asked: string) {
  const mapper = createPersonMapper({
    mapping,
    scope: compileAny([]),
    known: new KnownAttributes([...namesOf(RECORDS[directory]), 'displayName', asked]),
    disabledAtSource: 'Deactivate',
    seed: 'test',
    tenant: { defaultDomain: null },
  });
  return mapper.map(RECORDS[directory], new Date(0));
}

const WITH_PRESET = DIRECTORIES.flatMap((directory) => {
  const preset = PRESET_OF[directory];
  return preset === undefined ? [] : [[directory, preset] as const];
});

/** What everybody below has in common. */
const COMMON: Readonly<Record<string, Json>> = {
  active: true,
  'name.givenName': 'Ada',
  'name.familyName': 'Byron',
  displayName: 'Ada Byron',
  'emails[type eq "work"].primary': true,
  title: 'Engineer',
  'addresses[type eq "work"].streetAddress': '1 High St',
  'addresses[type eq "work"].locality': 'York',
  'addresses[type eq "work"].postalCode': 'YO1',
  [`${U}employeeNumber`]: '0042',
  [`${U}organization`]: 'Corp',
};
const PHONES = {
  'phoneNumbers[type eq "work"].value': '+44 1904 1',
  'phoneNumbers[type eq "mobile"].value': '+44 7700 1',
  preferredLanguage: 'en-GB',
};
const DIVISION = { [`${U}division`]: 'North' };
const CENTER = { [`${U}costCenter`]: 'CC-7' };
const DEPARTMENT = { [`${U}department`]: 'Research' };
const TYPE = { userType: 'Full Time' };
const COUNTRY = 'addresses[type eq "work"].country';
const MAIL = 'emails[type eq "work"].value';

const EXPECTED: Readonly<Record<string, readonly [Readonly<Record<string, Json>>, string]>> = {
  entra: [
    {
      ...{ ...COMMON, ...PHONES, ...DIVISION, ...CENTER, ...DEPARTMENT, ...TYPE },
      userName: 'ada@corp.example',
      externalId: '7a1f0000-0000-4000-8000-000000000001',
      [MAIL]: 'Ada@example.com',
      'addresses[type eq "work"].region': 'North Yorkshire',
      [COUNTRY]: 'United Kingdom',
    },
    '7a1f0000-0000-4000-8000-000000000002',
  ],
  google: [
    {
      ...{ ...COMMON, ...PHONES, ...CENTER, ...DEPARTMENT },
      userName: 'ada@corp.example',
      externalId: '1001',
      [MAIL]: 'ada@corp.example',
      [COUNTRY]: 'UK',
    },
    'bo@corp.example',
  ],
  workos: [
    {
      ...{ ...COMMON, ...DIVISION, ...CENTER, ...DEPARTMENT, ...TYPE },
      userName: 'ada@corp.example',
      externalId: 'idp-1',
      [MAIL]: 'ada@example.com',
      [COUNTRY]: 'UK',
    },
    'bo@example.com',
  ],
  ldap: [
    {
      ...{ ...COMMON, ...PHONES, ...TYPE },
      userName: 'ada',
      externalId: '0c5d0000-0000-4000-8000-000000000001',
      [MAIL]: 'ada@example.com',
    },
    'uid=bo,dc=corp,dc=example',
  ],
  activeDirectory: [
    {
      ...{ ...COMMON, ...PHONES, ...DIVISION, ...DEPARTMENT, ...TYPE },
      userName: 'ada@corp.example',
      externalId: '5e2b0000-0000-4000-8000-000000000001',
      [COUNTRY]: 'United Kingdom',
    },
    'CN=Bo,DC=corp,DC=example',
  ],
  scim: [
    {
      ...{ ...COMMON, ...PHONES, ...DIVISION, ...CENTER, ...DEPARTMENT, ...TYPE },
      userName: 'ada@corp.example',
      externalId: '2819c223',
      [MAIL]: 'ada@example.com',
      [COUNTRY]: 'UK',
    },
    '26118915',
  ],
};

describe('a preset', () => {
  it('is there for every kind of directory but a file', () => {
    expect(WITH_PRESET.map(([, preset]) => preset)).toEqual(PRESET_NAMES);
    expect(Object.keys(EXPECTED)).toEqual(WITH_PRESET.map(([directory]) => directory));
  });

  it.each(WITH_PRESET)('of %s makes a user of a record of its API', (directory, preset) => {
    const { mapping, problems } = compile({ preset }, directory);
    expect(problems).toEqual([]);
    const { desired, errors } = mapRecord(directory, mapping, 'employeeNumber');
    const [attributes, manager] = EXPECTED[directory] ?? [];
    const primary = desired.attributes[MAIL] === undefined ? { 'emails[type eq "work"].primary': undefined } : {};
    expect(errors).toEqual([]);
    expect(desired.attributes).toEqual({ ...attributes, ...primary });
    expect(desired.references).toEqual({ [MANAGER]: manager });
    expect(desired.match.map(({ path }) => path)).toEqual(['userName', 'externalId']);
  });

  const combinations = PRESET_NAMES.flatMap((preset) => SCIM_PROFILES.map((profile) => [preset, profile] as const));
  it.each(combinations)('%s compiles for the profile %s, whose check finds no error', (preset, profile) => {
    const { mapping, problems } = compile({ preset }, 'entra', leavesOutOf(profile));
    expect(problems).toEqual([]);
    const use = { userPaths: [...mapping.paths.keys()], teamPaths: [], teams: false, deletes: false };
    const found = scimTarget.check({ ...CONFIG, profile }, use);
    expect(found.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(found.filter(({ message }) => message.includes('does not take'))).toEqual([]);
  });

  it.each<readonly [(typeof SCIM_PROFILES)[number], readonly string[]]>([
    ['Standard', []],
    ['AWSIdentityCenter', ['phoneNumbers[type eq "mobile"].value']],
    ['Sentry', ['externalId', 'displayName', 'title', MAIL]],
    ['Zoom', ['externalId', 'title', `${U}manager`]],
  ])('leaves out what %s does not take', (profile, out) => {
    const targets = listPresetEntries('EntraToSCIM', 'User', leavesOutOf(profile)).map(({ target }) => target);
    const all = listPresetEntries('EntraToSCIM', 'User').map(({ target }) => target);
    expect(all.filter((target) => !targets.includes(target))).toEqual(
      profile === 'Standard' || profile === 'AWSIdentityCenter' ? out : expect.arrayContaining([...out]),
    );
    expect(targets).toEqual(expect.arrayContaining(['userName', 'active']));
  });

  it.each<readonly [DirectoryName, string]>([
    ['entra', 'ada.byron'],
    ['google', 'ada'],
    ['workos', 'ada'],
    ['ldap', 'ada'],
    ['activeDirectory', 'ada'],
    ['scim', 'ada'],
  ])('of %s gives Entra ID the alias that it requires, and no other application', (directory, alias) => {
    const preset = PRESET_OF[directory] as PresetName;
    const { mapping, problems } = compile({ preset }, directory, leavesOutOf('MicrosoftEntra'));
    expect(problems).toEqual([]);
    const { desired, errors } = mapRecord(directory, mapping, 'mailNickname');
    expect(errors).toEqual([]);
    expect(desired.attributes[NICKNAME]).toBe(alias);
    for (const profile of SCIM_PROFILES.filter((each) => each !== 'MicrosoftEntra'))
      expect(listPresetEntries(preset, 'User', leavesOutOf(profile)).map(({ target }) => target)).not.toContain(
        NICKNAME,
      );
    expect(listPresetEntries(preset, 'User').map(({ target }) => target)).not.toContain(NICKNAME);
  });

  it.each(PRESET_NAMES)('%s writes every name with its prefix', (preset: PresetName) => {
    const { mapping } = compile({ preset });
    expect(mapping.usedNames.filter((name) => !/^(source|standard|predefined):/.test(name))).toEqual([]);
  });
});

describe('a preset of teams', () => {
  it.each<readonly [PresetName, string, string]>([
    ['EntraToSCIM', 'source:displayName', 'source:id'],
    ['GoogleToSCIM', 'source:name', 'source:id'],
    ['WorkOSToSCIM', 'source:name', 'source:idp_id'],
    ['LDAPToSCIM', 'source:cn', 'source:entryUUID'],
    ['ActiveDirectoryToSCIM', 'Coalesce([source:displayName], [source:cn])', 'source:objectGUID'],
    ['SCIMToSCIM', 'source:displayName', 'source:id'],
  ])('%s has %s for the name and %s for the mark', (preset, displayName, externalId) => {
    const form = (target: string, text: string): AttributeEntry =>
      text.includes('(') ? { target, expression: text } : { target, source: text };
    expect(listPresetEntries(preset, 'Team')).toEqual([
      form('displayName', displayName),
      form('externalId', externalId),
    ]);
  });

  it('leaves out the mark where the application keeps none', () => {
    const entries = listPresetEntries('EntraToSCIM', 'Team', leavesOutOf('Sentry'));
    expect(entries.map(({ target }) => target)).toEqual(['displayName']);
  });
});

describe('entries beside a preset', () => {
  const entryOf = (attributes: AttributeEntry[], path: string) => {
    const { mapping, problems } = compile({ preset: 'EntraToSCIM', attributes });
    return { entry: mapping.entries.find((each) => each.path === path), problems };
  };

  it('replace its entries by target, however the target is spelled', () => {
    const { entry, problems } = entryOf([{ target: 'USERTYPE', constant: 'Employee' }], 'userType');
    expect(problems).toEqual([]);
    expect(entry?.names).toEqual([]);
    expect(entryOf([], 'userType').entry?.names).toEqual(['source:employeeType']);
  });

  it('leave one out', () => {
    expect(entryOf([{ target: `${U}manager`, omit: true }], MANAGER)).toEqual({ entry: undefined, problems: [] });
  });

  it('are told that there is nothing to leave out', () => {
    expect(entryOf([{ target: 'nickName', omit: true }], 'nickName').problems).toEqual([
      'warning: /spec/attributes/0/omit there is no entry for "nickName" to be left out',
    ]);
  });

  it('leave out what an earlier mapping says, which a later one may say again', () => {
    const problems: MappingProblem[] = [];
    const customs = compileCustomAttributes([], 'acme', problems);
    const mappings = [
      { ...aMapping([]), spec: { preset: 'EntraToSCIM' as const } },
      aMapping([{ target: 'title', omit: true }], 'without'),
      aMapping([{ target: 'displayName', omit: true }], 'more'),
      aMapping([{ target: 'displayName', source: 'nick' }], 'last'),
    ];
    const mapping = compileMapping(mappings, customs, { provider: 'entra', hasGroups: false }, problems);
    expect(problems).toEqual([]);
    expect(mapping.entries.map(({ path }) => path)).not.toContain('title');
    expect(mapping.entries.find(({ path }) => path === 'displayName')?.names).toEqual(['nick']);
  });

  it('cannot leave out what nobody can do without', () => {
    expect(entryOf([{ target: 'userName', omit: true }], 'userName').problems).toEqual([
      '/spec/attributes the target requires userName, and no entry writes it',
    ]);
  });
});
