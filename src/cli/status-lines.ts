import { type Row, toLaneLines, toMessageLines, toRows, toText, toWaiterLines } from './rows.ts';
import { toDuration } from './table.ts';

/** The status rollup in sections; what is empty is left out, but the lanes, if the bus sent a list of them. */
export function toStatusLines(answer: Row, now: Date): readonly string[] {
  const [meta = {}] = toRows([answer._meta]);
  const held = toRows(answer.active_lanes);
  const noLanes = Array.isArray(answer.active_lanes) ? ['none'] : [];
  const orphans = toRows(answer.orphaned_claims);
  const waiters = toRows(answer.waiting);
  const flags = toRows(answer.pending_action_flags);
  const messages = toRows(answer.recent_messages);
  const toLines = (message: Row) => toMessageLines(message, now);
  return [
    toBusLine(meta),
    ...toSection('Lanes held', meta.active_lane_count, held, toLaneLines, noLanes),
    ...toSection('Left behind: the lease ran out', meta.orphaned_claim_count, orphans, toLaneLines),
    ...toSection('Waiting', meta.waiter_count, waiters, (rows) => toWaiterLines(rows, now)),
    ...toSection('Needs a person', meta.pending_action_flag_count, flags, (rows) => rows.flatMap(toLines)),
    ...toSection('Newest messages', messages.length, messages, (rows) => rows.flatMap(toLines)),
  ];
}

function toBusLine(meta: Row): string {
  const facts = [
    meta.version === undefined ? 'bus' : `bus ${toText(meta.version)}`,
    ...(meta.store === undefined ? [] : [toText(meta.store)]),
    ...(typeof meta.uptime_s === 'number' ? [`up ${toDuration(meta.uptime_s)}`] : []),
    ...(meta.message_count === undefined ? [] : [`${toText(meta.message_count)} messages`]),
    ...(meta.write_secret_armed === true ? ['writes need the secret'] : []),
    ...(meta.write_secret_armed === false ? ['writes are open'] : []),
  ];
  return facts.join(' · ');
}

function toSection(
  title: string,
  count: unknown,
  rows: readonly Row[],
  toLines: (rows: readonly Row[]) => readonly string[],
  empty: readonly string[] = [],
): readonly string[] {
  if (rows.length === 0 && empty.length === 0) return [];
  const total = typeof count === 'number' ? count : rows.length;
  const shown = total > rows.length ? `${rows.length} of ${total}` : `${total}`;
  const lines = rows.length === 0 ? empty : toLines(rows);
  return ['', `${title} (${shown})`, ...lines.map((line) => `  ${line}`.trimEnd())];
}
