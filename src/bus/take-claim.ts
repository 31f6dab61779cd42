import type { Output } from '../contract/contract.ts';
import { isRefusal } from '../contract/errors.ts';
import type { Repeat, Waiter } from '../store/rows.ts';
import { toGrant } from './answers.ts';
import type { HeldLanes } from './held-lanes.ts';
import type { LaneOutcome, LaneTurns } from './lane-turns.ts';
import { decideClaim, type LaneState } from './lanes.ts';
import { toLaneRefusal } from './refusals.ts';
import { isSameRequest } from './repeats.ts';
import type { Waiting } from './waiting.ts';

export type Claim = Readonly<{
  lane: string;
  owner: string;
  leaseSeconds: number;
  repeat: Repeat | undefined;
}>;

export type Registry = Readonly<{ turns: LaneTurns; heldLanes: HeldLanes; waiting: Waiting }>;

/** With a ticket, a refused claim stands in the queue afterwards: at the end, or where it stood under its key before. */
export async function takeClaim(
  { turns, heldLanes, waiting }: Registry,
  claim: Claim,
  ticket?: string,
): Promise<Output<'claimLane'>> {
  const { lane, repeat } = claim;
  let earlier: Waiter | undefined;
  try {
    return await turns.take({
      lane,
      repeat,
      decide: (state, now): LaneOutcome<Output<'claimLane'>> => {
        const isFull = state.row?.hold ? undefined : heldLanes.refusal();
        if (isFull) return { refusal: isFull };
        const decided = decideClaim(state, claim, now);
        if ('refused' in decided) {
          const refusal = toLaneRefusal(decided, 'claim', claim.owner);
          if (ticket === undefined) return { refusal };
          earlier = state.queue.find((waiter) => isSameRequest(waiter.repeat, repeat));
          return { refusal, queue: toQueueWith({ ...claim, ticket }, { state, earlier, now }) };
        }
        const { decision, row, event } = decided;
        return { answer: toGrant(decision, row, now), lane: row, events: event ? [event] : [] };
      },
    });
  } catch (refusal) {
    // Of one request only one call can wait: the other would hold the lane without anybody there.
    if (earlier && isRefusal(refusal, 'lane_held')) waiting.refuse(earlier.ticket, refusal);
    throw refusal;
  }
}

/** A repeat takes the place of the call before it, and has waited since that one came. */
function toQueueWith(
  { ticket, lane, owner, leaseSeconds, repeat }: Claim & Readonly<{ ticket: string }>,
  { state, earlier, now }: Readonly<{ state: LaneState; earlier: Waiter | undefined; now: number }>,
): readonly Waiter[] {
  const waiter: Waiter = { ticket, lane, owner, since: earlier?.since ?? now, leaseSeconds, repeat };
  if (!earlier) return [...state.queue, waiter];
  return state.queue.map((other) => (other === earlier ? waiter : other));
}
