import { type BusError, toBusError } from '../contract/errors.ts';

/** Limits who may wait at the same time. Whoever takes a seat must give it back. */
export type Seats = Readonly<{
  take: (owner?: string) => Readonly<{ leave: () => void }> | Readonly<{ refusal: BusError }>;
  /** How many seats are taken. */
  count: () => number;
}>;

/** How soon somebody who waits now may be gone. */
const retryAfterSeconds = 5;

/** A number of seats in total, and a number per owner, because every waiter takes memory for as long as it likes. */
export function createSeats({
  what,
  seatsMax,
  perOwnerMax = seatsMax,
}: Readonly<{ what: string; seatsMax: number; perOwnerMax?: number }>): Seats {
  const taken = new Map<string, number>();
  let count = 0;

  function take(owner = '') {
    const own = taken.get(owner) ?? 0;
    if (own >= perOwnerMax) return { refusal: toTooMany(`${own} ${what} of '${owner}'`, perOwnerMax) };
    if (count >= seatsMax) return { refusal: toTooMany(`${count} ${what}`, seatsMax) };
    taken.set(owner, own + 1);
    count += 1;
    return { leave: () => leave(owner) };
  }

  function leave(owner: string): void {
    const left = (taken.get(owner) ?? 0) - 1;
    if (left > 0) taken.set(owner, left);
    else taken.delete(owner);
    count -= 1;
  }

  return { take, count: () => count };
}

/** The refusal for one more than the limit allows. */
export function toTooMany(
  there: string,
  limit: number,
  remedy = `ask without wait_s, or again in ${retryAfterSeconds} s`,
): BusError {
  const detail = `there are ${there} already, as many as the bus takes: ${remedy}`;
  return toBusError('too_many', detail, { limit, retry_after_s: retryAfterSeconds });
}
