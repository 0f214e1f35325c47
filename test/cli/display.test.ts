import { describe, expect, it } from 'vitest';
import { EXIT, toExitCode, toWorstExitCode } from '../../src/cli/exit-code.ts';
import { formatValue, shortenPath } from '../../src/cli/plan-values.ts';
import { createProgress } from '../../src/cli/progress.ts';
import { toCommands } from '../../src/cli/session.ts';
import { createStyle } from '../../src/cli/style.ts';
import { formatAge, formatTable } from '../../src/cli/table.ts';
import { formatCount, formatDuration } from '../../src/cli/wording.ts';
import type { RunReport } from '../../src/reconcile/run.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe('formatAge, as kubectl shortens it', () => {
  it.each([
    [0, '0s'],
    [119 * SECOND, '119s'],
    [3 * MINUTE + 20 * SECOND, '3m20s'],
    [3 * MINUTE, '3m'],
    [42 * MINUTE, '42m'],
    [5 * HOUR + 10 * MINUTE, '5h10m'],
    [30 * HOUR, '30h'],
    [3 * 24 * HOUR + 2 * HOUR, '3d2h'],
    [90 * 24 * HOUR, '90d'],
  ])('%i ms is %s', (ms, text) => expect(formatAge(ms)).toBe(text));
});

describe('words', () => {
  it('count', () => {
    expect(formatCount(1, 'person', 'people')).toBe('1 person');
    expect(formatCount(1204, 'person', 'people')).toBe('1,204 people');
  });

  it.each([
    [400, '0.4 s'],
    [12_000, '12 s'],
    [200_000, '3 min 20 s'],
    [3 * HOUR, '3 h 0 min'],
  ])('%i ms take %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('tables are aligned, without blanks at the end', () => {
    const text = formatTable([
      ['NAME', 'READY'],
      ['acme', 'True'],
      ['a-longer-one', ''],
    ]);
    expect(text).toBe('NAME           READY\nacme           True\na-longer-one\n');
  });

  it('shorten attributes and values', () => {
    expect(shortenPath('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department')).toBe(
      'enterprise:department',
    );
    expect(shortenPath('urn:ietf:params:scim:schemas:extension:acme:2.0:User:licenseTier')).toBe('acme:licenseTier');
    expect(shortenPath('emails[type eq "work"].value')).toBe('emails[type eq "work"].value');
    expect(formatValue('x'.repeat(100), false)).toHaveLength(60);
    expect(formatValue('x'.repeat(100), true)).toHaveLength(102);
  });
});

describe('commands that people are told to type', () => {
  const options = { filename: 'my folder', state: '.dirsync/state.db', logLevel: 'warn' } as const;

  it('name what was given, quoted for a shell', () => {
    expect(toCommands(options).review).toBe("dirsync plan -f 'my folder'");
    const commands = toCommands({ ...options, filename: 'people', secrets: 'keys', state: 'other.db' });
    expect(commands.approve('0123456789abcdef')).toBe(
      'dirsync approve 0123456789abcdef -f people --secrets keys --state other.db',
    );
  });
});

describe('exit codes', () => {
  const exitOf = (reason: RunReport['reason'], stopped = false, failed = 0) =>
    toExitCode({ reason, stopped, people: { inScope: 8, protected: 0, unmanaged: 0, conflicts: 0, failed } });

  it('follow the reason, and a stopped run failed', () => {
    expect(exitOf('Synced')).toBe(0);
    expect(exitOf('SyncedWithHeld')).toBe(3);
    expect(exitOf('ReadSuspect')).toBe(3);
    expect(exitOf('SyncedWithErrors')).toBe(4);
    expect(exitOf('CredentialsRejected')).toBe(1);
    expect(exitOf('ApplyFailed', true)).toBe(1);
    expect(exitOf('Planned')).toBe(0);
    expect(exitOf('Planned', false, 3)).toBe(4);
  });

  it('of several the worst one', () => {
    expect(toWorstExitCode([EXIT.held, EXIT.recordsFailed, EXIT.done])).toBe(4);
    expect(toWorstExitCode([EXIT.held, EXIT.failed, EXIT.recordsFailed])).toBe(1);
    expect(toWorstExitCode([])).toBe(0);
  });
});

describe('colours', () => {
  const isTTY = { stdin: true, stdout: true, stderr: true };
  it.each([
    { because: 'a terminal', io: { isTTY, env: {} }, red: '\u001b[31mx\u001b[39m' },
    { because: 'NO_COLOR', io: { isTTY, env: { NO_COLOR: '1' } }, red: 'x' },
    { because: 'an empty NO_COLOR is none', io: { isTTY, env: { NO_COLOR: '' } }, red: '\u001b[31mx\u001b[39m' },
    { because: 'a terminal that knows none', io: { isTTY, env: { TERM: 'dumb' } }, red: 'x' },
    { because: 'a pipe', io: { isTTY: { ...isTTY, stdout: false }, env: {} }, red: 'x' },
  ])('$because', ({ io, red }) => expect(createStyle(io).red('x')).toBe(red));
});

describe('progress', () => {
  function watch(tty: boolean) {
    let now = 0;
    let text = '';
    const progress = createProgress(
      {
        stderr: (more) => {
          text += more;
        },
        isTTY: { stdin: tty, stdout: tty, stderr: tty },
        columns: () => 100,
        now: () => new Date(now),
      },
      'acme',
    );
    const at = (ms: number, done: number, total: number | null = 1000, pausedUntil?: number): string => {
      now = ms;
      text = '';
      const pause = pausedUntil === undefined ? {} : { pausedUntil: new Date(pausedUntil) };
      progress.show({ step: 'apply', done, total, ...pause });
      return text;
    };
    return { at, progress, readText: () => text };
  }

  it('says at once, and once, that the other side throttles and how long', () => {
    const { at } = watch(false);
    expect(at(1000, 100, 1000, 61_000)).toBe('acme: applying 100 of 1,000; throttled, goes on in 60 s\n');
    expect(at(2000, 101, 1000, 61_000)).toBe('');
    expect(at(3000, 102, 1000, 61_500)).toBe('acme: applying 102 of 1,000; throttled, goes on in 59 s\n');
    // A moment only.
    expect(at(62_000, 103, 1000, 62_500)).toMatch(/throttled, goes on in 0.5 s\n$/);
    expect(at(63_000, 104, 1000, 63_500)).toBe('');
  });

  it('is a bar with rate and time left on a terminal, drawn at most ten times a second', () => {
    const { at, progress, readText } = watch(true);
    expect(at(1000, 0)).toBe(`\r\u001b[2Kacme: applying 0 of 1,000 [${' '.repeat(24)}] 0 %`);
    expect(at(1050, 20)).toBe('');
    expect(at(11_000, 250)).toBe(
      `\r\u001b[2Kacme: applying 250 of 1,000, 25/s, 30 s left [${'='.repeat(6)}${' '.repeat(18)}] 25 %`,
    );
    progress.clear();
    expect(readText().endsWith('\r\u001b[2K')).toBe(true);
  });

  it('is a line every five seconds elsewhere, and none for what is soon over', () => {
    const { at, progress, readText } = watch(false);
    expect(at(1000, 10)).toBe('');
    expect(at(5000, 100)).toBe('acme: applying 100 of 1,000, 25/s, 36 s left\n');
    expect(at(9999, 200)).toBe('');
    expect(at(10_000, 300, null)).toBe('acme: applying 300, 33/s\n');
    progress.clear();
    expect(readText()).toBe('acme: applying 300, 33/s\n');
  });
});
