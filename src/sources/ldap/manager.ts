/** Mail addresses of managers, whom records name by their distinguished name: asked for one by one, whether in scope or not. */
import type { SourceUser } from '../../model.ts';
import { readTexts, toEntry } from './entry.ts';
import { isNobody, toSearchError } from './failure.ts';
import type { Session } from './session.ts';

/** The attribute that is added to records; `mapping/catalog.ts` reads it. */
export const MANAGER_EMAIL = 'manager_email';
/** Managers that are remembered at a time: memory does not grow with the directory. */
const MOST_REMEMBERED = 10_000;
/** Searches under way at a time. */
const AT_ONCE = 8;
const MANAGER = 'the managers';

export interface ManagerMails {
  /** The same people; with a manager who has a mail address, that too. */
  add(users: readonly SourceUser[]): Promise<readonly SourceUser[]>;
}

export function createManagerMails(session: Session): ManagerMails {
  /** By distinguished name in small letters; null: nobody, or without an address. */
  const known = new Map<string, string | null>();

  function remember(dn: string, mail: string | null): void {
    const oldest = known.keys().next();
    if (known.size >= MOST_REMEMBERED && oldest.done !== true) known.delete(oldest.value);
    known.set(dn, mail);
  }

  async function readMail(dn: string): Promise<string | null> {
    const answer = await session.search({ baseDN: dn, scope: 'base', filter: '(objectClass=*)', attributes: ['mail'] });
    if (answer.code !== 0 && !isNobody(answer)) {
      throw toSearchError(answer, { origin: session.origin, what: MANAGER, baseDN: 'of a manager' });
    }
    const [entry] = answer.entries.map(toEntry);
    return entry === undefined ? null : (readTexts(entry, 'mail')[0] ?? null);
  }

  return {
    async add(users) {
      const mails = new Map<string, string | null>();
      const names = [...new Set(users.map(toManager).filter((dn) => dn !== null))];
      for (let from = 0; from < names.length; from += AT_ONCE) {
        await Promise.all(
          names.slice(from, from + AT_ONCE).map(async (dn) => {
            const key = dn.toLowerCase();
            const mail = known.has(key) ? (known.get(key) ?? null) : await readMail(dn);
            remember(key, mail);
            mails.set(dn, mail);
          }),
        );
      }
      return users.map((user) => {
        const mail = mails.get(toManager(user) ?? '') ?? null;
        return mail === null ? user : { ...user, attributes: { ...user.attributes, [MANAGER_EMAIL]: mail } };
      });
    },
  };
}

function toManager({ attributes }: SourceUser): string | null {
  const { manager = null } = attributes;
  const [first] = Array.isArray(manager) ? (manager as readonly unknown[]) : [manager];
  return typeof first === 'string' && first !== '' ? first : null;
}
