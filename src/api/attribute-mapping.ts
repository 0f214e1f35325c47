/** AttributeMapping: which attribute of the target is made from what. */
import { type Static, Type } from '@sinclair/typebox';
import type { Json } from '../model.ts';
import { ConditionsSchema, ObservedGenerationSchema } from './condition-schema.ts';
import type { GROUP_VERSION, ObjectMeta } from './metadata.ts';
import { atLeastOneOf, atMostOneOf, type SchemaRule, toFields } from './rules.ts';
import { flag, list, NAME_MAX_LENGTH, object, oneOf, text, UNTYPED, whole } from './schema.ts';

/** What a constant may be. */
export type ConstantValue = string | number | boolean | readonly (string | number | boolean)[];

export const PRESET_NAMES = [
  'EntraToSCIM',
  'GoogleToSCIM',
  'WorkOSToSCIM',
  'LDAPToSCIM',
  'ActiveDirectoryToSCIM',
  'SCIMToSCIM',
] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

const OMIT_RULE: SchemaRule = {
  name: 'omitAlone',
  message: 'omit: true leaves the attribute out; nothing else can be said of it',
  cel: '!has(self.omit) || !self.omit || !(has(self.source) || has(self.expression) || has(self.cel) || has(self.photo) || (has(self.required) && self.required) || has(self.format) || has(self.matching) || (has(self.apply) && self.apply != "Always") || has(self.onEmpty))',
  // Beside the other rules of an entry, of which one has the `not`; CEL sees no field without a type.
  structural: {
    allOf: [
      {
        not: {
          allOf: [
            { properties: { omit: { enum: [true] } }, required: ['omit'] },
            { anyOf: [{ required: ['constant'] }, { required: ['default'] }] },
          ],
        },
      },
    ],
  },
  holds: (value) => {
    const entry = toFields(value);
    if (entry?.['omit'] !== true) return true;
    // The API server fills defaults in before it looks.
    const said = { ...entry, required: entry['required'] || undefined, apply: toSaid(entry['apply']) };
    return Object.entries(said).every(([key, each]) => key === 'omit' || key === 'target' || each === undefined);
  },
};

function toSaid(apply: unknown): unknown {
  return apply === 'Always' ? undefined : apply;
}

/** As Base64 it still fits into a request of one megabyte, with room for the rest of an account. */
const MAX_PHOTO_BYTES = 720_000;

const SCALARS = [{ type: 'string', maxLength: 4096 }, { type: 'number' }, { type: 'boolean' }];

const AttributeEntrySchema = object(
  {
    target: text({
      maxLength: 512,
      description:
        'SCIM path to write, once in a mapping: `userName`, `name.givenName`, `emails[type eq "work"].value`, `urn:…:2.0:User:department`, or the name of a CustomAttribute. Read-only attributes (`id`, `meta`, `schemas`, `groups`) are refused.',
    }),
    source: Type.Optional(
      text({
        maxLength: 512,
        description:
          'Source attribute to take as it is (Direct): `department`, `a.b.c`, `a[0]`, `a[primary]`, `a[type eq "work"].value`, a URN key, or `["a.b"]` for one name with a dot. The prefixes `source:`, `custom:`, `predefined:` and `standard:` choose where the name is looked up.',
      }),
    ),
    expression: Type.Optional(
      text({
        maxLength: 10_000,
        description:
          'Expression in Entra’s language, such as `Join(" ", [givenName], [surname])`; at most 10,000 characters.',
      }),
    ),
    cel: Type.Optional(
      text({
        maxLength: 10_000,
        description:
          'Expression in CEL, with the strings and sets extensions: `user` has names as in `source`, `groups` the names of the person’s groups of the source, `now` is the moment of the run; for teams `group` and `now`. At most 10,000 characters; type-checked when loaded, with a cost limit for each person.',
      }),
    ),
    constant: Type.Optional(
      Type.Unsafe<ConstantValue>({
        anyOf: [...SCALARS, { type: 'array', minItems: 1, maxItems: 100, items: { anyOf: SCALARS } }],
        [UNTYPED]: 'a string, number, boolean or a list of these',
        description: 'The same value for everybody: a string, boolean, number, or a list of them (1 to 100).',
      }),
    ),
    photo: Type.Optional(
      object(
        {
          as: oneOf(['Url', 'DataUri'] as const, {
            description:
              'What the application takes: Url, the address of the photo at the source, where the application fetches it itself; DataUri, the photo itself as `data:image/…;base64,…`.',
          }),
          maxBytes: Type.Optional(
            whole({
              minimum: 1,
              maximum: MAX_PHOTO_BYTES,
              default: 262_144,
              description:
                'Bytes that a photo may have, before Base64 makes four of three: a larger one is an error of its person, whose photo stays. For DataUri alone.',
            }),
          ),
        },
        {
          description:
            'The photo of the person, where the source has photos: read only when it has changed, and nowhere kept.',
        },
      ),
    ),
    default: Type.Optional(
      Type.Unsafe<Json>({
        [UNTYPED]: 'a value other than null',
        not: { type: 'null' },
        description:
          'Value used when the other one is empty: on creation, and on adoption where the target has none either; never later. Without `source`, `expression`, `cel`, `constant` and `photo` it stands alone (None).',
      }),
    ),
    apply: Type.Optional(
      oneOf(['Always', 'OnCreate'] as const, {
        default: 'Always',
        description: 'OnCreate writes the value with the first request and never again.',
      }),
    ),
    onEmpty: Type.Optional(
      oneOf(['Keep', 'Clear'] as const, {
        documentedDefault: 'Keep, or what the CustomAttribute says',
        description:
          'What an empty value (null, "" or []) does where the target has one: Keep leaves it, Clear removes the attribute. An unknown value (its column is gone) always keeps.',
      }),
    ),
    required: Type.Optional(
      flag({
        default: false,
        description:
          'An empty value is an error of this person, who stays as they are; the others go on. While the read does not deliver the value, nobody gets an account without it.',
      }),
    ),
    // The default is none of the schema's: filled in, it would stand for a value where an entry has none.
    omit: Type.Optional(
      flag({
        documentedDefault: 'false',
        description:
          'Leaves the attribute out: what the preset, or an earlier mapping of the DirectorySync, says of it does not hold.',
      }),
    ),
    format: Type.Optional(
      text({
        maxLength: 64,
        documentedDefault: 'RFC 3339 and `yyyy-MM-dd`',
        description:
          '.NET pattern by which a date is read for a DateTime, and written to a String: `dd/MM/yyyy`. For no other types.',
      }),
    ),
    matching: Type.Optional(
      object(
        {
          precedence: whole({
            minimum: 1,
            maximum: 100,
            description:
              'Order in which matching attributes are tried, lowest first; distinct within a mapping. More than two are a warning.',
          }),
        },
        {
          description:
            'Makes this a matching attribute: an existing account with the same value is the same person. A mapping set needs at least one. Not for teams.',
        },
      ),
    ),
  },
  {
    description: 'How one attribute of the target is made.',
    rules: [
      atMostOneOf('entryAtMostOneValue', ['source', 'expression', 'cel', 'constant', 'photo']),
      atLeastOneOf('entryHasValue', ['source', 'expression', 'cel', 'constant', 'photo', 'default', 'omit']),
      OMIT_RULE,
    ],
  },
);

export type AttributeEntry = Static<typeof AttributeEntrySchema>;

export const AttributeMappingSpecSchema = object(
  {
    resource: Type.Optional(
      oneOf(['User', 'Team'] as const, {
        default: 'User',
        description:
          'What the mapping makes: users of the target from people, or teams from groups of the source. A Team mapping needs no entry: a team has the name of its group, and the group’s id as `externalId`.',
      }),
    ),
    preset: Type.Optional(
      oneOf(PRESET_NAMES, {
        documentedDefault: 'none',
        description:
          'Entries to begin with, for records in the form of that directory’s API, without those that the application does not take. Entries of `attributes` replace them by target, `omit: true` leaves one out. `dirsync get mapping NAME -o yaml` prints them all.',
      }),
    ),
    attributes: Type.Optional(
      list(AttributeEntrySchema, {
        minItems: 1,
        maxItems: 300,
        key: 'target',
        description:
          'One entry per attribute of the target; 1 to 300. Attributes without an entry are never touched, but for `active`, which follows the state of the person, and of teams `displayName` and `externalId`. May be missing beside a preset.',
      }),
    ),
  },
  {
    description: 'How users of the target are made from people of the source, or teams from its groups.',
    rules: [atLeastOneOf('mappingHasEntries', ['preset', 'attributes'])],
  },
);

export type AttributeMappingSpec = Static<typeof AttributeMappingSpecSchema>;

export const AttributeMappingStatusSchema = object(
  {
    observedGeneration: ObservedGenerationSchema,
    conditions: ConditionsSchema,
    preset: Type.Optional(oneOf(PRESET_NAMES, { description: 'The preset that it begins with.' })),
    attributesUsed: Type.Optional(
      list(text({ maxLength: 512, description: 'Name of a source attribute.' }), {
        maxItems: 1000,
        description: 'Source attributes that the entries read, sorted.',
      }),
    ),
    usedBy: Type.Optional(
      list(text({ maxLength: NAME_MAX_LENGTH, description: 'Name of a DirectorySync.' }), {
        maxItems: 1000,
        description: 'DirectorySyncs of the namespace that name this mapping, sorted.',
      }),
    ),
  },
  { description: 'What the controller saw.' },
);

export type AttributeMappingStatus = Static<typeof AttributeMappingStatusSchema>;

export interface AttributeMappingResource {
  readonly apiVersion: typeof GROUP_VERSION;
  readonly kind: 'AttributeMapping';
  readonly metadata: ObjectMeta;
  readonly spec: AttributeMappingSpec;
  readonly status?: AttributeMappingStatus;
}
