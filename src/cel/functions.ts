/** The strings and sets extensions as Kubernetes knows them; texts are counted in characters, not in UTF-16 units. */
import { RE2JS } from 're2js';
import { SyncError } from '../errors.ts';
import type { CelFunc, CelLibrary, CelList, CelValue } from './library.ts';
import type { CostMeter } from './meter.ts';

const MAX_PATTERNS = 100;
/** Steps of a pattern that count as one character looked at. */
const STEPS_PER_SIZE = 2;

/** What the library lacks, or does otherwise than the definition of the extensions. */
export function createFunctions(library: CelLibrary, meter: CostMeter): readonly CelFunc[] {
  const kept = library.strings.filter(({ name }) => name === 'format' || name === 'strings.quote');
  return [...kept, ...createStrings(library, meter), ...createSets(library, meter), createMatches(library, meter)];
}

function createStrings(library: CelLibrary, meter: CostMeter): readonly CelFunc[] {
  const { celMethod, celList, listType } = library;
  const { INT, STRING, DYN } = library.CelScalar;
  const LIST = listType(DYN);
  const replaceAll = (text: string, from: string, to: string, count: number): string => {
    const parts = splitText(text, from);
    const places = Math.min(parts.length - 1, count < 0 ? parts.length : count);
    meter.charge(text.length + places * to.length);
    const rest = parts.slice(places).join(from);
    return [...parts.slice(0, places), rest].join(to);
  };
  const split = (text: string, separator: string, count: number) => {
    if (count === 0) return celList([]);
    const parts = splitText(text, separator);
    const whole = count < 0 || parts.length <= count;
    return celList(whole ? parts : [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)]);
  };
  const join = (list: CelList, separator: string): string => {
    const parts = [...list];
    const texts = parts.filter((part) => typeof part === 'string');
    if (texts.length < parts.length) throw new SyncError('RecordInvalid', 'join: the list holds what is no string');
    meter.charge(texts.reduce((size, part) => size + part.length + separator.length, 0));
    return texts.join(separator);
  };
  return [
    celMethod('charAt', STRING, [INT], STRING, function (index) {
      const at = Number(index);
      const characters = [...this];
      checkRange(at, characters.length);
      return characters[at] ?? '';
    }),
    celMethod('indexOf', STRING, [STRING], INT, function (text) {
      return BigInt(findFirst([...this], [...text], 0));
    }),
    celMethod('indexOf', STRING, [STRING, INT], INT, function (text, start) {
      const characters = [...this];
      checkRange(Number(start), characters.length);
      return BigInt(findFirst(characters, [...text], Number(start)));
    }),
    celMethod('lastIndexOf', STRING, [STRING], INT, function (text) {
      return BigInt(findLast([...this], [...text], [...this].length));
    }),
    celMethod('lastIndexOf', STRING, [STRING, INT], INT, function (text, start) {
      const characters = [...this];
      checkRange(Number(start), characters.length);
      return BigInt(findLast(characters, [...text], Number(start)));
    }),
    celMethod('lowerAscii', STRING, [], STRING, function () {
      return this.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    }),
    celMethod('upperAscii', STRING, [], STRING, function () {
      return this.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    }),
    celMethod('replace', STRING, [STRING, STRING], STRING, function (from, to) {
      return replaceAll(String(this), from, to, -1);
    }),
    celMethod('replace', STRING, [STRING, STRING, INT], STRING, function (from, to, count) {
      return replaceAll(String(this), from, to, Number(count));
    }),
    celMethod('reverse', STRING, [], STRING, function () {
      return [...this].reverse().join('');
    }),
    celMethod('split', STRING, [STRING], LIST, function (separator) {
      return split(String(this), separator, -1);
    }),
    celMethod('split', STRING, [STRING, INT], LIST, function (separator, count) {
      return split(String(this), separator, Number(count));
    }),
    celMethod('substring', STRING, [INT], STRING, function (start) {
      const characters = [...this];
      checkRange(Number(start), characters.length);
      return characters.slice(Number(start)).join('');
    }),
    celMethod('substring', STRING, [INT, INT], STRING, function (start, end) {
      const characters = [...this];
      checkRange(Number(start), characters.length);
      checkRange(Number(end), characters.length);
      if (start > end) throw new SyncError('RecordInvalid', 'substring: the end stands before the start');
      return characters.slice(Number(start), Number(end)).join('');
    }),
    celMethod('trim', STRING, [], STRING, function () {
      return this.trim();
    }),
    celMethod('join', LIST, [], STRING, function () {
      return join(this, '');
    }),
    celMethod('join', LIST, [STRING], STRING, function (separator) {
      return join(this, separator);
    }),
  ];
}

/** An empty separator splits into characters. */
function splitText(text: string, separator: string): string[] {
  return separator === '' ? [...text] : text.split(separator);
}

function checkRange(index: number, length: number): void {
  if (index < 0 || index > length) throw new SyncError('RecordInvalid', `index ${index} is outside of the text`);
}

function findFirst(text: readonly string[], part: readonly string[], start: number): number {
  for (let at = start; at + part.length <= text.length; at += 1) if (isAt(text, part, at)) return at;
  return -1;
}

function findLast(text: readonly string[], part: readonly string[], start: number): number {
  for (let at = Math.min(start, text.length - part.length); at >= 0; at -= 1) if (isAt(text, part, at)) return at;
  return -1;
}

function isAt(text: readonly string[], part: readonly string[], at: number): boolean {
  return part.every((character, index) => text[at + index] === character);
}

function createSets({ celFunc, celEnv, CelScalar, listType }: CelLibrary, meter: CostMeter): readonly CelFunc[] {
  const { BOOL, DYN } = CelScalar;
  const LIST = listType(DYN);
  const isIn = celEnv().funcs.find('@in');
  const has = (list: CelList, value: CelValue): boolean => {
    meter.charge(list.size);
    return isIn?.call(0, undefined, [value, list]) === true;
  };
  const contains = (list: CelList, part: CelList): boolean => [...part].every((each) => has(list, each));
  return [
    celFunc('sets.contains', [LIST, LIST], BOOL, contains),
    celFunc('sets.equivalent', [LIST, LIST], BOOL, (left, right) => contains(left, right) && contains(right, left)),
    celFunc('sets.intersects', [LIST, LIST], BOOL, (left, right) => [...right].some((each) => has(left, each))),
  ];
}

/** Compiled once each. */
function createMatches({ celMethod, CelScalar }: CelLibrary, meter: CostMeter): CelFunc {
  const patterns = new Map<string, RE2JS>();
  return celMethod('matches', CelScalar.STRING, [CelScalar.STRING], CelScalar.BOOL, function (source) {
    const pattern = patterns.get(source) ?? compileRe2(source);
    if (patterns.size < MAX_PATTERNS) patterns.set(source, pattern);
    meter.charge((pattern.programSize() * (this.length + 1)) / STEPS_PER_SIZE);
    return pattern.test(String(this));
  });
}

/** CEL's patterns are RE2's own. */
export function compileRe2(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SyncError('RecordInvalid', `the regular expression cannot be compiled: ${reason}`);
  }
}
