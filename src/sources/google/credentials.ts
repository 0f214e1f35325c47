/** Tokens of a service account that acts on behalf of an administrator, one for each scope: so the one that is missing is named. */
import { SyncError } from '../../errors.ts';
import type { HttpResponse } from '../../http/client.ts';
import { postForm } from '../../http/client-credentials.ts';
import { readSecret } from '../../http/credentials.ts';
import { createTokenSource, readTokenError, readTokenField, type TokenSource } from '../../http/token-source.ts';
import type { SourceContext } from '../source.ts';
import { type GoogleConfig, toTokenUrl } from './config.ts';
import { type Area, SCOPES } from './scopes.ts';
import { createAssertion, parseServiceAccount, type ServiceAccount } from './service-account.ts';

export interface GoogleCredentials {
  tokens(area: Area): TokenSource;
  /** Asks for a token, whatever there is already. */
  request(area: Area, signal: AbortSignal): Promise<HttpResponse>;
}

const SECRET_KEY = 'serviceAccount.json';

/** @throws SyncError `ReferenceNotFound` where the Secret lacks the key; `Invalid` for what is no key of a service account */
export function toCredentials(config: GoogleConfig, context: SourceContext): GoogleCredentials {
  const { where, http, now } = context;
  const account = readServiceAccount(context);
  const tokenUrl = toTokenUrl(config);
  const request = (area: Area, signal: AbortSignal): Promise<HttpResponse> => {
    const claims = { subject: config.adminEmail, scope: SCOPES[area], now: now().getTime() };
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: createAssertion(account, claims),
    });
    return postForm(http, { url: tokenUrl, form, signal });
  };
  const toTokens = (area: Area): TokenSource =>
    createTokenSource({
      tokenUrl,
      request: (signal) => request(area, signal),
      credential: 'the service account',
      urlField: 'source.google.tokenUrl',
      where,
      unavailable: 'ReadFailed',
      now: () => now().getTime(),
      advise: (answer) => advise(answer, area, account),
    });
  const tokens = { users: toTokens('users'), groups: toTokens('groups'), members: toTokens('members') };
  return { tokens: (area) => tokens[area], request };
}

function readServiceAccount({ secrets, where }: SourceContext): ServiceAccount {
  const text = readSecret(secrets, SECRET_KEY);
  if (text !== undefined) return parseServiceAccount(text, where);
  const keys = Object.keys(secrets).toSorted().slice(0, 10).join(', ');
  const message = `${where} must have the key "${SECRET_KEY}"; it has ${keys === '' ? 'no keys' : keys}`;
  throw new SyncError('ReferenceNotFound', message);
}

/** Google tells the cases of `invalid_grant` apart by their text alone. */
const GRANTS: readonly (readonly [RegExp, string])[] = [
  [/email or user id/i, 'adminEmail is nobody of the directory in which delegation was given'],
  [/short-lived|timeframe/i, 'the assertion is not valid now; compare the clock of this machine'],
  [/account not found/i, 'there is no such service account any more'],
  [/signature|key/i, 'the key is none of the service account’s any more; make a new one'],
];
const ANY_GRANT = 'check adminEmail, the clock of this machine, and that the key was not deleted';

function advise(answer: HttpResponse, area: Area, { clientId }: ServiceAccount): string | null {
  const code = readTokenError(answer);
  if (['unauthorized_client', 'access_denied', 'invalid_scope'].includes(code)) {
    const client = clientId === null ? 'its client ID' : `its client ID ${clientId}`;
    return `in the Admin console, under Security > Access and data control > API controls > Domain-wide delegation, give ${client} the scope ${SCOPES[area]}; it may take a while to hold`;
  }
  if (code !== 'invalid_grant') return null;
  const text = String(readTokenField(answer, 'error_description') ?? '');
  return GRANTS.find(([pattern]) => pattern.test(text))?.[1] ?? ANY_GRANT;
}
