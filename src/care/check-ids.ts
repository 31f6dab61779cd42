import type { Hole } from '../store/rows.ts';
import type { RowSource } from '../store/transfer.ts';
import type { Problems } from './check.ts';

export type IdRange = Readonly<{
  /** Nothing up to this id is kept. */
  floor: number;
  last: number;
  /** By their ids, each beginning after the one before it. */
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

/** Whether there should be a row with this id. */
export function isKept({ floor, last, holes }: IdRange, id: number): boolean {
  return id > floor && id <= last && !holes.some(({ firstId, lastId }) => firstId <= id && id <= lastId);
}

/** Holds ids against what the log promises: from the first that is kept to the last, without gaps but known ones. */
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
