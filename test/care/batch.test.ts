import { expect, test } from 'vitest';
import { type BatchRows, decideBatch } from '../../src/store/batch.ts';
import { nothingCounted } from '../../src/store/counting.ts';
import { createGroupCommit } from '../../src/store/group-commit.ts';
import type { MessageRow } from '../../src/store/rows.ts';
import type { Find, Turn } from '../../src/store/store.ts';

/** Ten flagged messages, each with its event. */
const rows: BatchRows = {
  counters: {
    ...nothingCounted,
    lastMessageId: 10,
    lastEventId: 10,
    messageCount: 10,
    pendingActionFlagCount: 10,
  },
  find: ((kind, key) => (kind === 'messages' && Number(key) <= 10 ? toFlag(Number(key)) : undefined)) as Find,
  queue: () => [],
  line: () => ({ queues: new Map(), hasScopes: false }),
  scopedLanes: () => new Map(),
  keptThrough: (id) => ({ messageCount: id, pendingActionFlagCount: id }),
};

function toFlag(id: number): MessageRow {
  return { id, topic: 't', sender: 's', body: 'b', actionFlag: true, ts: 1 };
}

function prune(id: number): Turn<unknown> {
  return { prune: { messageId: id, eventId: id }, decide: () => ({ answer: 'pruned', isPruned: true }) };
}

function acknowledge(id: number): Turn<unknown> {
  return {
    asks: { messages: [id] },
    decide: ({ find }) => {
      const message = find('messages', id);
      if (!message) return { answer: 'gone' };
      return { answer: 'done', rows: { messages: [{ ...message, acknowledgedAt: 2 }] } };
    },
  };
}

const post: Turn<unknown> = {
  decide: ({ counters }) => {
    const id = counters.lastMessageId + 1;
    return { answer: id, rows: { messages: [toFlag(id)] } };
  },
};

function decide(...turns: readonly Turn<unknown>[]) {
  const { changes, results } = decideBatch(turns, rows, { now: () => 5 });
  const answers = results.map((result) =>
    'outcome' in result ? (result.outcome as { answer: unknown }).answer : result,
  );
  const { messageCount, pendingActionFlagCount } = changes.counters;
  return { answers, counts: [messageCount, pendingActionFlagCount], changes };
}

test('a turn that prunes takes what it removes off the counters', () => {
  expect(decide(prune(6))).toMatchObject({
    counts: [4, 4],
    changes: { pruned: { messageId: 6, eventId: 6 } },
  });
});

test('a list is counted as rows enter and leave it, however often one batch changes them', () => {
  expect(decide(acknowledge(3), acknowledge(3)).counts).toEqual([10, 9]);
  expect(decide(post, acknowledge(11)).counts).toEqual([11, 10]);
});

test('a message that is posted and changed in one batch is both: new, and then changed', () => {
  const { fresh, changed } = decide(post, acknowledge(11)).changes;
  expect(fresh.messages).toEqual([toFlag(11)]);
  expect([...changed.messages.values()]).toEqual([{ ...toFlag(11), acknowledgedAt: 2 }]);
});

test('a batch in which nothing changes has nothing to write', () => {
  expect(decide({ decide: () => ({ answer: 1 }) }).changes.pruned).toBeUndefined();
});

test('a turn sees only the rows that it asked for', () => {
  const { answers } = decide({ decide: ({ find }) => ({ answer: find('messages', 3) }) });
  expect(answers).toMatchObject([{ failure: { message: expect.stringMatching(/messages 3 .* not asked/) } }]);
});

test('a turn that prunes shares its commit with no other', async () => {
  const batches: number[] = [];
  const group = createGroupCommit({
    commit: async (turns) => {
      batches.push(turns.length);
      return decideBatch(turns, rows, { now: () => 5 }).results;
    },
  });
  await Promise.all([post, post, prune(4), prune(6), post].map(group.take));
  expect(batches).toEqual([2, 1, 1, 1]);
});
