/** What an LDAP server or the way to it says no with → errors of the run. Messages name no entry, for entries are people. Pure. */
import { SyncError } from '../../errors.ts';

/** Result codes (RFC 4511 appendix A) that say what to do. */
const CODE = {
  operationsError: 1,
  timeLimitExceeded: 3,
  sizeLimitExceeded: 4,
  strongerAuthRequired: 8,
  referral: 10,
  adminLimitExceeded: 11,
  unavailableCriticalExtension: 12,
  confidentialityRequired: 13,
  noSuchObject: 32,
  invalidDnSyntax: 34,
  invalidCredentials: 49,
  insufficientAccessRights: 50,
  busy: 51,
  unavailable: 52,
} as const;

export interface Result {
  readonly code: number;
  readonly diagnostic: string;
}

export function toAborted(cause: unknown): SyncError {
  return new SyncError('Aborted', 'the run was ended before it was done', { cause });
}

function toCode(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code === '' ? '' : ` (${code})`;
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'TimeoutError';
}

export function toUnreachable(origin: string, cause: unknown): SyncError {
  const what = isTimeout(cause) ? 'does not answer in time' : `cannot be reached${toCode(cause)}`;
  return new SyncError('ReadFailed', `${origin} ${what}; check url`, { cause });
}

/** Codes of the system: it did not come to a certificate. */
const NO_CONNECTION = /^ \((?:E[A-Z]+|EAI_[A-Z]+)\)$/;

export function toTlsError(origin: string, cause: unknown): SyncError {
  const code = toCode(cause);
  if (isTimeout(cause) || NO_CONNECTION.test(code)) return toUnreachable(origin, cause);
  const what = `cannot be trusted${code}`;
  const advice = 'check the name in url, and that caRef has the authority of its certificate';
  return new SyncError('ReadFailed', `${origin} ${what}; ${advice}`, { cause });
}

/** Sub-codes of Active Directory, as it writes them in the text of result 49. */
const SUBCODES: Readonly<Record<string, string>> = {
  '525': 'it knows no such account',
  '52e': 'the password is wrong',
  '530': 'the account may not sign in now',
  '531': 'the account may not sign in from here',
  '532': 'the password has expired',
  '533': 'the account is disabled',
  '701': 'the account has expired',
  '773': 'the password must be changed first',
  '775': 'the account is locked',
};

/** No second try with the same password helps, and may lock the account; that a server is busy passes. */
export function toBindError({ code, diagnostic }: Result, origin: string, where: string): SyncError {
  if (code === CODE.busy || code === CODE.unavailable) return toBusy(code, origin);
  if (code === CODE.strongerAuthRequired || code === CODE.confidentialityRequired) {
    const message = `${origin} takes no password on a connection without encryption; take ldaps://, or set startTLS`;
    return new SyncError('CredentialsRejected', message);
  }
  const subcode = /\bdata ([0-9a-f]{3})\b/i.exec(diagnostic)?.[1]?.toLowerCase() ?? '';
  const why = SUBCODES[subcode] ?? `result ${code}`;
  return new SyncError('CredentialsRejected', `${origin} rejects the credentials (${why}); check ${where}`);
}

function toBusy(code: number, origin: string): SyncError {
  return new SyncError('ReadFailed', `${origin} is ${code === CODE.busy ? 'busy' : 'not available'} (result ${code})`);
}

export interface SearchContext {
  readonly origin: string;
  /** `the list of people` */
  readonly what: string;
  /** As the resource has it. */
  readonly baseDN: string;
}

/** What a search that did not succeed ends the read with. */
export function toSearchError({ code, diagnostic }: Result, { origin, what, baseDN }: SearchContext): SyncError {
  const incomplete = (why: string): SyncError =>
    new SyncError(
      'ReadIncomplete',
      `${origin} ends ${what} before its end: ${why}; who is missing is not taken for gone`,
    );
  switch (code) {
    case CODE.sizeLimitExceeded:
      return incomplete(
        'the account may read no more entries (result 4); raise its size limit, for paged searches too',
      );
    case CODE.timeLimitExceeded:
      return incomplete(
        'the search takes longer than the server allows (result 3); raise the time limit of the account',
      );
    case CODE.adminLimitExceeded:
      return incomplete('a limit of the server is exceeded (result 11); raise it, or make pageSize less');
    case CODE.referral:
      return incomplete('it refers to another server (result 10), and references are not followed');
    case CODE.unavailableCriticalExtension:
      return new SyncError('ReadFailed', `${origin} does not give lists in pages (result 12), which is needed`);
    case CODE.noSuchObject:
      return new SyncError(
        'ReadFailed',
        `${origin} has no entry ${baseDN} (result 32), or does not show it to this account; check baseDN`,
      );
    case CODE.invalidDnSyntax:
      return new SyncError('ReadFailed', `${origin} takes ${baseDN} for no distinguished name (result 34)`);
    case CODE.insufficientAccessRights:
      return new SyncError('CredentialsRejected', `${origin} does not let this account read ${what} (result 50)`);
    case CODE.operationsError:
      return /bind|authenticat/i.test(diagnostic)
        ? new SyncError('CredentialsRejected', `${origin} wants a name and password before it answers (result 1)`)
        : toUnforeseen(code, origin, what);
    case CODE.busy:
    case CODE.unavailable:
      return toBusy(code, origin);
    default:
      return toUnforeseen(code, origin, what);
  }
}

function toUnforeseen(code: number, origin: string, what: string): SyncError {
  return new SyncError('ReadFailed', `${origin} answers the request for ${what} with result ${code}`);
}

/** @param url of the other server, of which nothing but host and distinguished name is shown */
export function toReferenceError(dn: string, { origin, what }: Omit<SearchContext, 'baseDN'>): SyncError {
  return new SyncError(
    'ReadIncomplete',
    `${origin} refers to another server for ${dn}, a part of ${what} that was not read; make baseDN narrower, or ask the server that has it`,
  );
}

/** Is this the answer to a page that is larger than the server makes them? */
export function isPageTooLarge({ code }: Result): boolean {
  return code === CODE.adminLimitExceeded;
}

/** Has the account no right to what it asks for? */
export function isForbidden({ code }: Pick<Result, 'code'>): boolean {
  return code === CODE.insufficientAccessRights;
}

/** May the same request be answered another time? */
export function isTemporary({ code }: Pick<Result, 'code'>): boolean {
  const passing: readonly number[] = [
    ...[CODE.timeLimitExceeded, CODE.sizeLimitExceeded, CODE.adminLimitExceeded, CODE.busy, CODE.unavailable],
  ];
  return passing.includes(code);
}

/** Is there no such entry, as far as can be told? For entries that others name, which may be elsewhere or gone. */
export function isNobody({ code }: Result): boolean {
  return code === CODE.noSuchObject || code === CODE.invalidDnSyntax || code === CODE.referral;
}
