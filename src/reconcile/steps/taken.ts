/**
 * A create that the target refused because a value is taken, which no observation of this run had shown: an account that
 * was made in between, or one that is matched by other attributes. It is looked up, so that it can be named.
 */
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { toOwner } from '../../plan/values.ts';
import type { Link, StoredOperation } from '../../state/store.ts';
import type { TargetObject } from '../../targets/target.ts';
import type { Applying } from './apply.ts';

interface Holder {
  readonly account: TargetObject;
  /** Where it has the value that was to be created. */
  readonly path: string;
}

/**
 * The error of the record. An account that carries the externalId is theirs (rule I6): its link is recovered, and what
 * differs is planned by the next run within the guards, as is taking over one that a matching attribute finds.
 */
export async function explainTaken(
  operation: StoredOperation,
  applying: Applying,
  refusal: SyncError,
): Promise<SyncError> {
  const { run, loaded } = applying;
  const holders = await findHolders(operation, applying).catch(() => []);
  const [first, second] = holders;
  if (first === undefined) return refusal;
  const { id } = first.account;
  if (second !== undefined) {
    return toConflict(`the accounts ${holders.map(({ account }) => account.id).join(', ')} have its values already`);
  }
  const owner = await run.state.links.byTarget(id);
  if (owner !== null && owner.sourceId !== operation.id)
    return toConflict(`the account ${id} that has this ${first.path} belongs to ${owner.sourceId}`);
  const neighbour = await run.state.staging.neighbourOf('User', id);
  if (neighbour !== null)
    return toConflict(`the account ${id} that has this ${first.path} belongs to ${toOwner(neighbour)}`);
  if (isTheirs(first, operation, applying)) {
    await run.state.links.apply([{ type: 'putLink', link: toRecovered(operation, first.account) }]);
    return toConflict(
      `the account ${id} has this externalId already: it is taken for theirs, and the next run brings it up to date`,
    );
  }
  const isMatching = loaded.mapping.matching.some(({ path }) => path === first.path);
  return toConflict(
    isMatching
      ? `the account ${id} has this ${first.path} already: the next run decides whether it is taken over`
      : `the account ${id} has this ${first.path} already, by which accounts are not matched: give its entry a matching precedence, or change one of the two`,
  );
}

function toConflict(message: string): SyncError {
  return new SyncError('Conflict', message);
}

/** One entry an account, by the first of the paths at which it has the value. */
async function findHolders(operation: StoredOperation, applying: Applying): Promise<readonly Holder[]> {
  const { loaded, observed, signal } = applying;
  // Without filters every look would be one at the whole list; the next run reads that anyway.
  if (!observed.capabilities.filter) return [];
  const { matching, paths } = loaded.mapping;
  const holders = new Map<string, Holder>();
  for (const path of new Set(['externalId', ...matching.map((each) => each.path), 'userName'])) {
    const value = readValue(operation, path);
    if (value === undefined) continue;
    const look = loaded.target.findUsers({ path, value }, [...paths.keys(), 'externalId'], signal);
    for (const account of await look.catch(toNobody)) {
      if (!holders.has(account.id)) holders.set(account.id, { account, path });
    }
  }
  return [...holders.values()];
}

/** Not every application searches by every attribute. */
function toNobody(thrown: unknown): readonly TargetObject[] {
  if (SyncError.from(thrown).scope === 'record') return [];
  throw thrown;
}

function readValue({ changes }: StoredOperation, path: string): Json | undefined {
  return changes.find((change) => change.path === path)?.after;
}

/** As the plan recovers links: `adoption: Never` takes no changeable externalId for a proof. */
function isTheirs({ account }: Holder, operation: StoredOperation, { loaded }: Applying): boolean {
  const id = readValue(operation, 'externalId');
  if (id === undefined || account.attributes['externalId'] !== id) return false;
  return loaded.spec.adoption === 'OnMatch' || id === operation.id;
}

function toRecovered(operation: StoredOperation, { id, attributes }: TargetObject): Link {
  return {
    sourceId: operation.id,
    targetId: id,
    name: operation.name,
    active: attributes['active'] !== false,
    applied: attributes,
    origin: 'recovered',
    dirty: false,
  };
}
