/**
 * Fails when an import in `src/` goes the wrong way (the rules are in import-rules.ts), when files import each other in
 * a circle, or when code that must be pure reads a clock or draws a random number.
 *
 *   node scripts/check-imports.ts [ROOT]
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  HTTP_FILES,
  HTTP_LAYERS,
  HTTP_MODULES,
  IMPURE_CODE,
  IMPURE_MODULES,
  LAYERS,
  type Layer,
  MACHINE,
  PURE_LAYERS,
  SHARED_FILES,
} from './import-rules.ts';
import { blankOutText, type ImportStatement, lineAt, parseImports } from './source-text.ts';

export interface Violation {
  /** Below the root. */
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

interface SourceFile {
  /** Below `src/`. */
  readonly path: string;
  readonly layer: Layer;
  /** Text with comments and strings blanked. */
  readonly code: string;
  readonly imports: readonly ImportStatement[];
}

/** Null: a place that import-rules.ts does not know. */
function toLayer(path: string): Layer | null {
  const [folder = '', ...rest] = path.split('/');
  if (folder === 'sources' || folder === 'targets') {
    if (rest.length > 1) return 'provider';
    if (rest[0] === 'registry.ts') return 'registry';
    return rest[0] === `${folder.slice(0, -1)}.ts` || SHARED_FILES.has(path) ? 'contracts' : null;
  }
  const name = rest.length === 0 ? folder.replace(/\.ts$/, '') : folder;
  const isFile = name !== folder;
  const expectsFile = ['main', 'model', 'errors', 'nearest-name', 'duration', 'team-key', 'text-error'].includes(name);
  return name in LAYERS && isFile === expectsFile ? (name as Layer) : null;
}

/** The file below `src/` that a relative import names; null for a package. */
function resolveTarget(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null;
}

/** `sources/file` for everything of the provider `file`. */
function providerFolder(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

const list = (names: Iterable<string>) => [...names].join(', ') || 'nothing';

type Check = (file: SourceFile, statement: ImportStatement, target: string | null) => string | null;

const checkLayer: Check = (file, statement, target) => {
  if (target === null) return null;
  const layer = toLayer(target);
  if (layer === null) return `imports ${target}, allowed is what lies in a folder that scripts/import-rules.ts lists`;
  const { imports, types = [] } = LAYERS[file.layer];
  if (layer === file.layer || imports.includes(layer)) return null;
  if (types.includes(layer)) {
    return statement.typeOnly
      ? null
      : `imports code of ${layer} (${target}), allowed is only \`import type\` from there`;
  }
  const allowed = list([...imports, ...types.map((name) => `types of ${name}`)]);
  return `${file.layer} imports ${layer} (${target}), allowed is ${allowed}`;
};

const checkProvider: Check = (file, _statement, target) => {
  if (file.layer !== 'provider' || target === null) return null;
  const own = providerFolder(file.path);
  const layer = toLayer(target);
  if (layer === 'provider' && providerFolder(target) !== own) {
    return `a provider imports its sibling ${providerFolder(target)}, allowed is its own folder ${own}`;
  }
  if (layer === 'contracts' && posix.dirname(target) !== posix.dirname(own)) {
    return `a provider imports ${target}, allowed is its own contract in ${posix.dirname(own)}`;
  }
  return null;
};

const checkMachine: Check = (file, statement, target) => {
  if (file.path !== MACHINE.file || statement.typeOnly) return null;
  const packages: readonly string[] = MACHINE.packages;
  const known = target === null ? packages.includes(statement.specifier) : target.startsWith(MACHINE.folder);
  if (known) return null;
  return `the machine imports ${target ?? statement.specifier}, allowed is ${list(packages)}, types, and step functions of ${MACHINE.folder}`;
};

const checkHttp: Check = (file, statement) => {
  if (!HTTP_MODULES.has(statement.specifier)) return null;
  if (HTTP_LAYERS.has(file.layer) || HTTP_FILES.has(file.path)) return null;
  return `imports ${statement.specifier}, allowed is the client of http/ (only ${list([...HTTP_LAYERS, ...HTTP_FILES])} may)`;
};

const checkPurity: Check = (file, statement) => {
  if (!PURE_LAYERS.has(file.layer) || !IMPURE_MODULES.has(statement.specifier)) return null;
  return `${file.layer} is pure and imports ${statement.specifier}, allowed is to take what it needs as an argument`;
};

const CHECKS: readonly Check[] = [checkLayer, checkProvider, checkMachine, checkHttp, checkPurity];

const COMPUTED_IMPORT = /(?<![.\w$])import\s*\(\s*(?!['"])/g;
const FETCH = /(?<![.\w$])fetch\s*\(|\bglobalThis\.fetch\b/g;

/** What stands in the code itself, whatever it imports. */
function* checkCode(file: SourceFile): Generator<Omit<Violation, 'file'>> {
  const found = (pattern: RegExp) => [...file.code.matchAll(pattern)].map((match) => lineAt(file.code, match.index));
  for (const line of found(COMPUTED_IMPORT)) {
    yield { line, message: 'imports a computed name, allowed is a literal one: this check must be able to read it' };
  }
  if (file.layer !== 'http') {
    for (const line of found(FETCH)) yield { line, message: 'uses fetch, allowed is the client of http/' };
  }
  if (!PURE_LAYERS.has(file.layer)) return;
  for (const { what, pattern } of IMPURE_CODE) {
    for (const line of found(pattern)) {
      yield { line, message: `${file.layer} is pure and uses ${what}, allowed is to take it as an argument` };
    }
  }
}

function checkFile(file: SourceFile): Violation[] {
  const violations = [...checkCode(file)];
  for (const statement of file.imports) {
    const target = resolveTarget(file.path, statement.specifier);
    for (const check of CHECKS) {
      const message = check(file, statement, target);
      if (message !== null) violations.push({ line: statement.line, message });
    }
  }
  return violations.map((violation) => ({ file: `src/${file.path}`, ...violation }));
}

/**
 * One violation for each import that closes a circle, found depth first: which file of it runs first depends on who
 * asks, and what the others export is not there yet. Types are gone by then and may point back.
 */
function checkCircles(files: ReadonlyMap<string, SourceFile>): Violation[] {
  const violations: Violation[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    const file = files.get(path);
    if (file === undefined || done.has(path)) return;
    const here = [...trail, path];
    for (const { specifier, line, typeOnly } of file.imports) {
      const target = resolveTarget(path, specifier);
      if (target === null || typeOnly) continue;
      const start = here.indexOf(target);
      if (start === -1) visit(target, here);
      else {
        const circle = [...here.slice(start), target].join(' → ');
        violations.push({
          file: `src/${path}`,
          line,
          message: `closes the circle ${circle}, allowed is one direction`,
        });
      }
    }
    done.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  return violations;
}

/**
 * Checks the files of a `src/` folder.
 * @param texts content by path below `src/`, with slashes
 * @returns in the order of files and lines
 */
export function checkImports(texts: ReadonlyMap<string, string>): Violation[] {
  const violations: Violation[] = [];
  const files = new Map<string, SourceFile>();
  for (const [path, text] of texts) {
    const layer = toLayer(path);
    if (layer === null) {
      const message = `lies outside of the known folders, allowed are ${list(Object.keys(LAYERS))} (scripts/import-rules.ts)`;
      violations.push({ file: `src/${path}`, line: 1, message });
      continue;
    }
    const code = blankOutText(text);
    const file: SourceFile = { path, layer, code, imports: parseImports(text, code) };
    files.set(path, file);
    violations.push(...checkFile(file));
  }
  violations.push(...checkCircles(files));
  return violations.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

/** The TypeScript files below `src/` of a checkout, by path below it. */
export async function readSources(root: string): Promise<Map<string, string>> {
  const folder = join(root, 'src');
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
  const paths = names.filter((name) => name.endsWith('.ts')).sort();
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path), 'utf8')] as const)),
  );
}

if (import.meta.main) {
  const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
  const violations = checkImports(await readSources(root));
  for (const { file, line, message } of violations) process.stdout.write(`${file}:${line}: ${message}\n`);
  if (violations.length > 0) process.exitCode = 1;
}
