/** `spec.guards` of a DirectorySync: how much may go without a person's approval. */
import { Type } from '@sinclair/typebox';
import { decimal, duration, list, object, text, whole } from './schema.ts';

/** @param percent default; 100 for a guard that is off */
function guard(what: string, percent: number) {
  return Type.Optional(
    object(
      {
        max: Type.Optional(
          whole({
            minimum: -1,
            maximum: 1_000_000,
            default: -1,
            description: `Most ${what} within \`guards.window\` without approval. -1: no such limit; 0: none goes without approval.`,
          }),
        ),
        percent: Type.Optional(
          decimal({
            minimum: 0,
            maximum: 100,
            default: percent,
            description: `The same in percent. 100 switches it off. Up to \`guards.floor\` go whatever it says.`,
          }),
        ),
      },
      {
        description: `Limit for ${what}; each key defaults by itself. What exceeds it is held until approved.`,
        defaulted: true,
      },
    ),
  );
}

export const GuardsSchema = object(
  {
    deactivate: guard('deactivations (percent of the people owned and active at the start of the window)', 10),
    delete: guard('deletions of people (percent of the people owned and active at the start of the window)', 5),
    adopt: guard('take-overs of existing accounts (percent of the people in scope)', 10),
    reactivate: guard('people activated again (percent of the people in scope)', 10),
    rename: guard(
      'changes of a userName, externalId or mail address (percent of the people owned and active at the start of the window)',
      10,
    ),
    removeMembers: guard(
      'removals from one team (percent of its members) that belong to no deactivation or deletion',
      50,
    ),
    deleteTeams: guard(
      'teams deleted, emptied, or left by more than `guards.removeMembers.percent` of their members (percent of the teams owned at the start of the window)',
      10,
    ),
    update: guard(
      'people changed in one attribute, each attribute by itself (percent of the people owned and active at the start of the window); off without it',
      100,
    ),
    window: Type.Optional(
      duration({
        atLeast: '1s',
        atMost: '2160h',
        default: '24h',
        description:
          'Time within which what was done without approval is counted together, over all runs; 1s to 2160h (90 days). What was done exactly so long ago still counts.',
      }),
    ),
    floor: Type.Optional(
      whole({
        minimum: 0,
        maximum: 10_000,
        default: 5,
        description: 'Up to this many of a kind go whatever the percentage says, but never more than `max`.',
      }),
    ),
    protectedUsers: Type.Optional(
      list(
        text({ maxLength: 320, description: 'A source id, userName or primary mail address, without regard to case.' }),
        {
          maxItems: 1000,
          empty: true,
          description:
            'People who are never deactivated, deleted or adopted, by source id, userName or primary mail address; at most 1000. Who is not found is a warning; what was not done for them is counted in `status.users.protected`.',
        },
      ),
    ),
    protectedTeams: Type.Optional(
      list(text({ maxLength: 256, description: 'Display name of a team, compared trimmed and without case.' }), {
        maxItems: 1000,
        empty: true,
        description:
          'Teams that are never deleted, and never emptied below `keepAtLeast` members; at most 1000. A name that no team has is a warning; removals left out are counted in `status.users.protected`.',
      }),
    ),
    keepAtLeast: Type.Optional(
      whole({
        minimum: 0,
        maximum: 1_000_000,
        default: 0,
        description:
          'Members that a team of `protectedTeams` keeps, whoever leaves: further removals are left out until others have joined. 0: it may be emptied, and is not deleted. A member whose account is deleted is gone all the same.',
      }),
    ),
    suspiciousDrop: Type.Optional(
      decimal({
        minimum: 0,
        maximum: 100,
        default: 30,
        description:
          'Percent of people, or of filled values of one attribute, that a read may lose against the last good one; beyond it (and beyond `floor` of them) the read is suspect and its removals wait for a second complete read or approval. A read without anybody, where the last good one had some, is always suspect.',
      }),
    ),
    maxFailures: Type.Optional(
      decimal({
        minimum: 0,
        maximum: 100,
        default: 20,
        description:
          'Percent of the requests for operations of one run that may fail; when more do, and at least 10, the run stops before it floods the target (`TooManyFailures`) and is tried again. 100: it never stops for that.',
      }),
    ),
  },
  {
    description: 'How much may be removed without a person’s approval. Held operations keep everything else going.',
    defaulted: true,
  },
);
