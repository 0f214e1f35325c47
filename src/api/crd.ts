/** CustomResourceDefinitions out of the resource schemas, after the API server's rules for structural schemas. */
import { PRINTER_COLUMNS } from './columns.ts';
import { API_GROUP, API_VERSION, CATEGORY, KIND_NAMES, type Kind } from './metadata.ts';
import { RESOURCE_SCHEMAS } from './resources.ts';
import { RULES_KEYWORD, type SchemaRule, toFields } from './rules.ts';
import { LIST_KEY, UNTYPED } from './schema.ts';

type Node = Readonly<Record<string, unknown>>;

/** Copied as they stand; everything else is translated below or left out (`additionalProperties: false`, `const`, …). */
const COPIED = ['minLength', 'maxLength', 'pattern', 'minimum', 'maximum', 'minItems', 'maxItems', 'maxProperties'];

/** @returns a CustomResourceDefinition (`apiextensions.k8s.io/v1`) as a plain object */
export function toCustomResourceDefinition(kind: Kind): Record<string, unknown> {
  const { plural, singular, shortName } = KIND_NAMES[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        shortNames: [shortName],
        categories: [CATEGORY],
      },
      versions: [
        {
          name: API_VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: toPrinterColumns(kind),
          subresources: { status: {} },
          schema: { openAPIV3Schema: toRootSchema(kind) },
        },
      ],
    },
  };
}

function toPrinterColumns(kind: Kind): Record<string, unknown>[] {
  return PRINTER_COLUMNS[kind].map(({ name, type, jsonPath, description, wide }) => ({
    name,
    type,
    jsonPath,
    description,
    ...(wide === true ? { priority: 1 } : {}),
  }));
}

function toRootSchema(kind: Kind): Record<string, unknown> {
  const { description, spec, status, rules } = RESOURCE_SCHEMAS[kind];
  return {
    description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { description: 'Group and version of the resource.', type: 'string' },
      kind: { description: 'Kind of the resource.', type: 'string' },
      metadata: { type: 'object' },
      spec: toStructural(spec),
      // "Never seen" differs from "seen and fine": kstatus waits while the two generations differ.
      status: { ...toStructural(status), default: { observedGeneration: -1 } },
    },
    ...toValidations(rules),
  };
}

/** One node of a structural schema. The order of keys is the order in the generated file. */
function toStructural(node: Node): Record<string, unknown> {
  const rules = (node[RULES_KEYWORD] as readonly SchemaRule[] | undefined) ?? [];
  return {
    ...(node['description'] === undefined ? {} : { description: node['description'] }),
    ...(node[UNTYPED] === undefined ? toTyped(node) : { 'x-kubernetes-preserve-unknown-fields': true }),
    ...toDefault(node['default']),
    ...toConditions(rules),
    ...toValidations(rules),
  };
}

function toTyped(node: Node): Record<string, unknown> {
  const { type, format } = node;
  const copied = COPIED.flatMap((key) => (node[key] === undefined ? [] : [[key, node[key]] as const]));
  return {
    type,
    ...(type === 'integer' ? { format: 'int64' } : format === undefined ? {} : { format }),
    ...toEnum(node),
    ...Object.fromEntries(copied),
    ...toChildren(node),
  };
}

function toEnum(node: Node): Record<string, unknown> {
  if (node['const'] !== undefined) return { enum: [node['const']] };
  return node['enum'] === undefined ? {} : { enum: node['enum'] };
}

function toChildren(node: Node): Record<string, unknown> {
  const items = toFields(node['items']);
  if (items !== null) return { ...toListType(node[LIST_KEY]), items: toStructural(items) };
  const properties = toFields(node['properties']);
  if (properties !== null) {
    const required = node['required'] as readonly string[] | undefined;
    return {
      ...(required === undefined || required.length === 0 ? {} : { required }),
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, field]) => [name, toStructural(field as Node)]),
      ),
    };
  }
  const values = toFields(node['additionalProperties']);
  return values === null ? {} : { additionalProperties: toStructural(values) };
}

function toListType(key: unknown): Record<string, unknown> {
  return key === undefined ? {} : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] };
}

/** Plain values only: an empty object or list would make every stored resource list what nobody wrote. */
function toDefault(value: unknown): Record<string, unknown> {
  return value === undefined || typeof value === 'object' ? {} : { default: value };
}

function toValidations(rules: readonly SchemaRule[]): Record<string, unknown> {
  const written = rules.flatMap(({ cel, message, fieldPath }) =>
    cel === undefined ? [] : [{ rule: cel, message, ...(fieldPath === undefined ? {} : { fieldPath }) }],
  );
  return written.length === 0 ? {} : { 'x-kubernetes-validations': written };
}

/** Rules of one node must use different keywords; a test compares what stands in the CRD with what the rules ask for. */
function toConditions(rules: readonly SchemaRule[]): Record<string, unknown> {
  return Object.assign({}, ...rules.map(({ structural }) => structural ?? {}));
}
