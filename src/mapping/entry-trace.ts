/** What became of one entry of a mapping for one person, and from what. Pure. */
import type { Skip } from '../expression/values.ts';
import type { Json } from '../model.ts';
import { HIDDEN, type NamedValue, readName } from './condition-trace.ts';
import type { CompiledEntry, EntryOrigin } from './entry.ts';
import type { Circumstances } from './expressions.ts';
import type { PersonView } from './names.ts';
import type { NameReader } from './reader.ts';
import { toValueStep, type ValueStep } from './value-step.ts';

export interface EntryTrace {
  readonly target: string;
  /** The AttributeMapping or CustomAttribute that it stands in. */
  readonly owner: string;
  readonly origin: EntryOrigin;
  /** Place among the matching attributes; null for one that is none. */
  readonly precedence: number | null;
  /** Names that it reads, with what they gave; values are hidden where the expression says Redact. */
  readonly values: readonly NamedValue[];
  readonly end: EntryEnd;
  /** Every part of an expression and what it gave, where it was evaluated and may be shown. */
  readonly steps: ValueStep | null;
}

/**
 * `value`: converted; several where the target decides which one is free. `empty`: nothing to write, or a default.
 * `unknown`: something that it reads was not delivered (rule I13). `photo`: the photo itself, which no mapping reads. `skipped`: the expression says that nothing flows.
 */
export type EntryEnd =
  | { readonly kind: 'value'; readonly values: readonly Json[]; readonly onCreate: boolean }
  | { readonly kind: 'empty'; readonly fallback: Json; readonly clears: boolean }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'photo' }
  | { readonly kind: 'skipped'; readonly skip: Skip }
  | { readonly kind: 'failed'; readonly message: string };

/** What an entry was evaluated with. */
export interface Evaluated {
  readonly view: PersonView;
  readonly read: (name: string) => Json;
  /** Random values afresh, so that the same are drawn. */
  readonly circumstances: Circumstances;
  readonly reader: NameReader;
}

export function toEntryTrace(
  entry: CompiledEntry,
  end: EntryEnd,
  { view, read, circumstances, reader }: Evaluated,
): EntryTrace {
  const { target, owner, origin, precedence, names, redacted } = entry;
  const values = names.map((name) => readName(name, reader, view));
  const common = { target, owner, origin, precedence };
  if (redacted || names.some((name) => reader.isHidden(name))) {
    const hidden = values.map((value) => ({ ...value, value: HIDDEN }));
    const hiddenEnd = end.kind === 'value' ? { ...end, values: end.values.map(() => HIDDEN) } : end;
    return { ...common, values: hidden, end: hiddenEnd, steps: null };
  }
  const tree = end.kind === 'unknown' ? undefined : entry.trace?.(read, circumstances);
  return { ...common, values, end, steps: tree === undefined ? null : toValueStep(tree) };
}
