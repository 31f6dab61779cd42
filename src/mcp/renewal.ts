import type { Bus } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';

/** What the bus granted; one that is older than fences gives none. */
export type Grant = Readonly<{
  lane: string;
  owner: string;
  leaseSeconds: number;
  fence: number | undefined;
}>;

/** Calls back once after so many milliseconds, unless the function that it returns was called before. */
export type SetTimer = (callback: () => void, milliseconds: number) => () => void;

/** The renewing of one lane. */
export type Renewal = Readonly<{
  owner: string;
  /** The lease began anew by somebody else's call. */
  renewed(grant: Grant): void;
  /** Renews no more, also not by an answer that is still under way. */
  stop(): void;
  /** Takes it up again, and finds out soon whether the lane is still held. */
  resume(): void;
  /** Gives the lane back. Never rejects: whatever comes of it, the lease ends by itself. */
  release(): Promise<void>;
}>;

export type RenewalOptions = Readonly<{
  bus: Bus;
  now: () => number;
  setTimer: SetTimer;
  grant: Grant;
  /** When to stop renewing and give the lane back, as `now` counts. */
  ceilingAt: number;
  onLost: () => void;
}>;

const retryMillisecondsMax = 3_000;
/** Timers overflow at 25 days, and a foreign bus may grant more. */
const timerMillisecondsMax = 3_600_000;

/** Renews at a third of the lease, so that two attempts may fail before it runs out. */
export function createRenewal({ bus, now, setTimer, grant, ceilingAt, onLost }: RenewalOptions): Renewal {
  const { lane, owner } = grant;
  let lease: Lease;
  let cancelTimer = () => {};
  renewed(grant);

  function renewed(next: Grant, since = now()): void {
    lease = toLease(next, since);
    renewIn(Math.min(since + lease.milliseconds / 3 - now(), timerMillisecondsMax));
  }

  function renewIn(milliseconds: number): void {
    cancelTimer();
    cancelTimer = setTimer(() => void renew(lease), Math.max(0, Math.min(milliseconds, ceilingAt - now())));
  }

  /** A lease that is no longer the current one was overtaken, and what becomes of its renewal says nothing. */
  async function renew(current: Lease): Promise<void> {
    if (now() >= ceilingAt) return letGo();
    const asked = { lane, owner, lease_s: current.seconds, fence: current.fence };
    // No bus answers in time for a lease that is over: a loss must not hide behind a call that hangs.
    const askedAt = now();
    const end = new AbortController();
    const cancelEnd = setTimer(() => end.abort(), Math.min(current.endsAt - askedAt, timerMillisecondsMax));
    try {
      const answer = await bus.heartbeatLane(asked, { signal: end.signal });
      // The answer may have come late, over a machine that slept: the lease began before it.
      if (lease === current) renewed(toGrant(asked, answer), askedAt);
    } catch (error) {
      if (lease !== current) return;
      if (isConflict(error) || now() >= current.endsAt) onLost();
      else renewIn(toRetryMilliseconds(current, now()));
    } finally {
      cancelEnd();
    }
  }

  /** The agent hears of it as of a loss, for it may still be at work. */
  async function letGo(): Promise<void> {
    onLost();
    await release();
  }

  async function release(): Promise<void> {
    try {
      await bus.releaseLane({ lane, owner, fence: lease.fence });
    } catch {
      return;
    }
  }

  function stop(): void {
    cancelTimer();
    lease = { ...lease };
  }

  return {
    owner,
    renewed: (next) => renewed(next),
    stop,
    release,
    resume: () => renewIn(toRetryMilliseconds(lease, now())),
  };
}

/** Reads a grant out of an answer, which a foreign bus may have left half empty. */
export function toGrant(
  asked: Readonly<{ lane: string; owner: string; lease_s: number }>,
  answer: Readonly<{ lease_s?: unknown; lane?: unknown }>,
): Grant {
  const leaseSeconds =
    typeof answer.lease_s === 'number' && answer.lease_s > 0 ? answer.lease_s : asked.lease_s;
  const fence = (answer.lane as { fence?: unknown } | null | undefined)?.fence;
  return {
    lane: asked.lane,
    owner: asked.owner,
    leaseSeconds,
    fence: typeof fence === 'number' ? fence : undefined,
  };
}

type Lease = Readonly<{ seconds: number; milliseconds: number; endsAt: number; fence: number | undefined }>;

function toLease({ leaseSeconds, fence }: Grant, now: number): Lease {
  const milliseconds = leaseSeconds * 1000;
  return { seconds: leaseSeconds, milliseconds, endsAt: now + milliseconds, fence };
}

/** Soon, but never past the end of the lease: at that moment it is known to be lost. */
function toRetryMilliseconds(lease: Lease, now: number): number {
  return Math.max(0, Math.min(retryMillisecondsMax, lease.milliseconds / 10, lease.endsAt - now));
}

/** The bus says that another holds the lane, or nobody. Older buses say so by the status alone. */
function isConflict(error: unknown): boolean {
  return error instanceof BusError && error.status === 409;
}
