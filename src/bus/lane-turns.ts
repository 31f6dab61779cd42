import type { LaneRow, Repeat } from '../store/rows.ts';
import type { Changes, Outcome, Store, View } from '../store/store.ts';
import { toGrant } from './answers.ts';
import { withGrace } from './grace.ts';
import { decideNextHolder, type LaneState } from './lanes.ts';
import type { LeaseWatch } from './lease-watch.ts';
import { decideOnce, isSameRequest, toAnswerRow } from './repeats.ts';

type LaneTurn<Answer> = Readonly<{
  lane: string;
  repeat?: Repeat | undefined;
  isOwed?: boolean | undefined;
  decide: (state: LaneState, now: number) => Outcome<Answer>;
}>;

export type LaneTurns = Readonly<{ take: <Answer>(turn: LaneTurn<Answer>) => Promise<Answer> }>;

/** Every change of a lane goes through here, so that whoever waits is served before anybody else can be. */
export function createLaneTurns(store: Store, leases: LeaseWatch): LaneTurns {
  async function take<Answer>(turn: LaneTurn<Answer>): Promise<Answer> {
    const { lane, repeat, isOwed } = turn;
    let hasWaiters = false;
    try {
      return await store.take({
        lane,
        isOwed,
        key: repeat?.key,
        decide: (view) => {
          hasWaiters = view.queue.length > 0;
          return decideInOrder(turn, view);
        },
      });
    } finally {
      // They may wait in another process, which does not hear of a lease that is shorter now.
      if (hasWaiters) leases.watch(lane);
      else leases.touch(lane);
    }
  }
  return { take };
}

/**
 * First comes first served: a lane whose lease ran out, or that this turn frees, goes to the first who waits within
 * the same turn, so that no newcomer can slip in between. A repeat of a claim that is served this way gets the answer to it.
 */
export function decideInOrder<Answer>(
  { lane, repeat, decide }: Omit<LaneTurn<Answer>, 'isOwed'>,
  view: View,
): Outcome<Answer> {
  const found = toLaneState(lane, view);
  const before = handOver(found, view.now, repeat);
  const answer = before.changes.remembered?.find(({ key }) => key === repeat?.key) ?? view.answer;
  const outcome = decideOnce(repeat, { ...view, answer }, () => decide(before.state, view.now));
  const { row, queue } = before.state;
  const after = handOver({ lane, row: outcome.lane ?? row, queue: outcome.queue ?? queue }, view.now);
  return {
    ...outcome,
    lane: after.changes.lane ?? outcome.lane ?? before.changes.lane ?? changedRow(view, found),
    queue: after.changes.queue ?? outcome.queue ?? before.changes.queue,
    events: [...(before.changes.events ?? []), ...(outcome.events ?? []), ...(after.changes.events ?? [])],
    remembered: [
      ...(before.changes.remembered ?? []),
      ...(outcome.remembered ?? []),
      ...(after.changes.remembered ?? []),
    ],
  };
}

/** The lane as the rules see it: also with the grace that its holder has after a pause. */
export function toLaneState(lane: string, view: View): LaneState {
  return { lane, row: withGrace(view.lane, view.pause), queue: view.queue };
}

function changedRow(view: View, { row }: LaneState): LaneRow | undefined {
  return row === view.lane ? undefined : row;
}

function handOver(
  state: LaneState,
  now: number,
  asked?: Repeat,
): Readonly<{ state: LaneState; changes: Changes }> {
  const next = decideNextHolder(state, now);
  if (!next) return { state, changes: {} };
  const { served, event, queue } = next;
  const row = served.at(-1)?.row;
  const isAnswered = isSameRequest(served[0]?.waiter.repeat, asked);
  const told = isAnswered && event?.detail ? { ...event, detail: { ...event.detail, isAnswered } } : event;
  const remembered = served.flatMap(({ waiter, decision, row: granted }) =>
    waiter.repeat ? [toAnswerRow(waiter.repeat, toGrant(decision, granted, now), now)] : [],
  );
  return {
    state: { ...state, row, queue },
    changes: { lane: row, queue, events: told ? [told] : [], remembered },
  };
}
