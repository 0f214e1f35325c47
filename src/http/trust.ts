/** Certificates: which authorities are trusted, and until when. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * The end of the validity of every certificate of a PEM text, in milliseconds since 1970. Null when one of them cannot be
 * read; empty when there is none. Keys and other blocks are passed over.
 */
export function readExpiries(pem: string): readonly number[] | null {
  try {
    return (pem.match(BLOCK) ?? []).map((block) => Date.parse(new X509Certificate(block).validTo));
  } catch {
    return null;
  }
}

/** The authorities of the system, and these beside them. Made once for a client: it costs milliseconds. */
export function toSecureContext(ca: string): SecureContext {
  return createSecureContext({ ca: [...getCACertificates('default'), ca] });
}
