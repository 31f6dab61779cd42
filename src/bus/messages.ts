import type { Call, Output, ParsedInput } from '../contract/contract.ts';
import { toBusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import type { MessageRow } from '../store/rows.ts';
import type { Outcome, View } from '../store/store.ts';
import { toMessage } from './answers.ts';
import { decideHolding } from './lanes.ts';
import { createSharedReads, cutPage, readOrWait } from './pages.ts';
import type { EngineParts, Handlers } from './parts.ts';
import { toCursorExpired, toLaneRefusal } from './refusals.ts';
import { toLaneState } from './registry.ts';
import { askOnce, decideOnce, toRepeat } from './repeats.ts';

/** The blackboard: what was said, in the order it was said. */
export function createMessageHandlers({
  store,
  waiting,
  seats,
}: EngineParts): Pick<Handlers, 'postMessage' | 'readMessages' | 'acknowledgeFlag'> {
  const shared = createSharedReads({ parts: { store, waiting }, toCharacters: toPageCharacters });

  function postMessage(input: ParsedInput<'postMessage'>, { idempotencyKey }: Call) {
    const repeat = toRepeat('postMessage', input, idempotencyKey);
    return store.take({
      asks: { ...(input.lane !== undefined && { lanes: [input.lane] }), ...askOnce(repeat) },
      decide: (view) => decideOnce(repeat, view, () => decidePost(input, view)),
    });
  }

  function acknowledgeFlag(input: ParsedInput<'acknowledgeFlag'>, { idempotencyKey }: Call) {
    const repeat = toRepeat('acknowledgeFlag', input, idempotencyKey);
    return store.take({
      asks: { messages: [input.id], ...askOnce(repeat) },
      decide: (view) => decideOnce(repeat, view, () => decideAcknowledge(input, view)),
    });
  }

  async function readPage(input: ParsedInput<'readMessages'>): Promise<Output<'readMessages'>> {
    const { topic, from: sender, limit, since_id: sinceId, before_id: beforeId } = input;
    // Read this before the rows. Whatever is committed in between is then either on the page or after the cursor.
    const { lastMessageId } = await store.readCounters();
    const bounds = { limit: limit + 1, bytesMax: limits.pageBytesMax };
    const asked = store.readMessages({ topic, sender, sinceId, beforeId, ...bounds });
    const [rows, counted] = await Promise.all([asked, sinceId ? store.readCountersNow() : undefined]);
    // Cursor 0 has seen nothing and asks for whatever there is.
    if (sinceId && counted && sinceId < counted.pruned.messageId)
      throw toCursorExpired(sinceId, counted.pruned.messageId, 'since_id');
    // The log never had such a message, so the cursor belongs to another log and its reader has read nothing of this
    // one.
    if (sinceId && counted && sinceId > counted.lastMessageId)
      return { messages: [], cursor: 0, has_more: counted.lastMessageId > 0 };
    const { page, hasMore } = cutPage(rows, limit, ({ body }) => body);
    const cursor = toCursor(page, { sinceId, beforeId, lastMessageId });
    return { messages: page.map(toMessage), cursor, has_more: hasMore };
  }

  const readMessages: Handlers['readMessages'] = (input, call) =>
    readOrWait({
      read: () => {
        const { topic, from, since_id, before_id, limit } = input;
        return shared.read(JSON.stringify([topic, from, since_id, before_id, limit]), () => readPage(input));
      },
      isEmpty: (page) => holdsNoNews(page, input),
      takeBell: () => (input.topic === undefined ? waiting.onMessages() : waiting.onTopic(input.topic)),
      seats: seats.readers,
      clock: store.clock,
      waitSeconds: input.wait_s,
      call,
    });

  return { postMessage, readMessages, acknowledgeFlag };
}

/** A waiting reader knows its own posts. They are part of the page, but do not end the wait. */
function holdsNoNews(
  { messages, cursor, has_more: hasMore }: Output<'readMessages'>,
  { reader, since_id: sinceId }: ParsedInput<'readMessages'>,
): boolean {
  if (messages.length === 0) return cursor === sinceId;
  return !hasMore && messages.every(({ sender }) => sender === reader);
}

function toPageCharacters({ messages }: Output<'readMessages'>): number {
  return messages.reduce((sum, { body }) => sum + body.length, 0);
}

function decidePost(input: ParsedInput<'postMessage'>, view: View): Outcome<Output<'postMessage'>> {
  const { topic, sender, body, action_flag: actionFlag, lane, fence } = input;
  if (lane !== undefined && fence !== undefined) {
    const refused = decideHolding(toLaneState(lane, view), { owner: sender, fence }, view.now);
    if (refused) return { refusal: toLaneRefusal(refused, 'post', sender) };
  }
  const id = view.counters.lastMessageId + 1;
  const message: MessageRow = { id, topic, sender, body, actionFlag, ts: view.now };
  return {
    answer: toMessage(message),
    rows: { messages: [message] },
    events: [{ kind: 'message_posted', message }],
  };
}

function decideAcknowledge(
  { id, by }: ParsedInput<'acknowledgeFlag'>,
  view: View,
): Outcome<Output<'acknowledgeFlag'>> {
  const message = view.find('messages', id);
  if (!message?.actionFlag) {
    const what = message ? `message ${id} carries no action flag` : `there is no message ${id}`;
    return { refusal: toBusError('not_found', `${what}: look at pending_action_flags in the status`, {}) };
  }
  // The first acknowledgement stays. Repeating it changes nothing.
  if (message.acknowledgedAt !== undefined) return { answer: toMessage(message) };
  const acknowledged = { ...message, acknowledgedBy: by, acknowledgedAt: view.now };
  return {
    answer: toMessage(acknowledged),
    rows: { messages: [acknowledged] },
    events: [{ kind: 'flag_acknowledged', message: acknowledged }],
  };
}

/** An id at or after everything seen so far, so that reading on from it skips nothing. */
function toCursor(
  page: readonly MessageRow[],
  query: Readonly<{ sinceId?: number | undefined; beforeId?: number | undefined; lastMessageId: number }>,
): number {
  const { sinceId, beforeId, lastMessageId } = query;
  if (sinceId !== undefined) return page.at(-1)?.id ?? sinceId;
  const newest = page[0]?.id ?? 0;
  if (beforeId !== undefined) return newest || beforeId - 1;
  return Math.max(newest, lastMessageId);
}
