import type { Bus } from '../contract/contract.ts';
import type { Use } from './use.ts';

/** Everything that keeps a bus from leaving, as it stands at one moment; times in milliseconds. */
export type Occupation = Readonly<{
  now: number;
  lastUsedAt: number;
  callsInFlight: number;
  /** How long the longest live lease still runs; 0 without one. */
  leaseMilliseconds: number;
  idleMilliseconds: number;
}>;

/**
 * Whether a bus that a client started may leave now, or after how long to look again: when neither a call nor a
 * lease was there for the whole time.
 */
export function decideIdle(occupation: Occupation): 'leave' | Readonly<{ lookAgainMilliseconds: number }> {
  const { now, lastUsedAt, callsInFlight, leaseMilliseconds, idleMilliseconds } = occupation;
  if (callsInFlight > 0) return { lookAgainMilliseconds: Math.min(idleMilliseconds, 60_000) };
  const occupiedUntil = leaseMilliseconds > 0 ? now + leaseMilliseconds : lastUsedAt;
  const left = occupiedUntil + idleMilliseconds - now;
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
      const leaseMilliseconds = await longestLease(bus).catch(() => lookAgainMillisecondsMax);
      const decision = decideIdle({
        now: now(),
        lastUsedAt: use.lastUsedAt(),
        callsInFlight: use.callsInFlight(),
        leaseMilliseconds,
        idleMilliseconds,
      });
      if (decision === 'leave') resolve();
      else setTimer(look, Math.min(decision.lookAgainMilliseconds, lookAgainMillisecondsMax));
    }
    setTimer(look, Math.min(idleMilliseconds, lookAgainMillisecondsMax));
  });
}

async function longestLease(bus: Bus): Promise<number> {
  const { active_lanes } = await bus.getBusStatus({});
  return Math.max(0, ...active_lanes.map(({ expires_in_s = 0 }) => expires_in_s * 1000));
}
