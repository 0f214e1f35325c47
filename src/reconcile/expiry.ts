/** When credentials and certificates end, and what is said of it ahead. Pure but for the log that a run keeps. */
import type { DirectorySyncStatus } from '../api/directory-sync-status.ts';
import type { ConditionChange } from '../api/kstatus.ts';
import { toInstant } from '../api/kstatus.ts';
import type { CredentialsExpiringReason } from '../api/reasons.ts';

/**
 * `Token`: what the Secret of the target holds and that says itself when it ends. `SourceCredential`: the same of the Secret of
 * the source, a token or a certificate. `Authority`: the last certificate of `caRef` to end. `ServerCertificate`: what a host
 * showed when it was connected to.
 */
export type ExpiryKind = 'Token' | 'SourceCredential' | 'Authority' | 'ServerCertificate';

export interface CredentialExpiry {
  readonly kind: ExpiryKind;
  /** Of a ServerCertificate; else null. */
  readonly host: string | null;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface ExpiryLog {
  note(expiry: CredentialExpiry): void;
  list(): readonly CredentialExpiry[];
}

/** Of several certificates of one host, which a balancer may have, the first to end counts. */
export function createExpiryLog(): ExpiryLog {
  const earliest = new Map<string, CredentialExpiry>();
  return {
    note(expiry) {
      const key = toKey(expiry);
      const known = earliest.get(key);
      if (known === undefined || expiry.expiresAt < known.expiresAt) earliest.set(key, expiry);
    },
    list: () => [...earliest.values()],
  };
}

function toKey({ kind, host }: Pick<CredentialExpiry, 'kind' | 'host'>): string {
  return `${kind} ${host ?? ''}`;
}

type StoredExpiries = NonNullable<DirectorySyncStatus['credentials']>;

/**
 * What is known after a run, the first to end first: what the run found, and the target's certificate as it was last seen
 * where no connection came about, for one that has expired ends it before the certificate can be read.
 */
export function mergeExpiries(
  known: readonly CredentialExpiry[],
  before: DirectorySyncStatus | undefined,
): readonly CredentialExpiry[] {
  const keys = new Set(known.map(toKey));
  const host = before?.target?.host;
  const kept = fromStored(before?.credentials).filter(
    (each) => each.kind === 'ServerCertificate' && each.host === host,
  );
  return [...known, ...kept.filter((each) => !keys.has(toKey(each)))].toSorted((a, b) => a.expiresAt - b.expiresAt);
}

export function fromStored(stored: StoredExpiries | undefined = []): readonly CredentialExpiry[] {
  return stored.map(({ kind, host, expiresAt }) => ({ kind, host: host ?? null, expiresAt: Date.parse(expiresAt) }));
}

const MAX_STORED = 8;

export function toStored(expiries: readonly CredentialExpiry[]): StoredExpiries {
  return expiries.slice(0, MAX_STORED).map(({ kind, host, expiresAt }) => ({
    kind,
    ...(host === null ? {} : { host: host.slice(0, 253) }),
    expiresAt: toInstant(new Date(expiresAt)),
  }));
}

const DAY_MS = 86_400_000;
/** Days ahead at which it is said, once each. */
const AHEAD = [1, 7, 30] as const;

const REASONS: Readonly<Record<ExpiryKind, CredentialsExpiringReason>> = {
  Token: 'TokenExpiring',
  SourceCredential: 'SourceCredentialExpiring',
  Authority: 'AuthorityExpiring',
  ServerCertificate: 'ServerCertificateExpiring',
};

/**
 * The condition. Its reason is that of the first to end, its message names all that end within 30 days; the text changes
 * at 30, 7 and 1 day ahead and at the end, and stays the same in between.
 */
export function toExpiringChange(
  expiries: readonly CredentialExpiry[],
  now: Date,
): Omit<ConditionChange, 'observedGeneration'> {
  const ending = expiries.flatMap((expiry) => {
    const when = describeEnd(expiry.expiresAt - now.getTime());
    return when === null ? [] : [{ expiry, text: `${describe(expiry)} ${when}` }];
  });
  const [first] = ending;
  if (first === undefined) {
    const message = 'nothing that is known to expire does so within 30 days';
    return { type: 'CredentialsExpiring', status: 'False', reason: 'NothingExpiring', message };
  }
  const message = `${ending.map(({ text }) => text).join('; ')}; renew ${ending.length === 1 ? 'it' : 'them'}`;
  return { type: 'CredentialsExpiring', status: 'True', reason: REASONS[first.expiry.kind], message };
}

/** Null: not soon. */
function describeEnd(leftMs: number): string | null {
  if (leftMs <= 0) return 'has expired';
  const days = AHEAD.find((each) => leftMs <= each * DAY_MS);
  return days === undefined ? null : `expires within ${days === 1 ? '1 day' : `${days} days`}`;
}

function describe({ kind, host }: CredentialExpiry): string {
  switch (kind) {
    case 'Token':
      return 'the token of the Secret';
    case 'SourceCredential':
      return 'the certificate or token of the Secret of the source';
    case 'Authority':
      return 'the certificate of caRef';
    case 'ServerCertificate':
      return `the certificate of ${host}`;
  }
}
