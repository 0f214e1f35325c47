/** The key of a service account, and the assertions that are signed with it (RFC 7523 section 2.1). */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { SyncError } from '../../errors.ts';
import { isObject } from '../attribute-names.ts';

export interface ServiceAccount {
  /** Of the service account itself, which is no person. */
  readonly email: string;
  /** The number that delegation is given to; null: the file does not have it. */
  readonly clientId: string | null;
  /** Null: the file does not name its key. */
  readonly keyId: string | null;
  readonly key: KeyObject;
}

/**
 * The file of a key as the Google Cloud console gives it, in JSON.
 * @throws SyncError `Invalid` that says what is wrong with it and shows nothing of it
 */
export function parseServiceAccount(text: string, where: string): ServiceAccount {
  // No cause: what JSON.parse and OpenSSL say may quote the key.
  const refuse = (why: string): never => {
    throw new SyncError('Invalid', `the key "serviceAccount.json" of ${where} ${why}`);
  };
  const file = tryTo(() => JSON.parse(text) as unknown);
  if (!isObject(file)) return refuse(`is no JSON object; ${ADVICE}`);
  const { type, client_email: email, client_id: clientId, private_key_id: keyId, private_key: pem } = file;
  if (type !== 'service_account')
    return refuse(`is no key of a service account: its "type" is ${toShown(type)}; ${ADVICE}`);
  if (typeof email !== 'string' || email === '') return refuse(`has no "client_email"; ${ADVICE}`);
  if (typeof pem !== 'string' || pem === '') return refuse(`has no "private_key"; ${ADVICE}`);
  const key = tryTo(() => createPrivateKey(pem));
  if (key === null) return refuse(`has a "private_key" that is no private key in PEM; ${ADVICE}`);
  if (key.asymmetricKeyType !== 'rsa') return refuse(`has a "private_key" that is no RSA key; ${ADVICE}`);
  return { email, clientId: toText(clientId), keyId: toText(keyId), key };
}

const ADVICE = 'put in the whole file that the Google Cloud console gives for a new key of the type JSON';

/** The types that there are are words; what else stands there is not shown. */
function toShown(type: unknown): string {
  return typeof type === 'string' && /^[a-z_]{1,40}$/.test(type) ? type : 'missing or something else';
}

function toText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Null: it cannot be done. */
function tryTo<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    return null;
  }
}

/** Whoever it is sent to: a proxy hands it on to Google, which takes no other. */
const AUDIENCE = 'https://oauth2.googleapis.com/token';
/** The most that Google takes. */
const LIFE_S = 3600;

export interface AssertionClaims {
  /** Mail address of the administrator on whose behalf it is. */
  readonly subject: string;
  readonly scope: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A JWT in the compact form, signed with RS256 (RFC 7518 section 3.3). */
export function createAssertion(account: ServiceAccount, { subject, scope, now }: AssertionClaims): string {
  const { email, keyId, key } = account;
  const issued = Math.floor(now / 1000);
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId === null ? {} : { kid: keyId }) };
  const claims = { iss: email, sub: subject, scope, aud: AUDIENCE, iat: issued, exp: issued + LIFE_S };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
