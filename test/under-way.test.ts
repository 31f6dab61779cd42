import { expect, test } from 'vitest';
import { type BatchChanges, type BatchRows, decideBatch, isEmpty } from '../src/store/batch.ts';
import { nothingCounted } from '../src/store/counting.ts';
import { createGroupCommit } from '../src/store/group-commit.ts';
import type { LaneRow } from '../src/store/rows.ts';
import type { Find, Turn } from '../src/store/store.ts';
import { createUnderWay } from '../src/store/under-way.ts';

/** A store in memory whose disk the test plays: each batch that writes waits until it is kept or refused. */
function createStage() {
  const lanes = new Map<string, LaneRow>();
  const writes: { keep: () => void; refuse: (reason: Error) => void }[] = [];
  let counters = nothingCounted;
  const committed = (): BatchRows => ({
    counters,
    find: ((kind, key) => (kind === 'lanes' ? lanes.get(key as string) : undefined)) as Find,
    queue: () => [],
    line: () => ({ queues: new Map(), hasScopes: false }),
    scopedLanes: () => new Map(),
    keptThrough: () => ({}),
  });
  function apply(changes: BatchChanges): void {
    counters = changes.counters;
    for (const row of changes.changed.lanes.values()) lanes.set(row.lane, row);
  }
  const underWay = createUnderWay({ committed, apply });
  const group = createGroupCommit({
    isPipelined: true,
    commit: async (turns) => {
      const { changes, results } = decideBatch(turns, underWay.rows(), { now: () => 1 });
      const isWritten = !isEmpty(changes);
      await underWay.follow(changes, isWritten ? nextWrite() : undefined);
      return results;
    },
  });
  function nextWrite(): Promise<void> {
    return new Promise((resolve, reject) => writes.push({ keep: resolve, refuse: reject }));
  }
  const takeApart = async (turn: Turn<unknown>) => {
    const answer = group.take(turn).then(
      (value) => value,
      (reason) => `refused: ${reason.message}`,
    );
    await settled();
    return { answer, isAnswered: () => isSettled(answer) };
  };
  return { takeApart, writes, committed };
}

const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const open = Symbol('open');
const isSettled = async (answer: Promise<unknown>) => (await Promise.race([answer, open])) !== open;

const post: Turn<unknown> = {
  decide: ({ counters }) => {
    const id = counters.lastMessageId + 1;
    const message = { id, topic: 't', sender: 's', body: 'b', actionFlag: false, ts: 1 };
    return { answer: id, rows: { messages: [message] } };
  },
};

const grant: Turn<unknown> = {
  asks: { lanes: ['a'] },
  decide: ({ find }) => {
    const fence = (find('lanes', 'a')?.fence ?? 0) + 1;
    return { answer: fence, rows: { lanes: [{ lane: 'a', fence }] } };
  },
};

const look: Turn<unknown> = {
  asks: { lanes: ['a'] },
  decide: ({ find }) => ({ answer: find('lanes', 'a')?.fence ?? 0 }),
};

test('each batch is decided on what those before it leave behind, before they are kept', async () => {
  const { takeApart, writes, committed } = createStage();
  const turns = [
    await takeApart(post),
    await takeApart(grant),
    await takeApart(post),
    await takeApart(grant),
  ];
  expect(writes).toHaveLength(4);
  expect(committed().counters.lastMessageId).toBe(0);
  for (const { keep } of writes) keep();
  expect(await Promise.all(turns.map(({ answer }) => answer))).toEqual([1, 1, 2, 2]);
  expect(committed().counters.lastMessageId).toBe(2);
});

test('an answer that needs no write waits for the writes that it was decided on', async () => {
  const { takeApart, writes } = createStage();
  const granted = await takeApart(grant);
  const looked = await takeApart(look);
  expect(await looked.isAnswered()).toBe(false);
  writes[0]?.keep();
  expect(await Promise.all([granted.answer, looked.answer])).toEqual([1, 1]);
});

test('batches become committed in their order, whichever was kept first', async () => {
  const { takeApart, writes, committed } = createStage();
  await takeApart(post);
  const second = await takeApart(post);
  writes[1]?.keep();
  await settled();
  expect(await second.isAnswered()).toBe(false);
  expect(committed().counters.lastMessageId).toBe(0);
  writes[0]?.keep();
  expect(await second.answer).toBe(2);
});

test('when a batch is not kept, none that was decided on it is answered or counted, and the next starts from what is kept', async () => {
  const { takeApart, writes, committed } = createStage();
  const kept = await takeApart(grant);
  const failing = [await takeApart(grant), await takeApart(look), await takeApart(post)];
  writes[0]?.keep();
  writes[1]?.refuse(new Error('the disk is full'));
  const reasons = await Promise.all(failing.map(({ answer }) => answer));
  expect(reasons).toEqual(Array(3).fill('refused: the disk is full'));
  // What the thread says of a batch that fell with another changes nothing.
  writes[2]?.keep();
  expect([await kept.answer, committed().counters.lastMessageId]).toEqual([1, 0]);

  const next = [await takeApart(grant), await takeApart(post)];
  for (const { keep } of writes.slice(3)) keep();
  expect(await Promise.all(next.map(({ answer }) => answer))).toEqual([2, 1]);
});
