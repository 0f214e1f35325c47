import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DECISIONS = join(ROOT, 'docs/decisions');

interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
  optional?: boolean;
  os?: string[];
}

const readJson = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

const lock = readJson('package-lock.json') as { lockfileVersion: number; packages: Record<string, LockedPackage> };
const manifest = readJson('package.json') as Record<'dependencies' | 'devDependencies', Record<string, string>>;

/** All but the project itself. */
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');
const direct = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });

const pathsOf = (isWanted: (found: LockedPackage) => boolean | undefined) =>
  locked.filter(([, found]) => isWanted(found)).map(([path]) => path);

describe('package-lock.json', () => {
  it('names no download addresses, so that every registry and mirror serves it', () => {
    expect(lock.lockfileVersion).toBe(3);
    expect(pathsOf((found) => found.resolved !== undefined)).toEqual([]);
  });

  it('pins the content of every package', () => {
    // npm does not learn the hash of a binary for another platform than the one that the lock file was written on.
    const isForeign = (found: LockedPackage) => found.optional === true && found.os !== undefined;
    const isPinned = (found: LockedPackage) => found.integrity?.startsWith('sha512-') === true;
    expect(pathsOf((found) => !isPinned(found) && !isForeign(found))).toEqual([]);
  });

  it('lets no package but node run a script at its installation', () => {
    expect(pathsOf((found) => found.hasInstallScript)).toEqual(['node_modules/node']);
  });

  it('puts nothing that is compiled in the place of what ssh2 could use', () => {
    const names = ['cpu-features', 'nan'].map(
      (name) => (lock.packages[`node_modules/${name}`] as { name?: string }).name,
    );
    expect(names).toEqual(['safer-buffer', 'safer-buffer']);
  });

  it('holds no package that is compiled where it is installed', () => {
    // An install script that npm adds by itself for such a package is not always in the lock file.
    const compiled = locked.filter(([path]) => {
      if (existsSync(join(ROOT, path, 'binding.gyp'))) return true;
      const file = join(path, 'package.json');
      return existsSync(join(ROOT, file)) && 'gypfile' in readJson(file) && readJson(file).gypfile === true;
    });
    expect(compiled.map(([path]) => path)).toEqual([]);
  });
});

describe('.npmrc', () => {
  it('keeps npm from warning of the Node that started it, and from asking for audits or funds', () => {
    const keys = readFileSync(join(ROOT, '.npmrc'), 'utf8').match(/^[a-z].*$/gm);
    expect(keys).toEqual(['loglevel=error', 'omit-lockfile-registry-resolved=true', 'fund=false', 'audit=false']);
  });
});

describe('package.json', () => {
  it.each(direct)('pins %s to one version', (name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lock.packages[`node_modules/${name}`]?.version).toBe(version);
  });
});

describe('docs/decisions', () => {
  const names = readdirSync(DECISIONS).sort();
  const text = names.map((name) => readFileSync(join(DECISIONS, name), 'utf8')).join('\n');

  it.each(direct)('says why %s is here', (name) => {
    expect(text).toContain(`\`${name}\``);
  });

  it('numbers its pages without gaps, each with context, decision and consequences', () => {
    expect(names.map((name) => Number.parseInt(name, 10))).toEqual(names.map((_, index) => index + 1));
    for (const name of names) {
      const page = readFileSync(join(DECISIONS, name), 'utf8');
      expect(page.match(/^#{1,2} .*$/gm)?.slice(1), name).toEqual(['## Context', '## Decision', '## Consequences']);
      expect(page, name).toMatch(new RegExp(`^# ${Number.parseInt(name, 10)}\\. `));
    }
  });
});
