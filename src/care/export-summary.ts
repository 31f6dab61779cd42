import type { Hold, LaneRow } from '../store/rows.ts';
import type { Hole, Totals } from '../store/transfer.ts';
import type { EventLine, ExportLine, LaneLine, MessageLine } from './export-lines.ts';

export type ExportSummary = Readonly<{
  totals: Totals;
  holes: readonly Hole[];
  lanes: readonly LaneRow[];
  /** Whether the last line was there, and counts what came before it. */
  isWhole: boolean;
}>;

/** What the lines of an export add up to. */
export function createExportSummary() {
  const [messages, events] = [createIdRun('messages'), createIdRun('events')];
  const lanes = new Map<string, LaneRow>();
  let [lastMessageId, lastEventId, pendingFlagCount, latest, laneCount] = [0, 0, 0, 0, 0];
  let isWhole = false;

  /** What is wrong with the line where it stands, if anything is. */
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
        lanes.set(line.lane, { lane: line.lane, fence: line.fence, hold: toHold(line) });
        return undefined;
      case 'message':
        return seeMessage(line);
      case 'event':
        return seeEvent(line);
      case 'end':
        isWhole =
          line.messages === messages.count() && line.events === events.count() && line.lanes === laneCount;
        return isWhole ? undefined : 'counts other lines than there are';
    }
  }

  function seeMessage({ id, ts, action_flag, acknowledged_at }: MessageLine): string | undefined {
    if (action_flag && acknowledged_at === undefined) pendingFlagCount += 1;
    latest = Math.max(latest, Date.parse(ts));
    return messages.see(id, lastMessageId);
  }

  function seeEvent(line: EventLine): string | undefined {
    const { id, ts, lane, owner, fence } = line;
    latest = Math.max(latest, Date.parse(ts));
    if (lane !== undefined && owner !== undefined && fence !== undefined)
      followLane({ ...line, lane, owner, fence });
    return events.see(id, lastEventId);
  }

  /** The lanes were read before the events: what an event tells of a later fence, or of a release, came after that. */
  function followLane(event: EventLine & Readonly<{ lane: string; owner: string; fence: number }>): void {
    const { lane, fence } = event;
    const known = lanes.get(lane);
    if (known && fence < known.fence) return;
    if (event.kind === 'lane_released') lanes.set(lane, { lane, fence });
    else if (known?.fence !== fence) lanes.set(lane, { lane, fence, hold: toHoldOfEvent(event) });
  }

  function end(): ExportSummary {
    const fences = [...lanes.values()].map(({ fence }) => fence);
    const pruned = { messageId: messages.floor(lastMessageId), eventId: events.floor(lastEventId) };
    const totals = {
      lastMessageId,
      lastEventId,
      messageCount: messages.count(),
      pendingFlagCount,
      pruned,
      // A lane that is free, and whose events were pruned, is not in the export; its fences must not come again.
      fenceFloor: pruned.eventId > 0 ? fences.reduce((top, fence) => Math.max(top, fence), 0) : 0,
      clockMilliseconds: latest,
    };
    const holes = [...messages.holes(lastMessageId), ...events.holes(lastEventId)];
    const sorted = [...lanes.values()].sort((one, other) => (one.lane < other.lane ? -1 : 1));
    return { totals, holes, lanes: sorted, isWhole };
  }

  return { see, end };
}

/** Follows the ids of one log, which grow, and notes the ones that are not there. */
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

function toHold({ owner, claimed_at, heartbeat_at, expires_at, lease_s }: LaneLine): Hold {
  return {
    owner,
    claimedAt: Date.parse(claimed_at),
    heartbeatAt: Date.parse(heartbeat_at),
    expiresAt: Date.parse(expires_at),
    leaseSeconds: lease_s,
  };
}

function toHoldOfEvent({ owner, ts, expires_at, lease_s = 0 }: EventLine & { owner: string }): Hold {
  const at = Date.parse(ts);
  return {
    owner,
    claimedAt: at,
    heartbeatAt: at,
    expiresAt: expires_at === undefined ? at : Date.parse(expires_at),
    leaseSeconds: lease_s,
  };
}
