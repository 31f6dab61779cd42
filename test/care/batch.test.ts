import { expect, test } from 'vitest';
import { type BatchRows, decideBatch } from '../../src/store/batch.ts';
import type { MessageRow } from '../../src/store/rows.ts';
import type { Turn } from '../../src/store/store.ts';

/** Ten flagged messages, each with its event, of which the first is acknowledged. */
const rows: BatchRows = {
  counters: {
    lastMessageId: 10,
    lastEventId: 10,
    messageCount: 10,
    pendingFlagCount: 9,
    pruned: { messageId: 0, eventId: 0 },
  },
  lane: () => undefined,
  queue: () => [],
  message: (id) => toFlag(id),
  answer: () => undefined,
  keptThrough: (id) => ({ messageCount: id, pendingFlagCount: Math.max(id - 1, 0) }),
};

function toFlag(id: number): MessageRow {
  return { id, topic: 't', sender: 's', body: 'b', actionFlag: true, ts: 1 };
}

function prune(id: number): Turn<unknown> {
  return {
    prune: { messageId: id, eventId: id },
    decide: () => ({ answer: 'pruned', isPruned: true }),
  };
}

function acknowledge(id: number): Turn<unknown> {
  return {
    messageId: id,
    decide: ({ message }) =>
      message ? { answer: 'done', acknowledged: { ...message, acknowledgedAt: 2 } } : { answer: 'gone' },
  };
}

const post: Turn<unknown> = {
  decide: ({ nextMessageId }) => ({ answer: nextMessageId, posted: toFlag(nextMessageId) }),
};

function decide(...turns: readonly Turn<unknown>[]) {
  const { changes, results } = decideBatch(turns, rows, { now: () => 5 });
  const answers = results.map((result) =>
    'outcome' in result ? (result.outcome as { answer: unknown }).answer : result,
  );
  const { messageCount, pendingFlagCount } = changes.counters;
  return { answers, counts: [messageCount, pendingFlagCount], pruned: changes.pruned };
}

test('counts what two turns of one batch prune once, whichever comes first', () => {
  for (const turns of [
    [prune(4), prune(6)],
    [prune(6), prune(4)],
    [prune(6), prune(6)],
  ]) {
    expect(decide(...turns)).toMatchObject({ counts: [4, 4], pruned: { messageId: 6, eventId: 6 } });
  }
});

test('counts a flag once that is acknowledged and pruned in one batch', () => {
  expect(decide(acknowledge(3), prune(6)).counts).toEqual([4, 4]);
  expect(decide(acknowledge(8), prune(6)).counts).toEqual([4, 3]);
  expect(decide(acknowledge(3), prune(2), prune(6)).counts).toEqual([4, 4]);
});

test('does not show a turn what one before it has pruned, and gives ids on', () => {
  const { answers, counts } = decide(prune(10), acknowledge(3), post);
  expect(answers).toEqual(['pruned', 'gone', 11]);
  expect(counts).toEqual([1, 1]);
});

test('has nothing to write when nothing was pruned', () => {
  expect(decide({ decide: () => ({ answer: 1 }) }).pruned).toBeUndefined();
});
