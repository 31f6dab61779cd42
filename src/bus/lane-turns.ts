import type { BusError } from '../contract/errors.ts';
import type { AnswerRow, LaneRow, NewEvent, Repeat, Waiter } from '../store/rows.ts';
import type { Changes, Outcome, Store, View } from '../store/store.ts';
import { toGrant } from './answers.ts';
import { withGrace } from './grace.ts';
import { decideNextHolder, type LaneState } from './lanes.ts';
import { askOnce, decideOnce, isSameRequest, toAnswerRow } from './repeats.ts';

type LaneTurn<Answer> = Readonly<{
  lane: string;
  repeat?: Repeat | undefined;
  isOwed?: boolean | undefined;
  decide: (state: LaneState, now: number) => LaneOutcome<Answer>;
}>;

/** The result of a turn on a lane: changes of the lane, of its queue, and the response to keep. */
export type LaneOutcome<Answer> = LaneChanges &
  (Readonly<{ answer: Answer }> | Readonly<{ refusal: BusError }>);

type LaneChanges = Readonly<{
  lane?: LaneRow | undefined;
  queue?: readonly Waiter[] | undefined;
  events?: readonly NewEvent[] | undefined;
  remembered?: readonly AnswerRow[] | undefined;
}>;

export type LaneTurns = Readonly<{ take: <Answer>(turn: LaneTurn<Answer>) => Promise<Answer> }>;

/** Every change of a lane goes through here, so that waiters are served before anybody else can get the lane. */
export function createLaneTurns(
  store: Store,
  leases: Readonly<Record<'watch' | 'touch', (lane: string) => void>>,
): LaneTurns {
  async function take<Answer>(turn: LaneTurn<Answer>): Promise<Answer> {
    const { lane, repeat, isOwed } = turn;
    let hasWaiters = false;
    try {
      return await store.take({
        isOwed,
        asks: { lanes: [lane], ...askOnce(repeat) },
        decide: (view) => {
          hasWaiters = view.queue(lane).length > 0;
          return decideInOrder(turn, view);
        },
      });
    } finally {
      // The waiters may be in another process, which does not know that the lease is shorter now.
      if (hasWaiters) leases.watch(lane);
      else leases.touch(lane);
    }
  }
  return { take };
}

/**
 * First come, first served. If the lease has expired, or this turn frees the lane, the first waiter gets it within
 * the same turn. So no newcomer can get in between. If this turn is a repeat of the claim that is served this way,
 * it gets that grant as its response.
 */
export function decideInOrder<Answer>(
  { lane, repeat, decide }: Omit<LaneTurn<Answer>, 'isOwed'>,
  view: View,
): Outcome<Answer> {
  const found = toLaneState(lane, view);
  const before = handOver(found, view.now, repeat);
  const served = before.changes.remembered?.find(({ key }) => key === repeat?.key);
  const find: View['find'] = (kind, key) =>
    served && kind === 'answers' ? (served as never) : view.find(kind, key);
  const outcome = decideOnce(repeat, { now: view.now, find }, () =>
    toOutcome(lane, decide(before.state, view.now)),
  );
  const decided = { lane: outcome.rows?.lanes?.[0], queue: outcome.queues?.get(lane) };
  const { row, queue } = before.state;
  const after = handOver({ lane, row: decided.lane ?? row, queue: decided.queue ?? queue }, view.now);
  const all = [before.changes, { events: outcome.events, remembered: outcome.rows?.answers }, after.changes];
  const changes: LaneChanges = {
    lane: after.changes.lane ?? decided.lane ?? before.changes.lane ?? changedRow(view, found),
    queue: after.changes.queue ?? decided.queue ?? before.changes.queue,
    events: all.flatMap(({ events = [] }) => events),
    remembered: all.flatMap(({ remembered = [] }) => remembered),
  };
  return { ...outcome, ...toChanges(lane, changes) };
}

function toOutcome<Answer>(
  lane: string,
  { lane: row, queue, events, remembered, ...outcome }: LaneOutcome<Answer>,
) {
  return { ...outcome, ...toChanges(lane, { lane: row, queue, events, remembered }) } as Outcome<Answer>;
}

function toChanges(lane: string, { lane: row, queue, events, remembered }: LaneChanges): Changes {
  return {
    rows: { lanes: row && [row], answers: remembered },
    queues: queue && new Map([[lane, queue]]),
    events,
  };
}

/** The lane as the rules see it, including the grace after a pause. */
export function toLaneState(lane: string, view: View): LaneState {
  return { lane, row: withGrace(view.find('lanes', lane), view.pause), queue: view.queue(lane) };
}

function changedRow(view: View, { lane, row }: LaneState): LaneRow | undefined {
  return row === view.find('lanes', lane) ? undefined : row;
}

function handOver(
  state: LaneState,
  now: number,
  asked?: Repeat,
): Readonly<{ state: LaneState; changes: LaneChanges }> {
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
