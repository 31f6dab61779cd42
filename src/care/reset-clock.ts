import { limits } from '../contract/limits.ts';
import type { SqliteDatabase } from '../store/sqlite/driver.ts';
import { readTotals } from '../store/sqlite/source.ts';
import { rollBack } from '../store/sqlite/transactions.ts';

/**
 * Sets times that are ahead of `now` back to `now`, in a database on which no bus runs.
 *
 * A bus's clock never runs backwards. So one start with a wrong clock leaves every later time ahead for good. What
 * was dated ahead gets the time of the reset; the log keeps its order, because ids define it. A held lane stays held
 * for one more lease.
 */
export function resetClock(database: SqliteDatabase, now: number): void {
  if (readTotals(database).clockMilliseconds <= now) return;
  const keptUntilMax = now + limits.idempotencyKeyKeptHours * 3_600_000;
  database.exec('BEGIN IMMEDIATE');
  try {
    const run = (sql: string, ...values: number[]) => database.prepare(sql).run(...values);
    run('UPDATE messages SET ts = ? WHERE ts > ?', now, now);
    run('UPDATE messages SET acknowledged_at = ? WHERE acknowledged_at > ?', now, now);
    run('UPDATE events SET ts = ? WHERE ts > ?', now, now);
    // The fields stored with an event must match the message.
    run(
      `UPDATE events SET detail = json_set(detail, '$.acknowledgedAt', ?)
       WHERE json_extract(detail, '$.acknowledgedAt') > ?`,
      now,
      now,
    );
    run('UPDATE lanes SET claimed_at = ? WHERE claimed_at > ?', now, now);
    run(
      'UPDATE lanes SET heartbeat_at = ?, expires_at = ? + lease_s * 1000 WHERE heartbeat_at > ?',
      now,
      now,
      now,
    );
    run('UPDATE answers SET kept_until = ? WHERE kept_until > ?', keptUntilMax, keptUntilMax);
    run('UPDATE counters SET clock_ms = ?', now);
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    throw error;
  }
}
