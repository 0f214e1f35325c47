/** What a provider does not support is told to people too: on its page, in the words of the harness. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** The first word of what a suite is called → its page in `docs/sources`; null: it is none of the providers. */
const PAGES: Readonly<Record<string, string | null>> = {
  Active: 'ldap',
  Entra: 'entra',
  file: 'file',
  Google: 'google',
  LDAP: 'ldap',
  OpenLDAP: 'ldap',
  SCIM: 'scim',
  WorkOS: 'workos',
  scripted: null,
};

export function describePage(name: string, unsupported: Readonly<Record<string, string>>): void {
  const [word = ''] = name.split(/\W/, 1);
  const page = PAGES[word];
  if (page === null) return;
  it(`says on its page what it does not support: ${Object.keys(unsupported).join(', ') || 'nothing'}`, () => {
    expect(page, `${name} has no page`).toBeDefined();
    const text = readFileSync(new URL(`../../docs/sources/${page}.md`, import.meta.url), 'utf8');
    const plain = text.replaceAll(/\s+/g, ' ').toLowerCase();
    for (const reason of Object.values(unsupported)) expect(plain).toContain(reason.toLowerCase());
  });
}
