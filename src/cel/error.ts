import { SyncError } from '../errors.ts';

/** An expression cannot be used: a SyncError `Invalid` that says where, in UTF-16 units from 1. */
export class CelProblem extends SyncError {
  readonly line: number;
  readonly column: number;
  /** The message without its position, for callers that print their own. */
  readonly detail: string;

  constructor(detail: string, source: string, offset: number) {
    const before = source.slice(0, offset).split('\n');
    const line = before.length;
    const column = (before.at(-1) ?? '').length + 1;
    super('Invalid', `${line === 1 ? '' : `line ${line}, `}column ${column}: ${detail}`);
    this.line = line;
    this.column = column;
    this.detail = detail;
  }
}
