/** Bytes that may come in several attempts, given once. */
import { createHash, type Hash } from 'node:crypto';
import { toReadFailed } from './failure.ts';

/** What is fetched from elsewhere has at most so many bytes, as they travel. */
export const MAX_DOWNLOAD_BYTES = 1024 * 1024 * 1024;

/** One attempt to get the whole file. */
export interface Attempt {
  /** What of this piece was not given yet. */
  take(chunk: Buffer): Buffer;
}

export interface Download {
  /** The file from its start again. */
  begin(): Attempt;
}

/**
 * What was given cannot be taken back: a later attempt must begin with the same bytes. Nothing is kept of them but their
 * hash. Throws `ReadFailed` where an attempt has other bytes, or the file is larger than 1 GiB.
 */
export function createDownload(label: string): Download {
  const given = createHash('sha256');
  let size = 0;
  return {
    begin() {
      let position = 0;
      const prefix: Hash = createHash('sha256');
      const wanted = size;
      const expected = given.copy().digest('hex');
      return {
        take(chunk) {
          const known = Math.min(chunk.length, Math.max(0, wanted - position));
          if (known > 0) prefix.update(chunk.subarray(0, known));
          const isThrough = position < wanted && position + known === wanted;
          if (isThrough && prefix.digest('hex') !== expected) throw toReadFailed(label, 'it changed while it was read');
          position += chunk.length;
          const fresh = chunk.subarray(known);
          given.update(fresh);
          size += fresh.length;
          if (size > MAX_DOWNLOAD_BYTES) throw toReadFailed(label, 'it is larger than 1 GiB');
          return fresh;
        },
      };
    },
  };
}

export interface Pipe {
  /** Resolves when the piece was taken; never where nobody takes any more. */
  write(chunk: Buffer): Promise<void>;
  end(): void;
  fail(thrown: unknown): void;
  /** Pieces in the order in which they were written; whoever writes waits, so that there are never many. */
  read(): AsyncGenerator<Buffer>;
}

/**
 * From what pushes to what pulls. Pieces, the end and a failure arrive in their order, also where a piece was not taken yet
 * when the attempt that brought it broke off.
 */
export function createPipe(): Pipe {
  const pieces: { readonly chunk: Buffer | null; readonly taken: () => void }[] = [];
  let failure: { readonly thrown: unknown } | null = null;
  let wake: () => void = () => undefined;
  return {
    write: (chunk) =>
      new Promise((resolve) => {
        pieces.push({ chunk, taken: resolve });
        wake();
      }),
    end() {
      pieces.push({ chunk: null, taken: () => undefined });
      wake();
    },
    fail(thrown) {
      failure = { thrown };
      wake();
    },
    async *read() {
      for (;;) {
        const piece = pieces.shift();
        if (piece?.chunk === null) return;
        if (piece !== undefined) {
          yield piece.chunk;
          piece.taken();
        } else if (failure !== null) {
          throw failure.thrown;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}
