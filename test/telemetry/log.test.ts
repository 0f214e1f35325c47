import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { createLogger, type LogLevel } from '../../src/telemetry/log.ts';

function aLog(level: LogLevel = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the log', () => {
  it('writes one JSON line with level, time, message and the fields of its run', () => {
    const { logger, parsed } = aLog();
    logger.child({ directorySync: 'identity/acme', run: 'r1' }).info({ step: 'read', count: 3 }, 'read');
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        directorySync: 'identity/acme',
        run: 'r1',
        step: 'read',
        count: 3,
        msg: 'read',
      },
    ]);
  });

  it('keeps to its level', () => {
    const { logger, lines } = aLog('warn');
    logger.info('not shown');
    expect(lines).toEqual([]);
  });

  it('I9: shows code and message of a SyncError, and of its causes nothing but what they are', () => {
    const { logger, lines, parsed } = aLog();
    const inner = Object.assign(new TypeError('{"password":"hunter2"}\n    at ada@corp.example'), { code: 'EBODY' });
    const middle = new Error('Bearer abcdef', { cause: inner });
    const err = new SyncError('TargetUnavailable', 'https://app.example.com does not answer', { cause: middle });
    logger.error({ err }, 'run failed');
    expect(parsed()[0]?.['err']).toMatchObject({
      code: 'TargetUnavailable',
      message: 'https://app.example.com does not answer',
      causes: [
        { name: 'Error', code: null },
        { name: 'TypeError', code: 'EBODY' },
      ],
    });
    expect(lines[0]).toContain('log.test.ts');
    for (const secret of ['hunter2', 'abcdef', 'ada@']) expect(lines[0]).not.toContain(secret);
  });

  it('I9: shows no text of an error that is none of ours', () => {
    const { logger, lines } = aLog();
    logger.error({ err: new Error('row of ada@corp.example') }, 'failed');
    expect(lines[0]).not.toContain('ada@');
    expect(lines[0]).toContain('Unknown');
  });

  it('survives causes in a circle', () => {
    const { logger, parsed } = aLog();
    const error = new Error('a');
    error.cause = error;
    logger.error({ err: error }, 'failed');
    expect(parsed()[0]?.['err']).toMatchObject({ code: 'Unknown' });
  });

  it('I9: hides secrets and values of people wherever they stand', () => {
    const { logger, lines } = aLog();
    logger.info(
      {
        token: 'SECRET1',
        request: { headers: { authorization: 'SECRET2' }, body: 'SECRET3' },
        change: { update: { before: 'SECRET4', after: 'SECRET5' } },
        record: { id: 'u1', attributes: { mail: 'SECRET6' } },
      },
      'x',
    );
    expect(lines[0]).not.toContain('SECRET');
    expect(lines[0]).toContain('u1');
  });
});
