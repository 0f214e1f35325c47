/** By what teams are told apart: the key of a team in the state store, and names as they are compared. */

/** Names of teams and groups compare trimmed and without case. */
export function toComparableName(displayName: string): string {
  return displayName.trim().normalize('NFC').toLowerCase();
}

/** Of a team that rules call for. */
export function toTeamKey(displayName: string): string {
  return `rule:${toComparableName(displayName)}`;
}

const GROUP_PREFIX = 'group:';

/** Of a team that is made of a group of the source. */
export function toGroupKey(id: string): string {
  return `${GROUP_PREFIX}${id}`;
}

/** The group that a team is made of; null for a team of rules. */
export function toGroupId(key: string): string | null {
  return key.startsWith(GROUP_PREFIX) ? key.slice(GROUP_PREFIX.length) : null;
}
