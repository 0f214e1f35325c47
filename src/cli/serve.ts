/** `dirsync serve`: the embedded SCIM directory on a port, to try things on. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { startDirectory } from '../directory/server.ts';
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import { fromScimSchemaResource, type SchemaDefinition } from '../scim/schema.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, UsageError } from './exit-code.ts';
import { type CliIo, toPath } from './io.ts';

export interface ServeOptions {
  readonly file: string;
  readonly host: string;
  readonly port: number;
  readonly basePath: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly open?: boolean;
  readonly lenient?: boolean;
  readonly schema: readonly string[];
}

export function declareServe(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .description('the embedded SCIM 2.0 directory: an application to try things on')
    .option('--file <file>', 'SQLite file with its users and groups; ":memory:" keeps nothing', '.dirsync/directory.db')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', parsePort, 8085)
    .option('--base-path <path>', 'path of the service', '/scim/v2')
    .option('--token <token>', 'bearer token that requests must carry; a random one is made and printed without it')
    .option('--token-file <file>', 'the token is the first line of this file')
    .option(
      '--schema <file>',
      'a SCIM schema (RFC 7643 section 7, JSON) that users or groups are extended by; may be given several times',
      (file: string, files: readonly string[]) => [...files, file],
      [],
    )
    .option('--open', 'let everybody in, without a token')
    .option(
      '--lenient',
      'understand what Entra ID and others send beside RFC 7644, as "op": "Replace"; refused without it',
    )
    .action((options: ServeOptions) => runCommand(context, () => serve(context.io, options)));
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535 && text.trim() !== '') return port;
  throw new InvalidArgumentError('a port is a whole number from 0 to 65535');
}

async function serve(io: CliIo, options: ServeOptions): Promise<ExitCode> {
  const token = await readToken(io, options);
  const file = options.file === ':memory:' ? options.file : toPath(io, options.file);
  if (file !== ':memory:') await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const { host, port, basePath, lenient = false } = options;
  const directory = await startDirectory({
    ...{ file, token, host, port, basePath, lenient },
    schemas: await Promise.all(options.schema.map((path) => readSchema(io, path))),
    onError: (error) => io.stderr(`a request failed: ${SyncError.from(error).message}\n`),
  });
  try {
    await io.stdout(`serving ${directory.url}\n`);
    if (token !== null && options.token === undefined && options.tokenFile === undefined) {
      await io.stdout(`token ${token}\n`);
    }
    await untilAborted(io.stopping);
  } finally {
    await directory.close();
  }
  const { writes, byMethod } = directory.counts();
  const requests = Object.values(byMethod).reduce((sum, count) => sum + count, 0);
  io.stderr(`stopped after ${requests} requests, ${writes} of them writes\n`);
  return EXIT.done;
}

async function readSchema(io: CliIo, file: string): Promise<SchemaDefinition> {
  const text = await readFile(toPath(io, file), 'utf8').catch((cause: unknown) => {
    throw new SyncError('Invalid', `the schema ${file} cannot be read`, { cause });
  });
  const schema = fromScimSchemaResource(parseJson(text));
  if (schema !== null) return schema;
  throw new SyncError('Invalid', `${file} is no SCIM schema: a JSON object with an "id" (the URN) and "attributes"`);
}

/** What does not parse is no schema either. */
function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

async function readToken(io: CliIo, { token, tokenFile, open }: ServeOptions): Promise<string | null> {
  const given = [token !== undefined, tokenFile !== undefined, open === true].filter(Boolean);
  if (given.length > 1) throw new UsageError('only one of --token, --token-file and --open can hold');
  if (open === true) return null;
  if (token !== undefined) return token;
  if (tokenFile === undefined) return randomBytes(24).toString('base64url');
  const text = await readFile(toPath(io, tokenFile), 'utf8').catch((cause: unknown) => {
    throw new SyncError('Invalid', `the token file ${tokenFile} cannot be read`, { cause });
  });
  const [first = ''] = text.split(/\r?\n/);
  if (first.trim() === '')
    throw new SyncError('Invalid', `the first line of ${tokenFile} is empty; it must be the token`);
  return first.trim();
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
