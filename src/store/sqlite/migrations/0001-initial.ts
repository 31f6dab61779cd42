/** The log, the registry of lanes, the change feed, the remembered answers, and what is counted. */
export const initial = `
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
`;
