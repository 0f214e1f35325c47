/** `spec.groups` of a DirectorySync: groups of the source as teams. */
import { Type } from '@sinclair/typebox';
import { type SchemaRule, toFields } from './rules.ts';
import { list, object, oneOf, text } from './schema.ts';

export const groupName = () =>
  text({ maxLength: 256, description: 'Name of a group (trimmed, without case), or its id as it is.' });

const hasNoGroups = (source: unknown): boolean => {
  const file = toFields(toFields(source)?.['file']);
  return file !== null && file['groups'] === undefined;
};

/** What reads them is the source's own block: a file has groups only where one is named. */
export const GROUPS_NEED_SOURCE: SchemaRule = {
  name: 'groupsNeedSource',
  message: 'groups.provision needs a source with groups: set source.file.groups',
  cel: "!has(self.groups) || !has(self.groups.provision) || self.groups.provision == 'None' || !has(self.source.file) || has(self.source.file.groups)",
  fieldPath: '.groups.provision',
  holds: (value) => {
    const { groups, source } = toFields(value) ?? {};
    const provision = toFields(groups)?.['provision'];
    return provision === undefined || provision === 'None' || !hasNoGroups(source);
  },
};

/** The same for a scope that takes people by groups. */
export const SCOPE_NEEDS_SOURCE: SchemaRule = {
  name: 'membersNeedSource',
  message: 'scope.users MembersOfGroups needs a source with groups: set source.file.groups',
  cel: "!has(self.scope) || !has(self.scope.users) || self.scope.users != 'MembersOfGroups' || !has(self.source.file) || has(self.source.file.groups)",
  fieldPath: '.scope.users',
  holds: (value) => {
    const { scope, source } = toFields(value) ?? {};
    return toFields(scope)?.['users'] !== 'MembersOfGroups' || !hasNoGroups(source);
  },
};

export const GroupsSchema = object(
  {
    provision: Type.Optional(
      oneOf(['None', 'InScope', 'All'] as const, {
        default: 'None',
        description:
          'Which groups of the source become teams, with those of their members who are in scope. InScope: those of `scope.groups`; without `scope.users: MembersOfGroups` the same as All. None: teams made of groups stay as they are.',
      }),
    ),
    include: Type.Optional(
      list(groupName(), {
        maxItems: 1000,
        empty: true,
        description:
          'Only these groups, by name or id; at most 1000. Empty: all. An entry that no group answers to is a warning. The team of a group that is left out stays as it is.',
      }),
    ),
    exclude: Type.Optional(
      list(groupName(), {
        maxItems: 1000,
        empty: true,
        description: 'Not these groups, by name or id, whatever `include` says; at most 1000.',
      }),
    ),
    deletedAtSource: Type.Optional(
      oneOf(['Retain', 'Empty', 'Delete'] as const, {
        default: 'Empty',
        description:
          'What becomes of the team of a group that is absent from a complete list. Guarded like any removal: `removeMembers`, `deleteTeams`. Retain: it stays as it is.',
      }),
    ),
  },
  {
    description:
      'Groups of the source as teams. Two groups of one name are two teams: the later one’s name gets a suffix from its id, which it keeps while the group is called so.',
    defaulted: true,
  },
);
