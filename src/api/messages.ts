/** ajv's errors as sentences for people: one each, naming the field and what to write instead. */
import type { ErrorObject } from 'ajv';
import { computeNearestName } from '../nearest-name.ts';
import { RULES_KEYWORD } from './rules.ts';
import { EXPECTED, LIST_KEY, UNTYPED, WHY_NOT_EMPTY } from './schema.ts';

/** Something wrong (or worth a look) in one document. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** JSON pointer (RFC 6901) into the document. */
  readonly pointer: string;
  /** The key at the pointer is meant, not its value: an unknown field. */
  readonly onKey: boolean;
  /** Begins with or holds the path of the field; no values but short words, for messages reach conditions. */
  readonly message: string;
}

/** Many mistakes at once help nobody. */
const MAX_FINDINGS = 50;

/** `/spec/attributes/0/target` → `spec.attributes[0].target`. */
export function formatPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) =>
      /^\d+$/.test(part) ? `[${part}]` : /^[\w$-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`,
    )
    .join('')
    .replace(/^\./, '');
}

/** The message with the path of its field in front, where it does not name it. */
export function toPlacedMessage({ pointer, message }: Pick<Finding, 'pointer' | 'message'>): string {
  const path = formatPath(pointer);
  return message.includes(path) ? message : `${path}: ${message}`;
}

export function toFindings(errors: readonly ErrorObject[]): Finding[] {
  const outer = errors.filter((error) => error.keyword !== 'if' && !isInsideAlternative(error, errors));
  return outer
    .filter((error) => !isSaidByAnother(error, outer))
    .slice(0, MAX_FINDINGS)
    .map(toFinding);
}

/** What is wrong with each of several alternatives is too much: `must be a string or number` says it all. */
function isInsideAlternative(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  return errors.some(
    (other) => other.keyword === 'anyOf' && error !== other && error.schemaPath.startsWith(`${other.schemaPath}/`),
  );
}

/** A value of a wrong type breaks other rules as well, and the second key of a union may be an unknown field too. */
function isSaidByAnother(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  return errors.some((other) => {
    if (other === error || other.instancePath !== error.instancePath) return false;
    if (other.keyword === 'type') return error.keyword !== 'type';
    return isUnion(other) && error.keyword === 'additionalProperties';
  });
}

function isUnion(error: ErrorObject): boolean {
  return error.keyword === RULES_KEYWORD && String(error.params['rule']).endsWith('ExactlyOne');
}

function toFinding(error: ErrorObject): Finding {
  const { instancePath, keyword, params } = error;
  if (keyword === 'additionalProperties') return toUnknownField(error);
  if (keyword === LIST_KEY) {
    const pointer = `${instancePath}/${params['index']}/${params['key']}`;
    const message = `${formatPath(pointer)}: ${JSON.stringify(params['value'])} stands twice`;
    return { severity: 'error', pointer, onKey: false, message };
  }
  return { severity: 'error', pointer: instancePath, onKey: false, message: toMessage(error) };
}

function toUnknownField({ instancePath, params, parentSchema }: ErrorObject): Finding {
  const name = String(params['additionalProperty']);
  const pointer = `${instancePath}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const known = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {});
  const near = computeNearestName(name, known);
  const hint = near === null ? `; known here: ${known.join(', ')}` : `; did you mean "${near}"?`;
  return { severity: 'error', pointer, onKey: true, message: `unknown field "${formatPath(pointer)}"${hint}` };
}

function toMessage(error: ErrorObject): string {
  const path = formatPath(error.instancePath);
  if (error.keyword === 'required') {
    const missing = String(error.params['missingProperty']);
    return `${path === '' ? missing : `${path}.${missing}`} is required`;
  }
  const { keyword } = error;
  if (keyword === RULES_KEYWORD) return `${path}: ${error.message ?? 'is not valid'}`;
  const subject = path === '' ? 'the document' : path;
  return `${subject} must ${toDemand(error)}`;
}

function toDemand(error: ErrorObject): string {
  const { keyword, params, data, parentSchema } = error;
  const expected = parentSchema?.[UNTYPED] ?? parentSchema?.[EXPECTED];
  const limit = Number(params['limit']);
  switch (keyword) {
    case 'type':
      return toTypeDemand(String(params['type']), data, parentSchema?.[EXPECTED]);
    case 'enum':
      return toWordDemand(params['allowedValues'] as readonly unknown[], data);
    case 'const':
      return `be ${String(params['allowedValue'])}`;
    case 'minLength':
    case 'minItems':
      return limit === 1 ? `not be empty${toWhy(parentSchema?.[WHY_NOT_EMPTY])}` : `have at least ${limit} items`;
    case 'maxLength':
      return `have at most ${limit} characters`;
    case 'maxItems':
      return `have at most ${limit} items`;
    case 'minimum':
      return `be at least ${limit}`;
    case 'maximum':
      return `be at most ${limit}`;
    case 'format':
      return 'be a time such as 2026-01-01T00:00:00Z';
    default:
      return expected === undefined ? `be valid (${error.message ?? keyword})` : `be ${String(expected)}`;
  }
}

function toWhy(reason: unknown): string {
  return reason === undefined ? '' : `: ${String(reason)}`;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'a map of fields',
};

function toTypeDemand(type: string, data: unknown, expected: unknown): string {
  if (data === null) return 'have a value: leave the field out, or write one';
  const word = expected === undefined ? (TYPE_WORDS[type] ?? type) : String(expected);
  const quotable =
    expected === undefined && type === 'string' && (typeof data === 'number' || typeof data === 'boolean');
  return `be ${word}${quotable ? `; write it in quotes: "${String(data)}"` : ''}`;
}

function toWordDemand(allowed: readonly unknown[], data: unknown): string {
  const words = allowed.map(String);
  const near = typeof data === 'string' ? computeNearestName(data, words) : null;
  const list = words.length === 1 ? `be ${words[0]}` : `be one of ${words.join(', ')}`;
  return near === null ? list : `${list}; did you mean "${near}"?`;
}
