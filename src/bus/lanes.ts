import type { ErrorData } from '../contract/errors.ts';
import type { EventDetail, Hold, LaneRow, NewEvent, Waiter } from '../store/rows.ts';

/**
 * Decides who holds a lane: pure functions of the current state, the request and the time. Nothing here reads a
 * clock or a store, and no other code decides about lanes.
 */

/** A lane and its waiters in order of arrival. */
export type LaneState = Readonly<{ lane: string; row: LaneRow | undefined; queue: readonly Waiter[] }>;

export type ClaimRequest = Readonly<{ owner: string; leaseSeconds: number }>;
export type GrantDecision = 'claim' | 'renew' | 'steal';
export type Granted = Readonly<{ decision: GrantDecision; row: HeldRow; event?: NewEvent | undefined }>;
export type HeldRow = LaneRow & Readonly<{ hold: Hold }>;
/** A waiter with its result, and the lane after it. */
export type Served = Readonly<{ waiter: Waiter; decision: GrantDecision; row: HeldRow }>;

export type Refused =
  | Readonly<{ refused: 'lane_held'; data: ErrorData<'lane_held'> }>
  | Readonly<{ refused: 'not_holder'; data: ErrorData<'not_holder'> }>
  | Readonly<{ refused: 'stale_fence'; data: ErrorData<'stale_fence'> }>;

/** The hold that is live at `now`. A lease ends exactly at `expiresAt`. */
export function liveHoldOf(row: LaneRow | undefined, now: number): Hold | undefined {
  return row?.hold && now < row.hold.expiresAt ? row.hold : undefined;
}

/**
 * The remaining whole seconds, rounded up, so that a live lease never shows 0. Zero or negative after it has
 * expired.
 */
export function secondsLeft(hold: Hold | undefined, now: number): number {
  return hold ? Math.ceil((hold.expiresAt - now) / 1000) || 0 : 0;
}

export function fenceOf(row: LaneRow | undefined): number {
  return row?.fence ?? 0;
}

/** Grants, renews or steals; refuses while another owner's lease is live. */
export function decideClaim(state: LaneState, request: ClaimRequest, now: number): Granted | Refused {
  const live = liveHoldOf(state.row, now);
  if (!live) return grant(state, request, now);
  if (live.owner === request.owner)
    return { decision: 'renew', row: renew(state.row as HeldRow, request, now) };
  const { lane, row, queue } = state;
  return {
    refused: 'lane_held',
    data: {
      lane,
      owner: live.owner,
      expires_in_s: secondsLeft(live, now),
      fence: fenceOf(row),
      waiters: queue.length,
    },
  };
}

/** Renews only for the owner of a live lease: an expired lease never comes back. */
export function decideHeartbeat(
  state: LaneState,
  request: ClaimRequest & Readonly<{ fence?: number | undefined }>,
  now: number,
): Readonly<{ row: HeldRow }> | Refused {
  const stale = decideFence(state, request.fence);
  if (stale) return stale;
  const live = liveHoldOf(state.row, now);
  if (live?.owner !== request.owner) return notHolder(state, now);
  return { row: renew(state.row as HeldRow, request, now) };
}

/** Frees the lane for its owner. Anybody may free an orphan. A free lane stays free. */
export function decideRelease(
  state: LaneState,
  request: Readonly<{ owner: string; fence?: number | undefined }>,
  now: number,
):
  | Readonly<{ decision: 'released'; row: LaneRow; event: NewEvent }>
  | Readonly<{ decision: 'free' }>
  | Refused {
  const stale = decideFence(state, request.fence);
  if (stale) return stale;
  const { lane, row } = state;
  if (!row?.hold) return { decision: 'free' };
  const { owner, expiresAt } = row.hold;
  const live = liveHoldOf(row, now);
  if (live && owner !== request.owner) return notHolder(state, now);
  const previousExpiresAt = live ? undefined : expiresAt;
  const releasedBy = request.owner === owner ? undefined : request.owner;
  return {
    decision: 'released',
    row: { lane, fence: row.fence },
    event: {
      kind: 'lane_released',
      lane,
      detail: { owner, fence: row.fence, previousExpiresAt, releasedBy },
    },
  };
}

/** Whether the caller holds the lane under that fence. A fenced post checks this first. */
export function decideHolding(
  state: LaneState,
  request: Readonly<{ owner: string; fence: number }>,
  now: number,
): Refused | undefined {
  const stale = decideFence(state, request.fence);
  if (stale) return stale;
  return liveHoldOf(state.row, now)?.owner === request.owner ? undefined : notHolder(state, now);
}

/**
 * Grants a lane without a live holder to its first waiter. Other waiting claims of the same owner are answered too,
 * as if they came right after it: with a renewal.
 */
export function decideNextHolder(
  state: LaneState,
  now: number,
):
  | Readonly<{ served: readonly Served[]; event: NewEvent | undefined; queue: readonly Waiter[] }>
  | undefined {
  const first = state.queue.find(({ isAway }) => !isAway);
  if (!first || liveHoldOf(state.row, now)) return undefined;
  const isOfOwner = ({ owner }: Waiter) => owner === first.owner;
  const others = state.queue.filter((waiter) => waiter !== first && isOfOwner(waiter));
  const renewed = others.map(({ ticket, leaseSeconds }) => ({ ticket, leaseSeconds }));
  const told = { ticket: first.ticket, ...(others.length > 0 && { renewed }) };
  const { decision, row, event } = grant(state, first, now, told);
  const served: Served[] = [{ waiter: first, decision, row }];
  for (const waiter of others) served.push({ waiter, decision: 'renew', row: renew(row, waiter, now) });
  return { served, event, queue: state.queue.filter((waiter) => !isOfOwner(waiter)) };
}

function decideFence({ lane, row }: LaneState, fence: number | undefined): Refused | undefined {
  if (fence === undefined || fence === fenceOf(row)) return undefined;
  return { refused: 'stale_fence', data: { lane, fence: fenceOf(row) } };
}

function notHolder({ lane, row }: LaneState, now: number): Refused {
  const owner = row?.hold?.owner ?? null;
  return { refused: 'not_holder', data: { lane, owner, expires_in_s: secondsLeft(row?.hold, now) } };
}

/** Every grant raises the fence by one, so that a former holder can be told from the current one. */
function grant(
  { lane, row }: LaneState,
  { owner, leaseSeconds }: ClaimRequest,
  now: number,
  told: Pick<EventDetail, 'ticket' | 'renewed'> = {},
): Granted {
  const expiresAt = now + leaseSeconds * 1000;
  const fence = fenceOf(row) + 1;
  const { owner: previousOwner, expiresAt: previousExpiresAt } = row?.hold ?? {};
  const isSteal = previousOwner !== undefined;
  return {
    decision: isSteal ? 'steal' : 'claim',
    row: { lane, fence, hold: { owner, leaseSeconds, expiresAt, claimedAt: now, heartbeatAt: now } },
    event: {
      kind: isSteal ? 'lane_stolen' : 'lane_claimed',
      lane,
      detail: { owner, fence, leaseSeconds, expiresAt, previousOwner, previousExpiresAt, ...told },
    },
  };
}

function renew(row: HeldRow, { leaseSeconds }: ClaimRequest, now: number): HeldRow {
  const expiresAt = now + leaseSeconds * 1000;
  return { ...row, hold: { ...row.hold, leaseSeconds, expiresAt, heartbeatAt: now } };
}
