import type { Bus } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import { type Grant, toGrant } from '../lease/grant.ts';
import type { Timers } from '../lease/timers.ts';

/**
 * Lanes that were granted so long after the claim that the client may have given the call up without a word: the agent
 * then does not know that it holds the lane, and nobody else may have it.
 *
 * Such a grant is not renewed until the session is heard again. Then the bus is asked whether the lane is still held,
 * and the agent is told in the result of whatever it calls. If nothing is heard, the lease runs out.
 */
export type LateGrants = Readonly<{
  /** Begins to measure a claim; the returned function says whether its grant came late. */
  begin(): () => boolean;
  add(late: LateGrant): void;
  /** The session has called: returns the lanes that it turns out to hold. */
  hear(): Promise<readonly string[]>;
}>;

/** `isKept`: the claim asked for the lease to be renewed. */
type LateGrant = Readonly<{ grant: Grant; isKept: boolean }>;

export type LateGrantsOptions = Readonly<{
  bus: Bus;
  timers: Timers;
  keep: (grant: Grant) => void;
  lose: (lane: string) => void;
}>;

export function createLateGrants({ bus, timers, keep, lose }: LateGrantsOptions): LateGrants {
  const late = new Map<string, LateGrant>();

  /** The lane, if it is still held. */
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
