/** How the target of a scenario deviates from the letter of the standard: names of single deviations, put together. */
import { APPLICATIONS, type Dialect, QUIRKS } from '../support/dialects/dialect.ts';
import { DEPARTMENT } from './model.ts';
import type { ProfileName } from './profiles.ts';

type Change = (dialect: Dialect) => Dialect;

const { plain } = QUIRKS;
const ENTERPRISE = DEPARTMENT.slice(0, DEPARTMENT.lastIndexOf(':'));

const change =
  (what: Partial<Dialect>): Change =>
  (dialect) => ({ ...dialect, ...what });

const announce =
  (config: Readonly<Record<string, unknown>>, what: Partial<Dialect>): Change =>
  (dialect) => ({ ...dialect, ...what, config: { ...dialect.config, ...config } });

const members =
  (what: Partial<Dialect['members']>): Change =>
  (dialect) => ({ ...dialect, members: { ...dialect.members, ...what } });

const NONE = { supported: false };

const CHANGES = {
  noPatch: announce({ patch: NONE }, { refusesPatch: true }),
  patchRefused: change({ refusesPatch: true }),
  noFilter: announce({ filter: NONE }, { filtering: 'refused' }),
  filterIgnored: change({ filtering: 'ignored' }),
  strict: change({ strict: true }),
  lowerCaseWords: change({ opCase: 'lower' }),
  membersOneByOne: members({ shown: 'single' }),
  membersAbsent: members({ shown: 'absent' }),
  membersEmpty: members({ shown: 'empty' }),
  fewMembers: members({ total: 2, tooMany: 413 }),
  activeAsText: change({ activeAsText: true }),
  deleteForbidden: change({ deleteUser: 'forbidden' }),
  deleteUnsupported: change({ deleteUser: 'unsupported' }),
  upperIds: change({ upperIds: true }),
  statusOk: change({ status: { create: 200, patch: 200, delete: 200 } }),
  noBodies: change({ status: { create: 204, patch: 204, delete: 204 } }),
  noTotals: change({ totals: false }),
  firstPageOnly: change({ ignoresStartIndex: true }),
  cursors: change({ paging: 'cursor' }),
  cursorsOnly: announce({ pagination: { cursor: true, index: false } }, { paging: 'cursorOnly', totals: false }),
  cursorsUnannounced: change({ paging: 'cursorOnly', totals: false }),
  lowered: change({ lowered: QUIRKS['values in lower case'].lowered }),
  dropsTitle: change({ dropped: ['title'] }),
  dropsExtension: change({ dropped: [ENTERPRISE] }),
  lowerCaseKeys: change({ envelope: 'resources' }),
  bulk: announce({ bulk: { supported: true, maxOperations: 8 } }, { bulk: 8 }),
  bulkMissing: announce({ bulk: { supported: true, maxOperations: 8 } }, {}),
} as const satisfies Readonly<Record<string, Change>>;

export type Quirk = keyof typeof CHANGES;
export const QUIRK_NAMES = Object.keys(CHANGES) as readonly Quirk[];

/** Of each list a target has one at most. */
const ALTERNATIVES: readonly (readonly Quirk[])[] = [
  // Who can neither patch nor see members cannot be given any without losing others.
  ['noPatch', 'patchRefused', 'membersAbsent', 'membersEmpty'],
  ['membersOneByOne', 'membersAbsent', 'membersEmpty'],
  ['noFilter', 'filterIgnored'],
  ['deleteForbidden', 'deleteUnsupported'],
  ['statusOk', 'noBodies'],
  ['cursors', 'cursorsOnly', 'cursorsUnannounced', 'firstPageOnly'],
  // Whether its one page is the whole list cannot be known.
  ['noTotals', 'firstPageOnly'],
  ['dropsTitle', 'dropsExtension'],
  ['bulk', 'bulkMissing'],
];

/** Without those that do not go with an earlier one. */
export function selectQuirks(wanted: readonly Quirk[]): readonly Quirk[] {
  const taken: Quirk[] = [];
  for (const each of wanted) {
    const clashes = taken.some((other) => ALTERNATIVES.some((list) => list.includes(each) && list.includes(other)));
    if (!clashes) taken.push(each);
  }
  return taken;
}

export interface Application {
  readonly quirks: readonly Quirk[];
  readonly pageSize: number;
  /** The application that the profile of this name is for, and the profile with it; absent: the profile Standard. */
  readonly profile?: ProfileName;
  /** Seconds for which a token of its OAuth server is good; absent: it takes one that never ends. */
  readonly tokenLife?: number;
}

export const PLAIN: Application = { quirks: [], pageSize: 100 };

export function toDialect({ quirks, pageSize, profile }: Application): Dialect {
  const base: Dialect = profile === undefined ? plain : APPLICATIONS[profile];
  const { config, ...dialect }: Dialect = quirks.reduce<Dialect>((before, quirk) => CHANGES[quirk](before), base);
  const filter = { ...(config?.['filter'] as object), maxResults: pageSize };
  // A list of which only the first page can be had must be one page.
  const shown = dialect.ignoresStartIndex ? 500 : pageSize;
  const announced = config === null ? null : { ...config, filter: { ...filter, maxResults: shown } };
  return { ...dialect, pageSize: shown, config: announced };
}
