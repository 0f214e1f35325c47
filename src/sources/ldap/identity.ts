/** Which directory a server has: by its root (RFC 4512 section 5.1), which is shown to everybody. */
import { SyncError } from '../../errors.ts';
import type { SourceIdentity } from '../source.ts';
import type { LdapConfig } from './config.ts';
import { isWithin, normaliseDn, toDomain } from './dn.ts';
import { type LdapEntry, readBytes, readTexts, toEntry } from './entry.ts';
import { toSearchError } from './failure.ts';
import type { Session } from './session.ts';
import { toGuid } from './values.ts';

/** LDAP_CAP_ACTIVE_DIRECTORY_OID (MS-ADTS 3.1.1.3.4.3.1), which Samba says too. */
const ACTIVE_DIRECTORY = '1.2.840.113556.1.4.800';

/**
 * An Active Directory is the same by the objectGUID of its domain, any other directory by its naming context: servers
 * that hold copies of it say the same.
 * @throws SyncError `Invalid` where `schema` is not that of the server
 */
export async function readIdentity(session: Session, config: LdapConfig): Promise<SourceIdentity> {
  const root = await readRoot(session, ['namingContexts', 'supportedCapabilities']);
  const isDirectory = readTexts(root, 'supportedCapabilities').includes(ACTIVE_DIRECTORY);
  if (isDirectory !== (config.schema === 'ActiveDirectory')) {
    const is = isDirectory ? 'is an Active Directory; write' : 'is no Active Directory; write another one than';
    throw new SyncError('Invalid', `${session.origin} ${is} source.ldap.schema: ActiveDirectory`);
  }
  const context = findContext(readTexts(root, 'namingContexts'), config.baseDN);
  const domain = toDomain(context);
  const tenantId = isDirectory ? await readDomainId(session, context) : normaliseDn(context).toLowerCase();
  return { tenantId, tenantName: domain, domains: domain === null ? [] : [domain] };
}

/** What a server says of itself. */
export function readRoot(session: Session, attributes: readonly string[]): Promise<LdapEntry> {
  return readBase(session, '', attributes);
}

/** The naming context that an entry lies in. */
export async function readContext(session: Session, dn: string): Promise<string> {
  return findContext(readTexts(await readRoot(session, ['namingContexts']), 'namingContexts'), dn);
}

/** The innermost one that has the entry: `CN=Configuration,…` lies below the domain by its name. */
function findContext(contexts: readonly string[], baseDN: string): string {
  const around = contexts.filter((each) => each !== '' && isWithin(baseDN, each));
  return around.toSorted((a, b) => b.length - a.length)[0] ?? baseDN;
}

async function readDomainId(session: Session, context: string): Promise<string> {
  const id = readBytes(await readBase(session, context, ['objectGUID']), 'objectGUID');
  if (id?.length === 16) return toGuid(id);
  throw new SyncError(
    'ReadFailed',
    `${session.origin} shows no objectGUID of ${context}; check what the account may read`,
  );
}

async function readBase(session: Session, baseDN: string, attributes: readonly string[]): Promise<LdapEntry> {
  const what = 'what it is';
  const answer = await session.search({ baseDN, scope: 'base', filter: '(objectClass=*)', attributes });
  if (answer.code !== 0) throw toSearchError(answer, { origin: session.origin, what, baseDN });
  const [entry] = answer.entries.map(toEntry);
  if (entry !== undefined) return entry;
  throw new SyncError('ReadFailed', `${session.origin} does not say ${what}; check what the account may read`);
}
