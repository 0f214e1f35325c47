/** What became of what was written, told from the answer or by one more look, until it is known for the path (T11). */
import type { Attributes, Json } from '../../model.ts';
import { PLAIN_ATTRIBUTE } from '../target.ts';
import { isSuccess, type JsonObject, type ScimAnswer } from './client.ts';
import { isEmpty, isSameValue, readField, type ScimResource, toAttributes } from './convert.ts';
import { toBehaviour } from './profile-rules.ts';
import { type Connection, readResource, toKind } from './read.ts';

interface Sent {
  readonly kind: ScimResource;
  readonly id: string;
  readonly sent: Attributes;
  readonly answer: ScimAnswer;
}

/** Of a connection: an application with a value here and there that is special costs no more looks than that. */
const LOOKS = 20;
const looks = new WeakMap<Connection['seen'], number>();

/** Never throws: the write itself is done. */
export async function noteFates(connection: Connection, what: Sent, signal: AbortSignal): Promise<void> {
  const { seen } = connection;
  const kind = toKind(what.kind);
  const open = Object.keys(what.sent).filter((path) => isWatched(connection, what, path));
  if (open.length === 0) return;
  const answered = readAnswered(connection, what, open);
  const undecided = open.filter((path) => {
    const sent = what.sent[path] ?? null;
    const shown = answered?.[path];
    if (isEmpty(shown) || !isSameValue(sent, shown, true)) return true;
    seen.note(kind, path, { sent, shown, weight: 2 });
    return false;
  });
  if (undecided.length === 0 || !mayLook(seen)) return;
  const found = await readResource(connection, what.kind, what.id, signal).catch(() => null);
  if (found === null) return;
  const shown = toAttributes(found.resource, undecided, connection.discovered.places[what.kind]);
  for (const path of undecided) {
    // Two answers that agree say more than one, which may be of a moment ago.
    const agrees = answered !== null && isSameValue(answered[path], shown[path], true);
    seen.note(kind, path, { sent: what.sent[path] ?? null, shown: shown[path], weight: agrees ? 2 : 1 });
  }
}

/** Names of teams are what profiles say of them, and a mark is written in letters of its own. */
const NAMES_OF_TEAMS: ReadonlySet<string> = new Set(['displayName', 'externalId']);

/** What the profile says needs no watching. */
function isWatched({ seen, profile }: Connection, { kind, sent }: Sent, path: string): boolean {
  const { writes, shows } = toBehaviour(profile, toKind(kind), path);
  const isPlain = writes === PLAIN_ATTRIBUTE.writes && shows === PLAIN_ATTRIBUTE.shows;
  const isNamed = kind === 'Group' && NAMES_OF_TEAMS.has(path);
  return isPlain && !isNamed && !isEmpty(sent[path]) && seen.isOpen(toKind(kind), path);
}

const ALWAYS_SHOWN: Readonly<Record<ScimResource, string>> = { User: 'userName', Group: 'displayName' };

/** Null when the answer shows no object. */
function readAnswered(
  { discovered }: Connection,
  { kind, answer }: Sent,
  paths: readonly string[],
): Readonly<Record<string, Json>> | null {
  const body: JsonObject | null = isSuccess(answer) ? answer.body : null;
  if (body === null || readField(body, ALWAYS_SHOWN[kind]) === undefined) return null;
  return toAttributes(body, paths, discovered.places[kind]);
}

function mayLook(seen: Connection['seen']): boolean {
  const count = looks.get(seen) ?? 0;
  looks.set(seen, count + 1);
  return count < LOOKS;
}
