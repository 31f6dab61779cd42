import type { Bus } from '../contract/contract.ts';
import { createAwakeTimers } from '../lease/awake.ts';
import type { Grant } from '../lease/grant.ts';
import { keepLease, type LeaseKeeper } from '../lease/keeper.ts';
import type { Timers } from '../lease/timers.ts';
import { createLateGrants, type LateGrants } from './late-grants.ts';

/** Keeps lanes for an agent, because an agent cannot renew while it works, may forget to release, or may die. */
export type KeepAlive = Readonly<{
  /** Renews the lease from now on until it is released, the ceiling is reached, or the session ends. */
  keep(grant: Grant): void;
  /** Whether the lane is being renewed for this owner. */
  keeps(lane: string, owner: string): boolean;
  /**
   * Call it after the agent renewed a lease itself. If the lane is kept, renewal continues under the new lease;
   * otherwise nothing changes.
   */
  renewed(grant: Grant): void;
  /** Pauses renewing while the agent releases the lane, and stops for good when the release succeeds. */
  whileReleasing<Answer>(lane: string, owner: string, release: () => Promise<Answer>): Promise<Answer>;
  /** Lanes granted after their client may have given up. */
  late: LateGrants;
  /** The lanes that were lost since the last call. */
  takeLost(): readonly string[];
  /** Releases all kept lanes at the end of the session. Takes a second at most, whatever the bus does. */
  releaseAll(): Promise<void>;
}>;

export type KeepAliveOptions = Readonly<{
  bus: Bus;
  timers: Timers;
  /** The bus is on this machine. While it does not respond, it serves nobody else either. */
  isBusHere?: boolean | undefined;
  /** How long a lane is kept after the agent last asked for it: forgotten lanes must become free some day. */
  ceilingSeconds: number;
}>;

/** A kept lane, with the function that cancels its ceiling. */
type Kept = LeaseKeeper & Readonly<{ cancelCeiling: () => void }>;

const releaseAllMilliseconds = 900;

export function createKeepAlive(options: KeepAliveOptions): KeepAlive {
  const { bus, timers, isBusHere = false, ceilingSeconds } = options;
  // The ceiling also counts only time in which the agent could have asked for its lanes.
  const awake = createAwakeTimers(timers);
  const kept = new Map<string, Kept>();
  const lost = new Set<string>();
  let ended = false;

  const find = (lane: string, owner: string) => {
    const found = kept.get(lane);
    return found?.grant().owner === owner ? found : undefined;
  };

  function forget(lane: string): void {
    kept.get(lane)?.stop();
    kept.get(lane)?.cancelCeiling();
    kept.delete(lane);
  }

  function lose(lane: string): void {
    forget(lane);
    lost.add(lane);
  }

  /** Report it to the agent like a loss, because it may still be at work. */
  function letGo(lane: string): void {
    const grant = kept.get(lane)?.grant();
    lose(lane);
    if (grant) void release(bus, grant);
  }

  function keep(grant: Grant): void {
    const { lane } = grant;
    forget(lane);
    if (ended) return void release(bus, grant);
    const keeper = keepLease({ bus, timers: awake, grant, isBusHere, onLost: () => lose(lane) });
    const cancelCeiling = awake.after(ceilingSeconds * 1000, () => letGo(lane));
    kept.set(lane, { ...keeper, cancelCeiling });
  }

  return {
    keep,

    late: createLateGrants({ bus, timers, keep, lose }),

    keeps: (lane, owner) => find(lane, owner) !== undefined,

    renewed: (grant) => find(grant.lane, grant.owner)?.renewed(grant),

    async whileReleasing(lane, owner, release) {
      const keeper = find(lane, owner);
      if (!keeper) return release();
      keeper.rest();
      try {
        const answer = await release();
        if (kept.get(lane) === keeper) forget(lane);
        return answer;
      } catch (error) {
        // Perhaps only the fence in the call was wrong. The next renewal shows whether the lane is still ours.
        if (kept.get(lane) === keeper) keeper.resume();
        throw error;
      }
    },

    takeLost() {
      const lanes = [...lost];
      lost.clear();
      return lanes;
    },

    async releaseAll() {
      ended = true;
      const grants = [...kept.values()].map((keeper) => keeper.grant());
      for (const { lane } of grants) forget(lane);
      if (grants.length === 0) return;
      await settleWithin(
        grants.map((grant) => release(bus, grant)),
        timers,
      );
    },
  };
}

/** Never rejects: in the worst case the lease simply expires. */
async function release(bus: Bus, { lane, owner, fence }: Grant): Promise<void> {
  try {
    await bus.releaseLane({ lane, owner, fence });
  } catch {
    return;
  }
}

function settleWithin(releases: readonly Promise<void>[], timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const cancelDeadline = timers.after(releaseAllMilliseconds, resolve);
    void Promise.all(releases).then(() => {
      cancelDeadline();
      resolve();
    });
  });
}
