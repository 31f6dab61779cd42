import { limits } from '../contract/limits.ts';

/** Calls back whenever something changed that may have no event. Returns a cancel function. */
export type OnQuietChange = (listener: () => void) => () => void;

/**
 * Tells open event streams about changes without an event, such as a renewed lease. The first change is reported at
 * once and the following ones together, so that this costs a busy bus almost nothing. Without a stream it does not
 * listen.
 */
export function createHints(onQuietChange: OnQuietChange = () => () => {}) {
  const readers = new Set<() => void>();
  let stopListening: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  function change(): void {
    timer ??= setTimeout(tell, toldAtMs + limits.streamHintMilliseconds - performance.now());
  }

  function tell(): void {
    timer = undefined;
    toldAtMs = performance.now();
    for (const reader of readers) reader();
  }

  function leave(reader: () => void): void {
    readers.delete(reader);
    if (readers.size > 0) return;
    stopListening?.();
    stopListening = undefined;
    clearTimeout(timer);
    timer = undefined;
  }

  return {
    join(reader: () => void): () => void {
      readers.add(reader);
      stopListening ??= onQuietChange(change);
      return () => leave(reader);
    },
  };
}
