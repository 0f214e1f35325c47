/** Normal forms in which values are compared when people and accounts are looked up. */

/** A matching value: without case unless the attribute is caseExact (RFC 7643 section 2.2). */
export function toMatchKey(value: string, caseExact: boolean): string {
  return caseExact ? value : value.normalize('NFC').toLowerCase();
}
