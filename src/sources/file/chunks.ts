/** Looking at the first bytes of a stream without losing them. */

/** The first `size` bytes, fewer where there are no more; what was read beyond comes with them. */
export async function takeHead(iterator: AsyncIterator<Buffer>, size: number): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < size) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

/** The head again, and then the rest; whoever stops early ends the rest too. */
export async function* rejoin(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.(undefined);
  }
}
