/** What a dialect demands of the values of an object. */
import type { Json } from '../../../src/model.ts';
import type { Dialect } from './dialect.ts';
import { type Document, toObject } from './patch.ts';
import { DialectRefusal } from './refusal.ts';

/** @param given as it came, before what the dialect forgets was taken out */
export function checkRequired(given: Document, kept: Document, { required }: Dialect): void {
  for (const path of required) {
    const [name = '', sub] = path.split('.');
    const value = sub === undefined ? (kept[name] ?? given[name]) : toObject(kept[name])?.[sub];
    if (value === undefined) throw new DialectRefusal(400, `${path} is required`, 'invalidValue');
  }
}

export function checkText(document: Document, dialect: Dialect): void {
  for (const [name, length] of Object.entries(dialect.maxLength))
    if (String(document[name] ?? '').length > length)
      throw new DialectRefusal(400, `${name} is longer than ${length}`, 'invalidValue');
  for (const [name, forbidden] of Object.entries(dialect.forbiddenIn))
    if (forbidden.test(String(document[name] ?? '')))
      throw new DialectRefusal(400, `${name} has a character that is not supported`, 'invalidValue');
  for (const [name, value] of Object.entries(document)) if (name !== 'id') checkValue(value, dialect);
}

function checkValue(value: Json, dialect: Dialect): void {
  if (typeof value === 'string' && dialect.forbiddenCharacters?.test(value) === true)
    throw new DialectRefusal(400, 'a value has a character that is not supported', 'invalidValue');
  if (Array.isArray(value) && dialect.oneValue && value.length > 1)
    throw new DialectRefusal(400, 'only one value is supported', 'invalidValue');
  const parts: Json[] = Array.isArray(value) ? [...(value as Json[])] : Object.values(toObject(value) ?? {});
  for (const part of parts) checkValue(part, dialect);
}
