import { limits } from '../../contract/limits.ts';
import type { BatchChanges } from '../batch.ts';
import {
  toAcknowledgedValues,
  toAnswerValues,
  toArrays,
  toCounterValues,
  toEventValues,
  toLaneValues,
  toMessageValues,
  toWaiterValues,
} from './encode.ts';
import type { QueuedWaiter } from './read.ts';
import type { Session } from './session.ts';

/** Everything that one transaction writes. */
export type CommitRequest = Omit<BatchChanges, 'queues'> & QueueChanges;

export type QueueChanges = Readonly<{
  arrived: readonly QueuedWaiter[];
  /** The tickets that stand where others stood. */
  replaced: readonly Readonly<{ earlier: string; ticket: string }>[];
  gone: readonly string[];
}>;

const insertMessages = `INSERT INTO messages (id, topic, sender, body, action_flag, ts)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::bigint[])`;
const updateAcknowledged = `UPDATE messages SET acknowledged_by = new.who, acknowledged_at = new.at
  FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS new (who, at, id) WHERE messages.id = new.id`;
const upsertLanes = `INSERT INTO lanes (lane, fence, owner, claimed_at, heartbeat_at, expires_at, lease_s)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
  ON CONFLICT (lane) DO UPDATE SET fence = excluded.fence, owner = excluded.owner, claimed_at = excluded.claimed_at,
    heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at, lease_s = excluded.lease_s`;
const insertEvents = `INSERT INTO events (id, kind, ts, message_id, lane, detail)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])`;
const upsertAnswers = `INSERT INTO answers (key, fingerprint, answer, kept_until)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
  ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, answer = excluded.answer,
    kept_until = excluded.kept_until`;
const forgetAnswers = `WITH gone AS (
    DELETE FROM answers WHERE key IN (
      (SELECT key FROM answers WHERE kept_until < $1 ORDER BY kept_until LIMIT 100) UNION
      (SELECT key FROM answers ORDER BY kept_until
       LIMIT (SELECT greatest(answer_count + $2 - ${limits.idempotencyKeysKeptMax}, 0) FROM counters))
    ) RETURNING key
  )
  UPDATE counters SET answer_count = answer_count + $2 - (SELECT count(*) FROM gone)`;
const insertWaiters = `INSERT INTO waiters (bus, ticket, lane, owner, since, lease_s, repeat_key, repeat_fingerprint)
  SELECT $1, ticket, lane, owner, since, lease_s, repeat_key, repeat_fingerprint
  FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[]) WITH ORDINALITY
    AS new (ticket, lane, owner, since, lease_s, repeat_key, repeat_fingerprint, place) ORDER BY place`;
const replaceWaiters = `UPDATE waiters SET bus = $1, ticket = new.ticket, arrived_at = clock_timestamp()
  FROM unnest($2::text[], $3::text[]) AS new (earlier, ticket) WHERE waiters.ticket = new.earlier`;
const forgetWaiters = `DELETE FROM waiters
  WHERE arrived_at < clock_timestamp() - interval '${limits.waitSecondsMax + 10} seconds'`;
const deleteWaiters = 'DELETE FROM waiters WHERE ticket = ANY ($1::text[])';
const updateCounters = `UPDATE counters SET last_message_id = $1, last_event_id = $2, message_count = $3,
  pending_flag_count = $4, pruned_message_id = $5, pruned_event_id = $6, clock_ms = $7`;

/** For how long a process that shows no sign of life is believed to live, and how often it shows one. */
const aliveSeconds = 6;
export const pulseMilliseconds = 2_000;

const showLife = `INSERT INTO buses (bus, alive_until) VALUES ($1, clock_timestamp() + interval '${aliveSeconds} seconds')
  ON CONFLICT (bus) DO UPDATE SET alive_until = excluded.alive_until`;

/** Says that this process lives, if anybody waits in it, so that they keep their places. */
export async function writeSignOfLife(ask: Session['ask'], bus: string): Promise<void> {
  await ask(
    `UPDATE buses SET alive_until = clock_timestamp() + interval '${aliveSeconds} seconds'
     WHERE bus = $1 AND EXISTS (SELECT FROM waiters WHERE waiters.bus = $1)`,
    bus,
  );
}

/** Keeps a time that the database's own clock does not reach, for the other processes and for those to come. */
export async function writeTime(ask: Session['ask'], milliseconds: number): Promise<void> {
  await ask('UPDATE counters SET clock_ms = greatest(clock_ms, $1)', milliseconds);
}

/** Nobody waits here any more. Within the order of commits, in which another process may take over a place. */
export async function writeFarewell(ask: Session['ask'], bus: string): Promise<void> {
  await Promise.all([
    ask(
      `WITH locked AS MATERIALIZED (SELECT FROM counters FOR UPDATE)
       DELETE FROM waiters USING locked WHERE bus = $1`,
      bus,
    ),
    ask(`DELETE FROM buses WHERE bus = $1 OR alive_until < clock_timestamp() - interval '1 day'`, bus),
  ]);
}

/**
 * Sends all statements of a commit without waiting in between; only those that have something to write. The one
 * notification tells every process how far the log goes now.
 */
export function writeRows(
  ask: Session['ask'],
  request: CommitRequest,
  { bus, channel }: Readonly<{ bus: string; channel: string }>,
): Promise<unknown>[] {
  const { posted, acknowledged, lanes, events, answers, pruned, arrived, replaced, gone } = request;
  const { counters, decidedAt } = request;
  const sent: Promise<unknown>[] = [];
  const send = (sql: string, values: readonly Parameters<Session['ask']>[1][]) =>
    sent.push(ask(sql, ...values));
  if (posted.length > 0) send(insertMessages, toArrays(posted.map(toMessageValues)));
  if (acknowledged.length > 0) send(updateAcknowledged, toArrays(acknowledged.map(toAcknowledgedValues)));
  if (lanes.length > 0) send(upsertLanes, toArrays(lanes.map(toLaneValues)));
  if (events.length > 0) send(insertEvents, toArrays(events.map(toEventValues)));
  if (answers.length > 0) {
    send(upsertAnswers, toArrays(answers.map(toAnswerValues)));
    // Old answers leave a few at a time with the commits that bring new ones, so there is nothing to sweep.
    send(forgetAnswers, [decidedAt, answers.length]);
  }
  if (pruned) {
    send('DELETE FROM events WHERE id <= $1', [pruned.eventId]);
    send('DELETE FROM messages WHERE id <= $1', [pruned.messageId]);
  }
  if (gone.length > 0) send(deleteWaiters, [gone]);
  if (replaced.length > 0) {
    send(replaceWaiters, [bus, ...toArrays(replaced.map(({ earlier, ticket }) => [earlier, ticket]))]);
  }
  if (arrived.length > 0) {
    send(insertWaiters, [bus, ...toArrays(arrived.map(({ lane, waiter }) => toWaiterValues(lane, waiter)))]);
    send(forgetWaiters, []);
  }
  if (arrived.length + replaced.length > 0) send(showLife, [bus]);
  const counted = toCounterValues(counters, decidedAt);
  if (events.length === 0) send(updateCounters, counted);
  else
    send(`${updateCounters} RETURNING pg_notify($8, $9)`, [
      ...counted,
      channel,
      `${counters.lastEventId} ${bus}`,
    ]);
  return sent;
}
