import type { ScimProfileName } from '../../src/api/providers.ts';
import type { Transport } from '../../src/http/exchange.ts';
import { scimTarget } from '../../src/targets/scim/index.ts';
import type { RunningTarget } from '../conformance/target.ts';

/** Any SCIM application, by its URL and token, as the conformance suite takes it. */
export function toRunningTarget(
  server: { url: string; token: string; transport?: Transport; stop(): Promise<void> },
  profile: ScimProfileName = 'Standard',
): RunningTarget {
  return {
    ...(server.transport === undefined ? {} : { transport: server.transport }),
    connect: (http, options = {}) => {
      const config = { url: options.url ?? server.url, credentialsRef: { name: 'acme-app' }, profile };
      const token = options.credentials === 'wrong' ? 'wrong' : server.token;
      return scimTarget.connect(config, { secrets: { token }, http });
    },
    stop: () => server.stop(),
  };
}
