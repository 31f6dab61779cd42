import type { Bus, Output } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';
import type { LaneClaim } from './lane-wait.ts';
import type { Timers } from './timers.ts';

/** A lease that is renewed until it is stopped, or lost. */
export type Renewal = Readonly<{ stop(): void }>;

/**
 * Renews the lease at a third of it, and tells once when it is lost: because the bus says so, or because the lease
 * has run out before any renewal got through. A bus that is away for a moment costs nothing.
 */
export function startRenewal(
  asked: Readonly<{
    bus: Bus;
    claim: LaneClaim;
    grant: Output<'claimLane'>;
    timers: Timers;
    remark(sentence: string): void;
    lose(reason: string): void;
  }>,
): Renewal {
  const { bus, claim, grant, timers } = asked;
  const { fence } = grant.lane;
  const stopped = new AbortController();
  let leaseMilliseconds = toLeaseMilliseconds(grant);
  // The answer may have come long after the question, so what counts is what it says is left.
  let endsAt = timers.now() + (grant.lane.expires_in_s * 1000 || leaseMilliseconds);
  let isFailing = false;
  let cancelRenewal = timers.after(leaseMilliseconds / 3, renew);
  let cancelEnd = timers.after(endsAt - timers.now(), end);
  return { stop };

  function stop() {
    stopped.abort();
    cancelRenewal();
    cancelEnd();
  }

  async function renew() {
    const askedAt = timers.now();
    try {
      const answer = await bus.heartbeatLane({ ...claim, fence }, { signal: stopped.signal });
      if (stopped.signal.aborted) return;
      isFailing = false;
      leaseMilliseconds = toLeaseMilliseconds(answer);
      endsAt = askedAt + leaseMilliseconds;
      cancelEnd();
      cancelEnd = timers.after(endsAt - timers.now(), end);
      cancelRenewal = timers.after(askedAt + leaseMilliseconds / 3 - timers.now(), renew);
    } catch (error) {
      if (stopped.signal.aborted) return;
      fail(error);
    }
  }

  /** A bus that does not say what it granted is taken to have granted what was asked. */
  function toLeaseMilliseconds({ lease_s }: Output<'heartbeatLane'>): number {
    return (lease_s > 0 ? lease_s : claim.lease_s) * 1000;
  }

  function fail(error: unknown) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof BusError && error.status === 409) return lose(reason);
    if (!isFailing) asked.remark(`could not renew lane '${claim.lane}': ${reason} (trying again)`);
    isFailing = true;
    cancelRenewal = timers.after(Math.min(2000, leaseMilliseconds / 10), renew);
  }

  /** Timers of very long leases fire early. */
  function end() {
    const left = endsAt - timers.now();
    if (left > 0) cancelEnd = timers.after(left, end);
    else lose('it could not be renewed before the lease ran out');
  }

  function lose(reason: string) {
    stop();
    asked.lose(reason);
  }
}
