import type { ErrorData } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import type { EventDetail, Hold, LaneRow, NewEvent, PreviousHold, Waiter } from '../store/rows.ts';
import { type Conflict, findConflicts, findEarlierClaim, type Rivals } from './rivals.ts';

/**
 * Decides who holds a lane: pure functions of the current state, the request and the time. Nothing here reads a
 * clock or a store, and no other code decides about lanes.
 */

/** A lane, who waits for it, first come first, and who else a claim of it may have to give way to. */
export type LaneState = Readonly<{
  lane: string;
  row: LaneRow | undefined;
  queue: readonly Waiter[];
  rivals?: Rivals | undefined;
}>;

export type ClaimRequest = Readonly<{
  owner: string;
  leaseSeconds: number;
  note?: string | undefined;
  /** Left out, a renewal keeps its scopes. An empty list drops them. */
  paths?: readonly string[] | undefined;
}>;
export type GrantDecision = 'claim' | 'renew' | 'steal';
export type Granted = Readonly<{ decision: GrantDecision; row: HeldRow; event?: NewEvent | undefined }>;
export type HeldRow = LaneRow & Readonly<{ hold: Hold }>;
/** A waiter with its result, and the lane after it. */
export type Served = Readonly<{ waiter: Waiter; decision: GrantDecision; row: HeldRow }>;

export type Refused =
  | Readonly<{ refused: 'lane_held'; data: ErrorData<'lane_held'> }>
  | Readonly<{ refused: 'paths_held'; data: ErrorData<'paths_held'> }>
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

/**
 * Grants, renews or steals; refuses while another owner's lease is live, while another owner holds a path that is asked
 * for too, and while somebody who came before waits for any of it. All is decided at once: a claim gets the lane with
 * all its paths, or nothing.
 */
export function decideClaim(state: LaneState, request: ClaimRequest, now: number): Granted | Refused {
  const { lane, row, rivals } = state;
  const { owner, paths } = request;
  const live = liveHoldOf(row, now);
  const isHolder = live?.owner === owner;
  const conflicts = findConflicts(rivals, { lane, owner, paths, heldPaths: isHolder ? live.paths : [] }, now);
  if (live && !isHolder) {
    const { owner: holder, note } = live;
    return laneHeld(state, { owner: holder, expires_in_s: secondsLeft(live, now), note }, conflicts);
  }
  const first = isHolder ? undefined : findEarlierClaim(rivals, { lane, owner });
  if (first)
    return laneHeld(
      state,
      { owner: first.owner, expires_in_s: 0, note: first.note, is_next: true },
      conflicts,
    );
  if (conflicts.length > 0) return pathsHeld(conflicts);
  if (!isHolder) return grant(state, request, now);
  const renewed = renew(row as HeldRow, request, now);
  const isChanged = hasOtherWork(row as HeldRow, renewed);
  return { decision: 'renew', row: renewed, event: isChanged ? toChangeEvent(renewed) : undefined };
}

type Holder = Readonly<{ owner: string; expires_in_s: number; note?: string | undefined; is_next?: true }>;

/** Whoever waits with scopes waits for more than the lane. */
function laneHeld(
  { lane, row, queue }: LaneState,
  { owner, expires_in_s, note, is_next }: Holder,
  conflicts: readonly Conflict[],
): Refused {
  const more = {
    ...(note !== undefined && { note }),
    ...(is_next && { is_next }),
    ...(conflicts.length > 0 && { blocked_by: toLanes([{ lane }, ...conflicts]) }),
  };
  const data = { lane, owner, expires_in_s, fence: fenceOf(row), waiters: queue.length, ...more };
  return { refused: 'lane_held', data };
}

function pathsHeld(all: readonly Conflict[]): Refused {
  const conflicts = all.slice(0, limits.conflictsShownMax);
  return {
    refused: 'paths_held',
    data: { conflicts, blocked_by: toLanes(all) },
  };
}

function toLanes(all: readonly Readonly<{ lane: string }>[]): string[] {
  return [...new Set(all.map(({ lane }) => lane))];
}

/** A renewal is no event, unless it changes what the others see: the note or the scopes. */
function hasOtherWork({ hold: before }: HeldRow, { hold: after }: HeldRow): boolean {
  return before.note !== after.note || JSON.stringify(before.paths) !== JSON.stringify(after.paths);
}

/** Tells of a renewal that changed something, or that somebody waited for. */
export function toChangeEvent({ lane, fence, hold }: HeldRow): NewEvent {
  return { kind: 'lane_changed', lane, detail: toHoldDetail(fence, hold) };
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
  request: Readonly<{ owner: string; fence?: number | undefined; note?: string | undefined }>,
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
  const { note } = request;
  const previous = live
    ? {
        previousOwner: owner,
        endedAt: now,
        how: 'released' as const,
        ...(note !== undefined && { previousNote: note }),
      }
    : toExpired(row.hold);
  return {
    decision: 'released',
    row: { lane, fence: row.fence, previous },
    event: {
      kind: 'lane_released',
      lane,
      detail: { owner, fence: row.fence, previousExpiresAt, releasedBy, note },
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
  { owner, leaseSeconds, note, paths }: ClaimRequest,
  now: number,
  told: Pick<EventDetail, 'ticket' | 'renewed'> = {},
): Granted {
  const fence = fenceOf(row) + 1;
  const { owner: previousOwner, expiresAt: previousExpiresAt } = row?.hold ?? {};
  const isSteal = previousOwner !== undefined;
  const times = { expiresAt: now + leaseSeconds * 1000, claimedAt: now, heartbeatAt: now };
  const hold: Hold = { owner, leaseSeconds, ...times, ...toWork({ note, paths }) };
  const previous = row?.hold ? toExpired(row.hold) : row?.previous;
  return {
    decision: isSteal ? 'steal' : 'claim',
    row: { lane, fence, hold, ...(previous && { previous }) },
    event: {
      kind: isSteal ? 'lane_stolen' : 'lane_claimed',
      lane,
      detail: { ...toHoldDetail(fence, hold), previousOwner, previousExpiresAt, ...told, previous },
    },
  };
}

function renew(row: HeldRow, { leaseSeconds, note, paths }: ClaimRequest, now: number): HeldRow {
  const { note: noteBefore, paths: pathsBefore, ...hold } = row.hold;
  const work = toWork({ note: note ?? noteBefore, paths: paths ?? pathsBefore });
  const expiresAt = now + leaseSeconds * 1000;
  return { ...row, hold: { ...hold, leaseSeconds, expiresAt, heartbeatAt: now, ...work } };
}

/** What a hold says of its work. No scope at all is no list. */
function toWork({ note, paths = [] }: Pick<ClaimRequest, 'note' | 'paths'>): Pick<Hold, 'note' | 'paths'> {
  return { ...(note !== undefined && { note }), ...(paths.length > 0 && { paths: [...new Set(paths)] }) };
}

function toExpired({ owner, expiresAt, note }: Hold): PreviousHold {
  const previousNote = note === undefined ? {} : { previousNote: note };
  return { previousOwner: owner, endedAt: expiresAt, how: 'expired', ...previousNote };
}

function toHoldDetail(fence: number, { owner, leaseSeconds, expiresAt, note, paths }: Hold): EventDetail {
  return { owner, fence, leaseSeconds, expiresAt, note, paths };
}
