/**
 * The main job in one command: a company of 250 people in a CSV converges into the embedded directory, then four of them
 * change. Runs the real commands on a copy of `examples/quickstart`, checks what they did, and leaves nothing behind.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'csv-parse/sync';
import { startDirectory } from '../src/directory/server.ts';
import { fromScimSchemaResource, type SchemaDefinition } from '../src/scim/schema.ts';
import { PEOPLE_COLUMNS, type PersonRow, toCsvLine } from './generate-people.ts';

const ROOT = join(import.meta.dirname, '..');
const LAUNCHER = join(ROOT, 'bin/dirsync.js');
const TOKEN = 'quickstart-token';

/** The extension in which the application of the example keeps its custom attribute. */
const SCHEMA = 'examples/application/acme-user.schema.json';

interface Ran {
  readonly code: number;
  readonly stdout: string;
}

/** Runs one command in the folder, shows it as a person would have typed it, and stops the whole when it fails. */
async function dirsync(folder: string, args: readonly string[], { show = true, expect = 0 } = {}): Promise<Ran> {
  if (show) say(`\n$ dirsync ${args.join(' ')}`);
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', show ? 'inherit' : 'ignore'],
  });
  if (show) child.stdout.pipe(process.stdout, { end: false });
  const [stdout, code] = await Promise.all([
    text(child.stdout),
    new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 1))),
  ]);
  if (code !== expect) throw new Error(`dirsync ${args[0]} ended with ${code}, ${expect} was expected`);
  return { code, stdout };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`the quickstart expected ${what}`);
}

type Row = Record<keyof PersonRow, string>;

async function readSchema(): Promise<SchemaDefinition> {
  const schema = fromScimSchemaResource(JSON.parse(await readFile(join(ROOT, SCHEMA), 'utf8')));
  if (schema === null) throw new Error(`${SCHEMA} is no schema`);
  return schema;
}

/** What the edit must come to, as `kind id`; sorted. */
type Expected = readonly string[];

/** A joiner, a mover, a leaver, a rename: what a company does in a week. */
async function editPeople(file: string): Promise<Expected> {
  const rows: Row[] = parse(await readFile(file, 'utf8'), { columns: true, bom: true });
  const active = rows.filter((row) => row.accountEnabled.toLowerCase() === 'true');
  const managers = new Set(rows.map((row) => row.manager));
  const plain = active.filter((row) => !managers.has(row.objectId));
  const [leaver, renamed] = plain;
  const mover = active.find((row) => row.department === 'Finance' && row.jobTitle.startsWith('Senior Manager'));
  if (leaver === undefined || renamed === undefined || mover === undefined)
    throw new Error('the example has too few people');
  const joiner: Row = {
    ...renamed,
    objectId: '00000000-0000-4000-8000-00000000a001',
    userPrincipalName: 'nadia.newcomer@corp.example',
    mail: 'nadia.newcomer@corp.example',
    givenName: 'Nadia',
    surname: 'Newcomer',
    displayName: 'Nadia Newcomer',
    alternateEmailAddress: '',
  };
  renamed.surname = 'Newname';
  renamed.displayName = `${renamed.givenName} Newname`;
  renamed.mail = `${renamed.givenName.toLowerCase()}.newname@corp.example`;
  renamed.userPrincipalName = renamed.mail;
  mover.department = 'Marketing';
  mover.jobTitle = 'Brand Manager';
  const after = [...rows.filter((row) => row !== leaver), joiner];
  const lines = [PEOPLE_COLUMNS, ...after.map((row) => PEOPLE_COLUMNS.map((column) => row[column]))];
  await writeFile(file, lines.map((cells) => toCsvLine(cells)).join(''));
  return [
    `create ${joiner.objectId}`,
    `deactivate ${leaver.objectId}`,
    `update ${mover.objectId}`,
    `rename ${renamed.objectId}`,
    `update ${renamed.objectId}`,
  ].sort();
}

interface PlanJson {
  readonly operations: readonly { readonly kind: string; readonly resource: string; readonly id: string }[];
}

async function main(): Promise<void> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-quickstart-'));
  const directory = await startDirectory({
    file: join(folder, 'directory.db'),
    token: TOKEN,
    schemas: [await readSchema()],
  });
  try {
    await cp(join(ROOT, 'examples/quickstart'), join(folder, 'acme'), { recursive: true });
    const manifest = join(folder, 'acme/directory-sync.yaml');
    await writeFile(
      manifest,
      (await readFile(manifest, 'utf8')).replace(/http:\/\/127\.0\.0\.1:\d+\/scim\/v2/, directory.url),
    );
    say('A SCIM application to try things on is listening (the embedded directory, empty).');
    say('The manifests and the CSV of 250 invented people are those of examples/quickstart.');
    await dirsync(folder, ['validate', '-f', 'acme']);
    await dirsync(folder, ['plan', '-f', 'acme']);
    await dirsync(folder, ['apply', '-f', 'acme', '--yes']);
    const { writes } = directory.counts();
    say('\nThe same again: nothing has changed, so nothing is written.');
    await dirsync(folder, ['plan', '-f', 'acme']);
    await dirsync(folder, ['apply', '-f', 'acme', '--yes']);
    check('no write of the second apply', directory.counts().writes === writes);
    say(
      '\nNow people.csv is edited: somebody joins, somebody leaves, somebody moves to another department, somebody takes another name.',
    );
    const expected = await editPeople(join(folder, 'acme/people.csv'));
    const { stdout } = await dirsync(folder, ['plan', '-f', 'acme', '-o', 'json'], { show: false });
    const plan: PlanJson = JSON.parse(stdout);
    const people = plan.operations.filter(({ resource }) => resource === 'User');
    const planned = people.map(({ kind, id }) => `${kind} ${id}`).sort();
    check(`of people exactly ${expected.join(', ')}, not ${planned.join(', ')}`, isDeepStrictEqual(planned, expected));
    await dirsync(folder, ['plan', '-f', 'acme']);
    await dirsync(folder, ['apply', '-f', 'acme', '--yes']);
    await dirsync(folder, ['get', 'directorysyncs']);
    await dirsync(folder, ['history']);
    say(`\nDone in ${Math.round((performance.now() - started) / 1000)} s. What to try next, from this checkout:`);
    say('  npm run -s dirsync -- serve --port 8085 --token-file <(printf quickstart-token) \\');
    say(`    --schema ${SCHEMA}      # in a second terminal`);
    say('  npm run -s dirsync -- plan -f examples/quickstart       # what would change');
    say(
      '  npm run -s dirsync -- apply -f examples/quickstart      # do it; then edit people.csv, mapping.yaml or rules.yaml',
    );
    say('  docs/directory-sync.md, docs/expressions.md             # what the manifests can say');
  } finally {
    await directory.close();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
