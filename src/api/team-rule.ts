/** TeamRule: teams of the target whose members follow from attributes. */
import { type Static, Type } from '@sinclair/typebox';
import { ClauseSchema } from './clause.ts';
import { ConditionsSchema, ObservedGenerationSchema } from './condition-schema.ts';
import type { GROUP_VERSION, ObjectMeta } from './metadata.ts';
import { atLeastOneOf, exactlyOneOf, type SchemaRule, toFields } from './rules.ts';
import { flag, instant, list, object, oneOf, reference, text, whole } from './schema.ts';

/** Ways to say who belongs to one team. */
const CONDITIONS = ['match', 'rule', 'cel', 'everyone'] as const;
const KINDS = [...CONDITIONS, 'teamsFrom'] as const;
const exactlyOneKind = exactlyOneOf('ruleExactlyOne', KINDS);

const found = (value: unknown): readonly string[] => {
  const rule = toFields(value);
  return rule === null ? [] : KINDS.filter((key) => rule[key] !== undefined);
};

/** Looks at these keys only: the others of a rule are ordinary fields. */
const RULE_EXACTLY_ONE: SchemaRule = {
  ...exactlyOneKind,
  holds: (value) => toFields(value) === null || found(value).length === 1,
  explain: (value) => `${exactlyOneKind.message} (found ${found(value).join(' and ') || 'none'})`,
};

const RULE_TEAM_UNLESS_VALUES: SchemaRule = {
  name: 'ruleTeamUnlessValues',
  message: `team is needed with ${CONDITIONS.join(', ')}, and teamsFrom takes none: there the values name the teams`,
  cel: 'has(self.team) != has(self.teamsFrom)',
  holds: (value) => {
    const rule = toFields(value);
    // With several of them or none the other rule speaks; a second message about the same would only confuse.
    if (rule === null || !RULE_EXACTLY_ONE.holds(value)) return true;
    return (rule['team'] !== undefined) !== (rule['teamsFrom'] !== undefined);
  },
};

/** A rule of many teams has no team that these people would belong to. */
const RULE_INCLUDE_WITH_ONE_TEAM: SchemaRule = {
  name: 'ruleIncludeWithOneTeam',
  message: 'include says who belongs to one team: it does not go with teamsFrom',
  cel: '!(has(self.include) && size(self.include) > 0 && has(self.teamsFrom))',
  holds: (value) => {
    const rule = toFields(value);
    const include = rule?.['include'];
    return !Array.isArray(include) || include.length === 0 || rule?.['teamsFrom'] === undefined;
  },
};

const TEAMS_FROM_SOMETHING = atLeastOneOf('teamsFromSomething', ['attributes', 'expressions']);

const person = text({ maxLength: 320, description: 'A source id, userName or mail address, without regard to case.' });

export const TeamRuleSpecSchema = object(
  {
    directorySyncRef: reference(
      'DirectorySync',
      'The DirectorySync whose people and target the rule works on. While it is missing the rule waits (`ReferenceNotFound`).',
    ),
    team: Type.Optional(
      object(
        {
          displayName: text({
            maxLength: 256,
            pattern: '\\S',
            expected: 'a name of more than spaces',
            description:
              'Display name of the team, at most 256 characters. Rules with one name (trimmed, without regard to case) share one team with the members of all. A change renames the team.',
          }),
          externalId: Type.Optional(
            text({
              maxLength: 256,
              documentedDefault: 'a mark of the DirectorySync and the name',
              description:
                'The team’s `externalId` in the application, instead of the mark `dirsync:<namespace>/<id>:<name>`, and like it what the team is recognised by without the state store: a team that carries it is taken for this one. At most 256 characters; of one team in all its rules.',
            }),
          ),
          description: Type.Optional(
            text({
              maxLength: 1024,
              documentedDefault: 'what stands in the application',
              description:
                'The team’s description, at most 1024 characters, for an application whose published schema of groups has `description`; others are not sent it. Of several rules of one team the first by name that has one.',
            }),
          ),
        },
        { description: 'The team; needed but for `teamsFrom`.' },
      ),
    ),
    match: Type.Optional(
      list(ClauseSchema, {
        minItems: 1,
        maxItems: 32,
        whyNotEmpty: 'no clause would mean everybody',
        description:
          'Clauses that must all hold for a member; 1 to 32. An empty list is an error, never everybody: that is `everyone`.',
      }),
    ),
    rule: Type.Optional(
      text({
        maxLength: 3072,
        description:
          'A rule in Entra’s language of dynamic membership, word for word; at most 3072 characters. `user.` names are resolved on every source; rules about devices are refused.',
      }),
    ),
    cel: Type.Optional(
      text({
        maxLength: 10_000,
        description:
          'A condition in CEL, with the strings and sets extensions: `user` has names as in a clause, `desired` what the mappings write by target path, `groups` the names of the person’s groups of the source, `now` is the moment of the run. At most 10,000 characters; type-checked when loaded, with a cost limit for each person.',
      }),
    ),
    everyone: Type.Optional(
      Type.Literal(true, {
        description: 'Everybody in scope and active belongs to the team. Only `true` can be written.',
      }),
    ),
    teamsFrom: Type.Optional(
      object(
        {
          attributes: Type.Optional(
            list(text({ maxLength: 512, description: 'Source attribute or CustomAttribute, named as in a clause.' }), {
              minItems: 1,
              maxItems: 32,
              description:
                'Attributes whose values name the teams of a person; 1 to 32. Who has none is in no team of this rule.',
            }),
          ),
          expressions: Type.Optional(
            list(text({ maxLength: 10_000, description: 'An expression of the mapping language.' }), {
              minItems: 1,
              maxItems: 32,
              description:
                'Expressions whose values name the teams of a person, as in a mapping; 1 to 32, each of at most 10,000 characters. A list names several teams; an empty value names none.',
            }),
          ),
          separator: Type.Optional(
            text({
              maxLength: 8,
              default: ';',
              description: 'Text between the names in one value. Names are trimmed; empty ones are left out.',
            }),
          ),
          prefix: Type.Optional(
            text({
              maxLength: 128,
              minLength: 0,
              default: '',
              description:
                'Stands before every name, as it is: `Club ` makes the team `Club Chess` of the value `Chess`.',
            }),
          ),
        },
        {
          rules: [TEAMS_FROM_SOMETHING],
          description:
            'A team for every value, instead of one team; several values of one person are several teams. The first spelling seen stays the display name while the team exists.',
        },
      ),
    ),
    include: Type.Optional(
      list(person, {
        maxItems: 1000,
        empty: true,
        description:
          'People who are members whatever the rule says, by source id, userName or mail address; at most 1000. They must be in scope; who is not found is a warning. Not with `teamsFrom`.',
      }),
    ),
    exclude: Type.Optional(
      list(person, {
        maxItems: 1000,
        empty: true,
        description: 'People who are never members; wins over `include`; at most 1000. Who is not found is a warning.',
      }),
    ),
    whenEmpty: Type.Optional(
      oneOf(['Retain', 'Delete'] as const, {
        default: 'Retain',
        description: 'What happens to a team that has no members any more. Retain: it stays, empty.',
      }),
    ),
    deletionPolicy: Type.Optional(
      oneOf(['Retain', 'Empty', 'Delete'] as const, {
        default: 'Retain',
        description:
          'What deleting this rule does to teams that no other rule makes. Retain: they stay as they are; Empty: they lose the members that Dirsync gave them; Delete: they go.',
      }),
    ),
    suspend: Type.Optional(flag({ default: false, description: 'The rule’s teams stay as they are.' })),
  },
  {
    description: 'Which teams, and who belongs to them.',
    rules: [RULE_EXACTLY_ONE, RULE_TEAM_UNLESS_VALUES, RULE_INCLUDE_WITH_ONE_TEAM],
  },
);

export type TeamRuleSpec = Static<typeof TeamRuleSpecSchema>;

export const TeamRuleStatusSchema = object(
  {
    observedGeneration: ObservedGenerationSchema,
    conditions: ConditionsSchema,
    teams: Type.Optional(whole({ minimum: 0, maximum: 1_000_000_000, description: 'Teams that the rule makes.' })),
    members: Type.Optional(
      whole({
        minimum: 0,
        maximum: 1_000_000_000,
        description: 'Memberships in them, counted once per person and team.',
      }),
    ),
    conflicts: Type.Optional(
      whole({
        minimum: 0,
        maximum: 1_000_000_000,
        description: 'Teams whose name somebody else holds; they are not written.',
      }),
    ),
    lastChange: Type.Optional(instant({ description: 'When members or teams of the rule last changed.' })),
  },
  { description: 'What the controller saw.' },
);

export type TeamRuleStatus = Static<typeof TeamRuleStatusSchema>;

export interface TeamRuleResource {
  readonly apiVersion: typeof GROUP_VERSION;
  readonly kind: 'TeamRule';
  readonly metadata: ObjectMeta;
  readonly spec: TeamRuleSpec;
  readonly status?: TeamRuleStatus;
}
