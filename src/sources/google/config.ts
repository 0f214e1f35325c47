/** The config block `spec.source.google`. */
import type { GoogleSource } from '../../api/google-source.ts';

export type GoogleConfig = GoogleSource;

const DEFAULT_API_URL = 'https://admin.googleapis.com';
const DEFAULT_TOKEN_URL = 'https://oauth2.googleapis.com/token';

/** The account of whoever asks. */
const OWN_CUSTOMER = 'my_customer';

/** Problems that can be seen offline, one sentence each. */
export function validateConfig({ apiUrl, tokenUrl }: GoogleConfig): readonly string[] {
  return Object.entries({ apiUrl, tokenUrl }).flatMap(([field, url]) =>
    url === undefined || URL.canParse(url)
      ? []
      : [`source.google.${field} is no URL; leave it out, or write one such as https://admin.googleapis.com`],
  );
}

/** The root of the Directory API, without a slash at its end. */
export function toBaseUrl({ apiUrl = DEFAULT_API_URL }: GoogleConfig): string {
  return `${apiUrl.replace(/\/+$/, '')}/admin/directory/v1`;
}

export function toTokenUrl({ tokenUrl = DEFAULT_TOKEN_URL }: GoogleConfig): string {
  return tokenUrl;
}

/** What a list is narrowed by: one domain, or the whole account. */
export function toRange({ customer = OWN_CUSTOMER, domain }: GoogleConfig): Readonly<Record<string, string>> {
  return domain === undefined ? { customer } : { domain };
}

/** The account's id where it was named; null: it is that of the administrator. */
export function toNamedCustomer({ customer = OWN_CUSTOMER }: GoogleConfig): string | null {
  return customer === OWN_CUSTOMER ? null : customer;
}
