import type { Migration } from './migration.ts';

/**
 * Adds the time until which buses served, and the pauses since then. Leases that expired before this version must
 * stay expired, so the first pause cannot begin before now. The embedded store keeps its signs of life in a file
 * beside the database.
 *
 * An older bus does not record until when it serves. Beside newer buses it would bring back leases that it has
 * already reported as expired, so it must stop.
 */
export const life: Migration = {
  sqlite: '',

  postgres: `
CREATE TABLE life (
  one smallint PRIMARY KEY CHECK (one = 1),
  served_until bigint NOT NULL,
  pauses text NOT NULL
);
INSERT INTO life SELECT 1, greatest(clock_ms, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), '[]'
  FROM counters;
`,
  endsOlder: true,
};
