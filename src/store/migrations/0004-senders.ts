import type { Migration } from './migration.ts';

const sql = 'CREATE INDEX messages_by_sender ON messages (sender, id);\n';

/** Whoever waits for one sender reads its messages again at each post: without this each read goes through the log. */
export const senders: Migration = { sqlite: sql, postgres: sql };
