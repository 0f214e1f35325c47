/** JSON as CEL sees it, and back. */
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import type { CelInput, CelLibrary, CelValue } from './library.ts';

/** Whole numbers are `int`, others `double`; objects are maps. */
export function toCel(value: Json): CelInput {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(toCel);
  if (value !== null && typeof value === 'object') {
    return new Map(Object.entries(value).map(([key, each]) => [key, toCel(each)] as const));
  }
  return value as string | boolean | null;
}

export interface Conversion {
  readonly library: CelLibrary;
  /** CEL's own form of a moment or duration as text; anything but a string for what has none. */
  readonly toText: (value: CelValue) => unknown;
}

/** Moments, durations and bytes become texts. Throws SyncError `RecordInvalid` for what has no form in JSON. */
export function toJson(value: CelValue, conversion: Conversion): Json {
  const { library } = conversion;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return fromBigInt(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw new SyncError('RecordInvalid', 'the expression gives no finite number');
  }
  if (library.isCelUint(value)) return fromBigInt(value.value);
  if (library.isCelList(value)) return [...value].map((each) => toJson(each, conversion));
  if (library.isCelMap(value)) {
    return Object.fromEntries([...value.entries()].map(([key, each]) => [String(key), toJson(each, conversion)]));
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  const text = conversion.toText(value);
  if (typeof text === 'string') return text;
  throw new SyncError('RecordInvalid', 'the expression gives a type, which is no value');
}

/** What a number of JSON cannot hold stays exact as text. */
function fromBigInt(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
