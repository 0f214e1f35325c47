import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What is told of the whole suite comes at its end; the others stand in the order of their names. */
const LAST = 'rights.test.ts';

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const toRank = ({ moduleId }: TestSpecification): string => `${moduleId.endsWith(LAST) ? 1 : 0} ${moduleId}`;
    return files.toSorted((a, b) => (toRank(a) < toRank(b) ? -1 : 1));
  }
}

export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    globalSetup: ['test/cluster/global-setup.ts'],
    pool: 'forks',
    // One file after another: they share a cluster, and some of them stop its API server.
    fileParallelism: false,
    sequence: { sequencer: InOrder },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
