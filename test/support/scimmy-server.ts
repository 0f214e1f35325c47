/** A SCIM application made of scimmy-routers on Express 4, with users and groups in memory. */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';

type Stored = Record<string, unknown> & { id: string };
/** Users and groups of one server; what scimmy hands to its handlers as the context of a request. */
interface Memory {
  readonly users: Map<string, Stored>;
  readonly groups: Map<string, Stored>;
}
type Handled = { readonly id?: string; readonly filter?: { match(list: Stored[]): Stored[] } };

declareResources();

/** scimmy keeps its resource types once in a process. */
function declareResources(): void {
  SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);
  declare(SCIMMY.Resources.User, (memory) => memory.users, refuseTakenName);
  declare(
    SCIMMY.Resources.Group,
    (memory) => memory.groups,
    () => undefined,
  );
}

function declare(
  // biome-ignore lint/suspicious/noExplicitAny: the handlers' types differ by resource, and all are objects here.
  resource: any,
  select: (memory: Memory) => Map<string, Stored>,
  check: (stored: Stored, all: Map<string, Stored>) => void,
): void {
  resource.ingress((handled: Handled, instance: unknown, memory: Memory) => {
    const all = select(memory);
    const known = handled.id === undefined ? undefined : require(all, handled.id);
    const now = new Date().toISOString();
    const meta = { ...(known?.['meta'] ?? { created: now }), lastModified: now };
    const stored: Stored = { ...JSON.parse(JSON.stringify(instance)), id: known?.id ?? randomUUID(), meta };
    check(stored, all);
    all.set(stored.id, stored);
    return structuredClone(stored);
  });
  resource.egress((handled: Handled, memory: Memory) => {
    const all = select(memory);
    if (handled.id !== undefined) return structuredClone(require(all, handled.id));
    const list = structuredClone([...all.values()]);
    return handled.filter === undefined ? list : handled.filter.match(list);
  });
  resource.degress((handled: Handled, memory: Memory) => {
    const all = select(memory);
    all.delete(require(all, handled.id ?? '').id);
  });
  SCIMMY.Resources.declare(resource);
}

function require(all: Map<string, Stored>, id: string): Stored {
  const stored = all.get(id);
  if (stored === undefined) throw new SCIMMY.Types.Error(404, null as unknown as string, `Resource ${id} not found`);
  return stored;
}

function refuseTakenName(stored: Stored, all: Map<string, Stored>): void {
  const name = String(stored['userName']).toLowerCase();
  const isTaken = [...all.values()].some(
    (each) => each.id !== stored.id && String(each['userName']).toLowerCase() === name,
  );
  if (isTaken) throw new SCIMMY.Types.Error(409, 'uniqueness', 'userName is taken');
}

export interface ScimmyServer {
  readonly url: string;
  readonly token: string;
  stop(): Promise<void>;
}

export async function startScimmyServer(): Promise<ScimmyServer> {
  const memory: Memory = { users: new Map(), groups: new Map() };
  const token = randomUUID();
  const app = express();
  app.use(
    '/scim/v2',
    new SCIMMYRouters({
      type: 'bearer',
      handler: (request: express.Request) => {
        if (request.header('authorization') !== `Bearer ${token}`) throw new Error('wrong token');
        return 'tester';
      },
      context: () => memory,
    }),
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`,
    token,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
