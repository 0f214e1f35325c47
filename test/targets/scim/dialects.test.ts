import { describeTarget } from '../../conformance/target.ts';
import { QUIRKS } from '../../support/dialects/dialect.ts';
import { serve } from '../../support/dialects/serve.ts';
import { createDialectServer } from '../../support/dialects/server.ts';
import { toRunningTarget } from '../../support/scim-application.ts';

describeTarget('a dialect server without quirks', {
  start: async () => toRunningTarget(await serve(createDialectServer(QUIRKS.plain))),
  manyUsers: 120,
  unsupported: {},
});
