import type { Bus, Output } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import { isPassing } from './failure.ts';
import { pause, type Timers, toBackOffMilliseconds } from './timers.ts';

/** What is claimed, by whom, for how long. */
export type LaneClaim = Readonly<{ lane: string; owner: string; lease_s: number }>;

/**
 * Waits in the queue of the lane until it is granted. The bus serves in the order of arrival, so each call waits as
 * long as the bus allows: whoever asks again stands at the end of the queue.
 *
 * Rejects with the refusal of the bus when the time is over.
 */
export async function waitForLane(
  asked: Readonly<{
    bus: Bus;
    claim: LaneClaim;
    /** Absent: for ever. */
    waitSeconds: number | undefined;
    timers: Timers;
    signal: AbortSignal;
    remark(sentence: string): void;
  }>,
): Promise<Output<'claimLane'>> {
  const { bus, claim, remark, signal, timers, waitSeconds = Number.POSITIVE_INFINITY } = asked;
  const deadline = timers.now() + waitSeconds * 1000;
  let wait_s = 0;
  let hasAnswered = false;
  let failures = 0;
  for (;;) {
    signal.throwIfAborted();
    const askedAt = timers.now();
    try {
      return await bus.claimLane({ ...claim, wait_s }, { signal });
    } catch (error) {
      const isHeld = error instanceof BusError && error.status === 409;
      if (signal.aborted || !(isHeld || (hasAnswered && isPassing(error)))) throw error;
      if (timers.now() >= deadline) throw error;
      if (isHeld && !hasAnswered) remark(toWaitingSentence(claim, error));
      if (!isHeld && failures === 0) remark(`${error.message} (trying again until it is back)`);
      const breakMilliseconds = isHeld
        ? toBreakMilliseconds(wait_s, timers.now() - askedAt)
        : toBackOffMilliseconds(failures);
      const milliseconds = Math.min(breakMilliseconds, deadline - timers.now());
      if (milliseconds > 0) await pause({ milliseconds, timers, signal });
      failures = isHeld ? 0 : failures + 1;
      hasAnswered = true;
    }
    wait_s = Math.max(0, Math.min(limits.waitSecondsMax, (deadline - timers.now()) / 1000));
  }
}

/** A bus that does not know how to wait refuses at once: it must not be asked without a break. */
function toBreakMilliseconds(wait_s: number, waitedMilliseconds: number): number {
  return wait_s > 0 && waitedMilliseconds < Math.min(1, wait_s) * 500 ? 1000 : 0;
}

function toWaitingSentence({ lane, owner }: LaneClaim, { data, detail }: BusError): string {
  return typeof data?.owner === 'string'
    ? `lane '${lane}' is held by '${data.owner}': waiting for it as '${owner}'`
    : `${detail} (waiting for it as '${owner}')`;
}
