/** The resources of a folder: what `-f DIR` means for every command. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve } from 'node:path';
import type { AttributeMappingResource } from '../api/attribute-mapping.ts';
import type { CustomAttributeResource } from '../api/custom-attribute.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceSet } from '../api/host.ts';
import {
  API_GROUP,
  DEFAULT_NAMESPACE,
  formatReference,
  GROUP_VERSION,
  KINDS,
  MAPPING_TEST_KIND,
  type ResourceReference,
} from '../api/metadata.ts';
import type { Resource } from '../api/resources.ts';
import { toFields } from '../api/rules.ts';
import type { TeamRuleResource } from '../api/team-rule.ts';
import { parseResource } from '../api/validate.ts';
import { SyncError } from '../errors.ts';
import { computeNearestName } from '../nearest-name.ts';
import { compareProblems, formatPosition, type Position, type Problem } from './problem.ts';
import { type PlacedDocument, parseDocuments } from './yaml-document.ts';

/** Larger files are no manifests: a folder may hold the people's data as well. */
const MAX_MANIFEST_BYTES = 10 * 1024 * 1024;

/** One resource, and where it stands. */
export interface Manifest<T> {
  readonly resource: T;
  readonly reference: ResourceReference;
  readonly at: Position;
  /** Absolute folder of its file: what a `path` in its spec is relative to. */
  readonly folder: string;
  readonly locate: PlacedDocument['locate'];
}

/** A Secret or ConfigMap as written, values as bytes. */
export interface DataManifest {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly entries: Readonly<Record<string, Uint8Array>>;
}

/** A document of ours that breaks a rule: it is there, so that nobody who refers to it is told that it is missing. */
export interface InvalidManifest {
  readonly reference: ResourceReference;
  readonly at: Position;
  /** As read, unchecked. */
  readonly document: unknown;
}

export interface ManifestSet {
  /** Absolute. */
  readonly root: string;
  /** Valid resources, by namespace and name. */
  readonly directorySyncs: readonly Manifest<DirectorySyncResource>[];
  readonly attributeMappings: readonly Manifest<AttributeMappingResource>[];
  readonly teamRules: readonly Manifest<TeamRuleResource>[];
  readonly customAttributes: readonly Manifest<CustomAttributeResource>[];
  readonly secrets: readonly Manifest<DataManifest>[];
  readonly configMaps: readonly Manifest<DataManifest>[];
  readonly invalid: readonly InvalidManifest[];
  /** By file and line. */
  readonly problems: readonly Problem[];
}

interface Collected {
  readonly resources: Manifest<Resource>[];
  readonly data: Manifest<DataManifest>[];
  readonly invalid: InvalidManifest[];
  readonly problems: Problem[];
  /** `Kind namespace/name` → where it stood first. */
  readonly places: Map<string, Position>;
}

/**
 * Reads `*.yaml`, `*.yml` and `*.json` in a folder and below (or one such file). Folders whose name begins with a dot,
 * `node_modules` and symbolic links are passed by. Whatever is wrong inside becomes a problem with its place.
 * @throws SyncError `Invalid` when there is no such folder or file
 */
export async function readManifests(path: string): Promise<ManifestSet> {
  const given = resolve(path);
  const info = await stat(given).catch(() => null);
  if (info === null) throw new SyncError('Invalid', `${path}: there is no such folder or file`);
  const root = info.isDirectory() ? given : dirname(given);
  const files = info.isDirectory() ? await listFiles(given, '') : [basename(given)];
  const collected: Collected = { resources: [], data: [], invalid: [], problems: [], places: new Map() };
  for (const file of files) await readManifestFile(root, file, collected);
  return toSet(root, collected);
}

async function listFiles(root: string, below: string): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = posix.join(below, entry.name);
    if (entry.isDirectory()) files.push(...(await listFiles(root, path)));
    else if (entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name)) files.push(path);
  }
  return files;
}

async function readManifestFile(root: string, file: string, collected: Collected): Promise<void> {
  const whole: Position = { file, line: 1, column: 1 };
  const path = join(root, file);
  const isJson = /\.json$/i.test(file);
  if ((await stat(path)).size > MAX_MANIFEST_BYTES) {
    const message = 'is larger than 10 MiB and was not read';
    collected.problems.push({ ...whole, severity: isJson ? 'warning' : 'error', message });
    return;
  }
  const text = await readFile(path, 'utf8');
  // People's data in JSON may be long; looking for places in it would take its time for nothing.
  if (isJson && isOtherJson(text)) return;
  const parsed = parseDocuments(text, file);
  if ('error' in parsed) {
    const { at, message } = parsed.error;
    collected.problems.push({ ...at, severity: 'error', message: `is no ${isJson ? 'JSON' : 'YAML'}: ${message}` });
    return;
  }
  for (const document of parsed.documents) collectDocument(document, dirname(path), collected);
}

function isOtherJson(text: string): boolean {
  try {
    return toFields(JSON.parse(text))?.['kind'] === undefined;
  } catch {
    // A file of people that breaks off is the source's to refuse: only what looks like a manifest is one.
    return !/"(kind|apiVersion)"\s*:/.test(text);
  }
}

function collectDocument(document: PlacedDocument, folder: string, collected: Collected): void {
  const fields = toFields(document.data);
  const kind = fields?.['kind'];
  const apiVersion = fields?.['apiVersion'];
  if (fields === null || typeof kind !== 'string') return;
  if (apiVersion === 'v1' && (kind === 'Secret' || kind === 'ConfigMap')) {
    collectData(document, kind, folder, collected);
  } else if (KINDS.some((each) => each === kind)) {
    collectResource(document, folder, collected);
  } else if (typeof apiVersion === 'string' && apiVersion.startsWith(`${API_GROUP}/`) && kind !== MAPPING_TEST_KIND) {
    const near = computeNearestName(kind, [...KINDS, MAPPING_TEST_KIND]);
    const hint = near === null ? `known here: ${KINDS.join(', ')}` : `did you mean "${near}"?`;
    const message = `there is no kind "${kind}" in ${GROUP_VERSION}; ${hint}`;
    collected.problems.push({ ...document.locate('/kind'), severity: 'error', message });
  }
}

function collectResource(document: PlacedDocument, folder: string, collected: Collected): void {
  const reference = toReference(document.data);
  const { resource, findings } = parseResource(document.data);
  for (const { severity, pointer, onKey, message } of findings) {
    collected.problems.push({ ...document.locate(pointer, onKey), severity, message, resource: reference });
  }
  if (isTwice(document, reference, collected)) return;
  if (resource === null) collected.invalid.push({ reference, at: document.at, document: document.data });
  else collected.resources.push({ resource, reference, at: document.at, folder, locate: document.locate });
}

/** The first one stays; the second is named with both places, because only its writer knows which is meant. */
function isTwice(document: PlacedDocument, reference: ResourceReference, collected: Collected): boolean {
  if (reference.name === '') return false;
  const name = formatReference(reference);
  const first = collected.places.get(name);
  if (first === undefined) {
    collected.places.set(name, document.at);
    return false;
  }
  const message = `${name} stands twice: here and in ${formatPosition(first)}`;
  collected.problems.push({ ...document.locate('/metadata/name'), severity: 'error', message, resource: reference });
  return true;
}

function toReference(data: unknown): ResourceReference {
  const fields = toFields(data);
  const metadata = toFields(fields?.['metadata']);
  const { name, namespace } = { name: metadata?.['name'], namespace: metadata?.['namespace'] };
  return {
    kind: String(fields?.['kind']),
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : DEFAULT_NAMESPACE,
    name: typeof name === 'string' ? name : '',
  };
}

const DATA_FIELDS = { Secret: ['data', 'stringData'], ConfigMap: ['data', 'binaryData'] } as const;
const BASE64_FIELDS: ReadonlySet<string> = new Set(['Secret/data', 'ConfigMap/binaryData']);

function collectData(document: PlacedDocument, kind: DataManifest['kind'], folder: string, collected: Collected): void {
  const reference = toReference(document.data);
  if (isTwice(document, reference, collected)) return;
  const entries: Record<string, Uint8Array> = {};
  for (const field of DATA_FIELDS[kind]) {
    for (const [key, value] of Object.entries(toFields(toFields(document.data)?.[field]) ?? {})) {
      const bytes = toBytes(value, BASE64_FIELDS.has(`${kind}/${field}`));
      if (typeof bytes !== 'string') entries[key] = bytes;
      else {
        const at = document.locate(`/${field}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
        const message = `${field}.${key} of ${formatReference(reference)} ${bytes}`;
        collected.problems.push({ ...at, severity: 'error', message, resource: reference });
      }
    }
  }
  const resource: DataManifest = { kind, entries };
  collected.data.push({ resource, reference, at: document.at, folder, locate: document.locate });
}

/** A string says what is wrong; it never repeats the value, which may be a secret. */
function toBytes(value: unknown, base64: boolean): Uint8Array | string {
  if (typeof value !== 'string') return 'must be a string; write it in quotes';
  if (!base64) return Buffer.from(value, 'utf8');
  const text = value.replaceAll(/\s/g, '');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    return 'is no base64; plain text stands under stringData (Secret) or data (ConfigMap)';
  }
  return Buffer.from(text, 'base64');
}

function toSet(root: string, { resources, data, invalid, problems }: Collected): ManifestSet {
  const sorted = resources.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const ofKind = <T extends Resource>(kind: T['kind']) =>
    sorted.filter((manifest): manifest is Manifest<T> => manifest.resource.kind === kind);
  return {
    root,
    directorySyncs: ofKind<DirectorySyncResource>('DirectorySync'),
    attributeMappings: ofKind<AttributeMappingResource>('AttributeMapping'),
    teamRules: ofKind<TeamRuleResource>('TeamRule'),
    customAttributes: ofKind<CustomAttributeResource>('CustomAttribute'),
    secrets: data.filter(({ resource }) => resource.kind === 'Secret'),
    configMaps: data.filter(({ resource }) => resource.kind === 'ConfigMap'),
    invalid,
    problems: problems.sort(compareProblems),
  };
}

function sortKey({ reference }: Manifest<unknown>): string {
  return `${reference.namespace}/${reference.name}`;
}

/** The valid resources alone, as the engine takes them. */
export function toResourceSet(set: ManifestSet): ResourceSet {
  return {
    directorySyncs: set.directorySyncs.map(({ resource }) => resource),
    attributeMappings: set.attributeMappings.map(({ resource }) => resource),
    teamRules: set.teamRules.map(({ resource }) => resource),
    customAttributes: set.customAttributes.map(({ resource }) => resource),
  };
}

/** The manifest of an object; null when the folder has no valid one. */
export function findManifest(set: ManifestSet, reference: ResourceReference): Manifest<Resource> | null {
  const name = formatReference(reference);
  const all: readonly Manifest<Resource>[] = [
    ...set.directorySyncs,
    ...set.attributeMappings,
    ...set.teamRules,
    ...set.customAttributes,
  ];
  return all.find((manifest) => formatReference(manifest.reference) === name) ?? null;
}

/**
 * A finding about a resource of the set, with its place. For what compilers of mappings and rules find.
 * @param finding its `pointer` is a JSON pointer into the resource
 */
export function toProblem(
  set: ManifestSet,
  reference: ResourceReference,
  finding: { readonly severity: Problem['severity']; readonly pointer: string; readonly message: string },
): Problem {
  const manifest = findManifest(set, reference);
  const at = manifest?.locate(finding.pointer) ?? { file: '.', line: 1, column: 1 };
  return { ...at, severity: finding.severity, message: finding.message, resource: reference };
}
