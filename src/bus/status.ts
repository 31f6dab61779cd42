import type { Output } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import { listNames } from '../store/schema.ts';
import { toTimestamp } from '../store/timestamp.ts';
import { readLatestAgents } from './agents-shown.ts';
import { toLane, toWaiting } from './answers.ts';
import { fenceOf, liveHoldOf } from './lanes.ts';
import { createSharedReads } from './pages.ts';
import type { EngineParts, Handlers } from './parts.ts';
import { toListCounts, toLists } from './status-lists.ts';

/** The status: everything a person or an agent sees at a glance, built from one snapshot. */
export function createStatusHandlers({
  store,
  presence,
  waiting,
  settings,
}: EngineParts): Pick<Handlers, 'getBusStatus' | 'listLanes' | 'getLane'> {
  const startedAt = store.clock.now();
  const shared = createSharedReads<Output<'getBusStatus'>>({
    parts: { store, waiting },
    // Only the latest one.
    answersMax: 1,
    toCharacters: () => 0,
  });

  /** The status changes with the clock as well as with the data, so a result is shared for a short time only. */
  const getBusStatus: Handlers['getBusStatus'] = () => {
    const moment = Math.floor(store.clock.now() / limits.statusSharedMilliseconds);
    return shared.read(`${moment}`, readStatus);
  };

  async function readStatus(): Promise<Output<'getBusStatus'>> {
    const overview = await store.readOverview({
      lists: listNames,
      lanesMax: limits.statusLanesMax,
      waitersMax: limits.statusWaitersMax,
    });
    const { now, counters } = overview;
    const agents = await readLatestAgents(store, presence, overview);
    return {
      active_lanes: overview.live.map((row) => toLane(row, now)),
      orphaned_claims: overview.orphaned.map((row) => toLane(row, now)),
      ...toLists(overview.lists),
      agents,
      waiting: overview.queues.flatMap(({ lane, queue }) => toWaiting(lane, queue)),
      _meta: {
        active_lane_count: overview.liveCount,
        orphaned_claim_count: overview.orphanedCount,
        ...toListCounts(counters),
        message_count: counters.messageCount,
        last_message_id: counters.lastMessageId,
        last_event_id: counters.lastEventId,
        waiter_count: overview.waiterCount,
        max_lease_seconds: settings.leaseSecondsMax,
        write_secret_armed: settings.isSecretArmed,
        store: store.kind,
        version: settings.version,
        ts: toTimestamp(now),
        uptime_s: Math.floor((now - startedAt) / 1000),
        arms_nothing: true,
      },
    };
  }

  const listLanes: Handlers['listLanes'] = async ({ owner, limit, after }) => {
    const now = store.clock.now();
    const rows = await store.readLanes({ owner, after, limit: limit + 1 });
    return {
      lanes: rows.slice(0, limit).map((row) => toLane(row, now)),
      has_more: rows.length > limit,
    };
  };

  const getLane: Handlers['getLane'] = async ({ lane }) => {
    const { row, queue } = await store.readLane(lane);
    const now = store.clock.now();
    const waiting = toWaiting(lane, queue);
    const fence = fenceOf(row);
    if (!row?.hold) return { state: 'free', fence, lane: { lane }, waiting };
    const state = liveHoldOf(row, now) ? 'held' : 'orphaned';
    return { state, fence, lane: toLane({ lane, fence, hold: row.hold }, now), waiting };
  };

  return { getBusStatus, listLanes, getLane };
}
