import type { Output } from '../contract/contract.ts';
import { type BusError, isRefusal } from '../contract/errors.ts';
import type { AnswerRow, EventRow } from '../store/rows.ts';
import { toGrant } from './answers.ts';
import type { LaneTurns } from './lane-turns.ts';
import { decideRelease, type HeldRow } from './lanes.ts';
import type { EngineParts } from './parts.ts';
import { toAnswerRow } from './repeats.ts';
import { type Claim, type Registry, takeClaim } from './take-claim.ts';

/**
 * A claim that waits: refused but queued, then served by the turn that frees the lane or finds its lease run out. A
 * caller that goes away, or whose time is over, gives up its place; one that asks again under the same key takes it
 * along.
 */
export async function claimWithPatience({
  parts,
  registry,
  claim,
  waitSeconds,
  signal,
}: Readonly<{
  parts: EngineParts;
  registry: Registry;
  claim: Claim;
  waitSeconds: number;
  signal: AbortSignal | undefined;
}>): Promise<Output<'claimLane'>> {
  const { store, waiting, leases, seats, nextTicket } = parts;
  const seat = seats.waiters.take(claim.owner);
  if ('refusal' in seat) return claimWithoutSeat(registry, claim, seat.refusal);
  const ticket = nextTicket();
  const until = store.clock.now() + waitSeconds * 1000;
  const bell = waiting.onTicket(ticket);
  const place: Place = { parts, turns: registry.turns, claim, ticket, served: bell.served };
  let leaving: Promise<void> | undefined;
  const end = () => {
    bell.leave();
    seat.leave();
  };
  try {
    return await takeClaim(registry, claim, ticket);
  } catch (refusal) {
    if (!isRefusal(refusal, 'lane_held')) throw refusal;
    leases.watch(claim.lane);
    const interruption = await toInterruption(bell.rung(until, signal));
    if (interruption) {
      leaving = giveUp(place);
      await leaving;
      throw interruption.reason;
    }
    if (!bell.served()) await leaveQueue(place).catch(leaveLater);
    const served = bell.served();
    // Nobody served it in time: the refusal says who holds the lane now.
    return served ? toServedAnswer(served, ticket) : await takeClaim(registry, claim);
  } finally {
    if (leaving) void leaving.then(end, end);
    else end();
  }

  function leaveLater(error: unknown): never {
    leaving = giveUp(place, { isLate: true });
    throw error;
  }
}

/** A lane that can be had at once needs no seat. */
async function claimWithoutSeat(registry: Registry, claim: Claim, refusal: BusError) {
  try {
    return await takeClaim(registry, claim);
  } catch (error) {
    throw isRefusal(error, 'lane_held') ? refusal : error;
  }
}

/** What ended the wait early: the caller went away or has asked again, or the bus is shutting down. */
async function toInterruption(rung: Promise<unknown>): Promise<{ reason: unknown } | undefined> {
  try {
    await rung;
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

/** A place in the queue of a lane, or what came of it. */
type Place = Readonly<{
  parts: EngineParts;
  turns: LaneTurns;
  claim: Claim;
  ticket: string;
  served: () => EventRow | undefined;
}>;

/** After a store that cannot take it, the next attempt. */
const retryMilliseconds = 1_000;

/**
 * Gives up the place, and the lane if it was just handed over. Else it would go to somebody who is not there. Not when
 * it comes late: a repeat of the claim may have been told of the grant meanwhile, at another process perhaps.
 */
async function giveUp(place: Place, { isLate = false } = {}): Promise<void> {
  const { store, waiting } = place.parts;
  const mayBeRepeated = place.claim.repeat !== undefined;
  let isTooLate = isLate && mayBeRepeated;
  for (;;) {
    try {
      if (!place.served()) await leaveQueue(place);
      const served = place.served();
      if (served && !isTooLate && isOnlyFor(place, served)) await giveBack(place, served);
      return;
    } catch (error) {
      if (!isRefusal(error, 'unavailable') || waiting.isClosed()) throw error;
      isTooLate = mayBeRepeated;
      await new Promise<void>((resolve) => {
        store.clock.schedule(store.clock.now() + retryMilliseconds, resolve);
      });
    }
  }
}

/** Where another call of this owner was served, or this one's repeat, that one has the lane. */
function isOnlyFor({ ticket }: Place, { detail }: EventRow): boolean {
  return detail?.ticket === ticket && !detail.isAnswered;
}

function leaveQueue({ turns, claim, ticket }: Place): Promise<void> {
  return turns.take({
    lane: claim.lane,
    isOwed: true,
    decide: ({ queue }) => ({
      answer: undefined,
      queue: queue.filter((waiter) => waiter.ticket !== ticket),
    }),
  });
}

/** It was served as it went away: nobody would know that it holds the lane, so it holds it no longer. */
function giveBack({ turns, claim }: Place, served: EventRow): Promise<void> {
  const request = { owner: claim.owner, fence: served.detail?.fence };
  return turns.take({
    lane: claim.lane,
    isOwed: true,
    decide: (state, now) => {
      const decided = decideRelease(state, request, now);
      if ('refused' in decided || decided.decision === 'free') return { answer: undefined };
      return { answer: undefined, lane: decided.row, events: [decided.event], remembered: forgotten(now) };
    },
  });

  /** A repeat of the claim must not be told of a grant that was taken back. */
  function forgotten(now: number): readonly AnswerRow[] {
    return claim.repeat ? [{ ...toAnswerRow(claim.repeat, null, now), keptUntil: now }] : [];
  }
}

function toServedAnswer({ kind, ts, lane = '', detail }: EventRow, ticket: string): Output<'claimLane'> {
  const { owner = '', fence = 0, renewed = [] } = detail ?? {};
  const renewal = renewed.find((waiter) => waiter.ticket === ticket);
  const leaseSeconds = (renewal ?? detail)?.leaseSeconds ?? 0;
  const times = { expiresAt: ts + leaseSeconds * 1000, claimedAt: ts, heartbeatAt: ts };
  const row: HeldRow = { lane, fence, hold: { owner, leaseSeconds, ...times } };
  if (renewal) return toGrant('renew', row, ts);
  return toGrant(kind === 'lane_stolen' ? 'steal' : 'claim', row, ts);
}
