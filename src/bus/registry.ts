import type { AnswerRow, HeldLaneRow, LaneRow, NewEvent, Waiter } from '../store/rows.ts';
import type { Changes, View } from '../store/store.ts';
import { withGrace } from './grace.ts';
import type { LaneState } from './lanes.ts';

/**
 * The lanes and who waits for them, as one turn sees and changes them: what it has changed already, over what the store
 * has, with the grace of a pause.
 */
export type Registry = Readonly<{
  now: number;
  /** Without `earlier`, everybody who waits stands before whoever asks. */
  state: (lane: string, earlier?: readonly Waiter[]) => LaneState;
  /** All who wait, first come first, where one of them waits with scopes; undefined elsewhere. */
  line: () => readonly Waiter[] | undefined;
  change: (changes: LaneChanges) => void;
  toChanges: () => Changes;
}>;

type LaneChanges = Readonly<{
  lane?: LaneRow | undefined;
  /** Of the lane of the turn, or of a waiter that is served. */
  queue?: readonly [lane: string, queue: readonly Waiter[]] | undefined;
  events?: readonly NewEvent[] | undefined;
  remembered?: readonly AnswerRow[] | undefined;
}>;

/** `hasScopes` says that the turn asks for scopes; then it sees the lanes that hold some. */
export function createRegistry(view: View, { hasScopes = false } = {}): Registry {
  const lanes = new Map<string, LaneRow>();
  const queues = new Map<string, readonly Waiter[]>();
  const events: NewEvent[] = [];
  const remembered: AnswerRow[] = [];
  let scoped: readonly HeldLaneRow[] | undefined;

  const rowOf = (lane: string) => lanes.get(lane) ?? withGrace(view.find('lanes', lane), view.pause);
  const queueOf = (lane: string) => queues.get(lane) ?? view.queue(lane);

  function line(): readonly Waiter[] | undefined {
    const waiters = view.line();
    if (waiters === undefined) {
      const own = [...queues.values()].flat();
      return own.some(({ paths }) => paths !== undefined) ? own : undefined;
    }
    const others = waiters.filter(({ lane }) => !queues.has(lane));
    return [...others, ...[...queues.values()].flat()].sort((one, other) => one.since - other.since);
  }

  function scopedLanes(): readonly HeldLaneRow[] {
    scoped ??= view.scopedLanes().map((row) => withGrace(row, view.pause) as HeldLaneRow);
    if (lanes.size === 0) return scoped;
    const changed = [...lanes.values()].flatMap((row) => (hasScopesHeld(row) ? [row] : []));
    return [...scoped.filter(({ lane }) => !lanes.has(lane)), ...changed];
  }

  function state(lane: string, earlier?: readonly Waiter[]): LaneState {
    const waiters = earlier ?? line();
    const isScoped = hasScopes || waiters !== undefined;
    // Whoever waits in a process that is away keeps a place and holds nobody up.
    const present = (waiters ?? []).filter(({ isAway }) => !isAway);
    const rivals = isScoped ? { lanes: scopedLanes(), waiters: present } : undefined;
    return { lane, row: rowOf(lane), queue: queueOf(lane), rivals };
  }

  function change(changes: LaneChanges): void {
    if (changes.lane) lanes.set(changes.lane.lane, changes.lane);
    if (changes.queue) queues.set(...changes.queue);
    events.push(...(changes.events ?? []));
    remembered.push(...(changes.remembered ?? []));
  }

  const toChanges = (): Changes => ({
    rows: { lanes: [...lanes.values()], answers: remembered },
    queues,
    events,
  });

  return { now: view.now, state, line, change, toChanges };
}

/** The lane as the rules see it, including the grace after a pause. */
export function toLaneState(lane: string, view: View): LaneState {
  return createRegistry(view).state(lane);
}

function hasScopesHeld(row: LaneRow): row is HeldLaneRow {
  return row.hold?.paths !== undefined;
}
