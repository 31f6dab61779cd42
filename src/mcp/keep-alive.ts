import type { Bus } from '../contract/contract.ts';
import { createRenewal, type Grant, type Renewal, type SetTimer } from './renewal.ts';

/** Holds lanes for an agent that cannot renew while it works, forgets to release, or dies. */
export type KeepAlive = Readonly<{
  /** Renews the lease from now on, until release, the ceiling, or the end of the session. */
  keep(grant: Grant): void;
  /** Whether the lane is being renewed for this owner. */
  keeps(lane: string, owner: string): boolean;
  /** The agent renewed by its own call: a lane that is kept goes on under the new lease, any other is left alone. */
  renewed(grant: Grant): void;
  /** Does not renew while the agent releases, and nevermore once that succeeded. */
  whileReleasing<Answer>(lane: string, owner: string, release: () => Promise<Answer>): Promise<Answer>;
  /** The lanes that were lost since this was last asked. */
  takeLost(): readonly string[];
  /** Gives back all that is kept, for the end of the session; takes a second at most, whatever the bus does. */
  releaseAll(): Promise<void>;
}>;

export type KeepAliveOptions = Readonly<{
  bus: Bus;
  /** Milliseconds that only ever grow. */
  now: () => number;
  setTimer: SetTimer;
  /** Nothing is kept longer after the agent last asked for it: forgotten lanes must come free some day. */
  ceilingSeconds: number;
}>;

const releaseAllMilliseconds = 900;

export function createKeepAlive({ bus, now, setTimer, ceilingSeconds }: KeepAliveOptions): KeepAlive {
  const renewals = new Map<string, Renewal>();
  const lost = new Set<string>();
  let ended = false;

  function forget(lane: string): void {
    renewals.get(lane)?.stop();
    renewals.delete(lane);
  }

  return {
    keep(grant) {
      const { lane } = grant;
      const onLost = () => {
        forget(lane);
        lost.add(lane);
      };
      forget(lane);
      const ceilingAt = now() + ceilingSeconds * 1000;
      const renewal = createRenewal({ bus, now, setTimer, grant, ceilingAt, onLost });
      renewals.set(lane, renewal);
      if (ended) {
        forget(lane);
        void renewal.release();
      }
    },

    keeps: (lane, owner) => renewals.get(lane)?.owner === owner,

    renewed(grant) {
      const renewal = renewals.get(grant.lane);
      if (renewal?.owner === grant.owner) renewal.renewed(grant);
    },

    async whileReleasing(lane, owner, release) {
      const renewal = renewals.get(lane);
      if (renewal?.owner !== owner) return release();
      renewal.stop();
      try {
        const answer = await release();
        if (renewals.get(lane) === renewal) forget(lane);
        return answer;
      } catch (error) {
        // Perhaps only the fence in the call was wrong: the next renewal tells whether the lane is still ours.
        if (renewals.get(lane) === renewal) renewal.resume();
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
      const kept = [...renewals.values()];
      for (const lane of renewals.keys()) forget(lane);
      if (kept.length > 0)
        await settleWithin(
          kept.map((renewal) => renewal.release()),
          setTimer,
        );
    },
  };
}

function settleWithin(releases: readonly Promise<void>[], setTimer: SetTimer): Promise<void> {
  return new Promise((resolve) => {
    const cancelDeadline = setTimer(resolve, releaseAllMilliseconds);
    void Promise.all(releases).then(() => {
      cancelDeadline();
      resolve();
    });
  });
}
