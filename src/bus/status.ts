import type { Output } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { HeldLaneRow, Waiter } from '../store/rows.ts';
import { listNames } from '../store/schema.ts';
import type { LaneQuery, Overview } from '../store/store.ts';
import { toTimestamp } from '../store/timestamp.ts';
import { readLatestAgents } from './agents-shown.ts';
import { toLane, toListedLane, toWaiting } from './answers.ts';
import { withGrace } from './grace.ts';
import { fenceOf, liveHoldOf } from './lanes.ts';
import { createSharedReads } from './pages.ts';
import type { EngineParts, Handlers } from './parts.ts';
import { findBlockers, findConflicts } from './rivals.ts';
import { covers } from './scopes.ts';
import { toListCounts, toLists } from './status-lists.ts';

/** The status: everything a person or an agent sees at a glance, built from one snapshot. */
export function createStatusHandlers({
  store,
  presence,
  waiting,
  settings,
}: EngineParts): Pick<Handlers, 'getBusStatus' | 'listLanes' | 'getLane' | 'checkPaths'> {
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
      waiting: await readWaiting(overview),
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

  /** What a claim waits for is its lane; with scopes it may be any other, too. */
  async function readWaiting({ now, queues }: Overview): Promise<Output<'getBusStatus'>['waiting']> {
    const waiters = queues.flatMap(({ queue }) => queue).sort((one, other) => one.since - other.since);
    const isScoped = waiters.some(({ paths }) => paths !== undefined);
    const lanes = isScoped ? await store.readScopedLanes() : [];
    const toBlockers = (waiter: Waiter): readonly string[] => {
      if (waiter.paths === undefined) return [];
      const earlier = waiters.slice(0, waiters.indexOf(waiter));
      return findBlockers(waiter, { lanes, waiters: earlier }, now);
    };
    return queues.flatMap(({ lane, queue }) => toWaiting(lane, queue, toBlockers));
  }

  /** A page of the lanes with scopes: they are few enough to look through. */
  async function findCovering(path: string, { owner, after = '', limit }: LaneQuery) {
    const rows = await store.readScopedLanes();
    return rows
      .filter(({ lane, hold }) => lane > after && (owner === undefined || hold.owner === owner))
      .filter(({ hold }) => hold.paths?.some((scope) => covers(scope, path)))
      .sort((one, other) => (one.lane < other.lane ? -1 : 1))
      .slice(0, limit);
  }

  const checkPaths: Handlers['checkPaths'] = async ({ paths, owner = '' }) => {
    const now = store.clock.now();
    const lanes = (await store.readScopedLanes()).map(
      (row) => withGrace(row, store.clock.lastPause?.()) as HeldLaneRow,
    );
    const fences = new Map(lanes.map(({ lane, fence }) => [lane, fence]));
    const held = findConflicts({ lanes, waiters: [] }, { owner, paths }, now);
    return { held: held.map((one) => ({ ...one, fence: fences.get(one.lane) ?? 0 })) };
  };

  const listLanes: Handlers['listLanes'] = async ({ owner, limit, after, path }) => {
    const now = store.clock.now();
    const query = { owner, after, limit: limit + 1 };
    const rows = path === undefined ? await store.readLanes(query) : await findCovering(path, query);
    return {
      lanes: rows.slice(0, limit).map((row) => toListedLane(row, now)),
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

  return { getBusStatus, listLanes, getLane, checkPaths };
}
