/** People whom `guards.protectedUsers` names. Pure. */
import type { Attributes, DesiredUser } from '../model.ts';
import { readMails } from '../scim/mail.ts';
import type { Link } from '../state/store.ts';

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
  const { sourceId, desired, link, account = {} } = person;
  const written: Attributes = { ...desired?.onCreate, ...desired?.attributes };
  const known = [link?.applied ?? {}, written, account].flatMap((values) => [values['userName'], ...readMails(values)]);
  const names = [sourceId, link?.name, desired?.name, ...known];
  return names.some((name) => typeof name === 'string' && protectedUsers.has(name.toLowerCase()));
}
