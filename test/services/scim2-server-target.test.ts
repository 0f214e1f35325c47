import { describeTarget } from '../conformance/target.ts';
import { toRunningTarget } from '../support/scim-application.ts';
import { startScim2Server } from './python.ts';

describeTarget('scim2-server', {
  start: async () => toRunningTarget(await startScim2Server()),
  manyUsers: 520,
  unsupported: {},
});
