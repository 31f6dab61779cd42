import type { Output } from '../contract/contract.ts';
import { isRefusal } from '../contract/errors.ts';
import type { EventRow } from '../store/rows.ts';
import { toGrant } from './answers.ts';
import type { EngineParts } from './bus.ts';
import { type Claim, takeClaim } from './claims.ts';
import type { LaneTurns } from './lane-turns.ts';
import { decideRelease, type HeldRow } from './lanes.ts';

/**
 * A claim that waits: refused but queued, then served by the turn that frees the lane or finds its lease run out. A
 * caller that goes away, or whose time is over, gives up its place.
 */
export async function claimWithPatience({
  parts,
  turns,
  claim,
  waitSeconds,
  signal,
}: Readonly<{
  parts: EngineParts;
  turns: LaneTurns;
  claim: Claim;
  waitSeconds: number;
  signal: AbortSignal | undefined;
}>): Promise<Output<'claimLane'>> {
  const { store, waiting, leases, nextTicket } = parts;
  const ticket = nextTicket();
  const until = store.clock.now() + waitSeconds * 1000;
  const bell = waiting.onTicket(ticket);
  try {
    return await takeClaim(turns, claim, ticket);
  } catch (refusal) {
    if (!isRefusal(refusal, 'lane_held')) throw refusal;
    leases.watch(claim.lane);
    const interruption = await toInterruption(bell.rung(until, signal));
    const served = bell.served() ?? (await leaveQueue(turns, claim.lane, ticket, bell.served));
    if (interruption) {
      if (served) await giveBack(turns, claim, served);
      throw interruption.reason;
    }
    // Nobody served it in time: the refusal says who holds the lane now.
    return served ? toServedAnswer(served) : takeClaim(turns, claim);
  } finally {
    bell.leave();
  }
}

/** What ended the wait early: the caller went away, or the bus is shutting down. */
async function toInterruption(rung: Promise<unknown>): Promise<{ reason: unknown } | undefined> {
  try {
    await rung;
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

/** Gives up the place; when the lane was handed over in this very moment, says how. */
async function leaveQueue(
  turns: LaneTurns,
  lane: string,
  ticket: string,
  served: () => EventRow | undefined,
): Promise<EventRow | undefined> {
  await turns.take({
    lane,
    decide: ({ queue }) => ({
      answer: undefined,
      queue: queue.filter((waiter) => waiter.ticket !== ticket),
    }),
  });
  return served();
}

/** It was served as it went away: nobody would know that it holds the lane, so it holds it no longer. */
async function giveBack(turns: LaneTurns, { lane, owner }: Claim, served: EventRow): Promise<void> {
  const request = { owner, fence: served.detail?.fence };
  await turns.take({
    lane,
    decide: (state, now) => {
      const decided = decideRelease(state, request, now);
      if ('refused' in decided || decided.decision === 'free') return { answer: undefined };
      return { answer: undefined, lane: decided.row, events: [decided.event] };
    },
  });
}

function toServedAnswer({ kind, ts, lane = '', detail }: EventRow): Output<'claimLane'> {
  const { owner = '', fence = 0, leaseSeconds = 0, expiresAt = ts } = detail ?? {};
  const row: HeldRow = {
    lane,
    fence,
    hold: { owner, leaseSeconds, expiresAt, claimedAt: ts, heartbeatAt: ts },
  };
  return toGrant(kind === 'lane_stolen' ? 'steal' : 'claim', row, ts);
}
