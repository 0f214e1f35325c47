/**
 * read, of the people in scope: a directory that tells no changes and can filter is asked for them, and everybody else is as
 * the mirror of the last good read has them. Its filter is not believed: whoever was in scope and does not come is asked for
 * by id, so that nobody passes for gone who is not (rule S21).
 */
import { SyncError } from '../../errors.ts';
import { toAskedName } from '../../expression/paths.ts';
import { KnownAttributes } from '../../mapping/names.ts';
import { isWanted } from '../../mapping/wanted-people.ts';
import type { ChangePage, ReadEnd, SourceChange } from '../../sources/source.ts';
import type { MirrorHead } from '../../state/mirror.ts';
import type { Loaded, RunDependencies } from '../run.ts';
import type { Asking } from './asking.ts';
import { addAliases, Changes, hasNews, type Staged, type Summary, unite } from './mirrored.ts';
import { readGroups } from './read-groups.ts';
import { Tally } from './read-stats.ts';
import type { Matching } from './read-ways.ts';

/** More who do not come, and reading everybody is the cheaper way to know. */
const MOST_ASKED = 100;

const OTHER_NAMES = 'the people in scope came with other attributes than the last whole read';
const MANY_GONE = `more than ${MOST_ASKED} people did not come with those in scope`;

export interface ReadingScope {
  readonly loaded: Loaded;
  readonly asking: Asking;
  readonly head: MirrorHead;
  readonly matching: Matching;
}

/** Text: why everybody has to be read instead; the scratch space is as empty as before then. */
export async function readScope(
  run: RunDependencies,
  reading: ReadingScope,
  signal: AbortSignal,
): Promise<Staged | string> {
  const staged = await tryScope(run, reading, signal);
  if (typeof staged === 'string') {
    await run.state.staging.clear();
    return staged;
  }
  const { loaded, asking } = reading;
  await addAliases(run, asking);
  await run.state.mirror.fill('people');
  const { projection } = asking;
  // After the people, whom members are looked up among.
  const groups = projection.groups === null ? null : await readGroups(run, loaded, projection.groups, signal);
  return { ...staged, groups };
}

/** What fails here, reading everybody meets too, or does without. */
async function tryScope(
  run: RunDependencies,
  reading: ReadingScope,
  signal: AbortSignal,
): Promise<Omit<Staged, 'groups'> | string> {
  try {
    return await stageScope(run, reading, signal);
  } catch (thrown) {
    const { code, message } = SyncError.from(thrown);
    if (code !== 'ReadFailed' && code !== 'ReadIncomplete' && code !== 'CursorExpired') throw thrown;
    return `the people in scope could not be asked for: ${message}`;
  }
}

async function stageScope(
  run: RunDependencies,
  reading: ReadingScope,
  signal: AbortSignal,
): Promise<Omit<Staged, 'groups'> | string> {
  const { asking, head, matching } = reading;
  const summary = head.summary as unknown as Summary;
  const tally = new Tally(asking.paths, summary);
  const changes = new Changes(run, tally);
  const failed = new Set<string | null>();
  let end: ReadEnd | null = null;
  for await (const page of matching.read(signal)) {
    signal.throwIfAborted();
    await changes.stage(
      toChanges(
        page.users.map((user) => ({ type: 'user', user }) as const),
        page.failed,
      ),
    );
    for (const { id } of page.failed) failed.add(id);
    run.onProgress({ step: 'read', done: changes.count, total: null });
    end = page.end ?? end;
  }
  if (end === null)
    throw new SyncError('ReadIncomplete', 'the source ended before the last page of the people in scope');
  const { attributes } = end;
  if (hasNews(asking.paths, summary.attributes, attributes) || hasNews(asking.paths, attributes, summary.attributes))
    return OTHER_NAMES;
  const missing = await listMissing(run, matching);
  if (missing === null) return MANY_GONE;
  // Of whom no record was to be had before, the mirror has none.
  const unread = summary.failed.map(({ id }) => id).filter((id) => tally.failedIds.includes(id) && !failed.has(id));
  for (const id of [...missing, ...unread]) await changes.stage(await askFor(id, reading, signal));
  return {
    ...{ tally, attributes: unite(summary.attributes, attributes) },
    ...{ cursor: null, fullAt: head.fullAt, noCursor: null },
  };
}

function toChanges(changes: readonly SourceChange[], failed: ChangePage['failed']): ChangePage {
  return { changes, failed, failedGroups: [] };
}

/** Ids of people who were in scope by the mirror and did not come; null: too many. */
async function listMissing({ state }: RunDependencies, { wanted }: Matching): Promise<readonly string[] | null> {
  const missing: string[] = [];
  for await (const page of state.mirror.untouched()) {
    for (const { id, attributes } of page) if (isWanted(wanted, attributes)) missing.push(id);
    if (missing.length > MOST_ASKED) return null;
  }
  return missing;
}

async function askFor(id: string, { loaded, asking, head }: ReadingScope, signal: AbortSignal): Promise<ChangePage> {
  try {
    const found = await loaded.source.readOne?.(id, asking.projection.users, signal);
    if (found === undefined) throw new Error('the source cannot be asked for one person');
    const { user, attributes } = found;
    if (user === null) return toChanges([{ type: 'userRemoved', id }], []);
    const [known, told] = [
      new KnownAttributes((head.summary as unknown as Summary).attributes),
      new KnownAttributes(attributes),
    ];
    const untold = asking.paths.filter((path) => known.has(path) && !told.has(path)).map(toAskedName);
    const unknown = [...new Set([...(user.unknown ?? []), ...untold])];
    return toChanges([{ type: 'user', user: unknown.length === 0 ? user : { ...user, unknown } }], []);
  } catch (thrown) {
    const { code, message, scope } = SyncError.from(thrown);
    if (scope !== 'record') throw thrown;
    return toChanges([], [{ id, code, message }]);
  }
}
