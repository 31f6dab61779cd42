import type { Output, ParsedInput } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { Counters, EventRow, Pruned } from '../store/rows.ts';
import type { Outcome, View } from '../store/store.ts';
import type { EngineParts, Handlers } from './bus.ts';
import { decideOnce, toRepeat } from './repeats.ts';

/**
 * Forgetting the beginning of the log. What goes is always a first part of the change feed with the messages posted in
 * it, so that two numbers say what is gone and every id that is left keeps its meaning.
 */
export function createPruneHandlers({ store }: EngineParts): Pick<Handlers, 'pruneMessages'> {
  const pruneMessages: Handlers['pruneMessages'] = async (input, { idempotencyKey }) => {
    const repeat = toRepeat('pruneMessages', input, idempotencyKey);
    const { pruned } = await store.readCounters();
    const events = await store.readEvents({ sinceId: pruned.eventId, limit: limits.pruneEventsMax + 1 });
    // Counted after the events were read: another call may have pruned some of them, and what is left of the count
    // then belongs to those that are left.
    const plan = decidePrune(events, await store.readCountersNow(), input);
    return store.take({
      key: repeat?.key,
      prune: plan.through,
      decide: (view) => decideOnce(repeat, view, () => toOutcome(plan, view)),
    });
  };

  return { pruneMessages };
}

type Plan = Readonly<{ events: readonly EventRow[]; through: Pruned; hasMore: boolean }>;

/** The oldest events that may go, up to the limit of one call. */
function decidePrune(
  found: readonly EventRow[],
  { messageCount, pruned }: Pick<Counters, 'messageCount' | 'pruned'>,
  { before, keep }: ParsedInput<'pruneMessages'>,
): Plan {
  const events = found.filter(({ id }) => id > pruned.eventId);
  const beforeMilliseconds = before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before);
  let toRemove = keep === undefined ? Number.POSITIVE_INFINITY : messageCount - keep;
  const firstKept = events.findIndex((event) => {
    if (event.ts >= beforeMilliseconds || toRemove <= 0) return true;
    if (isPost(event)) toRemove -= 1;
    return false;
  });
  const all = firstKept === -1 ? events : events.slice(0, firstKept);
  const going = all.slice(0, limits.pruneEventsMax);
  const messageId = going.findLast(isPost)?.message?.id ?? pruned.messageId;
  const eventId = going.at(-1)?.id ?? pruned.eventId;
  // What was read may have ended before what is to go does.
  const isCut = all.length === events.length && found.length > limits.pruneEventsMax;
  return { events: going, through: { messageId, eventId }, hasMore: isCut || all.length > going.length };
}

/** Another call may have removed a part of it meanwhile: that part is not counted again. */
function toOutcome({ events, through, hasMore }: Plan, view: View): Outcome<Output<'pruneMessages'>> {
  const going = events.filter(({ id }) => id > view.pruned.eventId);
  return {
    isPruned: going.length > 0,
    answer: {
      pruned_messages: going.filter(isPost).length,
      pruned_events: going.length,
      has_more: hasMore,
      oldest_id: Math.max(through.messageId, view.pruned.messageId) + 1,
    },
  };
}

function isPost({ kind }: EventRow): boolean {
  return kind === 'message_posted';
}
