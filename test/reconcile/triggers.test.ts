import { describe, expect, it } from 'vitest';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import type { ResourceChange, ResourceSet } from '../../src/api/host.ts';
import {
  findConcerned,
  isAsked,
  toApprover,
  toFingerprint,
  toMark,
  toRequests,
  toSettle,
} from '../../src/reconcile/triggers.ts';

const SPEC = {
  settle: '7s',
  source: { file: { users: { configMapRef: { name: 'people', key: 'people.csv' } } } },
  mappings: [{ name: 'users' }],
  target: { scim: { url: 'https://app.example.com/scim', credentialsRef: { name: 'app' } } },
};

function aSync(more: { name?: string; namespace?: string; spec?: object; metadata?: object; status?: object } = {}) {
  const { name = 'acme', namespace = 'identity', spec = {}, metadata = {}, status } = more;
  return {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'DirectorySync',
    metadata: { name, namespace, ...metadata },
    spec: { ...SPEC, ...spec },
    ...(status === undefined ? {} : { status }),
  } as unknown as DirectorySyncResource;
}

function aSet(directorySyncs: DirectorySyncResource[], more: Partial<Record<keyof ResourceSet, object[]>> = {}) {
  const rest = { attributeMappings: [], teamRules: [], customAttributes: [], ...more };
  return { directorySyncs, ...rest } as unknown as ResourceSet;
}

function named(name: string, spec: object, namespace = 'identity') {
  return { metadata: { name, namespace }, spec };
}

describe('a change concerns', () => {
  const acme = aSync();
  const other = aSync({
    name: 'other',
    spec: {
      mappings: [{ name: 'others' }],
      target: {
        scim: {
          url: 'https://b.example.com',
          credentialsRef: { name: 'b' },
          caRef: { kind: 'ConfigMap', name: 'corp-ca', key: 'ca.crt' },
        },
      },
      source: {
        file: {
          users: { url: 'https://hr.example.com/x.csv', credentialsRef: { name: 'hr' } },
          groups: { configMapRef: { name: 'teams', key: 'groups.csv' } },
        },
      },
    },
  });
  const elsewhere = aSync({ name: 'elsewhere', namespace: 'another' });
  const waiting = aSync({
    name: 'waiting',
    spec: { mappings: [], target: {}, source: {} },
    status: { conditions: [{ type: 'Ready', status: 'False', reason: 'IdInUse' }] },
  });
  const online = aSync({
    name: 'online',
    spec: {
      source: { workos: { directoryId: 'directory_01', credentialsRef: { name: 'workos-key' } } },
      target: {},
      mappings: [],
    },
  });
  const broken = aSync({ name: 'broken', spec: { mappings: 'users', target: [null], source: null } });
  const resources = aSet([acme, other, elsewhere, waiting, online, broken]);
  it.each<[string, ResourceChange['kind'], string, string[]]>([
    ['itself, and whoever waits for its id', 'DirectorySync', 'acme', ['acme', 'waiting']],
    ['nobody but those who wait when it is gone', 'DirectorySync', 'gone', ['waiting']],
    ['who names the mapping', 'AttributeMapping', 'users', ['acme']],
    [
      'the whole namespace for a rule, which may be gone',
      'TeamRule',
      'x',
      ['acme', 'other', 'waiting', 'online', 'broken'],
    ],
    ['the whole namespace for an attribute', 'CustomAttribute', 'x', ['acme', 'other', 'waiting', 'online', 'broken']],
    ['who has the Secret', 'Secret', 'app', ['acme']],
    ['who reads its source with it', 'Secret', 'workos-key', ['online']],
    ['who reads a file with it', 'Secret', 'hr', ['other']],
    ['who reads the ConfigMap', 'ConfigMap', 'people', ['acme']],
    ['who reads its groups from the ConfigMap', 'ConfigMap', 'teams', ['other']],
    ['who trusts its authorities', 'ConfigMap', 'corp-ca', ['other']],
    ['nobody for a Secret with the name of a ConfigMap', 'Secret', 'corp-ca', []],
    ['nobody for a Secret of somebody else', 'Secret', 'people', []],
  ])('%s', (_because, kind, name, expected) => {
    const concerned = findConcerned({ kind, name, namespace: 'identity' }, resources);
    expect(concerned.map(({ metadata }) => metadata.name)).toEqual(expected);
  });
});

describe('the fingerprint', () => {
  const mapping = named('users', { attributes: [] });
  const rule = named('research', { directorySyncRef: { name: 'acme' }, team: { displayName: 'Research' } });
  const custom = named('tier', { path: 'title' });
  const more = { attributeMappings: [mapping], teamRules: [rule], customAttributes: [custom] };
  const print = toFingerprint(aSync(), aSet([], more));
  const changes: [string, boolean, string][] = [
    ['its spec', true, toFingerprint(aSync({ spec: { suspend: true } }), aSet([], more))],
    ['deletion', true, toFingerprint(aSync({ metadata: { deletionTimestamp: 'now' } }), aSet([], more))],
    ['a new object of the same name', true, toFingerprint(aSync({ metadata: { uid: '2' } }), aSet([], more))],
    [
      'an annotation of ours',
      true,
      toFingerprint(aSync({ metadata: { annotations: { 'dirsync.dev/requestedAt': '1' } } }), aSet([], more)),
    ],
    ['a foreign annotation', false, toFingerprint(aSync({ metadata: { annotations: { a: '1' } } }), aSet([], more))],
    [
      'a label, a version',
      false,
      toFingerprint(aSync({ metadata: { labels: { a: '1' }, resourceVersion: '9' } }), aSet([], more)),
    ],
    ['a status', false, toFingerprint(aSync({ status: { observedGeneration: 3 } }), aSet([], more))],
    [
      'the status of a mapping',
      false,
      toFingerprint(aSync(), aSet([], { ...more, attributeMappings: [{ ...mapping, status: { a: 1 } }] })),
    ],
    [
      'a mapping that it names',
      true,
      toFingerprint(aSync(), aSet([], { ...more, attributeMappings: [named('users', { attributes: [1] })] })),
    ],
    [
      'a mapping that it does not name',
      false,
      toFingerprint(aSync(), aSet([], { ...more, attributeMappings: [mapping, named('more', {})] })),
    ],
    ['a rule that is gone', true, toFingerprint(aSync(), aSet([], { ...more, teamRules: [] }))],
    [
      'a rule of another',
      false,
      toFingerprint(aSync(), aSet([], { ...more, teamRules: [rule, named('x', { directorySyncRef: { name: 'b' } })] })),
    ],
    [
      'a rule that does not say where it belongs',
      true,
      toFingerprint(aSync(), aSet([], { ...more, teamRules: [rule, named('x', {})] })),
    ],
    [
      'an attribute of another namespace',
      false,
      toFingerprint(aSync(), aSet([], { ...more, customAttributes: [custom, named('x', {}, 'another')] })),
    ],
    ['an attribute', true, toFingerprint(aSync(), aSet([], { ...more, customAttributes: [] }))],
  ];
  it.each(changes)('knows of %s: %s', (_what, isChange, other) => {
    expect(other !== print).toBe(isChange);
  });

  it('has a twin for restarts that knows nothing of annotations', () => {
    const asked = aSync({ metadata: { annotations: { 'dirsync.dev/requestedAt': '1' } } });
    expect(toMark(asked, aSet([], more))).toBe(toMark(aSync(), aSet([], more)));
    expect(toMark(aSync({ spec: { suspend: true } }), aSet([], more))).not.toBe(toMark(aSync(), aSet([], more)));
  });

  it('takes no shape for granted', () => {
    const broken = aSync({ spec: { mappings: [null, 7, { name: 5 }], source: 1, target: null } });
    expect(toFingerprint(broken, aSet([], { teamRules: [named('x', [])] }))).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('requests', () => {
  const ALL = {
    'dirsync.dev/requestedAt': '1',
    'dirsync.dev/resync': '2',
    'dirsync.dev/approve': '3',
    'dirsync.dev/sync-user': '4',
  };
  const annotated = (annotations: object, status?: object): DirectorySyncResource =>
    aSync({ metadata: { annotations }, ...(status === undefined ? {} : { status }) });
  it.each<[string, object, object | undefined, object]>([
    ['nothing asked', {}, {}, { runNow: null, resync: null, approve: null, syncUser: null }],
    ['everything asked, and no status yet', ALL, undefined, { runNow: '1', resync: '2', approve: '3', syncUser: '4' }],
    [
      'all of it handled',
      ALL,
      { lastHandledRequest: '1', lastHandledResync: '2', lastHandledApproval: '3', lastHandledUser: '4' },
      { runNow: null, resync: null, approve: null, syncUser: null },
    ],
    [
      'a new value asks again',
      { 'dirsync.dev/requestedAt': '2' },
      { lastHandledRequest: '1' },
      { runNow: '2', resync: null, approve: null, syncUser: null },
    ],
    [
      'a value as long as the status can echo it',
      { 'dirsync.dev/requestedAt': 'x'.repeat(300) },
      { lastHandledRequest: 'x'.repeat(253) },
      { runNow: null, resync: null, approve: null, syncUser: null },
    ],
  ])('%s', (_because, annotations, status, expected) => {
    const requests = toRequests(annotated(annotations), status as never);
    expect(requests).toEqual(expected);
    expect(isAsked(requests)).toBe(Object.values(expected).some((value) => value !== null));
  });
});

describe('settling', () => {
  it.each<[string, DirectorySyncResource, number]>([
    ['an edit waits as the spec says', aSync(), 7_000],
    ['by default five seconds', aSync({ spec: { settle: undefined } }), 5_000],
    ['a request does not', aSync({ metadata: { annotations: { 'dirsync.dev/approve': 'x' } } }), 0],
    ['a deletion does not', aSync({ metadata: { deletionTimestamp: 'now' } }), 0],
    ['a suspension does not', aSync({ spec: { suspend: true } }), 0],
    ['what is wrong is told at once', aSync({ spec: { settle: 'soon' } }), 0],
  ])('%s', (_because, resource, expected) => {
    expect(toSettle(resource)).toBe(expected);
  });
});

describe('toApprover', () => {
  const of = (managedFields: object[]) => toApprover(aSync({ metadata: { managedFields } as never }));
  const entry = (manager: string, time: string, annotation = 'dirsync.dev/approve') => ({
    manager,
    time,
    fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${annotation}`]: {} } } },
  });

  it('is the field manager that set the annotation, the latest of several', () => {
    expect(
      of([
        entry('kubectl-edit', '2026-03-01T09:00:00Z'),
        entry('kubectl-annotate', '2026-03-01T10:00:00Z'),
        entry('argocd', '2026-03-01T11:00:00Z', 'dirsync.dev/resync'),
      ]),
    ).toBe('dirsync.dev/approve, field manager kubectl-annotate');
  });

  it('is the annotation where nobody says who set it', () => {
    expect(of([])).toBe('dirsync.dev/approve');
    expect(of([{ manager: 'x', fieldsV1: null }])).toBe('dirsync.dev/approve');
  });
});
