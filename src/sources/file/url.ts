/** A file over HTTP or HTTPS. */
import { SyncError } from '../../errors.ts';
import type { BodySink, HttpClient, LastResponse } from '../../http/client.ts';
import { isLoopbackHost, readSecret, toHttpCredentials } from '../../http/credentials.ts';
import { toReadError } from '../../http/json-api.ts';
import { toOrigin } from '../../http/redact.ts';
import type { NamedSecret } from '../source.ts';
import { type ChecksumCheck, createChecksumCheck, readChecksums } from './checksum.ts';
import { createDownload, createPipe, type Download, MAX_DOWNLOAD_BYTES, type Pipe } from './download.ts';
import { toReadFailed } from './failure.ts';

const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface UrlPlace {
  readonly url: string;
  /** For messages. */
  readonly label: string;
  readonly allowHTTP: boolean;
  readonly http: HttpClient;
  readonly now: () => Date;
  /** Reads the Secret of `credentialsRef`; null without one. */
  readonly readSecret: (() => Promise<NamedSecret>) | null;
}

/**
 * The bytes of one answer with status 200, given while it comes. What passes (429, 5xx, an answer that breaks off) is tried
 * again by the client; an attempt that begins with other bytes than the one before is a failed read. After the last byte
 * nothing is said to be whole that its length or a checksum does not prove.
 * @param onWhole gets the strong ETag of these bytes (RFC 9110 section 8.8.3), or null, before their end is given
 */
export async function* readUrl(
  place: UrlPlace,
  signal: AbortSignal,
  onWhole: (etag: string | null) => void = () => undefined,
): AsyncGenerator<Buffer> {
  const access = await openPlace(place);
  const stopping = new AbortController();
  const pipe = createPipe();
  const fetching: Fetching = {
    ...access,
    pipe,
    download: createDownload(place.label),
    signal: AbortSignal.any([signal, stopping.signal]),
  };
  const work = fetchWhole(fetching).then((etag) => {
    onWhole(etag);
    pipe.end();
  }, pipe.fail);
  try {
    yield* pipe.read();
  } finally {
    stopping.abort();
    await work;
  }
}

/** Whether the file is still the one that had this ETag: nothing of it is fetched. */
export async function isUrlUnchanged(place: UrlPlace, etag: string, signal: AbortSignal): Promise<boolean> {
  const access = await openPlace(place);
  const stopping = new AbortController();
  const stop = AbortSignal.any([signal, stopping.signal]);
  let isOther = false;
  try {
    const { response, url } = await follow(access, (url, headers) =>
      place.http.send({
        method: 'GET',
        url,
        headers: { ...headers, 'if-none-match': etag },
        repeatable: true,
        returnsRedirects: true,
        sink: ({ status }) => {
          isOther = status === 200;
          // Another file, which is fetched by a read of its own.
          if (isOther) stopping.abort();
          return null;
        },
        signal: stop,
      }),
    );
    if (response.status === 304) return true;
    throw toError(response, { ...access, url });
  } catch (thrown) {
    if (isOther && !signal.aborted) return false;
    throw thrown;
  }
}

interface Access {
  readonly place: UrlPlace;
  readonly where: string;
  /** Null: nothing is sent. */
  readonly authorization: string | null;
}

async function openPlace(place: UrlPlace): Promise<Access> {
  const { secrets, where } = (await place.readSecret?.()) ?? NO_SECRET;
  return { place, where, authorization: toAuthorization(secrets, where, place) };
}

const NO_SECRET: NamedSecret = { secrets: {}, where: 'the address; it may need a credentialsRef' };

/** Null: nothing is sent. */
function toAuthorization(
  secrets: NamedSecret['secrets'],
  where: string,
  { allowHTTP, readSecret: isNamed }: UrlPlace,
): string | null {
  if (isNamed === null) return null;
  const hasToken = readSecret(secrets, 'token') !== undefined;
  const hasPair = ['username', 'password'].every((key) => readSecret(secrets, key) !== undefined);
  if (!hasToken && !hasPair) {
    throw new SyncError('ReferenceNotFound', `${where} must have the key "token", or "username" and "password"`);
  }
  const credentials = toHttpCredentials(secrets, { allowHTTP, where });
  return credentials.kind === 'Static' ? credentials.authorization : null;
}

interface Fetching extends Access {
  readonly pipe: Pipe;
  readonly download: Download;
  readonly signal: AbortSignal;
}

/** Returns the ETag. */
async function fetchWhole(fetching: Fetching): Promise<string | null> {
  const { place, signal } = fetching;
  let body: Body | null = null;
  const { response, url } = await follow(fetching, (url, headers) => {
    body = createBody(fetching);
    return place.http.send({
      method: 'GET',
      url,
      headers,
      repeatable: true,
      returnsRedirects: true,
      sink: body.open,
      signal,
    });
  });
  if (response.status !== 200) throw toError(response, { ...fetching, url });
  (body as Body | null)?.checkWhole();
  return toStrongETag(response.headers['etag']);
}

/** A weak one says that another file would do as well, not that it is the same. */
function toStrongETag(etag: string | undefined): string | null {
  return etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : null;
}

/** To where it is: the first answer that names no other place. */
async function follow(
  access: Access,
  ask: (url: string, headers: Record<string, string>) => Promise<LastResponse>,
): Promise<{ readonly response: LastResponse; readonly url: string }> {
  const { place } = access;
  let { url } = place;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const response = await ask(url, toHeaders(access, url));
    if (!REDIRECTS.has(response.status)) return { response, url };
    url = toNextUrl(response, url, place);
  }
  throw toReadFailed(place.label, `it redirects more than ${MOST_REDIRECTS} times`);
}

/** Credentials go to the host that they are for, and to no other that it names. */
function toHeaders({ place, authorization }: Access, url: string): Record<string, string> {
  const isOwn = toOrigin(url) === toOrigin(place.url);
  return { accept: '*/*', ...(authorization !== null && isOwn ? { authorization } : {}) };
}

function toNextUrl({ headers }: LastResponse, from: string, { label, allowHTTP }: UrlPlace): string {
  const { location = '' } = headers;
  if (!URL.canParse(location, from)) throw toReadFailed(label, 'it redirects to what is no address');
  const { protocol, hostname, username, password, href } = new URL(location, from);
  if (!/^https?:$/.test(protocol)) throw toReadFailed(label, 'it redirects to what is no address');
  const isPlain = protocol === 'http:' && from.startsWith('http:') && (allowHTTP || isLoopbackHost(hostname));
  if ((protocol !== 'https:' && !isPlain) || username !== '' || password !== '') {
    throw toReadFailed(label, `it redirects to ${toOrigin(href)}, which is no https address that could be followed`);
  }
  return href;
}

function toError(response: LastResponse, { place, where, url }: Access & { readonly url: string }): SyncError {
  const { label, now } = place;
  if (response.status === 404 || response.status === 410) {
    return toReadFailed(label, `${toOrigin(url)} has no such file (${response.status})`);
  }
  const about = { origin: toOrigin(url), where, now: () => now().getTime() };
  return toReadError(response, { what: `the file ${label}` }, about);
}

interface Body {
  readonly open: (head: Pick<LastResponse, 'status' | 'headers'>) => BodySink | null;
  /** Throws where the bytes that came are not proven to be all. */
  checkWhole(): void;
}

function createBody({ place: { label }, pipe, download }: Fetching): Body {
  let check: ChecksumCheck | null = null;
  return {
    open({ status, headers }) {
      if (status !== 200) return null;
      const checksums = readChecksums(headers);
      refuseAnswer(headers, { label, isProven: checksums.length > 0 });
      const attempt = download.begin();
      const sums = createChecksumCheck(checksums);
      check = sums;
      return {
        async write(chunk) {
          sums.update(chunk);
          const fresh = attempt.take(chunk);
          if (fresh.length > 0) await pipe.write(fresh);
        },
      };
    },
    checkWhole() {
      if (check === null) throw toReadFailed(label, 'nothing of it came');
      const wrong = check.findWrong();
      if (wrong !== null) throw toReadFailed(label, `its bytes do not have the checksum of its header ${wrong}`);
    },
  };
}

/** Packed with gzip it is known by its first bytes, also where a header says it. */
const ENCODINGS = new Set(['', 'identity', 'gzip', 'x-gzip']);

function refuseAnswer(
  headers: Readonly<Record<string, string>>,
  { label, isProven }: { readonly label: string; readonly isProven: boolean },
): void {
  const type = headers['content-type'] ?? '';
  if (/^\s*(text\/html|application\/xhtml\+xml)\b/i.test(type)) {
    throw toReadFailed(label, 'it is a web page, such as that of a login or a proxy');
  }
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (!ENCODINGS.has(encoding)) throw toReadFailed(label, 'it comes in an encoding that was not asked for');
  const length = headers['content-length'];
  if (Number(length ?? 0) > MAX_DOWNLOAD_BYTES) throw toReadFailed(label, 'it is larger than 1 GiB');
  const isChunked = /chunked/i.test(headers['transfer-encoding'] ?? '');
  if (length === undefined && !isChunked && !isProven) {
    throw toReadFailed(
      label,
      'the answer says neither its length nor a checksum, so that half of it would pass for all',
    );
  }
}
