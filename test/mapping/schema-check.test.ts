import { describe, expect, it } from 'vitest';
import { compareSchemas, type SchemaFinding, type Wanted } from '../../src/mapping/schema-check.ts';
import {
  type AttributeDefinition,
  CORE_GROUP,
  CORE_USER,
  createSchemaSet,
  ENTERPRISE_USER,
  type SchemaDefinition,
  toAttributeDefinition,
  URN_ENTERPRISE_USER,
  URN_USER,
} from '../../src/scim/schema.ts';

const TIER = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';

/** The RFC's schemas, with some attributes of the user changed. */
function aTarget(changes: Record<string, Partial<AttributeDefinition>> = {}, more: readonly SchemaDefinition[] = []) {
  const attributes = CORE_USER.attributes.map((each) => ({ ...each, ...changes[each.name] }));
  return createSchemaSet([{ ...CORE_USER, attributes }, CORE_GROUP, ENTERPRISE_USER, ...more]);
}

function compare(paths: readonly string[], schemas = aTarget(), more: Partial<Wanted> = {}): string[] {
  const entries = paths.map((path) => ({ path, onCreate: false }));
  const findings = compareSchemas({ entries, teams: false, teamEntries: [], ...more }, schemas);
  return findings.map(({ severity, reason, message }: SchemaFinding) => `${severity} ${reason}: ${message}`);
}

/** One attribute of a part of the name changed. */
function aName(part: string, change: Partial<AttributeDefinition>) {
  const name = CORE_USER.attributes.find((each) => each.name === 'name');
  const subAttributes = (name?.subAttributes ?? []).map((each) => (each.name === part ? { ...each, ...change } : each));
  return { name: { subAttributes } };
}

const MAPPED = [
  'userName',
  'externalId',
  'name.givenName',
  'emails[type eq "work"].value',
  `${URN_ENTERPRISE_USER}:department`,
];

describe('a mapping against the schemas of a target', () => {
  it('fits the RFC’s own', () => {
    expect(compare(MAPPED)).toEqual([]);
    expect(compare(MAPPED, aTarget(), { teams: true })).toEqual([]);
  });

  it.each<[string, string[], ReturnType<typeof aTarget>, string[]]>([
    [
      'writes what is read-only',
      ['userName', 'title'],
      aTarget({ title: { mutability: 'readOnly' } }),
      ['error ReadOnlyAttribute: the target lists "title" as read-only: take its entry out of the mapping'],
    ],
    [
      'writes a part that is read-only',
      ['userName', 'name.givenName'],
      aTarget(aName('givenName', { mutability: 'readOnly' })),
      ['error ReadOnlyAttribute: the target lists "name.givenName" as read-only: take its entry out of the mapping'],
    ],
    [
      'writes a part of what is read-only',
      ['userName', 'emails[type eq "work"].value'],
      aTarget({ emails: { mutability: 'readOnly' } }),
      [
        'error ReadOnlyAttribute: the target lists "emails[type eq \\"work\\"].value" as read-only: take its entry out of the mapping',
      ],
    ],
    [
      'cannot switch anybody off',
      ['userName'],
      aTarget({ active: { mutability: 'readOnly' } }),
      [
        'warning ReadOnlyAttribute: the target lists "active" as read-only: nobody who leaves can be switched off there',
      ],
    ],
    [
      'decides about what it may not',
      ['userName', 'active'],
      aTarget({ active: { mutability: 'readOnly' } }),
      ['error ReadOnlyAttribute: the target lists "active" as read-only: take its entry out of the mapping'],
    ],
    [
      'changes what is immutable',
      ['userName', 'nickName'],
      aTarget({ nickName: { mutability: 'immutable' } }),
      [
        'warning ImmutableAttribute: the target lists "nickName" as immutable and will refuse to change it; apply: OnCreate writes it once',
      ],
    ],
    [
      'lacks what is required',
      ['userName'],
      aTarget({ displayName: { required: true }, emails: { required: true } }),
      [
        'error RequiredAttribute: the target lists "displayName" as required: give it an entry in the mapping',
        'error RequiredAttribute: the target lists "emails" as required: give it an entry in the mapping',
      ],
    ],
    ['has what is required in a list', MAPPED, aTarget({ emails: { required: true } }), []],
    [
      'lacks a part that goes with another',
      ['userName', 'name.givenName'],
      aTarget(aName('familyName', { required: true })),
      ['error RequiredAttribute: the target lists "name.familyName" as required: give it an entry in the mapping'],
    ],
    ['has no part, so lacks none', ['userName'], aTarget(aName('familyName', { required: true })), []],
    [
      'cannot have a password',
      ['userName'],
      aTarget({ password: { required: true } }),
      [
        'warning RequiredAttribute: the target lists "password" as required, which Dirsync does not write: it may refuse new accounts',
      ],
    ],
    [
      'writes what is not listed',
      ['userName', 'externalId', 'title'],
      createSchemaSet([{ ...CORE_USER, attributes: CORE_USER.attributes.filter(({ name }) => name !== 'title') }]),
      ['warning UnlistedAttribute: the target does not list "title"; it may drop it'],
    ],
    [
      'writes an extension that is not listed',
      ['userName', `${TIER}:tier`, `${TIER}:level`],
      aTarget(),
      [`warning UnlistedSchema: the target does not list the schema ${TIER}; it may drop its attributes`],
    ],
    ['is compared with nothing where users are not listed', ['userName', 'title'], createSchemaSet([CORE_GROUP]), []],
  ])('%s', (_what, paths, schemas, findings) => {
    expect(compare(paths, schemas)).toEqual(findings);
  });

  it('needs what an extension requires only when it uses the extension', () => {
    const attributes = [
      toAttributeDefinition('tier', 'String', 'A tier.', { required: true }),
      toAttributeDefinition('level', 'Integer', 'A level.'),
    ];
    const schemas = aTarget({}, [{ id: TIER, name: 'Acme', description: '', attributes }]);
    expect(compare(['userName'], schemas)).toEqual([]);
    expect(compare(['userName', `${TIER}:level`], schemas)).toEqual([
      `error RequiredAttribute: the target lists "${TIER}:tier" as required: give it an entry in the mapping`,
    ]);
  });

  it('may write once what is immutable', () => {
    const schemas = aTarget({ nickName: { mutability: 'immutable' } });
    const entries = [
      { path: 'userName', onCreate: false },
      { path: 'nickName', onCreate: true },
    ];
    expect(compare([], schemas, { entries })).toEqual([]);
  });

  it('with TeamRules needs teams that can be written', () => {
    const attributes = CORE_GROUP.attributes.map((each) => ({ ...each, mutability: 'readOnly' as const }));
    const schemas = createSchemaSet([
      { ...CORE_USER, id: URN_USER },
      { ...CORE_GROUP, attributes },
    ]);
    expect(compare(['userName'], schemas)).toEqual([]);
    expect(compare(['userName'], schemas, { teams: true })).toEqual([
      'error ReadOnlyAttribute: the target lists "displayName" of groups as read-only: no team can be written there; remove the TeamRules, and set groups.provision to None',
      'error ReadOnlyAttribute: the target lists "members" of groups as read-only: no team can be written there; remove the TeamRules, and set groups.provision to None',
    ]);
  });
});
