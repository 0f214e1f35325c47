/** LDIF (RFC 2849): entries of an LDAP directory, as ldapsearch and slapcat write them. */
import { isUtf8 } from 'node:buffer';
import type { Json } from '../../model.ts';
import type { FileRecord, FormatOptions } from './convert.ts';
import { MAX_RECORD_BYTES, toReadFailed } from './failure.ts';
import { type Line, readLines } from './lines.ts';

/**
 * An attribute with one value is a text, with several a list; its name is spelled as mappings spell it, else as the file
 * does first, for LDAP takes no account of case. Values in base64 that are no text stay base64; `objectGUID` becomes a
 * UUID. Hashes of passwords are passed over, and entries whose `objectClass` says that they are something else.
 *
 * Throws `ReadFailed` naming the line for what is no line of LDIF, a value at a URL, base64 that is none, an entry without
 * `dn` or of more than 1 MiB, a list of changes, and a last line without its line end, which is how a file that was cut
 * off ends.
 */
export async function* readLdif(chunks: AsyncIterable<Buffer>, options: FormatOptions): AsyncGenerator<FileRecord[]> {
  const { label } = options;
  const entries = createEntryReader(options);
  const throwTooLong = (line: number): never => {
    throw toReadFailed(label, `line ${line} is longer than 1 MiB`);
  };
  for await (const lines of readLines(chunks, { maxBytes: MAX_RECORD_BYTES, throwTooLong })) {
    const records = lines.flatMap((line) => entries.read(line));
    if (records.length > 0) yield records;
  }
  yield [...entries.end()];
}

/** A line with those that continue it. */
interface LogicalLine {
  readonly number: number;
  text: string;
}

interface Entry {
  readonly number: number;
  size: number;
  readonly values: Map<string, string[]>;
}

function createEntryReader(options: FormatOptions) {
  const { label } = options;
  const spell = createSpeller([options.idAttribute, ...options.spellings]);
  let line: LogicalLine | null = null;
  let entry: Entry | null = null;
  let any = false;

  function fail(number: number, what: string): never {
    throw toReadFailed(label, `line ${number} ${what}`);
  }

  function finishLine(): void {
    const whole = line;
    line = null;
    if (whole === null || whole.text.startsWith('#')) return;
    const { name, value } = parseLine(whole, fail);
    any = true;
    if (entry === null) {
      if (name.toLowerCase() === 'version') return;
      if (name.toLowerCase() !== 'dn') fail(whole.number, 'begins an entry, and is no "dn:"');
      entry = { number: whole.number, size: 0, values: new Map() };
    }
    addValue(entry, { name, value, number: whole.number });
  }

  function addValue(
    to: Entry,
    { name, value, number }: { readonly name: string; readonly value: string; readonly number: number },
  ): void {
    const plain = name.toLowerCase();
    if (plain === 'changetype' && value !== 'add')
      fail(number, 'is a change; the file must hold the entries themselves');
    if (plain === 'changetype' || plain === 'control' || SECRETS.has(plain.split(';')[0] ?? '')) return;
    to.size += name.length + value.length;
    if (to.size > MAX_RECORD_BYTES) fail(to.number, 'begins an entry that is larger than 1 MiB');
    const key = spell(name);
    const values = to.values.get(key);
    if (values === undefined) to.values.set(key, [value]);
    else values.push(value);
  }

  function finishEntry(): readonly FileRecord[] {
    const whole = entry;
    entry = null;
    if (whole === null) return [];
    const attributes: Record<string, Json> = {};
    for (const [name, values] of whole.values) attributes[name] = values.length === 1 ? (values[0] ?? null) : values;
    if (isSomethingElse(whole.values.get(spell('objectClass')) ?? [], options.kind)) return [];
    options.names.addColumns(Object.keys(attributes));
    return [{ position: `line ${whole.number}`, attributes }];
  }

  return {
    read: ({ text: raw, number, isEnded }: Line): readonly FileRecord[] => {
      if (!isEnded) throw toReadFailed(label, `it ends in the middle of line ${number}; it is cut off`);
      const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      if (text.startsWith(' ')) {
        if (line === null) fail(number, 'continues another one, and there is none before it');
        line.text += text.slice(1);
        if (line.text.length > MAX_RECORD_BYTES) fail(line.number, 'is longer than 1 MiB');
        return [];
      }
      finishLine();
      if (text === '') return finishEntry();
      line = { number, text };
      return [];
    },
    end: (): readonly FileRecord[] => {
      finishLine();
      const last = finishEntry();
      if (!any) throw toReadFailed(label, 'it is empty; there must be "version: 1" or an entry');
      return last;
    },
  };
}

/** `name: text`, `name:: base64` or `name:< URL`. Who writes a file must not make this machine read another one. */
function parseLine(
  { text, number }: LogicalLine,
  fail: (number: number, what: string) => never,
): { readonly name: string; readonly value: string } {
  const parts = /^([A-Za-z0-9.;_-]+):([:<]?) *(.*)$/s.exec(text);
  if (parts === null) return fail(number, 'is no line of LDIF: neither "name: value" nor a continuation');
  const [, name = '', kind = '', rest = ''] = parts;
  if (kind === '<') return fail(number, 'has a value at a URL, which is not read; export the values themselves');
  if (kind === '') return { name, value: rest };
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(rest) || rest.length % 4 !== 0) return fail(number, 'has base64 that is none');
  return { name, value: toValue(name, rest) };
}

/** Attributes whose values are bytes, even where these happen to be a text. */
const BINARY = new Set([
  'jpegphoto',
  'thumbnailphoto',
  'photo',
  'audio',
  'usercertificate',
  'usersmimecertificate',
  'objectsid',
  'sidhistory',
  'msexchmailboxguid',
  'ms-ds-consistencyguid',
]);

/** Hashes of passwords and keys: nothing that may reach an application. */
const SECRETS = new Set([
  'userpassword',
  'unicodepwd',
  'sambantpassword',
  'sambalmpassword',
  'krbprincipalkey',
  'supplementalcredentials',
  'ntpwdhistory',
  'lmpwdhistory',
  'dbcspwd',
  'pwdhistory',
]);

function toValue(name: string, base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  const [plain = '', ...tags] = name.toLowerCase().split(';');
  if (plain === 'objectguid' && bytes.length === 16) return toUuid(bytes);
  const isText = !BINARY.has(plain) && !tags.includes('binary') && isUtf8(bytes) && !bytes.includes(0);
  return isText ? bytes.toString('utf8') : base64;
}

/** As Active Directory shows it: the first three parts are little-endian (MS-DTYP 2.3.4.2). */
function toUuid(bytes: Buffer): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  const hex = order.map((index) => (bytes[index] ?? 0).toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const MOST_NAMES = 10_000;

/** One spelling for each name: the one that is asked for, else the first that was seen. */
function createSpeller(asked: readonly string[]): (name: string) => string {
  const spellings = new Map(asked.toReversed().map((name) => [name.toLowerCase(), name]));
  return (name) => {
    const plain = name.toLowerCase();
    const known = spellings.get(plain);
    if (known !== undefined) return known;
    if (spellings.size < MOST_NAMES) spellings.set(plain, name);
    return name;
  };
}

/** Object classes of what is neither a person nor a group. */
const PLACES = ['organization', 'organizationalunit', 'domain', 'dcobject', 'domaindns', 'container', 'builtindomain'];
const THINGS = ['computer', 'device', 'organizationalrole', 'applicationprocess', 'country', 'locality'];
const GROUPS = [
  'groupofnames',
  'groupofuniquenames',
  'groupofmembers',
  'groupofurls',
  'posixgroup',
  'group',
  'sambagroupmapping',
];
const PEOPLE = ['person', 'organizationalperson', 'inetorgperson', 'user', 'posixaccount'];
const OTHERS: Readonly<Record<FormatOptions['kind'], ReadonlySet<string>>> = {
  users: new Set([...PLACES, ...THINGS, ...GROUPS]),
  groups: new Set([...PLACES, ...THINGS, ...PEOPLE]),
};

/** A directory is often exported as a whole. A class that is not known is taken: what it lacks is then an error. */
function isSomethingElse(classes: readonly string[], kind: FormatOptions['kind']): boolean {
  return classes.some((name) => OTHERS[kind].has(name.toLowerCase()));
}
