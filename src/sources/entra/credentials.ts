/** What an application proves itself with: a secret, a certificate, or a token of the platform that it runs on. */
import { randomUUID } from 'node:crypto';
import { SyncError } from '../../errors.ts';
import type { HttpResponse } from '../../http/client.ts';
import { postForm } from '../../http/client-credentials.ts';
import { readSecret } from '../../http/credentials.ts';
import { createTokenSource, readTokenField, type TokenSource } from '../../http/token-source.ts';
import { readExpiries } from '../../http/trust.ts';
import type { SourceContext } from '../source.ts';
import { createAssertion, parseClientCertificate } from './assertion.ts';
import { type EntraConfig, toGraphUrl, toTokenUrl } from './config.ts';

export interface EntraCredential {
  /** The application (client) id. */
  readonly clientId: string;
  /** `the client secret`, for messages. */
  readonly name: string;
  readonly tokens: TokenSource;
  /** Asks for a token, whatever there is already. */
  request(signal: AbortSignal): Promise<HttpResponse>;
}

/** What is sent beside the id: fields of the form. */
type Proof = (tokenUrl: string) => Readonly<Record<string, string>>;

interface Prepared {
  readonly clientId: string;
  readonly name: string;
  readonly tokenUrl: string;
  readonly proof: Proof;
}

/**
 * `clientId` with `clientSecret`, or with `tls.crt` and `tls.key`; `clientId` alone, or no Secret at all, is workload
 * identity federation. The token of the platform is read anew for each request, as it is replaced every hour.
 * @throws SyncError `ReferenceNotFound` for keys that are missing; `Invalid` for values that cannot be used
 */
export function toCredential(config: EntraConfig, context: SourceContext): EntraCredential {
  const { secrets, where, http, now } = context;
  const own = toOwnProof(secrets, where, () => now().getTime());
  const prepare = async (): Promise<Prepared> => {
    if (own === null) return toFederated(config, context);
    return { ...own, tokenUrl: toTokenUrl(config, null) };
  };
  const request = async (signal: AbortSignal): Promise<HttpResponse> => {
    const { clientId, tokenUrl, proof } = await prepare();
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId });
    form.set('scope', `${toGraphUrl(config)}/.default`);
    for (const [name, value] of Object.entries(proof(tokenUrl))) form.set(name, value);
    return postForm(http, { url: tokenUrl, form, signal });
  };
  const name = own?.name ?? FEDERATED;
  const tokens = createTokenSource({
    tokenUrl: toTokenUrl(config, null),
    request,
    credential: name,
    where: where === '' ? 'the workload identity' : where,
    unavailable: 'ReadFailed',
    now: () => now().getTime(),
    advise: (answer) => advise(answer, config),
  });
  return { clientId: own?.clientId ?? readSecret(secrets, 'clientId') ?? '', name, tokens, request };
}

/** When the certificate ends that the application proves itself with; null where it is none. A client secret does not say it. */
export function readCertificateExpiry(secrets: Readonly<Record<string, string>>): number | null {
  const cert = readSecret(secrets, 'tls.crt');
  if (cert === undefined || readSecret(secrets, 'clientSecret') !== undefined) return null;
  // Of a chain the first one signs.
  return readExpiries(cert)?.[0] ?? null;
}

const FEDERATED = 'the token of the workload identity';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Null: the Secret has none. */
function toOwnProof(
  secrets: Readonly<Record<string, string>>,
  where: string,
  now: () => number,
): Omit<Prepared, 'tokenUrl'> | null {
  const [clientId, secret] = [readSecret(secrets, 'clientId'), readSecret(secrets, 'clientSecret')];
  const [cert, key] = [readSecret(secrets, 'tls.crt'), readSecret(secrets, 'tls.key')];
  if (clientId === undefined) {
    if (Object.keys(secrets).length === 0 && where === '') return null;
    throw toMissingKeys(secrets, where);
  }
  if (secret !== undefined) return { clientId, name: 'the client secret', proof: () => ({ client_secret: secret }) };
  if (cert !== undefined && key !== undefined) {
    const certificate = parseClientCertificate(cert, key, where);
    const proof: Proof = (tokenUrl) =>
      toAssertionForm(createAssertion(certificate, { clientId, tokenUrl, id: randomUUID(), now: now() }));
    return { clientId, name: 'the client certificate', proof };
  }
  if (cert !== undefined || key !== undefined) throw toMissingKeys(secrets, where);
  return null;
}

function toAssertionForm(assertion: string): Readonly<Record<string, string>> {
  return { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
}

function toMissingKeys(secrets: Readonly<Record<string, string>>, where: string): SyncError {
  const keys = Object.keys(secrets).toSorted().slice(0, 10).join(', ');
  return new SyncError(
    'ReferenceNotFound',
    `${where} must have the key "clientId" with "clientSecret", or with "tls.crt" and "tls.key", or alone for workload identity; it has ${keys === '' ? 'no keys' : keys}`,
  );
}

async function toFederated(config: EntraConfig, context: SourceContext): Promise<Prepared> {
  const platform = (await context.readPlatformToken?.()) ?? null;
  if (platform === null) throw new SyncError('ReferenceNotFound', toNoPlatform(context));
  const clientId = readSecret(context.secrets, 'clientId') ?? platform.clientId;
  if (clientId === null) {
    const message = 'the workload identity names no application (AZURE_CLIENT_ID); name it in a Secret with "clientId"';
    throw new SyncError('ReferenceNotFound', message);
  }
  requireTrusted(config, platform.authorityUrl);
  const proof = (): Readonly<Record<string, string>> => toAssertionForm(platform.token);
  return { clientId, name: FEDERATED, tokenUrl: toTokenUrl(config, platform.authorityUrl), proof };
}

const MICROSOFT = [
  'https://login.microsoftonline.com',
  'https://login.microsoftonline.us',
  'https://login.partner.microsoftonline.cn',
];

/** The token of the platform opens whatever the platform's application may: who writes a resource must not have it sent elsewhere. */
function requireTrusted({ authorityUrl }: EntraConfig, offered: string | null): void {
  const plain = (url: string): string => url.replace(/\/+$/, '').toLowerCase();
  if (authorityUrl === undefined) return;
  if ([...MICROSOFT, ...(offered === null ? [] : [plain(offered)])].includes(plain(authorityUrl))) return;
  const message =
    'with workload identity source.entra.authorityUrl must be an authority of Microsoft, or the one that the platform names; leave it out';
  throw new SyncError('Invalid', message);
}

function toNoPlatform({ where }: SourceContext): string {
  const none = 'there is no workload identity here (AZURE_FEDERATED_TOKEN_FILE)';
  return where === ''
    ? `source.entra has no credentialsRef, and ${none}: name a Secret, or label the pod azure.workload.identity/use: "true"`
    : `${where} has "clientId" alone, and ${none}: add "clientSecret", or "tls.crt" and "tls.key"`;
}

/** By the numbers of Entra's own errors (AADSTS…), which are stable; texts are not. */
const ADVICE: Readonly<Record<number, string>> = {
  7000215: 'the secret is wrong; "clientSecret" must be the value of the secret, not its id',
  7000222: 'the secret has expired; make a new one in the app registration',
  700016:
    'the tenant does not know the application; check "clientId" and tenantId, and that an administrator has consented',
  7000229: 'the application has no service principal in the tenant; an administrator must consent to it',
  90002: 'there is no such tenant; check tenantId, and authorityUrl where it is in a sovereign cloud',
  900023: 'there is no such tenant; check tenantId',
  700027: 'the certificate is not among those of the app registration, or has expired; upload the one of "tls.crt"',
  700024: 'the assertion is not valid now; compare the clock of this machine',
  70021: 'no federated credential of the application matches; compare its issuer, subject and audience with the token',
  700211: 'no federated credential of the application has the issuer of the token',
  700212: 'no federated credential of the application has the audience of the token',
  700213: 'no federated credential of the application has the subject of the token',
  7000112: 'the application is disabled in the tenant',
  53003: 'a policy of Conditional Access blocks the application',
  500011: 'the tenant does not know Graph at graphUrl; check graphUrl and authorityUrl',
  50034: 'the application is not in the tenant; check "clientId" and tenantId',
};

function advise(answer: HttpResponse, { tenantId }: EntraConfig): string | null {
  const numbers = readTokenField(answer, 'error_codes');
  const number = Array.isArray(numbers) ? numbers.find((each) => typeof each === 'number') : undefined;
  if (number === undefined) return null;
  const advice = ADVICE[number] ?? `look up the number`;
  return `AADSTS${number} of tenant ${tenantId}: ${advice}`;
}
