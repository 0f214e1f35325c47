/** The target applications of this build, by their key under `spec.target`: a line for each. */
import { scimTarget } from './scim/index.ts';
import type { TargetProvider } from './target.ts';

const providers: readonly TargetProvider<never>[] = [scimTarget];

export const targetProviders: ReadonlyMap<string, TargetProvider<unknown>> = new Map(
  providers.map((provider) => [provider.name, provider]),
);
