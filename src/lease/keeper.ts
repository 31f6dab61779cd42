import type { Bus } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';
import type { AwakeTimers } from './awake.ts';
import { type Grant, toGrant } from './grant.ts';

/** Keeps one lease alive. */
export type LeaseKeeper = Readonly<{
  /** The latest grant from the bus. */
  grant(): Grant;
  /** Call it when a call outside the keeper renewed the lease. */
  renewed(grant: Grant): void;
  /** Stops renewing until `resume`. The response to a renewal in progress is ignored. */
  rest(): void;
  /** Soon asks the bus whether the lease still exists, and continues renewing. */
  resume(): void;
  /** Stops renewing for good. */
  stop(): void;
}>;

export type LeaseKeeperOptions = Readonly<{
  bus: Pick<Bus, 'heartbeatLane'>;
  timers: AwakeTimers;
  grant: Grant;
  /** Starts without renewing, until `resume`: for a grant that perhaps nobody heard of. */
  isResting?: boolean;
  /** The bus is on this machine. While it does not respond, it serves nobody else either. */
  isBusHere?: boolean;
  /** The lease is lost and the keeper has stopped. */
  onLost(reason: string): void;
  /** Called for the first of several failed renewals in a row. */
  onTrouble?(reason: string): void;
}>;

const retryMillisecondsMax = 3_000;

/**
 * Keeps a lease alive by renewing it. It renews after a third of the lease, so that two attempts may fail before the
 * lease expires.
 *
 * The difficult question is who decides that a lease is lost. The answer: the bus, whenever it can be reached. A
 * keeper that has slept cannot know. Its lease may have expired, or the bus may have slept too and granted everybody
 * more time. So it asks once, right away, and believes the response.
 *
 * The keeper's own clock decides in one case only: it was awake the whole time, it kept asking a bus on another
 * machine, and nobody responded until the lease was over. That bus may have been serving others all along, and one
 * of them may hold the lane now, so the lease must count as lost.
 *
 * A bus on this machine is different. While it does not respond, it serves nobody, and when it goes on it gives
 * holders more time. So the keeper asks until it gets a response.
 */
export function keepLease(options: LeaseKeeperOptions): LeaseKeeper {
  const { bus, timers, isBusHere = false, onLost, onTrouble } = options;
  let grant = options.grant;
  let endsAt = 0;
  /** A new object for each lease that began. A response to a renewal of an earlier lease no longer counts. */
  let current = {};
  let isResting = options.isResting ?? false;
  let isAsking = false;
  let isFailing = false;
  let cancelTimer = () => {};
  const forgetWake = timers.onWake(() => {
    if (!isResting && !isAsking) renewIn(0);
  });
  begin(options.grant, timers.now() - toMillisecondsGone(options.grant));

  function begin(next: Grant, since: number): void {
    grant = next;
    current = {};
    isAsking = false;
    isFailing = false;
    const milliseconds = next.leaseSeconds * 1000;
    endsAt = since + milliseconds;
    if (!isResting) renewIn(since + milliseconds / 3 - timers.now());
  }

  function renewIn(milliseconds: number): void {
    cancelTimer();
    cancelTimer = timers.after(Math.max(0, milliseconds), () => void renew(current));
  }

  async function renew(asked: object): Promise<void> {
    const { lane, owner, leaseSeconds: lease_s, fence } = grant;
    const askedAt = timers.now();
    // Aborts a renewal that is still waiting when the lease is over, so that a hanging call does not hide the loss.
    const overdue = new AbortController();
    const cancelDeadline = isBusHere ? () => {} : timers.after(endsAt - askedAt, () => overdue.abort());
    isAsking = true;
    try {
      const answer = await bus.heartbeatLane({ lane, owner, lease_s, fence }, { signal: overdue.signal });
      // The lease began before its response arrived. Counting from the time of the call never makes it too long.
      if (asked === current) begin(toGrant({ lane, owner, lease_s }, answer), askedAt);
    } catch (error) {
      if (asked === current) fail(error);
    } finally {
      cancelDeadline();
    }
  }

  function fail(error: unknown): void {
    isAsking = false;
    const reason = error instanceof Error ? error.message : String(error);
    const left = endsAt - timers.now();
    if (isRefused(error)) lose(reason);
    else if (left <= 0 && !isBusHere) lose('it could not be renewed before the lease ran out');
    else {
      if (!isFailing) onTrouble?.(reason);
      isFailing = true;
      renewIn(toRetryMilliseconds());
    }
  }

  function lose(reason: string): void {
    stop();
    onLost(reason);
  }

  function rest(): void {
    isResting = true;
    current = {};
    isAsking = false;
    cancelTimer();
  }

  function resume(): void {
    isResting = false;
    const left = endsAt - timers.now();
    // While it was resting it asked nobody, so its own clock proves nothing. Give the bus time to respond.
    endsAt = Math.max(endsAt, timers.now() + (grant.leaseSeconds * 1000) / 3);
    renewIn(left > 0 ? toRetryMilliseconds() : 0);
  }

  /** Retry soon, and once more when the lease ends. */
  function toRetryMilliseconds(): number {
    const soon = Math.min(retryMillisecondsMax, grant.leaseSeconds * 100);
    const left = endsAt - timers.now();
    return left > 0 ? Math.min(soon, left) : soon;
  }

  function stop(): void {
    rest();
    forgetWake();
  }

  return { grant: () => grant, renewed: (next) => begin(next, timers.now()), rest, resume, stop };
}

/** The response to a claim may have taken long to arrive, so it says how much of the lease is left. */
function toMillisecondsGone({ leaseSeconds, leftSeconds = leaseSeconds }: Grant): number {
  return Math.max(0, leaseSeconds - leftSeconds) * 1000;
}

/** The bus says that somebody else holds the lane, or nobody does. Older buses say so by the status alone. */
function isRefused(error: unknown): boolean {
  return error instanceof BusError && error.status === 409;
}
