/** HTTP clients for runs: connections of their own, one budget for all that share a host and a credential (rule I11). */
import { type BudgetShare, type Budgets, createBudgets, type RateBudget } from '../http/budget.ts';
import { createHttpClient, type PooledHttpClient } from '../http/client.ts';
import type { Transport } from '../http/exchange.ts';
import type { Timing } from '../http/timing.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { HttpClientNeeds, RunHttpClient } from './run.ts';

export interface ConnectionsOptions {
  /** `dirsync/0.1.0`. */
  readonly userAgent: string;
  readonly metrics?: Pick<Metrics, 'countRequest'>;
  readonly budgets?: Budgets;
  /** The system's time and chance by default. */
  readonly timing?: Timing;
  /** The network by default. */
  readonly transport?: Transport;
}

interface Connected {
  readonly client: PooledHttpClient;
  readonly budget: RateBudget;
  readonly close: () => void;
}

/**
 * A client joins the budget of each host as it first asks it: an application and the service that gives tokens for it
 * are two. What a run opens it closes: `close` gives back the connections and the shares of the budgets.
 */
export function createConnections(options: ConnectionsOptions): (needs: HttpClientNeeds) => RunHttpClient {
  const { timing, budgets = createBudgets(timing) } = options;
  // Passes have a budget of their own, which those of several resources share.
  const passes = createBudgets(timing);
  return (needs) => {
    const hosts = new Map<string, Connected>();
    let isPassing = false;
    let begun = 0;
    const connect = (url: string): Connected => {
      const host = URL.canParse(url) ? new URL(url).host : '';
      const known = hosts.get(host);
      if (known !== undefined) return known;
      const connected = open({ ...options, budgets, passes, isPassing: () => isPassing }, needs, host);
      hosts.set(host, connected);
      return connected;
    };
    return {
      // A rejection and not an exception, whatever the URL is.
      send: async (request) => connect(request.url).client.send(request),
      get sent() {
        return [...hosts.values()].reduce((sum, { client }) => sum + client.sent, begun);
      },
      begin: async (url, signal) => {
        const end = await connect(url).budget.acquire(signal);
        begun += 1;
        return end;
      },
      beginPass: () => {
        isPassing = true;
        return () => {
          isPassing = false;
        };
      },
      close: () => {
        for (const connected of hosts.values()) connected.close();
      },
    };
  };
}

interface Passing {
  readonly passes: Budgets;
  /** A pass over the whole target is under way. */
  readonly isPassing: () => boolean;
}

function open(
  {
    userAgent,
    metrics,
    timing,
    transport,
    budgets,
    passes,
    isPassing,
  }: ConnectionsOptions & Passing & { readonly budgets: Budgets },
  { side, credential, spec, ca, onCertificate, onPause }: HttpClientNeeds,
  host: string,
): Connected {
  const { concurrency, requestsPerSecond, sourceRequestsPerSecond } = spec.limits;
  const limits = {
    concurrency,
    requestsPerSecond: side === 'target' ? requestsPerSecond : sourceRequestsPerSecond,
  };
  const share = budgets.join(host, credential, limits, onPause);
  const pass = {
    concurrency: 1,
    requestsPerSecond: limits.requestsPerSecond === null ? null : limits.requestsPerSecond / 2,
  };
  const passing = toPassingBudget(share, isPassing, () => passes.join(host, credential, pass));
  const client = createHttpClient({
    userAgent,
    unavailable: side === 'target' ? 'TargetUnavailable' : 'ReadFailed',
    budget: passing,
    timeoutMs: spec.timeouts.requestMs,
    concurrency,
    ...(ca === null ? {} : { ca }),
    ...(timing === undefined ? {} : { timing }),
    ...(transport === undefined ? {} : { transport }),
    onCertificate: (expiresAt) => onCertificate(host, expiresAt),
    ...(metrics === undefined ? {} : { onAttempt: (attempt) => metrics.countRequest(side, attempt) }),
  });
  return {
    client,
    budget: passing,
    close: () => {
      client.close();
      passing.close();
    },
  };
}

/** A budget that during a pass waits for that of passes too, before it takes anything from the one that others need. */
function toPassingBudget(
  share: BudgetShare,
  isPassing: () => boolean,
  join: () => BudgetShare,
): RateBudget & { close(): void } {
  let pass: BudgetShare | null = null;
  return {
    async acquire(signal) {
      if (!isPassing()) return share.acquire(signal);
      pass ??= join();
      const own = await pass.acquire(signal);
      try {
        const release = await share.acquire(signal);
        return () => {
          release();
          own();
        };
      } catch (thrown) {
        own();
        throw thrown;
      }
    },
    pause: (ms) => share.pause(ms),
    heed: (hints) => share.heed(hints),
    close() {
      pass?.close();
      share.close();
    },
  };
}
