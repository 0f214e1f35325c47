/** `dirsync check target` and `dirsync check source`: is it reachable, and what can it do? Writes nothing. */
import type { Command } from 'commander';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { LocalHost } from '../local/host.ts';
import { checkSource, checkTarget } from '../reconcile/check.ts';
import type { ProbeFinding } from '../targets/target.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { openFolder, toLookInput } from './look.ts';
import { withFolder, withOutput, withSecrets } from './options.ts';
import { printItems } from './plan-json.ts';
import { selectSyncs } from './session.ts';
import { createStyle, type Style } from './style.ts';

interface CheckOptions {
  readonly filename: string;
  readonly secrets?: string;
  readonly output: 'text' | 'json';
}

const SIDES = {
  target: {
    look: checkTarget,
    description: 'reach the target with the credentials of the resource, and say what will not work there',
  },
  source: {
    look: checkSource,
    description: 'reach the source, and say who it is and which attributes its first page has',
  },
} as const;
type Side = keyof typeof SIDES;

export function declareCheck(program: Command, context: CommandContext): void {
  const check = program.command('check').description('whether source or target can be used; reads only');
  for (const side of ['target', 'source'] as const) {
    const command = check
      .command(side)
      .description(SIDES[side].description)
      .argument('[name]', 'one DirectorySync; all of the folder without it');
    withOutput(withSecrets(withFolder(command)), ['text', 'json']).action(
      (name: string | undefined, options: CheckOptions) =>
        runCommand(context, () => runCheck(context.io, side, { ...options, name })),
    );
  }
}

async function runCheck(
  io: CliIo,
  side: Side,
  options: CheckOptions & { readonly name: string | undefined },
): Promise<ExitCode> {
  const host = openFolder(io, options);
  try {
    const syncs = await selectSyncs({ io, host, options }, options.name);
    const verdicts: boolean[] = [];
    const one = async (resource: DirectorySyncResource): Promise<void> => {
      verdicts.push(await checkOne(io, side, { host, resource, output: options.output }));
    };
    if (options.output === 'json') await printItems(io, syncs, one);
    else for (const resource of syncs) await one(resource);
    return verdicts.every((isFine) => isFine) ? EXIT.done : EXIT.failed;
  } finally {
    await host.close();
  }
}

interface Checking {
  readonly host: LocalHost;
  readonly resource: DirectorySyncResource;
  readonly output: CheckOptions['output'];
}

/** True: nothing was found that cannot work. */
async function checkOne(io: CliIo, side: Side, { host, resource, output }: Checking): Promise<boolean> {
  const input = toLookInput(io, host, resource);
  const { namespace, name } = resource.metadata;
  const style = createStyle(io);
  const findings: ProbeFinding[] = [];
  if (output === 'text') await io.stdout(`${style.bold(`${name}: ${side}`)}\n`);
  for await (const finding of SIDES[side].look(input, AbortSignal.any([io.stopping, io.hard]))) {
    findings.push(finding);
    if (output === 'text') await io.stdout(formatFinding(style, finding));
  }
  const ok = !findings.some(({ verdict }) => verdict === 'error');
  if (output === 'json') {
    await io.stdout(JSON.stringify({ directorySync: `${namespace}/${name}`, side, ok, findings }, null, 2));
  }
  return ok;
}

function formatFinding(style: Style, { verdict, about, message }: ProbeFinding): string {
  const paint = { ok: style.green, warning: style.yellow, error: style.red }[verdict];
  return `  ${paint(verdict.padEnd(7))} ${about}: ${message}\n`;
}
