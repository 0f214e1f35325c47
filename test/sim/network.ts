/** Requests of one process: which of them fails, what the server makes of the others, and whether limits are kept. */
import type { HttpRequest, HttpResponse } from '../../src/http/client.ts';
import type { HttpFaultKind } from './faults.ts';
import type { RunFacts } from './invariants/facts.ts';
import type { ServerAnswer } from './server.ts';
import type { Network } from './transport.ts';
import type { Process, World } from './world.ts';

export function createNetwork(world: World, processOf: () => Process): Network {
  const { clock, random } = world;
  const limits = createLimits(world);
  return {
    clock,
    random,
    open(request) {
      const process = processOf();
      const { facts } = process;
      process.requests += 1;
      limits.onStart(facts);
      return {
        fault: nextFault(world, process, request),
        // A request that comes late still belongs to the run that sent it.
        arrive: () => arrive(world, facts, request),
        end(outcome, response) {
          world.note(`${facts?.name} ${request.method} ${toPath(request)} → ${outcome}`);
          limits.onEnd(response);
        },
      };
    },
  };
}

/** Rule I11: never more at once than allowed, and nobody while the server has asked to wait. */
function createLimits({ clock, invariants }: World) {
  let running = 0;
  let quietUntil = 0;
  return {
    onStart(facts: RunFacts | null): void {
      running += 1;
      const { concurrency = 8 } = facts?.manifests.spec.limits ?? {};
      if (running > concurrency) invariants.fail('I11', `${running} requests at once; the limit is ${concurrency}`);
      if (clock.elapsed() < quietUntil) invariants.fail('I11', 'a request while the server had asked to wait');
    },
    onEnd(response: HttpResponse | null): void {
      running -= 1;
      const asked = response === null ? 0 : toAsked(response, clock.wall());
      // Longer than a run waits: the run ends, and the work queue waits.
      if (asked > 0 && asked <= 300_000) quietUntil = Math.max(quietUntil, clock.elapsed() + asked);
    },
  };
}

/** How long nobody may ask anything, in milliseconds. */
function toAsked({ status, headers }: HttpResponse, now: number): number {
  const { 'retry-after': after = '0', 'ratelimit-remaining': left, 'ratelimit-reset': reset = '0' } = headers;
  if (left === '0') return Number(reset) * 1000;
  if (status !== 429) return 0;
  return /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now;
}

function nextFault(world: World, process: Process, request: HttpRequest): HttpFaultKind | null {
  const n = process.requests;
  const fault = process.trouble.http.find(({ at, count }) => n >= at && n < at + count);
  if (fault === undefined) return null;
  // Nothing keeps a server that knows no unique names from making two groups of one request that came twice.
  const isTwice = fault.kind === 'doubled' || fault.kind === 'late';
  if (isTwice && request.method === 'POST' && ['/Groups', '/Bulk'].includes(toPath(request))) return null;
  if (fault.kind === 'revoked' && !world.server.revoke()) return null;
  world.count(`fault ${fault.kind}`);
  return fault.kind;
}

function arrive(world: World, facts: RunFacts | null, request: HttpRequest): ServerAnswer {
  const { server, clock, invariants } = world;
  const answer = server.handle(request);
  for (const change of answer.changes) {
    const { id } = change.after ?? change.before ?? { id: '' };
    world.note(`${facts?.name} ${request.method} ${toPath(request)} changes ${id} ${JSON.stringify(change.after)}`);
    if (facts !== null) invariants.onChange(change, { facts, now: clock.wall() });
  }
  return answer;
}

function toPath({ url }: HttpRequest): string {
  const { pathname, search } = new URL(url);
  return decodeURIComponent(`${pathname.replace('/scim/v2', '')}${search}`);
}
