import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkImports, readSources } from '../../scripts/check-imports.ts';
import { runProgram } from '../support/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPT = join(ROOT, 'scripts/check-imports.ts');

interface Case {
  because: string;
  /** Below `src/`. */
  file: string;
  text: string;
  /** What is said of the last line of the text. */
  says: string | RegExp;
}

const WRONG: Case[] = [
  {
    because: 'what lies below knows nothing of what lies above',
    file: 'errors.ts',
    text: "import type { Attributes } from './model.ts';",
    says: 'errors imports model (model.ts), allowed is nothing',
  },
  {
    because: 'types count as well',
    file: 'api/seed.ts',
    text: "import type { Run } from '../reconcile/run.ts';",
    says: 'api imports reconcile (reconcile/run.ts), allowed is model, errors, nearest-name, duration, team-key, text-error, scim',
  },
  {
    because: 'neighbours of one layer do not know each other',
    file: 'kube/seed.ts',
    text: "import { a } from '../local/seed.ts';",
    says: /^kube imports local/,
  },
  {
    because: 'a re-export is an import',
    file: 'http/seed.ts',
    text: "export { KINDS } from '../api/metadata.ts';",
    says: /^http imports api/,
  },
  {
    because: 'so is an import() in the middle of a function',
    file: 'http/seed.ts',
    text: "const late = () => import('../api/metadata.ts');",
    says: /^http imports api/,
  },
  {
    because: 'the embedded directory is for the CLI and for tests',
    file: 'main.ts',
    text: "import { startDirectory } from './directory/server.ts';",
    says: /^main imports directory/,
  },
  {
    because: 'a run gets its providers handed in',
    file: 'reconcile/seed.ts',
    text: "import { sources } from '../sources/registry.ts';",
    says: /^reconcile imports registry \(sources\/registry\.ts\)/,
  },
  {
    because: 'the engine asks what a provider can do, never which it is',
    file: 'reconcile/steps/seed.ts',
    text: "import { fileSource } from '../../sources/file/index.ts';",
    says: /^reconcile imports provider \(sources\/file\/index\.ts\)/,
  },
  {
    because: 'the plan knows the shape of stored rows, not what stores them',
    file: 'plan/seed.ts',
    text: "import { openStore } from '../state/sqlite/store.ts';",
    says: 'imports code of state (state/sqlite/store.ts), allowed is only `import type` from there',
  },
  {
    because: 'a provider sees the type of its configuration only',
    file: 'sources/file/seed.ts',
    text: "import { KINDS } from '../../api/metadata.ts';",
    says: /^imports code of api/,
  },
  {
    because: 'providers do not lean on each other',
    file: 'sources/file/seed.ts',
    text: "import { readPages } from '../entra/read.ts';",
    says: 'a provider imports its sibling sources/entra, allowed is its own folder sources/file',
  },
  {
    because: 'a source is no target',
    file: 'sources/file/seed.ts',
    text: "import type { Target } from '../../targets/target.ts';",
    says: 'a provider imports targets/target.ts, allowed is its own contract in sources',
  },
  {
    because: 'a provider does not know who calls it',
    file: 'targets/scim/seed.ts',
    text: "import { runMachine } from '../../reconcile/machine.ts';",
    says: /^provider imports reconcile/,
  },
  {
    because: 'the machine only wires steps',
    file: 'reconcile/machine.ts',
    text: "import { computeGuards } from '../plan/guard.ts';",
    says: 'the machine imports plan/guard.ts, allowed is xstate, types, and step functions of reconcile/steps/',
  },
  {
    because: 'and no package but xstate',
    file: 'reconcile/machine.ts',
    text: "import { pino } from 'pino';",
    says: /^the machine imports pino/,
  },
  {
    because: 'requests go through one pool, one budget and one redaction',
    file: 'targets/scim/seed.ts',
    text: "import https from 'node:https';",
    says: /^imports node:https, allowed is the client of http\//,
  },
  {
    because: 'undici passes nock by',
    file: 'sources/file/seed.ts',
    text: "import { request } from 'undici';",
    says: /^imports undici/,
  },
  {
    because: 'the global fetch is a client of its own',
    file: 'kube/seed.ts',
    text: 'const answer = await fetch(url);',
    says: 'uses fetch, allowed is the client of http/',
  },
  {
    because: 'by its full name too',
    file: 'reconcile/seed.ts',
    text: 'const request = globalThis.fetch;',
    says: /^uses fetch/,
  },
  {
    because: 'pure code does no I/O',
    file: 'mapping/seed.ts',
    text: "import { readFile } from 'node:fs/promises';",
    says: 'mapping is pure and imports node:fs/promises, allowed is to take what it needs as an argument',
  },
  {
    because: 'pure code does not log',
    file: 'plan/seed.ts',
    text: "import type { Logger } from '../telemetry/log.ts';",
    says: /^plan imports telemetry/,
  },
  ...['Date.now()', 'new Date()', 'new Date( )', 'new Date;', 'performance.now()', 'Math.random()', 'randomUUID()'].map(
    (code) => ({
      because: `pure code knows neither time nor chance: ${code}`,
      file: 'expression/seed.ts',
      text: `const value = ${code};`,
      says: /^expression is pure and uses /,
    }),
  ),
  {
    because: 'what cannot be read cannot be checked',
    file: 'cli/seed.ts',
    text: 'const module = await import(name);',
    says: /^imports a computed name/,
  },
  {
    because: 'a new folder is a decision',
    file: 'utils/seed.ts',
    text: 'export const one = 1;',
    says: /^lies outside of the known folders/,
  },
  {
    because: 'contract and registry are the only files beside the providers',
    file: 'sources/shared.ts',
    text: 'export const one = 1;',
    says: /^lies outside of the known folders/,
  },
  {
    because: 'the source tree stands without its tests and scripts',
    file: 'http/seed.ts',
    text: "import { manualTiming } from '../../test/support/manual-timing.ts';",
    says: /^imports \.\.\/test\/support\/manual-timing\.ts/,
  },
];

const RIGHT: Omit<Case, 'says'>[] = [
  {
    because: 'a date of a given instant is no clock',
    file: 'mapping/seed.ts',
    text: 'const day = new Date(text);\nconst copy = new Date(now.getTime());',
  },
  {
    because: 'the plan may name the rows it is given',
    file: 'plan/seed.ts',
    text: "import type { Link } from '../state/store.ts';",
  },
  {
    because: 'comments and messages are no code',
    file: 'rule/seed.ts',
    text: "// Date.now() and import('../kube/watch.ts')\nconst message = 'fetch(url) or Math.random()';",
  },
  {
    because: 'a method of that name is somebody else’s business',
    file: 'state/seed.ts',
    text: 'const rows = statement.fetch(1);',
  },
  {
    because: 'health is a server, not a client',
    file: 'telemetry/health.ts',
    text: "import { createServer } from 'node:http';",
  },
];

describe('the import direction', () => {
  it('holds in this tree', async () => {
    expect(checkImports(await readSources(ROOT))).toEqual([]);
  });

  it.each(WRONG)('$because ($file)', ({ file, text, says }) => {
    const violations = checkImports(new Map([[file, `// a line before\n${text}`]]));
    expect(violations).toEqual([
      {
        file: `src/${file}`,
        line: file.startsWith('utils') || file.startsWith('sources/shared') ? 1 : 2,
        message: typeof says === 'string' ? says : (expect.stringMatching(says) as string),
      },
    ]);
  });

  it.each(RIGHT)('$because', ({ file, text }) => {
    expect(checkImports(new Map([[file, text]]))).toEqual([]);
  });

  it('names a circle once, with the import that closes it', () => {
    const texts = new Map([
      ['http/a.ts', "import { b } from './b.ts';"],
      ['http/b.ts', "import { c } from './c.ts';"],
      ['http/c.ts', "\nimport { a } from './a.ts';"],
      ['http/d.ts', "import { a } from './a.ts';"],
    ]);
    expect(checkImports(texts)).toEqual([
      {
        file: 'src/http/c.ts',
        line: 2,
        message: 'closes the circle http/a.ts → http/b.ts → http/c.ts → http/a.ts, allowed is one direction',
      },
    ]);
  });

  it('takes a type that points back for no circle', () => {
    const texts = new Map([
      ['http/a.ts', "import { b } from './b.ts';"],
      ['http/b.ts', "import type { A } from './a.ts';"],
    ]);
    expect(checkImports(texts)).toEqual([]);
  });

  it('ends the script with 1 and prints file, line, what and what is allowed', async () => {
    const root = await mkdtemp(join(tmpdir(), 'dirsync-imports-'));
    try {
      await cp(join(ROOT, 'src'), join(root, 'src'), { recursive: true });
      await writeFile(join(root, 'src/rule/seed.ts'), "\nimport { list } from '../kube/watch.ts';\n");
      const { code, stdout } = await runProgram(process.execPath, [SCRIPT, root]);
      expect(code).toBe(1);
      expect(stdout).toContain(
        'src/rule/seed.ts:2: rule imports kube (kube/watch.ts), allowed is pattern, cel, model, errors, nearest-name, duration, team-key, text-error, scim\n',
      );
      await rm(join(root, 'src'), { recursive: true });
      await cp(join(ROOT, 'src/errors.ts'), join(root, 'src/errors.ts'));
      expect(await runProgram(process.execPath, [SCRIPT, root])).toEqual({ code: 0, stdout: '', stderr: '' });
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
