import { limits } from '../contract/limits.ts';

/** Calls back whenever something changed that may be no event; the answer ends that. */
export type OnQuietChange = (listener: () => void) => () => void;

/**
 * Tells open event streams that something changed which is no event, a renewed lease for one. The first change is told
 * at once and those right after it together, so that a busy bus pays next to nothing; without a stream nobody listens.
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
