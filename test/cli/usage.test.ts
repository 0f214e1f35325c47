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
