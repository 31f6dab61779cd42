import type { Turn } from '../store.ts';

/** Asks whether a write could be kept now. It changes nothing itself; `trialTurn` is written, and undone, in its place. */
export const probeTurn: Turn<void> = { decide: () => ({ answer: undefined }) };

/**
 * A row of each kind that a commit can write: a right that was revoked, a table that is missing or a full tablespace
 * concerns one table and not the others. No caller can name this lane or this key, and nobody ever sees them.
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
