import { TextError } from '../text-error.ts';

/** Something is wrong in the text of an expression or of a source path. */
export class ExpressionError extends TextError {}
