/** Something is wrong in a text that a person wrote inside of a resource: an expression, a source path, a rule. */
import { SyncError } from './errors.ts';

/** A piece of the text: `line` and `column` are 1-based and count UTF-16 units; `length` is 0 at the end of the text. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** A SyncError `Invalid` that also says where, so that `dirsync validate` can point into the manifest. */
export class TextError extends SyncError {
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
