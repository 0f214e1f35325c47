/**
 * The JSON of Microsoft Graph's synchronization schema, as far as it says what is provisioned: `GET
 * /servicePrincipals/{id}/synchronization/jobs/{job}/schema`, resources `synchronizationSchema`, `objectMapping`,
 * `attributeMapping`, `attributeMappingSource`, `filter` and `attributeDefinition` of Graph v1.0. What is missing is taken
 * for its documented default; what is of another type is as if it were missing.
 */
import { toFields } from '../api/rules.ts';
import { SyncError } from '../errors.ts';

/** What an attribute is made from: an attribute's name, a constant, or a function with arguments of the same kind. */
export interface MappingSource {
  readonly type: 'Attribute' | 'Constant' | 'Function';
  /** Name of the attribute or function, or the constant. */
  readonly name: string;
  /** The same as a text in the expression language; empty where the schema does not say it. */
  readonly expression: string;
  readonly parameters: readonly { readonly key: string; readonly value: MappingSource }[];
}

export interface AttributeMapping {
  readonly target: string;
  /** Null: only a default. */
  readonly source: MappingSource | null;
  /** Null: none. */
  readonly defaultValue: string | null;
  /** Above 0: the lower is tried first; 0: not matching. */
  readonly matchingPriority: number;
  /** `Always` `ObjectAddOnly` `MultiValueAddOnly` `ValueAddOnly` `AttributeAddOnly`. */
  readonly flowType: string;
  /** `FlowWhenChanged` `FlowAlways`. */
  readonly flowBehavior: string;
}

export interface FilterClause {
  readonly attribute: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** Clauses that must all hold. */
export interface FilterGroup {
  readonly name: string;
  readonly clauses: readonly FilterClause[];
}

export interface ObjectMapping {
  readonly name: string;
  readonly enabled: boolean;
  /** Which of `Add`, `Update` and `Delete` are on. */
  readonly flowTypes: ReadonlySet<string>;
  readonly sourceObject: string;
  readonly targetObject: string;
  readonly sourceDirectory: string;
  readonly targetDirectory: string;
  readonly attributes: readonly AttributeMapping[];
  /** One of them must hold; empty: everybody. */
  readonly scope: readonly FilterGroup[];
  /** Groups of the other two sets of filters, which are experimental. */
  readonly otherFilters: readonly ('inputFilterGroups' | 'categoryFilterGroups')[];
  /** Attributes of the target object, by name. */
  readonly definitions: ReadonlyMap<string, AttributeDefinition>;
}

export interface AttributeDefinition {
  /** `String` `Integer` `Reference` `Binary` `Boolean` `DateTime`. */
  readonly type: string;
  readonly multivalued: boolean;
  readonly caseExact: boolean;
}

/**
 * @param text JSON of a schema, or of a template or job that holds one under `schema`
 * @throws SyncError `Invalid` for what is none
 */
export function readSynchronizationSchema(text: string): readonly ObjectMapping[] {
  const document = toFields(parse(text));
  const schema = toFields(document?.['schema']) ?? document;
  const rules = schema?.['synchronizationRules'];
  if (schema === null || !Array.isArray(rules)) {
    throw new SyncError(
      'Invalid',
      'this is no synchronization schema of Microsoft Graph: there is no list "synchronizationRules"; save the answer of GET /servicePrincipals/{id}/synchronization/jobs/{job}/schema',
    );
  }
  const directories = listFields(schema['directories']);
  return listFields(rules).flatMap((rule) => {
    const sourceDirectory = toText(rule['sourceDirectoryName']);
    const targetDirectory = toText(rule['targetDirectoryName']);
    return listFields(rule['objectMappings']).map((mapping) =>
      toObjectMapping(mapping, { sourceDirectory, targetDirectory, directories }),
    );
  });
}

function parse(text: string): unknown {
  try {
    // A file that PowerShell wrote begins with a mark of its encoding.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : 'it cannot be parsed';
    throw new SyncError('Invalid', `this is no JSON: ${why}`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

interface Surroundings {
  readonly sourceDirectory: string;
  readonly targetDirectory: string;
  readonly directories: readonly Fields[];
}

function toObjectMapping(
  mapping: Fields,
  { sourceDirectory, targetDirectory, directories }: Surroundings,
): ObjectMapping {
  const targetObject = toText(mapping['targetObjectName']);
  const filter = toFields(mapping['scope']);
  const flowTypes = toText(mapping['flowTypes'], 'Add, Update, Delete');
  return {
    name: toText(mapping['name']),
    enabled: mapping['enabled'] !== false,
    flowTypes: new Set(flowTypes.split(',').map((each) => each.trim())),
    sourceObject: toText(mapping['sourceObjectName']),
    targetObject,
    sourceDirectory,
    targetDirectory,
    attributes: listFields(mapping['attributeMappings']).map(toAttributeMapping),
    scope: listFields(filter?.['groups']).map(toFilterGroup),
    otherFilters: (['inputFilterGroups', 'categoryFilterGroups'] as const).filter((name) =>
      listFields(filter?.[name]).some((group) => listFields(group['clauses']).length > 0),
    ),
    definitions: toDefinitions(directories, { targetDirectory, targetObject }),
  };
}

function toAttributeMapping(mapping: Fields): AttributeMapping {
  const source = toFields(mapping['source']);
  const { matchingPriority, defaultValue } = mapping;
  return {
    target: toText(mapping['targetAttributeName']),
    source: source === null ? null : toSource(source),
    // An empty default is what the portal writes for none.
    defaultValue: typeof defaultValue === 'string' && defaultValue !== '' ? defaultValue : null,
    matchingPriority: typeof matchingPriority === 'number' ? matchingPriority : 0,
    flowType: toText(mapping['flowType'], 'Always'),
    flowBehavior: toText(mapping['flowBehavior'], 'FlowWhenChanged'),
  };
}

function toSource(source: Fields): MappingSource {
  const type = toText(source['type'], 'Attribute');
  return {
    type: type === 'Constant' || type === 'Function' ? type : 'Attribute',
    name: toText(source['name']),
    expression: toText(source['expression']),
    parameters: listFields(source['parameters']).flatMap((parameter) => {
      const value = toFields(parameter['value']);
      return value === null ? [] : [{ key: toText(parameter['key']), value: toSource(value) }];
    }),
  };
}

function toFilterGroup(group: Fields): FilterGroup {
  return {
    name: toText(group['name']),
    clauses: listFields(group['clauses']).map((clause) => ({
      attribute: toText(clause['sourceOperandName']),
      operator: toText(clause['operatorName']),
      values: toList(toFields(clause['targetOperand'])?.['values']).map((value) => toText(value)),
    })),
  };
}

function toDefinitions(
  directories: readonly Fields[],
  { targetDirectory, targetObject }: { readonly targetDirectory: string; readonly targetObject: string },
): ReadonlyMap<string, AttributeDefinition> {
  const directory = directories.find((each) => each['name'] === targetDirectory);
  const object = listFields(directory?.['objects']).find((each) => each['name'] === targetObject);
  return new Map(
    listFields(object?.['attributes']).map((attribute) => [
      toText(attribute['name']),
      {
        type: toText(attribute['type'], 'String'),
        multivalued: attribute['multivalued'] === true,
        caseExact: attribute['caseExact'] === true,
      },
    ]),
  );
}

function toText(value: unknown, otherwise = ''): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : otherwise;
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function listFields(value: unknown): readonly Fields[] {
  return toList(value)
    .map(toFields)
    .filter((each) => each !== null);
}
