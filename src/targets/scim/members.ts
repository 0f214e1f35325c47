/** Members of groups. */

import { SyncError } from '../../errors.ts';
import { isSuccess, type JsonObject, type ScimAnswer, toScimError } from './client.ts';
import { readField, readMembers } from './convert.ts';
import { toKnownId, toSentId } from './ids.ts';
import type { PatchOperation } from './patch.ts';
import { type Connection, readResource } from './read.ts';
import {
  canPatch,
  missesPlace,
  notePatchRefused,
  type PatchRequest,
  patch,
  patchAgain,
  replaceResource,
  requireResource,
  saysMissing,
  type Written,
} from './write.ts';

export interface MemberChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/**
 * One PATCH: the new members in one operation, each removal in one of its own that names the member (T6), for `remove`
 * with a value in place of a filter empties the group on services that take the RFC by the letter. It is sent only where
 * the profile wants it, and watched until it is known that it does not. Where paths take no filters the list without the
 * removed is written whole. A request that is too large is made in two, and so is one of which a part means nothing at a
 * service that does not tell which.
 */
export async function changeMembers(
  connection: Connection,
  id: string,
  change: MemberChange,
  signal: AbortSignal,
): Promise<void> {
  const { profile, seen } = connection;
  const isOpen = profile.memberRemoval === 'value' && change.remove.length > 0 && seen.removesByValue === null;
  if (!isOpen) return await sendChange(connection, id, change, signal);
  const before = await readShown(connection, id, signal);
  await sendChange(connection, id, change, signal);
  await mendEmptied(connection, { id, change, before }, signal);
}

async function readShown(connection: Connection, id: string, signal: AbortSignal): Promise<readonly string[]> {
  const { resource } = await requireResource(connection, { kind: 'Group', id }, signal);
  return (readMembers(resource) ?? []).map(toKnownId);
}

/** Puts back who went without having been named. Where members are not shown nobody can tell. */
async function mendEmptied(
  connection: Connection,
  { id, change, before }: { id: string; change: MemberChange; before: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const stay = before.filter((each) => !change.remove.includes(each));
  if (stay.length === 0) return;
  try {
    const after = new Set(await readShown(connection, id, signal));
    connection.seen.removesByValue = stay.some((each) => after.has(each));
    if (!connection.seen.removesByValue) await sendChange(connection, id, { add: stay, remove: [] }, signal);
  } catch (thrown) {
    // Begun and not ended: the next run looks at the team before it believes anything of it.
    throw SyncError.ofUnknownOutcome(thrown);
  }
}

async function sendChange(
  connection: Connection,
  id: string,
  change: MemberChange,
  signal: AbortSignal,
): Promise<void> {
  const size = change.add.length + change.remove.length;
  if (size === 0) return;
  const answer = await sendMembers(connection, id, change, signal);
  if (answer === null || isSuccess(answer)) return await noteMembers(connection, { id, change, answer }, signal);
  const isTooLarge = answer.status === 413;
  const isInPart = !isTooLarge && change.remove.length > 0 && saysMissing(answer) && !tellsMembers(connection);
  // One alone that cannot be removed is none any more.
  if (isInPart && size === 1) return;
  if (size === 1 || !(isTooLarge || isInPart)) throw toScimError(answer, connection.client.origin);
  if (isTooLarge) connection.seen.membersPerRequest = Math.max(1, Math.floor(size / 2));
  const [add, remove] = [split(change.add), split(change.remove)];
  await sendChange(connection, id, { add: add.first, remove: remove.rest }, signal);
  try {
    await sendChange(connection, id, { add: add.rest, remove: remove.first }, signal);
  } catch (thrown) {
    throw SyncError.ofUnknownOutcome(thrown);
  }
}

/** Can anybody see who is in a team? */
function tellsMembers({ profile, seen }: Connection): boolean {
  return profile.readMembers !== 'byFilter' && seen.showsMembers !== false;
}

function split(ids: readonly string[]): { first: readonly string[]; rest: readonly string[] } {
  const half = Math.ceil(ids.length / 2);
  return { first: ids.slice(0, half), rest: ids.slice(half) };
}

/** The answer, whatever it is; null when there was nothing to send. */
async function sendMembers(
  connection: Connection,
  id: string,
  change: MemberChange,
  signal: AbortSignal,
): Promise<ScimAnswer | null> {
  const target = { kind: 'Group', id } as const;
  const replace = () =>
    replaceResource(connection, target, (current) => withMembers(connection, current, change), signal);
  if (!canPatch(connection)) return await replace();
  const first = await toRequest(connection, target, change, signal);
  const answer = await patch(connection, target, first, signal);
  if (answer === null || isSuccess(answer)) return answer;
  if (notePatchRefused(connection, answer)) return await replace();
  if (!missesPlace(answer, first.operations) || !tellsMembers(connection)) return answer;
  // Strict services refuse to remove who is no member (any more): leave those out.
  const shown = readMembers((await requireResource(connection, target, signal)).resource) ?? [];
  const members = new Set(shown.map(toKnownId));
  const left = {
    add: change.add.filter((each) => !members.has(each)),
    remove: change.remove.filter((each) => members.has(each)),
  };
  const again = toMemberPatch(connection, left);
  return await patchAgain(connection, target, { ...again, refused: answer, before: first.operations }, signal);
}

async function toRequest(
  connection: Connection,
  target: Written,
  change: MemberChange,
  signal: AbortSignal,
): Promise<PatchRequest> {
  const { profile, seen } = connection;
  const isWhole = profile.patch === 'noPathFilter' || seen.removesByValue === false;
  if (!isWhole || change.remove.length === 0) return toMemberPatch(connection, change);
  const current = await requireResource(connection, target, signal);
  const { members } = withMembers(connection, current.resource, change);
  return { operations: [{ op: 'replace', path: 'members', value: members ?? [] }], current, repeatable: true };
}

/** Once for every application: does a team that was just filled show anybody? */
async function noteMembers(
  connection: Connection,
  { id, change, answer }: { id: string; change: MemberChange; answer: ScimAnswer | null },
  signal: AbortSignal,
): Promise<void> {
  const { seen, profile } = connection;
  if (seen.showsMembers !== null || profile.readMembers !== 'full' || change.add.length === 0) return;
  if ((readMembers(answer?.body ?? {})?.length ?? 0) > 0) {
    seen.showsMembers = true;
    return;
  }
  // What cannot be seen now is seen another time: the change itself is done.
  const found = await readResource(connection, 'Group', id, signal).catch(() => null);
  if (found !== null) seen.showsMembers = (readMembers(found.resource)?.length ?? 0) > 0;
}

/** Repeatable: who is a member stays one, and who is none is left out the second time. */
function toMemberPatch({ seen, profile }: Connection, { add, remove }: MemberChange): PatchRequest {
  const toEntries = (ids: readonly string[]) => ids.map((id) => ({ value: toSentId(id, seen) }));
  const operations: PatchOperation[] = [];
  if (profile.memberRemoval === 'filter') operations.push(...remove.map((id) => toFilteredRemoval(toSentId(id, seen))));
  else if (remove.length > 0) operations.push({ op: 'remove', path: 'members', value: toEntries(remove) });
  if (add.length > 0) operations.push({ op: 'add', path: 'members', value: toEntries(add) });
  return { operations, current: null, repeatable: true };
}

function toFilteredRemoval(sentId: string): PatchOperation {
  return { op: 'remove', path: `members[value eq ${JSON.stringify(sentId)}]` };
}

/** The whole group with the change made. Throws where nobody can tell who else is in it: they would be lost. */
function withMembers({ seen }: Connection, current: JsonObject, { add, remove }: MemberChange): JsonObject {
  const gone = new Set(remove);
  const members = readField(current, 'members');
  const isHidden = seen.showsMembers === false;
  if ((members === undefined && remove.length > 0) || isHidden) {
    const lost = remove.length > 0 ? 'so none can be removed' : 'so none can be added without PATCH';
    throw new SyncError('TargetRejected', `the target does not show the members of its teams, ${lost}`);
  }
  const kept = (readMembers(current) ?? []).map(toKnownId).filter((each) => !gone.has(each));
  const value = [...new Set([...kept, ...add])].map((each) => ({ value: toSentId(each, seen) }));
  const others = Object.entries(current).filter(([key]) => key.toLowerCase() !== 'members');
  return { ...Object.fromEntries(others), members: value };
}
