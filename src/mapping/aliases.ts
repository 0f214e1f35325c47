/** By what else than the id records refer to people: managers and members of groups. Pure. */
import type { Json, SourceUser } from '../model.ts';

/** Attributes whose values name one person, by whichever directory; a read that must resolve references asks for them. */
export const ALIAS_ATTRIBUTES = [
  'userName',
  'username',
  'userPrincipalName',
  'primaryEmail',
  'mail',
  'email',
  'otherMails',
  'proxyAddresses',
  'aliases',
  'emails',
  'uid',
  'dn',
  'distinguishedName',
] as const;

/** Names of one person beside the id: mail addresses and aliases, userNames, distinguished names. */
export function toAliases({ attributes }: SourceUser): readonly string[] {
  const names = ALIAS_ATTRIBUTES.flatMap((name) => listTexts(attributes[name] ?? null));
  return [...new Set(names)];
}

function listTexts(value: Json): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value.replace(/^smtp:/i, '')];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(listTexts);
  if (value === null || typeof value !== 'object') return [];
  // An address of SCIM or WorkOS (`value`) or of Google (`address`).
  const { value: plain, address } = value as { readonly [key: string]: Json };
  return [plain, address].flatMap((each) => (typeof each === 'string' ? listTexts(each) : []));
}
