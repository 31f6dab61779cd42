/** What a store reports to the operator. It goes into the log and contains no secret. */
export type Notice = Readonly<{ level: 'info' | 'warn'; message: string; data?: object }>;
export type Notify = (notice: Notice) => void;

/** Something a store depends on, as reported in the log. It may consist of several parts. */
export type Outage = Readonly<{
  fails: (part: string, reason: string) => void;
  works: (part: string, data?: object) => void;
}>;

/** If it fails and recovers all the time, it is reported at most this often. */
const quietMilliseconds = 10_000;

/**
 * Reports once when something starts to fail, and once when all of its parts work again, no matter how many calls
 * fail in between. A log that repeats one line a thousand times hides everything else.
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
