import type { Bus } from '../contract/contract.ts';
import type { Use } from './use.ts';

/** Everything that keeps a bus from exiting, at one moment. Times are in milliseconds. */
export type Occupation = Readonly<{
  now: number;
  lastUsedAt: number;
  callsInFlight: number;
  /** When the last unreleased lease ends or ended. */
  leaseEndsAt: number;
  idleMilliseconds: number;
}>;

/**
 * Whether a bus that a client started may exit now, or else when to check again. It may exit when there was neither
 * a call nor a lease for the whole idle time.
 */
export function decideIdle(occupation: Occupation): 'leave' | Readonly<{ checkAgainMilliseconds: number }> {
  const { now, lastUsedAt, callsInFlight, leaseEndsAt, idleMilliseconds } = occupation;
  if (callsInFlight > 0) return { checkAgainMilliseconds: Math.min(idleMilliseconds, 60_000) };
  const left = Math.max(lastUsedAt, leaseEndsAt) + idleMilliseconds - now;
  return left <= 0 ? 'leave' : { checkAgainMilliseconds: left };
}

export type IdleOptions = Readonly<{
  bus: Bus;
  use: Pick<Use, 'callsInFlight' | 'lastUsedAt'>;
  idleSeconds: number;
  now: () => number;
  setTimer: (callback: () => void, milliseconds: number) => void;
}>;

const checkAgainMillisecondsMax = 3_600_000;

/** Resolves when the bus has been idle long enough. The checks themselves do not count as use. */
export function untilIdle({ bus, use, idleSeconds, now, setTimer }: IdleOptions): Promise<void> {
  const idleMilliseconds = idleSeconds * 1000;
  return new Promise((resolve) => {
    async function check(): Promise<void> {
      const leaseMilliseconds = await untilLastLeaseEnds(bus).catch(() => checkAgainMillisecondsMax);
      const decision = decideIdle({
        now: now(),
        lastUsedAt: use.lastUsedAt(),
        callsInFlight: use.callsInFlight(),
        leaseEndsAt: now() + leaseMilliseconds,
        idleMilliseconds,
      });
      if (decision === 'leave') resolve();
      else setTimer(check, Math.min(decision.checkAgainMilliseconds, checkAgainMillisecondsMax));
    }
    setTimer(check, Math.min(idleMilliseconds, checkAgainMillisecondsMax));
  });
}

/** Negative when it has already ended. A lease that began and expired between two checks counts too. */
async function untilLastLeaseEnds(bus: Bus): Promise<number> {
  const { active_lanes, orphaned_claims, _meta: meta } = await bus.getBusStatus({});
  const ends = [...active_lanes, ...orphaned_claims].map(({ expires_at }) => Date.parse(expires_at));
  return Math.max(...ends) - Date.parse(meta.ts);
}
