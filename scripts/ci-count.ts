/**
 * Sums what .ci/run has run into its last line. Reads, from the file named by the only argument, a line per suite: name, exit code and
 * the vitest JSON report (or `-` for a check without one, which counts as one), separated by tabs. Exits with 1 when anything failed.
 */
import { existsSync, readFileSync } from 'node:fs';

interface Count {
  passed: number;
  failed: number;
}

function countSuite(code: number, report: string): Count {
  if (report === '-') return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
  };
  // A file that does not load, or an error outside of any test, fails the suite without a failed test.
  return { passed: numPassedTests, failed: code === 0 ? numFailedTests : Math.max(1, numFailedTests) };
}

const total: Count = { passed: 0, failed: 0 };
for (const line of readFileSync(process.argv[2] ?? '', 'utf8')
  .trim()
  .split('\n')) {
  const [name, code, report = ''] = line.split('\t');
  const { passed, failed } = countSuite(Number(code), report);
  total.passed += passed;
  total.failed += failed;
  process.stdout.write(`${name}: ${passed} of ${passed + failed} passed\n`);
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
