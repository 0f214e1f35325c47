import { startDirectory } from '../../../src/directory/server.ts';
import { describeTarget } from '../../conformance/target.ts';
import { toRunningTarget } from '../../support/scim-application.ts';
import { startScimmyServer } from '../../support/scimmy-server.ts';

describeTarget('the embedded directory', {
  async start() {
    const directory = await startDirectory({ file: ':memory:', token: 'right', pageSize: 50 });
    return toRunningTarget({ url: directory.url, token: 'right', stop: directory.close });
  },
  manyUsers: 120,
  unsupported: {},
});

describeTarget('scimmy-routers', {
  start: async () => toRunningTarget(await startScimmyServer()),
  manyUsers: 420,
  unsupported: {
    'search without case': 'its filters compare userName with case',
    'search for quotes': 'its filters take no escaped quotes',
    'search by mail address': 'its filters fail on users without any address',
  },
});
