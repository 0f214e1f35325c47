/** A person makes recovered links ordinary: what follows from them is judged by the guards alone from then on. */
import type { Operation } from '../model.ts';
import type { DirectoryState, Effect, Link, TeamLink } from '../state/store.ts';
import { toRunId } from './engine.ts';

/** Pages of recovered links, people first. */
export async function* readRecovered({ links }: DirectoryState): AsyncGenerator<readonly (Link | TeamLink)[]> {
  yield* links.recovered();
  for await (const page of links.teams()) yield page.filter(({ origin }) => origin === 'recovered');
}

/**
 * Notes every link in the history, and makes it adopted, in one step each page. The caller holds the lease.
 * @param by who says so
 * @returns how many there were
 */
export async function confirmRecovered(
  state: DirectoryState,
  { by, now }: { readonly by: string; readonly now: () => Date },
): Promise<number> {
  const runId = toRunId(now());
  await state.journal.startRun({ id: runId, kind: 'Adopt', startedAt: now().getTime() });
  let count = 0;
  for await (const page of readRecovered(state)) {
    const operations = page.map((link, index) => toOperation(link, { seq: count + index + 1, by }));
    if (operations.length === 0) continue;
    await state.journal.addOperations(
      runId,
      operations.map((operation) => ({ operation, recovered: false, line: '' })),
    );
    await state.journal.settle(
      runId,
      page.map((link, index) => ({ seq: count + index + 1, status: 'done', effects: [toEffect(link)] })),
    );
    count += page.length;
  }
  const message = `${count} recovered links were confirmed by ${by}: they are ordinary now`;
  const summary = { kind: 'Adopt', message, applied: {} };
  await state.journal.finishRun(runId, { finishedAt: now().getTime(), outcome: 'synced', reason: 'Synced', summary });
  return count;
}

function isTeam(link: Link | TeamLink): link is TeamLink {
  return 'key' in link;
}

function toEffect(link: Link | TeamLink): Effect {
  if (isTeam(link)) return { type: 'putTeam', team: { ...link, origin: 'adopted' } };
  return { type: 'putLink', link: { ...link, origin: 'adopted' } };
}

function toOperation(link: Link | TeamLink, { seq, by }: { readonly seq: number; readonly by: string }): Operation {
  const [resource, id, name] = isTeam(link)
    ? (['Team', link.key, link.displayName] as const)
    : (['User', link.sourceId, link.name] as const);
  return {
    seq,
    phase: 'recover',
    kind: 'adopt',
    resource,
    id,
    targetId: link.targetId,
    name,
    changes: [],
    team: null,
    member: null,
    cause: 'match',
    reason: `the recovered link was confirmed by ${by}`,
    unit: `confirm:${resource}:${id}`,
    guards: [],
    removal: false,
    held: null,
  };
}
