/** CredentialsExpiring: what is said ahead of the end of tokens and certificates. */
import { describe, expect, it } from 'vitest';
import {
  type CredentialExpiry,
  createExpiryLog,
  mergeExpiries,
  toExpiringChange,
  toStored,
} from '../../src/reconcile/expiry.ts';

const NOW = new Date('2026-03-01T09:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function ends(inMs: number, kind: CredentialExpiry['kind'] = 'Token', host: string | null = null): CredentialExpiry {
  return { kind, host, expiresAt: NOW.getTime() + inMs };
}

describe('the condition CredentialsExpiring', () => {
  it.each([
    ['in a year', 365 * DAY, null],
    ['a minute before it is worth saying', 30 * DAY + 60_000, null],
    ['30 days ahead', 30 * DAY, 'expires within 30 days'],
    ['8 days ahead', 8 * DAY, 'expires within 30 days'],
    ['7 days ahead', 7 * DAY, 'expires within 7 days'],
    ['2 days ahead', 2 * DAY, 'expires within 7 days'],
    ['1 day ahead', DAY, 'expires within 1 day'],
    ['a minute ahead', 60_000, 'expires within 1 day'],
    ['at the end', 0, 'has expired'],
    ['afterwards', -400 * DAY, 'has expired'],
  ])('says what is true %s', (_when, inMs, words) => {
    const change = toExpiringChange([ends(inMs)], NOW);
    if (words === null) expect(change).toMatchObject({ status: 'False', reason: 'NothingExpiring' });
    else
      expect(change).toMatchObject({
        status: 'True',
        reason: 'TokenExpiring',
        message: `the token of the Secret ${words}; renew it`,
      });
  });

  it('has the reason of what ends first, and names all that end soon', () => {
    const host = 'app.example.com';
    const all = [ends(2 * DAY, 'ServerCertificate', host), ends(20 * DAY, 'Authority'), ends(90 * DAY)];
    expect(toExpiringChange(all, NOW)).toMatchObject({
      reason: 'ServerCertificateExpiring',
      message:
        'the certificate of app.example.com expires within 7 days; the certificate of caRef expires within 30 days; renew them',
    });
  });

  it('tells what the source is reached with from what the target is', () => {
    expect(toExpiringChange([ends(2 * DAY, 'SourceCredential'), ends(3 * DAY)], NOW)).toMatchObject({
      reason: 'SourceCredentialExpiring',
      message:
        'the certificate or token of the Secret of the source expires within 7 days; the token of the Secret expires within 7 days; renew them',
    });
  });

  it('of nothing that is known to end is False', () => {
    expect(toExpiringChange([], NOW)).toMatchObject({ status: 'False', reason: 'NothingExpiring' });
  });
});

describe('what is known to end', () => {
  it('is the first of several certificates that one host shows', () => {
    const log = createExpiryLog();
    for (const days of [9, 3, 5]) log.note(ends(days * DAY, 'ServerCertificate', 'a.example.com'));
    log.note(ends(1 * DAY, 'ServerCertificate', 'b.example.com'));
    expect(log.list()).toEqual([
      ends(3 * DAY, 'ServerCertificate', 'a.example.com'),
      ends(1 * DAY, 'ServerCertificate', 'b.example.com'),
    ]);
  });

  it('keeps the certificate of the target that a run did not come to see, and nothing else', () => {
    const before = {
      target: { provider: 'scim', host: 'app.example.com' },
      credentials: toStored([
        ends(5 * DAY, 'ServerCertificate', 'app.example.com'),
        ends(1 * DAY, 'ServerCertificate', 'login.example.com'),
        ends(2 * DAY, 'Token'),
      ]),
    };
    expect(mergeExpiries([ends(9 * DAY, 'Authority')], before)).toEqual([
      ends(5 * DAY, 'ServerCertificate', 'app.example.com'),
      ends(9 * DAY, 'Authority'),
    ]);
    const renewed = ends(90 * DAY, 'ServerCertificate', 'app.example.com');
    expect(mergeExpiries([renewed], before)).toEqual([renewed]);
    expect(mergeExpiries([ends(DAY)], undefined)).toEqual([ends(DAY)]);
  });
});
