/**
 * The steps of a run that carries out `deletionPolicy`. It needs the target and what the links say, and neither the source
 * nor mappings or rules: these may be gone already, and nothing is asked of them.
 */
import { SyncError } from '../../errors.ts';
import { compileMapping } from '../../mapping/compile.ts';
import { compileCustomAttributes } from '../../mapping/custom-attributes.ts';
import type { AttributeMemory } from '../../mapping/retired-paths.ts';
import { NO_RULES } from '../../mapping/rules.ts';
import type { ResourceKind } from '../../model.ts';
import { type OwnershipSettings, planOwnedPerson, planOwnedTeam } from '../../plan/ownership.ts';
import { EVERYBODY } from '../../rule/condition.ts';
import type { Source } from '../../sources/source.ts';
import type { CompiledResources } from '../compile.ts';
import { toDeletionPolicy } from '../deletion-policy.ts';
import type { Guarded, Loaded, Observed, PlanResult, RunDependencies, RunHttpClient } from '../run.ts';
import { noteNeighbours, observeDoubtful } from './observe.ts';
import { PlanWriter } from './plan-writer.ts';
import { ProtectedTeams } from './protected-teams.ts';
import { settleBegun } from './settle.ts';

/** What a DirectorySync without mappings and rules compiles to. */
export function compileNothing(provider: string): CompiledResources {
  const compile = (kind: ResourceKind) =>
    compileMapping([], compileCustomAttributes([], '', [], kind), { provider, hasGroups: false }, []);
  return {
    customs: compileCustomAttributes([], '', []),
    mapping: compile('User'),
    teamMapping: compile('Team'),
    presets: { User: null, Team: null },
    provisionsGroups: false,
    rules: NO_RULES,
    ruleNames: [],
    scope: EVERYBODY,
    problems: [],
  };
}

/** Stands where a source would. */
export const NO_SOURCE: Source = {
  identity: async () => ({ tenantId: null, tenantName: null, domains: [] }),
  readUsers: () => {
    throw new SyncError('Unknown', 'the deletion of a DirectorySync reads no source');
  },
  close: async () => undefined,
};

export const NO_HTTP: RunHttpClient = {
  send: () => Promise.reject(new SyncError('Unknown', 'the deletion of a DirectorySync sends nothing to the source')),
  sent: 0,
  beginPass: () => () => undefined,
  begin: async () => () => undefined,
  close: () => undefined,
};

/** What CustomAttributes have written stays, or goes with the account. */
export const NO_ATTRIBUTES: AttributeMemory = { written: {}, retired: {} };

/** Guards have no say in it. */
export const UNGUARDED: Guarded = {
  held: new Map(),
  hash: '',
  kinds: {},
  subjects: [],
  released: new Map(),
  mismatch: false,
  removals: [],
  trusted: true,
  heldUnits: 0,
  order: { rounds: [], waits: new Map() },
};

export async function observeOwned(
  run: RunDependencies,
  { loaded }: { loaded: Loaded },
  signal: AbortSignal,
): Promise<Observed> {
  const capabilities = await loaded.target.capabilities(signal);
  await run.state.staging.clear();
  // Nobody asks this source for changes any more.
  if (!run.options.planOnly) await run.state.mirror.drop('everything');
  await noteNeighbours(run, loaded);
  await settleBegun(run, loaded.target, signal);
  await observeDoubtful(run, loaded, signal);
  return { kind: 'Full', capabilities, verified: false, unmanaged: 0, unreadTeams: 0, warnings: [] };
}

export async function planDeletion(
  run: RunDependencies,
  { loaded, observed }: { loaded: Loaded; observed: Observed },
  signal: AbortSignal,
): Promise<PlanResult> {
  const writer = new PlanWriter(run, { User: new Map(), Team: new Map() });
  const { guards } = loaded.spec;
  const teams = new ProtectedTeams(guards);
  const settings: OwnershipSettings = {
    policy: toDeletionPolicy(run.resource, run.resources),
    protectedUsers: new Set(guards.protectedUsers.map((name) => name.toLowerCase())),
    ownNames: new Set(loaded.target.ownNames().map((name) => name.toLowerCase())),
    isProtectedTeam: (team) => teams.keeps(team) !== null,
    target: observed.capabilities,
  };
  let done = 0;
  for await (const page of run.state.staging.people()) {
    signal.throwIfAborted();
    for (const person of page) await writer.add(planOwnedPerson(person, settings));
    done += page.length;
    run.onProgress({ step: 'plan', done, total: null });
  }
  for await (const page of run.state.staging.teams()) {
    signal.throwIfAborted();
    for (const team of page) await writer.add(planOwnedTeam(team, settings));
  }
  await writer.flush();
  const { operations, protected: spared } = writer;
  return {
    ...{ operations, protected: spared, waiting: new Set(), drift: null, warnings: [] },
    // Nobody of those who stay is changed.
    release: { endings: [], owed: [] },
  };
}
