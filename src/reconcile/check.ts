/** `dirsync check`: whether source and target can be reached and what they can do, found by reading alone. */
import { randomUUID } from 'node:crypto';
import { SyncError } from '../errors.ts';
import { bindName, KnownAttributes } from '../mapping/names.ts';
import { createScopeGroupsSearch } from '../mapping/scope-groups.ts';
import type { Source, SourceIdentity, SourcePage } from '../sources/source.ts';
import type { ProbeFinding, Target } from '../targets/target.ts';
import { type CompiledResources, compareWithTarget, toTargetUse } from './compile.ts';
import { createExpiryLog, mergeExpiries, toExpiringChange } from './expiry.ts';
import { type LookInput, type Prepared, prepareLook } from './look.ts';
import { openSource, openTarget } from './open.ts';
import type { RunHttpClient } from './run.ts';
import { listReadNames, needsGroups, projectionOf } from './steps/asking.ts';

type Findings = AsyncGenerator<ProbeFinding>;

/** Looks at the target; what ends it is the last finding. Nothing is written, neither there nor in the state. */
export function checkTarget(input: LookInput, signal: AbortSignal): Findings {
  return inOneRun(input, (prepared, traces) => inspectTarget(prepared, traces, signal));
}

/** Looks at the source: who it is, and what its first page holds. No value of a person is shown. */
export function checkSource(input: LookInput, signal: AbortSignal): Findings {
  return inOneRun(input, (prepared, traces) => inspectSource(prepared, traces, signal));
}

/** What a look is made with, and leaves. */
type Traces = Parameters<typeof openSource>[2];

async function* inOneRun(input: LookInput, inspect: (prepared: Prepared, traces: Traces) => Findings): Findings {
  const traces = { opened: [] as RunHttpClient[], expiries: createExpiryLog() };
  let failure: unknown = null;
  try {
    const prepared = prepareLook(input);
    const { problem } = prepared;
    if (problem !== null) yield { verdict: 'warning', about: 'resources', message: `nothing is compared: ${problem}` };
    yield* inspect(prepared, traces);
  } catch (thrown) {
    failure = thrown;
  } finally {
    for (const client of traces.opened) client.close();
  }
  // What has expired may be why nothing works: it is said whatever came before.
  const { status, message } = toExpiringChange(mergeExpiries(traces.expiries.list(), undefined), input.now());
  if (status === 'True') yield { verdict: 'warning', about: 'credentials', message };
  if (failure !== null) yield toFinding(failure);
}

function toFinding(thrown: unknown): ProbeFinding {
  const { code, message } = SyncError.from(thrown);
  if (code === 'Unknown') throw thrown;
  return { verdict: 'error', about: ABOUT[code] ?? 'connection', message };
}

/** What an error is about, where it is not the connection. */
const ABOUT: Partial<Record<SyncError['code'], string>> = {
  Invalid: 'spec',
  ReferenceNotFound: 'reference',
  CredentialsRejected: 'credentials',
  ReadFailed: 'read',
  ReadIncomplete: 'read',
};

async function* inspectTarget(prepared: Prepared, traces: Traces, signal: AbortSignal): Findings {
  const { opening, spec, compiled } = prepared;
  const { target } = await openTarget(opening, spec, { teamPaths: [], memory: null, afresh: true, ...traces });
  try {
    const wish = {
      matching: compiled?.mapping.matching.map(({ path }) => path) ?? [],
      teams: compiled !== null && toTargetUse(compiled, spec).teams,
      nobody: `dirsync-check-${randomUUID()}@example.invalid`,
    };
    yield* target.probe(wish, signal);
    if (compiled !== null) yield* compareAll(prepared, compiled, { target, signal });
  } finally {
    await target.close();
  }
}

/** What a run would stop at, or warn of. */
async function* compareAll(
  { opening, spec }: Prepared,
  compiled: CompiledResources,
  { target, signal }: { readonly target: Target; readonly signal: AbortSignal },
): Findings {
  const capabilities = await target.capabilities(signal);
  const provider = opening.providers.targets.get(spec.target.provider);
  const findings = [
    ...(provider?.check(spec.target.config, toTargetUse(compiled, spec)) ?? []),
    // What speaks against the profile was told by the probe, which has seen more.
    ...compareWithTarget(compiled, capabilities).filter(({ reason }) => reason !== 'ProfileContradicted'),
    ...capabilities.limitations().map(({ message }) => ({ severity: 'warning' as const, message })),
  ];
  for (const { severity, message } of findings) yield { verdict: severity, about: 'mapping', message };
  if (findings.length === 0)
    yield { verdict: 'ok', about: 'mapping', message: 'nothing that the target says of itself speaks against it' };
}

async function* inspectSource({ opening, spec, compiled }: Prepared, traces: Traces, signal: AbortSignal): Findings {
  const { source } = await openSource(opening, spec, traces);
  const projection = compiled === null ? [] : projectionOf(compiled);
  let hasErrors = false;
  const groups = compiled !== null && needsGroups({ ...compiled, spec });
  try {
    for await (const finding of source.inspect?.({ projection, groups }, signal) ?? []) {
      yield finding;
      if (finding.verdict === 'error') hasErrors = true;
    }
    // What follows would only say the same again.
    if (hasErrors) return;
    yield { verdict: 'ok', about: 'identity', message: describeIdentity(await source.identity(signal)) };
    const page = await readFirstPage(source.readUsers(projection, signal));
    yield* describePage(page);
    yield* compareAttributes(page, compiled);
    if (spec.scope.users === 'MembersOfGroups') yield* lookForGroups(source, spec.scope.groups, signal);
  } finally {
    await source.close();
  }
}

function describeIdentity({ tenantId, tenantName, domains }: SourceIdentity): string {
  const parts = [tenantName, tenantId, domains.join(', ')].filter((part) => part !== null && part !== '');
  return parts.length === 0 ? 'it has none of its own' : parts.join('; ');
}

/** The first with anything on it. */
async function readFirstPage(pages: AsyncIterable<SourcePage>): Promise<SourcePage> {
  for await (const page of pages) {
    if (page.users.length > 0 || page.failed.length > 0 || page.end !== undefined) return page;
  }
  throw new SyncError('ReadIncomplete', 'the source ended before its last page');
}

function* describePage({ users, failed, end }: SourcePage): Generator<ProbeFinding> {
  const people = users.length === 1 ? '1 person' : `${users.length} people`;
  const rest = end === undefined ? ', more follow' : ', and no other page';
  yield { verdict: users.length === 0 ? 'warning' : 'ok', about: 'first page', message: `${people}${rest}` };
  const [first] = failed;
  if (first !== undefined) {
    const message = `${failed.length} of its records cannot be read; the first: ${first.message}`;
    yield { verdict: 'warning', about: 'first page', message };
  }
}

const SHOWN = 50;

function* compareAttributes({ users, end }: SourcePage, compiled: CompiledResources | null): Generator<ProbeFinding> {
  const names = [...new Set(end?.attributes ?? users.flatMap(({ attributes }) => Object.keys(attributes)))].sort();
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  yield { verdict: 'ok', about: 'attributes', message: `${names.slice(0, SHOWN).join(', ')}${more}` };
  if (compiled === null) return;
  const known = new KnownAttributes(names);
  const context = compiled.mapping.names;
  for (const name of listReadNames(compiled).filter((each) => bindName(each, context, known).missing)) {
    const where = end === undefined ? 'not on the first page' : 'not there';
    const shown = JSON.stringify(name.replace(/^source:/, ''));
    const message = `${shown} is ${where}, but mappings, rules or filters read it: what depends on it stays as it is`;
    yield { verdict: 'warning', about: 'attributes', message };
  }
}

/** The list of groups is read until each of them was seen. What an earlier run has found is not looked at. */
async function* lookForGroups(source: Source, entries: readonly string[], signal: AbortSignal): Findings {
  const search = createScopeGroupsSearch(entries, { pins: [], afresh: false });
  const nobody = { of: () => false, nested: false };
  for await (const { groups, failed } of source.readGroups?.([], signal, nobody) ?? []) {
    for (const group of groups) search.see(group);
    for (const { id } of failed) if (id !== null) search.see({ id, displayName: null });
    if (search.result().problems.length === 0) break;
  }
  const { found, problems } = search.result();
  for (const { entry, id } of found)
    yield { verdict: 'ok', about: 'scope', message: `${JSON.stringify(entry)} is the group ${id}` };
  // A run that has found the group under an earlier name goes on with it.
  for (const message of problems) yield { verdict: 'warning', about: 'scope', message };
}
