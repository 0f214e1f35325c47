/** Where local mode keeps what a cluster would keep in the resources themselves: in the state store. */
import type { Condition } from '../api/condition-schema.ts';
import type { ResourceSet } from '../api/host.ts';
import { findCondition } from '../api/kstatus.ts';
import type { Resource } from '../api/resources.ts';
import type { LocalHostOptions } from '../local/host.ts';
import { toDirectoryKey } from '../reconcile/takeover.ts';
import type { DirectoryKey, Facts, StateStore } from '../state/store.ts';

/** Facts of a namespace that belong to no one DirectorySync. No DirectorySync can have this id. */
const SHARED_ID = '*';

/** The resources of a namespace as `apply` or `run` saw them last, without their statuses. */
const RESOURCES = 'resources';

export interface StatusStore extends Pick<LocalHostOptions, 'loadStatus' | 'saveStatus'> {
  /** Remembers what was applied, for commands that are given no folder. */
  saveResources(resources: ResourceSet): Promise<void>;
  /** All namespaces, statuses included. */
  loadResources(): Promise<ResourceSet>;
  /** Those that have been run. */
  directories(): Promise<readonly DirectoryKey[]>;
}

type Lists = { -readonly [K in keyof ResourceSet]: Resource[] };

function toOwnName({ metadata }: Resource): string {
  return `status/${metadata.name}`;
}

function isWaiting({ conditions }: Readonly<Record<string, unknown>>): boolean {
  return findCondition(conditions as readonly Condition[] | undefined, 'Ready')?.reason === 'IdInUse';
}

export function createStatusStore(store: StateStore): StatusStore {
  const shared = async (namespace: string): Promise<Facts> =>
    (await store.directory({ namespace, id: SHARED_ID })).facts;

  const locate = async (resource: Resource): Promise<{ facts: Facts; name: string }> => {
    const { kind, metadata } = resource;
    if (kind !== 'DirectorySync') return { facts: await shared(metadata.namespace), name: `${kind}/${metadata.name}` };
    return { facts: (await store.directory(toDirectoryKey(resource))).facts, name: 'status' };
  };

  const loadStatus: StatusStore['loadStatus'] = async (resource) => {
    const { facts, name } = await locate(resource);
    return (await facts.get(toOwnName(resource))) ?? (await facts.get(name));
  };

  return {
    loadStatus,
    async saveStatus(resource, status) {
      const { facts, name } = await locate(resource);
      // Two resources with one id share a place: the one that waits must not speak for the one that runs.
      const waits = isWaiting(status);
      await facts.put(waits ? toOwnName(resource) : name, status);
      if (!waits) await facts.put(toOwnName(resource), null);
    },
    async saveResources(resources) {
      for (const [namespace, lists] of splitByNamespace(resources)) {
        await (await shared(namespace)).put(RESOURCES, lists);
      }
    },
    async loadResources() {
      const all = emptyLists();
      for (const { namespace, id } of await store.directories()) {
        const lists = id === SHARED_ID ? await (await shared(namespace)).get<Lists>(RESOURCES) : null;
        if (lists === null) continue;
        await addStatuses(all, lists, loadStatus);
      }
      return all as unknown as ResourceSet;
    },
    directories: async () => (await store.directories()).filter(({ id }) => id !== SHARED_ID),
  };
}

const LIST_NAMES = ['directorySyncs', 'attributeMappings', 'teamRules', 'customAttributes'] as const;

function emptyLists(): Lists {
  return { directorySyncs: [], attributeMappings: [], teamRules: [], customAttributes: [] };
}

function splitByNamespace(resources: ResourceSet): Map<string, Lists> {
  const namespaces = new Map<string, Lists>();
  for (const key of LIST_NAMES) {
    for (const resource of resources[key]) {
      const { namespace } = resource.metadata;
      const lists = namespaces.get(namespace) ?? emptyLists();
      namespaces.set(namespace, lists);
      const { status: _kept, ...rest } = resource;
      lists[key].push(rest as Resource);
    }
  }
  return namespaces;
}

async function addStatuses(all: Lists, lists: Lists, load: StatusStore['loadStatus']): Promise<void> {
  for (const key of LIST_NAMES) {
    for (const resource of lists[key] ?? []) all[key].push(await withStatus(resource, load));
  }
}

async function withStatus(resource: Resource, load: StatusStore['loadStatus']): Promise<Resource> {
  const status = await load(resource);
  return status === null ? resource : ({ ...resource, status } as Resource);
}
