/** Everything that can go wrong, as data: a step of a scenario names what happens to its run, and when. */

/** What becomes of requests. `at` counts the requests of the run from 1. */
export const HTTP_FAULTS = [
  'refused',
  'lostRequest',
  'lostResponse',
  'late',
  'doubled',
  'half',
  'halfJson',
  'throttled',
  'throttledLong',
  'throttledUntil',
  'usedUp',
  'revoked',
  'busy',
  'unavailable',
  'errorBefore',
  'errorAfter',
  'gatewayTimeout',
  'html',
  'hang',
  'forbidden',
] as const;
export type HttpFaultKind = (typeof HTTP_FAULTS)[number];

/** What becomes of the read of the source. */
export const READ_FAULTS = [
  'readError',
  'readShort',
  'readEmpty',
  'readPartial',
  'readBlank',
  'columnGone',
  'recordUnknown',
  'itemFailed',
  'itemUnnamed',
  'duplicateId',
  'readHangs',
  'wrongTenant',
] as const;
/** What becomes of the list of groups. */
export const GROUP_FAULTS = [
  'groupFailed',
  'groupUnnamed',
  'groupTwice',
  'groupsError',
  'groupsShort',
  'groupsEmpty',
  'groupsPartial',
] as const;
/** Where teams have values that their groups tell. */
export const TEAM_VALUE_FAULTS = ['groupColumnGone'] as const;
export type GroupFaultKind = (typeof GROUP_FAULTS)[number] | (typeof TEAM_VALUE_FAULTS)[number];
/** What becomes of the changes that a source tells. */
export const FEED_FAULTS = ['feedExpired', 'feedReplayed', 'feedDoubled', 'feedCut', 'feedLate'] as const;
export type FeedFaultKind = (typeof FEED_FAULTS)[number];
export type ReadFaultKind = (typeof READ_FAULTS)[number] | GroupFaultKind | FeedFaultKind;

/** What becomes of the process and its store. `at` counts the awaits of the run from 1. */
export const PROCESS_FAULTS = ['kill', 'diskFull', 'stopped', 'cut', 'editInFlight'] as const;
export type ProcessFaultKind = (typeof PROCESS_FAULTS)[number];

/** What happens between runs or beside them. */
export const WORLD_FAULTS = [
  'storeLost',
  'storeRolledBack',
  'storeNewer',
  'storeLocked',
  'storeBroken',
  'twoControllers',
  'clockForth',
  'clockBack',
] as const;

export interface HttpFault {
  readonly kind: HttpFaultKind;
  readonly at: number;
  /** How many requests in a row. */
  readonly count: number;
}

export interface ReadFault {
  readonly kind: ReadFaultKind;
  /** Chooses the record, attribute or place. */
  readonly which: number;
}

export interface ProcessFault {
  readonly kind: ProcessFaultKind;
  readonly at: number;
  readonly count: number;
}

export type RunFault = HttpFault | ReadFault | ProcessFault;

export function isHttpFault(fault: RunFault): fault is HttpFault {
  return HTTP_FAULTS.some((kind) => kind === fault.kind);
}

export function isReadFault(fault: RunFault): fault is ReadFault {
  return READ_FAULTS.some((kind) => kind === fault.kind) || isGroupFault(fault.kind) || isFeedFault(fault.kind);
}

export function isGroupFault(kind: RunFault['kind']): kind is GroupFaultKind {
  return [...GROUP_FAULTS, ...TEAM_VALUE_FAULTS].some((each) => each === kind);
}

export function isFeedFault(kind: RunFault['kind']): kind is FeedFaultKind {
  return FEED_FAULTS.some((each) => each === kind);
}

export function isProcessFault(fault: RunFault): fault is ProcessFault {
  return PROCESS_FAULTS.some((kind) => kind === fault.kind);
}
