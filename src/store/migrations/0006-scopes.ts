import type { Migration } from './migration.ts';

const columns = (integer: string, text: string) => `
ALTER TABLE lanes ADD COLUMN note ${text};
ALTER TABLE lanes ADD COLUMN paths ${text};
ALTER TABLE lanes ADD COLUMN previous_owner ${text};
ALTER TABLE lanes ADD COLUMN ended_at ${integer};
ALTER TABLE lanes ADD COLUMN how ${text};
ALTER TABLE lanes ADD COLUMN previous_note ${text};
CREATE INDEX lanes_scoped ON lanes (lane) WHERE paths IS NOT NULL;
CREATE INDEX lanes_by_end ON lanes (ended_at) WHERE owner IS NULL AND previous_owner IS NOT NULL;
`;

/**
 * What a holder does, which paths it holds with the lane, and how the hold before ended. A bus that does not know scopes
 * would grant what overlaps, and leave the scopes of the last holder on the row of the next.
 */
export const scopes: Migration = {
  sqlite: columns('INTEGER', 'TEXT'),
  postgres: `${columns('bigint', 'text')}
ALTER TABLE waiters ADD COLUMN note text;
ALTER TABLE waiters ADD COLUMN paths text;
CREATE INDEX waiters_scoped ON waiters (arrival) WHERE paths IS NOT NULL;
`,
  endsOlder: true,
};
