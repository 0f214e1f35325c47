/** CustomAttribute: an attribute of the target beyond the standard ones, with its type and its place. */
import { type Static, Type } from '@sinclair/typebox';
import { ConditionsSchema, ObservedGenerationSchema } from './condition-schema.ts';
import type { GROUP_VERSION, ObjectMeta } from './metadata.ts';
import { RULES_KEYWORD, type SchemaRule, toFields } from './rules.ts';
import { flag, list, NAME_MAX_LENGTH, object, objectName, oneOf, text, UNTYPED, whole } from './schema.ts';

/** What a mapping target, a clause or `[name]` in an expression can name. */
export const IDENTIFIER_PATTERN = '^[A-Za-z_][A-Za-z0-9_]*$';
export const IDENTIFIER_EXPECTED = 'a word of letters, digits and "_" that does not begin with a digit';

export const PREDEFINED_NAMES = [
  'addresses',
  'cost_center_name',
  'department_name',
  'division_name',
  'emails',
  'employee_number',
  'employee_type',
  'employment_start_date',
  'job_title',
  'manager_email',
  'organization',
  'username',
] as const;
export type PredefinedName = (typeof PREDEFINED_NAMES)[number];

const PREDEFINED_RULE: SchemaRule = {
  name: 'predefinedHasName',
  message: 'a predefined attribute has a name of its own, no references, and is never required',
  cel: '!has(self.predefined) || ((!has(self.name) || self.name == self.predefined) && !has(self.references) && !(has(self.required) && self.required))',
  holds: (value) => {
    const { predefined, name, references, required } = toFields(value) ?? {};
    if (predefined === undefined) return true;
    return (name === undefined || name === predefined) && references === undefined && required !== true;
  },
};

const CANONICAL_VALUES_RULE: SchemaRule = {
  name: 'canonicalValuesAreStrings',
  message: 'canonicalValues can be given for type String only',
  cel: "!has(self.canonicalValues) || size(self.canonicalValues) == 0 || !has(self.type) || self.type == 'String'",
  holds: (value) => {
    const spec = toFields(value);
    const values = spec?.['canonicalValues'];
    return !Array.isArray(values) || values.length === 0 || (spec?.['type'] ?? 'String') === 'String';
  },
};

const SEPARATOR_RULE: SchemaRule = {
  name: 'separatorWithMultiValued',
  message: 'separator needs multiValued: true',
  cel: '!has(self.separator) || (has(self.multiValued) && self.multiValued)',
  holds: (value) => {
    const spec = toFields(value);
    return spec?.['separator'] === undefined || spec['multiValued'] === true;
  },
};

const REFERENCES_RULE: SchemaRule = {
  name: 'referencesWithReference',
  message: 'type Reference needs references: {resource: User} or {resource: Team}, and no other type has it',
  cel: "has(self.references) == (has(self.type) && self.type == 'Reference')",
  holds: (value) => {
    const spec = toFields(value);
    return (spec?.['references'] !== undefined) === (spec?.['type'] === 'Reference');
  },
};

/** CEL sees no field without a type; the pattern looks at texts only and `required` at objects only. */
const DIRECTORY_SYNCS_RULE: SchemaRule = {
  name: 'directorySyncsAllOrNames',
  message: 'must be All or {names: [...]}',
  structural: { pattern: '^All$', required: ['names'] },
  holds: (value) => value === 'All' || toFields(value) !== null,
};

const DirectorySyncNames = object(
  {
    names: list(objectName({ description: 'Name of a DirectorySync in the same namespace.' }), {
      minItems: 1,
      maxItems: 1000,
      description: 'Names of DirectorySyncs; 1 to 1000.',
    }),
  },
  { description: 'Only these DirectorySyncs.' },
);

export const CustomAttributeSpecSchema = object(
  {
    name: Type.Optional(
      text({
        maxLength: 64,
        pattern: IDENTIFIER_PATTERN,
        expected: IDENTIFIER_EXPECTED,
        documentedDefault: 'the metadata name with `_` for `-`',
        description:
          'What mappings (as `target`), clauses and expressions (as `[name]`) call it: letters, digits and `_`, not beginning with a digit.',
      }),
    ),
    predefined: Type.Optional(
      oneOf(PREDEFINED_NAMES, {
        documentedDefault: 'none',
        description:
          'Takes this predefined attribute, without an entry in a mapping. Its name, type and `multiValued` are those of the predefined attribute, whatever else stands here. An entry for it replaces it.',
      }),
    ),
    directorySyncs: Type.Optional(
      Type.Unsafe<'All' | Static<typeof DirectorySyncNames>>({
        if: { type: 'object' },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, not a promise
        then: DirectorySyncNames,
        [UNTYPED]: 'All or {names: [...]}',
        [RULES_KEYWORD]: [DIRECTORY_SYNCS_RULE],
        default: 'All',
        description: 'Where it applies: `All` DirectorySyncs of the namespace, or `{names: [...]}`, 1 to 1000 of them.',
      }),
    ),
    type: Type.Optional(
      oneOf(['String', 'Boolean', 'Integer', 'Decimal', 'DateTime', 'Reference', 'Binary', 'Complex'] as const, {
        default: 'String',
        description:
          'Type of the value (RFC 7643 section 2.3). A value that cannot be read as it is an error of that person’s attribute. Reference: the id that a person’s account, or a team, has in the target, made from what the source calls it. Binary: Base64. Complex: an object.',
      }),
    ),
    references: Type.Optional(
      object(
        {
          resource: oneOf(['User', 'Team'] as const, {
            description:
              'What the values refer to. User: a person, by source id, mail address or alias, userName or distinguished name. Team: a team, by the id or the name of its group, or by its own name.',
          }),
        },
        { description: 'What a value of type Reference refers to; needed by that type, and by no other.' },
      ),
    ),
    multiValued: Type.Optional(flag({ default: false, description: 'A list of values.' })),
    caseExact: Type.Optional(flag({ default: false, description: 'Do values differ when only their case does?' })),
    separator: Type.Optional(
      text({
        maxLength: 8,
        documentedDefault: 'none',
        description:
          'Splits a text of the source into the values of a multi-valued attribute; values are trimmed. Without it a text is one value.',
      }),
    ),
    onEmpty: Type.Optional(
      oneOf(['Keep', 'Clear'] as const, {
        default: 'Keep',
        description: 'What an empty value does where the target has one, unless the mapping’s entry says otherwise.',
      }),
    ),
    required: Type.Optional(
      flag({
        default: false,
        description:
          'No account is made without a value; whoever has one keeps it. A DirectorySync made after this resource needs an entry that gives it a value; older ones without an entry go on, and are listed in `status.unmappedIn`. Not with `predefined`.',
      }),
    ),
    canonicalValues: Type.Optional(
      list(text({ maxLength: 256, description: 'An allowed value.' }), {
        maxItems: 500,
        empty: true,
        description: 'Allowed values, for type String; another one is an error of that person’s attribute. Empty: any.',
      }),
    ),
    path: text({
      maxLength: 512,
      description:
        'Where it lives in the target: a core path, or outside the core schemas a URN such as `urn:ietf:params:scim:schemas:extension:acme:2.0:User:licenseTier`; with `:Group:` in place of `:User:` it is an attribute of teams.',
    }),
  },
  {
    description: 'An attribute of the target, its type and its place.',
    rules: [CANONICAL_VALUES_RULE, SEPARATOR_RULE, REFERENCES_RULE, PREDEFINED_RULE],
  },
);

export type CustomAttributeSpec = Static<typeof CustomAttributeSpecSchema>;

export const CustomAttributeStatusSchema = object(
  {
    observedGeneration: ObservedGenerationSchema,
    conditions: ConditionsSchema,
    usedBy: Type.Optional(
      list(text({ maxLength: NAME_MAX_LENGTH, description: 'Name of a DirectorySync.' }), {
        maxItems: 1000,
        description: 'DirectorySyncs of the namespace that it applies to, sorted.',
      }),
    ),
    unmappedIn: Type.Optional(
      list(text({ maxLength: NAME_MAX_LENGTH, description: 'Name of a DirectorySync.' }), {
        maxItems: 1000,
        description: 'Of these the DirectorySyncs without an entry for it, where it is required, sorted.',
      }),
    ),
    deletion: Type.Optional(
      object(
        {
          left: Type.Optional(
            whole({
              minimum: 0,
              maximum: 1_000_000_000,
              description: 'People who still have a value, as far as runs have counted them.',
            }),
          ),
          directorySyncs: list(
            object(
              {
                name: text({ maxLength: NAME_MAX_LENGTH, description: 'Name of the DirectorySync.' }),
                state: oneOf(['Removing', 'Held', 'Suspended', 'Failed'] as const, {
                  description:
                    'Removing: a run does, or will. Held: removals wait for approval. Suspended: it is suspended, or has `mode: Plan`. Failed: its last run failed, or single removals did.',
                }),
                left: Type.Optional(
                  whole({
                    minimum: 0,
                    maximum: 1_000_000_000,
                    description: 'Its people who still have a value; absent: not counted yet.',
                  }),
                ),
              },
              { description: 'A DirectorySync that is waited for.' },
            ),
            { maxItems: 1000, empty: true, description: 'DirectorySyncs that are waited for, sorted by name.' },
          ),
        },
        { description: 'Under deletion: what is still to be removed. The resource goes when nothing is.' },
      ),
    ),
  },
  { description: 'What the controller saw.' },
);

export type CustomAttributeStatus = Static<typeof CustomAttributeStatusSchema>;

export interface CustomAttributeResource {
  readonly apiVersion: typeof GROUP_VERSION;
  readonly kind: 'CustomAttribute';
  readonly metadata: ObjectMeta;
  readonly spec: CustomAttributeSpec;
  readonly status?: CustomAttributeStatus;
}
