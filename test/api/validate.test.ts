import { describe, expect, it } from 'vitest';
import {
  CLAUSE_OPERATORS,
  LIST_OPERATORS,
  MEMBERSHIP_OPERATORS,
  UNARY_OPERATORS,
  VALUE_OPERATORS,
} from '../../src/api/clause.ts';
import { KINDS, type Kind } from '../../src/api/metadata.ts';
import { parseResource, validateResource } from '../../src/api/validate.ts';
import { OPERATORS } from '../../src/rule/operators.ts';
import { aDocument } from './rule-cases.ts';

interface Case {
  readonly kind: Kind;
  readonly because: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly says: readonly string[];
}

function of(kind: Kind) {
  return (because: string, spec: Case['spec'], ...says: string[]): Case => ({ kind, because, spec, says });
}

const sync = of('DirectorySync');
const mapping = of('AttributeMapping');
const rule = of('TeamRule');
const custom = of('CustomAttribute');
const file = { users: { path: 'people.csv' } };
const scim = { url: 'https://app.example.com/scim/v2', credentialsRef: { name: 'app' } };

const CASES: readonly Case[] = [
  sync('an unknown field', { scop: {} }, 'unknown field "spec.scop"; did you mean "scope"?'),
  sync(
    'an unknown field far from any known one',
    { limits: { burst: 5 } },
    'unknown field "spec.limits.burst"; known here: concurrency, requestsPerSecond, sourceRequestsPerSecond',
  ),
  sync(
    'two providers',
    { source: { file, okta: {} } },
    'spec.source: exactly one of entra, file, google, ldap, scim, workos must be set (found file and okta); known here: entra, file, google, ldap, scim, workos',
  ),
  sync(
    'two targets',
    { target: { scim, slack: {} } },
    'spec.target: exactly one of scim must be set (found scim and slack); known here: scim',
  ),
  sync(
    'a provider that this version lacks',
    { source: { okta: {} } },
    'unknown field "spec.source.okta"; known here: entra, file, google, ldap, scim, workos',
  ),
  sync(
    'no provider',
    { source: {} },
    'spec.source: exactly one of entra, file, google, ldap, scim, workos must be set (found none)',
  ),
  sync(
    'a bad duration',
    { schedule: { interval: '40 minutes' } },
    'spec.schedule.interval: must be a duration such as 30s, 40m or 1h30m',
  ),
  sync('a number for a duration', { settle: 5 }, 'spec.settle must be a duration such as 30s, 40m or 1h30m'),
  sync('too short an interval', { schedule: { interval: '500ms' } }, 'spec.schedule.interval: must be at least 1s'),
  sync(
    'no mappings',
    { mappings: [] },
    'spec: mappings must name an AttributeMapping: without one nobody knows what to write',
  ),
  sync(
    'mappings left out',
    { mappings: undefined },
    'spec: mappings must name an AttributeMapping: without one nobody knows what to write',
  ),
  sync(
    'both interval and cron',
    { schedule: { interval: '40m', cron: { expression: '0 6 * * 1' } } },
    'spec.schedule: exactly one of interval, cron, once must be set (found interval and cron)',
  ),
  sync(
    'a bad cron',
    { schedule: { cron: { expression: '61 6 * * 1' } } },
    'spec.schedule.cron.expression: "61 6 * * 1" is no cron expression; write for example "0 6 * * 1" (Mondays at six)',
  ),
  sync(
    'a cron of four fields',
    { schedule: { cron: { expression: '0 6 * *' } } },
    'spec.schedule.cron.expression: "0 6 * *" must have five fields: minute, hour, day of month, month, day of week',
  ),
  sync(
    'a cron that never comes',
    { schedule: { cron: { expression: '0 0 30 2 *' } } },
    'spec.schedule.cron.expression: "0 0 30 2 *" names a time that never comes',
  ),
  sync(
    'a bad time zone',
    { schedule: { cron: { expression: '0 6 * * 1', timeZone: 'Europe/Nowhere' } } },
    'spec.schedule.cron.timeZone: "Europe/Nowhere" is no time zone; write an IANA name such as Europe/Belfast',
  ),
  sync('once: false', { schedule: { once: false } }, 'spec.schedule.once must be true'),
  sync('a word in another case', { mode: 'apply' }, 'spec.mode must be one of Apply, Plan; did you mean "Apply"?'),
  sync(
    'a policy that there is not',
    { deletionPolicy: 'Erase' },
    'spec.deletionPolicy must be one of Retain, Deactivate, Delete',
  ),
  sync('a word for a boolean', { suspend: 'yes' }, 'spec.suspend must be true or false'),
  sync(
    'a key without a value',
    { schedule: null },
    'spec.schedule must have a value: leave the field out, or write one',
  ),
  sync(
    'numbers out of bounds',
    { guards: { deactivate: { max: -2, percent: 101 } }, historyLimit: 51 },
    'spec.guards.deactivate.max must be at least -1',
    'spec.guards.deactivate.percent must be at most 100',
    'spec.historyLimit must be at most 50',
  ),
  sync('a part of a person', { guards: { floor: 1.5 } }, 'spec.guards.floor must be a whole number'),
  sync(
    'an empty AND',
    { scope: { filters: [[]] } },
    'spec.scope.filters[0] must not be empty: no clause would mean everybody',
  ),
  sync(
    'an operator with a letter too few',
    { scope: { filters: [[{ attribute: 'a', operator: 'Equal', value: 'x' }]] } },
    `spec.scope.filters[0][0].operator must be one of ${CLAUSE_OPERATORS.join(', ')}; did you mean "Equals"?`,
  ),
  sync(
    'an object to compare with',
    { scope: { filters: [[{ attribute: 'a', operator: 'Equals', value: {} }]] } },
    'spec.scope.filters[0][0].value must be a string, number or boolean',
  ),
  sync(
    'another operator without a value',
    { scope: { filters: [[{ attribute: 'a', operator: 'Equals' }]] } },
    'spec.scope.filters[0][0]: In and NotIn take values, IsTrue, IsFalse, IsNull, IsNotNull take neither, the other operators take a value',
  ),
  sync(
    'credentials in the URL',
    { target: { scim: { ...scim, url: 'https://me:secret@app.example.com/scim' } } },
    'spec.target.scim.url must be an http or https URL without user, query and fragment',
  ),
  sync(
    'plain http',
    { target: { scim: { ...scim, url: 'http://app.example.com/scim' } } },
    'spec.target.scim: url must begin with https; plain http to a host other than loopback needs allowHTTP: true',
  ),
  sync(
    'a Secret name that Kubernetes has not',
    { target: { scim: { ...scim, credentialsRef: { name: 'My_App' } } } },
    'spec.target.scim.credentialsRef.name must be a name of lower-case letters, digits, "-" and "." that begins and ends with a letter or digit',
  ),
  sync(
    'an id that changes with the name',
    { source: { file: { ...file, idAttribute: 'mail' } } },
    'spec.source.file.idAttribute: "mail" changes with a person\'s name, who is then deactivated and created again; take an id that never changes',
  ),
  mapping('no entries', { attributes: [] }, 'spec.attributes must not be empty'),
  mapping(
    'one target twice',
    {
      attributes: [
        { target: 'title', source: 'a' },
        { target: 'title', source: 'b' },
      ],
    },
    'spec.attributes[1].target: "title" stands twice',
  ),
  mapping(
    'an object for a constant',
    { attributes: [{ target: 'title', constant: { a: 1 } }] },
    'spec.attributes[0].constant must be a string, number, boolean or a list of these',
  ),
  mapping(
    'null for a default',
    { attributes: [{ target: 'title', default: null }] },
    'spec.attributes[0].default must be a value other than null',
  ),
  mapping('what is no resource', { resource: 'Group' }, 'spec.resource must be one of User, Team'),
  mapping(
    'a number for a path',
    { attributes: [{ target: 'title', source: 7 }] },
    'spec.attributes[0].source must be a string; write it in quotes: "7"',
  ),
  rule('an empty match', { match: [] }, 'spec.match must not be empty: no clause would mean everybody'),
  rule('a name of spaces', { team: { displayName: '  ' } }, 'spec.team.displayName must be a name of more than spaces'),
  rule(
    'neither match nor teamsFrom',
    { match: undefined, team: undefined },
    'spec: exactly one of match, rule, cel, everyone, teamsFrom must be set (found none)',
  ),
  rule('nobody it belongs to', { directorySyncRef: undefined }, 'spec.directorySyncRef is required'),
  custom('no path', { path: undefined }, 'spec.path is required'),
  custom(
    'a name with a dash',
    { name: 'license-tier' },
    'spec.name must be a word of letters, digits and "_" that does not begin with a digit',
  ),
  custom(
    'a type that is none',
    { type: 'Float' },
    'spec.type must be one of String, Boolean, Integer, Decimal, DateTime, Reference, Binary, Complex',
  ),
  custom('another word', { directorySyncs: 'Some' }, 'spec.directorySyncs: must be All or {names: [...]}'),
  custom('no names', { directorySyncs: { names: [] } }, 'spec.directorySyncs.names must not be empty'),
];

describe('validateResource', () => {
  it.each(KINDS)('takes a good %s', (kind) => {
    expect(validateResource(aDocument(kind))).toEqual([]);
  });

  it.each(CASES)('$kind: $because', ({ kind, spec, says }) => {
    const document: unknown = JSON.parse(JSON.stringify(aDocument(kind, spec)));
    expect(validateResource(document).map(({ message }) => message)).toEqual(says);
  });

  it('says where', () => {
    const [unknown] = validateResource(aDocument('DirectorySync', { 'a/b': 1 }));
    expect(unknown).toMatchObject({ pointer: '/spec/a~1b', onKey: true, severity: 'error' });
    expect(unknown?.message).toContain('unknown field "spec["a/b"]"');
    const [missing] = validateResource({ ...aDocument('TeamRule'), spec: undefined });
    expect(missing).toMatchObject({ pointer: '', message: 'spec is required' });
  });

  it('takes a status as it is, and metadata of which it knows nothing', () => {
    const document = { ...aDocument('TeamRule'), status: { from: 'a newer version' } };
    const metadata = { ...document.metadata, uid: 'x', managedFields: [{}] };
    expect(validateResource({ ...document, metadata })).toEqual([]);
  });

  it('refuses other versions, kinds and names', () => {
    const document = aDocument('TeamRule');
    const say = (change: object) => validateResource({ ...document, ...change }).map(({ message }) => message);
    expect(say({ apiVersion: 'dirsync.dev/v1' })).toEqual(['apiVersion must be dirsync.dev/v1alpha1']);
    expect(say({ kind: 'Rule' })).toEqual([`kind must be one of ${KINDS.join(', ')}`]);
    expect(say({ metadata: { name: 'Finance' } })[0]).toMatch(/^metadata.name must be a name of lower-case letters/);
    expect(say({ metadata: {} })).toEqual(['metadata.name is required']);
    expect(validateResource('text')[0]?.message).toBe('this is no resource');
  });

  it('needs a name where the default would be none', () => {
    const says = validateResource(aDocument('CustomAttribute', {}, '2nd-tier')).map(({ message }) => message);
    expect(says).toEqual([
      'spec.name is needed: its default would be "2nd_tier", but it must be a word of letters, digits and "_" that does not begin with a digit',
    ]);
    expect(validateResource(aDocument('CustomAttribute', { name: 'second_tier' }, '2nd-tier'))).toEqual([]);
  });

  it('never repeats an address of a person', () => {
    const spec = { guards: { protectedUsers: [`${'a'.repeat(400)}@corp.example`] } };
    const says = validateResource(aDocument('DirectorySync', spec)).map(({ message }) => message);
    expect(says).toEqual(['spec.guards.protectedUsers[0] must have at most 320 characters']);
  });
});

describe('parseResource', () => {
  it('gives a resource with its namespace, and keeps it in spite of warnings', () => {
    const document = aDocument('DirectorySync', { source: { file: { ...file, idAttribute: 'upn' } } });
    const { resource, findings } = parseResource(document);
    expect(resource?.metadata.namespace).toBe('default');
    expect(findings.map(({ severity }) => severity)).toEqual(['warning']);
    expect(parseResource(aDocument('DirectorySync', { mode: 'Other' })).resource).toBeNull();
  });
});

describe('operators', () => {
  it('are the ones that the rule language carries out, with the same needs', () => {
    const byNeeds = (needs: string) => OPERATORS.filter((each) => each.needs === needs).map(({ name }) => name);
    expect(byNeeds('values')).toEqual([...LIST_OPERATORS]);
    expect(byNeeds('value')).toEqual([...VALUE_OPERATORS]);
    expect(byNeeds('none')).toEqual([...UNARY_OPERATORS]);
    expect(byNeeds('name')).toEqual([...MEMBERSHIP_OPERATORS]);
  });
});
