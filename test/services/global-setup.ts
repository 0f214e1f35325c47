import { readPythonVersion } from './python.ts';

/** Says once and in one line what the machine lacks, before any test file fails with it. */
export async function setup(): Promise<void> {
  await readPythonVersion().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}
