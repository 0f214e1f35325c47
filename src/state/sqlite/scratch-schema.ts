/**
 * The scratch database, attached as `run`. Rows of different directories stand side by side; `place` is the directory's
 * number × 2³² plus a running number, so that a directory's rows are one range in the order of arrival. The bodies of
 * desired people stand apart, because memberships look up everybody's presence in no order that a page cache would like.
 */
export const SCRATCH = `
  CREATE TABLE run.users (place INTEGER PRIMARY KEY, directory INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX run.users_id ON users (directory, id);

  CREATE TABLE run.desired (
    place INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    presence TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (directory, source_id)
  ) STRICT;
  CREATE TABLE run.desired_bodies (place INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;

  CREATE TABLE run.desired_keys (
    place INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    directory INTEGER NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (place, rank)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX run.desired_keys_key ON desired_keys (directory, path, key, place);

  CREATE TABLE run.groups (
    place INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL,
    id TEXT NOT NULL,
    team_name TEXT,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX run.groups_id ON groups (directory, id);
  CREATE INDEX run.groups_team_name ON groups (directory, team_name, place);

  CREATE TABLE run.partial_groups (
    directory INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    PRIMARY KEY (directory, group_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.group_aliases (
    directory INTEGER NOT NULL,
    name TEXT NOT NULL,
    group_id TEXT NOT NULL,
    PRIMARY KEY (directory, name, group_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.group_members (
    directory INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    alias TEXT NOT NULL,
    PRIMARY KEY (directory, group_id, kind, ref)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.group_groups (
    directory INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    child TEXT NOT NULL,
    PRIMARY KEY (directory, group_id, child)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.group_people (
    directory INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (directory, group_id, source_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX run.group_people_person ON group_people (directory, source_id, group_id);

  CREATE TABLE run.aliases (
    directory INTEGER NOT NULL,
    name TEXT NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (directory, name, source_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.touched (
    directory INTEGER NOT NULL,
    resource TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (directory, resource, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.replaced_groups (
    directory INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    PRIMARY KEY (directory, group_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.touched_members (
    directory INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    ref TEXT NOT NULL,
    kind TEXT NOT NULL,
    alias TEXT NOT NULL,
    present INTEGER NOT NULL,
    PRIMARY KEY (directory, group_id, ref, kind)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX run.touched_members_ref ON touched_members (directory, ref);

  CREATE TABLE run.desired_teams (
    directory INTEGER NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (directory, key)
  ) STRICT;
  CREATE INDEX run.desired_teams_name ON desired_teams (directory, name, key);

  CREATE TABLE run.memberships (
    directory INTEGER NOT NULL,
    team TEXT NOT NULL,
    source_id TEXT NOT NULL,
    keep INTEGER NOT NULL,
    PRIMARY KEY (directory, team, source_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.observed (
    place INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (directory, id)
  ) STRICT;

  CREATE TABLE run.observed_keys (
    place INTEGER NOT NULL,
    directory INTEGER NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (place, path, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX run.observed_keys_key ON observed_keys (directory, path, key, place);

  CREATE TABLE run.observed_teams (
    place INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    external_id TEXT,
    has_members INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (directory, id)
  ) STRICT;
  CREATE INDEX run.observed_teams_name ON observed_teams (directory, name);
  CREATE INDEX run.observed_teams_mark ON observed_teams (directory, external_id);

  CREATE TABLE run.observed_members (
    place INTEGER NOT NULL,
    target_id TEXT NOT NULL,
    PRIMARY KEY (place, target_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.neighbours (
    directory INTEGER NOT NULL,
    neighbour INTEGER NOT NULL,
    PRIMARY KEY (directory, neighbour)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.missing (
    directory INTEGER NOT NULL,
    resource TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (directory, resource, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.complete (
    directory INTEGER NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (directory, resource)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.claims (
    directory INTEGER NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (directory, path, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.names (
    directory INTEGER NOT NULL,
    role TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    source_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (directory, role, path, key, source_id, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run.differences (
    place INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL,
    change TEXT NOT NULL,
    source_id TEXT,
    target_id TEXT,
    by_hand INTEGER NOT NULL,
    doubtful INTEGER NOT NULL DEFAULT 0
  ) STRICT;
`;
