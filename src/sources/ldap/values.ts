/** Values of LDAP attributes, which arrive as bytes, as JSON. Pure. */
import { EqualityFilter, type Filter, OrFilter } from 'ldapts';

const DECODER = new TextDecoder('utf-8', { fatal: true });

const GUIDS = new Set(['objectguid']);
const SIDS = new Set(['objectsid', 'sidhistory']);
/** Those that are no text even where their bytes happen to be some. */
const BYTES = new Set([
  'jpegphoto',
  'thumbnailphoto',
  'thumbnaillogo',
  'photo',
  'audio',
  'usercertificate',
  'usersmimecertificate',
  'userpkcs12',
  'cacertificate',
  'msexchmailboxguid',
  'ms-ds-consistencyguid',
  'objectguid',
  'logonhours',
]);

/** GUIDs and SIDs in their text form, other bytes in base64, everything else as it is. */
export function toText(name: string, value: Buffer): string {
  const [plain = '', ...options] = name.toLowerCase().split(';');
  if (GUIDS.has(plain) && value.length === GUID_LENGTH) return toGuid(value);
  if (SIDS.has(plain)) return toSid(value) ?? value.toString('base64');
  if (BYTES.has(plain) || options.includes('binary')) return value.toString('base64');
  try {
    return DECODER.decode(value);
  } catch {
    return value.toString('base64');
  }
}

const GUID_LENGTH = 16;

/** The first three groups are little-endian (MS-DTYP 2.3.4.2). */
function swapGuid(bytes: Buffer): Buffer {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Buffer.from(order.map((index) => bytes.readUInt8(index)));
}

/** GeneralizedTime (RFC 4517 section 3.3.13), as `20261122063520.0Z`. */
const TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2}))?)?(?:[.,]\d+)?(Z|[+-]\d{2}(?:\d{2})?)$/;

/** Milliseconds since 1970, to the second; null for what is no time. */
export function toTime(text: string): number | null {
  const [, year, month, day, hour, minute = '00', second = '00', zone = 'Z'] = TIME.exec(text) ?? [];
  const offset = zone.replace(/^([+-]\d{2})(\d{2})?$/, (_, hours, minutes = '00') => `${hours}:${minutes}`);
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`);
  return Number.isNaN(time) ? null : time;
}

/** @param bytes 16 of them */
export function toGuid(bytes: Buffer): string {
  return swapGuid(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Null for what is none. */
export function fromGuid(text: string): Buffer | null {
  return GUID.test(text) ? swapGuid(Buffer.from(text.replaceAll('-', ''), 'hex')) : null;
}

/**
 * Entries with one of these objectGUIDs.
 * @param ids in text form
 */
export function toGuidFilter(ids: readonly string[]): Filter {
  const values = ids.map(fromGuid).filter((value) => value !== null);
  return new OrFilter({ filters: values.map((value) => new EqualityFilter({ attribute: 'objectGUID', value })) });
}

/** `S-1-5-21-…` (MS-DTYP 2.4.2.2); null for bytes that are none. */
export function toSid(bytes: Buffer): string | null {
  const count = bytes.length < 8 ? 0 : bytes.readUInt8(1);
  if (count === 0 || bytes.length !== 8 + count * 4) return null;
  const parts = Array.from({ length: count }, (_, index) => bytes.readUInt32LE(8 + index * 4));
  return ['S', bytes.readUInt8(0), bytes.readUIntBE(2, 6), ...parts].join('-');
}
