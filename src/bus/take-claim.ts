import type { Output } from '../contract/contract.ts';
import type { Repeat, Waiter } from '../store/rows.ts';
import { toGrant } from './answers.ts';
import type { HeldLanes } from './held-lanes.ts';
import type { LaneOutcome, LaneTurns } from './lane-turns.ts';
import { decideClaim, type LaneState } from './lanes.ts';
import { isBlocked, toLaneRefusal } from './refusals.ts';
import { isSameRequest } from './repeats.ts';
import type { Waiting } from './waiting.ts';

export type Claim = Readonly<{
  lane: string;
  owner: string;
  leaseSeconds: number;
  note: string | undefined;
  paths: readonly string[] | undefined;
  repeat: Repeat | undefined;
}>;

export type Registry = Readonly<{ turns: LaneTurns; heldLanes: HeldLanes; waiting: Waiting }>;

/** With a ticket, a refused claim joins the queue: at the end, or at the place its key had before. */
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
      hasScopes: claim.paths !== undefined,
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
    // Only one call of a request may wait. If both did, the lane could be granted to a call that nobody listens to.
    if (earlier && isBlocked(refusal)) waiting.refuse(earlier.ticket, refusal);
    throw refusal;
  }
}

/** A repeat takes over the place of the earlier call, and its start time. */
function toQueueWith(
  { ticket, lane, owner, leaseSeconds, note, paths = [], repeat }: Claim & Readonly<{ ticket: string }>,
  { state, earlier, now }: Readonly<{ state: LaneState; earlier: Waiter | undefined; now: number }>,
): readonly Waiter[] {
  const work = { ...(note !== undefined && { note }), ...(paths.length > 0 && { paths }) };
  const waiter: Waiter = { ticket, lane, owner, since: earlier?.since ?? now, leaseSeconds, ...work, repeat };
  if (!earlier) return [...state.queue, waiter];
  return state.queue.map((other) => (other === earlier ? waiter : other));
}
