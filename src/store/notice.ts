/** What a store says to whoever keeps the bus running; it is for the log, and holds no secret. */
export type Notice = Readonly<{ level: 'info' | 'warn'; message: string; data?: object }>;
export type Notify = (notice: Notice) => void;

/** Something that a store depends on, in one part or several, as the log hears of it. */
export type Outage = Readonly<{
  fails: (part: string, reason: string) => void;
  works: (part: string, data?: object) => void;
}>;

/** What comes and goes all the time is said this often at most. */
const quietMilliseconds = 10_000;

/**
 * Says once that something fails, and once that all parts of it work again, however many calls meet the failure: a
 * log that says the same a thousand times hides everything else.
 */
export function createOutage({
  notify = () => {},
  failing,
  working,
  now = () => performance.now(),
}: Readonly<{ notify?: Notify | undefined; failing: string; working: string; now?: () => number }>): Outage {
  const parts = new Set<string>();
  let beganAt = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  let isSaid = false;

  function fails(part: string, reason: string): void {
    if (parts.size === 0) beganAt = now();
    parts.add(part);
    if (isSaid || now() - saidAt < quietMilliseconds) return;
    isSaid = true;
    saidAt = now();
    notify({ level: 'warn', message: failing, data: { reason } });
  }

  function works(part: string, data: object = {}): void {
    if (!parts.delete(part) || parts.size > 0 || !isSaid) return;
    isSaid = false;
    const seconds = Math.round(now() - beganAt) / 1000;
    notify({ level: 'info', message: working, data: { ...data, seconds } });
  }

  return { fails, works };
}
