/** Fields of users and groups of the Directory API, and which of them are asked for. Pure. */

/** What a list of users can give, but for `etag`, `kind`, and what nobody may read (`password`). */
export const USER_FIELDS = [
  'addresses',
  'agreedToTerms',
  'aliases',
  'archived',
  'changePasswordAtNextLogin',
  'creationTime',
  'customSchemas',
  'customerId',
  'emails',
  'externalIds',
  'gender',
  'id',
  'ims',
  'includeInGlobalAddressList',
  'ipWhitelisted',
  'isAdmin',
  'isDelegatedAdmin',
  'isEnforcedIn2Sv',
  'isEnrolledIn2Sv',
  'isMailboxSetup',
  'keywords',
  'languages',
  'lastLoginTime',
  'locations',
  'name',
  'nonEditableAliases',
  'notes',
  'orgUnitPath',
  'organizations',
  'phones',
  'posixAccounts',
  'primaryEmail',
  'recoveryEmail',
  'recoveryPhone',
  'relations',
  'sshPublicKeys',
  'suspended',
  'suspensionReason',
  'thumbnailPhotoEtag',
  'thumbnailPhotoUrl',
  'websites',
] as const;

/** `directMembersCount` leaves out members of groups in the group. */
const GROUP_FIELDS = [
  'adminCreated',
  'aliases',
  'description',
  'directMembersCount',
  'email',
  'id',
  'name',
  'nonEditableAliases',
] as const;

/** Its keys are the schemas that somebody made in the Admin console. */
export const CUSTOM_SCHEMAS = 'customSchemas';
export const PHOTO_ETAG = 'thumbnailPhotoEtag';
export const PHOTO_URL = 'thumbnailPhotoUrl';

/**
 * Names that the API does not know are not asked for: it would refuse the whole request. Always with what tells the state;
 * and where a photo is asked for with both signs of one.
 */
export function toUserFields(projection: readonly string[]): readonly string[] {
  const photo = projection.includes(PHOTO_ETAG) ? [PHOTO_URL] : [];
  return pick(['id', 'suspended', 'archived', ...projection, ...photo], USER_FIELDS);
}

/** Always with what a group is known by. */
export function toGroupFields(projection: readonly string[]): readonly string[] {
  return pick(['id', 'email', 'name', ...projection], GROUP_FIELDS);
}

/** One that is written in other letters is asked for all the same: then the message about it can say how it is called. */
function pick(wanted: readonly string[], fields: readonly string[]): readonly string[] {
  const known = new Map(fields.map((name) => [name.toLowerCase(), name]));
  return [...new Set(wanted.flatMap((name) => known.get(name.toLowerCase()) ?? []))];
}

/** For `fields`: of a list, the items with these and what leads on. */
export function toListSelector(key: 'users' | 'groups' | 'members', fields: readonly string[]): string {
  return `kind,nextPageToken,${key}(${fields.join(',')})`;
}
