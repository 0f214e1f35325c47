/** Lists of addresses and of mails as every directory writes them, in one form. Pure. */
import type { Json } from '../model.ts';
import type { DirectoryName } from './catalog.ts';
import { isEmptyValue } from './coerce.ts';

type JsonObject = { readonly [key: string]: Json };

/** The values of a record at the paths of its cell, in that order. */
type Values = readonly Json[];

/** Null for nobody's: no list is empty. */
export function toAddresses(directory: DirectoryName, values: Values): Json {
  const addresses = isFlat(directory)
    ? [toFlatAddress(directory, values)]
    : toList(values[0]).map((each) => toAddress(toObject(each)));
  return toAssigned(addresses.map(toRaw).filter((each) => each !== null));
}

/** These have one address, in attributes of the person. */
function isFlat(directory: DirectoryName): boolean {
  return directory === 'entra' || directory === 'ldap' || directory === 'activeDirectory';
}

function toFlatAddress(directory: DirectoryName, values: Values): JsonObject {
  const [street_address = null, locality = null, region = null, postal_code = null, last = null] = values.map(toText);
  // The class of people in LDAP has no country, and its postal address writes a `$` between lines (RFC 4517, 3.3.28).
  const lines = last?.split('$').map((line) => line.trim()) ?? [];
  const rest: JsonObject = directory === 'ldap' ? { raw_address: lines.join(', ') } : { country: last };
  return { type: 'work', street_address, locality, region, postal_code, ...rest, primary: true };
}

/** The names of Google, of SCIM and our own. */
function toAddress(address: JsonObject): JsonObject {
  const pick = (...names: readonly string[]): Json =>
    names.map((name) => address[name]).find((each) => !isEmptyValue(each)) ?? null;
  const type = pick('type');
  return {
    type: type === 'custom' ? pick('customType', 'type') : type,
    street_address: pick('street_address', 'streetAddress'),
    locality: pick('locality'),
    region: pick('region'),
    postal_code: pick('postal_code', 'postalCode'),
    country: pick('country'),
    primary: isTrue(pick('primary')),
    raw_address: pick('raw_address', 'formatted'),
  };
}

/** With its one line, without empty parts; null where nothing is said of a place. */
function toRaw(address: JsonObject): JsonObject | null {
  const { type, primary, raw_address, ...parts } = address;
  const line = Object.values(parts)
    .filter((each) => !isEmptyValue(each))
    .join(', ');
  const raw = isEmptyValue(raw_address) ? line : raw_address;
  if (isEmptyValue(raw)) return null;
  const all: JsonObject = { type: type ?? null, ...parts, primary: primary ?? false, raw_address: raw ?? null };
  return Object.fromEntries(Object.entries(all).filter(([, each]) => !isEmptyValue(each)));
}

export function toEmails(directory: DirectoryName, values: Values): Json {
  const [first, ...others] = values;
  switch (directory) {
    case 'entra':
    case 'activeDirectory':
      return toMailList([
        ...toMails(first, true),
        ...toMails(directory === 'entra' ? others[0] : null, false),
        ...toProxies(others.at(-1)),
      ]);
    case 'ldap':
      return toMailList(toList(first).flatMap((each, index) => toMails(each, index === 0)));
    case 'google':
      return toMailList([...toList(first).map((each) => toMail(toObject(each))), ...toMails(others[0], false)]);
    default:
      return toMailList(toList(first).map((each) => toMail(toObject(each))));
  }
}

interface Mail {
  readonly type: Json;
  readonly value: string;
  readonly primary: boolean;
}

function toMails(value: Json | undefined, primary: boolean): Mail[] {
  return toList(value).map((each) => ({ type: primary ? 'work' : 'other', value: toText(each) ?? '', primary }));
}

/** `SMTP:` is the primary address, `smtp:` an alias; others are no mail addresses (X500:, SIP:). */
function toProxies(value: Json | undefined): Mail[] {
  return toList(value).flatMap((each) => {
    const [, prefix, address = ''] = /^(smtp):(.+)$/i.exec(toText(each) ?? '') ?? [];
    if (prefix === undefined) return [];
    const primary = prefix === 'SMTP';
    return [{ type: primary ? 'work' : 'other', value: address, primary }];
  });
}

function toMail(mail: JsonObject): Mail {
  const type = mail['type'] === 'custom' ? mail['customType'] : mail['type'];
  return {
    type: type ?? null,
    value: toText(mail['value'] ?? mail['address'] ?? null) ?? '',
    primary: isTrue(mail['primary']),
  };
}

/** Each address once, without regard to case; the first primary one is the only one. */
function toMailList(mails: readonly Mail[]): Json {
  const seen = new Set<string>();
  const list: Json[] = [];
  let primary = false;
  for (const mail of mails) {
    const key = mail.value.toLowerCase();
    if (key === '' || seen.has(key)) continue;
    seen.add(key);
    const type: JsonObject = isEmptyValue(mail.type) ? {} : { type: mail.type };
    list.push({ ...type, value: mail.value, primary: mail.primary && !primary });
    primary ||= mail.primary;
  }
  return toAssigned(list);
}

function toAssigned(list: readonly Json[]): Json {
  return list.length === 0 ? null : list;
}

function toList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : isEmptyValue(value) ? [] : [value as Json];
}

function toObject(value: Json): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function toText(value: Json): string | null {
  const one = Array.isArray(value) ? ((value as readonly Json[]).find((each) => !isEmptyValue(each)) ?? null) : value;
  return one === null || typeof one === 'object' || one === '' ? null : String(one);
}

function isTrue(value: Json | undefined): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}
