import type { Output } from '../contract/contract.ts';
import { type BusError, isRefusal } from '../contract/errors.ts';
import type { AnswerRow, EventRow } from '../store/rows.ts';
import { toGrant } from './answers.ts';
import type { LaneTurns } from './lane-turns.ts';
import { decideRelease, type HeldRow } from './lanes.ts';
import type { EngineParts } from './parts.ts';
import { isBlocked, toBlockers } from './refusals.ts';
import { toAnswerRow } from './repeats.ts';
import { type Claim, type Registry, takeClaim } from './take-claim.ts';

/**
 * A claim that waits for a lane that somebody else holds.
 *
 * How it waits: one turn refuses the claim and puts it into the lane's queue. A later turn frees the lane or finds
 * its lease expired, and in the same step grants it to the first waiter (`decideNextHolder`). That turn may run in
 * another process. So the grant arrives here as an event that names this claim's ticket, and that event is the
 * response.
 *
 * The wait can end in three other ways. If the time runs out, the claim leaves the queue and is decided once more,
 * so that the refusal names the current holder. If the caller disconnects, the claim leaves the queue. If it was
 * granted the lane at that very moment, it releases it again, because nobody would know that they hold it. If the
 * caller repeats the request with the same idempotency key, the new call takes over the place, and this call ends
 * with the refusal that the new call got.
 */
export async function claimAndWait({
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
  let stopWatching = () => {};
  const end = () => {
    stopWatching();
    bell.leave();
    seat.leave();
  };
  try {
    return await takeClaim(registry, claim, ticket);
  } catch (refusal) {
    if (!isBlocked(refusal)) throw refusal;
    leases.watch(claim.lane);
    if (claim.paths)
      stopWatching = leases.watchBlockers(toBlockers(refusal).filter((lane) => lane !== claim.lane));
    const interruption = await toInterruption(bell.rung(until, signal));
    if (interruption) {
      leaving = giveUp(place);
      await leaving;
      throw interruption.reason;
    }
    if (!bell.served()) await leaveQueue(place).catch(leaveLater);
    const served = bell.served();
    // Nobody served it in time. The refusal names the current holder.
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

/** A claim of a free lane needs no seat, so it succeeds even when all seats are taken. */
async function claimWithoutSeat(registry: Registry, claim: Claim, refusal: BusError) {
  try {
    return await takeClaim(registry, claim);
  } catch (error) {
    throw isBlocked(error) ? refusal : error;
  }
}

/** Why the wait ended early: the caller disconnected or repeated the request, or the bus is shutting down. */
async function toInterruption(rung: Promise<unknown>): Promise<{ reason: unknown } | undefined> {
  try {
    await rung;
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

/** A place in a lane's queue, or its outcome. */
type Place = Readonly<{
  parts: EngineParts;
  turns: LaneTurns;
  claim: Claim;
  ticket: string;
  served: () => EventRow | undefined;
}>;

/** How long to wait before the next attempt when the store could not take one. */
const retryMilliseconds = 1_000;

/**
 * Leaves the queue, and releases the lane if it was just granted. Keeps trying until the store accepts it: a place
 * left in the queue would get the lane for a caller who is gone.
 *
 * But a late attempt must not release the lane. Between the caller's disconnect and a late attempt, a repeat of the
 * claim, perhaps in another process, may have received this very grant. Its caller would lose the lane right after
 * being told that it has it.
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

/** Whether nobody else heard of the grant: no other call of the same owner, and no repeat of this one. */
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

/** The grant came while the caller was disconnecting. Nobody knows that they hold the lane, so free it again. */
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

  /** Makes the stored response to this claim expire at once: a repeat must not hear of a grant that was released. */
  function forgotten(now: number): readonly AnswerRow[] {
    return claim.repeat ? [{ ...toAnswerRow(claim.repeat, null, now), keptUntil: now }] : [];
  }
}

function toServedAnswer({ kind, ts, lane = '', detail }: EventRow, ticket: string): Output<'claimLane'> {
  const { owner = '', fence = 0, renewed = [], previous } = detail ?? {};
  const work = {
    ...(detail?.note !== undefined && { note: detail.note }),
    ...(detail?.paths !== undefined && { paths: detail.paths }),
  };
  const renewal = renewed.find((waiter) => waiter.ticket === ticket);
  const leaseSeconds = (renewal ?? detail)?.leaseSeconds ?? 0;
  const times = { expiresAt: ts + leaseSeconds * 1000, claimedAt: ts, heartbeatAt: ts };
  const row: HeldRow = { lane, fence, hold: { owner, leaseSeconds, ...times, ...work }, previous };
  if (renewal || kind === 'lane_changed') return toGrant('renew', row, ts);
  return toGrant(kind === 'lane_stolen' ? 'steal' : 'claim', row, ts);
}
