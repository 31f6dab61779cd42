import type { JSONRPCMessage } from '@modelcontextprotocol/server';

type Batch = { answers: object[]; left: number };

/**
 * Batches, which clients of 2025-03-26 may send. Each request of a batch is handled by itself, and all responses go
 * out together as one array once the last one is there.
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
    /** Takes the messages of a batch, with a refusal in place of anything that is not a message. */
    begin(messages: readonly object[]): void {
      const batch: Batch = { answers: [], left: 0 };
      for (const message of messages) {
        if ('method' in message && 'id' in message) {
          // If two requests have the same id, the second gets a response of its own.
          if (batchOf.has(message.id)) continue;
          batchOf.set(message.id, batch);
          batch.left += 1;
        } else if ('error' in message) {
          batch.answers.push(message);
        }
      }
      void finish(batch).catch(() => {});
    },

    /** Holds back a response that belongs to a batch; returns undefined for every other message. */
    take(message: JSONRPCMessage): Promise<void> | undefined {
      const isOfBatch = !('method' in message) && batchOf.has(message.id);
      return isOfBatch ? settle(message.id, [message]) : undefined;
    },

    /** A cancelled request never gets a response, so the others must not wait for it. */
    forget(id: unknown): void {
      if (batchOf.has(id)) void settle(id, []).catch(() => {});
    },
  };
}
