/** `dirsync schema`: which attributes people of a source have, and how many have each. */
import { SyncError } from '../errors.ts';
import { type AttributeTally, type AttributeTree, createAttributeTally } from '../mapping/attribute-tree.ts';
import type { Source, SourceFinding, SourcePage } from '../sources/source.ts';
import { createExpiryLog } from './expiry.ts';
import { type LookInput, prepareLook } from './look.ts';
import { openSource } from './open.ts';
import type { RunHttpClient } from './run.ts';
import { projectionOf } from './steps/asking.ts';

/** What people of a source have. No value of anybody is in it. */
export interface SourceShape extends AttributeTree {
  /** The key under `spec.source`. */
  readonly provider: string;
  /** How many were looked at. */
  readonly people: number;
  /** These are all that there are. */
  readonly isWhole: boolean;
  /** Records among them that could not be read. */
  readonly failed: number;
  /** What the source could not list. */
  readonly findings: readonly SourceFinding[];
}

export interface ShapeWish {
  /** As many people are looked at; infinity: all. */
  readonly people: number;
  /** Attributes to be asked for beside those that are listed, by their name in the source. */
  readonly names: readonly string[];
  readonly onPeople: (count: number) => void;
}

/** Asks for what the source lists, what is named, and what mappings, rules and filters read. */
export async function readShape(input: LookInput, wish: ShapeWish, signal: AbortSignal): Promise<SourceShape> {
  const { opening, spec, compiled } = prepareLook(input);
  const opened: RunHttpClient[] = [];
  try {
    const { source } = await openSource(opening, spec, { expiries: createExpiryLog(), opened });
    try {
      const used = compiled === null ? [] : projectionOf(compiled);
      const { projection, findings } = await listAsked(source, [...wish.names, ...used], signal);
      const tally = createAttributeTally();
      const counts = await countAll(source.readUsers(projection, signal), tally, wish);
      const customs = compiled?.mapping.names.customs ?? new Set<string>();
      return { provider: spec.source.provider, ...counts, findings, ...tally.toTree(customs) };
    } finally {
      await source.close();
    }
  } finally {
    for (const client of opened) client.close();
  }
}

async function listAsked(source: Source, names: readonly string[], signal: AbortSignal) {
  const { projection, findings } = (await source.schema?.(signal)) ?? { projection: [], findings: [] };
  return { projection: [...new Set([...projection, ...names])], findings };
}

type Counts = Pick<SourceShape, 'people' | 'isWhole' | 'failed'>;

/** What is read besides is not waited for. */
async function countAll(
  pages: AsyncIterable<SourcePage>,
  tally: AttributeTally,
  { people: most, onPeople }: ShapeWish,
): Promise<Counts> {
  let people = 0;
  let failed = 0;
  for await (const page of pages) {
    const users = page.users.slice(0, most - people);
    for (const { attributes } of users) tally.addRecord(attributes);
    people += users.length;
    failed += page.failed.length;
    onPeople(people);
    if (page.end !== undefined) {
      tally.addNames(page.end.attributes);
      return { people, failed, isWhole: users.length === page.users.length };
    }
    if (people >= most) return { people, failed, isWhole: false };
  }
  throw new SyncError('ReadIncomplete', 'the source ended before its last page');
}
