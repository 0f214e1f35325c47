/** Options that several commands have, declared once. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_STATE } from './session.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export function withFolder(command: Command): Command {
  return command.requiredOption('-f, --filename <dir>', 'folder with the manifests (or one file)');
}

export function withSecrets(command: Command): Command {
  return command.option('--secrets <dir>', 'Secrets as files <dir>/<name>/<key>; they win over those in the folder');
}

export function withState(command: Command): Command {
  return command.option('--state <file>', 'state file', DEFAULT_STATE);
}

export function withLogLevel(command: Command, level: (typeof LOG_LEVELS)[number]): Command {
  return command.addOption(
    new Option('--log-level <level>', 'what is logged on standard error').choices(LOG_LEVELS).default(level),
  );
}

export function withOutput(command: Command, formats: readonly string[]): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how results are printed').choices(formats).default('text'),
  );
}

/** What every command over a folder and its state has. */
export function withFolderOptions(command: Command): Command {
  return withLogLevel(withState(withSecrets(withFolder(command))), 'warn');
}

export function parseHash(text: string): string {
  if (/^[0-9a-f]{16}$/.test(text)) return text;
  throw new InvalidArgumentError('a hash has 16 hexadecimal digits; dirsync plan prints the one of the held set');
}
