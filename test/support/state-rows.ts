/** Rows for tests of a state store: plain ones, with what a test is about put over them. */
import {
  type DesiredTeam,
  type DesiredUser,
  NO_VALUES,
  type Operation,
  type SourceGroup,
  type SourceUser,
} from '../../src/model.ts';
import type { MirrorHead } from '../../src/state/mirror.ts';
import type { Journal, Link, TeamLink } from '../../src/state/store.ts';
import type { TargetObject, TargetTeam } from '../../src/targets/target.ts';

export function aSourceUser(id: string, over: Partial<SourceUser> = {}): SourceUser {
  return { id, active: true, attributes: { mail: `${id}@example.com` }, ...over };
}

export function aSourceGroup(id: string, over: Partial<SourceGroup> = {}): SourceGroup {
  return { id, displayName: id, attributes: { displayName: id }, ...over };
}

export function aDesiredUser(sourceId: string, over: Partial<DesiredUser> = {}): DesiredUser {
  return {
    sourceId,
    name: `${sourceId}@example.com`,
    presence: 'present',
    attributes: { userName: `${sourceId}@example.com`, active: true },
    onCreate: {},
    defaults: {},
    clear: [],
    kept: [],
    references: {},
    match: [{ path: 'userName', value: `${sourceId}@example.com` }],
    ...over,
  };
}

export function aLink(sourceId: string, over: Partial<Link> = {}): Link {
  return {
    sourceId,
    targetId: `account-${sourceId}`,
    name: `${sourceId}@example.com`,
    active: true,
    applied: { userName: `${sourceId}@example.com`, active: true },
    origin: 'created',
    dirty: false,
    ...over,
  };
}

export function aDesiredTeam(name: string, over: Partial<DesiredTeam> = {}): DesiredTeam {
  return {
    key: `rule:${name.toLowerCase()}`,
    displayName: name,
    externalId: `dirsync:identity/acme:${name.toLowerCase()}`,
    values: NO_VALUES,
    rules: ['teams'],
    whenEmpty: 'Retain',
    deletionPolicy: 'Retain',
    ...over,
  };
}

export function aTeamLink(name: string, over: Partial<TeamLink> = {}): TeamLink {
  return {
    key: `rule:${name.toLowerCase()}`,
    targetId: `group-${name.toLowerCase()}`,
    displayName: name,
    externalId: `dirsync:identity/acme:${name.toLowerCase()}`,
    applied: {},
    rules: ['teams'],
    deletionPolicy: 'Retain',
    origin: 'created',
    dirty: false,
    ...over,
  };
}

export function anAccount(id: string, over: Partial<TargetObject> = {}): TargetObject {
  return { id, version: null, attributes: { userName: `${id}@example.com` }, ...over };
}

export function aGroup(id: string, displayName: string, over: Partial<TargetTeam> = {}): TargetTeam {
  return { id, version: null, attributes: { displayName }, members: null, ...over };
}

export function anOperation(seq: number, over: Partial<Operation> = {}): Operation {
  return {
    seq,
    phase: 'people',
    kind: 'update',
    resource: 'User',
    id: `person-${seq}`,
    targetId: `account-person-${seq}`,
    name: `person-${seq}@example.com`,
    changes: [{ path: 'title', before: 'Clerk', after: 'Baker' }],
    member: null,
    team: null,
    cause: 'mapping',
    reason: 'title changed',
    unit: `person-${seq}/mapping`,
    guards: [],
    removal: false,
    held: null,
    ...over,
  };
}

/** An operation as `addOperations` takes it. */
export function aPlannedRow(
  operation: Operation,
  over: { recovered?: boolean; line?: string } = {},
): Parameters<Journal['addOperations']>[1][number] {
  return { operation, recovered: false, line: `${operation.kind} ${operation.id}`, ...over };
}

export async function collect<Row>(pages: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Of a mirror that was written so many times. */
export function toHead(generation: number): MirrorHead {
  return {
    cursors: { users: `u${generation}`, groups: `g${generation}` },
    mark: 'mark',
    fullAt: generation,
    summary: { generation },
  };
}
