import { existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../support/program.ts';
import { lastOf, readDockerfile } from './dockerfile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LAUNCHER = join(ROOT, 'bin/dirsync.js');
const BIN = join(ROOT, 'node_modules/.bin');

interface PackageJson {
  version: string;
  bin: Record<string, string>;
  scripts: Record<string, string>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;

/** The PATH of somebody who has not run npm: npm puts folders of `node_modules` in front. */
const plainPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);

/** Without what the npm that started these tests has set. */
const plainEnv = Object.fromEntries(
  Object.entries({ ...process.env, PATH: plainPath }).filter(([name]) => !/^(npm_|node_options|vitest)/i.test(name)),
);

const refusal = (version: string) =>
  `dirsync needs Node 24 or later and was started with ${version}; in a checkout, \`npm ci\` installs the right one and \`npm run -s dirsync --\` uses it\n`;

/** Starts the launcher on this Node, which says that it is another version. */
const startAs = (version: string) => {
  const disguise = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return runProgram(process.execPath, ['--import', `data:text/javascript,${disguise}`, LAUNCHER, '--version']);
};

describe('bin/dirsync.js', () => {
  it('is what the package installs, and can be started', () => {
    expect(manifest.bin).toEqual({ dirsync: 'bin/dirsync.js' });
    expect(statSync(LAUNCHER).mode & 0o111).not.toBe(0);
    expect(readFileSync(LAUNCHER, 'utf8')).toMatch(/^#!\/usr\/bin\/env -S node /);
  });

  it('starts on its own as the npm script and the image do, with the same flags of V8', async () => {
    const [shebang = ''] = readFileSync(LAUNCHER, 'utf8').split('\n');
    const flags = shebang.split(' ').slice(3);
    expect(flags).toEqual(['--max-semi-space-size=4', '--heap-growing-percent=50']);
    expect(manifest.scripts['dirsync']).toBe(`node ${flags.join(' ')} bin/dirsync.js`);
    const image = JSON.parse(lastOf(await readDockerfile(join(ROOT, 'Dockerfile')), 'ENTRYPOINT'));
    expect(image).toEqual(['node', ...flags, '/app/src/cli/main.ts']);
    for (const deployment of ['config/manager/deployment.yaml', 'helm/dirsync/templates/deployment.yaml']) {
      // A command would take the place of the image's entry point.
      expect(readFileSync(join(ROOT, deployment), 'utf8')).not.toMatch(/^\s*command:/m);
    }
    const path = [BIN, plainPath].join(delimiter);
    const ran = await runProgram(LAUNCHER, ['--version'], { env: { ...plainEnv, PATH: path } });
    expect(ran).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it.each(['18.20.8', '20.20.2', '22.18.0', '23.11.1'])('refuses Node %s with one line', async (version) => {
    expect(await startAs(version)).toEqual({ code: 1, stdout: '', stderr: refusal(version) });
  });

  it.each(['24.0.0', '26.1.0', '100.0.0'])('starts on Node %s', async (version) => {
    expect(await startAs(version)).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it('refuses the Node of this machine where that is too old', async () => {
    const { stdout } = await runProgram('node', ['--version'], { env: plainEnv }).catch(() => ({ stdout: '' }));
    const version = stdout.trim().slice(1);
    const isOld = version !== '' && Number.parseInt(version, 10) < 24;
    const result = isOld
      ? await runProgram('node', [LAUNCHER, '--version'], { env: plainEnv })
      : await startAs('20.0.0');
    expect(result).toEqual({ code: 1, stdout: '', stderr: refusal(isOld ? version : '20.0.0') });
  });
});

describe('the scripts of package.json', () => {
  it('run on the pinned Node, whatever Node npm runs on', async () => {
    const options = { cwd: ROOT, env: plainEnv };
    expect(await runProgram('npm', ['run', '-s', 'dirsync', '--', '--version'], options)).toEqual({
      code: 0,
      stdout: `${manifest.version}\n`,
      stderr: '',
    });
  });

  it.each(Object.entries(manifest.scripts))('%s starts only what npm ci installs', (_name, script) => {
    for (const command of script.split(' && ')) {
      const [program = ''] = command.split(' ');
      expect(program === 'npm' || existsSync(join(BIN, program)), command).toBe(true);
    }
  });

  it.each(Object.entries(manifest.scripts))('%s names scripts that exist', (_name, script) => {
    const named = [...script.matchAll(/npm (?:run (?:-s )?)?([\w:]+)/g)].map(([, name]) => name);
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(named));
  });
});
