import type { Bus } from '../contract/contract.ts';
import type { Use } from './use.ts';

/** Everything that keeps a bus from leaving, as it stands at one moment; times in milliseconds. */
export type Occupation = Readonly<{
  now: number;
  lastUsedAt: number;
  callsInFlight: number;
  /** When the last lease ends that was not released, or ended. */
  leaseEndsAt: number;
  idleMilliseconds: number;
}>;

/**
 * Whether a bus that a client started may leave now, or after how long to look again: when neither a call nor a
 * lease was there for the whole time.
 */
export function decideIdle(occupation: Occupation): 'leave' | Readonly<{ lookAgainMilliseconds: number }> {
  const { now, lastUsedAt, callsInFlight, leaseEndsAt, idleMilliseconds } = occupation;
  if (callsInFlight > 0) return { lookAgainMilliseconds: Math.min(idleMilliseconds, 60_000) };
  const left = Math.max(lastUsedAt, leaseEndsAt) + idleMilliseconds - now;
  return left <= 0 ? 'leave' : { lookAgainMilliseconds: left };
}

export type IdleOptions = Readonly<{
  bus: Bus;
  use: Pick<Use, 'callsInFlight' | 'lastUsedAt'>;
  idleSeconds: number;
  now: () => number;
  setTimer: (callback: () => void, milliseconds: number) => void;
}>;

const lookAgainMillisecondsMax = 3_600_000;

/** Resolves when the bus has been idle for so long. Looking at the bus for that is no use of it. */
export function untilIdle({ bus, use, idleSeconds, now, setTimer }: IdleOptions): Promise<void> {
  const idleMilliseconds = idleSeconds * 1000;
  return new Promise((resolve) => {
    async function look(): Promise<void> {
      const leaseMilliseconds = await untilLastLeaseEnds(bus).catch(() => lookAgainMillisecondsMax);
      const decision = decideIdle({
        now: now(),
        lastUsedAt: use.lastUsedAt(),
        callsInFlight: use.callsInFlight(),
        leaseEndsAt: now() + leaseMilliseconds,
        idleMilliseconds,
      });
      if (decision === 'leave') resolve();
      else setTimer(look, Math.min(decision.lookAgainMilliseconds, lookAgainMillisecondsMax));
    }
    setTimer(look, Math.min(idleMilliseconds, lookAgainMillisecondsMax));
  });
}

/** Below zero when it has ended: a lease may begin and run out between two looks, and counts all the same. */
async function untilLastLeaseEnds(bus: Bus): Promise<number> {
  const { active_lanes, orphaned_claims, _meta: meta } = await bus.getBusStatus({});
  const ends = [...active_lanes, ...orphaned_claims].map(({ expires_at }) => Date.parse(expires_at));
  return Math.max(...ends) - Date.parse(meta.ts);
}
