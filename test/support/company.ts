/**
 * A DirectorySync with everything around it, in memory but for the state store: tests of the engine change people, rules
 * or time and run again.
 */

import type { CustomAttributeResource } from '../../src/api/custom-attribute.ts';
import type { DirectorySyncResource, DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import type { ResourceHost } from '../../src/api/host.ts';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import type { PooledHttpClient } from '../../src/http/client.ts';
import type { Json } from '../../src/model.ts';
import { createEngine, type RunRequest } from '../../src/reconcile/engine.ts';
import type { HttpClientNeeds, Providers, RunReport } from '../../src/reconcile/run.ts';
import type { FailedRecord, SourceProvider } from '../../src/sources/source.ts';
import { openSqliteStore } from '../../src/state/sqlite/store.ts';
import type { DirectoryState, StateStore, StoredOperation } from '../../src/state/store.ts';
import type { TargetCapabilities, TargetProvider } from '../../src/targets/target.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import type { OwnMappingSpec } from './builders.ts';
import { createMemoryTarget, type MemoryTarget } from './memory-target.ts';
import { createScriptedSource, type Person, type ScriptedSource } from './scripted-source.ts';

export type { Person } from './scripted-source.ts';

export interface Company {
  people: Person[];
  /** Items that the next read cannot turn into records. */
  failed: FailedRecord[];
  /** Columns that the read delivers; by default all keys of all people. */
  columns: readonly string[] | null;
  /** Thrown in the middle of the read. */
  readError: Error | null;
  /** Of the resource. */
  name: string;
  spec: DirectorySyncSpec;
  mapping: OwnMappingSpec;
  /** The AttributeMapping `teams`, which the spec names or not. */
  teamMapping: OwnMappingSpec | null;
  /** Of the mapping; another one than the spec's says that it was deleted. */
  mappingName: string;
  rules: Record<string, TeamRuleResource['spec']>;
  customs: Record<string, CustomAttributeResource['spec']>;
  now: Date;
  /** Values of the target's Secret, read at each run. */
  secrets: Readonly<Record<string, string>>;
  /** The bound of a run; the system's timer by default. */
  timeout?: (ms: number) => AbortSignal;
  /** What `people`, `failed`, `columns` and `readError` are words for; the script can say more. */
  readonly source: ScriptedSource;
  readonly target: MemoryTarget;
  store: StateStore;
  /** `others`: DirectorySyncs beside it. */
  run(request?: CompanyRequest): Promise<RunReport>;
  operations(report: RunReport): Promise<StoredOperation[]>;
  errors(report: RunReport): Promise<string[]>;
  state(): Promise<DirectoryState>;
  resource(): DirectorySyncResource;
  /** Its source and target, for an engine that somebody else builds. */
  readonly providers: Providers;
  /** The state store is lost. */
  loseState(): Promise<void>;
  teamMembers(displayName: string): string[];
}

export interface CompanyRequest extends Partial<RunRequest> {
  readonly others?: readonly DirectorySyncResource[];
}

const NAMESPACE = 'identity';

/** An application in place of the one in memory. */
export interface Application {
  readonly provider: TargetProvider<never>;
  readonly createHttp: (needs: HttpClientNeeds) => PooledHttpClient;
}

export async function createCompany(
  options: {
    file?: string;
    capabilities?: Partial<TargetCapabilities>;
    application?: Application;
    /** In place of the scripted one. */
    source?: SourceProvider<unknown>;
  } = {},
): Promise<Company> {
  const target = createMemoryTarget(options.capabilities);
  const source = createScriptedSource({ pageSize: 3 });
  const company: Company = {
    get people() {
      return source.people as Person[];
    },
    set people(people) {
      source.people = people;
    },
    get failed() {
      return source.failed as FailedRecord[];
    },
    set failed(failed) {
      source.failed = failed;
    },
    get columns() {
      return source.columns;
    },
    set columns(columns) {
      source.columns = columns;
    },
    get readError() {
      return source.failsAfter?.error ?? null;
    },
    set readError(error) {
      source.failsAfter = error === null ? null : { pages: 1, error };
    },
    source,
    name: 'acme',
    secrets: { token: 'secret' },
    spec: {
      source: { file: { users: { path: 'people.csv' } } },
      mappings: [{ name: 'users' }],
      target: { scim: { url: 'https://app.example.com/scim', credentialsRef: { name: 'app' } } },
    },
    mapping: {
      attributes: [
        { target: 'userName', source: 'mail', matching: { precedence: 1 } },
        { target: 'externalId', source: 'id', matching: { precedence: 2 } },
        { target: 'title', source: 'title', onEmpty: 'Clear' },
        { target: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', source: 'department' },
        { target: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager', source: 'manager' },
      ],
    },
    teamMapping: null,
    mappingName: 'users',
    rules: {},
    customs: {},
    now: new Date('2026-03-01T09:00:00Z'),
    target,
    store: await openSqliteStore(options.file ?? ':memory:'),
    resource: () => toResource('DirectorySync', company.name, company.spec),
    get providers(): Providers {
      return {
        sources: new Map([['file', options.source ?? source.provider]]),
        targets: new Map([['scim', options.application?.provider ?? target.provider]]),
      };
    },
    run: (request = {}) => run(company, request, options.application?.createHttp ?? refuseHttp),
    operations: async (report) => {
      const all: StoredOperation[] = [];
      for await (const page of (await company.state()).journal.operations(report.runId)) all.push(...page);
      return all;
    },
    errors: async (report) => {
      const all: string[] = [];
      for await (const page of (await company.state()).journal.errors(report.runId))
        all.push(...page.map(({ id, code, message }) => `${id} ${code}: ${message}`));
      return all;
    },
    state: () => company.store.directory({ namespace: NAMESPACE, id: company.spec.id ?? company.name }),
    loseState: async () => {
      await company.store.close();
      company.store = await openSqliteStore(':memory:');
    },
    teamMembers: (displayName) => {
      const team = [...target.teams.values()].find(({ attributes }) => attributes['displayName'] === displayName);
      return [...(team?.members ?? [])].map((id) => String(target.users.get(id)?.attributes['userName'] ?? id)).sort();
    },
  };
  return company;
}

function toResource<K extends string, S>(kind: K, name: string, spec: S) {
  return { apiVersion: 'dirsync.dev/v1alpha1', kind, metadata: { name, namespace: NAMESPACE }, spec } as const;
}

function refuseHttp(): PooledHttpClient {
  return {
    send: () => Promise.reject(new Error('no HTTP in this test')),
    sent: 0,
    close: () => undefined,
  };
}

function run(
  company: Company,
  { others = [], ...request }: CompanyRequest,
  createHttp: Application['createHttp'],
): Promise<RunReport> {
  const list = <S, K extends string>(kind: K, specs: Record<string, S>) =>
    Object.entries(specs).map(([name, spec]) => toResource(kind, name, spec));
  const resource = company.resource();
  const host: ResourceHost = {
    start: async () => undefined,
    resources: () => ({
      directorySyncs: [resource, ...others],
      attributeMappings: [
        toResource('AttributeMapping', company.mappingName, company.mapping),
        ...(company.teamMapping === null ? [] : [toResource('AttributeMapping', 'teams', company.teamMapping)]),
      ],
      teamRules: list('TeamRule', company.rules),
      customAttributes: list('CustomAttribute', company.customs),
    }),
    readSecret: async () => company.secrets,
    readConfigMap: async () => new Uint8Array(),
    resolvePath: (_owner, path) => path,
    writeStatus: async () => true,
    setFinalizer: async () => undefined,
    event: async () => undefined,
    close: async () => undefined,
  };
  const engine = createEngine({
    host,
    store: company.store,
    providers: company.providers,
    createHttp: (needs) => {
      const client = createHttp(needs);
      return {
        send: (request) => client.send(request),
        get sent() {
          return client.sent;
        },
        beginPass: () => () => undefined,
        begin: async () => () => undefined,
        close: () => client.close(),
      };
    },
    now: () => company.now,
    log: createLogger({ level: 'silent' }),
    holder: 'test',
    ...(company.timeout === undefined ? {} : { timeout: company.timeout }),
  });
  // As by hand, so that a test which is not about backoff need not wait for it.
  return engine.run({ resource, signal: new AbortController().signal, tryAll: true, ...request });
}

/** `n` people with ids `p1`, mails `p1@example.com`, and whatever `more` gives them. */
export function aCompanyOf(n: number, more: (index: number) => Record<string, Json> = () => ({})): Person[] {
  return Array.from({ length: n }, (_, index) => ({
    id: `p${index + 1}`,
    mail: `p${index + 1}@example.com`,
    title: 'Engineer',
    department: 'Research',
    manager: null,
    ...more(index),
  }));
}
