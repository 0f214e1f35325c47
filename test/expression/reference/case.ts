import type { Json } from '../../../src/model.ts';

/** What a case expects. Anything else than these forms is a value. */
export type Expected =
  | Json
  | { readonly date: string }
  | { readonly candidates: readonly string[] }
  | { readonly skip: 'SkipAttribute' | 'SkipObject' }
  /** RecordInvalid, whose message holds this. */
  | { readonly fails: string }
  /** ExpressionError, whose message holds this. */
  | { readonly refused: string }
  /** A warning that holds this; the value does not matter. */
  | { readonly warns: string }
  | { readonly matches: RegExp };

export interface ReferenceCase {
  /** Ids of BEHAVIOURS. */
  readonly of: string;
  readonly source: string;
  readonly user: Readonly<Record<string, Json>>;
  readonly expected: Expected;
}

type Row = readonly [of: string, source: string, expected: Expected, user?: Readonly<Record<string, Json>>];

export function toCases(rows: readonly Row[]): ReferenceCase[] {
  return rows.map(([of, source, expected, user = {}]) => ({ of, source, user, expected }));
}
