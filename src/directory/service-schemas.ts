/**
 * The schemas of what a service says of itself (RFC 7643 sections 5 to 7 and 8.7.2; `pagination` of RFC 9865 section 4). They are
 * shown at /Schemas, and no resource has them.
 */

import {
  type AttributeDefinition,
  type SchemaDefinition,
  toAttributeDefinition,
  URN_RESOURCE_TYPE,
  URN_SCHEMA,
  URN_SERVICE_PROVIDER_CONFIG,
} from '../scim/schema.ts';

type Type = AttributeDefinition['type'];
type Characteristics = Parameters<typeof toAttributeDefinition>[3];

function readOnly(name: string, type: Type, description: string, characteristics: Characteristics = {}) {
  return toAttributeDefinition(name, type, description, { mutability: 'readOnly', ...characteristics });
}

function required(name: string, type: Type, description: string, characteristics: Characteristics = {}) {
  return readOnly(name, type, description, { required: true, ...characteristics });
}

function exact(values: readonly string[]): Characteristics {
  return { caseExact: true, canonicalValues: values };
}

const SUPPORTED = required('supported', 'Boolean', 'Whether the operation is supported.');

function feature(name: string, description: string, more: readonly AttributeDefinition[] = []) {
  return required(name, 'Complex', description, { subAttributes: [SUPPORTED, ...more] });
}

const SERVICE_PROVIDER_CONFIG: SchemaDefinition = {
  id: URN_SERVICE_PROVIDER_CONFIG,
  name: 'ServiceProviderConfig',
  description: 'What the service provider supports',
  attributes: [
    readOnly('documentationUri', 'Reference', 'Where people read about the service.', { referenceTypes: ['external'] }),
    feature('patch', 'Whether PATCH is supported.'),
    feature('bulk', 'Whether bulk requests are supported.', [
      required('maxOperations', 'Integer', 'The most operations of a bulk request.'),
      required('maxPayloadSize', 'Integer', 'The most bytes of a bulk request.'),
    ]),
    feature('filter', 'Whether filters are supported.', [
      required('maxResults', 'Integer', 'The most resources of an answer.'),
    ]),
    feature('changePassword', 'Whether a password can be changed.'),
    feature('sort', 'Whether lists can be sorted.'),
    feature('etag', 'Whether resources have entity tags.'),
    readOnly('pagination', 'Complex', 'How lists are paged.', {
      subAttributes: [
        required('cursor', 'Boolean', 'Whether paging by cursor is supported.'),
        required('index', 'Boolean', 'Whether paging by index is supported.'),
        readOnly('defaultPaginationMethod', 'String', 'How a list is paged when the client does not say.', {
          ...exact(['cursor', 'index']),
        }),
        readOnly('defaultPageSize', 'Integer', 'The resources of a page when the client does not say.'),
        readOnly('maxPageSize', 'Integer', 'The most resources of a page.'),
        readOnly('cursorTimeout', 'Integer', 'For how many seconds a cursor is valid.'),
      ],
    }),
    required('authenticationSchemes', 'Complex', 'How a client shows who it is.', {
      multiValued: true,
      subAttributes: [
        required('type', 'String', 'The scheme.', {
          canonicalValues: ['oauth', 'oauth2', 'oauthbearertoken', 'httpbasic', 'httpdigest'],
        }),
        required('name', 'String', 'The name of the scheme, for people.'),
        required('description', 'String', 'What the scheme is.'),
        readOnly('specUri', 'Reference', "Where the scheme's specification is.", { referenceTypes: ['external'] }),
        readOnly('documentationUri', 'Reference', 'Where people read about the scheme.', {
          referenceTypes: ['external'],
        }),
        readOnly('primary', 'Boolean', 'Whether this is the preferred scheme.'),
      ],
    }),
  ],
};

const RESOURCE_TYPE: SchemaDefinition = {
  id: URN_RESOURCE_TYPE,
  name: 'ResourceType',
  description: 'A kind of resource',
  attributes: [
    readOnly('id', 'String', 'The id of the resource type, often its name.'),
    required('name', 'String', 'The name of the resource type.'),
    readOnly('description', 'String', 'What the resource type is, for people.'),
    required('endpoint', 'Reference', 'The path of its resources under the base URL.', { referenceTypes: ['uri'] }),
    required('schema', 'Reference', 'The URN of its core schema.', { caseExact: true, referenceTypes: ['uri'] }),
    readOnly('schemaExtensions', 'Complex', 'The extensions that its resources can have.', {
      multiValued: true,
      subAttributes: [
        required('schema', 'Reference', 'The URN of the extension.', { caseExact: true, referenceTypes: ['uri'] }),
        required('required', 'Boolean', 'Whether every resource has it.'),
      ],
    }),
  ],
};

const CHARACTERISTICS: readonly AttributeDefinition[] = [
  required('name', 'String', 'The name of the attribute.', { caseExact: true }),
  required('type', 'String', 'The type of its values.', {
    ...exact(['string', 'complex', 'boolean', 'decimal', 'integer', 'dateTime', 'reference', 'binary']),
  }),
  required('multiValued', 'Boolean', 'Whether it is a list.'),
  readOnly('description', 'String', 'What it is, for people.'),
  readOnly('required', 'Boolean', 'Whether a resource must have it.'),
  readOnly('canonicalValues', 'String', 'Suggested values.', { multiValued: true, caseExact: true }),
  readOnly('caseExact', 'Boolean', 'Whether texts that differ in case alone are different.'),
  readOnly('mutability', 'String', 'Who can write it, and when.', {
    ...exact(['readOnly', 'readWrite', 'immutable', 'writeOnly']),
  }),
  readOnly('returned', 'String', 'When it is in an answer.', {
    ...exact(['always', 'never', 'default', 'request']),
  }),
  readOnly('uniqueness', 'String', 'Among which resources its value is unique.', {
    ...exact(['none', 'server', 'global']),
  }),
  readOnly('referenceTypes', 'String', 'What a reference can refer to.', { multiValued: true, caseExact: true }),
];

const SCHEMA: SchemaDefinition = {
  id: URN_SCHEMA,
  name: 'Schema',
  description: 'The attributes of a resource or an extension',
  attributes: [
    required('id', 'String', 'The URN of the schema.', { caseExact: true }),
    readOnly('name', 'String', 'The name of the schema.'),
    readOnly('description', 'String', 'What the schema is, for people.'),
    required('attributes', 'Complex', 'The attributes, and what is known of each.', {
      multiValued: true,
      subAttributes: [
        ...CHARACTERISTICS,
        readOnly('subAttributes', 'Complex', 'The parts of a complex attribute, described in the same way.', {
          multiValued: true,
          subAttributes: CHARACTERISTICS,
        }),
      ],
    }),
  ],
};

export const SERVICE_SCHEMAS: readonly SchemaDefinition[] = [SERVICE_PROVIDER_CONFIG, RESOURCE_TYPE, SCHEMA];
