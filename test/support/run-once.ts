/**
 * One run of the only DirectorySync of a folder in a process of its own, for tests that kill it:
 * `node run-once.ts <folder> <state file> [deletion]`, the last to carry out its deletionPolicy. Prints the outcome.
 */
import { runFolder } from './folder-run.ts';

const [folder = '', state = '', what = ''] = process.argv.slice(2);
const report = await runFolder(folder, state, { deletion: what === 'deletion' });
process.stdout.write(`${report.reason}\n`);
