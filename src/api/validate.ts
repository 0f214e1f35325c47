/**
 * Strict validation without a cluster: the same schemas as the CRDs, the twins of their CEL rules, and what neither can
 * say. The CLI shows what it finds with file, line and column; the controller refuses to run with it (`Invalid`).
 */
import { type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { Ajv, type SchemaValidateFunction, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { RESOURCE_CHECKS } from './checks.ts';
import { MappingTestSpecSchema } from './mapping-test.ts';
import { type Finding, toFindings } from './messages.ts';
import { DEFAULT_NAMESPACE, GROUP_VERSION, KINDS, type Kind, MAPPING_TEST_KIND } from './metadata.ts';
import { RESOURCE_SCHEMAS, type ResourceByKind } from './resources.ts';
import { RULES_KEYWORD, type SchemaRule, toFields } from './rules.ts';
import { DOCUMENTED_DEFAULT, EXPECTED, LIST_KEY, objectName, UNTYPED, WHY_NOT_EMPTY } from './schema.ts';

/** Runs the rules that a schema carries; one error per broken rule. */
const checkRules: SchemaValidateFunction = (rules: readonly SchemaRule[], data: unknown) => {
  const broken = rules.filter((rule) => !rule.holds(data));
  checkRules.errors = broken.map((rule) => ({
    keyword: RULES_KEYWORD,
    message: rule.explain?.(data) ?? rule.message,
    params: { rule: rule.name },
  }));
  return broken.length === 0;
};

/** The twin of `x-kubernetes-list-map-keys`: names the first item whose key stands before it too. */
const checkListKey: SchemaValidateFunction = (key: string, data: unknown) => {
  const values = Array.isArray(data) ? data.map((item) => toFields(item)?.[key]) : [];
  const index = values.findIndex((value, at) => value !== undefined && values.indexOf(value) < at);
  checkListKey.errors = [{ keyword: LIST_KEY, params: { index, key, value: values[index] } }];
  return index === -1;
};

function createAjv(): Ajv {
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, strictTypes: true, allowUnionTypes: true });
  formats.default(ajv, ['date-time']);
  ajv.addVocabulary([DOCUMENTED_DEFAULT, EXPECTED, UNTYPED, WHY_NOT_EMPTY]);
  ajv.addKeyword({ keyword: RULES_KEYWORD, errors: true, validate: checkRules });
  ajv.addKeyword({ keyword: LIST_KEY, errors: true, validate: checkListKey });
  return ajv;
}

const labels = Type.Record(Type.String(), Type.String());

/** Metadata is Kubernetes' own: what is read here is checked, the rest is let through. */
const MetadataSchema = Type.Object({
  name: objectName({ description: 'Name of the resource.' }),
  namespace: Type.Optional(objectName({ description: 'Its namespace.' })),
  labels: Type.Optional(labels),
  annotations: Type.Optional(labels),
});

function toDocumentSchema(kind: string, spec: TSchema, more: TProperties = {}): TSchema {
  return Type.Object(
    { apiVersion: Type.Literal(GROUP_VERSION), kind: Type.Literal(kind), metadata: MetadataSchema, spec, ...more },
    { additionalProperties: false },
  );
}

function toResourceSchema(kind: Kind): TSchema {
  // What stands there was written by a controller, perhaps a newer one.
  return toDocumentSchema(kind, RESOURCE_SCHEMAS[kind].spec, { status: Type.Optional(Type.Object({})) });
}

const ajv = createAjv();
const compiled = new Map<string, ValidateFunction>();

function toValidator(name: string, toSchema: () => TSchema): ValidateFunction {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const validator = ajv.compile(toSchema());
  compiled.set(name, validator);
  return validator;
}

/**
 * What is wrong with one document of one of the four kinds, in itself: nothing outside of it is looked at.
 * `pointer` of a finding is a JSON pointer (RFC 6901) into the document; `onKey` says that the key, not the value, is meant.
 */
export function validateResource(document: unknown): Finding[] {
  const fields = toFields(document);
  if (fields === null) return [{ severity: 'error', pointer: '', onKey: false, message: 'this is no resource' }];
  const kind = KINDS.find((each) => each === fields['kind']);
  if (kind === undefined) {
    return [{ severity: 'error', pointer: '/kind', onKey: false, message: `kind must be one of ${KINDS.join(', ')}` }];
  }
  const validator = toValidator(kind, () => toResourceSchema(kind));
  if (!validator(document)) return toFindings(validator.errors ?? []);
  return RESOURCE_CHECKS[kind](toResource(document, kind));
}

/** The same for a MappingTest, which no cluster knows. */
export function validateMappingTest(document: unknown): Finding[] {
  const validator = toValidator(MAPPING_TEST_KIND, () => toDocumentSchema(MAPPING_TEST_KIND, MappingTestSpecSchema));
  return validator(document) ? [] : toFindings(validator.errors ?? []);
}

/** What the API server would refuse or drop of a status, one sentence each. */
export function validateStatus(kind: Kind, status: unknown): string[] {
  const validator = toValidator(`${kind}.status`, () => Type.Object({ status: RESOURCE_SCHEMAS[kind].status }));
  return validator({ status }) ? [] : toFindings(validator.errors ?? []).map((finding) => finding.message);
}

/** A validated document as a resource: the namespace is filled in. */
function toResource<K extends Kind>(document: unknown, _kind: K): ResourceByKind[K] {
  const resource = document as ResourceByKind[K];
  return {
    ...resource,
    metadata: { ...resource.metadata, namespace: resource.metadata.namespace ?? DEFAULT_NAMESPACE },
  };
}

/** The resource of a document, or why it is none. Warnings alone do not stop it. */
export function parseResource(document: unknown): { resource: ResourceByKind[Kind] | null; findings: Finding[] } {
  const findings = validateResource(document);
  if (findings.some(({ severity }) => severity === 'error')) return { resource: null, findings };
  const kind = (document as { kind: Kind }).kind;
  return { resource: toResource(document, kind), findings };
}
