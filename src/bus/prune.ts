import type { Output, ParsedInput } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { EventRow, Pruned } from '../store/rows.ts';
import type { Outcome, Store, View } from '../store/store.ts';
import type { EngineParts, Handlers } from './parts.ts';
import { pruneAgents } from './prune-agents.ts';
import { askOnce, decideOnce, toRepeat } from './repeats.ts';

/**
 * Removes the beginning of the log. It always removes the oldest part of the change feed with the messages posted in
 * it. So two numbers say what is gone, and every remaining id keeps its meaning.
 */
export function createPruneHandlers({ store }: EngineParts): Pick<Handlers, 'pruneMessages'> {
  const pruneMessages: Handlers['pruneMessages'] = async (input, { idempotencyKey }) => {
    if (input.dry_run) return planDryRun(store, input);
    const repeat = toRepeat('pruneMessages', input, idempotencyKey);
    const plan = await planPart(store, input);
    const answer = await store.take({
      asks: askOnce(repeat),
      prune: plan.through,
      decide: (view) => decideOnce(repeat, view, () => toOutcome(plan, view)),
    });
    await pruneAgents(store);
    return answer;
  };

  return { pruneMessages };
}

type Bounds = ParsedInput<'pruneMessages'>;

/** What one call removes. */
type Plan = Readonly<{
  events: readonly EventRow[];
  through: Pruned;
  hasMore: boolean;
  heldBackBy?: number | undefined;
}>;

/** Plans one part of the log: the rows right after the part that is already gone. */
async function planPart(store: Store, bounds: Bounds): Promise<Plan> {
  const { pruned } = await store.readCounters();
  const events = await store.readEvents({ sinceId: pruned.eventId, limit: limits.pruneEventsMax + 1 });
  // Read this after the events. If another call pruned some of them in the meantime, this count leaves them out.
  const counters = await store.readCountersNow();
  const messagesMax = toMessagesMax(counters.messageCount, bounds);
  const openFlag = await store.readOldestOf('pendingActionFlags');
  return decidePrune({ events, pruned: counters.pruned, messagesMax, openFlag: openFlag?.id }, bounds);
}

/** Goes through the log part by part without removing anything. Others are served between two parts. */
async function planDryRun(store: Store, bounds: Bounds): Promise<Output<'pruneMessages'>> {
  const { messageCount, pruned } = await store.readCountersNow();
  const messagesMax = toMessagesMax(messageCount, bounds);
  const openFlag = (await store.readOldestOf('pendingActionFlags'))?.id;
  let [through, messages, count] = [pruned, 0, 0];
  for (;;) {
    const events = await store.readEvents({ sinceId: through.eventId, limit: limits.pruneEventsMax + 1 });
    const found = { events, pruned: through, messagesMax: messagesMax - messages, openFlag };
    const plan = decidePrune(found, bounds);
    through = plan.through;
    count += plan.events.length;
    messages += plan.events.filter(isPost).length;
    if (plan.hasMore && count < limits.pruneDryRunEventsMax) continue;
    return {
      pruned_messages: messages,
      pruned_events: count,
      has_more: plan.hasMore,
      oldest_id: through.messageId + 1,
      ...(plan.heldBackBy !== undefined && { held_back_by: plan.heldBackBy }),
    };
  }
}

function toMessagesMax(messageCount: number, { keep }: Bounds): number {
  return keep === undefined ? Number.POSITIVE_INFINITY : messageCount - keep;
}

type Found = Readonly<{
  events: readonly EventRow[];
  pruned: Pruned;
  messagesMax: number;
  /** The oldest message that still waits for a person. Its event does not say what happened to it later. */
  openFlag: number | undefined;
}>;

/** The oldest events that may be removed, up to the limit of one call. */
function decidePrune({ events: found, pruned, messagesMax, ...held }: Found, bounds: Bounds): Plan {
  const isOpenFlag = (event: EventRow) => isPost(event) && event.message?.id === held.openFlag;
  const events = found.filter(({ id }) => id > pruned.eventId);
  const inBounds = countInBounds(events, messagesMax, bounds.before);
  const openFlag = bounds.include_flags ? -1 : events.slice(0, inBounds).findIndex(isOpenFlag);
  const isHeldBack = openFlag !== -1;
  const mayGo = isHeldBack ? openFlag : inBounds;
  const going = events.slice(0, Math.min(mayGo, limits.pruneEventsMax));
  const messageId = going.findLast(isPost)?.message?.id ?? pruned.messageId;
  const eventId = going.at(-1)?.id ?? pruned.eventId;
  // There may be more events to remove than were read.
  const isCut = mayGo === events.length && found.length > limits.pruneEventsMax;
  const hasMore = isCut || mayGo > going.length;
  const heldBackBy = isHeldBack && !hasMore ? events[openFlag]?.message?.id : undefined;
  return { events: going, through: { messageId, eventId }, hasMore, heldBackBy };
}

/** How many of the oldest events the caller wants to remove. */
function countInBounds(events: readonly EventRow[], messagesMax: number, before: string | undefined): number {
  const beforeMilliseconds = before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before);
  let messagesLeft = messagesMax;
  const firstKept = events.findIndex((event) => {
    if (event.ts >= beforeMilliseconds || messagesLeft <= 0) return true;
    if (isPost(event)) messagesLeft -= 1;
    return false;
  });
  return firstKept === -1 ? events.length : firstKept;
}

/** Another call may have removed a part of it in the meantime. That part is not counted again. */
function toOutcome(
  { events, through, hasMore, heldBackBy }: Plan,
  view: View,
): Outcome<Output<'pruneMessages'>> {
  const going = events.filter(({ id }) => id > view.counters.pruned.eventId);
  return {
    isPruned: going.length > 0,
    answer: {
      pruned_messages: going.filter(isPost).length,
      pruned_events: going.length,
      has_more: hasMore,
      oldest_id: Math.max(through.messageId, view.counters.pruned.messageId) + 1,
      ...(heldBackBy !== undefined && { held_back_by: heldBackBy }),
    },
  };
}

function isPost({ kind }: EventRow): boolean {
  return kind === 'message_posted';
}
