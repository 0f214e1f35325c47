import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { computeGeneratedFiles, replaceSection } from '../../scripts/generate.ts';
import { toCustomResourceDefinition } from '../../src/api/crd.ts';
import { KINDS } from '../../src/api/metadata.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('generated files', () => {
  it('are fresh: --check ends with 0', async () => {
    await promisify(execFile)(process.execPath, [`${ROOT}scripts/generate.ts`, '--check']);
  });

  it('come out the same twice', async () => {
    expect(await computeGeneratedFiles(ROOT)).toEqual(await computeGeneratedFiles(ROOT));
  });

  it('hold the CRDs, in the chart as well, for parsers of both versions of YAML', async () => {
    const files = await computeGeneratedFiles(ROOT);
    for (const kind of KINDS) {
      const name = `dirsync.dev_${kind.toLowerCase()}s.yaml`;
      const text = files.get(`crds/${name}`) ?? '';
      expect(files.get(`helm/dirsync/crds/${name}`)).toBe(text);
      for (const version of ['1.1', '1.2'] as const) {
        expect(parse(text, { version })).toEqual(JSON.parse(JSON.stringify(toCustomResourceDefinition(kind))));
      }
    }
  });

  it('hold a reference of every field', async () => {
    const page = await readFile(`${ROOT}docs/reference/directorysync.md`, 'utf8');
    expect(page).toContain('| `spec.schedule.interval` | duration |');
    expect(page).toContain('| `spec.scope.filters[][].operator` |');
    expect(page).toContain('| `spec.mode` | Apply, Plan | `Apply` |');
    expect(page).toContain('| `spec.target.scim.url` | string | required |');
    // A bar inside a cell would end it.
    for (const line of page.split('\n').filter((each) => each.startsWith('| `'))) {
      expect([3, 4], line).toContain(line.replaceAll('\\|', '').split('|').length - 2);
    }
  });
});

describe('replaceSection', () => {
  const page = 'a\n<!-- x:begin -->\nold $1\n<!-- x:end -->\nb\n';

  it('replaces what stands between the markers, literally, and is stable', () => {
    const once = replaceSection(page, 'x', 'new $1');
    expect(once).toBe('a\n<!-- x:begin -->\n\nnew $1\n\n<!-- x:end -->\nb\n');
    expect(replaceSection(once, 'x', 'new $1')).toBe(once);
  });

  it('fails without markers', () => {
    expect(() => replaceSection('a', 'x', 'new')).toThrow('the markers x:begin and x:end are missing');
  });
});
