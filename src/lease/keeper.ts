import type { Bus } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';
import type { AwakeTimers } from './awake.ts';
import { type Grant, toGrant } from './grant.ts';

/** Keeps one lease alive. */
export type LeaseKeeper = Readonly<{
  /** What it keeps, as the bus granted it last. */
  grant(): Grant;
  /** Somebody else's call began the lease anew. */
  renewed(grant: Grant): void;
  /** Renews no more until it is resumed. The answer to a renewal that is under way no longer counts. */
  rest(): void;
  /** Asks the bus soon whether the lease is still there, and goes on renewing. */
  resume(): void;
  /** Renews no more, for good. */
  stop(): void;
}>;

export type LeaseKeeperOptions = Readonly<{
  bus: Pick<Bus, 'heartbeatLane'>;
  timers: AwakeTimers;
  grant: Grant;
  /** Does not renew until it is resumed: for a grant that nobody may have heard of. */
  isResting?: boolean;
  /** The bus is on this machine: while it is silent it serves nobody else either. */
  isBusHere?: boolean;
  /** The lease is lost, and the keeper has stopped. */
  onLost(reason: string): void;
  /** The first of several renewals in a row that got no answer. */
  onTrouble?(reason: string): void;
}>;

const retryMillisecondsMax = 3_000;

/**
 * Renews at a third of the lease, so that two attempts may fail before it runs out.
 *
 * Who decides that a lease is lost? The bus, whenever it can be asked. A keeper that slept knows nothing: its lease may
 * have run out, or the bus may have slept beside it and granted everybody more time. So it asks once, at once, and
 * believes the answer. Its own clock decides one case only: it was awake all along, asked a bus elsewhere again and
 * again, and nobody answered until the lease was over. That bus may serve others all the time, and one of them may hold
 * the lane by then, so it must count as lost. A bus on this machine serves nobody while it is silent, and gives holders more
 * time when it goes on, so there the keeper asks until it is answered.
 */
export function keepLease(options: LeaseKeeperOptions): LeaseKeeper {
  const { bus, timers, isBusHere = false, onLost, onTrouble } = options;
  let grant = options.grant;
  let endsAt = 0;
  /** Another one for each lease that began: an answer to a renewal of an earlier one says nothing any more. */
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
    // Nobody answers in time for a lease that is over: a loss must not hide behind a call that hangs.
    const overdue = new AbortController();
    const cancelDeadline = isBusHere ? () => {} : timers.after(endsAt - askedAt, () => overdue.abort());
    isAsking = true;
    try {
      const answer = await bus.heartbeatLane({ lane, owner, lease_s, fence }, { signal: overdue.signal });
      // The lease began before its answer came, by as much as the answer took.
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
    // While it rested it asked nobody, so its own clock proves nothing: the bus gets time to answer.
    endsAt = Math.max(endsAt, timers.now() + (grant.leaseSeconds * 1000) / 3);
    renewIn(left > 0 ? toRetryMilliseconds() : 0);
  }

  /** Soon, and once more as the lease ends. */
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

/** The answer to a claim may have been on its way for long, so it says what is left. */
function toMillisecondsGone({ leaseSeconds, leftSeconds = leaseSeconds }: Grant): number {
  return Math.max(0, leaseSeconds - leftSeconds) * 1000;
}

/** The bus says that another holds the lane, or nobody. Older buses say so by the status alone. */
function isRefused(error: unknown): boolean {
  return error instanceof BusError && error.status === 409;
}
