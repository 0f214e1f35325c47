import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Company, createCompany, readTeams, readUsers, startApplication, TOKEN } from '../cli/company.ts';

const FOLDER = fileURLToPath(new URL('../../examples/rules/', import.meta.url));
const NOW = new Date('2026-06-15T09:00:00Z');

/** A copy of the example whose application is the one of the test. */
async function copyExample(url: string): Promise<Company> {
  const files: Record<string, string> = {};
  for (const name of await readdir(FOLDER)) {
    const text = await readFile(join(FOLDER, name), 'utf8');
    files[`manifests/${name}`] = text.replace('http://127.0.0.1:8085/scim/v2', url).replaceAll('rules-token', TOKEN);
  }
  return createCompany(files);
}

const at = (mails: string): string[] => (mails === '' ? [] : mails.split(' ').map((name) => `${name}@corp.example`));

describe('examples/rules', () => {
  it('validates without a word, and runs', async () => {
    const directory = await startApplication();
    const company = await copyExample(directory.url);
    const validated = await company.run(['validate', '-f', 'manifests'], { now: () => NOW });
    expect([validated.code, validated.stderr]).toEqual([0, '']);

    const planned = await company.run(['plan', '-f', 'manifests'], { now: () => NOW });
    expect(planned.stderr).toBe('');
    expect(planned.stdout).toContain('  + Finance Senior Managers  new, 2 join\n      + ines.byron@corp.example');
    const applied = await company.run(['apply', '-f', 'manifests', '--yes'], { now: () => NOW });
    expect([applied.code, applied.stderr]).toEqual([0, '']);

    const users = await readUsers(directory);
    expect([...users.keys()].sort()).toEqual(
      [
        ...at('ada.okafor hugo.lindqvist ines.byron leo.marchetti mei.fenwick omar.caldwell zoe.olofsson'),
        'noor.haddad@partner.example',
      ].sort(),
    );
    const teams = await readTeams(directory);
    expect(Object.keys(teams).sort()).toEqual([
      'All Hands',
      'Finance Newcomers',
      'Finance Senior Managers',
      'Five Years',
      'Ines and her team',
      'Leaders',
      'Mailboxes',
      'Newcomers',
      'Office: Engineering GB',
      'Office: Engineering SE',
      'Office: Finance GB',
      'Office: Finance SE',
      'Office: Sales GB',
    ]);
    expect({ ...teams }).toMatchObject({
      'Finance Senior Managers': at('hugo.lindqvist ines.byron'),
      'Ines and her team': at('ada.okafor hugo.lindqvist ines.byron'),
      'Five Years': at('ines.byron mei.fenwick zoe.olofsson'),
      Newcomers: at('ada.okafor omar.caldwell'),
      'Finance Newcomers': at('ada.okafor'),
      Leaders: at('ines.byron zoe.olofsson'),
      'Office: Engineering GB': at('mei.fenwick omar.caldwell'),
    });

    const again = await company.run(['plan', '-f', 'manifests', '--detailed-exitcode'], { now: () => NOW });
    expect(again.code).toBe(0);
  });

  it('says who joins and who leaves before a rule changes', async () => {
    const directory = await startApplication();
    const company = await copyExample(directory.url);
    await company.run(['apply', '-f', 'manifests', '--yes'], { now: () => NOW });
    const rules = await company.read('manifests/rules.yaml');
    await company.write(
      'manifests/rules.yaml',
      rules.replace('-startsWith "Senior Manager"', '-match "manager$|analyst"'),
    );
    const planned = await company.run(['plan', '-f', 'manifests'], { now: () => NOW });
    expect(planned.stdout).toContain(
      [
        '  ~ Finance Senior Managers  1 joins, 1 leaves',
        '      + ada.okafor@corp.example',
        '      - hugo.lindqvist@corp.example  no longer by rule finance-managers',
      ].join('\n'),
    );
  });

  it('explains people as docs/cli.md shows', async () => {
    const directory = await startApplication();
    const company = await copyExample(directory.url);
    const page = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8');
    const shown = [...page.matchAll(/^\$ dirsync explain (\S+) -f examples\/rules\n([\s\S]*?)^```/gm)];
    expect(shown).toHaveLength(2);
    for (const [, user = '', text = ''] of shown) {
      const { code, stdout, stderr } = await company.run(['explain', user, '-f', 'manifests'], { now: () => NOW });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toBe(text);
    }
  });
});
