/** What is read, each with an OAuth scope of its own, so that who wants no groups need not give theirs. */
export const SCOPES = {
  users: 'https://www.googleapis.com/auth/admin.directory.user.readonly',
  groups: 'https://www.googleapis.com/auth/admin.directory.group.readonly',
  members: 'https://www.googleapis.com/auth/admin.directory.group.member.readonly',
} as const;
export type Area = keyof typeof SCOPES;
