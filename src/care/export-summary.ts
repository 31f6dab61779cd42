import { isGrant } from '../contract/events.ts';
import { countingsOf, nothingCounted } from '../store/counting.ts';
import { laterOf } from '../store/event-rows.ts';
import type { Counters, EventDetail, Hold, Hole, LaneRow, MessageRow, StoredEvent } from '../store/rows.ts';
import type { ExportLine } from './export-lines.ts';

export type ExportSummary = Readonly<{
  totals: Counters;
  holes: readonly Hole[];
  lanes: readonly LaneRow[];
  /** Whether the last line was there. It counts the lines before it. */
  isWhole: boolean;
}>;

/** Computes totals over the lines of an export. */
export function createExportSummary() {
  const [messages, events] = [createIdRun('messages'), createIdRun('events')];
  const lanes = new Map<string, LaneRow>();
  let [lastMessageId, lastEventId, latest, laneCount] = [0, 0, 0, 0];
  const counted: Partial<Record<keyof Counters, number>> = {};
  /** The later fields according to the messages, for exports whose events lack them. */
  const setLater = new Map<number, EventDetail>();
  let isWhole = false;

  /** Returns what is wrong with a line at its place, if anything. */
  function see(line: ExportLine): string | undefined {
    if (isWhole) return 'comes after the end of the export';
    switch (line.type) {
      case 'export':
        if (lastMessageId + lastEventId + messages.count() > 0) return 'begins another export';
        lastMessageId = line.last_message_id;
        lastEventId = line.last_event_id;
        return undefined;
      case 'lane':
        laneCount += 1;
        lanes.set(line.row.lane, line.row);
        return undefined;
      case 'message':
        return seeMessage(line.row);
      case 'event':
        return seeEvent(line.row);
      case 'end':
        isWhole =
          line.messages === messages.count() && line.events === events.count() && line.lanes === laneCount;
        return isWhole ? undefined : 'counts other lines than there are';
    }
  }

  function seeMessage(row: MessageRow): string | undefined {
    for (const { counter, isCounted } of countingsOf('messages'))
      counted[counter] = (counted[counter] ?? 0) + Number(isCounted(row));
    const later = laterOf(row);
    if (later) setLater.set(row.id, later);
    latest = Math.max(latest, row.ts);
    return messages.see(row.id, lastMessageId);
  }

  function seeEvent(row: StoredEvent): string | undefined {
    latest = Math.max(latest, row.ts);
    followLane(row);
    return events.see(row.id, lastEventId);
  }

  /**
   * The lanes were read before the events. A later fence or a release in an event therefore happened after the lane
   * was read.
   */
  function followLane(event: StoredEvent): void {
    const { lane, kind, detail: { owner, fence } = {} } = event;
    if (lane === undefined || owner === undefined || fence === undefined) return;
    const known = lanes.get(lane);
    if (known && fence < known.fence) return;
    if (kind === 'lane_released') lanes.set(lane, { lane, fence });
    else if (isGrant(kind) && known?.fence !== fence)
      lanes.set(lane, { lane, fence, hold: toHoldOfEvent(event, owner) });
  }

  /** In older exports the event of an acknowledgement does not say who acknowledged; the message does. */
  function complete(event: StoredEvent): StoredEvent {
    if (event.kind !== 'flag_acknowledged' || event.detail || event.messageId === undefined) return event;
    const detail = setLater.get(event.messageId);
    return detail ? { ...event, detail } : event;
  }

  function end(): ExportSummary {
    const fences = [...lanes.values()].map(({ fence }) => fence);
    const pruned = { messageId: messages.floor(lastMessageId), eventId: events.floor(lastEventId) };
    const totals = {
      ...nothingCounted,
      lastMessageId,
      lastEventId,
      messageCount: messages.count(),
      ...counted,
      pruned,
      // The export does not contain a free lane whose events were pruned, but its fences must not be used again.
      fenceFloor: pruned.eventId > 0 ? fences.reduce((top, fence) => Math.max(top, fence), 0) : 0,
      clockMilliseconds: latest,
    };
    const holes = [...messages.holes(lastMessageId), ...events.holes(lastEventId)];
    const sorted = [...lanes.values()].sort((one, other) => (one.lane < other.lane ? -1 : 1));
    return { totals, holes, lanes: sorted, isWhole };
  }

  return { see, complete, end };
}

/** Follows the growing ids of one log and records the ones that are missing. */
function createIdRun(log: Hole['log']) {
  const noted: Hole[] = [];
  let [first, previous, count] = [0, 0, 0];

  function see(id: number, last: number): string | undefined {
    if (id <= previous || id > last) return `has the id ${id} out of order`;
    if (count === 0) first = id;
    else if (id > previous + 1) noted.push({ log, firstId: previous + 1, lastId: id - 1 });
    previous = id;
    count += 1;
    return undefined;
  }

  return {
    see,
    count: () => count,
    floor: (last: number) => (count === 0 ? last : first - 1),
    holes: (last: number): readonly Hole[] =>
      count > 0 && previous < last ? [...noted, { log, firstId: previous + 1, lastId: last }] : noted,
  };
}

function toHoldOfEvent({ ts, detail }: StoredEvent, owner: string): Hold {
  const { expiresAt = ts, leaseSeconds = 0 } = detail ?? {};
  return { owner, claimedAt: ts, heartbeatAt: ts, expiresAt, leaseSeconds };
}
