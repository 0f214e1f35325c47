/** Everything around the engine: time, network, server, state file, resources, and the processes that run in it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Timing } from '../../src/http/timing.ts';
import { createConnections } from '../../src/reconcile/connections.ts';
import { createEngine, type Engine } from '../../src/reconcile/engine.ts';
import { openSqliteStore } from '../../src/state/sqlite/store.ts';
import type { Lease, StateStore } from '../../src/state/store.ts';
import { scimTarget } from '../../src/targets/scim/index.ts';
import type { TargetProvider } from '../../src/targets/target.ts';
import { createLogger, type Logger } from '../../src/telemetry/log.ts';
import { createMemoryHost, type MemoryHost } from '../support/memory-host.ts';
import { createClock, type VirtualClock } from './clock.ts';
import type { HttpFault, ProcessFault } from './faults.ts';
import type { RunFacts } from './invariants/facts.ts';
import { createInvariants, type Invariants } from './invariants.ts';
import { type Company, createCompany, MAIL_DOMAIN } from './model.ts';
import { createNetwork } from './network.ts';
import { createSeam, type Seam, toProcessHost, toProcessStore } from './process.ts';
import { createProvider, type Telling } from './provider.ts';
import { toDialect } from './quirks.ts';
import { createRandom, type Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { createServer, type Server, TOKEN_PATH } from './server.ts';
import type { Reading } from './source.ts';
import { createTransport } from './transport.ts';

const TOKEN = 'sesame-open';

/** What goes wrong in the run of one process. */
export interface Trouble {
  readonly http: readonly HttpFault[];
  readonly process: readonly ProcessFault[];
}

const NO_TROUBLE: Trouble = { http: [], process: [] };
const NOTHING: Reading = { users: [], failed: [], attributes: [], tenantId: '', end: 'error', groups: null };
const SILENCE: Telling = {
  whole: NOTHING,
  full: NOTHING,
  fault: null,
  feed: null,
  filter: null,
  onTold: () => undefined,
};

/** One Dirsync process. */
export interface Process {
  readonly seam: Seam;
  readonly engine: Engine;
  readonly store: StateStore;
  /** What it works on; requests belong to this run. */
  facts: RunFacts | null;
  /** What the source has for it. */
  telling: Telling | null;
  trouble: Trouble;
  stopping: AbortController;
  hard: AbortController;
  /** Requests of the run so far. */
  requests: number;
  /** Awaits before the run. */
  base: number;
  close(): Promise<void>;
}

export interface World {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly company: Company;
  readonly server: Server;
  readonly host: MemoryHost;
  readonly invariants: Invariants;
  readonly log: string[];
  readonly counts: Map<string, number>;
  readonly file: string;
  readonly processes: Set<Process>;
  count(what: string, times?: number): void;
  note(line: string): void;
  /** A process of its own, with its own connection to the state file. */
  start(name: string): Promise<Process>;
  /** Another process takes the state store for itself. */
  hold(): Promise<Lease>;
  /** An edit of the manifests while a run goes on. */
  onEdit: () => void;
  close(): Promise<void>;
}

const START = Date.parse('2026-03-02T06:00:00Z');

export function createWorld(scenario: Scenario, folder: string): World {
  const clock = createClock(START, scenario.application.quirks.some((quirk) => quirk.startsWith('bulk')) ? 2 : 1);
  const random = createRandom(scenario.seed).fork('world');
  const server = createServer(toDialect(scenario.application), {
    token: TOKEN,
    tokenLife: scenario.application.tokenLife ?? null,
    now: clock.elapsed,
  });
  const counts = new Map<string, number>();
  const log: string[] = [];
  const started: Process[] = [];
  let isOver = false;
  const lease = createLeases();
  const file = join(folder, 'state.db');
  eraseState(file);
  const logger = createLogger({
    level: 'debug',
    destination: { write: (line: string) => checkText(world, 'log', line) },
  });
  const world: World = {
    clock,
    random,
    server,
    file,
    log,
    counts,
    company: createCompany({ ...scenario, profile: scenario.application.profile }),
    host: createMemoryHost(),
    invariants: createInvariants(server, {
      count: (what) => world.count(what),
      mixedUp: () => counts.has('fault late') || counts.has('fault doubled'),
    }),
    processes: new Set(),
    onEdit: () => undefined,
    count: (what, times = 1) => void counts.set(what, (counts.get(what) ?? 0) + times),
    note(line) {
      if (!isOver) log.push(`${new Date(clock.wall()).toISOString()} ${line}`);
    },
    hold: () =>
      lease(
        createSeam('another', () => undefined),
        new AbortController().signal,
      ),
    async start(name) {
      const process = await startProcess(world, { name, acquire: lease, logger });
      started.push(process);
      return process;
    },
    async close() {
      isOver = true;
      for (const process of [...world.processes]) await process.close();
      // Node keeps a combined signal, and with it whoever listens, until it is aborted: a killed run would stay for ever.
      for (const { hard } of started) hard.abort();
      eraseState(file);
    },
  };
  const tokenUrl = `https://app.example.com${TOKEN_PATH}`;
  world.host.secret =
    scenario.application.tokenLife === undefined
      ? { token: TOKEN }
      : { clientId: 'dirsync', clientSecret: TOKEN, tokenUrl };
  return world;
}

export function eraseState(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal', '.lock']) rmSync(file + suffix, { force: true });
}

/** The whole state file as it is now. */
export function copyState(file: string): Uint8Array {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db.serialize();
  } finally {
    db.close();
  }
}

export function restoreState(file: string, copy: Uint8Array): void {
  eraseState(file);
  writeFileSync(file, copy);
}

let emptyState: Uint8Array | null = null;

/** What a store is when it was just made; made once, because that takes as long as a whole run. */
async function makeEmptyState(file: string): Promise<Uint8Array> {
  if (emptyState === null) {
    const made = `${file}.empty`;
    await (await openSqliteStore(made)).close();
    emptyState = readFileSync(made);
    eraseState(made);
  }
  return emptyState;
}

type AcquireLease = (seam: Seam, signal: AbortSignal) => Promise<Lease>;

/** One holder at a time among all processes; a holder that dies frees it. */
function createLeases(): AcquireLease {
  let holder: Seam | null = null;
  const waiting: (() => void)[] = [];
  const release = (seam: Seam): void => {
    if (holder !== seam) return;
    holder = null;
    waiting.shift()?.();
  };
  return async (seam, signal) => {
    while (holder !== null && holder !== seam) {
      if (signal.aborted) throw signal.reason;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    holder = seam;
    void seam.death.then(() => release(seam));
    return { release: async () => release(seam) };
  };
}

interface Starting {
  readonly name: string;
  readonly acquire: AcquireLease;
  readonly logger: Logger;
}

async function startProcess(world: World, { name, acquire, logger }: Starting): Promise<Process> {
  const { clock, random } = world;
  if (!existsSync(world.file)) writeFileSync(world.file, await makeEmptyState(world.file));
  const raw = await openSqliteStore(world.file);
  const seam = createSeam(name, (_seam, where) => onCross(world, process, where));
  const timing: Timing = {
    now: clock.wall,
    elapsed: clock.elapsed,
    random: random.next,
    sleep: (ms, signal) => seam.wait('sleep', () => sleep(clock, ms, signal)),
  };
  const timers = new Set<() => void>();
  const store = toProcessStore(raw, { seam, acquire, isDiskFull: () => isDiskFull(process) });
  const provider = createProvider({
    next: () => process.telling ?? SILENCE,
    wait: (where, ms, signal) => seam.wait(where, () => sleep(clock, ms, signal)),
  });
  const engine = createEngine({
    host: toProcessHost(world.host, seam),
    store,
    providers: {
      sources: new Map([['file', provider]]),
      targets: new Map([['scim', scimTarget as TargetProvider<unknown>]]),
    },
    createHttp: createConnections({
      userAgent: 'dirsync/sim',
      timing,
      transport: createTransport(
        () => seam,
        createNetwork(world, () => process),
      ),
    }),
    now: () => new Date(clock.wall()),
    log: logger,
    holder: name,
    timeout(ms) {
      const controller = new AbortController();
      const error = new DOMException('the run took too long', 'TimeoutError');
      timers.add(clock.after(ms, () => controller.abort(error)));
      return controller.signal;
    },
  });
  const process: Process = {
    seam,
    engine,
    store: raw,
    facts: null,
    telling: null,
    trouble: NO_TROUBLE,
    stopping: new AbortController(),
    hard: new AbortController(),
    requests: 0,
    base: 0,
    async close() {
      for (const cancel of timers) cancel();
      seam.kill();
      world.processes.delete(process);
      await raw.close();
    },
  };
  world.processes.add(process);
  return process;
}

/** Rule I9: no secret and nothing that says who somebody is. */
export function checkText(world: World, where: string, text: string): void {
  if (text.includes(MAIL_DOMAIN) || text.includes(TOKEN))
    world.invariants.fail('I9', `${where}: ${text.slice(0, 300)}`);
}

function sleep(clock: VirtualClock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel();
      reject(new DOMException('the wait was ended', 'AbortError'));
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

function isDiskFull(process: Process): boolean {
  const at = process.seam.crossings - process.base;
  return process.trouble.process.some(
    (fault) => fault.kind === 'diskFull' && at >= fault.at && at < fault.at + fault.count,
  );
}

function onCross(world: World, process: Process, where: string): void {
  const at = process.seam.crossings - process.base;
  for (const fault of process.trouble.process) {
    if (fault.at !== at || process.facts === null) continue;
    world.count(`fault ${fault.kind}`);
    world.note(`${process.facts.name} ${fault.kind} at await ${at} (${where})`);
    if (fault.kind === 'kill') process.seam.kill();
    if (fault.kind === 'cut') process.hard.abort();
    if (fault.kind === 'editInFlight') world.onEdit();
    if (fault.kind === 'stopped' || fault.kind === 'editInFlight') process.stopping.abort();
  }
}
