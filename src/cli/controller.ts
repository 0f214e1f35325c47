/** `dirsync controller`: the loop over a cluster's resources. */
import type { Command } from 'commander';
import type { LogLevel } from '../telemetry/log.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT } from './exit-code.ts';
import { toPath } from './io.ts';
import { withLogLevel, withState } from './options.ts';
import { readVersion } from './session.ts';

interface ControllerFlags {
  readonly state: string;
  readonly namespace?: readonly string[];
  readonly allowPath?: readonly string[];
  readonly workloadIdentityNamespace?: readonly string[];
  readonly listen: string;
  readonly logLevel: LogLevel;
}

export function declareController(program: Command, { io, finish }: CommandContext): void {
  const command = program
    .command('controller')
    .description('the loop in a cluster, found by KUBECONFIG or from inside a pod')
    .option('--namespace <ns...>', 'namespaces that are followed; all without it')
    .option('--allow-path <dir...>', 'folders whose files sources may read; none without it')
    .option(
      '--workload-identity-namespace <ns...>',
      "namespaces whose resources may use the controller's workload identity; none without it",
    )
    .option('--listen <address>', 'host:port of /healthz, /readyz and /metrics', '0.0.0.0:8080');
  withLogLevel(withState(command), 'info').action((flags: ControllerFlags) =>
    runCommand({ io, finish }, async () => {
      // The Kubernetes client takes longer to load than most commands take to run.
      const { runController } = await import('../main.ts');
      await runController({
        state: toPath(io, flags.state),
        namespaces: flags.namespace ?? [],
        allowPaths: (flags.allowPath ?? []).map((path) => toPath(io, path)),
        identityNamespaces: flags.workloadIdentityNamespace ?? [],
        env: io.env,
        listen: flags.listen,
        logLevel: flags.logLevel,
        version: readVersion(),
        stopping: io.stopping,
        hard: io.hard,
      });
      return EXIT.done;
    }),
  );
}
