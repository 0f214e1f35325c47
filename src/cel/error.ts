import { TextError } from '../text-error.ts';

/** A CEL expression cannot be used. */
export class CelProblem extends TextError {
  /** @param offset of the place in the source, in UTF-16 units */
  constructor(detail: string, source: string, offset: number) {
    const before = source.slice(0, offset).split('\n');
    super(detail, { line: before.length, column: (before.at(-1) ?? '').length + 1, length: 0 });
  }
}
