/**
 * Who may import whom in `src/`, as data. Imports go one way: `main, cli → reconcile → (mapping, plan, state,
 * kube | local, contracts) → (http, telemetry, api, expression, rule) → (pattern, cel, model, errors, scim)`. A folder that is not
 * listed here fails the check, so that a new one is a decision and not an accident.
 */

/**
 * The part of `src/` that a file belongs to. `contracts` are `sources/source.ts` and `targets/target.ts` and what several
 * providers keep their rules by, `registry` is `registry.ts` beside them, `provider` is a folder below them.
 */
export type Layer =
  | 'main'
  | 'cli'
  | 'reconcile'
  | 'mapping'
  | 'plan'
  | 'state'
  | 'kube'
  | 'local'
  | 'directory'
  | 'convert'
  | 'registry'
  | 'provider'
  | 'contracts'
  | 'http'
  | 'telemetry'
  | 'api'
  | 'expression'
  | 'rule'
  | 'pattern'
  | 'cel'
  | 'model'
  | 'errors'
  | 'nearest-name'
  | 'duration'
  | 'team-key'
  | 'text-error'
  | 'scim';

/** Beside the contracts: for more than one provider, which do not know each other. */
export const SHARED_FILES: ReadonlySet<string> = new Set([
  'sources/attribute-names.ts',
  'sources/converted.ts',
  'sources/group-failures.ts',
  'sources/inspection.ts',
  'sources/paged-list.ts',
]);

interface Allowed {
  /** Beside itself. */
  readonly imports: readonly Layer[];
  /** Only with `import type`: the shape is shared, the code is not. */
  readonly types?: readonly Layer[];
}

const GROUND: readonly Layer[] = ['model', 'errors', 'nearest-name', 'duration', 'team-key', 'text-error', 'scim'];
const PURE_BASE: readonly Layer[] = ['api', 'expression', 'rule', 'cel', ...GROUND];
const ENGINE: readonly Layer[] = ['mapping', 'plan', 'state', 'contracts', 'http', 'telemetry', ...PURE_BASE];

export const LAYERS: Readonly<Record<Layer, Allowed>> = {
  errors: { imports: [] },
  model: { imports: ['errors'] },
  'nearest-name': { imports: [] },
  duration: { imports: ['errors'] },
  'team-key': { imports: [] },
  'text-error': { imports: ['errors'] },
  scim: { imports: ['model', 'errors', 'nearest-name'] },
  api: { imports: GROUND },
  pattern: { imports: ['errors'] },
  cel: { imports: GROUND },
  expression: { imports: ['pattern', ...GROUND] },
  rule: { imports: ['pattern', 'cel', ...GROUND] },
  http: { imports: GROUND },
  telemetry: { imports: GROUND },
  contracts: { imports: GROUND, types: ['http', 'api'] },
  // Of the resources a provider sees its own block of configuration, resolved by whoever calls it.
  provider: { imports: ['contracts', 'http', ...GROUND], types: ['api'] },
  registry: { imports: ['provider', 'contracts'] },
  mapping: { imports: ['pattern', ...PURE_BASE] },
  // The plan is computed from rows that the store hands over; what reads and writes them is not its business.
  plan: { imports: PURE_BASE, types: ['state', 'mapping', 'contracts'] },
  state: { imports: GROUND, types: ['contracts', 'telemetry', 'api'] },
  kube: { imports: ['api', 'http', 'telemetry', ...GROUND] },
  local: { imports: ['api', 'http', 'telemetry', ...GROUND] },
  directory: { imports: ['telemetry', ...GROUND] },
  // Text in, resources out: what they mean to the engine is for whoever asked for them to check.
  convert: { imports: PURE_BASE },
  // Providers, kube and local come in as contracts, so that a run can be tested and moved without them.
  reconcile: { imports: ENGINE },
  main: { imports: ['reconcile', 'kube', 'local', 'registry', ...ENGINE] },
  cli: { imports: ['main', 'reconcile', 'kube', 'local', 'directory', 'convert', 'registry', ...ENGINE] },
};

/** Layers that compute and do nothing else: time, chance and everything read come in as arguments. */
export const PURE_LAYERS: ReadonlySet<Layer> = new Set([
  'expression',
  'rule',
  'pattern',
  'cel',
  'mapping',
  'plan',
  'scim',
  'api',
  'convert',
]);

export const IMPURE_MODULES: ReadonlySet<string> = new Set(
  ['fs', 'fs/promises', 'net', 'tls', 'dgram', 'dns', 'http', 'https', 'http2', 'child_process', 'worker_threads']
    .concat(['sqlite', 'timers', 'timers/promises', 'process', 'perf_hooks'])
    .map((name) => `node:${name}`),
);

export const IMPURE_CODE: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'Date.now()', pattern: /\bDate\.now\b/g },
  { what: 'new Date() without an argument', pattern: /\bnew Date(?:\(\s*\)|(?!\s*[\w(]))/g },
  { what: 'performance.now()', pattern: /\bperformance\.now\b/g },
  { what: 'Math.random()', pattern: /\bMath\.random\b/g },
  { what: 'a random id or bytes', pattern: /\b(?:randomUUID|randomBytes|randomInt|getRandomValues)\b/g },
];

/**
 * What opens connections. One place means one pool, one rate budget and one redaction; nock sees `node:http` and would
 * let undici's own requests through to the network.
 */
export const HTTP_MODULES: ReadonlySet<string> = new Set(['node:http', 'node:https', 'node:http2', 'undici']);

/** Beside `http`: those that serve, and the Kubernetes client, which needs watches and client certificates. */
export const HTTP_LAYERS: ReadonlySet<Layer> = new Set(['http', 'directory', 'kube']);
export const HTTP_FILES: ReadonlySet<string> = new Set(['telemetry/health.ts']);

/** The machine reads like a table of contents: packages and files it may import values from; types from anywhere allowed. */
export const MACHINE = { file: 'reconcile/machine.ts', packages: ['xstate'], folder: 'reconcile/steps/' } as const;
