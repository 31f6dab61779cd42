/** Running calls, so that their callers can cancel them with a separate message. */
export type Cancelling = Readonly<{
  /** Registers a call. Returns a function that marks it as ended. */
  begin(call: CallName, end: () => void): () => void;
  cancel(call: CallName): void;
}>;

/**
 * Clients number their requests themselves. Without sessions, the only thing that tells two clients apart is what
 * they say about themselves.
 */
type CallName = Readonly<{ caller: string | undefined; requestId: unknown }>;

/**
 * Clients of the 2025 protocol versions cancel a call with another request and leave its connection open. A claim
 * that nobody waits for any more must end, or else it would be granted a lane that nobody knows about.
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
      // Two sessions with the same agent id may use the same request numbers, and nobody can tell which call is
      // meant. So all of them end.
      for (const end of key === undefined ? [] : (running.get(key) ?? [])) end();
    },
  };
}

/** Callers without an id cannot be told apart, and none of them may end another's calls. */
function toKey({ caller, requestId }: CallName): string | undefined {
  const isNamed = caller !== undefined && (typeof requestId === 'string' || typeof requestId === 'number');
  return isNamed ? JSON.stringify([caller, requestId]) : undefined;
}
