/** Problems of manifests with paths that an editor opens from where the command was typed. */

import { stat } from 'node:fs/promises';
import { join, normalize, relative } from 'node:path';
import { formatProblem, type Problem } from '../local/problem.ts';
import { type CliIo, toPath } from './io.ts';

/** The folder that the `file` of a problem is relative to, itself relative to the working directory. */
export async function findShownRoot(io: Pick<CliIo, 'cwd'>, folder: string): Promise<string> {
  const path = toPath(io, folder);
  const isFile = (await stat(path).catch(() => null))?.isFile() === true;
  return normalize(isFile ? join(folder, '..') : folder);
}

/** On standard error, as an editor opens them. */
export async function printProblems(
  io: Pick<CliIo, 'cwd' | 'stderr'>,
  folder: string,
  problems: readonly Problem[],
): Promise<void> {
  const root = await findShownRoot(io, folder);
  for (const problem of problems) io.stderr(`${formatProblem(toShownProblem(root, problem))}\n`);
}

export function toShownProblem(root: string, problem: Problem): Problem {
  return { ...problem, file: problem.file === '.' ? root : join(root, problem.file) };
}

/** As annotations of a repository want it: relative to the working directory, with `/`. */
export function toRepositoryPath(io: Pick<CliIo, 'cwd'>, file: string): string {
  return relative(io.cwd, join(io.cwd, file)).replaceAll('\\', '/');
}
