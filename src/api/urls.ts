/** URLs in the configuration of providers: what one may be, and where it may be without encryption. */
import { type SchemaRule, toFields } from './rules.ts';

/** Absolute, without user, query or fragment: these would carry secrets into status and logs. */
export const URL_PATTERN = '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Is this a host that requests never leave the machine for? Takes what `URL.hostname` gives. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK.test(hostname.toLowerCase());
}

/** Plain http would show credentials and people to everybody on the way. */
export function encryptedRule(field: string, isThere: string | null): SchemaRule {
  const plain = "'^http://(localhost|127(\\\\.[0-9]{1,3}){3}|\\\\[::1\\\\])(:[0-9]+)?(/|$)'";
  const path = field.split('.');
  return {
    name: `${path.map((key, index) => (index === 0 ? key : key.charAt(0).toUpperCase() + key.slice(1))).join('')}Encrypted`,
    message: `${field} must begin with https; plain http to a host other than loopback needs allowHTTP: true`,
    cel: `${isThere === null ? '' : `!(${isThere}) || `}self.${field}.startsWith('https://') || (has(self.allowHTTP) && self.allowHTTP) || self.${field}.matches(${plain})`,
    holds: (value) => {
      const config = toFields(value);
      const url = path.reduce<unknown>((fields, key) => toFields(fields)?.[key], value);
      if (typeof url !== 'string' || config?.['allowHTTP'] === true || !URL.canParse(url)) return true;
      const { protocol, hostname } = new URL(url);
      return protocol !== 'http:' || isLoopbackHost(hostname);
    },
  };
}
