/** A tab that was out of sight for a shorter time is not worth a new connection. */
const passingMilliseconds = 2_000;

/** Whether nobody can see the page: another tab lies over it, or its window is away. */
export function isOutOfSight(): boolean {
  return document.visibilityState === 'hidden';
}

/** Calls back once, when the page has been out of sight for a while. */
export function onceOutOfSight(action: () => void, signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  function look(): void {
    clearTimeout(timer);
    if (isOutOfSight()) timer = setTimeout(action, passingMilliseconds);
  }
  document.addEventListener('visibilitychange', look, { signal });
  signal.addEventListener('abort', () => clearTimeout(timer));
  look();
}

/** Resolves when the page comes in sight or goes out of it, and after so long in any case. */
export function untilSeenOrAfter(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, milliseconds);
    document.addEventListener('visibilitychange', end);
    function end(): void {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', end);
      resolve();
    }
  });
}
