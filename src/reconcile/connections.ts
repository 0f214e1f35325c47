/** HTTP clients for runs: connections of their own, one budget for all that share a host and a credential (rule I11). */
import { type BudgetShare, type Budgets, createBudgets } from '../http/budget.ts';
import { createHttpClient, type PooledHttpClient } from '../http/client.ts';
import type { Transport } from '../http/exchange.ts';
import type { Timing } from '../http/timing.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { HttpClientNeeds } from './run.ts';

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
  readonly share: BudgetShare;
}

/**
 * A client joins the budget of each host as it first asks it: an application and the service that gives tokens for it
 * are two. What a run opens it closes: `close` gives back the connections and the shares of the budgets.
 */
export function createConnections(options: ConnectionsOptions): (needs: HttpClientNeeds) => PooledHttpClient {
  const { timing, budgets = createBudgets(timing) } = options;
  return (needs) => {
    const hosts = new Map<string, Connected>();
    const connect = (url: string): PooledHttpClient => {
      const host = URL.canParse(url) ? new URL(url).host : '';
      const known = hosts.get(host);
      if (known !== undefined) return known.client;
      const connected = open({ ...options, budgets }, needs, host);
      hosts.set(host, connected);
      return connected.client;
    };
    return {
      // A rejection and not an exception, whatever the URL is.
      send: async (request) => connect(request.url).send(request),
      get sent() {
        return [...hosts.values()].reduce((sum, { client }) => sum + client.sent, 0);
      },
      close: () => {
        for (const { client, share } of hosts.values()) {
          client.close();
          share.close();
        }
      },
    };
  };
}

function open(
  { userAgent, metrics, timing, transport, budgets }: ConnectionsOptions & { readonly budgets: Budgets },
  { side, credential, spec, ca, onCertificate, onPause }: HttpClientNeeds,
  host: string,
): Connected {
  const { concurrency, requestsPerSecond, sourceRequestsPerSecond } = spec.limits;
  const limits = {
    concurrency,
    requestsPerSecond: side === 'target' ? requestsPerSecond : sourceRequestsPerSecond,
  };
  const share = budgets.join(host, credential, limits, onPause);
  const client = createHttpClient({
    userAgent,
    unavailable: side === 'target' ? 'TargetUnavailable' : 'ReadFailed',
    budget: share,
    timeoutMs: spec.timeouts.requestMs,
    concurrency,
    ...(ca === null ? {} : { ca }),
    ...(timing === undefined ? {} : { timing }),
    ...(transport === undefined ? {} : { transport }),
    onCertificate: (expiresAt) => onCertificate(host, expiresAt),
    ...(metrics === undefined ? {} : { onAttempt: (attempt) => metrics.countRequest(side, attempt) }),
  });
  return { client, share };
}
