import { SyncError } from '../errors.ts';

/** A pattern cannot be used. `at` is the 1-based place in its text, in UTF-16 units; the message begins with it. */
export class PatternError extends SyncError {
  readonly at: number;

  constructor(detail: string, at: number) {
    super('Invalid', `character ${at}: ${detail}`);
    this.at = at;
  }
}
