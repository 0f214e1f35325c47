import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CONDITION_TYPES, REASONS_BY_TYPE, SITUATIONS, type Situation } from '../../src/api/conditions.ts';
import { STEPS } from '../../src/api/directory-sync-status.ts';
import { EVENT_REASONS, READY_REASONS, type ReadyReason, toReadyReason } from '../../src/api/reasons.ts';
import type { ErrorCode } from '../../src/errors.ts';

const page = await readFile(new URL('../../docs/conditions.md', import.meta.url), 'utf8');

/** First cells of the table under a heading, without their backticks. */
function listRows(heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', ''))
        .slice(1, -1),
    );
}

function listNames(heading: string): string[] {
  return listRows(heading).map(([name]) => name ?? '');
}

describe('docs/conditions.md and the constants list the same', () => {
  it('kinds of condition', () => {
    expect(listNames('Kinds of condition').sort()).toEqual(Object.keys(CONDITION_TYPES).sort());
  });

  it.each(Object.entries(REASONS_BY_TYPE).filter(([type]) => type !== 'Stalled'))('reasons of %s', (type, reasons) => {
    expect(listNames(`Reasons of ${type}`).sort()).toEqual(Object.keys(reasons).sort());
  });

  it('reasons of events', () => {
    expect(listNames('Events').sort()).toEqual(Object.keys(EVENT_REASONS).sort());
  });

  it('what stands beside each reason of Ready, and the exit code', () => {
    const write = ({ ready, progress, others, exit }: Situation) => [
      ready === 'AsBefore' ? 'as before' : ready,
      [
        ...Object.entries(others ?? {})
          .map(([type, status]) => `${type}=${status}`)
          .sort(),
        progress ?? '',
      ]
        .filter((word) => word !== '')
        .join(', '),
      String(exit),
    ];
    for (const [reason = '', ready = '', beside = '', , exit = ''] of listRows('Reasons of Ready')) {
      expect([ready, beside, exit], reason).toEqual(write(SITUATIONS[reason as ReadyReason]));
    }
  });
});

describe('reasons', () => {
  it('are spelled like their keys', () => {
    for (const reasons of [...Object.values(REASONS_BY_TYPE), EVENT_REASONS, CONDITION_TYPES]) {
      for (const [key, value] of Object.entries(reasons)) expect(value).toBe(key);
    }
  });

  it('follow from the code of an error, else from the step', () => {
    expect(toReadyReason('CredentialsRejected', 'read')).toBe('CredentialsRejected');
    expect(toReadyReason('StateLocked', 'load')).toBe('StateUnavailable');
    const stems = STEPS.map((step) => toReadyReason('Unknown', step));
    expect(stems).toEqual(STEPS.map((step) => `${step[0]?.toUpperCase()}${step.slice(1)}Failed`));
  });

  it('of every ending code say that the run failed', () => {
    const codes: ErrorCode[] = ['Invalid', 'ReadFailed', 'TargetUnavailable', 'IdInUse', 'Conflict', 'Aborted'];
    for (const code of codes) expect(SITUATIONS[toReadyReason(code, 'apply')].ready).toBe('False');
    expect(Object.keys(SITUATIONS).sort()).toEqual(Object.keys(READY_REASONS).sort());
  });
});
