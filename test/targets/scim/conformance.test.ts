import { startDirectory } from '../../../src/directory/server.ts';
import { scimTarget } from '../../../src/targets/scim/index.ts';
import { describeTarget, type RunningTarget } from '../../conformance/target.ts';
import { startScimmyServer } from '../../support/scimmy-server.ts';

/** An application by its URL and token. */
function toRunning(server: { url: string; token: string; stop(): Promise<void> }): RunningTarget {
  return {
    connect: (http, options = {}) => {
      const config = { url: options.url ?? server.url, credentialsRef: { name: 'acme-app' } };
      const token = options.credentials === 'wrong' ? 'wrong' : server.token;
      return scimTarget.connect(config, { secrets: { token }, http });
    },
    stop: server.stop,
  };
}

describeTarget('the embedded directory', {
  async start() {
    const directory = await startDirectory({ file: ':memory:', token: 'right', pageSize: 50 });
    return toRunning({ url: directory.url, token: 'right', stop: directory.close });
  },
  manyUsers: 120,
  unsupported: {},
});

describeTarget('scimmy-routers', {
  start: async () => toRunning(await startScimmyServer()),
  manyUsers: 420,
  unsupported: {},
});
