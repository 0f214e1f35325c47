import { describe, expect, it } from 'vitest';
import { PRINTER_COLUMNS, type PrinterColumn, readColumn } from '../../src/api/columns.ts';
import { toCustomResourceDefinition } from '../../src/api/crd.ts';
import { KINDS, type Kind } from '../../src/api/metadata.ts';
import { toFields } from '../../src/api/rules.ts';

type Node = Readonly<Record<string, unknown>>;

function rootOf(kind: Kind): Node {
  const crd = toCustomResourceDefinition(kind) as { spec: { versions: { schema: { openAPIV3Schema: Node } }[] } };
  return crd.spec.versions[0]?.schema.openAPIV3Schema ?? {};
}

function at(kind: Kind, path: string): Node {
  return path
    .split('.')
    .reduce<Node>(
      (node, name) => (name === '[]' ? node['items'] : toFields(node['properties'])?.[name]) as Node,
      rootOf(kind),
    );
}

/** Keywords that the API server takes in a structural schema, outside of conditions. */
const ALLOWED = new Set([
  ...['type', 'format', 'description', 'default', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum'],
  ...['minItems', 'maxItems', 'maxProperties', 'items', 'properties', 'required', 'additionalProperties'],
  ...['not', 'anyOf', 'allOf', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-validations'],
  ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
]);

function visit(node: Node, place: string, check: (node: Node, place: string) => void): void {
  check(node, place);
  for (const [name, field] of Object.entries(toFields(node['properties']) ?? {})) {
    visit(field as Node, `${place}.${name}`, check);
  }
  const inner = toFields(node['items']) ?? toFields(node['additionalProperties']);
  if (inner !== null) visit(inner, `${place}[]`, check);
}

describe.each(KINDS)('CRD of %s', (kind) => {
  it('is structural: a type (or any value) everywhere, and no keyword that the API server refuses', () => {
    visit(rootOf(kind), kind, (node, place) => {
      const typed = typeof node['type'] === 'string';
      expect(typed !== (node['x-kubernetes-preserve-unknown-fields'] === true), place).toBe(true);
      expect(
        Object.keys(node).filter((key) => !ALLOWED.has(key)),
        place,
      ).toEqual([]);
      expect('properties' in node && 'additionalProperties' in node, place).toBe(false);
    });
  });

  it('describes every field', () => {
    visit(rootOf(kind), kind, (node, place) => {
      if (place === `${kind}.metadata` || place.endsWith('[]')) return;
      expect(String(node['description'] ?? '').length, place).toBeGreaterThan(8);
    });
  });

  it('bounds every list and every text, so that the cost of CEL and of storage is bounded', () => {
    visit(rootOf(kind), kind, (node, place) => {
      if (node['type'] === 'array') expect(node['maxItems'], place).toBeDefined();
      const bounded = node['enum'] ?? node['maxLength'] ?? (node['format'] === 'date-time' ? 1 : undefined);
      if (node['type'] === 'string' && !/\.(apiVersion|kind)$/.test(place)) expect(bounded, place).toBeDefined();
    });
  });

  it('begins with an observedGeneration that says "never seen"', () => {
    expect(at(kind, 'status')['default']).toEqual({ observedGeneration: -1 });
    const conditions = at(kind, 'status.conditions');
    expect(conditions['x-kubernetes-list-type']).toBe('map');
    expect(conditions['x-kubernetes-list-map-keys']).toEqual(['type']);
  });

  it('has short name, category and the status subresource', () => {
    const short = { DirectorySync: 'dsync', AttributeMapping: 'amap', TeamRule: 'trule', CustomAttribute: 'cattr' };
    expect(toCustomResourceDefinition(kind)).toMatchObject({
      apiVersion: 'apiextensions.k8s.io/v1',
      metadata: { name: `${kind.toLowerCase()}s.dirsync.dev` },
      spec: {
        group: 'dirsync.dev',
        scope: 'Namespaced',
        names: { kind, shortNames: [short[kind]], categories: ['dirsync'] },
        versions: [{ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } }],
      },
    });
  });

  it('has columns for fields that exist', () => {
    for (const { jsonPath, name } of PRINTER_COLUMNS[kind]) {
      const path = jsonPath.slice(1).replace(/\[\?.*\]/, '.[]');
      if (!path.startsWith('metadata.')) expect(at(kind, path)['type'], name).toBeDefined();
    }
  });
});

describe('CRD of DirectorySync', () => {
  it('fills in no default of a union: server-side apply would merge it with another key', () => {
    expect(at('DirectorySync', 'spec.schedule')['default']).toBeUndefined();
    expect(at('DirectorySync', 'spec.guards')['default']).toBeUndefined();
    expect(at('DirectorySync', 'spec.mode')['default']).toBe('Apply');
  });

  it('keeps the id, lets the default be written out, and takes over another id only', () => {
    expect(rootOf('DirectorySync')['x-kubernetes-validations']).toEqual([
      {
        rule: '(has(self.spec.id) ? self.spec.id : self.metadata.name) == (has(oldSelf.spec.id) ? oldSelf.spec.id : oldSelf.metadata.name)',
        message: 'spec.id cannot be changed (it defaults to the name): links and ownership hang on it',
        fieldPath: '.spec.id',
      },
      {
        rule: '!has(self.spec.adoptFrom) || self.spec.adoptFrom != (has(self.spec.id) ? self.spec.id : self.metadata.name)',
        message: 'spec.adoptFrom must be another id than that of this resource',
        fieldPath: '.spec.adoptFrom',
      },
    ]);
  });
});

describe('columns', () => {
  it('are those of the contract, the wide ones last', () => {
    const names = PRINTER_COLUMNS.DirectorySync.map(({ name, wide }) => `${name.toUpperCase()}${wide ? '*' : ''}`);
    expect(names.join(' ')).toBe(
      'READY STATUS SOURCE TARGET USERS TEAMS HELD LAST SYNC AGE MODE* NEXT SYNC* FAILED* PLAN*',
    );
  });

  it('are read from a resource as kubectl does', () => {
    const conditions = [
      { type: 'Held', status: 'False', reason: 'NothingHeld' },
      { type: 'Ready', status: 'True', reason: 'Synced' },
    ];
    const resource = { metadata: {}, spec: { mode: 'Plan' }, status: { conditions, users: { active: 0 } } };
    const read = (name: string) =>
      readColumn(resource, PRINTER_COLUMNS.DirectorySync.find((each) => each.name === name) as PrinterColumn);
    expect(['Ready', 'Status', 'Users', 'Mode', 'Teams', 'Age'].map(read)).toEqual([
      'True',
      'Synced',
      0,
      'Plan',
      null,
      null,
    ]);
  });
});
