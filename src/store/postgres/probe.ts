import type { Turn } from '../store.ts';

/** Asks whether a write could be kept now. It changes nothing itself; `trialTurn` is written, and undone, in its place. */
export const probeTurn: Turn<void> = { decide: () => ({ answer: undefined }) };

/**
 * A row of each kind that a commit can write: a right that was revoked, a table that is missing or a full tablespace
 * concerns one table and not the others. No caller can name this lane or this key, and nobody ever sees them.
 */
export const trialTurn: Turn<void> = {
  lane: ' ',
  decide: ({ now, nextMessageId }) => {
    const message = { id: nextMessageId, topic: '', sender: '', body: '', actionFlag: false, ts: now };
    const hold = { owner: '', claimedAt: now, heartbeatAt: now, expiresAt: now, leaseSeconds: 0 };
    return {
      answer: undefined,
      posted: message,
      lane: { lane: ' ', fence: 1, hold },
      queue: [{ ticket: ' ', owner: '', since: now, leaseSeconds: 0 }],
      events: [{ kind: 'message_posted', message }],
      remembered: [{ key: ' ', fingerprint: '', answer: '', keptUntil: now }],
    };
  },
};
