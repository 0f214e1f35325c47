/**
 * The SCIM schemas as data (RFC 7643 sections 3.1, 4 and 7, with the attribute characteristics of section 8.7.1), for
 * type checks without a server, for the SCIM target and for the embedded directory.
 */

import type { Json } from '../model.ts';

/** RFC 7643 section 2.3, spelled as CustomAttribute spells it; the wire form has a lower first letter. */
export type AttributeType = (typeof TYPES)[number];
export type Mutability = (typeof MUTABILITIES)[number];
export type Returned = (typeof RETURNED)[number];
export type Uniqueness = (typeof UNIQUENESS)[number];

const TYPES = ['String', 'Boolean', 'Integer', 'Decimal', 'DateTime', 'Reference', 'Binary', 'Complex'] as const;
const MUTABILITIES = ['readOnly', 'readWrite', 'immutable', 'writeOnly'] as const;
const RETURNED = ['always', 'never', 'default', 'request'] as const;
const UNIQUENESS = ['none', 'server', 'global'] as const;

/** One attribute with its characteristics (RFC 7643 section 2.2). `subAttributes` is empty but for Complex. */
export interface AttributeDefinition {
  readonly name: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: Mutability;
  readonly returned: Returned;
  readonly uniqueness: Uniqueness;
  /** Suggested values; a server may take others (RFC 7643 section 7). Empty: none suggested. */
  readonly canonicalValues: readonly string[];
  /** For Reference: resource types, `external` or `uri`. */
  readonly referenceTypes: readonly string[];
  readonly subAttributes: readonly AttributeDefinition[];
  readonly description: string;
}

export interface SchemaDefinition {
  /** The URN. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly AttributeDefinition[];
}

export const URN_USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const URN_GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const URN_ENTERPRISE_USER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const URN_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema';
export const URN_RESOURCE_TYPE = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType';
export const URN_SERVICE_PROVIDER_CONFIG = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';
export const URN_LIST_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const URN_SEARCH_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
export const URN_PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const URN_BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
export const URN_BULK_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';
export const URN_ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

type Characteristics = Partial<Omit<AttributeDefinition, 'name' | 'type' | 'description'>>;

/** An attribute with RFC 7643's defaults (section 2.2) for all that is not said. */
export function toAttributeDefinition(
  name: string,
  type: AttributeType,
  description: string,
  characteristics: Characteristics = {},
): AttributeDefinition {
  return {
    name,
    type,
    multiValued: false,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    canonicalValues: [],
    referenceTypes: [],
    subAttributes: [],
    description,
    ...characteristics,
  };
}

const attribute = toAttributeDefinition;

function complex(name: string, description: string, subAttributes: readonly AttributeDefinition[]) {
  return attribute(name, 'Complex', description, { subAttributes });
}

/** The default sub-attributes of a multi-valued attribute (RFC 7643 section 2.4). */
function list(name: string, description: string, value: AttributeDefinition, types: readonly string[] = []) {
  return attribute(name, 'Complex', description, {
    multiValued: true,
    subAttributes: [
      value,
      attribute('display', 'String', 'A name to show to people.'),
      attribute('type', 'String', 'What the value is used for.', { canonicalValues: types }),
      PRIMARY,
    ],
  });
}

const PRIMARY = attribute('primary', 'Boolean', 'Whether this is the preferred value; true at most once in the list.');
const READ_ONLY = { mutability: 'readOnly' } as const;
const external = { referenceTypes: ['external'], caseExact: true } as const;

/** Attributes of every resource, in no schema's own list (RFC 7643 section 3.1). */
export const COMMON_ATTRIBUTES: readonly AttributeDefinition[] = [
  attribute('schemas', 'Reference', 'The URNs of the schemas that the resource uses.', {
    multiValued: true,
    required: true,
    caseExact: true,
    returned: 'always',
    referenceTypes: ['uri'],
  }),
  attribute('id', 'String', "The service provider's id of the resource.", {
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
  }),
  attribute('externalId', 'String', "The provisioning client's id of the resource.", { caseExact: true }),
  attribute('meta', 'Complex', 'What the service provider keeps about the resource.', {
    ...READ_ONLY,
    subAttributes: [
      attribute('resourceType', 'String', 'The name of the resource type.', { ...READ_ONLY, caseExact: true }),
      attribute('created', 'DateTime', 'When the resource was made.', READ_ONLY),
      attribute('lastModified', 'DateTime', 'When the resource was last changed.', READ_ONLY),
      attribute('location', 'Reference', 'The URI of the resource.', {
        ...READ_ONLY,
        caseExact: true,
        referenceTypes: ['uri'],
      }),
      attribute('version', 'String', 'The entity tag of the resource.', { ...READ_ONLY, caseExact: true }),
    ],
  }),
];

/** RFC 7643 section 4.1. `addresses.primary` is missing in section 8.7.1 but used by the full user of section 8.2. */
export const CORE_USER: SchemaDefinition = {
  id: URN_USER,
  name: 'User',
  description: 'User account',
  attributes: [
    attribute('userName', 'String', 'The name that the person signs in with; unique without regard to case.', {
      required: true,
      uniqueness: 'server',
    }),
    complex('name', "The parts of the person's name.", [
      attribute('formatted', 'String', 'The whole name, formatted for display.'),
      attribute('familyName', 'String', 'The family name, or last name.'),
      attribute('givenName', 'String', 'The given name, or first name.'),
      attribute('middleName', 'String', 'The middle name or names.'),
      attribute('honorificPrefix', 'String', 'A title before the name, as "Ms.".'),
      attribute('honorificSuffix', 'String', 'A suffix after the name, as "III".'),
    ]),
    attribute('displayName', 'String', 'The name to show to people.'),
    attribute('nickName', 'String', 'The casual name of the person.'),
    attribute('profileUrl', 'Reference', "The URL of the person's page.", external),
    attribute('title', 'String', 'The job title.'),
    attribute('userType', 'String', 'The relation to the organisation, as "Contractor" or "Employee".'),
    attribute('preferredLanguage', 'String', 'The preferred language, as in the Accept-Language header.'),
    attribute('locale', 'String', 'The locale for currency, dates and numbers (RFC 5646).'),
    attribute('timezone', 'String', 'The time zone, as "Europe/Belfast".'),
    attribute('active', 'Boolean', 'Whether the account may be used.'),
    attribute('password', 'String', 'The clear-text password; can be set, never read.', {
      caseExact: true,
      mutability: 'writeOnly',
      returned: 'never',
    }),
    list('emails', 'E-mail addresses.', attribute('value', 'String', 'The address.'), ['work', 'home', 'other']),
    list('phoneNumbers', 'Telephone numbers.', attribute('value', 'String', 'The number.'), [
      'work',
      'home',
      'mobile',
      'fax',
      'pager',
      'other',
    ]),
    list('ims', 'Instant messaging addresses.', attribute('value', 'String', 'The address.'), [
      'aim',
      'gtalk',
      'icq',
      'xmpp',
      'msn',
      'skype',
      'qq',
      'yahoo',
    ]),
    list('photos', 'URLs of pictures of the person.', attribute('value', 'Reference', 'The URL.', external), [
      'photo',
      'thumbnail',
    ]),
    attribute('addresses', 'Complex', 'Postal addresses.', {
      multiValued: true,
      subAttributes: [
        attribute('formatted', 'String', 'The whole address, formatted for display or a label.'),
        attribute('streetAddress', 'String', 'Street, house number, and what belongs to them.'),
        attribute('locality', 'String', 'The city.'),
        attribute('region', 'String', 'The state or region.'),
        attribute('postalCode', 'String', 'The postal code.'),
        attribute('country', 'String', 'The country, as an ISO 3166-1 alpha-2 code.'),
        attribute('type', 'String', 'What the address is used for.', { canonicalValues: ['work', 'home', 'other'] }),
        PRIMARY,
      ],
    }),
    attribute('groups', 'Complex', 'The groups that the person belongs to; changed through the groups.', {
      ...READ_ONLY,
      multiValued: true,
      subAttributes: [
        attribute('value', 'String', 'The id of the group.', READ_ONLY),
        attribute('$ref', 'Reference', 'The URI of the group.', { ...READ_ONLY, referenceTypes: ['User', 'Group'] }),
        attribute('display', 'String', 'The name of the group.', READ_ONLY),
        attribute('type', 'String', 'Whether the membership is direct.', {
          ...READ_ONLY,
          canonicalValues: ['direct', 'indirect'],
        }),
      ],
    }),
    list('entitlements', 'Things that the person has.', attribute('value', 'String', 'The entitlement.')),
    list('roles', 'Roles of the person.', attribute('value', 'String', 'The role.')),
    list(
      'x509Certificates',
      'Certificates of the person.',
      attribute('value', 'Binary', 'A DER certificate in base64.', { caseExact: true }),
    ),
  ],
};

/** RFC 7643 section 4.2, whose text makes `displayName` required (section 8.7.1 forgets it). */
export const CORE_GROUP: SchemaDefinition = {
  id: URN_GROUP,
  name: 'Group',
  description: 'Group',
  attributes: [
    attribute('displayName', 'String', 'The name of the group.', { required: true }),
    attribute('members', 'Complex', 'The members of the group.', {
      multiValued: true,
      subAttributes: [
        attribute('value', 'String', 'The id of the member.', { mutability: 'immutable', required: true }),
        attribute('$ref', 'Reference', 'The URI of the member.', {
          mutability: 'immutable',
          referenceTypes: ['User', 'Group'],
        }),
        attribute('type', 'String', 'What the member is.', {
          mutability: 'immutable',
          canonicalValues: ['User', 'Group'],
        }),
        attribute('display', 'String', 'The name of the member.', READ_ONLY),
      ],
    }),
  ],
};

/** RFC 7643 section 4.3. */
export const ENTERPRISE_USER: SchemaDefinition = {
  id: URN_ENTERPRISE_USER,
  name: 'EnterpriseUser',
  description: 'Enterprise User',
  attributes: [
    attribute('employeeNumber', 'String', 'The number or code of the employee.'),
    attribute('costCenter', 'String', 'The name of the cost center.'),
    attribute('organization', 'String', 'The name of the organisation.'),
    attribute('division', 'String', 'The name of the division.'),
    attribute('department', 'String', 'The name of the department.'),
    complex('manager', "The person's manager.", [
      attribute('value', 'String', "The id of the manager's user resource."),
      attribute('$ref', 'Reference', "The URI of the manager's user resource.", { referenceTypes: ['User'] }),
      attribute('displayName', 'String', 'The name of the manager.', READ_ONLY),
    ]),
  ],
};

/** Schemas found by URN without regard to case. */
export interface SchemaSet {
  readonly schemas: readonly SchemaDefinition[];
  /** The schema of this URN, or undefined. */
  find(urn: string): SchemaDefinition | undefined;
}

/**
 * Schemas of one URN are merged, a later definition of an attribute replacing an earlier one: several custom attributes
 * may share an extension, and a server's own description can be laid over the RFC's.
 */
export function createSchemaSet(schemas: readonly SchemaDefinition[]): SchemaSet {
  const byUrn = new Map<string, SchemaDefinition>();
  for (const schema of schemas) {
    const key = schema.id.toLowerCase();
    const known = byUrn.get(key);
    byUrn.set(key, known === undefined ? schema : mergeSchemas(known, schema));
  }
  return { schemas: [...byUrn.values()], find: (urn) => byUrn.get(urn.toLowerCase()) };
}

function mergeSchemas(known: SchemaDefinition, later: SchemaDefinition): SchemaDefinition {
  const attributes = new Map(known.attributes.map((each) => [each.name.toLowerCase(), each]));
  for (const each of later.attributes) attributes.set(each.name.toLowerCase(), each);
  return { ...known, attributes: [...attributes.values()] };
}

/** The definition of this name, without regard to case (RFC 7643 section 2.1). */
export function findAttribute(
  attributes: readonly AttributeDefinition[],
  name: string,
): AttributeDefinition | undefined {
  const wanted = name.toLowerCase();
  return attributes.find((each) => each.name.toLowerCase() === wanted);
}

type JsonObject = { readonly [key: string]: Json };

/** The RFC's JSON of a schema, without `meta`, which only the server that shows it can fill. */
export function toScimSchemaResource(schema: SchemaDefinition): Record<string, Json> {
  return {
    schemas: [URN_SCHEMA],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: schema.attributes.map(toScimAttribute),
  };
}

function toScimAttribute(definition: AttributeDefinition): Json {
  return {
    name: definition.name,
    type: definition.type.charAt(0).toLowerCase() + definition.type.slice(1),
    ...(definition.type === 'Complex' ? { subAttributes: definition.subAttributes.map(toScimAttribute) } : {}),
    multiValued: definition.multiValued,
    description: definition.description,
    required: definition.required,
    ...(definition.canonicalValues.length > 0 ? { canonicalValues: definition.canonicalValues } : {}),
    caseExact: definition.caseExact,
    mutability: definition.mutability,
    returned: definition.returned,
    uniqueness: definition.uniqueness,
    ...(definition.type === 'Reference' ? { referenceTypes: definition.referenceTypes } : {}),
  };
}

/**
 * A schema as some server shows it. Servers differ in the case of keys and of enumerated values and leave things out:
 * names are looked up without case, what is missing or not understood gets the RFC's default (a type that the RFC does
 * not have counts as String). Null when the value is no schema: it has no `id` or no list of attributes.
 */
export function fromScimSchemaResource(json: Json): SchemaDefinition | null {
  const source = toLookup(json);
  const id = source('id');
  const attributes = source('attributes');
  if (typeof id !== 'string' || id === '' || !Array.isArray(attributes)) return null;
  return {
    id,
    name: toText(source('name'), id.slice(id.lastIndexOf(':') + 1)),
    description: toText(source('description'), ''),
    attributes: toDefinitions(attributes),
  };
}

function toDefinitions(list: readonly Json[]): AttributeDefinition[] {
  return list.map(toDefinition).filter((each) => each !== null);
}

function toDefinition(json: Json): AttributeDefinition | null {
  const source = toLookup(json);
  const name = source('name');
  if (typeof name !== 'string' || name === '') return null;
  const subAttributes = source('subAttributes');
  const hasSubAttributes = Array.isArray(subAttributes) && subAttributes.length > 0;
  const type = toMember(source('type'), TYPES, hasSubAttributes ? 'Complex' : 'String');
  return toAttributeDefinition(name, type, toText(source('description'), ''), {
    multiValued: source('multiValued') === true,
    required: source('required') === true,
    caseExact: source('caseExact') === true,
    mutability: toMember(source('mutability'), MUTABILITIES, 'readWrite'),
    returned: toMember(source('returned'), RETURNED, 'default'),
    uniqueness: toMember(source('uniqueness'), UNIQUENESS, 'none'),
    canonicalValues: toTexts(source('canonicalValues')),
    referenceTypes: toTexts(source('referenceTypes')),
    subAttributes: Array.isArray(subAttributes) ? toDefinitions(subAttributes) : [],
  });
}

function toLookup(json: Json): (name: string) => Json | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return () => undefined;
  const byName = new Map(Object.entries(json as JsonObject).map(([key, value]) => [key.toLowerCase(), value]));
  return (name) => byName.get(name.toLowerCase());
}

function toMember<T extends string>(value: Json | undefined, members: readonly T[], fallback: T): T {
  if (typeof value !== 'string') return fallback;
  return members.find((each) => each.toLowerCase() === value.toLowerCase()) ?? fallback;
}

function toText(value: Json | undefined, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

function toTexts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
