/**
 * What an application was seen to do. Kept from run to run (`Target.memory`), so that what it cannot do is not tried for
 * ever and what it does not keep is not written for ever (T11).
 */
import type { Json, ResourceKind } from '../../model.ts';
import type { AttributeBehaviour } from '../target.ts';
import { isEmpty, isSameValue, toCount, toObject } from './convert.ts';

/** What became of a value: what is shown is what was sent, in other case, of another form, or nothing. */
type Fate = 'kept' | 'otherCase' | 'otherwise' | 'dropped';

interface Evidence {
  readonly fate: Fate;
  readonly weight: number;
}

/** One look may be a stale answer, or a value of one person that is special. */
const ENOUGH = 2;

/** What became of a DELETE. `unsupported`: by the answer itself. `forbidden`: so far for this one object. */
export type Deletion = { readonly end: 'done' | 'unsupported' | 'forbidden'; readonly id: string };

/** What is known of DELETE on users. */
interface Deletions {
  /** One was carried out: who may delete some accounts and not others is told so for each of them. */
  works: boolean;
  /** Objects that it was forbidden for, up to `SEVERAL`. */
  forbidden: readonly string[];
  /** When it was last taken for refused altogether; null: never, or it worked since. */
  refusedAt: number | null;
}

/** So many objects, and nobody deleted ever: no accident of one of them. */
const SEVERAL = 3;
const TRIED_AGAIN_AFTER_MS = 7 * 86_400_000;

export interface Observations {
  /** PATCH was refused although it is announced. */
  patchRefused: boolean;
  /** DELETE of users was refused, whoever it was about, and not so long ago that it would be tried again. */
  readonly deletionRefused: boolean;
  /** Null: not known. Whether a group that was just filled shows members. */
  showsMembers: boolean | null;
  /** Null: not known. Whether a removal whose body names members leaves the others in the group. */
  removesByValue: boolean | null;
  /** Requests with more members were too large. */
  membersPerRequest: number | null;
  /** Changes that one bulk request takes, where they are fewer than announced; 0: none is taken. */
  bulkOperations: number | null;
  /** Ids are answered in upper case. */
  upperIds: boolean;
  /** Lists are paged by cursor only, although that is not announced. */
  pagesByCursor: boolean;
  noteDeletion(what: Deletion): void;
  /** Must what becomes of a value at this path still be found out? */
  isOpen(kind: ResourceKind, path: string): boolean;
  /** @param weight 2 where two answers agree */
  note(kind: ResourceKind, path: string, what: { sent: Json; shown: Json | undefined; weight: number }): void;
  /** Somebody has a value there: it is kept after all. */
  noteSeen(kind: ResourceKind, path: string): void;
  /** Null: nothing that is remarkable. */
  behaviour(kind: ResourceKind, path: string): AttributeBehaviour | null;
  /** Paths with a remarkable fate. */
  remarkable(): readonly { readonly kind: ResourceKind; readonly path: string; readonly fate: Fate }[];
  toMemory(): Json;
}

const BEHAVIOURS: Readonly<Record<Exclude<Fate, 'kept'>, AttributeBehaviour>> = {
  otherCase: { writes: 'always', shows: 'otherCase' },
  otherwise: { writes: 'always', shows: 'otherwise' },
  dropped: { writes: 'onCreate', shows: 'never' },
};

export function createObservations(memory: Json, now: () => Date): Observations {
  const before = toObject(memory) ?? {};
  const deletions = readDeletions(before['deletions']);
  const evidence = readEvidence(before['attributes']);
  const find = (kind: ResourceKind, path: string): Evidence | undefined => evidence.get(toKey(kind, path));
  const isDecided = ({ fate, weight }: Evidence): boolean => fate === 'kept' || weight >= ENOUGH;
  return {
    patchRefused: before['patchRefused'] === true,
    get deletionRefused() {
      const { refusedAt } = deletions;
      return refusedAt !== null && now().getTime() - refusedAt < TRIED_AGAIN_AFTER_MS;
    },
    noteDeletion: (what) => noteDeletion(deletions, what, now().getTime()),
    showsMembers: typeof before['showsMembers'] === 'boolean' ? before['showsMembers'] : null,
    removesByValue: typeof before['removesByValue'] === 'boolean' ? before['removesByValue'] : null,
    membersPerRequest: toCount(before['membersPerRequest']),
    bulkOperations: toCount(before['bulkOperations']),
    upperIds: before['upperIds'] === true,
    pagesByCursor: before['pagesByCursor'] === true,
    isOpen(kind, path) {
      const known = find(kind, path);
      return known === undefined || !isDecided(known);
    },
    note(kind, path, { sent, shown, weight }) {
      const known = find(kind, path);
      if (known?.fate === 'kept') return;
      const fate = toFate(sent, shown);
      evidence.set(toKey(kind, path), { fate, weight: known?.fate === fate ? known.weight + weight : weight });
    },
    noteSeen(kind, path) {
      if (find(kind, path)?.fate === 'dropped') evidence.set(toKey(kind, path), { fate: 'kept', weight: ENOUGH });
    },
    behaviour(kind, path) {
      const known = find(kind, path);
      if (known === undefined || known.fate === 'kept' || !isDecided(known)) return null;
      return BEHAVIOURS[known.fate];
    },
    remarkable: () =>
      [...evidence]
        .filter(([, each]) => each.fate !== 'kept' && isDecided(each))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { fate }]) => ({ ...fromKey(key), fate })),
    toMemory() {
      const { patchRefused, showsMembers, removesByValue, membersPerRequest, bulkOperations, upperIds, pagesByCursor } =
        this;
      const attributes = Object.fromEntries([...evidence].map(([key, each]) => [key, { ...each }]));
      return {
        patchRefused,
        deletions: { ...deletions },
        showsMembers,
        removesByValue,
        membersPerRequest,
        bulkOperations,
        upperIds,
        pagesByCursor,
        attributes,
      };
    },
  };
}

function noteDeletion(deletions: Deletions, { end, id }: Deletion, now: number): void {
  if (end === 'forbidden') {
    if (deletions.works) return;
    deletions.forbidden = [...new Set([...deletions.forbidden, id])].slice(0, SEVERAL);
    if (deletions.forbidden.length === SEVERAL) deletions.refusedAt = now;
    return;
  }
  deletions.works = end === 'done';
  deletions.forbidden = [];
  deletions.refusedAt = end === 'done' ? null : now;
}

function readDeletions(memory: Json | undefined): Deletions {
  const { works, forbidden, refusedAt } = toObject(memory) ?? {};
  return {
    works: works === true,
    forbidden: Array.isArray(forbidden) ? forbidden.filter((id) => typeof id === 'string') : [],
    refusedAt: toCount(refusedAt),
  };
}

/**
 * What a fresh look begins with. Whether members are shown mends itself with the first that is; without it every team of
 * an application that hides them would read as empty, and who is in it be forgotten.
 */
export function selectLasting(memory: Json): Json {
  const { showsMembers = null } = toObject(memory) ?? {};
  return { showsMembers };
}

function toKey(kind: ResourceKind, path: string): string {
  return `${kind} ${path}`;
}

function fromKey(key: string): { kind: ResourceKind; path: string } {
  const at = key.indexOf(' ');
  return { kind: key.slice(0, at) === 'Team' ? 'Team' : 'User', path: key.slice(at + 1) };
}

const FATES: ReadonlySet<string> = new Set(['kept', 'otherCase', 'otherwise', 'dropped']);

/** What an older version wrote and nobody understands now is found out again. */
function readEvidence(memory: Json | undefined): Map<string, Evidence> {
  const known = new Map<string, Evidence>();
  for (const [key, value] of Object.entries(toObject(memory) ?? {})) {
    const { fate, weight } = toObject(value) ?? {};
    if (typeof fate === 'string' && FATES.has(fate))
      known.set(key, { fate: fate as Fate, weight: toCount(weight) ?? 0 });
  }
  return known;
}

function toFate(sent: Json, shown: Json | undefined): Fate {
  if (isEmpty(shown)) return 'dropped';
  if (isSameValue(toText(sent), toText(shown), true)) return 'kept';
  return isSameValue(toText(sent), toText(shown), false) ? 'otherCase' : 'otherwise';
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[-+]\d{2}:\d{2})$/;

/** Numbers and words, and all ways to write one instant, are one value. */
function toText(value: Json | undefined): Json | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const at = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? value : new Date(at).toISOString();
}
