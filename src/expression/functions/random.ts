import { SyncError } from '../../errors.ts';
import type { CallNode } from '../ast.ts';
import { type Environment, integerOf, type Thunk, textOf } from '../values.ts';
import { constantAt, type FunctionDefinition } from './definition.ts';

const LONGEST = 256;
const DIGITS = '0123456789';
/** The special characters of the rules for passwords of Windows. */
const SPECIAL = '\'-!"#$%&()*,./:;?@[]^_`{|}~+<=>';
const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const SMALL = 'abcdefghijklmnopqrstuvwxyz';

/** In the order of the parameters that count them. */
const CLASSES = [DIGITS, SPECIAL, CAPITALS, SMALL] as const;

/** Chance, which comes from the run: the same person gets the same value again. */
export const RANDOM_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'Guid',
    parameters: [],
    result: 'String',
    description: 'A random identifier of 36 characters.',
    example: 'Guid()',
    gives: 'a6558d95-f25b-442b-ae5f-b0caaec4e349',
    evaluate: (_, environment) => toGuid(Array.from({ length: 16 }, () => draw(256, environment))),
  },
  {
    name: 'RandomString',
    parameters: [
      { name: 'Length', type: 'Integer' },
      { name: 'MinimumNumbers', type: 'Integer' },
      { name: 'MinimumSpecialCharacters', type: 'Integer' },
      { name: 'MinimumCapital', type: 'Integer' },
      { name: 'MinimumLowerCase', type: 'Integer' },
      { name: 'CharactersToAvoid', type: 'String', optional: true },
    ],
    result: 'String',
    description:
      'Length random characters, at most 256, with at least so many digits, special characters, capitals and small letters; what is left over is of any kind. None of CharactersToAvoid.',
    example: 'RandomString(12, 2, 2, 2, 2, "O0l1")',
    gives: '7e}YI[i4@Xg(',
    check: checkNumbers,
    evaluate: randomString,
  },
];

function draw(count: number, environment: Environment): number {
  return Math.floor(environment.random() * count);
}

/** A version 4 UUID (RFC 9562 section 5.4). */
function toGuid(bytes: readonly number[]): string {
  const marked = bytes.map((byte, index) => {
    if (index === 6) return (byte & 0x0f) | 0x40;
    return index === 8 ? (byte & 0x3f) | 0x80 : byte;
  });
  const digits = marked.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}

function checkNumbers(call: CallNode): string | undefined {
  const constants = [0, 1, 2, 3, 4].map((index) => constantAt(call, index));
  if (constants.some((constant) => constant === undefined || !/^\s*[+-]?\d+\s*$/.test(constant))) return undefined;
  const [length = 0, ...least] = constants.map(Number);
  return numbersProblem(length, least) ?? poolProblem(least, constantAt(call, 5));
}

function numbersProblem(length: number, least: readonly number[]): string | undefined {
  if (length < 1 || length > LONGEST) return `RandomString: Length must be from 1 to ${LONGEST}`;
  if (least.some((count) => count < 0)) return 'RandomString: a minimum must not be negative';
  const sum = least.reduce((total, count) => total + count, 0);
  return sum > length ? `RandomString: the minimums are ${sum} characters, more than Length` : undefined;
}

function poolProblem(least: readonly number[], avoided = ''): string | undefined {
  const pools = CLASSES.map((pool) => without(pool, avoided));
  const isShort = least.some((count, index) => count > 0 && pools[index] === '') || pools.every((pool) => pool === '');
  return isShort ? 'RandomString: CharactersToAvoid leaves nothing to choose from' : undefined;
}

function without(pool: string, avoided: string): string {
  return [...pool].filter((character) => !avoided.includes(character)).join('');
}

function randomString(args: readonly (Thunk | undefined)[], environment: Environment): string {
  const [length = 0, ...least] = args.slice(0, 5).map((argument) => integerOf(argument, environment));
  const avoided = textOf(args[5], environment) ?? '';
  const problem = numbersProblem(length, least) ?? poolProblem(least, avoided);
  if (problem !== undefined) throw new SyncError('RecordInvalid', problem);
  const pools = CLASSES.map((pool) => without(pool, avoided));
  const any = pools.join('');
  const wanted = pools.flatMap((pool, index) => Array.from({ length: least[index] ?? 0 }, () => pool));
  const rest = Array.from({ length: length - wanted.length }, () => any);
  const characters = [...wanted, ...rest].map((pool) => pool[draw(pool.length, environment)] ?? '');
  return shuffle(characters, environment).join('');
}

/** Fisher and Yates: every order is as likely. */
function shuffle(characters: string[], environment: Environment): string[] {
  for (let index = characters.length - 1; index > 0; index -= 1) {
    const other = draw(index + 1, environment);
    const [one = '', two = ''] = [characters[index], characters[other]];
    characters[index] = two;
    characters[other] = one;
  }
  return characters;
}
