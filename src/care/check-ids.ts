import type { Hole } from '../store/rows.ts';
import type { RowSource } from '../store/transfer.ts';
import type { Problems } from './check.ts';

export type IdRange = Readonly<{
  /** Everything up to this id has been pruned. */
  floor: number;
  last: number;
  /** Ordered by id and without overlaps. */
  holes: readonly Hole[];
}>;

/** The ids that a log should have. */
export function toIdRange({ totals, holes }: RowSource, log: Hole['log']): IdRange {
  const { pruned, lastMessageId, lastEventId } = totals;
  const [floor, last] =
    log === 'messages' ? [pruned.messageId, lastMessageId] : [pruned.eventId, lastEventId];
  const own = holes.filter((hole) => hole.log === log && hole.lastId > floor);
  return { floor, last, holes: own.sort((one, other) => one.firstId - other.firstId) };
}

/** Whether a row with this id should exist. */
export function isKept({ floor, last, holes }: IdRange, id: number): boolean {
  return id > floor && id <= last && !holes.some(({ firstId, lastId }) => firstId <= id && id <= lastId);
}

/**
 * Checks ids against what the log promises: every id from the first kept one to the last is there, except known
 * holes.
 */
export function createIdCheck(noun: string, { floor, last, holes }: IdRange, problems: Problems) {
  let next = floor + 1;

  function expectUpTo(id: number): void {
    for (const { firstId, lastId } of holes) if (firstId <= next && next <= lastId) next = lastId + 1;
    if (id - next === 1) problems.add(`${noun} ${next} is missing`);
    else if (id > next) problems.add(`${noun}s ${next} to ${id - 1} are missing`);
  }

  function see(id: number): void {
    expectUpTo(id);
    if (id < next) problems.add(`${noun} ${id} stands where none may be`);
    next = Math.max(id + 1, next);
  }

  function end(): void {
    expectUpTo(last + 1);
    if (next > last + 1) problems.add(`the counters end at ${noun} ${last}, and the log at ${next - 1}`);
  }

  return { see, end };
}
