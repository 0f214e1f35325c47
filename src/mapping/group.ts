/** One group of the source → what its team is called and has beside its members. Pure. */
import type { TenantContext } from '../expression/values.ts';
import type { Attributes, DesiredTeam, Json, RecordError, SourceGroup, TeamValues } from '../model.ts';
import type { CompiledMapping } from './compile.ts';
import { createEvaluation, type Draft } from './evaluation.ts';
import type { KnownAttributes } from './names.ts';
import { NameReader } from './reader.ts';

/** By what a team is known, as it was written last; the mark is null where the target keeps none. */
export interface HeldNames {
  readonly displayName: string;
  readonly externalId: string | null;
}

export interface MappedGroup {
  /** Null: the values cannot be judged, and the team stays as it is (rules I8, I13). */
  readonly team: Pick<DesiredTeam, 'displayName' | 'externalId' | 'values'> | null;
  readonly errors: readonly RecordError[];
}

export interface GroupMapper {
  /** Names that the mapping uses and the read did not deliver for any group. */
  readonly missingNames: readonly string[];
  /** @param held null where the group has no team yet */
  map(group: SourceGroup, held: HeldNames | null, now: Date): MappedGroup;
}

export interface GroupMapperOptions {
  readonly mapping: CompiledMapping;
  readonly known: KnownAttributes;
  /** The secret that random values follow from; null where no entry needs any. */
  readonly seed: string | null;
  readonly tenant: TenantContext;
}

export function createGroupMapper({ mapping, known, seed, tenant }: GroupMapperOptions): GroupMapper {
  const reader = new NameReader(mapping, known);
  const evaluate = createEvaluation(mapping, reader, { resource: 'Team', seed, tenant });
  const mapped = new Set(mapping.paths.keys());
  return {
    missingNames: mapping.usedNames.filter((name) => reader.bind(name).missing),
    map: (group, held, now) => {
      const { id, attributes } = group;
      const { draft } = evaluate({ id, active: true, attributes }, now, null);
      const { errors } = draft;
      if (draft.fatal || draft.skipped) return { team: null, errors };
      const nameOf = (path: keyof HeldNames, otherwise: string): string | null =>
        mapped.has(path) ? chooseName(draft, path, { held: held?.[path] ?? null, otherwise }) : otherwise;
      const displayName = nameOf('displayName', group.displayName);
      const externalId = nameOf('externalId', id);
      if (displayName === null || externalId === null) return { team: null, errors };
      return { team: { displayName, externalId, values: toValues(draft, mapping) }, errors };
    },
  };
}

interface OtherNames {
  readonly held: string | null;
  /** The group's own. */
  readonly otherwise: string;
}

/**
 * A team has a name and a mark whatever its group lacks: without a value those that it has, then the default, then the
 * group's own. Null: the value is unknown, and there is no team yet that could keep its own.
 */
function chooseName(draft: Draft, path: keyof HeldNames, { held, otherwise }: OtherNames): string | null {
  const always = toText(draft.attributes[path]);
  if (always !== null) return always;
  if (held !== null || draft.kept.includes(path)) return held;
  return toText(draft.onCreate[path]) ?? toText(draft.defaults[path]) ?? otherwise;
}

function toText(value: Json | undefined): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

const NAMES: ReadonlySet<string> = new Set(['displayName', 'externalId'] satisfies (keyof HeldNames)[]);

function toValues(draft: Draft, { paths }: CompiledMapping): TeamValues {
  const others = (values: Attributes): Attributes =>
    Object.fromEntries(Object.entries(values).filter(([path]) => !NAMES.has(path)));
  const unknown = draft.kept
    .filter((path) => paths.get(path)?.required === true)
    .map((path) => `${path} is required and unknown: the team cannot be created`);
  const errors = [...draft.creation.errors, ...unknown];
  const held = draft.creation.held || unknown.length > 0;
  return {
    attributes: others(draft.attributes),
    onCreate: others(draft.onCreate),
    defaults: others(draft.defaults),
    clear: draft.clear.filter((path) => !NAMES.has(path)),
    references: draft.references,
    ...(errors.length === 0 ? {} : { creation: { errors, held } }),
  };
}
