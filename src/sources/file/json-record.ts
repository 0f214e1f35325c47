import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import type { FileRecord, FormatOptions } from './convert.ts';
import { toReadFailed } from './failure.ts';

/** One object of a JSON file, its names noted. Throws `ReadFailed` naming the position. */
export function parseRecord(text: string, position: string, { label, names }: FormatOptions): FileRecord {
  const attributes = parseJson(text, position, label);
  if (!isObject(attributes)) throw toReadFailed(label, `${position} is no object`);
  names.addRecord(attributes);
  return { position, attributes };
}

/** JSON.parse whose message quotes nothing of the text: that may be personal data. */
export function parseJson(text: string, position: string, label: string): Json {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw toReadFailed(label, `${position} is no valid JSON; it may be cut off`, thrown);
  }
}
