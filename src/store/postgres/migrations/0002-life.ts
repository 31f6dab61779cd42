/**
 * Until when buses served, and the pauses since then. Leases that ran out before this version must stay over, so the
 * first pause can begin no earlier than now.
 */
export const life = `
CREATE TABLE life (
  one smallint PRIMARY KEY CHECK (one = 1),
  served_until bigint NOT NULL,
  pauses text NOT NULL
);
INSERT INTO life SELECT 1, greatest(clock_ms, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), '[]'
  FROM counters;
`;
