/** HTTP clients for runs: connections of their own, one budget for all that share a host and a credential (rule I11). */
import { type Budgets, createBudgets } from '../http/budget.ts';
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

/** What a run opens it closes: `close` gives back the connections and the share of the budget. */
export function createConnections({
  userAgent,
  metrics,
  timing,
  transport,
  budgets = createBudgets(timing),
}: ConnectionsOptions): (needs: HttpClientNeeds) => PooledHttpClient {
  return ({ side, endpoint, credential, spec }) => {
    const { concurrency, requestsPerSecond } = spec.limits;
    const [host = endpoint] = endpoint.split('/');
    const share = budgets.join(host, credential, {
      concurrency,
      requestsPerSecond: side === 'target' ? requestsPerSecond : null,
    });
    const client = createHttpClient({
      userAgent,
      unavailable: side === 'target' ? 'TargetUnavailable' : 'ReadFailed',
      budget: share,
      timeoutMs: spec.timeouts.requestMs,
      concurrency,
      ...(timing === undefined ? {} : { timing }),
      ...(transport === undefined ? {} : { transport }),
      ...(metrics === undefined ? {} : { onAttempt: (attempt) => metrics.countRequest(side, attempt) }),
    });
    return {
      send: (request) => client.send(request),
      get sent() {
        return client.sent;
      },
      close: () => {
        client.close();
        share.close();
      },
    };
  };
}
