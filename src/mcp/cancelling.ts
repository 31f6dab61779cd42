/** Calls that run, so that their callers can end them by a message of its own. */
export type Cancelling = Readonly<{
  /** Answers how to note that the call has ended. */
  begin(call: CallName, end: () => void): () => void;
  cancel(call: CallName): void;
}>;

/** Clients number their requests themselves, and without sessions only what they say of themselves tells one from another. */
type CallName = Readonly<{ caller: string | undefined; requestId: unknown }>;

/**
 * Clients of the era of 2025 cancel a call by another request and leave its connection open. A wait that nobody
 * listens to any more must not be served: the lane would be held by nobody.
 */
export function createCancelling(): Cancelling {
  const running = new Map<string, Set<() => void>>();
  return {
    begin(call, end) {
      const key = toKey(call);
      if (key === undefined) return () => {};
      const ends = running.get(key) ?? new Set();
      running.set(key, ends.add(end));
      return () => {
        ends.delete(end);
        if (ends.size === 0 && running.get(key) === ends) running.delete(key);
      };
    },
    cancel(call) {
      const key = toKey(call);
      // Two sessions under one agent id number their requests alike: which of the two is meant nobody can tell.
      for (const end of key === undefined ? [] : (running.get(key) ?? [])) end();
    },
  };
}

/** Callers that give no id of theirs cannot be told apart, and none may end the calls of another. */
function toKey({ caller, requestId }: CallName): string | undefined {
  const isNamed = caller !== undefined && (typeof requestId === 'string' || typeof requestId === 'number');
  return isNamed ? JSON.stringify([caller, requestId]) : undefined;
}
