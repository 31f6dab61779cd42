import { toSnakeCase } from '../contract/names.ts';
import { countingsOf } from '../store/counting.ts';
import type { MessageRow } from '../store/rows.ts';
import type { RowSource } from '../store/transfer.ts';
import { type Check, createProblems, toCount } from './check.ts';
import { createIdCheck, toIdRange } from './check-ids.ts';

/** Checks the messages against the order of the log and against the store's counters. */
export function createMessageCheck(source: RowSource) {
  const { totals } = source;
  const range = toIdRange(source, 'messages');
  const [problems, miscounts] = [createProblems(), createProblems()];
  const ids = createIdCheck('message', range, problems);
  let messageCount = 0;
  const counted = countingsOf('messages').map((counting) => ({ ...counting, count: 0 }));
  let latest = 0;

  function see(row: MessageRow): void {
    const { id, ts } = row;
    ids.see(id);
    messageCount += 1;
    for (const counting of counted) if (counting.isCounted(row)) counting.count += 1;
    if (ts < latest) problems.add(`message ${id} is older than the one before it`);
    latest = Math.max(latest, ts);
  }

  function end(): readonly Check[] {
    ids.end();
    if (messageCount !== totals.messageCount)
      miscounts.add(`they say ${toCount(totals.messageCount, 'message')}, and there are ${messageCount}`);
    for (const { list, counter, count } of counted)
      if (totals[counter] !== count)
        miscounts.add(`they say ${totals[counter]} ${toWords(list)}, and there are ${count}`);
    if (latest > totals.clockMilliseconds)
      miscounts.add('the newest message is later than the clock of the store');
    return [problems.toCheck('messages', toFinding()), miscounts.toCheck('counters', 'they are right')];
  }

  function toFinding(): string {
    const lost = range.holes.map(({ firstId, lastId }) => `${firstId} to ${lastId}`);
    const ids = messageCount === 0 ? '' : `, ids ${range.floor + 1} to ${range.last}`;
    return [
      `${toCount(messageCount, 'message')}${ids}`,
      ...(range.floor > 0 ? [`pruned up to ${range.floor}`] : []),
      ...(lost.length > 0 ? [`known to be lost: ${lost.join(', ')}`] : []),
    ].join('; ');
  }

  return { see, end, count: () => messageCount };
}

/** Turns `pendingActionFlags` into `pending action flags`. */
function toWords(name: string): string {
  return toSnakeCase(name).replaceAll('_', ' ');
}
