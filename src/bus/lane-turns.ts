import type { BusError } from '../contract/errors.ts';
import type { AnswerRow, LaneRow, NewEvent, Repeat, Waiter } from '../store/rows.ts';
import type { Outcome, Store, View } from '../store/store.ts';
import type { LaneState } from './lanes.ts';
import { createRegistry, type Registry } from './registry.ts';
import { askOnce, decideOnce } from './repeats.ts';
import { serveWaiters } from './serving.ts';

type LaneTurn<Answer> = Readonly<{
  lane: string;
  repeat?: Repeat | undefined;
  isOwed?: boolean | undefined;
  /** Whether the turn may take scopes. It then sees all lanes that hold some. */
  hasScopes?: boolean | undefined;
  decide: (state: LaneState, now: number) => LaneOutcome<Answer>;
}>;

/** The result of a turn on a lane: changes of the lane, of its queue, and the response to keep. */
export type LaneOutcome<Answer> = Readonly<{
  lane?: LaneRow | undefined;
  queue?: readonly Waiter[] | undefined;
  events?: readonly NewEvent[] | undefined;
  remembered?: readonly AnswerRow[] | undefined;
}> &
  (Readonly<{ answer: Answer }> | Readonly<{ refusal: BusError }>);

export type LaneTurns = Readonly<{ take: <Answer>(turn: LaneTurn<Answer>) => Promise<Answer> }>;

/** Every change of a lane goes through here, so that waiters are served before anybody else can get the lane. */
export function createLaneTurns(
  store: Store,
  leases: Readonly<Record<'watch' | 'touch', (lane: string) => void>>,
): LaneTurns {
  async function take<Answer>(turn: LaneTurn<Answer>): Promise<Answer> {
    const { lane, repeat, isOwed, hasScopes } = turn;
    let hasWaiters = false;
    try {
      return await store.take({
        isOwed,
        asks: { lanes: [lane], ...(hasScopes && { scopes: true }), ...askOnce(repeat) },
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
 * First come, first served. What has become free before this turn, and what the turn itself frees, goes to the waiters
 * within the same turn. So no newcomer can get in between. If this turn is a repeat of a claim that is served this way,
 * it gets that grant as its response.
 */
export function decideInOrder<Answer>(
  { lane, repeat, hasScopes, decide }: Omit<LaneTurn<Answer>, 'isOwed'>,
  view: View,
): Outcome<Answer> {
  const registry = createRegistry(view, { hasScopes });
  const graced = registry.state(lane).row;
  if (graced !== undefined && graced !== view.find('lanes', lane)) registry.change({ lane: graced });
  const served = serveWaiters(registry, lane, repeat).find(({ key }) => key === repeat?.key);
  const find: View['find'] = (kind, key) =>
    served && kind === 'answers' ? (served as never) : view.find(kind, key);
  const outcome = decideOnce(repeat, { now: view.now, find }, () =>
    toOutcome(decide(registry.state(lane), view.now)),
  );
  keep(registry, lane, outcome);
  serveWaiters(registry, lane);
  const { rows: _rows, queues: _queues, events: _events, ...rest } = outcome;
  return { ...rest, ...registry.toChanges() } as Outcome<Answer>;
}

function toOutcome<Answer>({ lane, queue, remembered, ...outcome }: LaneOutcome<Answer>): Outcome<Answer> {
  const rows = { lanes: lane && [lane], answers: remembered };
  return { ...outcome, rows, queues: queue && new Map([['', queue]]) } as Outcome<Answer>;
}

function keep(registry: Registry, lane: string, { rows, queues, events }: Outcome<unknown>): void {
  const queue = queues?.get('');
  registry.change({
    lane: rows?.lanes?.[0],
    queue: queue && [lane, queue],
    events,
    remembered: rows?.answers,
  });
}
