/** Items of a provider's answer → records, or why one of them is none (rule S2 of `source.ts`). Pure. */
import type { Json } from '../model.ts';
import type { FailedRecord } from './source.ts';

export type Converted<Item> = { readonly item: Item } | { readonly failed: FailedRecord };

/** @param id null where the item does not say whose it is */
export function fail(id: string | null, message: string): { readonly failed: FailedRecord } {
  return { failed: { id, code: 'RecordInvalid', message } };
}

/** What is wrong with one item keeps none of the others back. */
export function convertAll<Item>(
  items: readonly Json[],
  convert: (item: Json) => Converted<Item>,
): { readonly found: readonly Item[]; readonly failed: readonly FailedRecord[] } {
  const found: Item[] = [];
  const failed: FailedRecord[] = [];
  for (const item of items) {
    const converted = convert(item);
    if ('failed' in converted) failed.push(converted.failed);
    else found.push(converted.item);
  }
  return { found, failed };
}
