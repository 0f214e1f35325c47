/** The source directory of the simulator: reads what the company is, or what a fault makes of it. */
import { SyncError } from '../../src/errors.ts';
import type { Json, SourceUser } from '../../src/model.ts';
import type { FailedRecord, SourceProvider } from '../../src/sources/source.ts';
import type { ReadFault } from './faults.ts';
import type { Employee } from './model.ts';

/** What one read is going to say. */
export interface Reading {
  readonly users: readonly SourceUser[];
  readonly failed: readonly FailedRecord[];
  readonly attributes: readonly string[];
  readonly tenantId: string;
  /** How the read ends. */
  readonly end: 'whole' | 'error' | 'short' | 'hangs';
}

const ATTRIBUTES = ['id', 'mail', 'title', 'department', 'manager', 'clubs', 'scope', 'active'] as const;
const LOSABLE = ['title', 'department', 'manager', 'clubs', 'scope', 'active', 'mail'] as const;
const TENANT = 'acme-tenant';

export function toReading(people: readonly Employee[], fault: ReadFault | null): Reading {
  const whole: Reading = {
    users: people.map(toUser),
    failed: [],
    attributes: ATTRIBUTES,
    tenantId: TENANT,
    end: 'whole',
  };
  return fault === null ? whole : spoil(whole, fault);
}

function toUser({ id, active, ...attributes }: Employee): SourceUser {
  return { id, active, attributes: { id, active, ...attributes } as Record<string, Json> };
}

function spoil(reading: Reading, { kind, which }: ReadFault): Reading {
  const { users } = reading;
  const index = which % Math.max(1, users.length);
  const chosen = users[index];
  const others = users.filter((user) => user !== chosen);
  const failed = (id: string | null): FailedRecord[] => [
    { id, code: 'ReadFailed', message: 'the item cannot be read' },
  ];
  const attribute = LOSABLE[which % LOSABLE.length] ?? 'title';
  switch (kind) {
    case 'readError':
      return { ...reading, users: users.slice(0, index), end: 'error' };
    case 'readShort':
      return { ...reading, users: users.slice(0, index), end: 'short' };
    case 'readHangs':
      return { ...reading, users: users.slice(0, index), end: 'hangs' };
    case 'readEmpty':
      return { ...reading, users: [] };
    case 'readPartial':
      return { ...reading, users: users.slice(0, Math.floor(users.length / 3)) };
    case 'readBlank':
      return {
        ...reading,
        users: users.map((user) => withValue(user, which % 2 === 0 ? 'department' : 'title', null)),
      };
    case 'columnGone':
      return {
        ...reading,
        users: users.map((user) => without(user, attribute)),
        attributes: ATTRIBUTES.filter((name) => name !== attribute),
      };
    case 'recordUnknown':
      return {
        ...reading,
        users: users.map((user) => (user === chosen ? { ...without(user, attribute), unknown: [attribute] } : user)),
      };
    case 'itemFailed':
      return { ...reading, users: others, failed: chosen === undefined ? [] : failed(chosen.id) };
    case 'itemUnnamed':
      return { ...reading, users: others, failed: chosen === undefined ? [] : failed(null) };
    case 'duplicateId':
      return { ...reading, users: chosen === undefined ? users : [...users, withValue(chosen, 'title', 'Twin')] };
    case 'wrongTenant':
      return { ...reading, tenantId: 'another-tenant' };
  }
}

function withValue(user: SourceUser, name: string, value: Json): SourceUser {
  return { ...user, attributes: { ...user.attributes, [name]: value } };
}

function without(user: SourceUser, name: string): SourceUser {
  const { [name]: _gone, ...attributes } = user.attributes;
  return { ...user, attributes };
}

const PAGE = 4;

/** @param next what the run that reads now gets to see */
export function createProvider(
  next: () => Reading,
  wait: (where: string, ms: number, signal: AbortSignal) => Promise<void>,
): SourceProvider<unknown> {
  return {
    name: 'file',
    validate: () => [],
    connect: async () => ({
      identity: async () => ({ tenantId: next().tenantId, tenantName: 'Acme', domains: [] }),
      async *readUsers(_projection, signal) {
        const { users, failed, attributes, end } = next();
        for (let at = 0; at < users.length; at += PAGE) {
          await wait('page', 20, signal);
          yield { users: users.slice(at, at + PAGE), failed: [] };
        }
        if (end === 'hangs') await wait('page', 100 * 3_600_000, signal);
        if (end === 'error') throw new SyncError('ReadFailed', 'the source stopped in the middle');
        if (end === 'whole') yield { users: [], failed, end: { attributes } };
      },
      close: async () => undefined,
    }),
  };
}
