/** People whom `guards.protectedUsers` names, and the account that the target is called with. Pure. */
import type { Attributes, DesiredUser } from '../model.ts';
import { readMails } from '../scim/mail.ts';
import type { Link } from '../state/store.ts';
import type { PlanSettings } from './settings.ts';

export interface Protectable {
  readonly sourceId: string;
  readonly desired: DesiredUser | null;
  readonly link: Link | null;
  /** What the account holds that would be taken over; empty where there is none. */
  readonly account?: Attributes;
}

/**
 * By source id, userName or mail address, without case; under the old name and the new one, because a rename must not
 * open an account that is protected.
 * @param protectedUsers in lower case
 */
export function isProtected(person: Protectable, protectedUsers: ReadonlySet<string>): boolean {
  if (protectedUsers.size === 0) return false;
  const { sourceId, desired, link } = person;
  return isNamed([sourceId, link?.name, desired?.name, ...toAccountNames(person)], protectedUsers);
}

/** The account by which Dirsync itself works: without it nothing more would be done, and nothing undone. */
export function isOwnAccount(person: Protectable, ownNames: ReadonlySet<string>): boolean {
  if (ownNames.size === 0) return false;
  return isNamed([person.link?.targetId, ...toAccountNames(person)], ownNames);
}

export function isSpared(person: Protectable, settings: Pick<PlanSettings, 'protectedUsers' | 'ownNames'>): boolean {
  return isProtected(person, settings.protectedUsers) || isOwnAccount(person, settings.ownNames);
}

function toAccountNames({ desired, link, account = {} }: Protectable): readonly unknown[] {
  const written: Attributes = { ...desired?.onCreate, ...desired?.attributes };
  return [link?.applied ?? {}, written, account].flatMap((values) => [values['userName'], ...readMails(values)]);
}

function isNamed(names: readonly unknown[], listed: ReadonlySet<string>): boolean {
  return names.some((name) => typeof name === 'string' && listed.has(name.toLowerCase()));
}
