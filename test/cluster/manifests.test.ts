import { beforeAll, describe, expect, inject, it } from 'vitest';
import { KINDS } from '../../src/api/metadata.ts';
import { validateResource } from '../../src/api/validate.ts';
import { aDocument, RULE_CASES } from '../api/rule-cases.ts';
import { connectCluster } from './cluster.ts';
import { installDirsync } from './controller.ts';

const cluster = connectCluster(inject('cluster'));
const namespace = 'default';

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** What `kubectl apply` says of documents: the accepted ones, and what was said of the rest. Nothing is stored. */
async function applyDryRun(documents: readonly object[]): Promise<{ accepted: Set<string>; refused: string }> {
  const input = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  const args = ['-n', namespace, 'apply', '--dry-run=server', '-o', 'name', '-f', '-'];
  const { stdout, stderr } = await cluster.kubectl(args, { input });
  return { accepted: new Set(stdout.split('\n').map((line) => line.split('/')[1] ?? '')), refused: stderr };
}

beforeAll(() => installDirsync(cluster));

describe('manifests and the API server', () => {
  it('every kind has its short name, its category and a description of every field', async () => {
    const { stdout } = await cluster.kubectl([
      'api-resources',
      '--api-group=dirsync.dev',
      '--no-headers',
      '-o',
      'wide',
    ]);
    expect(
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(/\s+/).slice(0, 2).join(' '))
        .toSorted(),
    ).toEqual(['attributemappings amap', 'customattributes cattr', 'directorysyncs dsync', 'teamrules trule']);
    expect(stdout.match(/ dirsync$/gm)).toHaveLength(4);
    const explained = await cluster.kubectl(['explain', 'directorysync.spec.guards', '--recursive=false']);
    expect(explained.stdout).toContain('How much may be removed');
  });

  it('a manifest gets the same verdict as from the CLI, rule by rule', async () => {
    const documents = RULE_CASES.map(({ kind, spec }, index) =>
      // Through JSON, as documents arrive: a key that is undefined is no key.
      JSON.parse(JSON.stringify(aDocument(kind, spec, `case-${index}`))),
    );
    const { accepted, refused } = await applyDryRun(documents);
    const verdicts = RULE_CASES.map(({ rule, because }, index) => ({
      case: `${rule}: ${because}`,
      accepted: accepted.has(`case-${index}`),
    }));
    expect(verdicts).toEqual(
      RULE_CASES.map(({ rule, because, holds }) => ({ case: `${rule}: ${because}`, accepted: holds })),
    );
    expect(documents.map((document) => validateResource(document).length === 0)).toEqual(
      RULE_CASES.map(({ holds }) => holds),
    );
    for (const [index, { holds }] of RULE_CASES.entries())
      if (!holds) expect(refused).toMatch(new RegExp(`"case-${index}" is invalid: `));
  });

  it.each([
    {
      because: 'an unknown field',
      document: aDocument('DirectorySync', { shedule: { interval: '40m' } }),
      says: 'unknown field "spec.shedule"',
    },
    {
      because: 'two kinds of schedule',
      document: aDocument('DirectorySync', { schedule: { interval: '40m', once: true } }),
      says: 'exactly one of interval, cron, once must be set',
    },
    {
      because: 'two providers',
      document: aDocument('DirectorySync', {
        source: { file: { users: { path: 'a.csv' } }, workos: { directoryId: 'x', credentialsRef: { name: 'y' } } },
      }),
      says: 'exactly one of entra, file, google, ldap, scim, workos must be set',
    },
    {
      because: 'two providers, one of which this version does not have',
      document: aDocument('DirectorySync', {
        source: { file: { users: { path: 'a.csv' } }, carrier_pigeon: { loft: 'x' } },
      }),
      says: 'unknown field "spec.source.carrier_pigeon"',
    },
    {
      because: 'a bad duration',
      document: aDocument('DirectorySync', { schedule: { interval: '40 minutes' } }),
      says: 'spec.schedule.interval: Invalid value: ',
    },
    {
      because: 'plain http to another host',
      document: aDocument('DirectorySync', {
        target: { scim: { url: 'http://app.example.com/scim/v2', credentialsRef: { name: 'app' } } },
      }),
      says: 'plain http to a host other than loopback needs allowHTTP: true',
    },
    {
      because: 'a rule without a team',
      document: aDocument('TeamRule', { team: undefined }),
      says: 'spec: Invalid value: ',
    },
    {
      because: 'no mapping at all',
      document: aDocument('DirectorySync', { mappings: [] }),
      says: 'mappings must name an AttributeMapping: without one nobody knows what to write',
    },
  ])('kubectl apply says what is wrong: $because', async ({ document, says }) => {
    const { accepted, refused } = await applyDryRun([document]);
    expect(refused).toContain(says);
    expect([...accepted]).not.toContain('sample');
  });

  it('the identity of a DirectorySync cannot be changed, and its default may be written out', async () => {
    const name = 'identity-of-one';
    const apply = (id: object) =>
      cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], {
        input: JSON.stringify(aDocument('DirectorySync', { suspend: true, ...id }, name)),
      });
    expect((await apply({})).code).toBe(0);
    expect((await apply({ id: name })).code).toBe(0);
    expect((await apply({ id: 'other' })).stderr).toContain('spec.id cannot be changed');
    await cluster.kubectl(['-n', namespace, 'delete', 'dsync', name]);
  });

  it('a status cannot be written with the manifest', async () => {
    const documents = KINDS.map((kind) => ({ ...aDocument(kind), status: { observedGeneration: 7 } }));
    const args = ['-n', namespace, 'apply', '--dry-run=server', '-o', 'json', '-f', '-'];
    const { stdout } = await cluster.kubectl(args, {
      input: documents.map((each) => JSON.stringify(each)).join('\n---\n'),
    });
    const { items }: { items: (Document & { status?: { observedGeneration: number } })[] } = JSON.parse(stdout);
    expect(items.map(({ kind, status }) => [kind, status?.observedGeneration ?? -1])).toEqual(
      KINDS.map((kind) => [kind, -1]),
    );
  });
});
