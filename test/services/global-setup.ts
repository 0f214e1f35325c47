import { readPythonVersion } from './python.ts';
import { findSamba } from './samba.ts';
import { findSlapd } from './slapd.ts';
import { readSshdVersion } from './sshd.ts';

/** Says once, a line for each, what the machine lacks, before any test file fails with it. */
export async function setup(): Promise<void> {
  const lacks: string[] = [];
  for (const look of [readPythonVersion, findSlapd, findSamba, readSshdVersion]) {
    await look().catch((error: Error) => lacks.push(error.message));
  }
  if (lacks.length === 0) return;
  process.stderr.write(`${lacks.join('\n')}\n`);
  process.exit(1);
}
