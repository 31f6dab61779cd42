import { type Action, holderAt, type Lane, perform, unclaimed, type Verdict } from './lane.ts';

/** A caller who waits for a lane, first come first. */
export type Waiter = Readonly<{
  ticket: number;
  lane: string;
  owner: string;
  lease: number;
  deadline: number;
}>;

export type Served = Readonly<{ ticket: number; verdict: Verdict }>;

/** Lanes, those who wait for them, and the time: what the engine is, without store, disk and promises. */
export function createWorld(startAt: number) {
  const lanes = new Map<string, Lane>();
  let line: readonly Waiter[] = [];
  let now = startAt;

  const laneOf = (name: string) => lanes.get(name) ?? unclaimed;
  const lineFor = (name: string) => line.filter(({ lane }) => lane === name);

  function decide(name: string, action: Action): Verdict {
    const [lane, verdict] = perform(laneOf(name), action, now);
    lanes.set(name, lane);
    return verdict;
  }

  /** Serves whoever is first in a line before a lane that nobody holds, and with it all others of that owner. */
  function serve(): Served[] {
    const next = line.find(({ lane }) => holderAt(laneOf(lane), now) === undefined);
    if (!next) return [];
    const served = line.filter(({ lane, owner }) => lane === next.lane && owner === next.owner);
    line = line.filter((waiter) => !served.includes(waiter));
    return [...served.map(claimNow), ...serve()];
  }

  function claimNow({ ticket, lane, owner, lease }: Waiter): Served {
    return { ticket, verdict: decide(lane, { act: 'claim', owner, lease }) };
  }

  /** Those whose time is over leave the line, and ask once more as anyone would. */
  function dismiss(): Served[] {
    const late = line.filter(({ deadline }) => deadline <= now);
    line = line.filter((waiter) => !late.includes(waiter));
    return late.map(claimNow);
  }

  return {
    laneOf,
    lineFor,
    now: () => now,
    act(name: string, action: Action): Readonly<{ verdict: Verdict; served: readonly Served[] }> {
      return { verdict: decide(name, action), served: serve() };
    },
    /** Joins the line, unless the lane is to be had at once. */
    wait(waiter: Waiter): Verdict | undefined {
      const { lane, owner, lease } = waiter;
      const holder = holderAt(laneOf(lane), now);
      if (holder === undefined || holder === owner) return decide(lane, { act: 'claim', owner, lease });
      line = [...line, waiter];
      return undefined;
    },
    abandon(ticket: number): void {
      line = line.filter((waiter) => waiter.ticket !== ticket);
    },
    /** The times at which something will happen by itself, soonest first. */
    alarms(): readonly number[] {
      const ends = line.map(({ lane }) => laneOf(lane).holder?.until ?? now);
      return [...line.map(({ deadline }) => deadline), ...ends].sort((a, b) => a - b);
    },
    moveTo(time: number): readonly Served[] {
      now = time;
      return [...serve(), ...dismiss()];
    },
    waiters: () => line,
  };
}

export type World = ReturnType<typeof createWorld>;
