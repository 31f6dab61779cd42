import type { Migration } from './migration.ts';

/**
 * Who acts under which id, which agent a session is, and the last number given of each stem. An older bus beside this one
 * neither reads nor writes them.
 */
export const agents: Migration = {
  sqlite: `
CREATE TABLE agents (
  agent TEXT PRIMARY KEY,
  client TEXT,
  place TEXT,
  joined_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  left_at INTEGER,
  sessions TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX agents_by_seen ON agents (seen_at, agent);

CREATE TABLE sessions (
  session TEXT PRIMARY KEY,
  agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stems (
  stem TEXT PRIMARY KEY,
  last_number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,

  postgres: `
CREATE TABLE agents (
  agent text COLLATE "C" PRIMARY KEY,
  client text,
  place text,
  joined_at bigint NOT NULL,
  seen_at bigint NOT NULL,
  left_at bigint,
  sessions text NOT NULL
);
CREATE INDEX agents_by_seen ON agents (seen_at, agent);

CREATE TABLE sessions (
  session text COLLATE "C" PRIMARY KEY,
  agent text NOT NULL
);

CREATE TABLE stems (
  stem text COLLATE "C" PRIMARY KEY,
  last_number bigint NOT NULL
);
`,
};
