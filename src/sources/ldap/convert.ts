/** Entries of LDAP → source users and groups. Pure. */
import type { GroupMember, Json, SourceGroup, SourceUser } from '../../model.ts';
import { type Converted, fail } from '../converted.ts';
import type { FailedRecord } from '../source.ts';
import type { Dialect } from './config.ts';
import { normaliseDn, toName } from './dn.ts';
import { type LdapEntry, readBytes, readTexts, toNamedId, toPlainDn } from './entry.ts';
import { toGuid, toSid, toText } from './values.ts';

/** Never delivered, whoever asks for them and whatever the account may see. */
const SECRETS = new Set([
  'userpassword',
  'unicodepwd',
  'dbcspwd',
  'ntpwdhistory',
  'lmpwdhistory',
  'supplementalcredentials',
  'sambantpassword',
  'sambalmpassword',
  'sambapasswordhistory',
  'krbprincipalkey',
  'pwdhistory',
  'authpassword',
  'ms-mcs-admpwd',
]);
const MEMBERS = new Set(['member', 'uniquemember', 'memberuid']);
/** Values that are distinguished names of other records, in the spelling that these have in `dn`. */
const REFERENCES = new Set(['manager', 'secretary', 'assistant', 'owner', 'managedby', 'memberof', 'directreports']);

export interface ConvertOptions {
  readonly dialect: Pick<Dialect, 'idAttribute' | 'primaryGroup'>;
  /** Names that mappings use; the server writes some of them in another case. */
  readonly projection: readonly string[];
}

export function toUser(
  entry: LdapEntry,
  { now, ...options }: ConvertOptions & { readonly now: Date },
): Converted<SourceUser> {
  const id = toId(entry, options.dialect);
  if (typeof id !== 'string') return id;
  const active = options.dialect.idAttribute === 'objectGUID' ? isActiveAccount(entry, now) : !isLocked(entry);
  if (typeof active === 'string') return fail(id, active);
  return { item: { id, active, attributes: toAttributes(entry, options) } };
}

function toId(entry: LdapEntry, { idAttribute }: ConvertOptions['dialect']): string | { failed: FailedRecord } {
  const value = readBytes(entry, idAttribute);
  if (value === null || value.length === 0) {
    return fail(null, `an entry shows no ${idAttribute}; check schema, and what the account may read`);
  }
  if (idAttribute === 'entryUUID') return value.toString('utf8');
  return value.length === 16 ? toGuid(value) : fail(null, 'an entry has an objectGUID that is none');
}

/** 389 Directory Server; and OpenLDAP, where any other time is a lock that ends by itself (draft-behera-ldap-password-policy). */
function isLocked(entry: LdapEntry): boolean {
  const [lock = ''] = readTexts(entry, 'nsAccountLock');
  return lock.toLowerCase() === 'true' || readTexts(entry, 'pwdAccountLockedTime').includes('000001010000Z');
}

const ACCOUNTDISABLE = 0x2;

/** @returns why it cannot be told, as a sentence */
function isActiveAccount(entry: LdapEntry, now: Date): boolean | string {
  const [flags = ''] = readTexts(entry, 'userAccountControl');
  if (!/^-?\d+$/.test(flags)) return 'it shows no userAccountControl, so that nobody knows whether it is active';
  const [expires = '0'] = readTexts(entry, 'accountExpires');
  if (!/^\d+$/.test(expires)) return 'its accountExpires is no time';
  const end = toMilliseconds(BigInt(expires));
  return (Number(flags) & ACCOUNTDISABLE) === 0 && (end === null || end > BigInt(now.getTime()));
}

const NEVER = 0x7fff_ffff_ffff_ffffn;
/** From 1601 to 1970. */
const EPOCH_MS = 11_644_473_600_000n;

/** Of 100 ns since 1601; null: never. */
function toMilliseconds(ticks: bigint): bigint | null {
  return ticks === 0n || ticks >= NEVER ? null : ticks / 10_000n - EPOCH_MS;
}

/** One value as text, several as a list. Beside what the server gives, `dn`. */
function toAttributes(entry: LdapEntry, { projection }: ConvertOptions): Readonly<Record<string, Json>> {
  const attributes: [string, Json][] = [];
  for (const { name, values } of entry.attributes.values()) {
    const lower = name.toLowerCase();
    if (values.length === 0 || SECRETS.has(lower.split(';')[0] ?? '') || MEMBERS.has(lower)) continue;
    const texts = values.map((value) => toPlainDn(toText(name, value)));
    const list = REFERENCES.has(lower) ? texts.map(normaliseDn) : texts;
    const value = list.length === 1 ? (list[0] ?? null) : list;
    const asked = projection.filter((each) => each.toLowerCase() === lower);
    for (const each of asked.length === 0 ? [name] : asked) attributes.push([each, value]);
  }
  return Object.fromEntries([['dn', normaliseDn(entry.dn)], ...attributes]);
}

export interface LdapGroup {
  readonly group: SourceGroup;
  /** By which the people whose primary group it is name it; null: it has none. */
  readonly number: string | null;
}

/** @param ms since 1970; as `accountExpires` has it */
export function toTicks(ms: number): bigint {
  return (BigInt(ms) + EPOCH_MS) * 10_000n;
}

/** Without its members, which may come in parts. */
export function toGroup(entry: LdapEntry, options: ConvertOptions): Converted<LdapGroup> {
  const id = toId(entry, options.dialect);
  if (typeof id !== 'string') return id;
  const attributes = toAttributes(entry, options);
  const [cn = toName(entry.dn)] = readTexts(entry, 'cn');
  const isDirectory = options.dialect.idAttribute === 'objectGUID';
  const [shown = cn] = isDirectory ? readTexts(entry, 'displayName') : [cn];
  const group: SourceGroup = { id, displayName: shown, aliases: [normaliseDn(entry.dn)], attributes };
  return { item: { group, number: isDirectory ? toRid(entry) : (readTexts(entry, 'gidNumber')[0] ?? null) } };
}

/** The last part of the SID, of groups of the domain; those of BUILTIN are nobody's primary group. */
function toRid(entry: LdapEntry): string | null {
  const bytes = readBytes(entry, 'objectSid');
  const [, rid = null] = /^S-1-5-21-[\d-]+-(\d+)$/.exec((bytes && toSid(bytes)) ?? '') ?? [];
  return rid;
}

/**
 * Who belongs to the group by whichever attribute it has. Where the ids of members stand before their names, by these: they
 * stay when somebody is renamed. `entry` is whole.
 */
export function toMembers(entry: LdapEntry): readonly GroupMember[] {
  const names = [
    ...readTexts(entry, 'member'),
    // A number that tells apart who has had the name may stand behind it (RFC 4517 section 3.3.21).
    ...readTexts(entry, 'uniqueMember').map((value) => value.replace(/#'[01]*'B$/, '')),
  ];
  return [
    ...names.map((name): GroupMember => ({ kind: 'Any', ref: toNamedId(name) ?? normaliseDn(name) })),
    ...readTexts(entry, 'memberUid').map((ref): GroupMember => ({ kind: 'User', ref })),
  ];
}

/** Classes that an entry can have with a member alone (RFC 4519). */
const WITH_MEMBERS = new Set(['groupofnames', 'groupofuniquenames']);

/** Does it show nobody although its class says that there is somebody? */
export function hidesMembers(entry: LdapEntry): boolean {
  const mustHave = readTexts(entry, 'objectClass').some((each) => WITH_MEMBERS.has(each.toLowerCase()));
  return mustHave && toMembers(entry).length === 0;
}
