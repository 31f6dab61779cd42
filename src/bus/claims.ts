import type { Call, Output, ParsedInput } from '../contract/contract.ts';
import { toGrant } from './answers.ts';
import { createLaneTurns, type LaneOutcome } from './lane-turns.ts';
import { decideHeartbeat, decideRelease, fenceOf, type LaneState } from './lanes.ts';
import type { EngineParts, Handlers } from './parts.ts';
import { toLaneRefusal } from './refusals.ts';
import { toRepeat } from './repeats.ts';
import { type Claim, type Registry, takeClaim } from './take-claim.ts';
import { claimAndWait } from './waiting-claim.ts';

/** The operations that change lanes: claims, heartbeats, releases. */
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
      note: input.note,
      paths: input.paths,
      repeat: toRepeat('claimLane', input, call.idempotencyKey),
    };
    if (input.wait_s === 0) return takeClaim(registry, claim);
    return claimAndWait({ parts, registry, claim, waitSeconds: input.wait_s, signal: call.signal });
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
