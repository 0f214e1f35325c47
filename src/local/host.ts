/** The resources of a folder as the engine takes them: the counterpart of a cluster (`kube/host.ts`). */
import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ResourceChange, ResourceEvent, ResourceHost, ResourceRef, ResourceSet } from '../api/host.ts';
import { formatReference, KINDS, type Kind, type ResourceReference } from '../api/metadata.ts';
import type { Resource, ResourceByKind } from '../api/resources.ts';
import { toFields } from '../api/rules.ts';
import { SyncError } from '../errors.ts';
import type { PlatformToken } from '../model.ts';
import { findManifest, type InvalidManifest, type Manifest, type ManifestSet, readManifests } from './manifests.ts';
import { formatProblem, hasErrors, type Problem } from './problem.ts';
import { readLocalConfigMap, readLocalSecret } from './secrets.ts';

export type StoredStatus = Readonly<Record<string, unknown>>;

export interface LocalHostOptions {
  /** What `-f` names: a folder, or one file. */
  readonly folder: string;
  /** What `--secrets` names; null or absent without it. */
  readonly secretsFolder?: string | null;
  /** Null where nothing was saved yet. */
  /** The identity that the platform gives whoever runs this; absent: none. */
  readonly readPlatformToken?: () => Promise<PlatformToken | null>;
  readonly loadStatus: (resource: Resource) => Promise<StoredStatus | null>;
  readonly saveStatus: (resource: Resource, status: StoredStatus) => Promise<void>;
  readonly onEvent?: (ref: ResourceRef, event: ResourceEvent) => void;
  /** The folder was changed into one with errors: the resources stay those of the last good one. */
  readonly onProblems?: (problems: readonly Problem[]) => void;
  /** How often the folder is looked at where the operating system does not tell of changes; default 5,000. */
  readonly pollMs?: number;
  /** Changes within it are taken together; default 200. */
  readonly settleMs?: number;
}

export interface LocalHost extends ResourceHost {
  /** Reads the folder, without following it. Problems are part of what it returns. */
  read(): Promise<ManifestSet>;
}

/** A folder has no counter of changes; every resource stays in its first generation. */
const GENERATION = 1;
const POLL_MS = 5000;
const SETTLE_MS = 200;

/**
 * A document that breaks a rule is handed on as it is: the engine refuses a mapping by its name instead of not finding
 * it, and a rule that cannot be read keeps its teams instead of losing them.
 */
export function createLocalHost(options: LocalHostOptions): LocalHost {
  const statuses = new Map<string, StoredStatus>();
  const writes = new Set<Promise<unknown>>();
  const closing = new AbortController();
  let set: ManifestSet | null = null;
  let resources: ResourceSet = EMPTY;

  const take = async (next: ManifestSet): Promise<void> => {
    const all = toWholeSet(next);
    for (const resource of listResources(all)) {
      const name = formatReference(toRef(resource));
      const status = statuses.has(name) ? null : await options.loadStatus(resource);
      if (status !== null) statuses.set(name, status);
    }
    set = next;
    resources = all;
  };

  const required = (): ManifestSet => {
    if (set === null) throw new SyncError('Unknown', 'the folder was not read yet');
    return set;
  };

  const withStatus = <T extends Resource>(resource: T): T => {
    const status = statuses.get(formatReference(toRef(resource)));
    return status === undefined ? resource : { ...resource, status };
  };

  const remember = <T>(write: Promise<T>): Promise<T> => {
    writes.add(write);
    const forget = (): boolean => writes.delete(write);
    write.then(forget, forget);
    return write;
  };

  return {
    async read() {
      const read = await readManifests(options.folder);
      await take(read);
      return read;
    },

    async start(onChange, signal) {
      const first = await readManifests(options.folder);
      throwIfUnreadable(first);
      await take(first);
      const changes = async (): Promise<void> => {
        const before = required();
        const next = await readManifests(options.folder);
        if (hasErrors(next.problems)) {
          options.onProblems?.(next.problems);
          return;
        }
        await take(next);
        for (const change of diffSets(before, next)) onChange(change);
      };
      const report = (thrown: unknown): void => options.onProblems?.([toLost(thrown)]);
      const ends = AbortSignal.any([signal, closing.signal]);
      followFolder({ ...options, root: first.root, signal: ends, changes: () => changes().catch(report) });
    },

    resources: () => ({
      directorySyncs: resources.directorySyncs.map(withStatus),
      attributeMappings: resources.attributeMappings.map(withStatus),
      teamRules: resources.teamRules.map(withStatus),
      customAttributes: resources.customAttributes.map(withStatus),
    }),

    readSecret: (namespace, name) => readLocalSecret(required(), { namespace, name }, options.secretsFolder ?? null),
    readConfigMap: async (namespace, name, key) => readLocalConfigMap(required(), { namespace, name }, key),

    resolvePath(owner, path) {
      const manifest = findManifest(required(), owner);
      if (manifest === null) throw new SyncError('ReferenceNotFound', `${formatReference(owner)} is not in the folder`);
      return resolve(manifest.folder, path);
    },

    readPlatformToken: async () => (await options.readPlatformToken?.()) ?? null,

    async writeStatus(ref, change) {
      const name = formatReference(ref);
      const resource = listResources(resources).find((each) => formatReference(toRef(each)) === name);
      if (resource === undefined) return false;
      // Another process may have written since: `dirsync approve` beside `dirsync run`.
      const before = (await options.loadStatus(resource)) ?? statuses.get(name) ?? {};
      // As it will come back: without keys that are undefined.
      const after: StoredStatus = JSON.parse(JSON.stringify(change(structuredClone(before), GENERATION)));
      statuses.set(name, after);
      if (isDeepStrictEqual(before, after)) return true;
      await remember(options.saveStatus(resource, after));
      return true;
    },

    // A document that is gone waits for nothing: what its rule or attribute has written stands in the state store.
    setFinalizer: async () => undefined,
    event: async (ref, event) => options.onEvent?.(ref, event),

    async close() {
      closing.abort();
      await Promise.allSettled(writes);
    },
  };
}

const EMPTY: ResourceSet = { directorySyncs: [], attributeMappings: [], teamRules: [], customAttributes: [] };

/**
 * Errors that leave open what the folder wants: text that does not parse, a document without a name, one name twice.
 * With them nothing may be run, for a rule may be missing that nobody deleted. Errors of one named resource are left
 * to the engine.
 */
export function findUnreadable(set: ManifestSet): readonly Problem[] {
  const known = new Set(set.invalid.filter(({ reference }) => reference.name !== '').map(toName));
  return set.problems.filter(
    ({ severity, resource }) =>
      severity === 'error' && (resource === undefined || !known.has(formatReference(resource))),
  );
}

function toName({ reference }: { readonly reference: ResourceReference }): string {
  return formatReference(reference);
}

function throwIfUnreadable(set: ManifestSet): void {
  const [problem] = findUnreadable(set);
  if (problem !== undefined) throw new SyncError('Invalid', formatProblem(problem));
}

function toRef({ kind, metadata }: Resource): ResourceRef {
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

function listResources(set: ResourceSet): readonly Resource[] {
  return [...set.directorySyncs, ...set.attributeMappings, ...set.teamRules, ...set.customAttributes];
}

/** Valid resources and those that break a rule, by namespace and name. */
function toWholeSet(set: ManifestSet): ResourceSet {
  const unchecked = set.invalid.flatMap(toUnchecked);
  const ofKind = <K extends Kind>(kind: K, valid: readonly Manifest<ResourceByKind[K]>[]): ResourceByKind[K][] =>
    [
      ...valid.map(({ resource }) => resource),
      ...unchecked.filter((each): each is ResourceByKind[K] => each.kind === kind),
    ]
      .map((resource) => ({ ...resource, metadata: { ...resource.metadata, generation: GENERATION } }))
      .sort((a, b) => (toSortKey(a) < toSortKey(b) ? -1 : 1));
  return {
    directorySyncs: ofKind('DirectorySync', set.directorySyncs),
    attributeMappings: ofKind('AttributeMapping', set.attributeMappings),
    teamRules: ofKind('TeamRule', set.teamRules),
    customAttributes: ofKind('CustomAttribute', set.customAttributes),
  };
}

function toSortKey({ metadata }: Resource): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** A document without a name is nothing that can be handed on. */
function toUnchecked({ reference, document }: InvalidManifest): Resource[] {
  const fields = toFields(document);
  const { namespace, name, kind } = reference;
  if (fields === null || name === '' || !KINDS.some((each) => each === kind)) return [];
  const metadata = { ...toFields(fields['metadata']), name, namespace };
  return [{ ...fields, metadata, spec: toFields(fields['spec']) ?? {} } as unknown as Resource];
}

/** The folder itself is gone, or may not be read: the last good set stays. */
function toLost(thrown: unknown): Problem {
  return { file: '.', line: 1, column: 1, severity: 'error', message: SyncError.from(thrown).message };
}

function diffSets(before: ManifestSet, after: ManifestSet): readonly ResourceChange[] {
  const [was, is] = [toTexts(before), toTexts(after)];
  const names = new Set([...was.keys(), ...is.keys()]);
  return [...names]
    .filter((name) => was.get(name)?.text !== is.get(name)?.text)
    .flatMap((name) => {
      const found = is.get(name) ?? was.get(name);
      return found === undefined ? [] : [found.change];
    });
}

/** Everything that a run may depend on, by name: what it is, and its text for comparison. */
function toTexts(set: ManifestSet): Map<string, { readonly change: ResourceChange; readonly text: string }> {
  const manifests: readonly Manifest<unknown>[] = [
    ...set.directorySyncs,
    ...set.attributeMappings,
    ...set.teamRules,
    ...set.customAttributes,
    ...set.secrets,
    ...set.configMaps,
  ];
  return new Map(
    manifests.map(({ reference, resource }) => {
      const change = reference as ResourceChange;
      return [formatReference(reference), { change, text: JSON.stringify(resource) }];
    }),
  );
}

interface Following {
  readonly root: string;
  readonly pollMs?: number;
  readonly settleMs?: number;
  readonly signal: AbortSignal;
  readonly changes: () => Promise<void>;
}

/** Network volumes and some containers tell of no changes, and a watch may break: so the folder is looked at as well. */
function followFolder({ root, pollMs = POLL_MS, settleMs = SETTLE_MS, signal, changes }: Following): void {
  if (signal.aborted) return;
  let seen = computeSignature(root);
  let settling: NodeJS.Timeout | null = null;
  let looking = Promise.resolve();

  const look = async (): Promise<void> => {
    const now = computeSignature(root);
    const [before, after] = [await seen, await now];
    seen = now;
    if (before !== after && !signal.aborted) await changes();
  };
  const soon = (): void => {
    if (settling !== null) clearTimeout(settling);
    settling = setTimeout(() => {
      looking = looking.then(look);
    }, settleMs);
  };
  const poll = setInterval(() => {
    looking = looking.then(look);
  }, pollMs);
  const watcher = openWatcher(root, soon);
  signal.addEventListener(
    'abort',
    () => {
      clearInterval(poll);
      if (settling !== null) clearTimeout(settling);
      watcher?.close();
    },
    { once: true },
  );
}

const MANIFEST = /\.(ya?ml|json)$/i;

/** Null where the operating system has no more watches to give. */
function openWatcher(root: string, onChange: () => void): FSWatcher | null {
  try {
    const watcher = watch(root, { recursive: true }, (_event, file) => {
      if (file === null || MANIFEST.test(file)) onChange();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

/** Names, sizes and times of the manifests: the same while nobody has written to them. */
async function computeSignature(folder: string): Promise<string> {
  const lines: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') {
      lines.push(await computeSignature(path));
    } else if (entry.isFile() && MANIFEST.test(entry.name)) {
      const info = await stat(path).catch(() => null);
      lines.push(`${path}\n${info?.mtimeMs}\n${info?.size}`);
    }
  }
  return lines.sort().join('\n');
}
