import type { Bus, Output } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';
import { createKeyMaker } from '../contract/keys.ts';
import { limits } from '../contract/limits.ts';
import { pause, type Timers, toBackOffMilliseconds } from '../lease/timers.ts';
import { isPassing } from './failure.ts';
import { askAndStay } from './kept-place.ts';

/** What is claimed, by whom, for how long. */
export type LaneClaim = Readonly<{
  lane: string;
  owner: string;
  lease_s: number;
  paths?: readonly string[] | undefined;
  note?: string | undefined;
}>;

type Grant = Output<'claimLane'>;
type Asked = Readonly<{
  bus: Bus;
  claim: LaneClaim;
  /** Whether nobody else can hold a lane as this owner. */
  isOwnerUnique: boolean;
  /** Absent: no limit. */
  waitSeconds: number | undefined;
  timers: Timers;
  signal: AbortSignal;
  remark(sentence: string): void;
}>;

/**
 * Waits in the lane's queue until the lane is granted.
 *
 * Rejects with the refusal of the bus when the time is over. Also rejects when another run holds the lane as the
 * same owner: the bus cannot tell the two apart and would let both in.
 */
export async function waitForLane(asked: Asked): Promise<Grant> {
  const { claim, isOwnerUnique } = asked;
  if (isOwnerUnique) return waitForGrant(asked);
  // A claim would succeed at once, and would change the end of the other run's lease.
  if (await isHeldByNamesake(asked)) throw toNamesakeRefusal(claim);
  const grant = await waitForGrant(asked);
  // This cannot be our own grant with a lost response: repeated under its key, it would get its original response.
  if (grant.decision === 'renew') throw toNamesakeRefusal(claim);
  return grant;
}

/** Whether this is how the bus says that another holds the lane. */
export function isHeldRefusal(error: unknown): error is BusError {
  return error instanceof BusError && error.status === 409;
}

/** All calls use one key, so the bus treats them as one request with one place and one grant. */
async function waitForGrant(asked: Asked): Promise<Grant> {
  const { bus, claim, remark, signal, timers, waitSeconds = Number.POSITIVE_INFINITY } = asked;
  const deadline = timers.now() + waitSeconds * 1000;
  const nextKey = createKeyMaker();
  let idempotencyKey = nextKey();
  let until = timers.now();
  let hasAnswered = false;
  let failures = 0;
  for (;;) {
    signal.throwIfAborted();
    const askedAt = timers.now();
    try {
      const ask = (wait_s: number, ends: AbortSignal) =>
        bus.claimLane({ ...claim, wait_s }, { signal: ends, idempotencyKey });
      const grant = await askAndStay({ ask, until, timers, signal });
      const ours = failures === 0 ? grant : await confirm(asked, grant);
      if (ours) return ours;
      idempotencyKey = nextKey();
      failures = 0;
    } catch (error) {
      const isHeld = isHeldRefusal(error);
      if (signal.aborted || !(isHeld || (hasAnswered && isPassing(error)))) throw error;
      if (timers.now() >= deadline) throw error;
      if (isHeld && !hasAnswered) remark(toWaitingSentence(claim, error));
      if (!isHeld && failures === 0) remark(`${error.message} (trying again until it is back)`);
      const breakMilliseconds = isHeld
        ? toBreakMilliseconds({ askedAt, until, now: timers.now() })
        : toBackOffMilliseconds(failures);
      const milliseconds = Math.min(breakMilliseconds, deadline - timers.now());
      if (milliseconds > 0) await pause(milliseconds, signal, timers);
      failures = isHeld ? 0 : failures + 1;
      hasAnswered = true;
    }
    until = deadline;
  }
}

/**
 * If a response got lost, the repeated call returns an old grant that may have ended. It is ours if it can be
 * renewed.
 */
async function confirm({ bus, claim, signal }: Asked, grant: Grant): Promise<Grant | undefined> {
  try {
    const { lane, owner, lease_s } = claim;
    const renewed = await bus.heartbeatLane({ lane, owner, lease_s, fence: grant.lane.fence }, { signal });
    return { ...renewed, decision: grant.decision };
  } catch (error) {
    if (isHeldRefusal(error)) return undefined;
    throw error;
  }
}

async function isHeldByNamesake({ bus, claim, signal }: Asked): Promise<boolean> {
  try {
    const { state, lane } = await bus.getLane({ lane: claim.lane }, { signal });
    return state === 'held' && lane.owner === claim.owner;
  } catch (error) {
    // Not every bus supports this call.
    if (error instanceof BusError && error.status === 404) return false;
    throw error;
  }
}

function toNamesakeRefusal({ lane, owner }: LaneClaim): BusError {
  const detail = `lane '${lane}' is held by '${owner}' already, and two runs of one owner cannot be told apart: leave --owner out, and each waits for its turn`;
  return new BusError({ status: 409, code: 'lane_held', detail });
}

/** A bus that cannot wait refuses at once, so pause between calls. */
function toBreakMilliseconds(asked: Readonly<{ askedAt: number; until: number; now: number }>): number {
  const waitMilliseconds = Math.min(asked.until - asked.askedAt, limits.waitSecondsMax * 1000);
  const waitedMilliseconds = asked.now - asked.askedAt;
  return waitMilliseconds > 0 && waitedMilliseconds < Math.min(1000, waitMilliseconds) / 2 ? 1000 : 0;
}

function toWaitingSentence({ lane, owner }: LaneClaim, { data, detail }: BusError): string {
  return typeof data?.owner === 'string'
    ? `lane '${lane}' is held by '${data.owner}': waiting for it as '${owner}'`
    : `${detail} (waiting for it as '${owner}')`;
}
