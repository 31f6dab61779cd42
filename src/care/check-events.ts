import type { StoredEvent } from '../store/rows.ts';
import type { RowSource } from '../store/transfer.ts';
import { type Check, createProblems, toCount } from './check.ts';
import { createIdCheck, isKept, toIdRange } from './check-ids.ts';

/** Checks the change feed against the log: exactly one event posted each message, in order. */
export function createEventCheck(source: RowSource) {
  const { pruned, lastEventId } = source.totals;
  const messages = toIdRange(source, 'messages');
  const problems = createProblems();
  const ids = createIdCheck('event', toIdRange(source, 'events'), problems);
  let eventCount = 0;
  let postCount = 0;
  let lastPosted = pruned.messageId;
  let latest = 0;

  function see({ id, kind, ts, messageId }: StoredEvent): void {
    ids.see(id);
    eventCount += 1;
    if (ts < latest) problems.add(`event ${id} is older than the one before it`);
    latest = Math.max(latest, ts);
    if (kind === 'message_posted') seePost(id, messageId);
    else if (messageId !== undefined && !isKnown(messageId))
      problems.add(`event ${id} refers to message ${messageId}, which there is not`);
  }

  function seePost(id: number, messageId = 0): void {
    postCount += 1;
    if (!isKept(messages, messageId))
      problems.add(`event ${id} refers to message ${messageId}, which there is not`);
    if (messageId <= lastPosted) problems.add(`event ${id} posts message ${messageId} out of order`);
    lastPosted = messageId;
  }

  /** Something may happen to a message long after it was posted, and the message be pruned before that event. */
  function isKnown(messageId: number): boolean {
    return messageId <= pruned.messageId ? pruned.messageId > 0 : isKept(messages, messageId);
  }

  function end(messageCount: number): Check {
    ids.end();
    if (postCount !== messageCount)
      problems.add(`${toCount(postCount, 'event')} posted a message, and there are ${messageCount}`);
    const upTo = eventCount === 0 ? '' : `, up to ${lastEventId}`;
    return problems.toCheck('events', `${toCount(eventCount, 'event')}${upTo}`);
  }

  return { see, end };
}
