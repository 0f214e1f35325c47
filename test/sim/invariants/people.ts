/** Accounts: whose they are (I3), one for each person (I6, I10), and nothing by what is not known (I1, I13). */
import type { Json } from '../../../src/model.ts';
import { CUSTOM_ENTRY, CUSTOM_NAMES, type CustomName } from '../features.ts';
import { toPerson } from '../groups.ts';
import type { User } from '../server.ts';
import { isProtected, isUnknown, type Moment, type RunFacts, type Scene, standingOf } from './facts.ts';
import { createOnceChecks } from './once.ts';
import type { Reads } from './reads.ts';
import type { Removals } from './removals.ts';

export interface PeopleChecks {
  onRunStart(facts: RunFacts): void;
  onChange(before: User | null, after: User | null, moment: Moment): void;
}

export function createPeopleChecks(scene: Scene, reads: Reads, removals: Removals): PeopleChecks {
  const { ours, fail, count } = scene;
  const once = createOnceChecks(scene);
  /** Who was given a name for a while, by run. */
  const wayRound = new WeakMap<RunFacts, Set<string>>();

  const onStranger = (before: User, after: User | null, moment: Moment): void => {
    const { users } = moment.facts.reading;
    // Recognised by the id that it carries: that is a recovery.
    const isRecovered = users.some(({ id }) => id === before.externalId);
    if (!isRecovered && !isMatch(before, after, moment)) {
      fail('I3', `${moment.facts.name}: account ${before.id}, which nobody owns, was touched`);
      return;
    }
    ours.add(before.id);
    if (!isRecovered) removals.onRemoval({ kind: 'adopt', scope: '', id: before.id }, moment);
  };

  const onDeleted = (before: User, moment: Moment): void => {
    const { id, externalId } = before;
    const standing = standingOf(externalId, moment.facts);
    if (standing !== 'leaves')
      fail('I10', `${moment.facts.name}: the account ${id} of somebody who is ${standing} was deleted`);
    if (isProtected(before, moment.facts)) fail('I3', `${moment.facts.name}: the protected ${id} was deleted`);
    removals.onRemoval({ kind: 'delete', scope: '', id }, moment);
  };

  const onDeactivated = (before: User, moment: Moment): void => {
    const { id, externalId } = before;
    const standing = standingOf(externalId, moment.facts);
    if (standing !== 'leaves')
      fail('I1', `${moment.facts.name}: the account ${id} of somebody who is ${standing} was deactivated`);
    if (isProtected(before, moment.facts)) fail('I3', `${moment.facts.name}: the protected ${id} was deactivated`);
    removals.onRemoval({ kind: 'deactivate', scope: '', id }, moment);
  };

  const onValues = (before: User, after: User, { facts }: Moment): void => {
    const { id, externalId } = before;
    if (externalId !== null && after.externalId !== externalId)
      fail('I3', `${facts.name}: account ${id} of ${externalId} was given to ${after.externalId}`);
    if (isRetired(before, after) || !facts.reading.users.some((user) => user.id === externalId)) return;
    const { filters = [] } = facts.manifests.spec.scope ?? {};
    if (filters.length > 0 && isUnknown('scope', externalId, facts))
      fail('I13', `${facts.name}: ${id} was changed, and whether it is in scope is unknown`);
    for (const name of ['title', 'department'] as const) if (before[name] !== after[name]) onValue(name, after, facts);
  };

  const onValue = (name: 'title' | 'department', after: User, facts: RunFacts): void => {
    const what = `${facts.name}: ${name} of ${after.id} was`;
    if (isUnknown(name, after.externalId, facts)) fail('I13', `${what} changed and is unknown`);
    if (after[name] === null && reads.isSuspect(facts)) fail('I1', `${what} cleared after a suspect read`);
  };

  /** Whose account goes takes with it that others refer to it. */
  const isLeaving = (id: string | null, { facts }: Moment): boolean => {
    const user = scene.server.users.get(id ?? '');
    return user !== undefined && standingOf(user.externalId, facts) === 'leaves';
  };

  const onUpdated = (before: User, after: User, moment: Moment): void => {
    if (moment.facts.manifests.spec.guards?.update === undefined) return;
    for (const name of ['title', 'department', 'manager', ...CUSTOM_NAMES] as const) {
      // Whom somebody refers to for the first time belongs to their creation.
      // So does whom they refer to in place of an account that is gone.
      const isFirst = name === 'manager' && !scene.server.users.has(before.manager ?? '');
      const isLetGo = name === 'manager' && after.manager === null && isLeaving(before.manager, moment);
      if (before[name] === after[name] || isFirst || isLetGo) continue;
      removals.onRemoval({ kind: 'update', scope: name, id: after.id }, moment);
    }
  };

  /** The same request, that arrives once more when all is done: one rename to a name for a while. */
  const isRepeated = ({ id, userName }: User, { facts }: Moment): boolean => {
    if (!STOPGAP.test(userName)) return false;
    const before = wayRound.get(facts) ?? new Set();
    wayRound.set(facts, before);
    return before.size === before.add(id).size;
  };

  /** By an attribute that is gone a value goes from everybody, whatever the read says of them; a suspect one holds it. */
  const onCustom = (name: CustomName, { before, after }: { before: User; after: User }, { facts }: Moment): void => {
    if (before[name] === after[name]) return;
    const what = `${facts.name}: ${name} of ${after.id} was`;
    if (after[name] !== null && isUnknown(CUSTOM_ENTRY.source, after.externalId, facts))
      fail('I13', `${what} changed and is unknown`);
    const isCleared = after[name] === null && reads.isSuspect(facts);
    if (isCleared && !removals.isApproved({ kind: 'update', scope: name, id: after.id }))
      fail('I1', `${what} cleared after a suspect read`);
    if (after[name] === null) count('values of custom attributes removed');
  };

  /** Whoever becomes somebody's manager is whom the read names. */
  const onManager = (before: User, after: User, { facts }: Moment): void => {
    const [record, twin] = facts.reading.users.filter(({ id }) => id === after.externalId);
    if (after.manager === null || before.manager === after.manager || record === undefined || twin !== undefined)
      return;
    const people = new Map(facts.reading.users.map(({ id, attributes }) => [id, { id, mail: toMail(attributes) }]));
    const name = String(record.attributes['manager'] ?? '');
    // Who has left the source may have an account, and is known by the id.
    const named = toPerson(name, { people: [...people.values()] }) ?? name;
    // A name may have been that of somebody who is out of scope, when the run last heard of them.
    if (facts.outdated.size > 0 && !facts.reading.users.some(({ id }) => id === name)) return;
    // An account that somebody deletes by hand is nobody's any more; whose links went with the store may be anybody.
    const owner = scene.server.users.get(after.manager)?.externalId ?? null;
    if (owner !== null && owner !== named && !scene.damaged)
      fail('engine', `${facts.name}: ${owner} became the manager of ${after.externalId}, who names ${named}`);
  };

  const onKept = (before: User, after: User, moment: Moment): void => {
    for (const name of CUSTOM_NAMES) onCustom(name, { before, after }, moment);
    if (before.active && !after.active) onDeactivated(before, moment);
    // Who is taken over is counted as that.
    if (!before.active && after.active && before.externalId !== null)
      removals.onRemoval({ kind: 'reactivate', scope: '', id: after.id }, moment);
    if (before.externalId !== null) onUpdated(before, after, moment);
    if (isRename(before, after) && !isRepeated(after, moment))
      removals.onRemoval({ kind: 'rename', scope: '', id: after.id }, moment);
    onValues(before, after, moment);
    once.onKept(before, after, moment);
    onManager(before, after, moment);
  };

  return {
    onRunStart: once.onRunStart,
    onChange(before, after, moment) {
      if (before === null) {
        onCreated(after, moment, scene);
        if (after !== null) once.onCreated(after, moment);
        // Where ids are not given by the application, an account may be made again under that of a lost link.
        if (after !== null) removals.onConfirmed([after.id]);
        return;
      }
      if (!ours.has(before.id)) onStranger(before, after, moment);
      if (after === null) onDeleted(before, moment);
      else onKept(before, after, moment);
    },
  };
}

const toMail = ({ mail = null }: Readonly<Record<string, Json>>): string | null => mail as string | null;

/** Nothing but values of an attribute that is gone went. */
function isRetired(before: User, after: User): boolean {
  const names = CUSTOM_NAMES.filter((name) => after[name] === null);
  return (
    JSON.stringify({ ...before, ...Object.fromEntries(names.map((name) => [name, null])) }) === JSON.stringify(after)
  );
}

/** In a ring of names an account is called otherwise for a while: coming back from that is the same rename. */
const STOPGAP = /^dirsync-[0-9a-f]{12}@/;

function isRename(before: User, after: User): boolean {
  const isTakenOver = before.externalId === null;
  return (
    !isTakenOver && !STOPGAP.test(before.userName) && before.userName.toLowerCase() !== after.userName.toLowerCase()
  );
}

function onCreated(user: User | null, { facts }: Moment, { server, ours, fail }: Scene): void {
  if (user === null) return;
  ours.add(user.id);
  for (const { id, externalId } of server.users.values()) {
    if (id !== user.id && externalId !== null && externalId === user.externalId)
      fail('I6', `${facts.name}: a second account (${user.id}) for ${externalId}, who has ${id}`);
  }
}

/** Taken over by a person whose address it has, in one request or several. */
function isMatch(before: User, after: User | null, { facts }: Moment): boolean {
  const has = (mail: unknown): boolean =>
    typeof mail === 'string' && mail.toLowerCase() === before.userName.toLowerCase();
  return (
    after !== null && before.externalId === null && facts.reading.users.some((user) => has(user.attributes['mail']))
  );
}
