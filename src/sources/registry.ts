/** The source directories of this build, by their key under `spec.source`: a line for each. */
import { fileSource } from './file/index.ts';
import type { SourceProvider } from './source.ts';

const providers: readonly SourceProvider<never>[] = [fileSource];

export const sourceProviders: ReadonlyMap<string, SourceProvider<unknown>> = new Map(
  providers.map((provider) => [provider.name, provider]),
);
