/** What a converter gives, without what this project would refuse: so that `dirsync validate` takes what is left. */
import { DEFAULT_NAMESPACE } from '../api/metadata.ts';
import type { Resource } from '../api/resources.ts';
import { validateResource } from '../api/validate.ts';
import type { Conversion, ConversionNote } from '../convert/conversion.ts';
import { checkResources, toMappingOptions } from '../reconcile/compile.ts';
import { sourceProviders } from '../sources/registry.ts';
import { targetProviders } from '../targets/registry.ts';

/** Something that is refused, and where it stands. */
interface Refusal {
  readonly kind: string;
  readonly name: string;
  /** JSON pointer. */
  readonly pointer: string;
  readonly message: string;
}

/** Takes out what is refused, one after the other, for one mistake may hide another; each is noted as lost. */
export function settleConversion(conversion: Conversion): Conversion {
  const [refusal] = findRefusals(conversion);
  if (refusal === undefined) return conversion;
  const next = takeOut(conversion, refusal);
  // What cannot be taken out is left for validate to name.
  return next === null ? conversion : settleConversion(next);
}

function findRefusals(conversion: Conversion): readonly Refusal[] {
  const { directorySync, mappings, customAttributes } = conversion;
  const ofSchemas = [...customAttributes, ...mappings, directorySync].flatMap(listSchemaErrors);
  if (ofSchemas.length > 0) return ofSchemas;
  const [source = '', ofSource] = Object.entries(directorySync.spec.source)[0] ?? [];
  const [target = '', ofTarget] = Object.entries(directorySync.spec.target)[0] ?? [];
  const sides = {
    source: { provider: source, config: ofSource },
    target: { provider: target, config: ofTarget },
  };
  const options = toMappingOptions(sides, { sources: sourceProviders, targets: targetProviders });
  const { problems } = checkResources(toInput(conversion), options);
  return problems.filter(({ severity }) => severity === 'error');
}

function listSchemaErrors(resource: Resource): readonly Refusal[] {
  const { kind, metadata } = resource;
  return validateResource(resource)
    .filter(({ severity }) => severity === 'error')
    .map(({ pointer, message }) => ({ kind, name: metadata.name, pointer, message }));
}

function toInput({ directorySync, mappings, customAttributes }: Conversion): Parameters<typeof checkResources>[0] {
  const place = <T extends Resource>(resource: T): T => ({
    ...resource,
    metadata: { ...resource.metadata, namespace: DEFAULT_NAMESPACE },
  });
  const resource = place(directorySync);
  return {
    resource,
    resources: {
      directorySyncs: [resource],
      attributeMappings: mappings.map(place),
      teamRules: [],
      customAttributes: customAttributes.map(place),
    },
  };
}

const ENTRY = /^\/spec\/attributes\/(\d+)(?:\/(default|matching))?/;

/** Null: it belongs to no part that could be left out. */
function takeOut(conversion: Conversion, refusal: Refusal): Conversion | null {
  if (refusal.kind === 'CustomAttribute') return takeOutCustom(conversion, refusal);
  const mapping = conversion.mappings.find(({ metadata }) => metadata.name === refusal.name);
  if (refusal.kind !== 'AttributeMapping' || mapping === undefined) return null;
  return takeOutEntry(conversion, mapping, refusal) ?? takeOutMapping(conversion, mapping, refusal);
}

function takeOutCustom(conversion: Conversion, { name, message }: Refusal): Conversion | null {
  const custom = conversion.customAttributes.find(({ metadata }) => metadata.name === name);
  if (custom === undefined) return null;
  const customAttributes = conversion.customAttributes.filter((each) => each !== custom);
  return { ...conversion, customAttributes, notes: withLost(conversion, `User ${custom.spec.path}`, message) };
}

type Mapping = Conversion['mappings'][number];

/** Of a default or a matching that is refused, that alone. */
function takeOutEntry(conversion: Conversion, mapping: Mapping, { pointer, message }: Refusal): Conversion | null {
  const [, index, part] = ENTRY.exec(pointer) ?? [];
  const entry = index === undefined ? undefined : mapping.spec.attributes?.[Number(index)];
  if (entry === undefined) return null;
  const { default: _default, ...withoutDefault } = entry;
  const { matching: _matching, ...withoutMatching } = entry;
  const left = part === 'default' ? [withoutDefault] : part === 'matching' ? [withoutMatching] : [];
  const attributes = (mapping.spec.attributes ?? []).flatMap((each) => (each === entry ? left : [each]));
  const mappings = conversion.mappings.map((each) =>
    each === mapping ? { ...mapping, spec: { ...mapping.spec, attributes } } : each,
  );
  const what = part === undefined ? message : `its ${part} is left out: ${message}`;
  return { ...conversion, mappings, notes: withLost(conversion, `${toObject(mapping)} ${entry.target}`, what) };
}

/** Teams without one have the name and the id of their group; users cannot do without. */
function takeOutMapping(conversion: Conversion, mapping: Mapping, { message }: Refusal): Conversion | null {
  if (toObject(mapping) === 'User') return null;
  const { directorySync, mappings } = conversion;
  const named = (directorySync.spec.mappings ?? []).filter(({ name }) => name !== mapping.metadata.name);
  return {
    ...conversion,
    directorySync: { ...directorySync, spec: { ...directorySync.spec, mappings: named } },
    mappings: mappings.filter((each) => each !== mapping),
    notes: withLost(conversion, 'Group', message),
  };
}

function toObject({ spec }: Mapping): 'User' | 'Group' {
  return spec.resource === 'User' ? 'User' : 'Group';
}

function withLost({ notes }: Conversion, about: string, message: string): readonly ConversionNote[] {
  return [...notes, { kind: 'lost', about, message }];
}
