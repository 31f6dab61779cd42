import type { Bus } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import { type Grant, toGrant } from '../lease/grant.ts';
import type { Timers } from '../lease/timers.ts';

/**
 * Tracks lanes that were granted so long after the claim that the client may have given up silently. The agent may
 * then not know that it holds the lane, and meanwhile nobody else can have it.
 *
 * Such a lease is not renewed until the session makes another call. At that point the bus is asked whether the lane
 * is still held, and the result of that call tells the agent about the lane. If no call comes, the lease expires.
 */
export type LateGrants = Readonly<{
  /** Starts timing a claim. The returned function says whether the grant came late. */
  begin(): () => boolean;
  add(late: LateGrant): void;
  /** Call it on every call of the session. Returns the lanes that the session holds without knowing it. */
  hear(): Promise<readonly string[]>;
}>;

/** `isKept`: the claim asked for automatic renewal. */
type LateGrant = Readonly<{ grant: Grant; isKept: boolean }>;

export type LateGrantsOptions = Readonly<{
  bus: Bus;
  timers: Timers;
  keep: (grant: Grant) => void;
  lose: (lane: string) => void;
}>;

export function createLateGrants({ bus, timers, keep, lose }: LateGrantsOptions): LateGrants {
  const late = new Map<string, LateGrant>();

  /** Returns the lane if it is still held. */
  async function confirm({ grant, isKept }: LateGrant): Promise<string | undefined> {
    const { lane, owner, fence } = grant;
    const asked = { lane, owner, fence, lease_s: grant.leaseSeconds };
    try {
      const renewed = toGrant(asked, await bus.heartbeatLane(asked));
      if (isKept) keep(renewed);
      return lane;
    } catch {
      if (isKept) lose(lane);
      return undefined;
    }
  }

  return {
    begin() {
      const startedAt = timers.now();
      return () => timers.now() - startedAt > limits.lateGrantSeconds * 1000;
    },
    add: (grant) => void late.set(grant.grant.lane, grant),
    async hear() {
      if (late.size === 0) return [];
      const heard = [...late.values()];
      late.clear();
      const lanes = await Promise.all(heard.map(confirm));
      return lanes.filter((lane) => lane !== undefined);
    },
  };
}
