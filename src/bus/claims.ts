import type { Call, Output, ParsedInput } from '../contract/contract.ts';
import { isRefusal } from '../contract/errors.ts';
import type { Repeat, Waiter } from '../store/rows.ts';
import { toGrant } from './answers.ts';
import type { EngineParts, Handlers } from './bus.ts';
import type { HeldLanes } from './held-lanes.ts';
import { createLaneTurns, type LaneOutcome, type LaneTurns } from './lane-turns.ts';
import { decideClaim, decideHeartbeat, decideRelease, fenceOf, type LaneState } from './lanes.ts';
import { claimWithPatience } from './patience.ts';
import { toLaneRefusal } from './refusals.ts';
import { isSameRequest, toRepeat } from './repeats.ts';
import type { Waiting } from './waiting.ts';

/** The registry of lanes, as far as it changes: claims, heartbeats, releases. */
export function createClaimHandlers(
  parts: EngineParts,
): Pick<Handlers, 'claimLane' | 'heartbeatLane' | 'releaseLane'> {
  const { store, waiting, leases, heldLanes, settings } = parts;
  const turns = createLaneTurns(store, leases);
  const registry: Registry = { turns, heldLanes, waiting };
  const toLeaseSeconds = (asked: number) => Math.min(asked, settings.leaseSecondsMax);

  function claimLane(input: ParsedInput<'claimLane'>, call: Call): Promise<Output<'claimLane'>> {
    const claim: Claim = {
      lane: input.lane,
      owner: input.owner,
      leaseSeconds: toLeaseSeconds(input.lease_s),
      repeat: toRepeat('claimLane', input, call.idempotencyKey),
    };
    if (input.wait_s === 0) return takeClaim(registry, claim);
    return claimWithPatience({ parts, registry, claim, waitSeconds: input.wait_s, signal: call.signal });
  }

  function heartbeatLane(input: ParsedInput<'heartbeatLane'>, call: Call): Promise<Output<'heartbeatLane'>> {
    const { lane, owner, fence } = input;
    const request = { owner, fence, leaseSeconds: toLeaseSeconds(input.lease_s) };
    return turns.take<Output<'heartbeatLane'>>({
      lane,
      repeat: toRepeat('heartbeatLane', input, call.idempotencyKey),
      decide: (state, now) => {
        const decided = decideHeartbeat(state, request, now);
        if ('refused' in decided) return { refusal: toLaneRefusal(decided, 'heartbeat', owner) };
        return { answer: toGrant('heartbeat', decided.row, now), lane: decided.row };
      },
    });
  }

  function releaseLane(input: ParsedInput<'releaseLane'>, call: Call): Promise<Output<'releaseLane'>> {
    return turns.take({
      lane: input.lane,
      repeat: toRepeat('releaseLane', input, call.idempotencyKey),
      decide: (state, now) => decideReleaseTurn(state, input, now),
    });
  }

  return { claimLane, heartbeatLane, releaseLane };
}

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

function decideReleaseTurn(
  state: LaneState,
  request: Readonly<{ owner: string; fence?: number | undefined }>,
  now: number,
): LaneOutcome<Output<'releaseLane'>> {
  const { lane, row } = state;
  const decided = decideRelease(state, request, now);
  if ('refused' in decided) return { refusal: toLaneRefusal(decided, 'release', request.owner) };
  const { decision } = decided;
  const fence = fenceOf(row);
  if (decision === 'free') return { answer: { ok: true, decision, lane, fence } };
  const answer = { ok: true as const, decision, lane, owner: row?.hold?.owner, fence };
  return { answer, lane: decided.row, events: [decided.event] };
}
