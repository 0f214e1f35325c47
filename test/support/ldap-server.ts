/** An LDAP server in this process whose answers can be broken one by one, for what a real one cannot be made to do. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { type BerReader, BerWriter, type Control, PagedResultsControl, BerReader as Reader } from 'ldapts';
import { createFrames } from '../../src/sources/ldap/frames.ts';
import { DIR_SYNC, EXTENDED_DN, type LdapDirectory } from './ldap-directory.ts';
import { type Matches, parseFilter } from './ldap-filter.ts';

export type Values = readonly (string | Buffer)[];

export interface ServedEntry {
  readonly dn: string;
  readonly attributes: Readonly<Record<string, Values>>;
}

/** A search as it arrived. */
export interface SeenSearch {
  readonly baseDN: string;
  readonly scope: number;
  readonly attributes: readonly string[];
  readonly sizeLimit: number;
  readonly timeLimit: number;
  /** As text, without what is in it. */
  readonly filter: string;
  /** From 1, by the order in which pages of one list are asked for; 0: it asks for no pages. */
  readonly page: number;
  readonly pageSize: number;
  /** Whom the connection is bound as; empty: nobody. */
  readonly boundAs: string;
  /** From 1, by the order in which they were made. */
  readonly connection: number;
}

/**
 * What comes in place of an answer. `reset` breaks the connection off after the first half of it, `hang` is silence,
 * `garbage` what a web server says; a result is that code after `entries` of the page.
 */
export type LdapFault =
  | 'reset'
  | 'hang'
  | 'garbage'
  | 'intermediate'
  /** A page that does not say whether more follow. */
  | 'noControl'
  /** Entries do not show what tells them apart. */
  | 'withoutIds'
  | { readonly code: number; readonly diagnostic?: string; readonly entries?: number }
  | { readonly references: readonly string[] };

export interface LdapServer {
  /** `ldap://127.0.0.1:<port>` */
  readonly url: string;
  /** With it the server is an Active Directory, and `entries` are set through it. */
  directory: LdapDirectory | null;
  entries: readonly ServedEntry[];
  /** Served in place of what matches, page by page, to searches for pages below this base. */
  layout: { readonly baseDN: string; readonly pages: readonly (readonly ServedEntry[])[] } | null;
  /** Values of one attribute in one answer (MaxValRange of Active Directory). */
  mostValues: number;
  /** The most that a page may have; more is answered with result 11, as slapd does. */
  mostOfPage: number;
  /** Every page has the same cookie, as Samba's have. */
  sameCookie: boolean;
  bindDN: string;
  password: string;
  readonly searches: readonly SeenSearch[];
  /** Connections that were made. */
  readonly connections: () => number;
  /** Those that are open. */
  readonly open: () => number;
  fault: (search: SeenSearch) => LdapFault | null;
  /** In place of an answer to StartTLS. */
  startTlsCode: number;
  /** In place of the answer to a bind. */
  bindFault: { readonly code: number; readonly diagnostic?: string } | 'hang' | null;
  close(): Promise<void>;
}

/** Returned only where they are asked for by name. */
const OPERATIONAL = new Set(['entryuuid', 'nsaccountlock', 'pwdaccountlockedtime', 'memberof']);

export interface LdapServerOptions {
  /** PEM; with it the server takes StartTLS, or speaks nothing else where `encrypted` says so. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly encrypted?: boolean;
}

export async function startLdapServer({ tls, encrypted = false }: LdapServerOptions = {}): Promise<LdapServer> {
  const sockets = new Set<Socket>();
  const searches: SeenSearch[] = [];
  let connections = 0;
  const encrypt = (socket: Socket): TLSSocket =>
    new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) });
  const begin = (socket: Socket): void => serve(socket, { server, searches, connection: connections, encrypt });
  const listener = encrypted ? createTlsServer({ ...tls }, begin) : createServer(begin);
  listener.prependListener('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const server: LdapServer = {
    url: `${encrypted ? 'ldaps' : 'ldap'}://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    directory: null,
    entries: [],
    layout: null,
    mostValues: Number.POSITIVE_INFINITY,
    mostOfPage: Number.POSITIVE_INFINITY,
    sameCookie: false,
    bindDN: 'cn=reader,dc=example,dc=com',
    password: 'sesame',
    searches,
    connections: () => connections,
    open: () => sockets.size,
    fault: () => null,
    startTlsCode: 0,
    bindFault: null,
    async close() {
      if (!listener.listening) return;
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
  return server;
}

interface Connection {
  readonly server: LdapServer;
  readonly searches: SeenSearch[];
  readonly connection: number;
  readonly encrypt: (socket: Socket) => TLSSocket;
}

function serve(socket: Socket, of: Connection): void {
  const frames = createFrames();
  const state: State = { boundAs: '', pages: new Map() };
  const onData = (data: Buffer): void => {
    try {
      for (const frame of frames.take(data)) answer(frame);
    } catch {
      socket.destroy();
    }
  };
  const answer = (frame: Buffer): void => {
    const reader = new Reader(frame);
    reader.readSequence();
    const id = reader.readInt() ?? 0;
    const operation = reader.readSequence();
    if (operation === 0x60) answerBind(socket, { id, reader, state, server: of.server });
    else if (operation === 0x63) answerSearch(socket, { id, reader, state, of });
    else if (operation === 0x77) startTls(id);
    else socket.end();
  };
  const startTls = (id: number): void => {
    const code = of.server.startTlsCode;
    socket.write(writeResult(id, 0x78, { code }));
    if (code !== 0) return;
    socket.off('data', onData);
    serve(of.encrypt(socket), of);
  };
  socket.on('error', () => undefined).on('data', onData);
}

interface State {
  boundAs: string;
  /** Cookie → what is still to come, and the number of the page. */
  readonly pages: Map<string, { readonly rest: readonly (readonly ServedEntry[])[]; readonly page: number }>;
}

interface Asked {
  readonly id: number;
  readonly reader: BerReader;
  readonly state: State;
}

function answerBind(socket: Socket, { id, reader, state, server }: Asked & { readonly server: LdapServer }): void {
  reader.readInt();
  const dn = reader.readString() ?? '';
  const password = reader.readString(0x80) ?? '';
  const { bindFault } = server;
  if (bindFault === 'hang') return;
  const isRight = dn === server.bindDN && password === server.password;
  const result = bindFault ?? { code: isRight ? 0 : 49 };
  if (result.code === 0) state.boundAs = dn;
  socket.write(writeResult(id, 0x61, result));
}

function answerSearch(socket: Socket, { id, reader, state, of }: Asked & { readonly of: Connection }): void {
  const { server, searches, connection } = of;
  const asked = parseSearch(reader);
  const begun = state.pages.get(asked.control?.value?.cookie?.toString('utf8') ?? '');
  const page = asked.control === undefined ? 0 : (begun?.page ?? 0) + 1;
  const pageSize = asked.control?.value?.size ?? 0;
  const search: SeenSearch = { ...asked, page, pageSize, boundAs: state.boundAs, connection };
  searches.push(search);
  const fault = server.fault(search);
  if (fault === 'hang') return;
  const bytes =
    fault === 'garbage'
      ? GARBAGE
      : (writeRefusal(id, server, search) ?? writeAnswer({ id, fault, asked, search, state, server }));
  if (fault === 'reset') socket.write(bytes.subarray(0, bytes.length / 2), () => socket.destroy());
  else socket.write(bytes);
}

const GARBAGE = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n<html>');

/** Null: nothing speaks against it. */
function writeRefusal(
  id: number,
  { mostOfPage, entries }: LdapServer,
  { baseDN, pageSize }: SeenSearch,
): Buffer | null {
  if (pageSize > mostOfPage) return writeResult(id, 0x65, { code: 11, diagnostic: 'illegal pagedResults page size' });
  const isThere = entries.some(({ dn }) => isBelow(dn, baseDN));
  return isThere ? null : writeResult(id, 0x65, { code: 32 });
}

interface PageOf {
  readonly id: number;
  readonly fault: LdapFault | null;
  readonly asked: ParsedSearch;
  readonly search: SeenSearch;
  readonly state: State;
  readonly server: LdapServer;
}

function writeAnswer(page: PageOf): Buffer {
  const { id, fault, asked, server } = page;
  const since = asked.controls.get(DIR_SYNC);
  if (since === undefined || server.directory === null) return writePage(page);
  const { code, entries, control } = server.directory.tell(since, asked);
  const { limit } = toParts(fault);
  const shown = limit === null ? entries : entries.slice(0, limit.entries ?? 0);
  return Buffer.concat([
    ...shown.map((entry) => writeEntry(id, entry, asked.attributes, server)),
    writeResult(id, 0x65, limit ?? { code }, fault === 'noControl' ? null : control),
  ]);
}

function writePage({ id, fault, asked, search, state, server }: PageOf): Buffer {
  const cookie = asked.control?.value?.cookie?.toString('utf8') ?? '';
  const [entries = [], ...rest] = state.pages.get(cookie)?.rest ?? toPages(server, asked, search.pageSize);
  const next =
    rest.length === 0 ? '' : server.sameCookie ? 'cookie' : `cookie ${search.page} ${server.searches.length}`;
  if (next !== '') state.pages.set(next, { rest, page: search.page });
  const { limit, references } = toParts(fault);
  const visible = fault === 'withoutIds' ? entries.map(withoutIds) : entries;
  const shown = limit === null ? visible : visible.slice(0, limit.entries ?? 0);
  return Buffer.concat([
    ...shown.map((entry) => writeEntry(id, toNamed(entry, asked, server), asked.attributes, server)),
    ...(references.length === 0 ? [] : [writeReference(id, references)]),
    ...(fault === 'intermediate' ? [writeIntermediate(id)] : []),
    writeResult(
      id,
      0x65,
      limit ?? { code: 0 },
      asked.control === undefined || fault === 'noControl' ? null : toPaged(next),
    ),
  ]);
}

function toPaged(cookie: string): Control {
  return new PagedResultsControl({ value: { size: 0, cookie: Buffer.from(cookie) } });
}

function withoutIds({
  dn,
  attributes: { objectGUID: _guid, entryUUID: _uuid, ...attributes },
}: ServedEntry): ServedEntry {
  return { dn, attributes };
}

function toNamed(entry: ServedEntry, { controls }: ParsedSearch, { directory }: LdapServer): ServedEntry {
  return directory !== null && controls.has(EXTENDED_DN) ? directory.extend(entry) : entry;
}

function toParts(fault: LdapFault | null): {
  readonly limit: Extract<LdapFault, { readonly code: number }> | null;
  readonly references: readonly string[];
} {
  if (typeof fault !== 'object' || fault === null) return { limit: null, references: [] };
  return 'code' in fault ? { limit: fault, references: [] } : { limit: null, references: fault.references };
}

function toPages(
  server: LdapServer,
  { baseDN, scope, matches }: ParsedSearch,
  size: number,
): readonly (readonly ServedEntry[])[] {
  if (size > 0 && server.layout?.baseDN === baseDN) return server.layout.pages;
  const found = server.entries.filter(
    (entry) =>
      (scope === 0 ? entry.dn.toLowerCase() === baseDN.toLowerCase() : isBelow(entry.dn, baseDN)) && matches(entry),
  );
  if (size === 0) return [found];
  return Array.from({ length: Math.max(1, Math.ceil(found.length / size)) }, (_, index) =>
    found.slice(index * size, (index + 1) * size),
  );
}

function isBelow(dn: string, baseDN: string): boolean {
  return dn.toLowerCase() === baseDN.toLowerCase() || dn.toLowerCase().endsWith(`,${baseDN.toLowerCase()}`);
}

interface ParsedSearch extends Omit<SeenSearch, 'page' | 'pageSize' | 'boundAs' | 'connection'> {
  readonly matches: Matches;
  readonly control: PagedResultsControl | undefined;
  /** All of them, by OID. */
  readonly controls: ReadonlyMap<string, Buffer>;
}

function parseSearch(reader: BerReader): ParsedSearch {
  const baseDN = reader.readString() ?? '';
  const scope = reader.readEnumeration() ?? 0;
  reader.readEnumeration();
  const [sizeLimit, timeLimit] = [reader.readInt() ?? -1, reader.readInt() ?? -1];
  reader.readBoolean();
  const { matches, text } = parseFilter(reader);
  reader.readSequence();
  const end = reader.offset + reader.length;
  const attributes: string[] = [];
  while (reader.offset < end) attributes.push((reader.readString() ?? '').toLowerCase());
  const controls = parseControls(reader);
  const paged = controls.get(PagedResultsControl.type);
  const control = paged === undefined ? undefined : new PagedResultsControl();
  control?.parse(new Reader(paged ?? Buffer.alloc(0)));
  return { baseDN, scope, attributes, sizeLimit, timeLimit, filter: text, matches, control, controls };
}

/** Values by OID. */
function parseControls(reader: BerReader): ReadonlyMap<string, Buffer> {
  const controls = new Map<string, Buffer>();
  if (reader.peek() !== 0xa0) return controls;
  reader.readSequence();
  const end = reader.offset + reader.length;
  while (reader.offset < end) {
    reader.readSequence();
    const last = reader.offset + reader.length;
    const oid = reader.readString() ?? '';
    if (reader.offset < last && reader.peek() === 1) reader.readBoolean();
    controls.set(oid, reader.offset < last ? (reader.readString(4, true) ?? Buffer.alloc(0)) : Buffer.alloc(0));
  }
  return controls;
}

function writeMessage(id: number, write: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  write(writer);
  writer.endSequence();
  return writer.buffer;
}

function writeResult(
  id: number,
  tag: number,
  { code, diagnostic = '' }: { readonly code: number; readonly diagnostic?: string },
  control: Control | null = null,
): Buffer {
  return writeMessage(id, (writer) => {
    writer.startSequence(tag);
    writer.writeEnumeration(code);
    writer.writeString('');
    writer.writeString(diagnostic);
    writer.endSequence();
    if (control === null) return;
    writer.startSequence(0xa0);
    control.write(writer);
    writer.endSequence();
  });
}

function writeEntry(
  id: number,
  { dn, attributes }: ServedEntry,
  asked: readonly string[],
  { mostValues }: Pick<LdapServer, 'mostValues'>,
): Buffer {
  return writeMessage(id, (writer) => {
    writer.startSequence(0x64);
    writer.writeString(dn);
    writer.startSequence();
    for (const [name, values] of Object.entries(attributes)) {
      for (const [shown, part] of toShown(name, values, asked, mostValues)) writeAttribute(writer, shown, part);
    }
    writer.endSequence();
    writer.endSequence();
  });
}

/** The attribute, or a part of it beside one of that name without values. */
function toShown(name: string, values: Values, asked: readonly string[], most: number): readonly [string, Values][] {
  const lower = name.toLowerCase();
  const range = asked.map((each) => /^(.+);range=(\d+)-/.exec(each)).find((match) => match?.[1] === lower);
  const isAll = asked.length === 0 || asked.includes(OPERATIONAL.has(lower) ? '+' : '*');
  if (range === undefined && !isAll && !asked.includes(lower)) return [];
  const begin = Number(range?.[2] ?? 0);
  if (begin === 0 && values.length <= most) return [[name, values]];
  const part = values.slice(begin, begin + most);
  const end = begin + part.length >= values.length ? '*' : begin + part.length - 1;
  return [
    [name, []],
    [`${name};range=${begin}-${end}`, part],
  ];
}

function writeAttribute(writer: BerWriter, name: string, values: Values): void {
  writer.startSequence();
  writer.writeString(name);
  writer.startSequence(0x31);
  for (const value of values) writer.writeBuffer(Buffer.from(value as string), 4);
  writer.endSequence();
  writer.endSequence();
}

function writeReference(id: number, urls: readonly string[]): Buffer {
  return writeMessage(id, (writer) => {
    writer.startSequence(0x73);
    for (const url of urls) writer.writeString(url);
    writer.endSequence();
  });
}

/** RFC 4511 section 4.13: ldapts knows no such message. */
function writeIntermediate(id: number): Buffer {
  return writeMessage(id, (writer) => {
    writer.startSequence(0x79);
    writer.writeString('1.3.6.1.4.1.4203.1.9.1.4', 0x80);
    writer.endSequence();
  });
}
