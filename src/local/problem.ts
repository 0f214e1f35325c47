/** Something wrong, or worth a look, at a place in a file. */
import type { ResourceReference } from '../api/metadata.ts';

export interface Position {
  /** Relative to the folder that was read, with `/` between its parts. */
  readonly file: string;
  /** From 1; both 1 where the whole file is meant. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
}

export interface Problem extends Position {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** The object it is about; absent where a file is no manifest at all. */
  readonly resource?: ResourceReference;
}

/** `teams.yaml:12:5 spec.match must not be empty: …`; a warning says that it is one. */
export function formatProblem({ file, line, column, severity, message }: Problem): string {
  return `${formatPosition({ file, line, column })} ${severity === 'warning' ? 'warning: ' : ''}${message}`;
}

export function formatPosition({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}

/** In the order in which a reader meets them. */
export function compareProblems(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}
