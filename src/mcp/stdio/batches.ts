import type { JSONRPCMessage } from '@modelcontextprotocol/server';

type Batch = { answers: object[]; left: number };

/**
 * Batches, as clients of 2025-03-26 may send them: each request of one is answered by itself, and all the answers go
 * out together as one array, once the last of them is there.
 */
export function createBatches(write: (answers: readonly object[]) => Promise<void>) {
  const batchOf = new Map<unknown, Batch>();

  function settle(id: unknown, answers: readonly object[]): Promise<void> {
    const batch = batchOf.get(id) as Batch;
    batchOf.delete(id);
    batch.answers.push(...answers);
    batch.left -= 1;
    return finish(batch);
  }

  async function finish({ left, answers }: Batch): Promise<void> {
    if (left === 0 && answers.length > 0) await write(answers);
  }

  return {
    /** Takes what came, with the refusal in the place of what is no message. */
    begin(messages: readonly object[]): void {
      const batch: Batch = { answers: [], left: 0 };
      for (const message of messages) {
        if ('method' in message && 'id' in message) {
          // Of two requests with one id the second is answered by itself.
          if (batchOf.has(message.id)) continue;
          batchOf.set(message.id, batch);
          batch.left += 1;
        } else if ('error' in message) {
          batch.answers.push(message);
        }
      }
      void finish(batch).catch(() => {});
    },

    /** Keeps an answer that belongs to a batch; undefined for every other message. */
    take(message: JSONRPCMessage): Promise<void> | undefined {
      const isOfBatch = !('method' in message) && batchOf.has(message.id);
      return isOfBatch ? settle(message.id, [message]) : undefined;
    },

    /** A request that its client cancelled is never answered, and the others must not wait for it. */
    forget(id: unknown): void {
      if (batchOf.has(id)) void settle(id, []).catch(() => {});
    },
  };
}
