/** What a look at source or target from outside of a run begins with. Nothing is written, neither there nor in the state. */
import { type ResolvedDirectorySyncSpec, withDefaults } from '../api/defaults.ts';
import type { ResourceSet } from '../api/host.ts';
import { validateResource } from '../api/validate.ts';
import { SyncError } from '../errors.ts';
import { type CompiledResources, compileResources, toMappingOptions } from './compile.ts';
import { checkConfigs, type Opening } from './open.ts';

export interface LookInput extends Omit<Opening, 'onPause'> {
  readonly resources: ResourceSet;
}

export interface Prepared {
  readonly opening: Opening;
  readonly spec: ResolvedDirectorySyncSpec;
  /** Null: mappings and rules are invalid, and nothing can be compared with them. */
  readonly compiled: CompiledResources | null;
  /** What is wrong with them; null: nothing. */
  readonly problem: string | null;
}

/**
 * Whoever looks first has no mapping yet: one that is missing or invalid is no error.
 * @throws SyncError `Invalid` for a DirectorySync that is wrong in itself
 */
export function prepareLook(input: LookInput): Prepared {
  const spec = toSpec(input);
  return { opening: { ...input, onPause: () => undefined }, spec, ...compile(input, spec) };
}

function toSpec({ resource, providers }: LookInput): ResolvedDirectorySyncSpec {
  const problem = validateResource(resource).find(({ severity }) => severity === 'error');
  if (problem !== undefined) throw new SyncError('Invalid', `${problem.pointer}: ${problem.message}`);
  const spec = withDefaults(resource);
  checkConfigs(providers, spec);
  return spec;
}

function compile(input: LookInput, spec: ResolvedDirectorySyncSpec): Pick<Prepared, 'compiled' | 'problem'> {
  try {
    return { compiled: compileResources(input, toMappingOptions(spec, input.providers)), problem: null };
  } catch (thrown) {
    const error = SyncError.from(thrown);
    if (error.code !== 'Invalid' && error.code !== 'ReferenceNotFound') throw thrown;
    return { compiled: null, problem: error.message };
  }
}
