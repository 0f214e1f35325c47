/** What a bearer token of a Secret says of itself, where it is a JSON Web Token (RFC 7519). */
import { readSecret } from './credentials.ts';

/** Empty for what is none. Nothing is verified: that is the business of whoever takes the token. */
export function readTokenClaims(secrets: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const parts = readSecret(secrets, 'token')?.split('.') ?? [];
  if (parts.length !== 3) return {};
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** When it ends (section 4.1.4), in milliseconds since 1970; null where it does not say so. A wrong answer costs a wrong warning. */
export function readTokenExpiry(secrets: Readonly<Record<string, string>>): number | null {
  const { exp } = readTokenClaims(secrets);
  // Beyond this no Date can be made of it.
  return typeof exp === 'number' && exp > 0 && exp < 8.64e12 ? exp * 1000 : null;
}
