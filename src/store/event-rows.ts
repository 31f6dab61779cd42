import { columnsOf } from './codec.ts';
import type { EventDetail, EventRow, MessageRow, StoredEvent } from './rows.ts';
import { schema } from './schema.ts';

/**
 * An event and the message it is about. Some fields of a message are set later, such as an acknowledgement. An event
 * stores those fields as they were when it happened, so a reader of the feed sees what happened then, not what has
 * happened since.
 */

type LaterField = Extract<keyof EventDetail, keyof MessageRow>;

/** The fields of a message that something may set later. */
export const laterFields: readonly LaterField[] = columnsOf(schema.messages.fields)
  .filter(({ column }) => column.isLater)
  .map(({ path }) => path[0] as LaterField);

/** What is stored of an event: the id of its message, and the later fields as they were then. */
export function toStoredEvent({ message, ...event }: EventRow): StoredEvent {
  if (!message) return event;
  const then = laterOf(message);
  return { ...event, messageId: message.id, ...(then && { detail: { ...event.detail, ...then } }) };
}

/** The fields of a message that were set after it was posted; undefined when there are none. */
export function laterOf(message: MessageRow): EventDetail | undefined {
  const set = laterFields.filter((field) => message[field] !== undefined);
  return set.length === 0 ? undefined : Object.fromEntries(set.map((field) => [field, message[field]]));
}

/** `posted` is the message as it was posted; undefined when it has been pruned. */
export function toEventRow(
  { messageId: _id, ...event }: StoredEvent,
  posted: MessageRow | undefined,
): EventRow {
  if (!posted) return event;
  return { ...event, message: toMessageThen(event, posted) };
}

/** The message as it was at the time of the event. */
function toMessageThen({ detail }: Pick<StoredEvent, 'detail'>, posted: MessageRow): MessageRow {
  const then = detail ? laterFields.filter((field) => detail[field] !== undefined) : [];
  return { ...posted, ...Object.fromEntries(then.map((field) => [field, detail?.[field]])) };
}
