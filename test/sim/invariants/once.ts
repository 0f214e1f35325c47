/** Values of `apply: OnCreate`: what an account is made with, that nobody else has what was chosen, and that it stays. */
import { CHOSEN_ENTRY, isSameChoice, ONCE_ENTRY, toChoices } from '../features.ts';
import type { User } from '../server.ts';
import { isUnknown, type Moment, type RunFacts, type Scene, standingOf } from './facts.ts';

const PATHS = [ONCE_ENTRY.target, CHOSEN_ENTRY.target] as const;

export interface OnceChecks {
  onRunStart(facts: RunFacts): void;
  onCreated(user: User, moment: Moment): void;
  onKept(before: User, after: User, moment: Moment): void;
}

export function createOnceChecks(scene: Scene): OnceChecks {
  const { fail, count, server } = scene;
  /** Also of accounts that a run has deleted since it looked. */
  const heldAtStart = new WeakMap<RunFacts, readonly (string | null)[]>();
  return {
    onRunStart(facts) {
      heldAtStart.set(
        facts,
        [...server.users.values()].map(({ nickName }) => nickName),
      );
    },
    onCreated(user, { facts }) {
      const what = `${facts.name}: the account ${user.id} was made`;
      const { department = null } = isMapped(ONCE_ENTRY.target, facts) ? toKnown('department', user, facts) : {};
      if (user.userType !== department) fail('engine', `${what} with userType ${user.userType}, and not ${department}`);
      if (user.userType !== null) count('values given once');
      const problem = findChoiceProblem(user, facts, { ...scene, held: heldAtStart.get(facts) ?? [] });
      if (problem !== null) fail('engine', `${what} with nickName ${user.nickName}, ${problem}`);
      if (user.nickName !== null) count('values chosen');
    },
    onKept(before, after, { facts }) {
      for (const name of PATHS)
        if (before[name] !== after[name])
          fail(
            'engine',
            `${facts.name}: ${name} of ${after.id} was ${before[name]}, and was changed to ${after[name]}`,
          );
    },
  };
}

function isMapped(path: string, { manifests }: RunFacts): boolean {
  return manifests.mapping.attributes.some(({ target }) => target === path);
}

/** Without the attribute where the read does not say. */
function toKnown(name: string, { externalId }: User, facts: RunFacts): Readonly<Record<string, string | null>> {
  const record = facts.reading.users.find(({ id }) => id === externalId);
  if (record === undefined || isUnknown(name, externalId, facts)) return {};
  return { [name]: (record.attributes[name] ?? null) as string | null };
}

/** What is wrong with the value that was chosen; null: nothing. */
function findChoiceProblem(
  user: User,
  facts: RunFacts,
  { server, count, mixedUp, held }: Scene & { readonly held: readonly (string | null)[] },
): string | null {
  const { title } = isMapped(CHOSEN_ENTRY.target, facts) ? toKnown('title', user, facts) : {};
  const choices = title === undefined ? [] : toChoices(title);
  if (user.nickName === null) return choices.length === 0 ? null : `and not with one of ${choices.join(', ')}`;
  const index = choices.indexOf(user.nickName);
  if (index < 0) return `and not with one of ${choices.join(', ')}`;
  // A request that comes late or twice meets what has been made since.
  if (mixedUp()) return null;
  const others = [...server.users.values()].filter(({ id }) => id !== user.id);
  const holder = others.find(({ nickName }) => isSameChoice(nickName, user.nickName));
  if (holder !== undefined) return `which ${holder.id} has`;
  if (index > 0) count('second choices');
  const passedOver = choices
    .slice(0, index)
    .find(
      (each) =>
        ![...held, ...others.map(({ nickName }) => nickName)].some((name) => isSameChoice(name, each)) &&
        !isWanted(each, [...others, user], facts),
    );
  return passedOver === undefined ? null : `and ${passedOver} was free`;
}

/** By somebody of the same run who is to get an account, and has none yet. */
function isWanted(choice: string, accounts: readonly User[], facts: RunFacts): boolean {
  return facts.reading.users.some(
    ({ id, attributes }) =>
      standingOf(id, facts) === 'present' &&
      !accounts.some(({ externalId }) => externalId === id) &&
      toChoices(attributes['title']).some((each) => isSameChoice(each, choice)),
  );
}
