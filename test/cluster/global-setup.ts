import type { TestProject } from 'vitest/node';
import { type ClusterAddress, type RunningCluster, startCluster } from './cluster.ts';
import { resolveTools } from './tools.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: ClusterAddress;
  }
}

let cluster: RunningCluster | undefined;

/** One cluster for the whole suite. What is missing is said in one line: without a cluster the suite has failed. */
export async function setup(project: TestProject): Promise<void> {
  try {
    cluster = await startCluster({ tools: await resolveTools() });
  } catch (error) {
    process.stderr.write(`test:cluster: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  project.provide('cluster', cluster.address);
}

export async function teardown(): Promise<void> {
  await cluster?.stop();
}
