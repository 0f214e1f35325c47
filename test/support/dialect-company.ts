/** A company whose application is a dialect server, behind the real provider and HTTP client, without sockets. */
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { ScimProfileName } from '../../src/api/providers.ts';
import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient } from '../../src/http/client.ts';
import type { Json } from '../../src/model.ts';
import { scimTarget } from '../../src/targets/scim/index.ts';
import { type Company, createCompany, type Person } from './company.ts';
import type { Dialect } from './dialects/dialect.ts';
import { createDialectServer, type DialectServer } from './dialects/server.ts';
import { toTransport } from './dialects/transport.ts';
import { createManualTiming } from './manual-timing.ts';

export interface DialectCompany {
  /** Answers to requests of this method get lost. */
  losing: 'POST' | 'PATCH' | 'DELETE' | null;
  readonly company: Company;
  readonly server: DialectServer;
  /** Requests since the last call that change something: `PATCH /Users`. */
  writes(): readonly string[];
  /** userNames of the accounts that may sign in, sorted. */
  active(): readonly string[];
  /** userNames of a team's members, sorted; null without such a team. */
  members(displayName: string): readonly string[] | null;
}

export async function createDialectCompany(
  dialect: Dialect,
  profile: ScimProfileName,
  mapping: AttributeEntry[],
): Promise<DialectCompany> {
  const server = createDialectServer(dialect, { token: 'secret', basePath: '/scim' });
  const timing = createManualTiming();
  const budgets = createBudgets(timing);
  const company = await createCompany({
    application: {
      provider: scimTarget,
      createHttp: () =>
        createHttpClient({
          userAgent: 'dirsync/test',
          unavailable: 'TargetUnavailable',
          budget: budgets.join('app.example.com', 'key', { requestsPerSecond: null, concurrency: 4 }),
          timeoutMs: 5_000,
          concurrency: 4,
          timing,
          transport: toTransport(server, ({ method }) => method === made.losing),
        }),
    },
  });
  const scim = { url: 'https://app.example.com/scim', credentialsRef: { name: 'app' }, profile };
  company.spec = { ...company.spec, target: { scim } };
  company.mapping = { ...company.mapping, attributes: mapping };
  let told = 0;
  const nameOf = (id: string): string => String(server.users.get(id)?.['userName'] ?? id).toLowerCase();
  const made: DialectCompany = {
    losing: null,
    company,
    server,
    writes() {
      const fresh = server.requests.slice(told);
      told = server.requests.length;
      return fresh
        .filter(({ method }) => method !== 'GET')
        .map(({ method, url }) => `${method} /${new URL(url).pathname.split('/')[2]}`);
    },
    active: () =>
      [...server.users]
        .filter(([, user]) => user['active'] !== false)
        .map(([id]) => nameOf(id))
        .sort(),
    members(displayName) {
      const found = [...server.groups].find(([, group]) => isNamed(group['displayName'], displayName));
      return found === undefined ? null : [...(server.members.get(found[0]) ?? [])].map(nameOf).sort();
    },
  };
  return made;
}

/** As itself or as the slug of it. */
function isNamed(shown: Json | undefined, name: string): boolean {
  return String(shown).toLowerCase().replace(/\W+/g, '-') === name.toLowerCase().replace(/\W+/g, '-');
}

/** Somebody whom every dialect takes. */
export function aPerson(count: number, more: Record<string, Json> = {}): Person {
  return {
    id: `p${count}`,
    login: `user${count}`,
    mail: `user${count}@corp.example`,
    givenName: `Given${count}`,
    surname: `Surname${count}`,
    displayName: `Given${count} Surname${count}`,
    title: 'Engineer',
    mobile: `+44 20 0000 000${count}`,
    department: 'Research',
    manager: null,
    ...more,
  };
}
