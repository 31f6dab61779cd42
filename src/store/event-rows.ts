import { columnsOf } from './codec.ts';
import type { EventDetail, EventRow, MessageRow, StoredEvent } from './rows.ts';
import { schema } from './schema.ts';

/**
 * An event and the message it is about. A message never changes but in the fields that are set later; those an event
 * keeps as they were when it happened, so a reader of the feed sees what happened and not what came of it since.
 */

type LaterField = Extract<keyof EventDetail, keyof MessageRow>;

/** The fields of a message that something may set later. */
export const laterFields: readonly LaterField[] = columnsOf(schema.messages.fields)
  .filter(({ column }) => column.isLater)
  .map(({ path }) => path[0] as LaterField);

/** What is kept of an event: the id of its message, and what was set in it by then. */
export function toStoredEvent({ message, ...event }: EventRow): StoredEvent {
  if (!message) return event;
  const then = laterOf(message);
  return { ...event, messageId: message.id, ...(then && { detail: { ...event.detail, ...then } }) };
}

/** What was set in a message since it was posted, if anything was. */
export function laterOf(message: MessageRow): EventDetail | undefined {
  const set = laterFields.filter((field) => message[field] !== undefined);
  return set.length === 0 ? undefined : Object.fromEntries(set.map((field) => [field, message[field]]));
}

/** `posted` is the message as it was posted; nothing where it is not kept any more. */
export function toEventRow(
  { messageId: _id, ...event }: StoredEvent,
  posted: MessageRow | undefined,
): EventRow {
  if (!posted) return event;
  return { ...event, message: toMessageThen(event, posted) };
}

/** The message with what was set in it by the time of the event. */
function toMessageThen({ detail }: Pick<StoredEvent, 'detail'>, posted: MessageRow): MessageRow {
  const then = detail ? laterFields.filter((field) => detail[field] !== undefined) : [];
  return { ...posted, ...Object.fromEntries(then.map((field) => [field, detail?.[field]])) };
}
