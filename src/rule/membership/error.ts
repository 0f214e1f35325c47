import { SyncError } from '../../errors.ts';
import type { Position } from './ast.ts';

/** A SyncError `Invalid` that says where: `line` and `column` are 1-based and count UTF-16 units. */
export class RuleError extends SyncError {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The message without its position, for callers that print their own. */
  readonly detail: string;

  constructor(detail: string, at: Position) {
    super('Invalid', `${at.line === 1 ? '' : `line ${at.line}, `}column ${at.column}: ${detail}`);
    this.line = at.line;
    this.column = at.column;
    this.length = at.length;
    this.detail = detail;
  }
}
