import type { Migration } from './migration.ts';

/** The log, the lanes, the change feed, the kept responses, the counters, and who waits. */
export const initial: Migration = {
  sqlite: `
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  topic TEXT NOT NULL,
  sender TEXT NOT NULL,
  body TEXT NOT NULL,
  action_flag INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  acknowledged_by TEXT,
  acknowledged_at INTEGER
) STRICT;
CREATE INDEX messages_by_topic ON messages (topic, id);
CREATE INDEX messages_flagged ON messages (id) WHERE action_flag = 1 AND acknowledged_at IS NULL;

CREATE TABLE lanes (
  lane TEXT PRIMARY KEY,
  fence INTEGER NOT NULL,
  owner TEXT,
  claimed_at INTEGER,
  heartbeat_at INTEGER,
  expires_at INTEGER,
  lease_s INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_by_expiry ON lanes (expires_at) WHERE owner IS NOT NULL;
CREATE INDEX lanes_by_owner ON lanes (owner, lane) WHERE owner IS NOT NULL;

-- Without a foreign key: the check would cost more than the row, and an event may outlive its message.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  ts INTEGER NOT NULL,
  message_id INTEGER,
  lane TEXT,
  detail TEXT
) STRICT;

CREATE TABLE answers (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  kept_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_age ON answers (kept_until);

CREATE TABLE counters (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  last_message_id INTEGER NOT NULL,
  last_event_id INTEGER NOT NULL,
  message_count INTEGER NOT NULL,
  pending_flag_count INTEGER NOT NULL,
  fence_floor INTEGER NOT NULL,
  clock_ms INTEGER NOT NULL,
  pruned_message_id INTEGER NOT NULL,
  pruned_event_id INTEGER NOT NULL
) STRICT;
INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0);

-- Ids that were given once and are gone: what was lost, and known to be lost.
CREATE TABLE holes (
  log TEXT NOT NULL,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  PRIMARY KEY (log, first_id)
) STRICT, WITHOUT ROWID;
`,

  postgres: `
CREATE TABLE messages (
  id bigint PRIMARY KEY,
  topic text COLLATE "C" NOT NULL,
  sender text NOT NULL,
  body text NOT NULL,
  action_flag boolean NOT NULL,
  ts bigint NOT NULL,
  acknowledged_by text,
  acknowledged_at bigint
);
CREATE INDEX messages_by_topic ON messages (topic, id);
CREATE INDEX messages_flagged ON messages (id) WHERE action_flag AND acknowledged_at IS NULL;

CREATE TABLE lanes (
  lane text COLLATE "C" PRIMARY KEY,
  fence bigint NOT NULL,
  owner text COLLATE "C",
  claimed_at bigint,
  heartbeat_at bigint,
  expires_at bigint,
  lease_s bigint
);
CREATE INDEX lanes_by_expiry ON lanes (expires_at) WHERE owner IS NOT NULL;
CREATE INDEX lanes_by_owner ON lanes (owner, lane) WHERE owner IS NOT NULL;

-- Without a foreign key: the check would cost more than the row, and an event may outlive its message.
CREATE TABLE events (
  id bigint PRIMARY KEY,
  kind text NOT NULL,
  ts bigint NOT NULL,
  message_id bigint,
  lane text,
  detail text
);

CREATE TABLE answers (
  key text COLLATE "C" PRIMARY KEY,
  fingerprint text NOT NULL,
  answer text NOT NULL,
  kept_until bigint NOT NULL
);
CREATE INDEX answers_by_age ON answers (kept_until);

-- Locking its one row is the order of the log: whoever holds it gives the next ids and commits before anybody else.
CREATE TABLE counters (
  one smallint PRIMARY KEY CHECK (one = 1),
  last_message_id bigint NOT NULL,
  last_event_id bigint NOT NULL,
  message_count bigint NOT NULL,
  pending_flag_count bigint NOT NULL,
  fence_floor bigint NOT NULL,
  clock_ms bigint NOT NULL,
  pruned_message_id bigint NOT NULL,
  pruned_event_id bigint NOT NULL,
  answer_count bigint NOT NULL
);
INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0, 0);

-- Ids that were given once and are gone: what was lost, and known to be lost.
CREATE TABLE holes (
  log text NOT NULL,
  first_id bigint NOT NULL,
  last_id bigint NOT NULL,
  PRIMARY KEY (log, first_id)
);

-- The bus processes that hold connections of waiters, and until when they are believed to live.
CREATE TABLE buses (
  bus text PRIMARY KEY,
  alive_until timestamptz NOT NULL
);

CREATE TABLE waiters (
  arrival bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ticket text COLLATE "C" NOT NULL UNIQUE,
  bus text NOT NULL,
  arrived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lane text COLLATE "C" NOT NULL,
  owner text NOT NULL,
  since bigint NOT NULL,
  lease_s bigint NOT NULL,
  repeat_key text,
  repeat_fingerprint text
);
CREATE INDEX waiters_by_lane ON waiters (lane, arrival);
CREATE INDEX waiters_by_age ON waiters (arrived_at);
`,
};
