/** What keeps secrets and people out of messages and logs (rule I9). */

/** Scheme, host and port: all that a message may say of an address, for paths and queries carry ids, names and mails. */
export function toOrigin(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'the configured address';
}

const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  // What stands in a data URL, such as a photo.
  [/\bdata:[a-z0-9.+-]+\/[a-z0-9.+-]+(?:;[^\s,"'<>]*)?,[^\s"'<>]*/gi, 'data:[hidden]'],
  // User and password of a URL, then its query and fragment.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>@]*@/gi, '$1'],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s?#"'<>]*)[?#][^\s"'<>]*/gi, '$1'],
  [
    /\b(authorization|proxy-authorization|cookie|set-cookie|x-api-key)(["']?\s*[:=]\s*["']?)[^\r\n"']+/gi,
    '$1$2[hidden]',
  ],
  [/\b(bearer|basic|negotiate|digest)\s+[A-Za-z0-9+/=._~-]{6,}/gi, '$1 [hidden]'],
  [/\b([\w-]*(?:token|secret|password|passphrase|api_?key))(["']?\s*[:=]\s*["']?)[^\s"',;&}]+/gi, '$1$2[hidden]'],
  // A JSON Web Token: three parts of base64url, the first of them an object.
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g, '[hidden]'],
  [/[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu, '[mail]'],
];
/** Long runs of letters and digits. A UUID is broken up by its hyphens, which no token of ours has in such places. */
const LONG_WORD = /[A-Za-z0-9+/_=-]{32,}/g;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Text of the other side made fit for a message: without queries of URLs, credentials, what looks like a token, and mail
 * addresses; in one line of at most `limit` characters. UUIDs stay, for ids may be shown. Names of people cannot be
 * recognised, so that such text belongs to the error of one record, never to a condition.
 */
export function redact(text: string, limit = 300): string {
  let result = text.slice(0, limit * 4);
  for (const [pattern, replacement] of REPLACEMENTS) result = result.replace(pattern, replacement);
  result = result.replace(LONG_WORD, (word) => (isToken(word) ? '[hidden]' : word));
  result = result.replace(/\s+/g, ' ').trim();
  return result.length > limit ? `${result.slice(0, limit - 1)}…` : result;
}

function isToken(word: string): boolean {
  return !UUID.test(word) && /\d/.test(word) && /[A-Za-z]/.test(word);
}
