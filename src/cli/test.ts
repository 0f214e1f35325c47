/** `dirsync test`: MappingTests, without any directory. */
import { type Command, Option } from 'commander';
import { toPlacedMessage } from '../api/messages.ts';
import { SyncError } from '../errors.ts';
import { type ManifestSet, readManifests, toResourceSet } from '../local/manifests.ts';
import { type PlacedCase, readMappingTests, toResourceFolder } from '../local/mapping-tests.ts';
import { formatPosition } from '../local/problem.ts';
import { runCase, type TestedResources } from '../mapping/mapping-test.ts';
import { compileMappingAlone, compileResources, toDirectoryOf } from '../reconcile/compile.ts';
import { sourceProviders } from '../sources/registry.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { type CliIo, toPath } from './io.ts';
import { withOutput } from './options.ts';
import { TEST_FORMATS, type TestFormat, type TestResult } from './test-formats.ts';

interface TestOptions {
  readonly filename?: string;
  readonly output: TestFormat;
}

export function declareTest(program: Command, context: CommandContext): void {
  const command = program
    .command('test')
    .description('run MappingTests: expressions, rules and mappings against users that the tests describe')
    .argument('<files...>', 'files with MappingTests')
    .addOption(
      new Option('-f, --filename <dir>', 'folder with the resources that the tests name; by default beside each file'),
    );
  withOutput(command, Object.keys(TEST_FORMATS)).action((files: readonly string[], options: TestOptions) =>
    runCommand(context, () => test(context.io, files, options)),
  );
}

async function test(io: CliIo, files: readonly string[], { filename, output }: TestOptions): Promise<ExitCode> {
  const results: TestResult[] = [];
  for (const file of files) {
    const path = toPath(io, file);
    const cases = await readMappingTests(path);
    const needsFolder = cases.some(({ test: each }) => each.mapping !== undefined || each.teamRules !== undefined);
    const folder = filename === undefined ? toResourceFolder(path) : toPath(io, filename);
    const set = needsFolder ? await readManifests(folder) : null;
    for (const placed of cases) {
      const shown = { ...placed, at: { ...placed.at, file } };
      results.push(toResult(shown, runCase(placed.test, toResources(set, placed.namespace))));
    }
  }
  await io.stdout(TEST_FORMATS[output](results));
  return results.every(({ pass }) => pass) ? EXIT.done : EXIT.failed;
}

function toResult({ name, at }: PlacedCase, { pass, message }: ReturnType<typeof runCase>): TestResult {
  return { name, pass, message, place: formatPosition(at) };
}

function toResources(set: ManifestSet | null, namespace: string): TestedResources {
  const resources = set === null ? null : toResourceSet(set);
  const missing = (kind: string, name: string): SyncError =>
    new SyncError('ReferenceNotFound', `there is no valid ${kind} ${JSON.stringify(name)} in namespace ${namespace}`);
  return {
    mapping: (name) => {
      const found = resources?.attributeMappings.find(
        ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
      );
      if (resources === null || found === undefined) throw missing('AttributeMapping', name);
      return compileMappingAlone(found, resources, sourceProviders);
    },
    teamRules: (name) => {
      const resource = resources?.directorySyncs.find(
        ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
      );
      if (resources === null || resource === undefined) throw missing('DirectorySync', name);
      const compiled = compileResources(
        { resource, resources },
        { provider: toDirectoryOf(resource, sourceProviders) },
      );
      const wrong = compiled.problems.find(({ severity, kind }) => severity === 'error' && kind === 'TeamRule');
      if (wrong !== undefined) throw new SyncError('Invalid', `TeamRule ${wrong.name}: ${toPlacedMessage(wrong)}`);
      return compiled;
    },
  };
}
