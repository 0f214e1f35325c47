import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createCompany } from './company.ts';

describe('wrong usage ends with 64, before anything is opened', () => {
  it.each([
    { because: 'no command', argv: [] },
    { because: 'an unknown command', argv: ['plam', '-f', '.'] },
    { because: 'an unknown option', argv: ['plan', '-f', '.', '--quick'] },
    { because: 'a missing folder', argv: ['plan'] },
    { because: 'a format that a command does not have', argv: ['plan', '-f', '.', '-o', 'xml'] },
    { because: 'an argument too many', argv: ['validate', '-f', '.', 'acme'] },
    { because: 'a hash that is none', argv: ['approve', 'everything', '-f', '.'] },
    { because: 'a port that is none', argv: ['serve', '--port', 'http'] },
    { because: 'two ways to give a token', argv: ['serve', '--token', 'a', '--open'] },
  ])('$because', async ({ argv }) => {
    const company = await createCompany();
    const { code, stdout, stderr } = await company.run(argv);
    expect(code).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
    await expect(company.read('.dirsync/state.db')).rejects.toThrow('ENOENT');
  });
});

describe('help and version go to standard output', () => {
  it('--version', async () => {
    const company = await createCompany();
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await company.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([[['--help']], [['plan', '--help']], [['help', 'apply']]])('%s', async (argv) => {
    const company = await createCompany();
    const { code, stdout, stderr } = await company.run(argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: dirsync/);
  });
});

describe('docs/cli.md', () => {
  it('has a section for every command and names every option', async () => {
    const company = await createCompany();
    const read = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
    const docs = { cli: await read('cli.md'), directory: await read('directory.md') };
    const help = async (...argv: string[]) => (await company.run([...argv, '--help'])).stdout;
    const commands = [...(await help()).matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, name = '']) => name);
    expect(commands).toHaveLength(16);
    for (const command of commands) {
      expect(docs.cli).toContain(`\n## ${command}\n`);
      const page = command === 'serve' ? docs.directory : docs.cli;
      const options = [...(await help(command)).matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name = '']) => name);
      const missing = options.filter((name) => name !== '--help' && !page.includes(name));
      expect(missing, command).toEqual([]);
    }
  });
});
