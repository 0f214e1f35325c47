import { TextError } from '../../text-error.ts';

/** Something is wrong in the text of a rule of dynamic membership. */
export class RuleError extends TextError {}
