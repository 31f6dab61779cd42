import type { Migration } from './migration.ts';

/**
 * Until when buses served, and the pauses since then. Leases that ran out before this version must stay over, so the
 * first pause can begin no earlier than now. The embedded store keeps its signs of life beside the file.
 *
 * An older bus, which does not show until when it serves, would bring leases back to life that it has told to be over.
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
