import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const read = (path: string): Promise<string> => readFile(join(import.meta.dirname, '../..', path), 'utf8');
const readRules = async (): Promise<Rule[]> => parse(await read('config/rbac/controller-role.yaml')).rules;

describe('the rights of the controller', () => {
  it('are the same in the chart', async () => {
    const [, block = ''] =
      /define "dirsync.rules" -}}\n([\s\S]*?){{- end/.exec(await read('helm/dirsync/templates/_names.tpl')) ?? [];
    expect(parse(block)).toEqual(await readRules());
  });

  it('are the same in docs/install.md', async () => {
    const rows = (await read('docs/install.md')).match(/^\| (`dirsync\.dev`|core|`events\.k8s\.io`) \|.*$/gm) ?? [];
    const documented = rows.map((row): Rule => {
      const [group = '', resources = '', verbs = ''] = row
        .split('|')
        .slice(1)
        .map((cell) => cell.trim());
      const words = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
      return { apiGroups: group === 'core' ? [''] : words(group), resources: words(resources), verbs: words(verbs) };
    });
    expect(documented).toEqual(await readRules());
  });

  it('name every right: no wildcard, and nothing that creates, changes or deletes what is not ours', async () => {
    for (const { apiGroups, resources, verbs } of await readRules()) {
      expect([...apiGroups, ...resources, ...verbs]).not.toContain('*');
      if (apiGroups.includes('')) expect(verbs).toEqual(['get', 'list', 'watch']);
    }
  });
});
