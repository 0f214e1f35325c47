import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Attributes, Cause } from '../../model.ts';
import type { Link, TeamLink } from '../store.ts';
import type { Connection } from './connection.ts';
import { toDamaged } from './errors.ts';

/** Below this, deflate does not win a page of the file for the time that it takes. */
const SHORT = 200;

export interface LinkRow {
  source_id: string;
  target_id: string;
  name: string;
  active: number;
  origin: Link['origin'];
  dirty: number;
  applied: string | Uint8Array;
  left_at: number | null;
  left_cause: Cause | null;
  left_teams: string | null;
}

export interface TeamRow {
  key: string;
  target_id: string;
  display_name: string;
  external_id: string | null;
  applied: string;
  rules: string;
  deletion_policy: TeamLink['deletionPolicy'];
  origin: TeamLink['origin'];
  dirty: number;
}

/** Columns of LinkRow, of a table that the statement calls `l`. */
export const LINK_COLUMNS =
  'l.source_id, l.target_id, l.name, l.active, l.origin, l.dirty, l.applied, l.left_at, l.left_cause, l.left_teams';
export const TEAM_COLUMNS =
  't.key, t.target_id, t.display_name, t.external_id, t.applied, t.rules, t.deletion_policy, t.origin, t.dirty';

export function toLink(db: Connection, row: LinkRow): Link {
  return {
    sourceId: row.source_id,
    targetId: row.target_id,
    name: row.name,
    active: row.active === 1,
    applied: unpack(db, row.applied),
    origin: row.origin,
    dirty: row.dirty === 1,
    ...toLeft(db, row),
  };
}

function toLeft(db: Connection, { left_at: at, left_cause: cause, left_teams: teams }: LinkRow): Pick<Link, 'left'> {
  if (cause === null) return {};
  return { left: { at, cause, teams: parseJson<string[]>(db, teams ?? '[]').sort() } };
}

export function toTeamLink(db: Connection, row: TeamRow): TeamLink {
  return {
    key: row.key,
    targetId: row.target_id,
    displayName: row.display_name,
    externalId: row.external_id,
    applied: parseJson(db, row.applied),
    rules: parseJson(db, row.rules),
    deletionPolicy: row.deletion_policy,
    origin: row.origin,
    dirty: row.dirty === 1,
  };
}

/**
 * Small windows and buffers for small values: with zlib's own defaults every call leaves 16 KiB to the garbage collector,
 * which is 100 MiB before it wakes up.
 */
const DEFLATE = { windowBits: 12, memLevel: 5, chunkSize: 1024 };
const INFLATE = { chunkSize: 2048 };

/** Deflated where that is at least a tenth shorter. */
export function pack(attributes: Attributes): string | Uint8Array {
  const json = JSON.stringify(attributes);
  if (json.length < SHORT) return json;
  const plain = Buffer.from(json);
  const packed = deflateRawSync(plain, DEFLATE);
  return packed.length < plain.length * 0.9 ? packed : json;
}

function unpack(db: Connection, value: string | Uint8Array): Attributes {
  if (typeof value === 'string') return parseJson(db, value);
  try {
    return JSON.parse(inflateRawSync(value, INFLATE).toString()) as Attributes;
  } catch (error) {
    throw toDamaged(db.location, error);
  }
}

/** A document that this store wrote; one that does not parse means that the file is damaged. */
export function parseJson<T>(db: Connection, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw toDamaged(db.location, error);
  }
}
