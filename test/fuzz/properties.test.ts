import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROPERTIES } from './properties.ts';

/** A short run of what `npm run fuzz` does for minutes. */
describe('random input', () => {
  it.each(PROPERTIES)('$name', ({ property, batch }) => {
    const details = fc.check(property, { numRuns: Math.ceil(batch / 20) });
    expect(details.failed ? fc.defaultReportMessage(details) : '').toBe('');
  });
});
