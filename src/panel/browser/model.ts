import { createActivity } from './activity.ts';
import { createAgents } from './agents.ts';
import type { ServerClock } from './clock.ts';
import { effectOf } from './followed.ts';
import { createLanes } from './lanes.ts';
import { createMessageLists } from './message-lists.ts';
import { createMessageLog } from './message-log.ts';
import type { BusEvent, Message, MessagePage, Status } from './rows.ts';

/** A part of the page that is painted on its own. */
export type Part = 'header' | 'flags' | 'lanes' | 'messages' | 'agents';

export const everyPart: readonly Part[] = ['header', 'flags', 'lanes', 'messages', 'agents'];

export type Meta = Status['_meta'];

export type Model = ReturnType<typeof createModel>;

/** Everything the page knows about the bus. It is told by the status, by events, and by pages of messages. */
export function createModel(clock: ServerClock) {
  const lanes = createLanes();
  const activity = createActivity();
  const log = createMessageLog();
  const agents = createAgents();
  const lists = createMessageLists();
  let meta: Meta | undefined;
  /** Everything up to this event has been taken in. */
  let cursor = 0;
  /** Events that came since the last status was made. */
  let young: BusEvent[] = [];

  /** Whether reading on from the cursor would not lead from what is known to what the status says. */
  function isApart({ _meta: next }: Status): boolean {
    const isOtherLog = next.last_event_id < cursor || next.last_message_id < (log.all()[0]?.id ?? 0);
    return meta === undefined || isOtherLog || next.last_event_id - cursor > eventsCaughtUpMax;
  }

  function takeStatus(status: Status): void {
    meta = status._meta;
    clock.set(meta.ts);
    young = young.filter(({ id }) => id > status._meta.last_event_id);
    lanes.takeStatus(status, []);
    lists.takeStatus(status);
    for (const event of young) applyOnStatus(event);
  }

  /** Events in their order; those taken in before are left aside. */
  function takeEvents(events: readonly BusEvent[]): Set<Part> {
    const parts = new Set<Part>(['header']);
    const messages: Message[] = [];
    for (const event of events) {
      if (event.id <= cursor) continue;
      cursor = event.id;
      takePast(event);
      if (event.message) messages.push(event.message);
      parts.add(event.message ? 'messages' : 'lanes').add('agents');
      if (event.message?.action_flag) parts.add('flags');
      if (event.id <= (meta?.last_event_id ?? 0)) continue;
      young.push(event);
      applyOnStatus(event);
    }
    log.add(messages);
    return parts;
  }

  /** What an event tells about the past, whatever the status says about the present. */
  function takePast(event: BusEvent): void {
    activity.add(event);
    agents.hearEvent(event);
  }

  function applyOnStatus(event: BusEvent): void {
    lanes.apply(event);
    if (event.message) lists.take(event.message);
  }

  function takeMessages(page: Pick<MessagePage, 'messages'>): void {
    log.add(page.messages);
    agents.hearMessages(page.messages);
  }

  return {
    lanes,
    activity,
    log,
    isApart,
    takeStatus,
    takeEvents,
    takePast,
    takeMessages,
    meta: () => meta,
    cursor: () => cursor,
    /** Newest first. */
    flags: () => lists.all('pending_action_flags'),
    flagCount: () => lists.count('pending_action_flags'),
    /** Those that are kept: after pruning fewer than the newest has for its number. */
    messageCount: () => (meta?.message_count ?? 0) + young.filter((event) => effectOf(event).isPost).length,
    lastMessageId: () => Math.max(meta?.last_message_id ?? 0, log.all()[0]?.id ?? 0),
    agents: () => agents.list(lanes.all(), lanes.waiters()),
    isEmpty: () =>
      meta?.message_count === 0 && log.count() === 0 && lanes.all().length === 0 && activity.isEmpty(),
    /** Takes an acknowledgement before the event about it arrives. */
    takeAcknowledged(message: Message): void {
      lists.take(message);
      log.add(log.get(message.id) ? [message] : []);
    },
    /** Starts over at an event: what was known is of another log, or too long ago. */
    restartAt(eventId: number): void {
      cursor = eventId;
      young = [];
      activity.clear();
      agents.clear();
      log.clear();
    },
  };
}

/** More missed events than this are not worth reading one by one. */
const eventsCaughtUpMax = 5_000;
