import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { AttributeMappingResource } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeResource } from '../../src/api/custom-attribute.ts';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { parseResource } from '../../src/api/validate.ts';
import { compileMapping } from '../../src/mapping/compile.ts';
import { compileCustomAttributes } from '../../src/mapping/custom-attributes.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import { createPersonMapper } from '../../src/mapping/person.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import { compileRules } from '../../src/mapping/rules.ts';
import { createTeamMapper } from '../../src/mapping/teams.ts';
import { compileAny } from '../../src/rule/clause.ts';
import { connectFile, createFileAccess, readWhole } from '../sources/file/files.ts';

const FOLDER = fileURLToPath(new URL('../../examples/quickstart/', import.meta.url));

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

async function readManifests(): Promise<Manifest[]> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(files.map((name) => readFile(join(FOLDER, name), 'utf8')));
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Manifest));
}

describe('examples/quickstart', () => {
  let manifests: Manifest[] = [];
  beforeAll(async () => {
    manifests = await readManifests();
  });

  const ofKind = <T>(kind: string) => manifests.filter((each) => each.kind === kind) as T[];

  it('has a document of every kind, each valid and without a warning', () => {
    const kinds = new Set(manifests.map((each) => each.kind));
    for (const kind of ['DirectorySync', 'AttributeMapping', 'TeamRule', 'CustomAttribute', 'Secret']) {
      expect(kinds).toContain(kind);
    }
    for (const manifest of manifests.filter((each) => !/^(Secret|ConfigMap)$/.test(each.kind))) {
      expect(parseResource(manifest).findings, manifest.metadata.name).toEqual([]);
    }
  });

  it('maps all its people and teams without an error', async () => {
    const [sync] = ofKind<DirectorySyncResource>('DirectorySync');
    const config = sync?.spec.source.file;
    if (config === undefined) throw new Error('the DirectorySync has no file');
    const { users, attributes } = await readWhole(await connectFile(config, createFileAccess(FOLDER)));

    const problems: MappingProblem[] = [];
    const customs = compileCustomAttributes(ofKind<CustomAttributeResource>('CustomAttribute'), 'acme', problems);
    const mapping = compileMapping(
      ofKind<AttributeMappingResource>('AttributeMapping'),
      customs,
      { provider: 'file', hasGroups: false },
      problems,
    );
    const rules = compileRules(ofKind<TeamRuleResource>('TeamRule'), mapping, problems);
    expect(problems).toEqual([]);

    const known = new KnownAttributes(attributes);
    const people = createPersonMapper({
      mapping,
      scope: compileAny([]),
      known,
      disabledAtSource: 'Deactivate',
      seed: null,
      tenant: { defaultDomain: null },
    });
    const teams = createTeamMapper({ mapping, rules, known, mark: 'dirsync:default/acme:' });
    expect([...people.missingNames, ...teams.missingNames]).toEqual([]);

    const ids = new Set(users.map((user) => user.id));
    const names = new Set<string>();
    const members = new Map<string, number>();
    const references = new Set<string>();
    for (const user of users) {
      const { desired, errors, view } = people.map(user, new Date(0));
      expect(errors).toEqual([]);
      names.add(String(desired.attributes['userName']).toLowerCase());
      for (const id of Object.values(desired.references).flat()) references.add(id);
      for (const team of teams.map(desired, view, new Date(0)).memberOf)
        members.set(team, (members.get(team) ?? 0) + 1);
    }
    expect(names.size).toBe(users.length);
    expect(references.size).toBeGreaterThan(20);
    expect([...references].filter((id) => !ids.has(id))).toEqual([]);
    expect(members.size).toBe(9);
    expect(Math.min(...members.values())).toBeGreaterThan(1);
  });
});
