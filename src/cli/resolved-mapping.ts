/** An AttributeMapping as it is carried out: with every entry of its preset. */
import type { AttributeMappingResource } from '../api/attribute-mapping.ts';
import { withDefaults } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceSet } from '../api/host.ts';
import { validateResource } from '../api/validate.ts';
import { compileCustomAttributes } from '../mapping/custom-attributes.ts';
import { toTargetKey } from '../mapping/entry.ts';
import { LEAVES_EXTENSIONS_OUT, resolvePreset } from '../mapping/presets.ts';
import { toMappingOptions } from '../reconcile/compile.ts';
import { sourceProviders } from '../sources/registry.ts';
import { targetProviders } from '../targets/registry.ts';

const PROVIDERS = { sources: sourceProviders, targets: targetProviders };

export interface ResolvedMapping {
  readonly resource: AttributeMappingResource;
  /** DirectorySyncs whose application takes other attributes than that of the first; their entries are not shown. */
  readonly otherwise: readonly string[];
}

/** For the application of the first DirectorySync that uses it; without one, for any. */
export function resolveMapping(mapping: AttributeMappingResource, resources: ResourceSet): ResolvedMapping {
  const { metadata } = mapping;
  const { resource: kind } = mapping.spec;
  const customs = resources.customAttributes.filter((each) => each.metadata.namespace === metadata.namespace);
  const resolved = listUsers(mapping, resources).map((sync) => {
    const { leavesOut = LEAVES_EXTENSIONS_OUT } = toMappingOptions(withDefaults(sync), PROVIDERS);
    const set = compileCustomAttributes(customs, sync.metadata.name, [], kind);
    return {
      name: sync.metadata.name,
      spec: resolvePreset(mapping.spec, leavesOut, (target) => toTargetKey(target, set)),
    };
  });
  const any = resolvePreset(mapping.spec, LEAVES_EXTENSIONS_OUT, (target) =>
    toTargetKey(target, compileCustomAttributes(customs, '', [], kind)),
  );
  const spec = resolved[0]?.spec ?? any;
  const text = JSON.stringify(spec);
  const otherwise = resolved.filter((each) => JSON.stringify(each.spec) !== text).map(({ name }) => name);
  return { resource: { ...mapping, spec }, otherwise };
}

function listUsers({ metadata }: AttributeMappingResource, { directorySyncs }: ResourceSet): DirectorySyncResource[] {
  return directorySyncs.filter(
    (sync) =>
      sync.metadata.namespace === metadata.namespace &&
      (sync.spec.mappings ?? []).some(({ name }) => name === metadata.name) &&
      !validateResource(sync).some(({ severity }) => severity === 'error'),
  );
}
