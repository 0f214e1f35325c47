/** read, by changes: what the source says has changed since the last good read, over the mirror of that read. */
import { SyncError } from '../../errors.ts';
import type { ChangePage, ChangesEnd, Cursors } from '../../sources/source.ts';
import type { MirrorHead } from '../../state/mirror.ts';
import type { Loaded, RunDependencies } from '../run.ts';
import type { Asking } from './asking.ts';
import { addAliases, Changes, hasNews, type Staged, type Summary, unite } from './mirrored.ts';
import { Tally } from './read-stats.ts';
import { countFailure } from './read-ways.ts';

export const EXPIRED = 'the source no longer knows where the last read ended';
const CHANGED = 'the source has changed since the last read';
const NEW_NAME = 'the changes have an attribute that the last whole read did not deliver';
const OTHER_NUMBER = 'the source has another number of people or groups than its changes come to: somebody is gone';

export interface Changing {
  readonly loaded: Loaded;
  readonly asking: Asking;
  readonly head: MirrorHead;
  /** Those of the head. */
  readonly cursors: Cursors;
}

/** Text: why everybody has to be read instead; the scratch space is as empty as before then. */
export async function readChanges(
  run: RunDependencies,
  changing: Changing,
  signal: AbortSignal,
): Promise<Staged | string> {
  try {
    const { loaded, cursors } = changing;
    if ((await loaded.source.isUnchanged?.(cursors, signal)) === false) return CHANGED;
    const staged = await stageAll(run, changing, signal);
    if (typeof staged === 'string') await run.state.staging.clear();
    return staged;
  } catch (thrown) {
    const { code } = SyncError.from(thrown);
    if (code === 'CursorExpired') {
      await run.state.staging.clear();
      return EXPIRED;
    }
    if (code === 'ReadFailed' || code === 'ReadIncomplete') await countFailure(run);
    throw thrown;
  }
}

/** Text: what cannot be told by these changes. */
async function stageAll(
  run: RunDependencies,
  { loaded, asking, head, cursors: since }: Changing,
  signal: AbortSignal,
): Promise<Staged | string> {
  const { mirror } = run.state;
  const summary = head.summary as unknown as Summary;
  const changes = new Changes(run, new Tally(asking.paths, summary));
  let end: ChangesEnd | null = null;
  const pages = loaded.source.readChanges?.(since, asking.projection, signal) ?? [toNothing(since)];
  for await (const page of pages) {
    signal.throwIfAborted();
    await changes.stage(page);
    run.onProgress({ step: 'read', done: changes.count, total: null });
    end = page.end ?? end;
  }
  if (end === null) throw new SyncError('ReadIncomplete', 'the source ended before the last page of changes');
  const isNew =
    hasNews(asking.paths, summary.attributes, end.attributes) ||
    hasNews(asking.groupPaths, summary.groupAttributes, end.groupAttributes);
  if (isNew) return NEW_NAME;
  await addAliases(run, asking);
  await mirror.fill('everything');
  const { cursors, totals } = end;
  const staged = changes.end();
  if (totals !== undefined && !(await isCounted(run, staged, totals))) return OTHER_NUMBER;
  return {
    ...staged,
    attributes: unite(summary.attributes, end.attributes),
    cursor: cursors.users,
    fullAt: head.fullAt,
    noCursor: null,
    groups:
      asking.projection.groups === null
        ? null
        : {
            attributes: unite(summary.groupAttributes, end.groupAttributes),
            failed: staged.failedGroups,
            members: 'all',
            cursor: cursors.groups,
          },
  };
}

/**
 * Is everybody there of whom neither mirror nor changes say that they are gone (rule S20)? A group that could not be read
 * may be in neither, and the changes come again.
 */
async function isCounted(
  { state: { staging, groups } }: RunDependencies,
  { tally, failedGroups }: ReturnType<Changes['end']>,
  totals: NonNullable<ChangesEnd['totals']>,
): Promise<boolean> {
  const people = (await staging.countUsers()) + tally.failedIds.length + tally.nameless.length;
  if (people !== totals.users) return false;
  return totals.groups === null || failedGroups.length > 0 || (await groups.count()) === totals.groups;
}

/** Nothing has changed. */
function toNothing(cursors: Cursors): ChangePage {
  return { changes: [], failed: [], failedGroups: [], end: { attributes: [], groupAttributes: [], cursors } };
}
