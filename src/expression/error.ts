import { SyncError } from '../errors.ts';
import type { Position } from './ast.ts';

/**
 * Something is wrong in the text of an expression or of a source path. A SyncError `Invalid` that also says where, so
 * that `dirsync validate` can point into the manifest: `line` and `column` are 1-based and count UTF-16 units from the
 * beginning of the expression; `length` is that of the offending text (0 at the end of the text).
 */
export class ExpressionError extends SyncError {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The message without its `column n: ` prefix, for callers that print their own position. */
  readonly detail: string;

  constructor(detail: string, at: Position) {
    super('Invalid', `${at.line === 1 ? '' : `line ${at.line}, `}column ${at.column}: ${detail}`);
    this.line = at.line;
    this.column = at.column;
    this.length = at.length;
    this.detail = detail;
  }
}
