/** What only all manifests together can say: whatever is referred to must be there. */

import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { Kind, ResourceReference } from '../api/metadata.ts';
import { CREDENTIAL_PLACES } from '../api/providers.ts';
import { toFields } from '../api/rules.ts';
import { SyncError } from '../errors.ts';
import { computeNearestName } from '../nearest-name.ts';
import type { Manifest, ManifestSet } from './manifests.ts';
import { compareProblems, formatPosition, type Problem } from './problem.ts';
import { explainMissingKeys, readLocalConfigMap, readLocalSecret } from './secrets.ts';

export interface ReferenceOptions {
  /** Secrets seldom stand in Git: `validate` warns, whoever needs them now fails. */
  readonly missingSecret: 'warning' | 'error';
  /** What `--secrets` names; null without it. */
  readonly secretsDir: string | null;
}

type Report = (pointer: string, message: string, severity?: Problem['severity']) => void;

/** References between the resources of a folder, to Secrets and to ConfigMaps; by file and line. */
export async function checkReferences(set: ManifestSet, options: ReferenceOptions): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const manifest of set.directorySyncs) {
    const report = reporterOf(manifest, problems);
    checkMappings(set, manifest, report);
    checkConfigMap(set, manifest, report);
    await checkCredentials(set, manifest, { ...options, report });
    await checkAuthorities(set, manifest, { ...options, report });
  }
  checkIds(set, problems);
  for (const manifest of set.teamRules) {
    const { name } = manifest.resource.spec.directorySyncRef;
    const message = explainMissing(set, { kind: 'DirectorySync', namespace: manifest.reference.namespace, name });
    if (message !== null) reporterOf(manifest, problems)('/spec/directorySyncRef/name', message);
  }
  checkCustomAttributes(set, problems);
  return problems.sort(compareProblems);
}

function reporterOf(manifest: Manifest<unknown>, problems: Problem[]): Report {
  return (pointer, message, severity = 'error') => {
    problems.push({ ...manifest.locate(pointer), severity, message, resource: manifest.reference });
  };
}

/** Null when the object is there, be it valid or not: its own problems are reported where they are. */
function explainMissing(set: ManifestSet, { kind, namespace, name }: ResourceReference): string | null {
  const names = listNames(set, kind as Kind, namespace);
  if (names.includes(name)) return null;
  const near = computeNearestName(name, names);
  const hint = near === null ? '' : `; did you mean "${near}"?`;
  return `there is no ${kind} "${name}" in namespace ${namespace}${hint}`;
}

function listNames(set: ManifestSet, kind: Kind, namespace: string): string[] {
  const valid = {
    DirectorySync: set.directorySyncs,
    AttributeMapping: set.attributeMappings,
    TeamRule: set.teamRules,
    CustomAttribute: set.customAttributes,
  }[kind];
  return [...valid, ...set.invalid]
    .map(({ reference }) => reference)
    .filter((reference) => reference.kind === kind && reference.namespace === namespace)
    .map(({ name }) => name);
}

function checkMappings(set: ManifestSet, manifest: Manifest<DirectorySyncResource>, report: Report): void {
  const { mappings = [] } = manifest.resource.spec;
  for (const [index, { name }] of mappings.entries()) {
    const pointer = `/spec/mappings/${index}/name`;
    const message = explainMissing(set, {
      kind: 'AttributeMapping',
      namespace: manifest.reference.namespace,
      name,
    });
    if (message !== null) report(pointer, message);
    if (mappings.findIndex((other) => other.name === name) < index) {
      report(pointer, `AttributeMapping "${name}" is named twice`, 'warning');
    }
  }
}

function checkConfigMap(
  set: ManifestSet,
  { resource, reference }: Manifest<DirectorySyncResource>,
  report: Report,
): void {
  const { namespace } = reference;
  for (const what of ['users', 'groups'] as const) {
    const configMapRef = resource.spec.source.file?.[what]?.configMapRef;
    if (configMapRef === undefined) continue;
    try {
      readLocalConfigMap(set, { namespace, name: configMapRef.name }, configMapRef.key);
    } catch (thrown) {
      report(`/spec/source/file/${what}/configMapRef`, SyncError.from(thrown).message);
    }
  }
}

async function checkCredentials(
  set: ManifestSet,
  { resource, reference }: Manifest<DirectorySyncResource>,
  { missingSecret, secretsDir, report }: ReferenceOptions & { readonly report: Report },
): Promise<void> {
  const { namespace } = reference;
  for (const { path, keys } of CREDENTIAL_PLACES) {
    const place = path.reduce<unknown>((fields, key) => toFields(fields)?.[key], resource.spec);
    const name = toFields(toFields(place)?.['credentialsRef'])?.['name'];
    if (typeof name !== 'string') continue;
    const pointer = `/spec/${path.join('/')}/credentialsRef/name`;
    try {
      const values = await readLocalSecret(set, { namespace, name }, secretsDir);
      const message = explainMissingKeys({ kind: 'Secret', namespace, name }, values, keys);
      if (message !== null) report(pointer, message);
    } catch (thrown) {
      const { code, message } = SyncError.from(thrown);
      report(pointer, message, code === 'ReferenceNotFound' ? missingSecret : 'error');
    }
  }
}

/** As a missing Secret of credentials: authorities kept in one need not stand in Git either. */
async function checkAuthorities(
  set: ManifestSet,
  { resource, reference: { namespace } }: Manifest<DirectorySyncResource>,
  { missingSecret, secretsDir, report }: ReferenceOptions & { readonly report: Report },
): Promise<void> {
  const caRef = resource.spec.target.scim?.caRef;
  if (caRef === undefined) return;
  const { kind, name, key } = caRef;
  const pointer = '/spec/target/scim/caRef';
  try {
    if (kind === 'ConfigMap') readLocalConfigMap(set, { namespace, name }, key);
    else {
      const values = await readLocalSecret(set, { namespace, name }, secretsDir);
      const message = explainMissingKeys({ kind, namespace, name }, values, [[key]]);
      if (message !== null) report(pointer, message);
    }
  } catch (thrown) {
    const { code, message } = SyncError.from(thrown);
    report(pointer, message, kind === 'Secret' && code === 'ReferenceNotFound' ? missingSecret : 'error');
  }
}

/** Two resources with one id would fight over the same links. In a cluster the newer waits; in a folder none is newer. */
function checkIds(set: ManifestSet, problems: Problem[]): void {
  const seen = new Map<string, Manifest<DirectorySyncResource>>();
  for (const manifest of set.directorySyncs) {
    const { metadata, spec } = manifest.resource;
    const id = spec.id ?? metadata.name;
    const key = `${metadata.namespace}/${id}`;
    const other = seen.get(key);
    seen.set(key, other ?? manifest);
    if (other === undefined) continue;
    const place = formatPosition(other.at);
    const message = `the id "${id}" is also that of DirectorySync ${other.reference.name} in ${place}; give one of them another spec.id`;
    reporterOf(manifest, problems)('/spec/id', message);
  }
}

function checkCustomAttributes(set: ManifestSet, problems: Problem[]): void {
  for (const manifest of set.customAttributes) {
    const { directorySyncs = 'All' } = manifest.resource.spec;
    if (directorySyncs === 'All') continue;
    for (const [index, name] of directorySyncs.names.entries()) {
      const message = explainMissing(set, { kind: 'DirectorySync', namespace: manifest.reference.namespace, name });
      if (message !== null) reporterOf(manifest, problems)(`/spec/directorySyncs/names/${index}`, message);
    }
  }
}
