import type { Clock, Pause } from './clock.ts';
import type { AnswerRow, Counters, EventRow, LaneRow, MessageRow, Pruned, Waiter } from './rows.ts';
import type { Outcome, Turn, View } from './store.ts';

/** The committed rows that the turns of a batch asked for. */
export type BatchRows = Readonly<{
  counters: Counters;
  lane: (lane: string) => LaneRow | undefined;
  queue: (lane: string) => readonly Waiter[];
  message: (id: number) => MessageRow | undefined;
  answer: (key: string) => AnswerRow | undefined;
  /** What there is up to a message that a turn may prune. */
  keptThrough: (messageId: number) => Kept;
}>;

export type Kept = Pick<Counters, 'messageCount' | 'pendingFlagCount'>;

/** Everything that one commit writes. A lane or message changed twice stands here once, as it ended. */
export type BatchChanges = Readonly<{
  posted: readonly MessageRow[];
  acknowledged: readonly MessageRow[];
  lanes: readonly LaneRow[];
  queues: ReadonlyMap<string, readonly Waiter[]>;
  events: readonly EventRow[];
  answers: readonly AnswerRow[];
  /** Everything up to these ids is to be removed. */
  pruned?: Pruned | undefined;
  counters: Counters;
  /** When the last turn was judged; the clock never goes below it again. */
  decidedAt: number;
}>;

export type TurnResult = Readonly<{ outcome: Outcome<unknown> } | { failure: unknown }>;

/**
 * Decides the turns of one batch in order, each on the rows as the turns before it left them. A turn that is refused
 * or fails leaves nothing behind; the others go on.
 */
export function decideBatch(
  turns: readonly Turn<unknown>[],
  rows: BatchRows,
  clock: Pick<Clock, 'now' | 'lastPause'>,
): { changes: BatchChanges; results: TurnResult[] } {
  const draft = createDraft(rows);
  const results = turns.map((turn): TurnResult => {
    try {
      const view = draft.viewOf(turn, clock.now(), clock.lastPause?.());
      const outcome = turn.decide(view);
      draft.apply(turn, outcome, view.now);
      return { outcome };
    } catch (failure) {
      return { failure };
    }
  });
  return { changes: draft.toChanges(), results };
}

/** Whether there is anything that must reach the disk. */
export function isEmpty(changes: BatchChanges): boolean {
  return (
    changes.pruned === undefined &&
    changes.posted.length +
      changes.acknowledged.length +
      changes.lanes.length +
      changes.events.length +
      changes.answers.length ===
      0
  );
}

function createDraft(rows: BatchRows) {
  const posted: MessageRow[] = [];
  const acknowledged = new Map<number, MessageRow>();
  const lanes = new Map<string, LaneRow>();
  const queues = new Map<string, readonly Waiter[]>();
  const events: EventRow[] = [];
  const answers = new Map<string, AnswerRow>();
  let { lastMessageId, lastEventId, messageCount, pendingFlagCount, pruned } = rows.counters;
  let decidedAt = 0;

  function messageOf(id: number): MessageRow | undefined {
    if (id <= pruned.messageId) return undefined;
    const own = id > rows.counters.lastMessageId ? posted[id - rows.counters.lastMessageId - 1] : undefined;
    return acknowledged.get(id) ?? own ?? rows.message(id);
  }

  /** Counts by the committed rows, less what turns before this one in the batch have changed among them. */
  function prune(asked: Pruned): void {
    const messageId = Math.max(asked.messageId, pruned.messageId);
    const eventId = Math.max(asked.eventId, pruned.eventId);
    const [kept, gone] = [rows.keptThrough(messageId), rows.keptThrough(pruned.messageId)];
    const settled = [...acknowledged.keys()].filter((id) => id > pruned.messageId && id <= messageId);
    messageCount -= kept.messageCount - gone.messageCount;
    pendingFlagCount -= kept.pendingFlagCount - gone.pendingFlagCount - settled.length;
    pruned = { messageId, eventId };
  }

  function viewOf(turn: Turn<unknown>, now: number, pause: Pause | undefined): View {
    const { lane, messageId, key } = turn;
    return {
      now,
      pause,
      nextMessageId: lastMessageId + 1,
      lane: lane === undefined ? undefined : (lanes.get(lane) ?? rows.lane(lane)),
      queue: lane === undefined ? [] : (queues.get(lane) ?? rows.queue(lane)),
      message: messageId === undefined ? undefined : messageOf(messageId),
      answer: key === undefined ? undefined : (answers.get(key) ?? rows.answer(key)),
      pruned,
    };
  }

  function apply(turn: Turn<unknown>, outcome: Outcome<unknown>, now: number): void {
    decidedAt = now;
    if (outcome.posted) {
      posted.push(outcome.posted);
      lastMessageId = outcome.posted.id;
      messageCount += 1;
      if (outcome.posted.actionFlag) pendingFlagCount += 1;
    }
    if (outcome.acknowledged) {
      acknowledged.set(outcome.acknowledged.id, outcome.acknowledged);
      pendingFlagCount -= 1;
    }
    if (outcome.lane) lanes.set(outcome.lane.lane, outcome.lane);
    if (outcome.queue && turn.lane !== undefined) queues.set(turn.lane, outcome.queue);
    for (const { kind, message, lane, detail } of outcome.events ?? []) {
      lastEventId += 1;
      events.push({ kind, message, lane, detail, id: lastEventId, ts: now });
    }
    for (const row of outcome.remembered ?? []) answers.set(row.key, row);
    if (outcome.isPruned && turn.prune) prune(turn.prune);
  }

  const toChanges = (): BatchChanges => ({
    posted,
    acknowledged: [...acknowledged.values()],
    lanes: [...lanes.values()],
    queues,
    events,
    answers: [...answers.values()],
    pruned: pruned === rows.counters.pruned ? undefined : pruned,
    counters: { lastMessageId, lastEventId, messageCount, pendingFlagCount, pruned },
    decidedAt,
  });

  return { viewOf, apply, toChanges };
}
