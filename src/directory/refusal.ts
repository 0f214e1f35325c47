/** Why the directory refuses a request, and how RFC 7644 section 3.12 has it say so. */

import type { Json } from '../model.ts';
import { URN_ERROR } from '../scim/schema.ts';

/** RFC 7644 table 9, and RFC 9865 section 2.1. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount';

export interface RefusalOptions {
  readonly scimType?: ScimType;
  /** Response headers that belong to the refusal, as `Allow` to a 405. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Thrown by the directory's handlers and answered by its server; it never leaves this folder, which is why it is not a
 * SyncError: it speaks of a client's request in HTTP's terms, not of a run.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly scimType: ScimType | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, options: RefusalOptions = {}) {
    super(detail);
    this.status = status;
    this.scimType = options.scimType;
    this.headers = options.headers ?? {};
  }
}

/** A 400 of this kind. */
export function toBadRequest(scimType: ScimType, detail: string): Refusal {
  return new Refusal(400, detail, { scimType });
}

/** The error body; `status` is a string there. */
export function toErrorBody(status: number, detail: string, scimType?: ScimType): Json {
  return { schemas: [URN_ERROR], status: String(status), ...(scimType === undefined ? {} : { scimType }), detail };
}
