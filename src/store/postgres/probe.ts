import type { Turn } from '../store.ts';

/**
 * Asks whether a write would succeed now. The turn itself changes nothing; `trialTurn` is written and rolled back in
 * its place.
 */
export const probeTurn: Turn<void> = { decide: () => ({ answer: undefined }) };

/**
 * Writes a row of each kind, because a revoked right, a missing table or a full tablespace can affect one table
 * only. No caller can name this lane or this key, and nobody ever sees the rows.
 */
export const trialTurn: Turn<void> = {
  decide: ({ now, counters }) => {
    const id = counters.lastMessageId + 1;
    const message = { id, topic: '', sender: '', body: '', actionFlag: false, ts: now };
    const hold = { owner: '', claimedAt: now, heartbeatAt: now, expiresAt: now, leaseSeconds: 0 };
    return {
      answer: undefined,
      rows: {
        messages: [message],
        lanes: [{ lane: ' ', fence: 1, hold }],
        answers: [{ key: ' ', fingerprint: '', answer: '', keptUntil: now }],
      },
      queues: new Map([[' ', [{ ticket: ' ', lane: ' ', owner: '', since: now, leaseSeconds: 0 }]]]),
      events: [{ kind: 'message_posted', message }],
    };
  },
};
