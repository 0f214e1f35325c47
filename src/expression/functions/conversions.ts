import { Buffer } from 'node:buffer';
import {
  bigIntegerOf,
  checkLength,
  type Environment,
  evaluateArgument,
  isList,
  recordError,
  type Thunk,
  textOf,
  toText,
  toWholeNumber,
  type Value,
} from '../values.ts';
import type { FunctionDefinition } from './definition.ts';

/** The encodings that Cloud Sync knows, by their keyword. */
const ENCODINGS: ReadonlyMap<string, BufferEncoding> = new Map([
  ['Unicode', 'utf16le'],
  ['ASCII', 'ascii'],
  ['UTF8', 'utf8'],
]);

/** From one kind of value to another, in alphabetical order. */
export const CONVERSION_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'BitAnd',
    parameters: [
      { name: 'value1', type: 'Integer' },
      { name: 'value2', type: 'Integer' },
    ],
    result: 'Integer',
    description: 'The bits that both whole numbers have.',
    example: 'BitAnd(&HF, &HF7)',
    gives: '7',
    evaluate: (args, environment) =>
      toWholeNumber(bigIntegerOf(args[0], environment) & bigIntegerOf(args[1], environment)),
  },
  {
    name: 'ConvertFromBase64',
    parameters: [
      { name: 'source', type: 'String' },
      {
        name: 'encoding',
        type: 'String',
        optional: true,
        keywords: [...ENCODINGS.keys()],
        checkConstant: (constant) => (ENCODINGS.has(constant) ? undefined : 'must be Unicode, ASCII or UTF8'),
      },
    ],
    result: 'String',
    description: 'The text that base64 stands for; without encoding it is Unicode, which is UTF-16.',
    example: 'ConvertFromBase64("QQBkAGEA")',
    gives: 'Ada',
    evaluate: (args, environment) => {
      const source = textOf(args[0], environment);
      return source === null ? null : decode(source, args, environment);
    },
  },
  {
    name: 'ConvertToBase64',
    parameters: [{ name: 'source', type: 'String' }],
    result: 'String',
    description: 'The base64 of the text in UTF-16.',
    example: 'ConvertToBase64([givenName])',
    gives: 'QQBkAGEA',
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      if (text === null) return null;
      checkLength(text.length * 3, 'ConvertToBase64');
      return Buffer.from(text, 'utf16le').toString('base64');
    },
  },
  {
    name: 'ConvertToUTF8Hex',
    parameters: [{ name: 'source', type: 'String' }],
    result: 'String',
    description: 'The bytes of the text in UTF-8, each as two hexadecimal digits in upper case.',
    example: 'ConvertToUTF8Hex("Zoë")',
    gives: '5A6FC3AB',
    neverGives: (text) => (/^(?:[0-9A-F]{2})*$/.test(text) ? undefined : 'gives hexadecimal digits in upper case'),
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      if (text === null) return null;
      checkLength(text.length * 6, 'ConvertToUTF8Hex');
      return Buffer.from(text, 'utf8').toString('hex').toUpperCase();
    },
  },
  {
    name: 'CStr',
    parameters: [{ name: 'value', type: 'String' }],
    result: 'String',
    description: 'value as a text: a number in digits, a boolean as `True` or `False`.',
    example: 'CStr([accountEnabled])',
    gives: 'True',
    evaluate: (args, environment) => textOf(args[0], environment),
  },
  {
    name: 'IsString',
    parameters: [{ name: 'Expression', type: 'Any' }],
    result: 'Boolean',
    description: 'True when CStr would give a text: for texts, numbers, booleans and dates, not for lists of several.',
    example: 'IsString([level])',
    gives: 'True',
    evaluate: (args, environment) => isText(evaluateArgument(args[0], environment)),
  },
  {
    name: 'StringFromSid',
    parameters: [{ name: 'bytes', type: 'String' }],
    result: 'String',
    description: 'A security identifier as text, from its bytes in base64. One that is text already stays.',
    example: 'StringFromSid([objectSid])',
    gives: 'S-1-5-32-544',
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      return text === null || /^S-1-\d/.test(text) ? text : toSid(text, args[0]?.label ?? '');
    },
  },
];

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decode(source: string, args: readonly (Thunk | undefined)[], environment: Environment): string {
  const encoding = ENCODINGS.get((args[1] && textOf(args[1], environment)) ?? 'Unicode');
  if (encoding === undefined) throw recordError(args[1]?.label ?? '', 'Unicode, ASCII or UTF8');
  if (!BASE64.test(source)) throw recordError(args[0]?.label ?? '', 'base64');
  return Buffer.from(source, 'base64').toString(encoding);
}

function isText(value: Value): boolean {
  const single = isList(value) && value.length === 1 ? (value[0] ?? null) : value;
  if (single === null || isList(single)) return false;
  try {
    return toText(single, '') !== null;
  } catch {
    return false;
  }
}

/** Revision, number of parts, six bytes of the authority from the highest, then four bytes for each part from the lowest. */
function toSid(text: string, label: string): string {
  const bytes = BASE64.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  const count = bytes[1] ?? 0;
  if (bytes.length < 8 || bytes[0] !== 1 || bytes.length !== 8 + count * 4) {
    throw recordError(label, 'the bytes of a security identifier in base64');
  }
  const parts = Array.from({ length: count }, (_, index) => bytes.readUInt32LE(8 + index * 4));
  return ['S-1', bytes.readUIntBE(2, 6), ...parts].join('-');
}
