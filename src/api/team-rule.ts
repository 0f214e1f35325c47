/** TeamRule: teams of the target whose members follow from attributes. */
import { type Static, Type } from '@sinclair/typebox';
import { ClauseSchema } from './clause.ts';
import { ConditionsSchema, ObservedGenerationSchema } from './condition-schema.ts';
import type { GROUP_VERSION, ObjectMeta } from './metadata.ts';
import { exactlyOneOf, type SchemaRule, toFields } from './rules.ts';
import { flag, instant, list, object, oneOf, reference, text, whole } from './schema.ts';

const exactlyOneMatch = exactlyOneOf('ruleExactlyOne', ['match', 'teamsFrom']);

/** Looks at two of the keys only: the others of a rule are ordinary fields. */
const RULE_EXACTLY_ONE: SchemaRule = {
  ...exactlyOneMatch,
  holds: (value) => {
    const rule = toFields(value);
    return rule === null || (rule['match'] === undefined) !== (rule['teamsFrom'] === undefined);
  },
  explain: (value) => {
    const found = toFields(value)?.['match'] === undefined ? 'none' : 'match and teamsFrom';
    return `${exactlyOneMatch.message} (found ${found})`;
  },
};

const RULE_TEAM_WITH_MATCH: SchemaRule = {
  name: 'ruleTeamWithMatch',
  message: 'team is needed with match, and teamsFrom takes none: there the values name the teams',
  cel: 'has(self.team) == has(self.match)',
  holds: (value) => {
    const rule = toFields(value);
    // With both or neither of them the other rule speaks; a second message about the same would only confuse.
    if (rule === null || !RULE_EXACTLY_ONE.holds(value)) return true;
    return (rule['team'] !== undefined) === (rule['match'] !== undefined);
  },
};

/** A rule of many teams has no team that these people would belong to. */
const RULE_INCLUDE_WITH_MATCH: SchemaRule = {
  name: 'ruleIncludeWithMatch',
  message: 'include says who belongs to one team: it goes with match, not with teamsFrom',
  cel: '!(has(self.include) && size(self.include) > 0 && has(self.teamsFrom))',
  holds: (value) => {
    const rule = toFields(value);
    const include = rule?.['include'];
    return !Array.isArray(include) || include.length === 0 || rule?.['teamsFrom'] === undefined;
  },
};

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
        },
        { description: 'The team; needed with `match`.' },
      ),
    ),
    match: Type.Optional(
      list(ClauseSchema, {
        minItems: 1,
        maxItems: 32,
        whyNotEmpty: 'no clause would mean everybody',
        description: 'Clauses that must all hold for a member; 1 to 32. An empty list is an error, never everybody.',
      }),
    ),
    teamsFrom: Type.Optional(
      object(
        {
          attributes: list(
            text({ maxLength: 512, description: 'Source attribute or CustomAttribute, named as in a clause.' }),
            {
              minItems: 1,
              maxItems: 32,
              description:
                'Attributes whose values name the teams of a person; 1 to 32. Who has none is in no team of this rule.',
            },
          ),
          separator: Type.Optional(
            text({
              maxLength: 8,
              default: ';',
              description: 'Text between the names in one value. Names are trimmed; empty ones are left out.',
            }),
          ),
        },
        {
          description:
            'A team for every value, instead of `match`; several values of one person are several teams. The first spelling seen stays the display name while the team exists.',
        },
      ),
    ),
    include: Type.Optional(
      list(person, {
        maxItems: 1000,
        empty: true,
        description:
          'People who are members whatever `match` says, by source id, userName or mail address; at most 1000. They must be in scope; who is not found is a warning. Not with `teamsFrom`.',
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
    rules: [RULE_EXACTLY_ONE, RULE_TEAM_WITH_MATCH, RULE_INCLUDE_WITH_MATCH],
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
