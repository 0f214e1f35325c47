/** The signed assertion by which an application proves that it has the key of a certificate (RFC 7523 section 2.2). */
import { constants, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { SyncError } from '../../errors.ts';

export interface ClientCertificate {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/**
 * @param cert PEM; of a chain the first one counts
 * @param key PEM, not encrypted
 * @throws SyncError `Invalid` for what is no certificate, no RSA key, or not the key of the certificate
 */
export function parseClientCertificate(cert: string, key: string, where: string): ClientCertificate {
  const certificate = attempt(
    () => new X509Certificate(cert),
    `the key "tls.crt" of ${where} is no certificate in PEM`,
  );
  const privateKey = attempt(
    () => createPrivateKey(key),
    `the key "tls.key" of ${where} is no private key in PEM without a password`,
  );
  if (privateKey.asymmetricKeyType !== 'rsa')
    throw new SyncError('Invalid', `the key "tls.key" of ${where} is no RSA key, and Entra takes no other`);
  if (!certificate.checkPrivateKey(privateKey))
    throw new SyncError('Invalid', `"tls.key" of ${where} is not the key of the certificate in "tls.crt"`);
  return { certificate, key: privateKey };
}

function attempt<T>(parse: () => T, message: string): T {
  try {
    return parse();
  } catch (cause) {
    throw new SyncError('Invalid', message, { cause });
  }
}

/** How long an assertion is good for; Microsoft asks for five to ten minutes at most. */
const LIFE_S = 300;
/** The other clock may be behind. */
const EARLIER_S = 60;

export interface AssertionClaims {
  readonly clientId: string;
  /** The token endpoint that it is for. */
  readonly tokenUrl: string;
  /** Another one each time. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A JWT in the compact form, signed with PS256 and naming the certificate by its SHA-256 thumbprint, as Microsoft wants it. */
export function createAssertion(
  { certificate, key }: ClientCertificate,
  { clientId, tokenUrl, id, now }: AssertionClaims,
): string {
  const seconds = Math.floor(now / 1000);
  const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint };
  const claims = {
    ...{ aud: tokenUrl, iss: clientId, sub: clientId, jti: id },
    ...{ iat: seconds, nbf: seconds - EARLIER_S, exp: seconds + LIFE_S },
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(text), {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
  return `${text}.${signature.toString('base64url')}`;
}
