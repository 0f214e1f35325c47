import { execFile } from 'node:child_process';
import { chown, cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

/** One instruction of a Dockerfile; `options` are its `--name=value`, `words` the rest. */
export interface Instruction {
  readonly stage: string;
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly text: string;
}

const KNOWN = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD'];

/** @throws Error for an instruction that this does not know, so that none goes untested */
export async function readDockerfile(path: string): Promise<Instruction[]> {
  const text = (await readFile(path, 'utf8')).replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ');
  let stage = '';
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', options = '', rest = ''] = /^([A-Z]+)\s+((?:--\S+\s+)*)(.*)$/.exec(line.trim()) ?? [];
      if (!KNOWN.includes(name)) throw new Error(`unknown instruction: ${line}`);
      if (name === 'FROM') stage = / AS (\S+)$/i.exec(rest)?.[1] ?? 'final';
      return { stage, name, options: parseOptions(options), text: rest };
    });
}

function parseOptions(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/--([a-z]+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]));
}

/** Entries at the top of the folder that `.dockerignore` (names only, the last match decides) leaves in the build's context. */
export async function listContext(root: string): Promise<string[]> {
  const lines = (await readFile(join(root, '.dockerignore'), 'utf8')).split('\n').map((line) => line.trim());
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const ignored = (name: string): boolean => {
    const last = patterns.findLast((pattern) => pattern === '*' || pattern.replace(/^!/, '') === name);
    return last !== undefined && !last.startsWith('!');
  };
  return (await readdir(root)).filter((name) => !ignored(name)).toSorted();
}

export interface LayOut {
  readonly root: string;
  /** Gets a folder for each stage, which is its `/`. */
  readonly folder: string;
  readonly run: (command: string, cwd: string) => Promise<void>;
}

/** Does what the build would do, each stage in a folder of its own. Gives that of the last stage. */
export async function layOutImage(instructions: readonly Instruction[], layOut: LayOut): Promise<string> {
  const context = await listContext(layOut.root);
  let workdir = '/';
  for (const instruction of instructions) {
    const stage = join(layOut.folder, instruction.stage);
    if (instruction.name === 'FROM') await mkdir(stage);
    if (instruction.name === 'WORKDIR') {
      workdir = instruction.text;
      await mkdir(join(stage, workdir), { recursive: true });
    }
    if (instruction.name === 'RUN') await layOut.run(instruction.text, join(stage, workdir));
    if (instruction.name === 'COPY') await copy(instruction, { ...layOut, context, workdir });
  }
  return join(layOut.folder, instructions.at(-1)?.stage ?? '');
}

interface CopyContext extends LayOut {
  readonly context: readonly string[];
  readonly workdir: string;
}

async function copy({ stage, options, text }: Instruction, layOut: CopyContext): Promise<void> {
  const words = text.split(/\s+/);
  const target = words.at(-1) ?? '';
  const to = join(layOut.folder, stage, target.startsWith('/') ? '' : layOut.workdir, target);
  for (const source of words.slice(0, -1)) {
    const from = locateSource(source, options['from'], layOut);
    await cp(from, target.endsWith('/') ? join(to, basename(source)) : to, { recursive: true });
  }
  if (options['chown'] === undefined || process.getuid?.() !== 0) return;
  const [uid = 0, gid = 0] = options['chown'].split(':').map(Number);
  await chown(to, uid, gid);
}

function locateSource(source: string, stage: string | undefined, { root, folder, context }: CopyContext): string {
  if (stage !== undefined) return join(folder, stage, source);
  if (!context.includes(source)) throw new Error(`${source} is not in the context of the build`);
  return join(root, source);
}

export async function runShell(command: string, cwd: string): Promise<void> {
  await promisify(execFile)('sh', ['-c', command], { cwd });
}

/** The value of the last instruction of that name. */
export function lastOf(instructions: readonly Instruction[], name: string): string {
  const found = instructions.findLast((instruction) => instruction.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found.text;
}
