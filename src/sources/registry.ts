/** The source directories of this build, by their key under `spec.source`: a line for each. */
import { entraSource } from './entra/index.ts';
import { fileSource } from './file/index.ts';
import { googleSource } from './google/index.ts';
import { ldapSource } from './ldap/index.ts';
import { scimSource } from './scim/index.ts';
import type { SourceProvider } from './source.ts';
import { workosSource } from './workos/index.ts';

const providers: readonly SourceProvider<never>[] = [
  entraSource,
  fileSource,
  googleSource,
  ldapSource,
  scimSource,
  workosSource,
];

export const sourceProviders: ReadonlyMap<string, SourceProvider<unknown>> = new Map(
  providers.map((provider) => [provider.name, provider]),
);
